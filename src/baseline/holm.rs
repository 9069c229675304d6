//! Holm's step-down rule: many tests at once, with one bound for any false alarm among them.

/// Which tests reject, so that the probability of a single false one among all is `alpha` at most.
#[must_use]
pub fn rejects(p_values: &[f64], alpha: f64) -> Vec<bool> {
    adjusted(p_values).into_iter().map(|p| p <= alpha).collect()
}

/// The p-values as they are to be held against the bound of the whole family.
#[must_use]
pub fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|one, other| p_values[*one].total_cmp(&p_values[*other]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut highest: f64 = 0.0;
    for (done, place) in order.into_iter().enumerate() {
        let left = (p_values.len() - done) as f64;
        highest = highest.max((p_values[place] * left).min(1.0));
        adjusted[place] = highest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_down() {
        let found = adjusted(&[0.01, 0.04, 0.03, 0.005]);
        for (found, wanted) in found.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        }
        assert_eq!(
            rejects(&[0.01, 0.04, 0.03, 0.005], 0.05),
            [true, false, false, true]
        );
        assert_eq!(rejects(&[], 0.05), Vec::<bool>::new());
    }

    proptest::proptest! {
        /// Never below the p-value itself, never above that of Bonferroni, in the same order.
        #[test]
        fn between_none_and_bonferroni(p in proptest::collection::vec(0.0_f64..=1.0, 1..30)) {
            let found = adjusted(&p);
            for (place, (one, p_value)) in found.iter().zip(&p).enumerate() {
                proptest::prop_assert!(*one >= *p_value);
                proptest::prop_assert!(*one <= (p_value * p.len() as f64).min(1.0) + 1e-12);
                for (other, p_other) in found.iter().zip(&p).skip(place) {
                    proptest::prop_assert!(p_value <= p_other || one >= other);
                }
            }
        }
    }
}
