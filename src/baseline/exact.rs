//! How sure a rate is that was counted: exact bounds of a binomial share (Clopper and Pearson).

/// The share that is exceeded with probability `1 - confidence` at most, after `hits` of `trials`.
/// Without trials nothing is known, and it is 1.
#[must_use]
pub fn upper(hits: u64, trials: u64, confidence: f64) -> f64 {
    if hits >= trials {
        return 1.0;
    }
    solve(|share| at_most(hits, trials, share) > 1.0 - confidence)
}

/// The share that is undercut with probability `1 - confidence` at most.
#[must_use]
pub fn lower(hits: u64, trials: u64, confidence: f64) -> f64 {
    if hits == 0 || trials == 0 {
        return 0.0;
    }
    1.0 - upper(trials.saturating_sub(hits), trials, confidence)
}

/// Where a condition that holds from 0 on ends.
fn solve(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The probability of `hits` or fewer of `trials` at this share.
fn at_most(hits: u64, trials: u64, share: f64) -> f64 {
    if share <= 0.0 {
        return 1.0;
    }
    if share >= 1.0 {
        return 0.0;
    }
    let n = trials as f64;
    let chosen = |k: f64| libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    (0..=hits)
        .map(|k| {
            let k = k as f64;
            (chosen(k) + k * share.ln() + (n - k) * (-share).ln_1p()).exp()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bounds() {
        for (hits, trials, wanted) in [
            // 1 - 0.05^(1/n): the rule of three.
            (0, 30, 1.0 - 0.05_f64.powf(1.0 / 30.0)),
            (0, 299, 1.0 - 0.05_f64.powf(1.0 / 299.0)),
            // Tables: 1 of 473 is just below 1 %.
            (1, 473, 0.009_994),
            (30, 30, 1.0),
            (0, 0, 1.0),
        ] {
            let found = upper(hits, trials, 0.95);
            assert!((found - wanted).abs() < 1e-5, "{hits} of {trials}: {found}");
        }
        assert!((lower(30, 30, 0.95) - 0.05_f64.powf(1.0 / 30.0)).abs() < 1e-9);
        assert!(lower(0, 30, 0.95).abs() < 1e-12);
    }

    proptest::proptest! {
        /// The bounds enclose what was counted, and more trials say more.
        #[test]
        fn bounds_enclose(hits in 0_u64..40, more in 1_u64..200) {
            let trials = hits + more;
            let share = hits as f64 / trials as f64;
            let (low, high) = (lower(hits, trials, 0.95), upper(hits, trials, 0.95));
            proptest::prop_assert!(low <= share && share <= high);
            proptest::prop_assert!(upper(hits, trials + 50, 0.95) <= high);
            proptest::prop_assert!(lower(2 * hits, 2 * trials, 0.95) + 1e-9 >= low);
        }
    }
}
