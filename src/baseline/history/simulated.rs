//! How well shifts and drifts are found in simulated histories whose truth is known.
//!
//! The noise is log-normal, and every twentieth run is up to 35 % slower than that. A figure gets
//! the share of the bound on false alarms that one of several has: of ten in the tests, of sixty
//! (as many as a pack of twenty probes has) in the table.

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use super::ALPHA;
use super::course::{self, Course};

/// Histories of each kind.
const HISTORIES: usize = 100;

/// Figures that share the bound in the table.
const MANY: f64 = 60.0;

struct Noise {
    random: Pcg64,
    spread: f64,
}

impl Noise {
    /// Noise with this coefficient of variation, other noise for another one.
    fn new(variation: f64) -> Self {
        Self {
            random: Pcg64::seed_from_u64(variation.to_bits()),
            spread: (variation * variation).ln_1p().sqrt(),
        }
    }

    fn run(&mut self, level: f64) -> f64 {
        let bell: f64 = (0..12).map(|_| self.random.random::<f64>()).sum::<f64>() - 6.0;
        let is_wild = self.random.random_range(0..20) == 0;
        let wild = if is_wild {
            0.3 * self.random.random::<f64>()
        } else {
            0.0
        };
        1_000.0 * level * (self.spread * bell + wild).exp()
    }

    fn history(&mut self, runs: usize, level: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..runs).map(|run| self.run(level(run))).collect()
    }
}

fn judged(values: &[f64], figures: f64) -> Course {
    course::of(values, ALPHA / figures)
}

/// Of [`HISTORIES`] with a step of 10 %, those that have it at its run or the one beside it.
pub(super) fn steps_located(variation: f64, figures: f64) -> usize {
    let mut noise = Noise::new(variation);
    (0..HISTORIES)
        .filter(|number| {
            let at = 15 + number % 30;
            let values = noise.history(60, |run| if run >= at { 1.1 } else { 1.0 });
            let shifts = judged(&values, figures).shifts;
            shifts.iter().any(|shift| shift.at.abs_diff(at) <= 1)
        })
        .count()
}

/// Of [`HISTORIES`] whose last fifteen runs each add 1 %, those where that is told by then: as a
/// drift, or as a shift for the worse within them.
pub(super) fn drifts_flagged(variation: f64, figures: f64) -> usize {
    let mut noise = Noise::new(variation);
    (0..HISTORIES)
        .filter(|_| {
            let values = noise.history(45, |run| {
                let steps = i32::try_from(run.saturating_sub(29)).unwrap();
                1.01_f64.powi(steps)
            });
            let course = judged(&values, figures);
            let is_worse = |shift: &course::Shift| shift.at >= 30 && shift.share() > 0.0;
            course.drift.is_some_and(|drift| drift.per_run > 0.0)
                || course.shifts.iter().any(is_worse)
        })
        .count()
}

/// Of [`HISTORIES`] of noise alone, those in which anything is found.
pub(super) fn alarms(variation: f64, figures: f64) -> usize {
    let mut noise = Noise::new(variation);
    (0..HISTORIES)
        .filter(|_| {
            let course = judged(&noise.history(60, |_| 1.0), figures);
            !course.shifts.is_empty() || course.drift.is_some()
        })
        .count()
}

/// A row for each noise: steps located, drifts flagged, false alarms.
#[allow(dead_code, reason = "the bench of baselines prints it")]
pub(crate) fn table() -> Vec<String> {
    [0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10, 0.23, 0.41]
        .into_iter()
        .map(|variation| {
            let located = steps_located(variation, MANY);
            let flagged = drifts_flagged(variation, MANY);
            let alarms = alarms(variation, MANY);
            let percent = variation * 100.0;
            format!("| {percent:.0} % | {located} | {flagged} | {alarms} |")
        })
        .collect()
}
