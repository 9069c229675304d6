//! What each action does.

use std::time::Duration;

use tui_input::Input;

use super::load::{self, All, One};
use super::{advisor, indexes, kill, open};
use crate::model::digest::DigestKey;
use crate::model::feed::{KillScope, Request};
use crate::tui::columns::Col;
use crate::tui::filter::Filter;
use crate::tui::keys::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Detail, DetailState, Frozen, Model, Overlay, RowKey, Sheet, Tone, View};

/// Poll intervals that `+` and `-` step through.
const INTERVALS: [Duration; 7] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
];

/// Statements longer than this are cut before they go to the clipboard: terminals refuse more.
const MAX_COPY: usize = 48 * 1024;

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Refresh => return refresh(model),
        Action::Copy => return copy(model),
        Action::Open => return open_row(model, false),
        Action::Explain => return open_row(model, true),
        Action::Advise => return advisor::advise(model),
        Action::AdviseQuery => return advisor::advise_query(model),
        Action::StopAdvisor => return advisor::stop(model),
        Action::WriteDefinition => advisor::ask_to_write(model),
        Action::AdviceNotes => advisor::open_notes(model),
        Action::ReadIndexes => return indexes::read(model),
        Action::ApplyDefinition => indexes::ask_to_apply(model),
        Action::RollBack => indexes::ask_to_roll_back(model),
        Action::HideIndex => indexes::ask_to_hide(model),
        Action::ShowIndex => indexes::ask_to_show(model),
        Action::StopChange => return indexes::stop(model),
        Action::IndexNotes => indexes::open_notes(model),
        Action::SwitchLoad => return load::switch(model),
        Action::ToggleProbe => return load::one(model, One::Toggle),
        Action::SlowerProbe => return load::one(model, One::Slower),
        Action::FasterProbe => return load::one(model, One::Faster),
        Action::ResetProbe => return load::one(model, One::Back),
        Action::SlowerLoad => return load::all(model, All::Slower),
        Action::FasterLoad => return load::all(model, All::Faster),
        Action::ResetLoad => return load::all(model, All::Back),
        Action::UndoRates => return load::all(model, All::Undo),
        Action::ProbeRate | Action::LoadRate => load::ask_for(model, action),
        Action::Baseline => load::switch_baseline(model),
        Action::Longer => return step_interval(model, true),
        Action::Shorter => return step_interval(model, false),
        Action::KillQuery => kill::ask(model, KillScope::Query),
        Action::KillConnection => kill::ask(model, KillScope::Connection),
        Action::Tag => tag(model),
        Action::UntagAll => model.tags.clear(),
        Action::Help => open(model, Some(Overlay::Help { scroll: 0 })),
        Action::Messages => open(model, Some(Overlay::Messages { scroll: 0 })),
        Action::Columns => open(model, Some(Overlay::Columns { cursor: 0 })),
        Action::Palette => {
            let input = Input::default();
            open(model, Some(Overlay::Palette { input, cursor: 0 }));
        }
        Action::Filter => {
            let before = model.list().filter.clone();
            let input = Input::new(before.raw().to_owned());
            open(model, Some(Overlay::Filter { input, before }));
        }
        Action::Back => back(model),
        Action::Overview => go(model, View::Overview),
        Action::Queries => go(model, View::Queries),
        Action::Sessions => go(model, View::Sessions),
        Action::Indexes => go(model, View::Indexes),
        Action::Advisor => go(model, View::Advisor),
        Action::Pool => go(model, View::Pool),
        Action::NextView => turn(model, 1),
        Action::PreviousView => turn(model, View::ALL.len() - 1),
        Action::Up => up(model),
        Action::Down => scroll(model, 1),
        Action::PageUp => scroll(model, -page(model)),
        Action::PageDown => scroll(model, page(model)),
        Action::Top => scroll(model, i64::MIN / 2),
        Action::Bottom => scroll(model, i64::MAX / 2),
        _ => toggle(model, action),
    }
    Vec::new()
}

fn toggle(model: &mut Model, action: Action) {
    match action {
        Action::Pause => pause(model),
        Action::Maximise => model.maximised = !model.maximised,
        Action::ToggleIdle => model.show_idle = !model.show_idle,
        Action::TransactionsOnly => model.transactions_only = !model.transactions_only,
        Action::Window => model.totals = !model.totals,
        Action::SortLeft => step_sort(model, false),
        Action::SortRight => step_sort(model, true),
        Action::SortInvert => model.list_mut().descending = !model.list().descending,
        Action::Wrap => match &mut model.detail {
            Some(detail) => detail.wrap = !detail.wrap,
            None => model.list_mut().wrap = !model.list().wrap,
        },
        Action::Follow => follow(model),
        Action::ResetTotals => {
            model.live.reset(model.now);
            if let Some(frozen) = &mut model.frozen {
                frozen.world.totals = model.live.totals.clone();
            }
            model.say(
                Tone::Info,
                "totals start anew here; the server's counters are untouched",
            );
        }
        _ => {}
    }
    model.rebuild();
}

pub(super) fn go(model: &mut Model, view: View) {
    model.view = view;
    model.detail = None;
    model.sheet = None;
    model.rebuild();
}

fn turn(model: &mut Model, by: usize) {
    let position = View::ALL
        .iter()
        .position(|view| *view == model.view)
        .unwrap_or(0);
    go(model, View::ALL[(position + by) % View::ALL.len()]);
}

fn page(model: &Model) -> i64 {
    i64::from(model.size.1.saturating_sub(8).max(1))
}

fn up(model: &mut Model) {
    let at_top = model.cursor().is_none_or(|cursor| cursor == 0);
    if model.view == View::Sessions && model.detail.is_none() && at_top {
        let query = model.keys.first(Action::KillQuery);
        let connection = model.keys.first(Action::KillConnection);
        let text = format!("this key moves up; {query} kills a query, {connection} a connection");
        model.say(Tone::Info, text);
    }
    scroll(model, -1);
}

/// Moves the selection, or the text of what is open.
pub(super) fn scroll(model: &mut Model, by: i64) {
    let moved = |from: usize, last: usize| {
        let to = i64::try_from(from)
            .unwrap_or(i64::MAX)
            .saturating_add(by)
            .max(0);
        usize::try_from(to).unwrap_or(usize::MAX).min(last)
    };
    if let Some(overlay) = &mut model.overlay {
        if let Some(scroll) = overlay.scroll_mut() {
            *scroll = moved(*scroll, 10_000);
        }
        return;
    }
    if let Some(detail) = &mut model.detail {
        detail.scroll = moved(detail.scroll, 100_000);
        detail.plan_first = false;
        return;
    }
    if let Some(sheet) = &mut model.sheet {
        sheet.scroll = moved(sheet.scroll, 100_000);
        return;
    }
    let Some(last) = model.row_count().checked_sub(1) else {
        return;
    };
    let from = model.cursor().unwrap_or(model.list().position);
    select(model, moved(from, last));
}

pub(super) fn select(model: &mut Model, position: usize) {
    if let Some(key) = model.row_key(position) {
        let list = model.list_mut();
        list.selected = Some(key);
        list.position = position;
        list.follow = false;
    }
}

fn back(model: &mut Model) {
    if model.detail.take().is_some() || model.sheet.take().is_some() {
        return;
    }
    if model.maximised {
        model.maximised = false;
    } else if !model.list().filter.is_empty() {
        model.list_mut().filter = Filter::default();
        model.rebuild();
    } else if model.list().follow {
        model.list_mut().follow = false;
    } else if !model.tags.is_empty() {
        model.tags.clear();
    } else if model.frozen.is_some() {
        pause(model);
        model.rebuild();
    } else {
        model.note_shown = false;
    }
}

fn pause(model: &mut Model) {
    model.frozen = match model.frozen.take() {
        Some(_) => None,
        None => Some(Box::new(Frozen {
            world: model.live.clone(),
            at: model.now,
        })),
    };
}

fn follow(model: &mut Model) {
    if model.list().follow {
        model.list_mut().follow = false;
    } else if let Some(position) = model.cursor() {
        select(model, position);
        model.list_mut().follow = true;
    }
}

fn tag(model: &mut Model) {
    let Some(position) = model.cursor() else {
        return;
    };
    let Some(id) = model.session(position).map(|session| session.id.clone()) else {
        return;
    };
    if !model.tags.remove(&id) {
        model.tags.insert(id);
    }
    scroll(model, 1);
}

fn step_sort(model: &mut Model, right: bool) {
    let list = model.list();
    let columns = list.visible();
    let Some(position) = columns.iter().position(|col| *col == list.sort) else {
        if let Some(first) = columns.first() {
            sort_to(model, *first);
        }
        return;
    };
    let step = if right { 1 } else { columns.len() - 1 };
    sort_to(model, columns[(position + step) % columns.len()]);
}

fn sort_to(model: &mut Model, col: Col) {
    let list = model.list_mut();
    list.sort = col;
    list.descending = col.starts_descending();
}

/// Sorts by a column; by the same one again turns the order round.
pub(super) fn sort_by(model: &mut Model, col: Col) {
    let list = model.list_mut();
    if list.sort == col {
        list.descending = !list.descending;
    } else if list.columns.contains(&col) {
        sort_to(model, col);
    }
    model.rebuild();
}

fn step_interval(model: &mut Model, longer: bool) -> Vec<Effect> {
    let now = model.interval;
    let next = if longer {
        INTERVALS.into_iter().find(|step| *step > now)
    } else {
        INTERVALS.into_iter().rev().find(|step| *step < now)
    };
    next.map(|interval| set_interval(model, interval))
        .unwrap_or_default()
}

pub(super) fn set_interval(model: &mut Model, interval: Duration) -> Vec<Effect> {
    model.interval = interval;
    let text = format!("polling every {}", crate::model::units::duration(interval));
    model.say(Tone::Info, text);
    vec![Effect::Request(Request::SetInterval(interval))]
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let mut effects = vec![Effect::Request(Request::RefreshNow)];
    if let Some(detail) = &model.detail {
        effects.push(Effect::Request(Request::Detail(detail.key.clone())));
    }
    effects
}

fn open_row(model: &mut Model, plan_first: bool) -> Vec<Effect> {
    if let Some(detail) = &mut model.detail {
        detail.plan_first = plan_first;
        return vec![Effect::Request(Request::Detail(detail.key.clone()))];
    }
    let Some(position) = model.cursor() else {
        return Vec::new();
    };
    match model.row_key(position) {
        Some(RowKey::Digest(key)) => {
            select(model, position);
            open_digest(model, key, plan_first)
        }
        Some(RowKey::Session(id)) => {
            select(model, position);
            open(model, Some(Overlay::Session { id, scroll: 0 }));
            Vec::new()
        }
        Some(key @ (RowKey::Advice(_) | RowKey::Index(_))) => {
            select(model, position);
            model.sheet = Some(Sheet { key, scroll: 0 });
            Vec::new()
        }
        Some(RowKey::Probe(_)) | None => Vec::new(),
    }
}

/// The row of the lost digests stands for no single statement; says so.
pub(super) fn refuses_lost_row(model: &mut Model, key: &DigestKey) -> bool {
    let is_lost = key.is_lost_row();
    if is_lost {
        model.say(
            Tone::Bad,
            "this row stands for all statements the full digest table has no room for",
        );
    }
    is_lost
}

fn open_digest(model: &mut Model, key: DigestKey, plan_first: bool) -> Vec<Effect> {
    if refuses_lost_row(model, &key) {
        return Vec::new();
    }
    let text = model
        .query_rows
        .iter()
        .find(|row| row.key == key)
        .and_then(|row| row.text.clone());
    model.view = View::Queries;
    model.sheet = None;
    model.detail = Some(Detail {
        key: key.clone(),
        state: DetailState::Loading,
        formatted: text
            .map(|text| super::feed::formatted(&text))
            .unwrap_or_default(),
        between: None,
        read_at: None,
        scroll: 0,
        plan_first,
        wrap: true,
    });
    vec![Effect::Request(Request::Detail(key))]
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let text = match &model.detail {
        Some(detail) if !detail.formatted.is_empty() => Some(detail.formatted.clone()),
        _ if model.view == View::Advisor => advisor::ddl(model),
        _ if model.view == View::Indexes => indexes::ddl(model),
        _ => model.cursor().and_then(|position| match model.view {
            View::Sessions => model.session(position).and_then(|s| s.statement.clone()),
            View::Overview | View::Queries => {
                let text = model.query_rows.get(position)?.text.as_ref()?;
                Some(text.to_string())
            }
            View::Advisor | View::Indexes | View::Pool => None,
        }),
    };
    let Some(mut text) = text else {
        model.say(Tone::Info, "no statement here to copy");
        return Vec::new();
    };
    let cut = (0..=MAX_COPY.min(text.len()))
        .rev()
        .find(|n| text.is_char_boundary(*n));
    text.truncate(cut.unwrap_or(0));
    model.say(
        Tone::Good,
        format!("{} characters copied", text.chars().count()),
    );
    vec![Effect::Copy(text)]
}
