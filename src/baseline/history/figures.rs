//! The times of a history: which are judged, and what of their noise all probes have in common.
//!
//! A machine that is slow for a while is slow for every probe of a run. Where there are enough
//! probes, the middle of their changes is taken as the run's own, judged by itself, and taken out
//! of each probe's times: what is left moves far less from run to run.

use std::collections::BTreeSet;

use super::Run;
use super::course::{self, Course, Shift};
use super::trend::{median, sorted};

/// The quantiles that are judged, with the operations that a run needs for each: behind a quantile
/// there have to be a few.
pub const QUANTILES: [(&str, u64); 3] = [("p50", 10), ("p95", 100), ("p99", 500)];

/// Probes that are needed to tell a run's own slowness from theirs.
pub const LEAST_COMMON: usize = 5;

/// Runs that are needed before anything is said.
const LEAST_RUNS: usize = 8;

/// One time of a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The probe; `None` for what all have in common.
    pub probe: Option<String>,
    /// The quantile of the response.
    pub quantile: &'static str,
    /// As recorded, microseconds; for all probes together, times the usual.
    pub values: Vec<Option<f64>>,
    /// What is judged: without what all probes of the run have in common, where that is known.
    pub judged: Vec<Option<f64>>,
    /// Whether something was taken out.
    pub is_relative: bool,
    /// The noise of what is judged, as a share: the standard deviation from run to run, as the
    /// middle of the steps between neighbours tells it.
    pub noise: Option<f64>,
    /// What became of it.
    pub course: Course,
}

impl Figure {
    /// Its name in a sentence.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.probe {
            Some(probe) => format!("{} of `{probe}`", self.quantile),
            None => format!("{} of all probes together", self.quantile),
        }
    }
}

/// The figures, and how many have too few operations or runs to be judged.
pub(super) fn of(runs: &[Run], borders: &[usize], alpha: f64) -> (Vec<Figure>, u64) {
    let mut figures = Vec::new();
    let mut too_few = 0;
    let stretches = stretches(runs.len(), borders);
    for (quantile, operations) in QUANTILES {
        let mut of_it = Vec::new();
        for probe in names(runs) {
            match values(runs, probe, quantile, operations) {
                Some(values) => of_it.push(figure(Some(probe), quantile, values)),
                None => too_few += 1,
            }
        }
        let common = take_out_common(&mut of_it, &stretches);
        figures.extend(common.map(|values| figure(None, quantile, values)));
        figures.append(&mut of_it);
    }
    let alpha = alpha / figures.len().max(1) as f64;
    for figure in &mut figures {
        figure.noise = noise(&figure.judged);
        figure.course = course_of(&figure.judged, &stretches, alpha);
    }
    (figures, too_few)
}

fn names(runs: &[Run]) -> BTreeSet<&str> {
    runs.iter()
        .filter_map(|run| run.baseline.timed.as_ref())
        .flat_map(|timed| timed.probes.keys().map(String::as_str))
        .collect()
}

fn figure(probe: Option<&str>, quantile: &'static str, values: Vec<Option<f64>>) -> Figure {
    Figure {
        probe: probe.map(str::to_owned),
        quantile,
        judged: values.clone(),
        values,
        is_relative: false,
        noise: None,
        course: Course::default(),
    }
}

/// A quantile run by run; `None` where there are too few of them.
fn values(runs: &[Run], probe: &str, quantile: &str, operations: u64) -> Option<Vec<Option<f64>>> {
    let values: Vec<Option<f64>> = runs
        .iter()
        .map(|run| {
            let timed = run.baseline.timed.as_ref()?.probes.get(probe)?;
            let value = *timed.response_us.get(quantile)?;
            let is_sound = timed.completed >= operations && value.is_finite() && value > 0.0;
            is_sound.then_some(value)
        })
        .collect();
    (values.iter().flatten().count() >= LEAST_RUNS).then_some(values)
}

fn stretches(runs: usize, borders: &[usize]) -> Vec<(usize, usize)> {
    let starts = std::iter::once(0).chain(borders.iter().copied());
    let ends = borders.iter().copied().chain([runs]);
    starts.zip(ends).collect()
}

/// Takes what the figures have in common out of each; gives it as times the usual.
fn take_out_common(
    figures: &mut [Figure],
    stretches: &[(usize, usize)],
) -> Option<Vec<Option<f64>>> {
    if figures.len() < LEAST_COMMON {
        return None;
    }
    let mut common = vec![None; figures[0].values.len()];
    for (from, to) in stretches {
        let usual: Vec<f64> = figures
            .iter()
            .map(|figure| {
                let logs = figure.values[*from..*to].iter().flatten();
                median(&sorted(logs.map(|value| value.ln()).collect()))
            })
            .collect();
        for (run, common) in common.iter_mut().enumerate().take(*to).skip(*from) {
            let changes: Vec<f64> = figures
                .iter()
                .zip(&usual)
                .filter_map(|(figure, usual)| Some(figure.values[run]?.ln() - usual))
                .collect();
            if changes.len() >= LEAST_COMMON {
                *common = Some(median(&sorted(changes)).exp());
            }
        }
    }
    for figure in figures {
        figure.is_relative = true;
        for (judged, common) in figure.judged.iter_mut().zip(&common) {
            *judged = judged.zip(*common).map(|(value, common)| value / common);
        }
    }
    Some(common)
}

fn course_of(values: &[Option<f64>], stretches: &[(usize, usize)], alpha: f64) -> Course {
    let mut whole = Course::default();
    for (from, to) in stretches {
        let there: Vec<(usize, f64)> = (*from..*to)
            .filter_map(|place| Some((place, values[place]?)))
            .collect();
        if there.len() < LEAST_RUNS {
            continue;
        }
        let known: Vec<f64> = there.iter().map(|(_, value)| *value).collect();
        let course = course::of(&known, alpha);
        whole.shifts.extend(course.shifts.iter().map(|shift| Shift {
            at: there[shift.at].0,
            ..*shift
        }));
        if *to == values.len() {
            whole.drift = course.drift.map(|mut drift| {
                drift.from = there[drift.from].0;
                drift
            });
        }
    }
    whole
}

/// From the steps between neighbours, which a shift or a drift hardly touches.
fn noise(values: &[Option<f64>]) -> Option<f64> {
    /// The standard deviation of normal noise for a median step of 1.
    const OF_MEDIAN: f64 = 1.482_602_218_505_602;
    let logs: Vec<f64> = values.iter().flatten().map(|value| value.ln()).collect();
    let steps: Vec<f64> = logs
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .collect();
    let spread = OF_MEDIAN * median(&sorted(steps)) / std::f64::consts::SQRT_2;
    (logs.len() >= LEAST_RUNS).then(|| spread.exp_m1())
}
