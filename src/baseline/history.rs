//! Many recordings of one workload, in order: exact steps of counters, other plans, and the course
//! of the times, which are never the same twice.
//!
//! A run that can't be compared with those before it begins a new stretch; nothing is judged across
//! its border.

pub mod change_points;
pub mod course;
pub mod trend;

mod figures;

use std::collections::BTreeSet;

use super::comparable::{self, Difference};
use super::metric::{self, Meaning};
use super::recorded::{Baseline, Count, Probe};
use super::verdict::{self, Change, PlanChange};
pub use figures::{Figure, LEAST_COMMON, QUANTILES};

/// Runs that are looked at, the latest ones; the search for shifts takes their square.
pub const MOST_RUNS: usize = 200;

/// The probability of any false alarm among all figures of a history, at most.
pub const ALPHA: f64 = 0.01;

/// A recording and what it is called.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// Such as the name of its file, or a commit.
    pub label: String,
    /// What was recorded.
    pub baseline: Baseline,
}

/// What became of a workload.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The runs, in order.
    pub labels: Vec<String>,
    /// Runs that can't be compared with the one before.
    pub breaks: Vec<Break>,
    /// Runs whose times can't be compared with those before: they were under another load.
    pub loads: Vec<Break>,
    /// Counters that were looked at, over all probes.
    pub counters: u64,
    /// Those that changed, by probe and name.
    pub steps: Vec<CounterCourse>,
    /// Other plans, by run and probe.
    pub plans: Vec<PlanStep>,
    /// Times, by quantile: all probes together first, then by name.
    pub figures: Vec<Figure>,
    /// Times that were recorded and have too few operations to be judged.
    pub too_few: u64,
}

/// A run that begins a new stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The run, from 0.
    pub at: usize,
    /// What differs from the stretch before.
    pub differences: Vec<Difference>,
}

/// A counter over all operations of its probe, from run to run.
#[derive(Debug, Clone, PartialEq)]
pub struct CounterCourse {
    /// The probe.
    pub probe: String,
    /// The counter.
    pub counter: String,
    /// Run by run; `None` where it was not recorded.
    pub values: Vec<Option<Count>>,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// A step of a counter. Counters have no noise, so that each step is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The first run with the new value, from 0.
    pub at: usize,
    /// Before it.
    pub then: Count,
    /// From it on.
    pub now: Count,
    /// What it means.
    pub change: Change,
}

/// Other plans of a probe.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanStep {
    /// The first run with them, from 0.
    pub at: usize,
    /// The probe.
    pub probe: String,
    /// Which.
    pub plans: PlanChange,
}

impl History {
    /// What got worse in the last `runs` runs, each one sentence without the run's label.
    #[must_use]
    pub fn worse_within(&self, runs: usize) -> Vec<(usize, String)> {
        let first = self.labels.len().saturating_sub(runs);
        let steps = self.steps.iter().flat_map(|course| {
            let worse = course
                .steps
                .iter()
                .filter(|step| step.change == Change::Regressed);
            worse.map(|step| {
                let of_it = format!("`{}` of `{}`", course.counter, course.probe);
                (step.at, format!("{of_it} got worse"))
            })
        });
        let shifts = self.figures.iter().flat_map(|figure| {
            let worse = figure.course.shifts.iter().filter(|one| one.share() > 0.0);
            worse.map(|one| (one.at, format!("{} is slower", figure.name())))
        });
        let last = self.labels.len().saturating_sub(1);
        let drifts = self.figures.iter().filter_map(|figure| {
            let drift = figure.course.drift.filter(|drift| drift.per_run > 0.0)?;
            let sentence = format!("{} gets slower run by run", figure.name());
            Some((last.max(drift.from), sentence))
        });
        let mut found: Vec<(usize, String)> = steps
            .chain(shifts)
            .chain(drifts)
            .filter(|(at, _)| *at >= first)
            .collect();
        found.sort();
        found
    }
}

/// The history of `runs`, the oldest first. `alpha` bounds the probability of any false alarm among
/// all times; [`ALPHA`] is what mydex uses.
#[must_use]
pub fn of(runs: &[Run], alpha: f64) -> History {
    let breaks = breaks(runs);
    let borders: Vec<usize> = breaks.iter().map(|one| one.at).collect();
    let names: BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| run.baseline.probes.keys().map(String::as_str))
        .collect();
    let mut history = History {
        labels: runs.iter().map(|run| run.label.clone()).collect(),
        breaks,
        ..History::default()
    };
    for name in names {
        let probes: Vec<Option<&Probe>> = runs
            .iter()
            .map(|run| run.baseline.probes.get(name))
            .collect();
        history.plans.extend(plans(name, &probes, &borders));
        for counter in counters(runs) {
            history.counters += 1;
            let course = counter_course(name, &counter, (runs, &probes), &borders);
            history.steps.extend(course);
        }
    }
    history
        .plans
        .sort_by(|one, other| (one.at, &one.probe).cmp(&(other.at, &other.probe)));
    history.loads = loads(runs, &borders);
    let mut borders = borders;
    borders.extend(history.loads.iter().map(|one| one.at));
    borders.sort_unstable();
    let (figures, too_few) = figures::of(runs, &borders, alpha);
    history.figures = figures;
    history.too_few = too_few;
    history
}

fn breaks(runs: &[Run]) -> Vec<Break> {
    let mut found = Vec::new();
    for (place, pair) in runs.windows(2).enumerate() {
        let differences = comparable::of_workloads(&pair[0].baseline, &pair[1].baseline);
        if !differences.is_empty() {
            found.push(Break {
                at: place + 1,
                differences,
            });
        }
    }
    found
}

/// Where the times begin anew, because rate or connections are others.
fn loads(runs: &[Run], borders: &[usize]) -> Vec<Break> {
    let loads: Vec<Option<(f64, f64)>> = runs
        .iter()
        .map(|run| {
            let timed = run.baseline.timed.as_ref()?;
            Some((timed.rate, timed.pool.get("max").copied().unwrap_or(0.0)))
        })
        .collect();
    neighbours(&loads, borders)
        .filter_map(|(at, then, now)| {
            let differences: Vec<Difference> = [
                ("the rate of the timed pass", then.0, now.0),
                ("the number of its connections", then.1, now.1),
            ]
            .into_iter()
            .filter(|(_, then, now)| (then - now).abs() > 1e-6)
            .map(|(what, then, now)| Difference {
                what: what.to_owned(),
                then: then.to_string(),
                now: now.to_string(),
                remedy: "keep the load as it was where times are to be compared".to_owned(),
            })
            .collect();
            (!differences.is_empty()).then_some(Break { at, differences })
        })
        .collect()
}

/// The counters of any run that mean something by themselves.
fn counters(runs: &[Run]) -> BTreeSet<String> {
    runs.iter()
        .flat_map(|run| metric::common(&run.baseline.counted, &run.baseline.counted))
        .filter(|name| metric::meaning(name) != Meaning::Way)
        .collect()
}

/// Neighbours of one stretch that are both there: the place of the second with both.
fn neighbours<'a, T>(
    values: &'a [Option<T>],
    borders: &'a [usize],
) -> impl Iterator<Item = (usize, &'a T, &'a T)> {
    let mut before: Option<&T> = None;
    values.iter().enumerate().filter_map(move |(at, value)| {
        if borders.contains(&at) {
            before = None;
        }
        let value = value.as_ref()?;
        let then = before.replace(value)?;
        Some((at, then, value))
    })
}

fn counter_course(
    name: &str,
    counter: &str,
    (runs, probes): (&[Run], &[Option<&Probe>]),
    borders: &[usize],
) -> Option<CounterCourse> {
    let values: Vec<Option<Count>> = runs
        .iter()
        .zip(probes)
        .map(|(run, probe)| {
            let mut told = run.baseline.counted.iter();
            let is_there = counter == metric::READS || told.any(|name| name == counter);
            probe
                .filter(|_| is_there)
                .map(|probe| metric::count(probe, counter))
        })
        .collect();
    let steps: Vec<Step> = neighbours(&values, borders)
        .filter(|(_, then, now)| then != now)
        .map(|(at, then, now)| Step {
            at,
            then: *then,
            now: *now,
            change: verdict::change(*then, *now, metric::meaning(counter), None, false),
        })
        .filter(|step| matches!(step.change, Change::Regressed | Change::Improved))
        .collect();
    (!steps.is_empty()).then(|| CounterCourse {
        probe: name.to_owned(),
        counter: counter.to_owned(),
        values,
        steps,
    })
}

fn plans(name: &str, probes: &[Option<&Probe>], borders: &[usize]) -> Vec<PlanStep> {
    neighbours(probes, borders)
        .filter_map(|(at, then, now)| {
            Some(PlanStep {
                at,
                probe: name.to_owned(),
                plans: verdict::plan_change(&then.plans, &now.plans)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;
