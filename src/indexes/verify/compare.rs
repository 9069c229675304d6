//! What queries took before a change and after it, from the server's own counts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::before::{Counts, Query, Row, Sums};
use crate::model::advice::Action;
use crate::model::units;

/// Clocks of whole seconds and of fractions differ by this much.
const SLACK: SignedDuration = SignedDuration::from_secs(2);
/// Averages over fewer calls from before say nothing.
const LEAST_BEFORE: u64 = 5;
/// A few rows more or less are the same.
const ROWS_SLACK: f64 = 5.0;

/// When a difference counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Calls after the change that are needed.
    pub calls: u64,
    /// The share by which rows or time of a call have to fall.
    pub gain: f64,
    /// The share by which rows of a call may grow.
    pub more_rows: f64,
    /// The share by which time of a call may grow.
    pub more_time: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            calls: 30,
            gain: 0.20,
            more_rows: 0.25,
            more_time: 1.00,
        }
    }
}

/// What came of a change, or of one query of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The gain came; for a dropped index: nothing got slower.
    Gained,
    /// The gain did not come, and nothing got slower.
    NotGained,
    /// It got slower.
    Slower,
    /// Too little is known.
    Inconclusive,
}

impl Outcome {
    /// The outcome as every output spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Gained => "gained",
            Self::NotGained => "not_gained",
            Self::Slower => "slower",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Averages of one call.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PerCall {
    /// Calls that they are over.
    pub calls: u64,
    /// Time.
    pub time: Duration,
    /// Rows examined.
    pub rows_examined: f64,
    /// Rows sent.
    pub rows_sent: f64,
    /// Rows sorted.
    pub sort_rows: f64,
    /// Temporary tables.
    pub tmp_tables: f64,
    /// The share of calls that used no index, 0 to 1.
    pub no_index: f64,
}

impl PerCall {
    /// The averages; `None` without calls.
    #[must_use]
    pub fn of(sums: &Sums) -> Option<Self> {
        let calls = sums.calls as f64;
        let each = |sum: u64| sum as f64 / calls;
        Some(Self {
            calls: sums.calls,
            time: units::from_picoseconds(sums.time_ps.checked_div(sums.calls)?),
            rows_examined: each(sums.rows_examined),
            rows_sent: each(sums.rows_sent),
            sort_rows: each(sums.sort_rows),
            tmp_tables: each(sums.tmp_tables),
            no_index: each(sums.no_index),
        })
    }
}

/// One query before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Short name.
    pub name: String,
    /// Normalized text.
    pub fingerprint: String,
    /// Default schema.
    pub schema: Option<String>,
    /// The definition names it.
    pub is_evidence: bool,
    /// Before.
    pub before: Option<PerCall>,
    /// After.
    pub after: Option<PerCall>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in one sentence.
    pub reason: String,
}

/// All queries before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What came of the change.
    pub outcome: Outcome,
    /// Why, in one sentence.
    pub reason: String,
    /// The time that the figures after it cover.
    pub window: Duration,
    /// Query by query.
    pub queries: Vec<Change>,
    /// What the counts can't show, each one sentence.
    pub notes: Vec<String>,
}

/// Compares `before` with what was counted between `from` and `now`; where the figures after the
/// change begin with those before it, `from` is `before`.
#[must_use]
pub fn compare(
    action: Action,
    before: &Counts,
    from: &Counts,
    now: &Counts,
    rules: &Rules,
) -> Comparison {
    let mut notes = Vec::new();
    let is_other = before.server_uuid != now.server_uuid;
    if is_other {
        notes.push(
            "the figures from before are another server's, and are not compared: verify each \
             server by itself"
                .to_owned(),
        );
    }
    if now.started > later(from.taken) {
        notes.push(format!(
            "the server restarted at {}: only what came after that is counted",
            now.started
        ));
    }
    let mut queries = Vec::new();
    for query in &now.queries {
        let same =
            |other: &&Query| other.fingerprint == query.fingerprint && other.schema == query.schema;
        let then = before.queries.iter().find(same).filter(|_| !is_other);
        let start = from.queries.iter().find(same);
        let since = since(query, start, from.taken);
        if since.went_back && now.started <= later(from.taken) {
            notes.push(format!(
                "the server forgot its counts of `{}`, because its digest table was truncated or \
                 full: only what came after that is counted",
                query.name
            ));
        }
        queries.push(change(action, query, then, &since.sums, rules));
    }
    let (mut outcome, mut reason) = overall(action, &queries, rules);
    // Whatever times do, an index that nothing was read through is not what made them.
    let is_unread = action == Action::Create && now.index_reads == Some(0);
    if is_unread && matches!(outcome, Outcome::Gained | Outcome::Slower) {
        outcome = Outcome::NotGained;
        reason = format!("nothing was read through the index, although {reason}");
    }
    Comparison {
        outcome,
        reason,
        window: Duration::try_from(now.taken.duration_since(from.taken)).unwrap_or_default(),
        queries,
        notes,
    }
}

fn later(time: Timestamp) -> Timestamp {
    time.checked_add(SLACK).unwrap_or(time)
}

/// What was counted of a query since a moment.
struct Since {
    sums: Sums,
    went_back: bool,
}

fn since(query: &Query, start: Option<&Query>, taken: Timestamp) -> Since {
    let mut found = Since {
        sums: Sums::default(),
        went_back: false,
    };
    let then =
        |digest: &str| -> Option<&Row> { start?.rows.iter().find(|row| row.digest == digest) };
    for row in &query.rows {
        let added = match then(&row.digest) {
            Some(earlier) => row
                .sums
                .since(&earlier.sums)
                .filter(|_| row.first_seen == earlier.first_seen),
            // A form that was not there yet.
            None if later(row.first_seen) >= taken => Some(row.sums),
            // It was there, and was not looked at.
            None => continue,
        };
        // A row that counts anew has counted nothing but what came since.
        found.went_back |= added.is_none();
        found.sums = found.sums.plus(&added.unwrap_or(row.sums));
    }
    let is_gone = |row: &&Row| !query.rows.iter().any(|now| now.digest == row.digest);
    found.went_back |= start.is_some_and(|start| start.rows.iter().any(|row| is_gone(&row)));
    found
}

fn change(
    action: Action,
    query: &Query,
    then: Option<&Query>,
    sums: &Sums,
    rules: &Rules,
) -> Change {
    let before = then.and_then(|then| PerCall::of(&then.total()));
    let after = PerCall::of(sums);
    let (outcome, reason) = judged(action, before.as_ref(), after.as_ref(), rules);
    Change {
        name: query.name.clone(),
        fingerprint: query.fingerprint.clone(),
        schema: query.schema.clone(),
        is_evidence: query.is_evidence,
        before,
        after,
        outcome,
        reason,
    }
}

fn judged(
    action: Action,
    before: Option<&PerCall>,
    after: Option<&PerCall>,
    rules: &Rules,
) -> (Outcome, String) {
    let calls = after.map_or(0, |after| after.calls);
    let (Some(before), Some(after)) = (
        before.filter(|before| before.calls >= LEAST_BEFORE),
        after.filter(|after| after.calls >= rules.calls),
    ) else {
        let reason = if calls < rules.calls {
            format!("{calls} of {} calls that are needed", rules.calls)
        } else {
            let had = before.map_or(0, |before| before.calls);
            format!("{had} of {LEAST_BEFORE} calls that are needed from before the change")
        };
        return (Outcome::Inconclusive, reason);
    };
    let rows = (after.rows_examined + ROWS_SLACK) / (before.rows_examined + ROWS_SLACK);
    let time = after.time.as_secs_f64() / before.time.as_secs_f64().max(1e-9);
    let reason = format!(
        "a call examines {} -> {} rows and takes {} -> {}",
        units::count(before.rows_examined),
        units::count(after.rows_examined),
        units::duration(before.time),
        units::duration(after.time)
    );
    let is_slower = time > 1.0 + rules.more_time || (rows > 1.0 + rules.more_rows && time > 1.0);
    let is_gain = time < 1.0 - rules.gain || (rows < 1.0 - rules.gain && time < 1.0 + rules.gain);
    let outcome = match action {
        _ if is_slower => Outcome::Slower,
        Action::Create if !is_gain => Outcome::NotGained,
        _ => Outcome::Gained,
    };
    (outcome, reason)
}

fn overall(action: Action, queries: &[Change], rules: &Rules) -> (Outcome, String) {
    let with = |outcome: Outcome| {
        queries
            .iter()
            .filter(move |query| query.outcome == outcome)
            .collect::<Vec<_>>()
    };
    let told = |query: &Change| format!("`{}`: {}", query.name, query.reason);
    if let Some(first) = with(Outcome::Slower).first() {
        return (Outcome::Slower, told(first));
    }
    let gained = with(Outcome::Gained);
    // Where the definition names queries, the gain has to come to them.
    let is_named = queries.iter().any(|query| query.is_evidence);
    let counts = |query: &&&Change| query.is_evidence || !is_named;
    if let Some(first) = gained.iter().find(counts) {
        return (Outcome::Gained, told(first));
    }
    // What hardly ran before has nothing to be compared with, and is waited for only where the
    // definition names it.
    let was_seen = |query: &Change| {
        let before = query.before.as_ref();
        query.is_evidence || before.is_some_and(|before| before.calls >= LEAST_BEFORE)
    };
    let mut open = with(Outcome::Inconclusive);
    open.retain(|query| was_seen(query));
    if let Some(first) = open.iter().find(counts) {
        return (Outcome::Inconclusive, told(first));
    }
    match with(Outcome::NotGained).first() {
        Some(first) => (Outcome::NotGained, told(first)),
        None => (
            Outcome::Inconclusive,
            match action {
                Action::Create => format!(
                    "no query of the definition was seen; {} calls are needed",
                    rules.calls
                ),
                Action::Drop => "no query that reads the table was seen".to_owned(),
            },
        ),
    }
}

#[cfg(test)]
mod tests;
