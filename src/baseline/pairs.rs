//! The times of the same operations on both sides, and what is compared of them.
//!
//! The order of the two sides is drawn by lot once for each block. Whatever is made of the pairs of
//! whole blocks therefore has, were there no difference, either sign with the same probability,
//! however busy the machine was and however long that lasted.

use std::collections::BTreeMap;

/// One operation on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The pairs of a block share the lot that decided which side came first.
    pub block: u64,
    /// Which of its probe's operations.
    pub operation: u32,
    /// Time of the first side, seconds.
    pub a: f64,
    /// Time of the second side, seconds.
    pub b: f64,
}

impl Pair {
    /// The logarithm of the second time over the first.
    #[must_use]
    pub fn log_ratio(self) -> f64 {
        (self.b / self.a).ln()
    }

    /// The same pair with the sides exchanged.
    #[must_use]
    pub fn exchanged(self) -> Self {
        Self {
            a: self.b,
            b: self.a,
            ..self
        }
    }
}

/// What is compared of the times of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// How long an operation takes when nothing disturbs it: for each side the shortest of several
    /// runs of the same operation. Other work on a machine only ever adds time, so that these are
    /// by far the steadiest.
    Undisturbed,
    /// How long the same operation takes on the second side compared with the first, in the
    /// middle of all pairs: single disturbed operations do not count.
    P50,
    /// The sum of the times: what is rare and long counts in full.
    Mean,
    /// The time that one operation of twenty exceeds.
    P95,
}

impl Metric {
    /// The metric as every output spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Undisturbed => "undisturbed",
            Self::P50 => "p50",
            Self::Mean => "mean",
            Self::P95 => "p95",
        }
    }

    /// Pairs that make one log-ratio, at least.
    fn least_pairs(self) -> usize {
        match self {
            Self::Undisturbed | Self::P50 => 1,
            Self::Mean => 8,
            Self::P95 => 40,
        }
    }

    fn ratio(self, pairs: &[Pair]) -> f64 {
        match self {
            Self::Undisturbed => {
                let lowest = lowest(pairs);
                midmean(lowest.values().map(|(a, b)| (b / a).ln()).collect())
            }
            Self::P50 => midmean(pairs.iter().map(|pair| pair.log_ratio()).collect()),
            Self::Mean => {
                let sum = |time: fn(&Pair) -> f64| pairs.iter().map(time).sum::<f64>();
                (sum(|pair| pair.b) / sum(|pair| pair.a)).ln()
            }
            Self::P95 => {
                let high = |time: fn(&Pair) -> f64| quantile(pairs.iter().map(time), 0.95);
                (high(|pair| pair.b) / high(|pair| pair.a)).ln()
            }
        }
    }
}

/// Log-ratios for the test, at most about so many: more would cost time and tell no more.
const MOST: usize = 400;

/// Log-ratios of undisturbed times, at least about so many: enough for a hundred questions, and the
/// fewer they are, the more runs each operation has in which nothing disturbs it.
const FEW: usize = 24;

/// Runs of an operation from which the shortest is taken, at most.
const RUNS: usize = 10;

/// Pairs that make one log-ratio.
fn size(pairs: &[Pair], metric: Metric) -> usize {
    let least = metric.least_pairs().max(pairs.len().div_ceil(MOST));
    match metric {
        // So few blocks count one by one.
        Metric::Undisturbed if blocks(pairs) < 2 * FEW => least,
        Metric::Undisturbed => {
            let runs = lowest(pairs).len() * RUNS;
            least.max((pairs.len() / FEW).min(runs))
        }
        _ => least,
    }
}

fn blocks(pairs: &[Pair]) -> usize {
    let starts = pairs.windows(2).filter(|two| two[0].block != two[1].block);
    starts.count() + usize::from(!pairs.is_empty())
}

/// The shortest times of each operation.
fn lowest(pairs: &[Pair]) -> BTreeMap<u32, (f64, f64)> {
    let mut lowest = BTreeMap::new();
    for pair in pairs {
        let (a, b) = lowest.entry(pair.operation).or_insert((pair.a, pair.b));
        *a = pair.a.min(*a);
        *b = pair.b.min(*b);
    }
    lowest
}

/// The log-ratios of a metric. Each is made of whole blocks, so that the lots of two never have
/// anything in common.
#[must_use]
pub fn log_ratios(pairs: &[Pair], metric: Metric) -> Vec<f64> {
    let size = size(pairs, metric);
    let mut ratios = Vec::with_capacity(pairs.len() / size + 1);
    let mut from = 0;
    while from < pairs.len() {
        let mut to = (from + size).min(pairs.len());
        while to < pairs.len() && pairs[to].block == pairs[to - 1].block {
            to += 1;
        }
        let is_whole = to - from >= metric.least_pairs();
        let ratio = metric.ratio(&pairs[from..to]);
        if is_whole && ratio.is_finite() {
            ratios.push(ratio);
        }
        from = to;
    }
    ratios
}

/// The typical time of both sides by this metric, seconds; `None` without pairs.
#[must_use]
pub fn typical(pairs: &[Pair], metric: Metric) -> Option<(f64, f64)> {
    if pairs.is_empty() {
        return None;
    }
    if metric == Metric::Undisturbed {
        let lowest = lowest(pairs);
        let sum = lowest
            .values()
            .fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let count = lowest.len() as f64;
        return Some((sum.0 / count, sum.1 / count));
    }
    let of = |time: fn(&Pair) -> f64| match metric {
        Metric::Undisturbed | Metric::P50 => quantile(pairs.iter().map(time), 0.5),
        Metric::P95 => quantile(pairs.iter().map(time), 0.95),
        Metric::Mean => pairs.iter().map(time).sum::<f64>() / pairs.len() as f64,
    };
    Some((of(|pair| pair.a), of(|pair| pair.b)))
}

/// The mean of what lies between the quartiles.
fn midmean(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let cut = values.len() / 4;
    let kept = &values[cut..values.len() - cut];
    kept.iter().sum::<f64>() / kept.len() as f64
}

/// The value that this share of all does not exceed; values must not be empty.
fn quantile(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * share).ceil();
    let at = (1..values.len())
        .find(|at| *at as f64 >= place)
        .unwrap_or(values.len());
    values
        .get(at.saturating_sub(1))
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair(block: u64, a: f64, b: f64) -> Pair {
        Pair {
            block,
            operation: u32::try_from(block % 10).unwrap(),
            a,
            b,
        }
    }

    #[test]
    fn disturbances_do_not_reach_undisturbed_times() {
        // Five percent slower, and three of four runs disturbed by up to a factor of six.
        let disturbed = |n: u64| match n * 2_654_435_761 % 4 {
            0 => 1.0,
            other => 1.0 + 5.0 * f64::from(u32::try_from(n * other % 97).unwrap()) / 97.0,
        };
        let of_operation = |n: u64| 1.0 + f64::from(u32::try_from(n % 10).unwrap());
        let pairs: Vec<Pair> = (0..4_000)
            .map(|n| {
                let time = of_operation(n);
                pair(
                    n,
                    time * disturbed(n / 3),
                    1.05 * time * disturbed(n / 7 + 5),
                )
            })
            .collect();
        let ratios = log_ratios(&pairs, Metric::Undisturbed);
        assert!((24..=60).contains(&ratios.len()), "{}", ratios.len());
        let far = ratios
            .iter()
            .filter(|one| (*one - 0.05_f64.ln_1p()).abs() > 0.02);
        assert!(far.count() * 10 < ratios.len(), "{ratios:?}");
        let (a, b) = typical(&pairs, Metric::Undisturbed).unwrap();
        assert!((b / a - 1.05).abs() < 1e-9, "{a} {b}");
        // A slowdown of some operations alone is not lost among the others.
        let some: Vec<Pair> = (0..4_000)
            .map(|n| {
                pair(
                    n,
                    of_operation(n),
                    of_operation(n) * if n % 2 == 0 { 2.0 } else { 1.0 },
                )
            })
            .collect();
        let ratios = log_ratios(&some, Metric::Undisturbed);
        assert!(ratios.iter().all(|one| *one > 0.2), "{ratios:?}");
    }

    #[test]
    fn quantiles_and_middles() {
        let values = || (1..=20).map(f64::from);
        for (share, wanted) in [(0.5, 10.0), (0.95, 19.0), (1.0, 20.0), (0.01, 1.0)] {
            assert!(
                (quantile(values(), share) - wanted).abs() < 1e-12,
                "{share}"
            );
        }
        assert!((midmean(vec![1.0, 2.0, 3.0, 1e9]) - 2.5).abs() < 1e-12);
        assert!((midmean(vec![7.0]) - 7.0).abs() < 1e-12);
    }

    #[test]
    fn each_metric_sees_what_it_is_for() {
        // Ten percent slower throughout, but for one operation in fifty that takes ten times.
        let pairs: Vec<Pair> = (0..400)
            .map(|n| pair(n, 1.0, if n % 50 == 7 { 10.0 } else { 1.1 }))
            .collect();
        let middle = |metric| {
            let ratios = log_ratios(&pairs, metric);
            ratios.iter().sum::<f64>() / ratios.len() as f64
        };
        assert!(log_ratios(&pairs, Metric::P50)[0] < 0.1);
        assert!(middle(Metric::Mean) > 0.2);
        assert_eq!(log_ratios(&pairs, Metric::P95).len(), 10);
        assert_eq!(typical(&pairs, Metric::P50), Some((1.0, 1.1)));
        assert_eq!(typical(&[], Metric::P50), None);
    }

    #[test]
    fn each_of_a_few_slices_counts() {
        // Thirty slices of 10 to 19 pairs.
        let pairs: Vec<Pair> = (0..30)
            .flat_map(|block| (0..10 + block % 10).map(move |n| (block, n)))
            .map(|(block, n)| Pair {
                operation: u32::try_from(n).unwrap(),
                ..pair(block, 1.0, 1.1)
            })
            .collect();
        assert_eq!(blocks(&pairs), 30);
        assert_eq!(log_ratios(&pairs, Metric::Undisturbed).len(), 30);
        assert_eq!(blocks(&[]), 0);
    }

    #[test]
    fn many_pairs_are_put_together() {
        let pairs: Vec<Pair> = (0..25_000).map(|n| pair(n, 1.0, 1.1)).collect();
        let ratios = log_ratios(&pairs, Metric::P50);
        assert_eq!(ratios.len(), 397);
        assert!(
            ratios
                .iter()
                .all(|ratio| (ratio - 0.1_f64.ln_1p()).abs() < 1e-12)
        );
    }

    #[test]
    fn what_can_not_be_compared_is_left_out() {
        assert_eq!(
            log_ratios(&[pair(0, 0.0, 1.0)], Metric::P50),
            Vec::<f64>::new()
        );
        assert_eq!(log_ratios(&[], Metric::Mean), Vec::<f64>::new());
        assert_eq!(
            log_ratios(&[pair(0, 1.0, 1.0)], Metric::Mean),
            Vec::<f64>::new()
        );
    }

    proptest! {
        /// Exchanging the sides turns every sign, and no log-ratio has parts of two blocks' halves.
        #[test]
        fn sides_mirror(
            times in proptest::collection::vec((1e-4_f64..1.0, 1e-4_f64..1.0), 1..300),
            of_block in 1_u64..9,
        ) {
            let pairs: Vec<Pair> = (0_u64..)
                .zip(&times)
                .map(|(n, (a, b))| pair(n / of_block, *a, *b))
                .collect();
            let exchanged: Vec<Pair> = pairs.iter().map(|pair| pair.exchanged()).collect();
            for metric in [Metric::Undisturbed, Metric::P50, Metric::Mean, Metric::P95] {
                let (one, other) = (log_ratios(&pairs, metric), log_ratios(&exchanged, metric));
                prop_assert_eq!(one.len(), other.len());
                for (one, other) in one.iter().zip(&other) {
                    prop_assert!((one + other).abs() < 1e-9);
                }
                prop_assert!(one.len() as u64 <= (pairs.len() as u64).div_ceil(of_block));
            }
        }
    }
}
