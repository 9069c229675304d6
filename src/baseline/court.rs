//! Judging while it is measured: a few looks, each with its share of the bound on false alarms.
//!
//! Whoever looks four times and stops at the first alarm has four chances of a false one. Each
//! look is therefore held to a quarter of the bound, which is safe however the looks depend on one
//! another. What is decided at a look stays decided, and its time goes to what is not.

use super::paired::{self, Judged, Limits, Outcome};
use super::pairs::{self, Metric, Pair};

/// The looks, as shares of the whole time.
pub const LOOKS: [f64; 4] = [0.125, 0.25, 0.5, 1.0];

/// One thing that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Which probe, by its place.
    pub probe: usize,
    /// What of its times.
    pub metric: Metric,
}

/// What is known of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The question.
    pub question: Question,
    /// The last judgement; `None` before the first look.
    pub judged: Option<Judged>,
    /// The second side is faster, by as much as counts.
    pub is_faster: bool,
    /// When it was decided, seconds since the measuring began.
    pub decided_after: Option<f64>,
}

impl Standing {
    /// What came of it; inconclusive before the first look.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.judged
            .map_or(Outcome::Inconclusive, |judged| judged.outcome)
    }
}

/// All questions of a comparison: one family.
#[derive(Debug, Clone, PartialEq)]
pub struct Court {
    /// What is known of each question.
    pub standings: Vec<Standing>,
    /// The limits of the whole comparison.
    pub limits: Limits,
}

impl Court {
    /// Every metric of every probe.
    #[must_use]
    pub fn new(probes: usize, metrics: &[Metric], limits: Limits) -> Self {
        let questions = (0..probes).flat_map(|probe| {
            metrics.iter().map(move |metric| Question {
                probe,
                metric: *metric,
            })
        });
        Self {
            standings: questions
                .map(|question| Standing {
                    question,
                    judged: None,
                    is_faster: false,
                    decided_after: None,
                })
                .collect(),
            limits,
        }
    }

    /// Judges what is undecided by the pairs so far, `after` seconds of measuring; which probes go
    /// on. No more than [`LOOKS`] calls are covered by the bound.
    pub fn look(&mut self, times: &[Vec<Pair>], after: f64) -> Vec<bool> {
        let family: Vec<Vec<f64>> = self
            .standings
            .iter()
            .map(
                |one| match (one.decided_after, times.get(one.question.probe)) {
                    // It keeps its place in the family, which nothing can reject any more.
                    (Some(_), _) | (_, None) => Vec::new(),
                    (None, Some(pairs)) => pairs::log_ratios(pairs, one.question.metric),
                },
            )
            .collect();
        let share = Limits {
            alpha: self.limits.alpha / LOOKS.len() as f64,
            ..self.limits
        };
        let slower = paired::judge(&family, &share);
        let mirrored: Vec<Vec<f64>> = family
            .iter()
            .map(|ratios| ratios.iter().map(|ratio| -ratio).collect())
            .collect();
        let faster = paired::judge(&mirrored, &share);
        for ((one, slower), faster) in self.standings.iter_mut().zip(slower).zip(faster) {
            if one.decided_after.is_some() {
                continue;
            }
            one.is_faster = faster.outcome == Outcome::Regressed;
            one.decided_after = (slower.outcome != Outcome::Inconclusive).then_some(after);
            one.judged = Some(Judged {
                // Held against the bound of all looks together.
                p: (slower.p * LOOKS.len() as f64).min(1.0),
                ..slower
            });
        }
        (0..times.len()).map(|probe| self.goes_on(probe)).collect()
    }

    fn goes_on(&self, probe: usize) -> bool {
        self.standings
            .iter()
            .any(|one| one.question.probe == probe && one.decided_after.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt as _, SeedableRng as _};
    use rand_pcg::Pcg64;

    /// Pairs of a probe that takes 10 ms, with noise of `spread` and one pair in ten disturbed.
    fn pairs(random: &mut Pcg64, count: u64, effect: f64, spread: f64) -> Vec<Pair> {
        (0..count)
            .map(|block| {
                let mut time = |factor: f64| {
                    let bell: f64 = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
                    let wild = if random.random_range(0..20) == 0 {
                        5.0
                    } else {
                        1.0
                    };
                    0.01 * factor * (spread * bell).exp() * wild
                };
                Pair {
                    block,
                    operation: u32::try_from(block % 5).unwrap(),
                    a: time(1.0),
                    b: time(1.0 + effect),
                }
            })
            .collect()
    }

    #[test]
    fn clear_cases_are_decided_early_and_stay_so() {
        let mut random = Pcg64::seed_from_u64(3);
        let times = [
            pairs(&mut random, 60, 1.0, 0.1),
            pairs(&mut random, 400, 0.0, 0.05),
            pairs(&mut random, 6, 0.0, 0.1),
            pairs(&mut random, 400, -0.4, 0.05),
        ];
        let mut court = Court::new(4, &[Metric::Undisturbed], Limits::default());
        assert_eq!(court.look(&times, 15.0), [false, false, true, false]);
        let outcomes: Vec<Outcome> = court.standings.iter().map(Standing::outcome).collect();
        assert_eq!(
            outcomes,
            [
                Outcome::Regressed,
                Outcome::Pass,
                Outcome::Inconclusive,
                Outcome::Pass
            ]
        );
        assert!(court.standings[3].is_faster && !court.standings[1].is_faster);
        let before = court.standings[0].clone();
        let more = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
        court.look(&more, 30.0);
        assert_eq!(court.standings[0], before);
    }

    #[test]
    fn looking_often_raises_no_alarms() {
        let mut random = Pcg64::seed_from_u64(5);
        let limits = Limits {
            least: 0.0,
            ..Limits::default()
        };
        let mut alarms = 0;
        for _ in 0..300 {
            let times = [
                pairs(&mut random, 200, 0.0, 0.2),
                pairs(&mut random, 200, 0.0, 0.2),
            ];
            let mut court = Court::new(2, &[Metric::Undisturbed], limits);
            for count in [25, 50, 100, 200] {
                let so_far: Vec<Vec<Pair>> =
                    times.iter().map(|all| all[..count].to_vec()).collect();
                court.look(&so_far, 1.0);
            }
            let is_alarm = |one: &Standing| one.outcome() == Outcome::Regressed;
            alarms += u32::from(court.standings.iter().any(is_alarm));
        }
        // At 1 %, more than 9 of 300 come less than once in a thousand runs.
        assert!(alarms <= 9, "{alarms} of 300");
    }
}
