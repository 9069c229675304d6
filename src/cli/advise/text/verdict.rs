//! What it comes to, in one paragraph, and how far to trust it.

use std::fmt::Write as _;
use std::time::Duration;

use super::words::{amount, counted};
use crate::model::advice::{Action, Advice, Tier};
use crate::model::units;
use crate::report::doc::Block;

/// The verdict, then the limits of the way in which it was found.
pub(super) fn blocks(advice: &Advice) -> Vec<Block> {
    let mut sentences = Vec::new();
    if advice.optimality.is_interrupted {
        sentences.push("INTERRUPTED: this is the best answer so far.".to_owned());
    }
    if advice.recommendations.is_empty() {
        sentences.push(nothing(advice));
    } else {
        sentences.push(changes(advice));
        sentences.push(gain(advice));
        sentences.extend(budget(advice));
    }
    sentences.push(judged(advice));
    sentences.extend(optimality(advice));
    let mut blocks = vec![Block::Paragraph(sentences.join(" "))];
    if !advice.twin.limits.is_empty() {
        blocks.push(Block::Paragraph("What this can't tell:".to_owned()));
        blocks.push(Block::List(advice.twin.limits.clone()));
    }
    blocks
}

fn count(advice: &Advice, action: Action) -> usize {
    let all = advice.recommendations.iter();
    all.filter(|one| one.action == action).count()
}

/// `Create 2 indexes and drop 1.`
fn changes(advice: &Advice) -> String {
    let indexes = |n| counted(n, "index", "indexes");
    match (count(advice, Action::Create), count(advice, Action::Drop)) {
        (created, 0) => format!("Create {}.", indexes(created)),
        (0, dropped) => format!("Drop {}.", indexes(dropped)),
        (created, dropped) => format!("Create {} and drop {dropped}.", indexes(created)),
    }
}

fn workload(advice: &Advice) -> String {
    let window = advice.workload.window;
    let window = window.map_or_else(String::new, |w| format!(", {}", units::duration(w)));
    format!("{}{window}", advice.workload.source)
}

fn gain(advice: &Advice) -> String {
    let load = &advice.workload;
    let saved = if load.before > 0.0 {
        1.0 - load.after / load.before
    } else {
        0.0
    };
    let change = if saved >= 0.0 {
        format!("{} less", units::percent(saved))
    } else {
        format!("{} more", units::percent(-saved))
    };
    let (before, after) = (amount(advice, load.before), amount(advice, load.after));
    if load.is_of_twin {
        format!(
            "The workload ({}) takes {before} today, calls times one execution on the twin; with \
             the changes it is estimated to take {after}, {change}.",
            workload(advice)
        )
    } else if load.is_measured {
        format!(
            "The workload ({}) takes {before} of server time today, measured; with the changes it \
             is estimated to take {after}, {change}.",
            workload(advice)
        )
    } else {
        format!(
            "The workload ({}) is estimated to cost {before} today and {after} with the changes, \
             {change}; these are the optimizer's units, not times.",
            workload(advice)
        )
    }
}

/// What the new indexes take of what is allowed.
fn budget(advice: &Advice) -> Option<String> {
    let new = || {
        let all = advice.recommendations.iter();
        all.filter(|one| one.action == Action::Create)
    };
    let created = new().count();
    if created == 0 {
        return None;
    }
    let bytes: u64 = new().fold(0, |sum, one| sum.saturating_add(one.bytes));
    let mut used = format!("an estimated {}", units::bytes(bytes));
    if let Some(budget) = advice.limits.budget_bytes {
        // Writing to a String cannot fail.
        let _ = write!(used, " of the {} allowed", units::bytes(budget));
    }
    if let Some(most) = advice.limits.max_indexes {
        let indexes = counted(created, "index", "indexes");
        let _ = write!(used, " ({indexes} of at most {most})");
    }
    let writes: Option<f64> = new().map(|one| one.write_us_per_second).sum();
    if let Some(us) = writes {
        let _ = write!(used, " and add {} of writing a second", time_of(us));
        if let Some(most) = advice.limits.max_write_cost {
            let _ = write!(used, ", of at most {}", time_of(most));
        }
    }
    Some(format!("The new indexes take {used}."))
}

fn time_of(us: f64) -> String {
    units::duration(Duration::try_from_secs_f64(us.max(0.0) / 1e6).unwrap_or(Duration::MAX))
}

fn judged(advice: &Advice) -> String {
    let twin = &advice.twin;
    let (there, original) = (
        units::count(twin.rows.0 as f64),
        units::count(twin.rows.1 as f64),
    );
    let place = match twin.tier {
        Tier::Dataless => "a twin without data that has the server's statistics".to_owned(),
        Tier::Sample if twin.rows.0 >= twin.rows.1 => {
            format!("a twin with all of the data ({there} rows)")
        }
        Tier::Sample => format!("a twin with a sample of the data ({there} of {original} rows)"),
        Tier::Replica => format!("a real server with {there} rows ({original} in the original)"),
    };
    let all = advice.recommendations.len();
    let proven = advice
        .recommendations
        .iter()
        .filter(|one| one.is_proven)
        .count();
    let measured = match proven {
        _ if all == 0 => String::new(),
        0 => "; nothing was executed to prove it, so that all figures for afterwards are \
              estimates"
            .to_owned(),
        n if n == all => "; every change was executed and measured there".to_owned(),
        n => format!(
            "; {n} of {all} changes {} executed and measured there, the others are estimates",
            if n == 1 { "was" } else { "were" }
        ),
    };
    format!(
        "It was judged at tier {}, by MySQL {} on {place}{measured}.",
        twin.tier.code(),
        twin.version
    )
}

fn optimality(advice: &Advice) -> Option<String> {
    let found = advice.optimality;
    if advice.queries.is_empty() || advice.effort.candidates == 0 {
        return None;
    }
    let rounds = counted(
        usize::try_from(found.rounds).unwrap_or(usize::MAX),
        "round",
        "rounds",
    );
    Some(match (found.is_proven, found.gap > 0.0) {
        (true, false) => format!(
            "For these costs and limits no better choice exists among the candidates: proven, \
             after {rounds} of measuring and solving."
        ),
        (true, true) => format!(
            "A better choice among the candidates can save at most {} more: proven, after {rounds} \
             of measuring and solving.",
            units::percent(found.gap)
        ),
        (false, false) => {
            "Not all of its plans were measured: by the estimates of those that were \
                           not, no better choice exists among the candidates."
                .to_owned()
        }
        (false, true) if found.gap.is_finite() => format!(
            "Not everything was searched or measured: by the estimates of plans that were not \
             measured, a better choice among the candidates could save up to {} more.",
            units::percent(found.gap)
        ),
        (false, _) => {
            "The search was ended before anything could be said about better choices.".to_owned()
        }
    })
}

/// Why there is nothing to do, and what was looked at.
fn nothing(advice: &Advice) -> String {
    let queries = counted(advice.queries.len(), "query", "queries");
    let source = workload(advice);
    let skipped = match advice.skipped.len() {
        0 => String::new(),
        n => format!(
            " {} could not be judged and {} listed below.",
            counted(n, "statement", "statements"),
            if n == 1 { "is" } else { "are" }
        ),
    };
    if advice.queries.is_empty() {
        return format!(
            "No recommendation: no statement of the workload ({source}) could be judged.{skipped}"
        );
    }
    let candidates = advice.effort.candidates;
    if candidates == 0 {
        return format!(
            "No recommendation: for the {queries} of the workload ({source}) there is no index to \
             consider that does not exist already.{skipped}"
        );
    }
    let limits = &advice.limits;
    let is_limited = limits.budget_bytes.is_some()
        || limits.max_indexes.is_some()
        || limits.max_write_cost.is_some();
    let under = if is_limited {
        " under the given limits"
    } else {
        ""
    };
    format!(
        "No recommendation: {queries} of the workload ({source}) were judged with {}, and no set \
         of them is worth its cost{under}.{skipped}",
        counted(candidates, "candidate index", "candidate indexes")
    )
}
