//! What a change does to one query, from its plans and its executions.

use std::time::Duration;

use super::{Executed, Trial, Verdict};
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

/// The verdict over all trials of a query, with its reason in one sentence.
pub(super) fn query(action: Action, trials: &[Trial]) -> (Verdict, String) {
    // With some constants the index may take no part.
    let trials: Vec<&Trial> = trials.iter().filter(|trial| trial.is_touched()).collect();
    if trials.is_empty() {
        let reason = match action {
            Action::Create => "its plan does not take the index",
            Action::Drop => "its plan does not read through the index",
        };
        return (Verdict::Same, reason.to_owned());
    }
    executed(&trials).unwrap_or_else(|| estimated(&trials))
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
mod tests {
    use super::*;
    use crate::indexes::verify::Side;

    fn side(uses_index: bool, cost: f64, run: Option<(u64, u64)>) -> Side {
        Side {
            uses_index,
            cost,
            executed: run.map(|(reads, us)| Executed {
                reads,
                time: Duration::from_micros(us),
                is_capped: false,
            }),
            ..Side::default()
        }
    }

    fn trial(before: Side, after: Side, pairs: (u32, u32)) -> Trial {
        Trial {
            is_made_up: false,
            before,
            after,
            pairs,
        }
    }

    #[test]
    fn plans_and_executions_are_weighed() {
        let cases = [
            // An index that no plan takes changes nothing.
            (
                trial(side(false, 9.0, None), side(false, 1.0, None), (0, 0)),
                Verdict::Same,
            ),
            (
                trial(side(false, 100.0, None), side(true, 10.0, None), (0, 0)),
                Verdict::Better,
            ),
            (
                trial(side(false, 100.0, None), side(true, 99.0, None), (0, 0)),
                Verdict::Same,
            ),
            (
                trial(side(true, 10.0, None), side(false, 100.0, None), (0, 0)),
                Verdict::Worse,
            ),
            // What was executed outweighs the estimate.
            (
                trial(
                    side(false, 100.0, Some((50_000, 20_000))),
                    side(true, 1.0, Some((99_000, 90_000))),
                    (0, 5),
                ),
                Verdict::Worse,
            ),
            (
                trial(
                    side(false, 100.0, Some((50_000, 20_000))),
                    side(true, 1.0, Some((10, 200))),
                    (5, 0),
                ),
                Verdict::Better,
            ),
            // Fewer rows, fetched one by one, and slower all the same.
            (
                trial(
                    side(false, 100.0, Some((50_000, 20_000))),
                    side(true, 1.0, Some((30_000, 40_000))),
                    (0, 5),
                ),
                Verdict::Worse,
            ),
            // Times that do not agree say nothing, and the reads decide.
            (
                trial(
                    side(false, 100.0, Some((50_000, 20_000))),
                    side(true, 1.0, Some((50_001, 10_000))),
                    (3, 2),
                ),
                Verdict::Same,
            ),
        ];
        for (trial, expected) in cases {
            let (verdict, reason) = query(Action::Create, std::slice::from_ref(&trial));
            assert_eq!(verdict, expected, "{reason}: {trial:?}");
        }
    }

    #[test]
    fn time_limits_speak_for_themselves() {
        let capped = |mut side: Side| {
            side.executed = side.executed.map(|run| Executed {
                is_capped: true,
                ..run
            });
            side
        };
        let slow = || capped(side(false, 1.0, Some((10, 1))));
        let fast = || side(true, 1.0, Some((10, 1)));
        let of = |before, after| query(Action::Create, &[trial(before, after, (0, 0))]).0;
        assert_eq!(of(slow(), fast()), Verdict::Better);
        assert_eq!(of(fast(), slow()), Verdict::Worse);
        assert_eq!(of(slow(), capped(fast())), Verdict::NotJudged);
    }
}
