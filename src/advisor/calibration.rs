//! How far the optimizer's estimates are from what was measured, so that plans which were not run
//! are judged like those that were.
//!
//! MySQL's cost of reading rows through entries of a secondary index, against that of reading a
//! table from end to end, depends on constants that need not fit the machine or the data; the error
//! is about the same for plans of the same kind and a similar gain. What is learned here only
//! decides which plans are tried next: those of the chosen set are run all the same.

/// Gains that are further apart than this, as a difference of natural logarithms, have little to
/// say about one another.
const WIDTH: f64 = 1.0;

/// Measurements that nothing at all weighs as much as: few of them say little.
const PRIOR: f64 = 1.0;

/// Errors of estimates that were seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibration {
    /// For plans that fetch rows through an index, and for others.
    kinds: [Vec<Seen>; 2],
}

/// Natural logarithms of one comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    /// Of the estimated factor against today's plan.
    estimated: f64,
    /// Of how many times that the measured one is.
    error: f64,
}

impl Calibration {
    /// Adds a plan whose factor against today's was `estimated` and is `measured`; figures that are
    /// no positive numbers say nothing.
    pub fn learn(&mut self, fetches: bool, estimated: f64, measured: f64) {
        let seen = Seen {
            estimated: estimated.ln(),
            error: (measured / estimated).ln(),
        };
        if seen.estimated.is_finite() && seen.error.is_finite() {
            self.kinds[usize::from(fetches)].push(seen);
        }
    }

    /// The factor to expect of a plan of that kind with this estimate: the estimate times the
    /// error of plans like it, the nearer ones weighing more (Nadaraya-Watson with a Gaussian
    /// kernel, drawn towards no error).
    #[must_use]
    pub fn expect(&self, fetches: bool, estimated: f64) -> f64 {
        let at = estimated.ln();
        if !at.is_finite() {
            return estimated;
        }
        let (mut sum, mut weights) = (0.0, PRIOR);
        for seen in &self.kinds[usize::from(fetches)] {
            let distance = (seen.estimated - at) / WIDTH;
            let weight = libm::exp(-0.5 * distance * distance);
            sum += weight * seen.error;
            weights += weight;
        }
        estimated * libm::exp(sum / weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_is_taken_as_it_is() {
        let calibration = Calibration::default();
        assert!((calibration.expect(true, 0.5) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn plans_of_a_kind_err_alike() {
        let mut calibration = Calibration::default();
        for _ in 0..9 {
            calibration.learn(true, 0.7, 4.2);
        }
        assert!(calibration.expect(true, 0.7) > 3.0);
        assert!(calibration.expect(true, 0.6) > 2.5);
        // Neither far smaller estimates nor another kind of plan has to do with it.
        assert!(calibration.expect(true, 0.001) < 0.002);
        assert!((calibration.expect(false, 0.7) - 0.7).abs() < 1e-12);
    }

    #[test]
    fn one_measurement_is_not_the_truth() {
        let mut calibration = Calibration::default();
        calibration.learn(false, 0.5, 2.0);
        let expected = calibration.expect(false, 0.5);
        assert!(expected > 0.9 && expected < 1.1, "{expected}");
    }

    #[test]
    fn senseless_figures_teach_nothing() {
        let mut calibration = Calibration::default();
        for (estimated, measured) in [
            (0.0, 1.0),
            (1.0, 0.0),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
        ] {
            calibration.learn(true, estimated, measured);
        }
        assert_eq!(calibration, Calibration::default());
        assert!(calibration.expect(true, 0.0).abs() < 1e-12);
    }
}
