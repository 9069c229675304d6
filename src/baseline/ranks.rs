//! Wilcoxon's signed-rank test and the estimate that belongs to it.
//!
//! The order of the two sides of a pair is drawn by lot, so that under "no difference" the sign of
//! each difference is a fair coin: the test is then exact whatever the noise looks like, and a few
//! slices that another process disturbed move neither the test nor the estimate far.

use super::normal;

/// From so many differences on the distribution is taken as normal.
const MANY: usize = 120;

/// The probability of a sum of positive ranks this high or higher, were there no difference.
/// Differences of exactly 0 are left out, equal ones share their ranks.
#[must_use]
pub fn p_above(differences: &[f64]) -> f64 {
    let mut kept: Vec<f64> = differences
        .iter()
        .copied()
        .filter(|one| *one != 0.0 && !one.is_nan())
        .collect();
    kept.sort_by(|one, other| one.abs().total_cmp(&other.abs()));
    // Twice the rank, so that shared ranks are whole numbers.
    let ranks = doubled_ranks(&kept);
    let sum: usize = kept
        .iter()
        .zip(&ranks)
        .filter(|(one, _)| **one > 0.0)
        .map(|(_, rank)| rank)
        .sum();
    if kept.is_empty() {
        return 1.0;
    }
    if kept.len() <= MANY {
        exact(&ranks, sum)
    } else {
        approximate(&ranks, sum)
    }
}

fn approximate(ranks: &[usize], sum: usize) -> f64 {
    let mean = ranks.iter().sum::<usize>() as f64 / 2.0;
    let variance: f64 = ranks.iter().map(|rank| (*rank as f64).powi(2)).sum::<f64>() / 4.0;
    normal::above((sum as f64 - 1.0 - mean) / variance.sqrt())
}

fn doubled_ranks(sorted: &[f64]) -> Vec<usize> {
    let mut ranks = vec![0; sorted.len()];
    let mut from = 0;
    while from < sorted.len() {
        let size = sorted[from].abs();
        let same = sorted[from..]
            .iter()
            .take_while(|one| one.abs().total_cmp(&size).is_eq());
        let to = from + same.count();
        // The mean of the ranks from+1 to `to`, twice.
        ranks[from..to].fill(from + 1 + to);
        from = to;
    }
    ranks
}

/// The share of all choices of signs whose sum of positive ranks is `sum` or higher.
fn exact(ranks: &[usize], sum: usize) -> f64 {
    let all: usize = ranks.iter().sum();
    let mut shares = vec![0.0; all + 1];
    shares[0] = 1.0;
    let mut highest = 0;
    for rank in ranks {
        highest += rank;
        for place in (0..=highest).rev() {
            let with = if place >= *rank {
                shares[place - rank]
            } else {
                0.0
            };
            shares[place] = f64::midpoint(shares[place], with);
        }
    }
    shares[sum.min(all)..].iter().sum::<f64>().min(1.0)
}

/// An interval for the median difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The median of the means of all pairs of differences (Hodges and Lehmann).
    pub middle: f64,
    /// The lower end; infinite where there are too few differences for an end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The interval beyond each end of which the true difference lies with probability `side` at most;
/// `None` without differences.
#[must_use]
pub fn interval(differences: &[f64], side: f64) -> Option<Interval> {
    let kept: Vec<f64> = differences
        .iter()
        .copied()
        .filter(|one| one.is_finite())
        .collect();
    let mut means = Vec::with_capacity(kept.len() * (kept.len() + 1) / 2);
    for (place, one) in kept.iter().enumerate() {
        means.extend(
            kept[place..]
                .iter()
                .map(|other| f64::midpoint(*one, *other)),
        );
    }
    means.sort_by(f64::total_cmp);
    let count = means.len();
    let middle = f64::midpoint(*means.get((count.checked_sub(1)?) / 2)?, means[count / 2]);
    let cut = cut(kept.len(), side);
    let (low, high) = match cut.checked_sub(1) {
        Some(place) => (means[place], means[count - 1 - place]),
        None => (f64::NEG_INFINITY, f64::INFINITY),
    };
    Some(Interval { middle, low, high })
}

/// How many of the means of pairs are cut off at each end.
fn cut(differences: usize, side: f64) -> usize {
    let top = differences * (differences + 1) / 2;
    if differences > MANY {
        let n = differences as f64;
        let mean = n * (n + 1.0) / 4.0;
        let deviation = (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0).sqrt();
        let place = mean - normal::quantile_above(side) * deviation;
        return (0..=top / 2)
            .rev()
            .find(|cut| *cut as f64 <= place)
            .unwrap_or(0);
    }
    // The distribution of the sum for ranks 1 to n, from its lower end.
    let mut shares = vec![0.0; top + 1];
    shares[0] = 1.0;
    let mut highest = 0;
    for rank in 1..=differences {
        highest += rank;
        for place in (0..=highest).rev() {
            let with = if place >= rank {
                shares[place - rank]
            } else {
                0.0
            };
            shares[place] = f64::midpoint(shares[place], with);
        }
    }
    let mut below = 0.0;
    for (place, share) in shares.iter().enumerate() {
        below += share;
        if below > side {
            return place;
        }
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_samples_are_exact() {
        // All signs positive: one choice of 2^n.
        for n in 1_i32..12 {
            let all: Vec<f64> = (1..=n).map(f64::from).collect();
            assert!((p_above(&all) - 0.5_f64.powi(n)).abs() < 1e-12);
            let none: Vec<f64> = all.iter().map(|one| -one).collect();
            assert!((p_above(&none) - 1.0).abs() < 1e-12);
        }
        // Sums of 4 or more out of ranks 1, 2, 3: {1,3}, {2,3}, {1,2,3} of eight choices.
        assert!((p_above(&[1.0, -2.0, 3.0]) - 3.0 / 8.0).abs() < 1e-12);
        assert!((p_above(&[]) - 1.0).abs() < 1e-12);
        assert!((p_above(&[0.0, 0.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn shared_ranks() {
        // Ranks 1.5, 1.5, 3; a sum of 4.5 or more: {1,3}, {2,3}, {1,2,3}.
        assert!((p_above(&[1.0, -1.0, 2.0]) - 3.0 / 8.0).abs() < 1e-12);
    }

    #[test]
    fn exact_and_normal_agree() {
        let ranks: Vec<usize> = (1..=120).map(|rank| 2 * rank).collect();
        let middle = ranks.iter().sum::<usize>() / 2;
        for above in [0, 600, 1_200, 2_000] {
            let (exact, normal) = (
                exact(&ranks, middle + above),
                approximate(&ranks, middle + above),
            );
            assert!(
                (exact / normal).ln().abs() < 0.1,
                "{above}: {exact} {normal}"
            );
        }
        // Far out the approximation is on the safe side.
        assert!(approximate(&ranks, middle + 3_000) > exact(&ranks, middle + 3_000));
        assert!(cut(121, 0.005).abs_diff(cut(120, 0.005)) < 80);
    }

    #[test]
    fn intervals_need_enough_pairs() {
        // Known: with 6 differences and 2.5 % at each end, one mean is cut off; with 5, none is.
        assert_eq!(cut(6, 0.025), 1);
        assert_eq!(cut(5, 0.025), 0);
        // Known: 10 differences, 2.5 %: 9 are cut, for the critical value of the table is 8.
        assert_eq!(cut(10, 0.025), 9);
        let few = interval(&[1.0, 2.0, 3.0], 0.005).unwrap();
        assert!((few.middle - 2.0).abs() < 1e-12);
        assert!(few.low.is_infinite() && few.high.is_infinite());
        assert_eq!(interval(&[], 0.01), None);
    }

    proptest! {
        /// The interval and the test are the same statement, seen from two sides.
        #[test]
        fn interval_and_test_agree(values in proptest::collection::vec(-50_i32..50, 8..24)) {
            let values: Vec<f64> = values
                .iter()
                .enumerate()
                .map(|(place, value)| f64::from(*value) + place as f64 * 0.013 + 0.003_7)
                .collect();
            let side = 0.02;
            let found = interval(&values, side).unwrap();
            prop_assert!(found.low <= found.middle && found.middle <= found.high);
            prop_assert_eq!(p_above(&values) <= side, found.low > 0.0);
        }

        /// A shift of all differences shifts the interval as far.
        #[test]
        fn shifts(values in proptest::collection::vec(-1.0_f64..1.0, 6..20), by in -3.0_f64..3.0) {
            let one = interval(&values, 0.05).unwrap();
            let moved: Vec<f64> = values.iter().map(|value| value + by).collect();
            let other = interval(&moved, 0.05).unwrap();
            prop_assert!((other.middle - one.middle - by).abs() < 1e-9);
            prop_assert!((other.high - one.high - by).abs() < 1e-9);
        }
    }
}
