//! Times against their objectives, as one measured pass tells them.
//!
//! An objective is a bound on the share of operations that are late or fail. It is missed when that
//! share is too high, and no pass with so few operations would have it by chance: the binomial
//! distribution tells how seldom, and Holm's rule bounds the chance over all objectives together.

use std::time::Duration;

use super::holm;
use super::verdict::Outcome;

/// The probability of any objective that is called missed by chance, at most.
pub const ALPHA: f64 = 0.01;

/// One objective as it was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The probe.
    pub probe: String,
    /// The share of operations that has to be in time, between 0 and 1.
    pub quantile: f64,
    /// The bound.
    pub limit: Duration,
    /// The response at the quantile; `None` when no operation came to an end.
    pub response: Option<Duration>,
    /// Operations that were to be run.
    pub operations: u64,
    /// Those of them that were not in time: late, failed, given up or never sent.
    pub late: u64,
    /// Whether the measured figures meet it, as they are.
    pub is_met: bool,
}

/// What came of an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is met as measured.
    Met,
    /// It is missed, and not by chance.
    Missed,
    /// It is missed as measured, and it can't be told whether by chance.
    Undecided,
}

impl State {
    /// The state as every output spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Undecided => "undecided",
        }
    }
}

/// The judgement of one objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What was measured.
    pub measured: Measured,
    /// What came of it.
    pub state: State,
    /// The probability of so many late operations where the objective is just met, adjusted for
    /// all objectives.
    pub p: f64,
    /// So many late operations would have been told as a miss.
    pub telling: u64,
}

/// A pass against its objectives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Objectives {
    /// Measured time, seconds.
    pub seconds: f64,
    /// Each, by the probe's name.
    pub judged: Vec<Judged>,
    /// Why the times are partly the load generator's own, if they are; then nothing is missed for
    /// certain.
    pub client_limit: Option<String>,
}

impl Objectives {
    /// Over all objectives.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let is = |state: State| self.judged.iter().any(|one| one.state == state);
        if is(State::Missed) {
            Outcome::Regressed
        } else if is(State::Undecided) || self.judged.is_empty() {
            Outcome::Inconclusive
        } else {
            Outcome::Pass
        }
    }

    /// How many have this state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.judged.iter().filter(|one| one.state == state).count()
    }
}

/// Judges a pass of `seconds`.
#[must_use]
pub fn judge(measured: Vec<Measured>, seconds: f64, client_limit: Option<String>) -> Objectives {
    let chances: Vec<f64> = measured
        .iter()
        .map(|one| at_least(one.late, one.operations, 1.0 - one.quantile))
        .collect();
    let adjusted = holm::adjusted(&chances);
    let each = ALPHA / measured.len().max(1) as f64;
    let judged = measured.into_iter().zip(adjusted).map(|(measured, p)| {
        let state = if measured.is_met {
            State::Met
        } else if p <= ALPHA && client_limit.is_none() {
            State::Missed
        } else {
            State::Undecided
        };
        Judged {
            telling: telling(measured.operations, 1.0 - measured.quantile, each),
            measured,
            state,
            p,
        }
    });
    Objectives {
        seconds,
        judged: judged.collect(),
        client_limit,
    }
}

/// The least number of `count` whose chance is `bound` or less; `count + 1` where there is none.
fn telling(count: u64, share: f64, bound: f64) -> u64 {
    let (mut low, mut high) = (0, count + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if at_least(middle, count, share) <= bound {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The probability of `least` or more of `count`, each with the chance `share`.
fn at_least(least: u64, count: u64, share: f64) -> f64 {
    if least == 0 {
        return 1.0;
    }
    if least > count || share <= 0.0 {
        return 0.0;
    }
    if share >= 1.0 {
        return 1.0;
    }
    let (n, k) = (count as f64, least as f64);
    let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    let first = ways + k * share.ln() + (n - k) * (-share).ln_1p();
    let odds = share / (1.0 - share);
    let (mut term, mut sum) = (1.0_f64, 0.0_f64);
    for place in least..=count {
        sum += term;
        let at = place as f64;
        let factor = (n - at) / (at + 1.0) * odds;
        // Behind the highest term they only fall, and what is left can't be seen any more.
        if factor < 1.0 && term < sum * 1e-16 {
            break;
        }
        term *= factor;
    }
    (first + sum.ln()).exp().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(probe: &str, operations: u64, late: u64) -> Measured {
        Measured {
            probe: probe.to_owned(),
            quantile: 0.95,
            limit: Duration::from_millis(50),
            response: Some(Duration::from_millis(if late > 0 { 60 } else { 40 })),
            operations,
            late,
            is_met: late as f64 <= 0.05 * operations as f64,
        }
    }

    #[test]
    fn chances_are_those_of_the_binomial_distribution() {
        for (least, count, share, wanted) in [
            (0, 10, 0.05, 1.0),
            (1, 10, 0.05, 0.401_263_060_761_621_8),
            (10, 10, 0.5, 0.000_976_562_5),
            (11, 10, 0.5, 0.0),
            (3, 4, 0.5, 0.3125),
            (60, 1_000, 0.05, 0.086_732_178_384_857_42),
            (1, 3, 0.0, 0.0),
        ] {
            let found = at_least(least, count, share);
            assert!((found - wanted).abs() < 1e-9, "{least} {count} {found}");
        }
    }

    #[test]
    fn a_miss_by_chance_is_none() {
        // Two of twenty are more than one in twenty, and come by chance in a quarter of all passes.
        let judged = judge(vec![measured("a", 20, 2)], 5.0, None);
        assert_eq!(judged.judged[0].state, State::Undecided);
        assert_eq!(judged.outcome(), Outcome::Inconclusive);
        assert_eq!(judged.judged[0].telling, 5);
        let judged = judge(vec![measured("a", 20, 5)], 5.0, None);
        assert_eq!(judged.judged[0].state, State::Missed);
        assert_eq!(judged.outcome(), Outcome::Regressed);
        let limited = judge(vec![measured("a", 20, 20)], 5.0, Some("late".to_owned()));
        assert_eq!(limited.outcome(), Outcome::Inconclusive);
    }

    #[test]
    fn many_objectives_share_one_bound() {
        // One of a hundred with a chance of 1 in 400 is no miss; alone it is one.
        let mut many: Vec<Measured> = (0..99).map(|n| measured(&n.to_string(), 20, 0)).collect();
        many.push(measured("late", 20, 5));
        let judged = judge(many, 5.0, None);
        assert_eq!(judged.count(State::Undecided), 1);
        assert_eq!(judged.count(State::Met), 99);
        assert_eq!(
            judge(Vec::new(), 5.0, None).outcome(),
            Outcome::Inconclusive
        );
    }

    proptest::proptest! {
        #[test]
        fn what_tells_is_the_least(count in 1_u64..400, share in 0.001_f64..0.5) {
            let telling = telling(count, share, 0.001);
            proptest::prop_assert!(at_least(telling, count, share) <= 0.001);
            proptest::prop_assert!(at_least(telling - 1, count, share) > 0.001);
        }
    }
}
