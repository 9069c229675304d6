//! Comparisons made of recorded pairs: how often would the rule have raised an alarm, or found a
//! slowdown that was put in?
//!
//! Each takes a stretch of recorded time as it was, with all its disturbances, and draws the sides
//! of each block anew. That is a comparison of a thing with itself under real noise; what it can't
//! show is a difference that two sides have by their place alone, which only real runs show.

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use super::court::{Court, LOOKS, Standing};
use super::paired::{Limits, Outcome};
use super::pairs::{Metric, Pair};

/// How to resample.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// Comparisons.
    pub rounds: u64,
    /// What one probe, each in its turn, is slower by on the second side: 0 for none, 0.1 for ten
    /// percent.
    pub effect: f64,
    /// Which metrics are asked for.
    pub metrics: &'a [Metric],
    /// How to judge.
    pub limits: Limits,
    /// The part of the recorded pairs of each probe that one comparison has, up to 1.
    pub part: f64,
    /// Seed of the lots.
    pub seed: u64,
}

/// What came of all comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Comparisons.
    pub rounds: u64,
    /// With at least one probe called slower.
    pub regressed: u64,
    /// With the probe called slower that was made so.
    pub found: u64,
    /// With every probe called not slower.
    pub passed: u64,
}

/// Makes comparisons of `recorded`, the pairs of each probe in the order of their time.
#[must_use]
pub fn comparisons(recorded: &[Vec<Pair>], plan: &Plan<'_>) -> Counted {
    let mut random = Pcg64::seed_from_u64(plan.seed);
    let mut counted = Counted::default();
    let mut slowed = (0..recorded.len()).cycle();
    for _ in 0..plan.rounds {
        let slowed = slowed.next();
        let drawn: Vec<Vec<Pair>> = recorded
            .iter()
            .enumerate()
            .map(|(at, pairs)| {
                let effect = if Some(at) == slowed { plan.effect } else { 0.0 };
                drawn(pairs, (plan.part, effect), &mut random)
            })
            .collect();
        let mut court = Court::new(recorded.len(), plan.metrics, plan.limits);
        for share in LOOKS {
            let so_far: Vec<Vec<Pair>> = drawn.iter().map(|all| part(all, share)).collect();
            if !court.look(&so_far, share).contains(&true) {
                break;
            }
        }
        let outcomes = || court.standings.iter().map(Standing::outcome);
        let is_found = |one: &Standing| {
            Some(one.question.probe) == slowed && one.outcome() == Outcome::Regressed
        };
        counted.found += u64::from(court.standings.iter().any(is_found));
        counted.rounds += 1;
        counted.regressed += u64::from(outcomes().any(|one| one == Outcome::Regressed));
        counted.passed += u64::from(outcomes().all(|one| one == Outcome::Pass));
    }
    counted
}

/// The first part of the pairs.
fn part(all: &[Pair], share: f64) -> Vec<Pair> {
    all[..share_of(all.len(), share)].to_vec()
}

/// So many of `count` that they are at most this share of it.
fn share_of(count: usize, share: f64) -> usize {
    let wanted = count as f64 * share;
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if middle as f64 <= wanted {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// A stretch of time, with the sides of each block drawn by lot.
fn drawn(pairs: &[Pair], (part, effect): (f64, f64), random: &mut Pcg64) -> Vec<Pair> {
    let count = share_of(pairs.len(), part);
    if count == 0 {
        return Vec::new();
    }
    let from = random.random_range(0..=pairs.len() - count);
    let mut lot = random.random::<bool>();
    let mut block = pairs[from].block;
    pairs[from..from + count]
        .iter()
        .map(|pair| {
            if pair.block != block {
                block = pair.block;
                lot = random.random();
            }
            let pair = if lot { pair.exchanged() } else { *pair };
            Pair {
                b: pair.b * (1.0 + effect),
                ..pair
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(count: u64) -> Vec<Pair> {
        let mut random = Pcg64::seed_from_u64(1);
        (0..count)
            .map(|block| Pair {
                block,
                operation: u32::try_from(block % 5).unwrap(),
                a: 0.01 * (0.2 * random.random::<f64>()).exp(),
                b: 0.01 * (0.2 * random.random::<f64>()).exp(),
            })
            .collect()
    }

    #[test]
    fn alarms_are_rare_and_slowdowns_found() {
        let plan = Plan {
            rounds: 300,
            effect: 0.0,
            metrics: &[Metric::Undisturbed],
            limits: Limits::default(),
            part: 0.2,
            seed: 1,
        };
        let recorded = [recorded(1_000), recorded(1_000)];
        let none = comparisons(&recorded, &plan);
        assert!(none.regressed <= 9, "{none:?}");
        assert!(
            none.passed > 250 && none.found <= none.regressed,
            "{none:?}"
        );
        let slow = comparisons(
            &recorded,
            &Plan {
                effect: 0.1,
                ..plan.clone()
            },
        );
        assert!(slow.found >= 285, "{slow:?}");
        assert_eq!(
            comparisons(&recorded, &plan),
            none,
            "the same seed, the same lots"
        );
    }

    #[test]
    fn without_pairs_nothing_is_decided() {
        let plan = Plan {
            rounds: 3,
            effect: 0.1,
            metrics: &[Metric::Undisturbed],
            limits: Limits::default(),
            part: 1.0,
            seed: 1,
        };
        let counted = comparisons(&[Vec::new()], &plan);
        assert_eq!((counted.regressed, counted.passed), (0, 0));
    }
}
