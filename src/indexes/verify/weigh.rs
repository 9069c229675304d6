//! What a change does to one query, from its plans and its executions.

use std::time::Duration;

use super::{Executed, Side, Trial, Verdict};
use crate::model::advice::Action;
use crate::model::units;

/// Estimated costs that differ by less are the same.
const COST_TOLERANCE: f64 = 0.05;
/// Numbers of reads that differ by less are the same.
const READS_TOLERANCE: f64 = 0.10;
/// Times that differ by less are the same.
const TIME_TOLERANCE: f64 = 0.20;
/// Times differ only if all pairs of at least so many agree.
const LEAST_PAIRS: u32 = 3;
/// A few reads more or less are the same.
const READS_SLACK: f64 = 10.0;

/// What all trials of a query come to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weighed {
    pub(super) verdict: Verdict,
    /// In one sentence.
    pub(super) reason: String,
    /// By executions.
    pub(super) is_measured: bool,
    /// Only an execution tells.
    pub(super) needs_run: bool,
    /// One execution after the change, as a share of one before it.
    pub(super) factor: f64,
}

/// The verdict over all trials of a query. `trusts` takes an estimate as it is, even where the
/// optimizer gambles.
pub(super) fn query(action: Action, trials: &[Trial], trusts: bool) -> Weighed {
    // With some constants the index may take no part.
    let trials: Vec<&Trial> = trials.iter().filter(|trial| trial.is_touched()).collect();
    if trials.is_empty() {
        let reason = match action {
            Action::Create => "its plan does not take the index",
            Action::Drop => "its plan does not read through the index",
        };
        return Weighed {
            verdict: Verdict::Same,
            reason: reason.to_owned(),
            is_measured: false,
            needs_run: false,
            factor: 1.0,
        };
    }
    if let Some((verdict, reason)) = executed(&trials) {
        return Weighed {
            verdict,
            reason,
            is_measured: true,
            needs_run: false,
            factor: factor(&trials, |side| {
                side.executed.map_or(0.0, |run| run.time.as_secs_f64())
            }),
        };
    }
    let (verdict, reason) = estimated(&trials);
    let gambles = action == Action::Create && trials.iter().any(|trial| trial.after.gambles);
    let needs_run = gambles && !trusts && verdict != Verdict::Worse;
    Weighed {
        verdict: if needs_run {
            Verdict::NotJudged
        } else {
            verdict
        },
        reason: if needs_run {
            format!(
                "it reads the index in order until its LIMIT is reached, and how soon that is no \
                 estimate tells ({reason}); `--execute-queries` runs it, `--trust-estimates` takes \
                 it as it is"
            )
        } else {
            reason
        },
        is_measured: false,
        needs_run,
        factor: factor(&trials, |side| side.cost),
    }
}

fn factor(trials: &[&Trial], of: impl Fn(&Side) -> f64) -> f64 {
    let before = trials.iter().map(|trial| of(&trial.before)).sum();
    ratio(before, trials.iter().map(|trial| of(&trial.after)).sum())
}

fn ratio(before: f64, after: f64) -> f64 {
    if before > 0.0 {
        after / before
    } else if after > 0.0 {
        f64::INFINITY
    } else {
        1.0
    }
}

fn by_ratio(ratio: f64, tolerance: f64) -> Verdict {
    if ratio < 1.0 - tolerance {
        Verdict::Better
    } else if ratio > 1.0 + tolerance {
        Verdict::Worse
    } else {
        Verdict::Same
    }
}

fn estimated(trials: &[&Trial]) -> (Verdict, String) {
    let sum = |of: fn(&Trial) -> f64| trials.iter().map(|trial| of(trial)).sum::<f64>();
    let before = sum(|trial| trial.before.cost);
    let after = sum(|trial| trial.after.cost);
    let verdict = by_ratio(ratio(before, after), COST_TOLERANCE);
    let reason = format!(
        "estimated cost {} -> {}",
        units::count(before),
        units::count(after)
    );
    (verdict, reason)
}

/// The verdict of executions; `None` where not every trial was run both ways.
fn executed(trials: &[&Trial]) -> Option<(Verdict, String)> {
    let pairs: Vec<(Executed, Executed)> = trials
        .iter()
        .map(|trial| Some((trial.before.executed?, trial.after.executed?)))
        .collect::<Option<_>>()?;
    let capped = |of: fn(&(Executed, Executed)) -> bool| pairs.iter().any(of);
    match (
        capped(|(before, _)| before.is_capped),
        capped(|(_, after)| after.is_capped),
    ) {
        (true, true) => {
            return Some((
                Verdict::NotJudged,
                "it was ended at the time limit both ways; a longer one shows the difference"
                    .to_owned(),
            ));
        }
        (false, true) => {
            return Some((
                Verdict::Worse,
                "it was ended at the time limit after the change, and not before it".to_owned(),
            ));
        }
        _ => {}
    }
    let reads = |of: fn(&(Executed, Executed)) -> u64| {
        let total = pairs.iter().map(of).fold(0_u64, u64::saturating_add);
        total as f64
    };
    let (before, after) = (
        reads(|(before, _)| before.reads),
        reads(|(_, after)| after.reads),
    );
    let time = |of: fn(&(Executed, Executed)) -> Duration| pairs.iter().map(of).sum::<Duration>();
    let (slow, fast) = (
        time(|(before, _)| before.time),
        time(|(_, after)| after.time),
    );
    let reason = format!(
        "executed: {} -> {} reads, {} -> {}",
        units::count(before),
        units::count(after),
        units::duration(slow),
        units::duration(fast)
    );
    if capped(|(before, _)| before.is_capped) {
        return Some((Verdict::Better, reason));
    }
    let by_reads = if (before - after).abs() <= READS_SLACK {
        Verdict::Same
    } else {
        by_ratio(ratio(before, after), READS_TOLERANCE)
    };
    // Times are noisy, so that they speak only where all pairs say the same; but then they are
    // what the change is about: rows fetched one by one take longer than rows of a scan.
    let verdict = match by_time(trials, slow, fast) {
        Verdict::Same => by_reads,
        spoken => spoken,
    };
    Some((verdict, reason))
}

fn by_time(trials: &[&Trial], before: Duration, after: Duration) -> Verdict {
    let faster: u32 = trials.iter().map(|trial| trial.pairs.0).sum();
    let slower: u32 = trials.iter().map(|trial| trial.pairs.1).sum();
    let verdict = by_ratio(
        ratio(before.as_secs_f64(), after.as_secs_f64()),
        TIME_TOLERANCE,
    );
    // Of several statements one can be faster and another slower: then the sum decides, if the
    // difference is as large as no noise is.
    let agree = faster + slower >= LEAST_PAIRS && (faster == 0 || slower == 0);
    let is_large = trials.len() > 1
        && by_ratio(ratio(before.as_secs_f64(), after.as_secs_f64()), 0.5) != Verdict::Same;
    if agree || is_large {
        verdict
    } else {
        Verdict::Same
    }
}

#[cfg(test)]
mod tests;
