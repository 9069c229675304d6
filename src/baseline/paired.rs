//! Two sides measured in turns: is the second slower, and what could have been seen?
//!
//! Each pair gives the logarithm of the ratio of its two times. What is compared at once is one
//! family: the bound on false alarms holds for all of it together.

use super::{holm, normal, ranks};

/// How to judge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The probability of a single false alarm in the whole family, at most.
    pub alpha: f64,
    /// The share by which a time has to grow to be a regression, such as 0.05.
    pub least: f64,
    /// The probability with which an effect of the stated size would have been seen.
    pub power: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            alpha: 0.01,
            least: 0.05,
            power: 0.95,
        }
    }
}

/// What came of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is not slower by the least share that counts.
    Pass,
    /// It is slower.
    Regressed,
    /// Neither can be said.
    Inconclusive,
}

/// The judgement of one comparison. Shares are of the first side: 0.1 is ten percent slower.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What came of it.
    pub outcome: Outcome,
    /// Pairs.
    pub pairs: usize,
    /// The estimate of the change.
    pub effect: f64,
    /// The lower end of the interval that holds for the whole family at once.
    pub low: f64,
    /// The upper end; infinite where there are too few pairs.
    pub high: f64,
    /// The p-value of "not slower", adjusted for the family.
    pub p: f64,
    /// The smallest change that would have been seen; `None` where no change would have been.
    pub detectable: Option<f64>,
}

/// Judges a family of comparisons, each given by the log-ratios of its pairs, the second side over
/// the first.
#[must_use]
pub fn judge(family: &[Vec<f64>], limits: &Limits) -> Vec<Judged> {
    let p_values: Vec<f64> = family.iter().map(|one| ranks::p_above(one)).collect();
    let adjusted = holm::adjusted(&p_values);
    let side = limits.alpha / family.len().max(1) as f64;
    family
        .iter()
        .zip(adjusted)
        .map(|(ratios, p)| one(ratios, p, side, limits))
        .collect()
}

fn one(ratios: &[f64], p: f64, side: f64, limits: &Limits) -> Judged {
    let Some(found) = ranks::interval(ratios, side) else {
        return Judged {
            outcome: Outcome::Inconclusive,
            pairs: 0,
            effect: 0.0,
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            p: 1.0,
            detectable: None,
        };
    };
    let least = limits.least.ln_1p();
    let is_slower = p <= limits.alpha && found.middle >= least;
    let outcome = if is_slower {
        Outcome::Regressed
    } else if found.high < least {
        Outcome::Pass
    } else {
        Outcome::Inconclusive
    };
    Judged {
        outcome,
        pairs: ratios.len(),
        effect: found.middle.exp_m1(),
        low: found.low.exp_m1(),
        high: found.high.exp_m1(),
        p,
        detectable: detectable(&found, side, limits).map(f64::exp_m1),
    }
}

/// The log-ratio that would have been called a regression with the stated probability, at the
/// spread that was seen. The width of the interval tells the spread, so that single wild pairs do
/// not count.
fn detectable(found: &ranks::Interval, side: f64, limits: &Limits) -> Option<f64> {
    let needed = normal::quantile_above(side);
    let spread = (found.high - found.low) / 2.0 / needed;
    let power = normal::quantile_above(1.0 - limits.power).abs();
    // It has to be told from nothing, and to be estimated above the least that counts.
    let effect = ((needed + power) * spread).max(limits.least.ln_1p() + power * spread);
    effect.is_finite().then_some(effect)
}

/// The smallest growth that would be seen with `times` as many pairs as these, among `family`
/// comparisons, at the spread of these; `None` where they are too few to tell a spread.
#[must_use]
pub fn foreseen(ratios: &[f64], times: f64, family: usize, limits: &Limits) -> Option<f64> {
    let side = limits.alpha / family.max(1) as f64;
    let found = ranks::interval(ratios, side)?;
    let shrunk = times.sqrt();
    let scaled = ranks::Interval {
        low: found.middle + (found.low - found.middle) / shrunk,
        high: found.middle + (found.high - found.middle) / shrunk,
        ..found
    };
    detectable(&scaled, side, limits).map(f64::exp_m1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_pcg::Pcg64;

    /// Log-ratios of noise with rare, long disturbances of either side, shifted by `effect`.
    fn noisy(random: &mut Pcg64, pairs: usize, effect: f64, spread: f64) -> Vec<f64> {
        (0..pairs)
            .map(|_| {
                let bell: f64 = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
                let wild = match random.random_range(0..20) {
                    0 => 1.0,
                    1 => -1.0,
                    _ => 0.0,
                };
                effect.ln_1p() + spread * bell + wild
            })
            .collect()
    }

    #[test]
    fn slowdowns_are_found_and_nothing_else() {
        let mut random = Pcg64::seed_from_u64(7);
        let limits = Limits::default();
        let (mut alarms, mut found, mut passed) = (0, 0, 0);
        for _ in 0..400 {
            let quiet = judge(&[noisy(&mut random, 40, 0.0, 0.06)], &limits)[0];
            alarms += u32::from(quiet.outcome == Outcome::Regressed);
            passed += u32::from(quiet.outcome == Outcome::Pass);
            let slow = judge(&[noisy(&mut random, 40, 0.10, 0.06)], &limits)[0];
            found += u32::from(slow.outcome == Outcome::Regressed);
        }
        assert!(alarms <= 4, "{alarms} false alarms of 400");
        assert!(found >= 380, "{found} of 400 found");
        assert!(passed >= 320, "{passed} of 400 passed");
    }

    #[test]
    fn a_family_shares_its_bound() {
        let mut random = Pcg64::seed_from_u64(11);
        let limits = Limits {
            least: 0.0,
            ..Limits::default()
        };
        let mut families = 0;
        for _ in 0..200 {
            let family: Vec<Vec<f64>> = (0..20).map(|_| noisy(&mut random, 24, 0.0, 0.1)).collect();
            let is_alarm = judge(&family, &limits)
                .iter()
                .any(|one| one.outcome == Outcome::Regressed);
            families += u32::from(is_alarm);
        }
        // At 1 %, more than 7 of 200 come less than once in a hundred runs.
        assert!(families <= 7, "{families} of 200 families");
    }

    #[test]
    fn more_pairs_will_show_more() {
        let mut random = Pcg64::seed_from_u64(13);
        let ratios = noisy(&mut random, 100, 0.0, 0.3);
        let limits = Limits::default();
        let seen = |times| foreseen(&ratios, times, 1, &limits).unwrap();
        assert!(seen(1.0) > 1.5 * seen(4.0), "{} {}", seen(1.0), seen(4.0));
        assert!(seen(1e9) < 0.0501 && seen(1e9) >= 0.05);
        let judged = judge(std::slice::from_ref(&ratios), &limits)[0];
        assert!((judged.detectable.unwrap() - seen(1.0)).abs() < 1e-12);
        assert_eq!(foreseen(&[], 1.0, 1, &limits), None);
    }

    #[test]
    fn too_few_pairs_decide_nothing() {
        let judged = judge(&[vec![0.5; 4], Vec::new()], &Limits::default());
        assert_eq!(judged[0].outcome, Outcome::Inconclusive);
        assert_eq!(judged[0].detectable, None);
        assert_eq!(judged[1].pairs, 0);
    }

    #[test]
    fn small_slowdowns_below_the_least_are_none() {
        // Surely slower, by two percent where five count.
        let ratios: Vec<f64> = (0..40).map(|i| 0.02 + f64::from(i % 7) * 1e-4).collect();
        let judged = judge(&[ratios], &Limits::default())[0];
        assert!(judged.p < 1e-6);
        assert_eq!(judged.outcome, Outcome::Pass);
    }

    proptest! {
        /// The sides can be named the other way round: then slower is faster.
        #[test]
        fn sides_mirror(ratios in proptest::collection::vec(-0.5_f64..0.5, 10..40)) {
            let mirrored: Vec<f64> = ratios.iter().map(|one| -one).collect();
            let limits = Limits::default();
            let one = judge(&[ratios], &limits)[0];
            let other = judge(&[mirrored], &limits)[0];
            prop_assert!(((1.0 + one.effect) * (1.0 + other.effect) - 1.0).abs() < 1e-9);
            prop_assert!(!(one.outcome == Outcome::Regressed && other.outcome == Outcome::Regressed));
        }
    }
}
