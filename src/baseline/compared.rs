//! Two sides against each other: counters, plans, results and times in one verdict.
//!
//! This is the one value from which every output of a comparison is made. A counter that got worse
//! is a regression whatever the times say.

use super::comparable::Difference;
use super::court::{Court, Standing};
use super::paired::{self, Judged};
use super::pairs::{Metric, typical};
use super::turns::Measured;
use super::verdict::{Outcome, ProbeVerdict, Verdict};

/// The verdict on the second side, compared with the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Over everything.
    pub outcome: Outcome,
    /// What makes the two incomparable; then nothing else is judged.
    pub differences: Vec<Difference>,
    /// Probe by probe.
    pub probes: Vec<ProbeCompared>,
    /// Counters that were compared, over all probes.
    pub counters: u64,
    /// Questions about times, which share the bound on false alarms.
    pub questions: usize,
    /// Time of measuring, seconds.
    pub seconds: f64,
    /// Somebody ended it before all was decided.
    pub is_interrupted: bool,
    /// What else is worth knowing, each one sentence.
    pub notes: Vec<String>,
}

/// The verdict on one probe.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeCompared {
    /// Its name.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Counters and plans.
    pub counted: ProbeVerdict,
    /// Its times, by metric.
    pub times: Vec<Timing>,
    /// Whether all operations gave the same rows on both sides, in any order; `None` where that was
    /// not seen.
    pub is_same_result: Option<bool>,
    /// Why it could not be compared: an operation that the first side refuses.
    pub failure: Option<String>,
}

/// The verdict on the times of a probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// What of the times.
    pub metric: Metric,
    /// What came of it.
    pub outcome: Outcome,
    /// It is faster, by as much as counts.
    pub is_faster: bool,
    /// Pairs of operations.
    pub pairs: usize,
    /// The typical time of each side, seconds.
    pub typical: Option<(f64, f64)>,
    /// Effect, interval and p-value; `None` where nothing was measured.
    pub judged: Option<Judged>,
    /// When it was decided, seconds since the measuring began.
    pub decided_after: Option<f64>,
}

impl Compared {
    /// Two sides that can't be compared.
    #[must_use]
    pub fn incomparable(differences: Vec<Difference>, notes: Vec<String>) -> Self {
        Self {
            outcome: Outcome::Incomparable,
            differences,
            probes: Vec::new(),
            counters: 0,
            questions: 0,
            seconds: 0.0,
            is_interrupted: false,
            notes,
        }
    }

    /// Puts what was counted and what was measured together. `timed` are the names of the probes
    /// in the order of the measuring, `refused` the probes that the first side refuses.
    #[must_use]
    pub fn of(
        counted: Verdict,
        (measured, court): (&Measured, &Court),
        timed: &[String],
        refused: &[(String, String)],
    ) -> Self {
        let probes: Vec<ProbeCompared> = counted
            .probes
            .into_iter()
            .map(|one| {
                let at = timed.iter().position(|name| *name == one.name);
                let refused = refused.iter().find(|(name, _)| *name == one.name);
                probe(
                    one,
                    at,
                    (measured, court),
                    refused.map(|(_, why)| why.clone()),
                )
            })
            .collect();
        let worst = probes.iter().map(|probe| probe.outcome).max();
        Self {
            outcome: worst.unwrap_or(Outcome::Inconclusive),
            differences: Vec::new(),
            counters: counted.compared,
            questions: court.standings.len(),
            seconds: measured.seconds,
            is_interrupted: measured.is_interrupted,
            notes: counted.notes,
            probes,
        }
    }
}

fn probe(
    counted: ProbeVerdict,
    at: Option<usize>,
    (measured, court): (&Measured, &Court),
    refused: Option<String>,
) -> ProbeCompared {
    let of_it = |one: &&Standing| at == Some(one.question.probe);
    let times: Vec<Timing> = court
        .standings
        .iter()
        .filter(of_it)
        .map(|one| timing(one, measured))
        .collect();
    let failed = at.and_then(|at| measured.failures.get(&at));
    let mut counted = counted;
    let mut failure = refused;
    match failed {
        Some((0, why)) => failure = failure.or_else(|| Some(why.clone())),
        Some((_, why)) => counted.failure = counted.failure.or_else(|| Some(why.clone())),
        None => {}
    }
    let outcome = if failure.is_some() {
        Outcome::Inconclusive
    } else if counted.failure.is_some() {
        Outcome::Regressed
    } else {
        let times = times.iter().map(|one| one.outcome).max();
        counted.outcome.max(times.unwrap_or(Outcome::Inconclusive))
    };
    ProbeCompared {
        name: counted.name.clone(),
        outcome,
        counted,
        times,
        is_same_result: at.map(|at| !measured.differing.contains_key(&at)),
        failure,
    }
}

fn timing(one: &Standing, measured: &Measured) -> Timing {
    let none = Vec::new();
    let pairs = measured.times.get(one.question.probe).unwrap_or(&none);
    Timing {
        metric: one.question.metric,
        outcome: match one.outcome() {
            paired::Outcome::Pass => Outcome::Pass,
            paired::Outcome::Regressed => Outcome::Regressed,
            paired::Outcome::Inconclusive => Outcome::Inconclusive,
        },
        is_faster: one.is_faster,
        pairs: pairs.len(),
        typical: typical(pairs, one.question.metric),
        judged: one.judged,
        decided_after: one.decided_after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::paired::Limits;
    use crate::baseline::pairs::Pair;

    fn counted(name: &str, outcome: Outcome) -> ProbeVerdict {
        ProbeVerdict {
            name: name.to_owned(),
            outcome,
            counters: Vec::new(),
            plans: None,
            failure: None,
        }
    }

    fn pairs(ratio: f64) -> Vec<Pair> {
        (0..60)
            .map(|block| Pair {
                block,
                operation: 0,
                a: 1.0 + 1e-3 * f64::from(u32::try_from(block % 7).unwrap()),
                b: ratio,
            })
            .collect()
    }

    #[test]
    fn the_worse_of_counters_and_times_holds() {
        let measured = Measured {
            times: vec![
                pairs(1.0),
                pairs(1.0),
                pairs(2.0),
                Vec::new(),
                Vec::new(),
                pairs(1.0),
            ],
            failures: [(4, (1, "operation 3: no".to_owned()))].into(),
            differing: [(5, 2)].into(),
            ..Measured::default()
        };
        let names: Vec<String> = ["fine", "reads", "slow", "unseen", "fails", "others"]
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let mut court = Court::new(6, &[Metric::P50], Limits::default());
        court.look(&measured.times, 15.0);
        let verdict = Verdict {
            objectives: None,
            outcome: Outcome::Pass,
            differences: Vec::new(),
            probes: names
                .iter()
                .chain([&"refused".to_owned()])
                .map(|name| {
                    let outcome = match name.as_str() {
                        "reads" => Outcome::Regressed,
                        _ => Outcome::Pass,
                    };
                    counted(name, outcome)
                })
                .collect(),
            compared: 7,
            notes: Vec::new(),
        };
        let refused = [("refused".to_owned(), "no such table".to_owned())];
        let compared = Compared::of(verdict, (&measured, &court), &names, &refused);
        let outcomes: Vec<Outcome> = compared.probes.iter().map(|one| one.outcome).collect();
        assert_eq!(
            outcomes,
            [
                Outcome::Pass,
                Outcome::Regressed,
                Outcome::Regressed,
                Outcome::Inconclusive,
                Outcome::Regressed,
                Outcome::Pass,
                Outcome::Inconclusive
            ]
        );
        assert_eq!(compared.outcome, Outcome::Regressed);
        assert_eq!(compared.probes[5].is_same_result, Some(false));
        assert_eq!(compared.probes[6].is_same_result, None);
        assert_eq!(compared.probes[0].times[0].outcome, Outcome::Pass);
    }
}
