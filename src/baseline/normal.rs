//! The normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The probability of a value above `z`.
#[must_use]
pub fn above(z: f64) -> f64 {
    0.5 * libm::erfc(z * FRAC_1_SQRT_2)
}

/// The `z` above which a value lies with this probability, between 0 and 1.
#[must_use]
pub fn quantile_above(probability: f64) -> f64 {
    if probability <= 0.0 {
        return f64::INFINITY;
    }
    if probability >= 1.0 {
        return f64::NEG_INFINITY;
    }
    // `above` falls everywhere, so that halving finds the place; Newton's steps sharpen it.
    let (mut low, mut high) = (-40.0_f64, 40.0_f64);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if above(middle) > probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut z = f64::midpoint(low, high);
    for _ in 0..3 {
        let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
        if density > 0.0 {
            z += (above(z) - probability) / density;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        for (probability, z) in [
            (0.5, 0.0),
            (0.025, 1.959_963_984_540_054),
            (0.01, 2.326_347_874_040_841),
            (0.99, -2.326_347_874_040_841),
            (1e-6, 4.753_424_308_822_899),
        ] {
            assert!(
                (quantile_above(probability) - z).abs() < 1e-9,
                "{probability}"
            );
            assert!((above(z) - probability).abs() < 1e-12, "{z}");
        }
    }
}
