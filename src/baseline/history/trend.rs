//! Whether a series rises or falls by and by: the test of Mann and Kendall, and the slope of Theil
//! and Sen with its interval.
//!
//! Mann, "Nonparametric Tests Against Trend", Econometrica 13 (1945); Kendall, "Rank Correlation
//! Methods" (1975), for ties and the normal approximation; Sen, "Estimates of the Regression
//! Coefficient Based on Kendall's Tau", Journal of the American Statistical Association 63 (1968).

use crate::baseline::normal;

/// Below so many values the normal approximation is none.
pub const LEAST: usize = 8;

/// A trend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// The median of the slopes between all pairs, per step.
    pub slope: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The value of the line at the first step.
    pub start: f64,
    /// The probability of so much order without a trend, both directions together.
    pub p: f64,
}

/// The trend of values at equal distances, its interval missing the true slope with probability
/// `alpha` at most; `None` for fewer than [`LEAST`] values.
#[must_use]
pub fn of(values: &[f64], alpha: f64) -> Option<Trend> {
    let count = values.len();
    if count < LEAST {
        return None;
    }
    let mut slopes = Vec::with_capacity(count * (count - 1) / 2);
    let mut order = 0.0;
    for (place, one) in values.iter().enumerate() {
        for (steps, other) in values[place + 1..].iter().enumerate() {
            slopes.push((other - one) / (steps + 1) as f64);
            order += match other.total_cmp(one) {
                std::cmp::Ordering::Less => -1.0,
                std::cmp::Ordering::Equal => 0.0,
                std::cmp::Ordering::Greater => 1.0,
            };
        }
    }
    slopes.sort_by(f64::total_cmp);
    let slope = median(&slopes);
    let deviation = variance(values).sqrt();
    // A step of 2 is the least that the order can move by, so that 1 is its continuity correction.
    let z = (f64::abs(order) - 1.0).max(0.0) / deviation;
    let p = if deviation > 0.0 {
        (2.0 * normal::above(z)).min(1.0)
    } else {
        1.0
    };
    let reach = normal::quantile_above(alpha / 2.0) * deviation;
    let (low, high) = ends(&slopes, reach);
    let rests: Vec<f64> = values
        .iter()
        .enumerate()
        .map(|(step, value)| value - slope * step as f64)
        .collect();
    Some(Trend {
        slope,
        low,
        high,
        start: median(&sorted(rests)),
        p,
    })
}

/// The slopes at the two places that `reach` leaves out on each side.
fn ends(slopes: &[f64], reach: f64) -> (f64, f64) {
    let count = slopes.len();
    let cut = (0..count / 2)
        .take_while(|cut| (*cut as f64) < (count as f64 - reach) / 2.0)
        .last();
    match cut {
        Some(cut) => (slopes[cut], slopes[count - 1 - cut]),
        None => (f64::NEG_INFINITY, f64::INFINITY),
    }
}

/// The variance of the order without a trend, equal values accounted for.
fn variance(values: &[f64]) -> f64 {
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let values = sorted(values.to_vec());
    let ties: f64 = values
        .chunk_by(|one, other| one.total_cmp(other).is_eq())
        .map(|same| term(same.len() as f64))
        .sum();
    ((term(values.len() as f64) - ties) / 18.0).max(0.0)
}

/// In rising order.
pub(super) fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The middle of sorted values; 0 without any.
pub(super) fn median(sorted: &[f64]) -> f64 {
    let count = sorted.len();
    if count == 0 {
        return 0.0;
    }
    f64::midpoint(sorted[(count - 1) / 2], sorted[count / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slope_and_order_are_those_of_the_definitions() {
        // The order of (1, 3, 2, 4, 6, 5, 7, 8) is 28 - 2 x 2 = 24, its variance 8 x 7 x 21 / 18.
        let trend = of(&[1.0, 3.0, 2.0, 4.0, 6.0, 5.0, 7.0, 8.0], 0.05).unwrap();
        assert!((trend.slope - 1.0).abs() < 1e-12, "{trend:?}");
        let z: f64 = 23.0 / (8.0_f64 * 7.0 * 21.0 / 18.0).sqrt();
        assert!(
            (trend.p - 2.0 * normal::above(z)).abs() < 1e-12,
            "{trend:?}"
        );
        assert!(trend.low <= 1.0 && trend.high >= 1.0 && trend.low > 0.0);
    }

    #[test]
    fn equal_values_have_no_trend() {
        let trend = of(&[3.0; 20], 0.05).unwrap();
        assert_eq!((trend.slope.abs() < 1e-12, trend.p >= 1.0), (true, true));
        assert_eq!(of(&[1.0; LEAST - 1], 0.05), None);
    }

    proptest::proptest! {
        /// A line is a line whatever its slope, and turning it round turns the slope.
        #[test]
        fn lines_keep_their_slope(slope in -9.0_f64..9.0, start in -9.0_f64..9.0, count in 8_usize..40) {
            let values: Vec<f64> = (0..count).map(|step| start + slope * step as f64).collect();
            let trend = of(&values, 0.01).unwrap();
            proptest::prop_assert!((trend.slope - slope).abs() < 1e-9);
            proptest::prop_assert!((trend.start - start).abs() < 1e-9);
            let back: Vec<f64> = values.into_iter().rev().collect();
            let back = of(&back, 0.01).unwrap();
            proptest::prop_assert!((back.slope + slope).abs() < 1e-9);
            proptest::prop_assert!((back.p - trend.p).abs() < 1e-9);
        }
    }
}
