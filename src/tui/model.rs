//! Everything the dashboard knows: the data, what is shown of it, what is open.

mod advice;
mod indexes;
mod list;
mod load;
mod overlay;
mod rows;
mod world;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::columns::{self, Col};
use super::history::Availability;
use super::keys::{KeyErrors, KeyTable, scope};
use super::settings::TuiConfig;
use super::theme::{ASCII, Glyphs, Theme, UNICODE};
use crate::model::digest::{DigestDetail, DigestKey};
use crate::model::feed::{Link, ServerFacts};
use crate::model::latency::BucketCounts;
use crate::model::session::{Session, SessionId};

pub(super) use advice::{
    AdviceKey, AdviceSheet, AdvisorRun, AdvisorState, Mark, Subject, action_word, change_title,
    columns_text, parts_text,
};
pub(super) use indexes::{ChangeRun, Entry, IndexKey, IndexRow, IndexesState, state_word};
pub(super) use list::ListState;
pub(super) use load::{LoadState, Phase};
pub(super) use overlay::{Change, Confirm, Overlay};
pub(super) use rows::{PoolGroup, QueryRow, pool_groups, share};
pub(super) use world::World;

/// The views in the order of their tabs. A new view is one line here, its keys and its drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Overview,
    Queries,
    Sessions,
    Indexes,
    Advisor,
    Pool,
}

impl View {
    pub(super) const ALL: &'static [View] = &[
        View::Overview,
        View::Queries,
        View::Sessions,
        View::Indexes,
        View::Advisor,
        View::Pool,
    ];

    /// Digit, title, title for narrow screens.
    pub(super) fn tab(self) -> (char, &'static str, &'static str) {
        match self {
            View::Overview => ('1', "Overview", "Over"),
            View::Queries => ('2', "Queries", "Query"),
            View::Sessions => ('3', "Sessions", "Sess"),
            View::Indexes => ('5', "Indexes", "Idx"),
            View::Advisor => ('6', "Advisor", "Adv"),
            View::Pool => ('7', "Pool & probes", "Pool"),
        }
    }

    fn scope(self) -> u16 {
        match self {
            View::Overview => scope::OVERVIEW,
            View::Queries => scope::QUERIES,
            View::Sessions => scope::SESSIONS,
            View::Indexes => scope::INDEXES,
            View::Advisor => scope::ADVISOR,
            View::Pool => scope::POOL,
        }
    }

    fn list(self) -> usize {
        match self {
            View::Overview | View::Queries => 0,
            View::Sessions => 1,
            View::Pool => 2,
            View::Advisor => 3,
            View::Indexes => 4,
        }
    }
}

/// Identity of a row, so that the selection stays on it while rows move.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum RowKey {
    Digest(DigestKey),
    Session(SessionId),
    Probe(Arc<str>),
    Advice(AdviceKey),
    Index(IndexKey),
}

/// The detail pane of a recommendation or of an index.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    pub(super) key: RowKey,
    pub(super) scroll: usize,
}

/// The detail pane of a digest.
#[derive(Debug, Clone)]
pub(super) struct Detail {
    pub(super) key: DigestKey,
    pub(super) state: DetailState,
    /// Text laid out over several lines.
    pub(super) formatted: String,
    /// Latency between the two latest readings, and how far apart they are.
    pub(super) between: Option<(BucketCounts, Duration)>,
    pub(super) read_at: Option<Timestamp>,
    pub(super) scroll: usize,
    /// Begin at the plan.
    pub(super) plan_first: bool,
    pub(super) wrap: bool,
}

#[derive(Debug, Clone)]
pub(super) enum DetailState {
    Loading,
    Ready(Arc<DigestDetail>),
    Failed(String),
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Info,
    Good,
    Bad,
}

/// One sentence with its time.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) at: Timestamp,
    pub(super) tone: Tone,
    pub(super) text: String,
}

/// The frozen screen.
#[derive(Debug, Clone)]
pub(super) struct Frozen {
    pub(super) world: World,
    pub(super) at: Timestamp,
}

const NOTES: usize = 100;

/// How long a message stays in the last line.
pub(super) const NOTE_TIME: Duration = Duration::from_secs(8);

/// The whole state.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the user's, independent of the others"
)]
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) config: TuiConfig,
    pub(super) keys: KeyTable,
    pub(super) theme: Theme,
    pub(super) glyphs: &'static Glyphs,
    pub(super) now: Timestamp,
    pub(super) elapsed: Duration,
    pub(super) size: (u16, u16),
    pub(super) link: Link,
    pub(super) link_since: Timestamp,
    pub(super) facts: Option<Arc<ServerFacts>>,
    pub(super) availability: Availability,
    pub(super) gap: Option<Note>,
    pub(super) live: World,
    pub(super) frozen: Option<Box<Frozen>>,
    pub(super) view: View,
    pub(super) lists: [ListState; 5],
    pub(super) query_rows: Vec<QueryRow>,
    pub(super) session_rows: Vec<usize>,
    pub(super) probe_rows: Vec<usize>,
    pub(super) advice_rows: Vec<usize>,
    pub(super) index_rows: Vec<IndexRow>,
    pub(super) advisor: AdvisorState,
    pub(super) indexes: IndexesState,
    pub(super) load: LoadState,
    pub(super) sheet: Option<Sheet>,
    pub(super) totals: bool,
    pub(super) show_idle: bool,
    pub(super) transactions_only: bool,
    pub(super) tags: HashSet<SessionId>,
    pub(super) detail: Option<Detail>,
    pub(super) overlay: Option<Overlay>,
    pub(super) maximised: bool,
    pub(super) interval: Duration,
    pub(super) notes: VecDeque<Note>,
    pub(super) note_shown: bool,
}

impl Model {
    /// The state before anything has happened; mistakes in the key overrides are told here.
    pub(super) fn new(config: TuiConfig, now: Timestamp) -> Result<Self, KeyErrors> {
        Ok(Self {
            keys: KeyTable::new(&config.keys)?,
            theme: Theme::of(config.palette),
            glyphs: if config.ascii { &ASCII } else { &UNICODE },
            now,
            elapsed: Duration::ZERO,
            size: (80, 24),
            link: Link::Connecting,
            link_since: now,
            facts: None,
            availability: Availability::default(),
            gap: None,
            live: World::new(now),
            frozen: None,
            view: View::Overview,
            lists: [
                ListState::new(columns::QUERIES, Col::Load),
                ListState::new(columns::SESSIONS, Col::Time),
                ListState::new(columns::PROBES, Col::P95),
                ListState::new(columns::ADVICE, Col::Gain),
                ListState {
                    descending: false,
                    ..ListState::new(columns::INDEXES, Col::IndexTable)
                },
            ],
            query_rows: Vec::new(),
            session_rows: Vec::new(),
            probe_rows: Vec::new(),
            advice_rows: Vec::new(),
            index_rows: Vec::new(),
            advisor: AdvisorState::default(),
            indexes: IndexesState::default(),
            load: LoadState::default(),
            sheet: None,
            totals: false,
            show_idle: false,
            transactions_only: false,
            tags: HashSet::new(),
            detail: None,
            overlay: None,
            maximised: false,
            interval: config.interval,
            notes: VecDeque::new(),
            note_shown: false,
            config,
        })
    }

    /// The data on the screen: live, or as it was when the screen was frozen.
    pub(super) fn shown(&self) -> &World {
        self.frozen
            .as_ref()
            .map_or(&self.live, |frozen| &frozen.world)
    }

    pub(super) fn list(&self) -> &ListState {
        &self.lists[self.view.list()]
    }

    pub(super) fn list_mut(&mut self) -> &mut ListState {
        &mut self.lists[self.view.list()]
    }

    /// Where keys are looked up.
    pub(super) fn scope(&self) -> u16 {
        match (&self.detail, &self.sheet) {
            (Some(_), _) => scope::DETAIL,
            (None, None) => self.view.scope(),
            (None, Some(_)) if self.view == View::Indexes => scope::INDEX,
            (None, Some(_)) => scope::ADVICE,
        }
    }

    /// Rows of the table in view.
    pub(super) fn row_count(&self) -> usize {
        match self.view {
            View::Overview | View::Queries => self.query_rows.len(),
            View::Sessions => self.session_rows.len(),
            View::Pool => self.probe_rows.len(),
            View::Advisor => self.advice_rows.len(),
            View::Indexes => self.index_rows.len(),
        }
    }

    pub(super) fn row_key(&self, position: usize) -> Option<RowKey> {
        match self.view {
            View::Overview | View::Queries => self
                .query_rows
                .get(position)
                .map(|row| RowKey::Digest(row.key.clone())),
            View::Sessions => self
                .session(position)
                .map(|session| RowKey::Session(session.id.clone())),
            View::Pool => {
                let load = self.shown().load.as_ref()?;
                let probe = load.probes.get(*self.probe_rows.get(position)?)?;
                Some(RowKey::Probe(probe.name.clone()))
            }
            View::Advisor => self
                .recommendation(position)
                .map(|(_, r)| RowKey::Advice(AdviceKey::of(r))),
            View::Indexes => self
                .index_rows
                .get(position)
                .map(|row| RowKey::Index(row.key.clone())),
        }
    }

    /// The session at a position of the table.
    pub(super) fn session(&self, position: usize) -> Option<&Session> {
        let interval = self.shown().interval.as_ref()?;
        interval.sessions.get(*self.session_rows.get(position)?)
    }

    /// The position that is highlighted: where the selected row is now, else where it was last
    /// seen; `None` without rows, and while a followed row is gone.
    pub(super) fn cursor(&self) -> Option<usize> {
        let list = self.list();
        let count = self.row_count();
        if count == 0 {
            return None;
        }
        match &list.selected {
            None => Some(0),
            Some(key) => match self.position_of(key, count) {
                Some(position) => Some(position),
                None if list.follow => None,
                None => Some(list.position.min(count - 1)),
            },
        }
    }

    fn position_of(&self, key: &RowKey, count: usize) -> Option<usize> {
        match (self.view, key) {
            // There are thousands of indexes, and this is asked several times a frame.
            (View::Indexes, RowKey::Index(key)) => {
                self.index_rows.iter().position(|row| row.key == *key)
            }
            _ => (0..count).find(|n| self.row_key(*n).as_ref() == Some(key)),
        }
    }

    /// Adds a sentence to the messages and shows it in the last line.
    pub(super) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.record(tone, text);
        self.note_shown = true;
    }

    /// Adds a sentence to the messages only: for what a banner says already.
    pub(super) fn record(&mut self, tone: Tone, text: impl Into<String>) {
        if self.notes.len() == NOTES {
            self.notes.pop_front();
        }
        self.notes.push_back(Note {
            at: self.now,
            tone,
            text: text.into(),
        });
    }

    /// Time of day in the zone of the screen.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.config.zone.clone())
            .strftime("%H:%M:%S")
            .to_string()
    }

    /// Date and time in the zone of the screen.
    pub(super) fn date(&self, at: Timestamp) -> String {
        at.to_zoned(self.config.zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string()
    }

    /// Neither the server nor a load has said anything yet.
    pub(super) fn is_empty(&self) -> bool {
        self.live.interval.is_none() && self.live.load.is_none() && self.live.digests.is_none()
    }

    /// How old the latest interval is, once it is older than it should be.
    pub(super) fn stale(&self) -> Option<Duration> {
        let interval = self.live.interval.as_ref()?;
        let age = super::history::elapsed(interval.to, self.now);
        let late = self.interval * 2 + Duration::from_secs(1);
        (age > late || !matches!(self.link, Link::Up(_))).then_some(age)
    }

    pub(super) fn set_palette(&mut self, palette: super::theme::Palette) {
        self.config.palette = palette;
        self.theme = Theme::of(palette);
    }
}
