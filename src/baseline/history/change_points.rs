//! Where the level of a noisy series shifts: E-divisive with the significance of permutations.
//!
//! After Matteson and James, "A Nonparametric Approach for Multiple Change Point Analysis of
//! Multivariate Data", Journal of the American Statistical Association 109 (2014), with exponent 1.
//! The test asks nothing of the noise but that its order means nothing; runs that hang together
//! by themselves, such as those of a machine with slow days, break that.

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64Mcg;

/// Values on each side of a change at least; fewer are an outlier.
pub const LEAST_SIDE: usize = 3;

/// The same series has the same change points each time.
const SEED: u64 = 0x6d79_6465_7868_6973;

/// Permutations at most: no p-value below 1 in 30,000 can be told.
const MOST_PERMUTATIONS: u32 = 29_999;

/// Permutations at least.
const LEAST_PERMUTATIONS: u32 = 999;

/// A shift of the level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// The first value behind it, from 0.
    pub at: usize,
    /// The share of permutations with a split as good or better.
    pub p: f64,
}

/// The shifts in `values`, in their order. Each is found with a false alarm probability of
/// `alpha` at most, if the order of the noise means nothing.
#[must_use]
pub fn find(values: &[f64], alpha: f64) -> Vec<ChangePoint> {
    let mut random = Pcg64Mcg::seed_from_u64(SEED);
    let mut found = Vec::new();
    let mut open = vec![(0, values.len())];
    while let Some((from, to)) = open.pop() {
        let Some((at, p)) = significant(&values[from..to], alpha, &mut random) else {
            continue;
        };
        found.push(ChangePoint { at: from + at, p });
        open.push((from, from + at));
        open.push((from + at, to));
    }
    found.sort_by_key(|one| one.at);
    found
}

/// A value, and the sum of its distances to all values of its stretch, which no order changes.
type Spaced = (f64, f64);

/// The best split of `values`, if permutations seldom have one as good.
fn significant(values: &[f64], alpha: f64, random: &mut Pcg64Mcg) -> Option<(usize, f64)> {
    let mut spaced: Vec<Spaced> = values
        .iter()
        .map(|value| (*value, distances(*value, values)))
        .collect();
    let (at, divergence) = best(&spaced)?;
    let permutations = permutations(alpha);
    // One exceedance more than these, and the p-value is above `alpha` whatever follows. An `alpha`
    // below the smallest p-value that can be told is taken as that.
    let allowed = (alpha * f64::from(permutations + 1) - 1.0).max(0.0);
    let mut exceeding = 0_u32;
    for _ in 0..permutations {
        spaced.shuffle(random);
        // Sums in another order differ in their last digits.
        let is_as_good = best(&spaced).is_some_and(|(_, other)| other >= divergence * (1.0 - 1e-9));
        exceeding += u32::from(is_as_good);
        if f64::from(exceeding) > allowed {
            return None;
        }
    }
    Some((at, f64::from(exceeding + 1) / f64::from(permutations + 1)))
}

/// So many that twice the smallest p-value is `alpha`.
fn permutations(alpha: f64) -> u32 {
    (LEAST_PERMUTATIONS..MOST_PERMUTATIONS)
        .step_by(1_000)
        .find(|count| f64::from(count + 1) * alpha >= 2.0)
        .unwrap_or(MOST_PERMUTATIONS)
}

fn distances(from: f64, to: &[f64]) -> f64 {
    to.iter().map(|one| (one - from).abs()).sum()
}

/// The split with the highest divergence between its sides, and that divergence; `None` where
/// there are too few values or all are the same.
fn best(values: &[Spaced]) -> Option<(usize, f64)> {
    let count = values.len();
    if count < 2 * LEAST_SIDE {
        return None;
    }
    let all = values.iter().map(|(_, sum)| sum).sum::<f64>() / 2.0;
    let (mut left, mut right) = (0.0, all);
    let mut best: Option<(usize, f64)> = None;
    for at in 1..=count - LEAST_SIDE {
        let (moved, to_all) = values[at - 1];
        let mut to_left = 0.0;
        for (value, _) in &values[..at - 1] {
            to_left += (value - moved).abs();
        }
        left += to_left;
        right -= to_all - to_left;
        if at < LEAST_SIDE {
            continue;
        }
        let (m, n) = (at as f64, (count - at) as f64);
        let between = 2.0 * (all - left - right) / (m * n);
        let within = 2.0 * left / (m * (m - 1.0)) + 2.0 * right / (n * (n - 1.0));
        let divergence = m * n / (m + n) * (between - within);
        if divergence > 1e-12 && best.is_none_or(|(_, highest)| divergence > highest) {
            best = Some((at, divergence));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_are_found_in_order() {
        let values: Vec<f64> = (0..60_i32)
            .map(|run| {
                let level = match run {
                    0..20 => 10.0,
                    20..45 => 12.0,
                    _ => 9.0,
                };
                level + f64::from(run * 37 % 11) / 20.0
            })
            .collect();
        let found: Vec<usize> = find(&values, 0.001).iter().map(|one| one.at).collect();
        assert_eq!(found, [20, 45]);
        assert_eq!(find(&values, 0.001), find(&values, 0.001));
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        assert_eq!(find(&[], 0.01), []);
        assert_eq!(find(&[1.0; 50], 0.01), []);
        assert_eq!(find(&[1.0, 1.0, 1.0, 9.0, 9.0], 0.5), []);
        // One value that is far off is no level.
        let mut one_wild = vec![1.0; 30];
        one_wild[12] = 50.0;
        assert_eq!(find(&one_wild, 0.01), []);
    }

    #[test]
    fn p_values_are_told_no_smaller_than_they_can_be() {
        let values: Vec<f64> = (0..40_i32).map(|run| f64::from(run / 20)).collect();
        let found = find(&values, 0.01);
        assert_eq!(found.len(), 1);
        assert!((found[0].p - 1e-3).abs() < 1e-9, "{found:?}");
    }
}
