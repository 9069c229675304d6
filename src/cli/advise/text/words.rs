//! The words and figures of one piece of advice.

use std::fmt::Write as _;
use std::time::Duration;

use crate::model::advice::{Action, Advice, LockLevel, Measured, QueryEffect, Recommendation};
use crate::model::schema::{Index, IndexKind, Part};
use crate::model::units;

/// An amount of the workload: time where it was measured, else the optimizer's units.
pub(super) fn amount(advice: &Advice, value: f64) -> String {
    if advice.workload.is_measured {
        let sign = if value < 0.0 { "-" } else { "" };
        let time = Duration::try_from_secs_f64(value.abs()).unwrap_or(Duration::MAX);
        format!("{sign}{}", units::duration(time))
    } else {
        format!("{} cost units", units::count(value))
    }
}

/// A part of what is gained, as a share of it; `None` where nothing is gained.
pub(super) fn gain_share(advice: &Advice, part: f64) -> Option<f64> {
    let gain = advice.workload.before - advice.workload.after;
    (gain > 0.0).then(|| part / gain)
}

pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Drop => "drop",
    }
}

/// `NONE`, as in the statement.
pub(super) fn lock(lock: LockLevel) -> &'static str {
    match lock {
        LockLevel::None => "NONE",
        LockLevel::Shared => "SHARED",
        LockLevel::Exclusive => "EXCLUSIVE",
    }
}

/// What a lock means to others.
pub(super) fn lock_meaning(lock: LockLevel) -> &'static str {
    match lock {
        LockLevel::None => "reads and writes go on",
        LockLevel::Shared => "reads go on, writes wait until it is done",
        LockLevel::Exclusive => "reads and writes wait until it is done",
    }
}

/// Whether what is said of a change was measured.
pub(super) fn evidence(one: &Recommendation) -> &'static str {
    match (one.is_proven, one.action) {
        (true, _) => "measured",
        (false, Action::Create) => "estimated",
        (false, Action::Drop) => "not measured",
    }
}

/// `state, made DESC, note(20), (lower(email))`, behind its kind where it is an unusual one.
pub(super) fn columns(index: &Index) -> String {
    let mut text = String::new();
    if index.is_unique {
        text.push_str("unique ");
    }
    text.push_str(match index.kind {
        IndexKind::BTree => "",
        IndexKind::Hash => "hash ",
        IndexKind::FullText => "full text ",
        IndexKind::Spatial => "spatial ",
        IndexKind::MultiValued => "multi-valued ",
    });
    for (place, part) in index.parts.iter().enumerate() {
        text.push_str(if place == 0 { "" } else { ", " });
        match &part.what {
            Part::Column(name) => text.push_str(name),
            // Writing to a String cannot fail.
            Part::Expression(expression) => {
                let _ = write!(text, "({expression})");
            }
        }
        if let Some(length) = part.prefix {
            let _ = write!(text, "({length})");
        }
        text.push_str(if part.is_descending { " DESC" } else { "" });
    }
    text
}

/// A number of microseconds with its sign.
pub(super) fn signed(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", units::count(value))
}

/// `before -> after`.
pub(super) fn arrow(before: impl AsRef<str>, after: impl AsRef<str>) -> String {
    format!("{} -> {}", before.as_ref(), after.as_ref())
}

/// The times of one execution on the twin.
pub(super) fn measured_time(query: &QueryEffect) -> String {
    pair(query, |measured| {
        let more = if measured.is_capped { ">" } else { "" };
        format!("{more}{}", units::duration(measured.time))
    })
}

/// The rows that one execution on the twin read.
pub(super) fn reads(query: &QueryEffect) -> String {
    pair(query, |measured| {
        let more = if measured.is_capped { ">" } else { "" };
        format!("{more}{}", units::count(measured.reads as f64))
    })
}

fn pair(query: &QueryEffect, show: impl Fn(&Measured) -> String) -> String {
    query.measured.as_ref().map_or_else(
        || "not run".to_owned(),
        |(before, after)| arrow(show(before), show(after)),
    )
}

/// How the time of a query changes: measured where it was run to its end, else as estimated.
pub(super) fn ratio(query: &QueryEffect) -> f64 {
    let of = |before: f64, after: f64| if before > 0.0 { after / before } else { 1.0 };
    match &query.measured {
        Some((before, after)) if !after.is_capped && !before.time.is_zero() => {
            of(before.time.as_secs_f64(), after.time.as_secs_f64())
        }
        _ => of(query.cost.0, query.cost.1),
    }
}

/// A factor of cost as people say it: `32.3x faster`, `1.04x slower`.
pub(super) fn factor(factor: f64) -> String {
    if factor > 0.0 && factor < 1.0 {
        format!("{}x faster", units::count(1.0 / factor))
    } else if factor > 1.0 {
        format!("{}x slower", units::count(factor))
    } else if factor == 0.0 {
        "costs nothing".to_owned()
    } else {
        "the same".to_owned()
    }
}

/// `1 index`, `2 indexes`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
