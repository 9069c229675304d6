//! A history for programs: names are stable; `docs/schemas/baseline-history.json` describes them.

use serde::Serialize;

use crate::baseline::comparable::Difference;
use crate::baseline::history::{self, CounterCourse, Figure, History};
use crate::baseline::recorded::Count;

/// The history.
#[derive(Debug, Serialize)]
pub(super) struct Json<'a> {
    schema_version: u32,
    runs: &'a [String],
    counters: u64,
    breaks: Vec<Break<'a>>,
    loads: Vec<Break<'a>>,
    steps: Vec<Counter<'a>>,
    plans: Vec<Plans<'a>>,
    times: Vec<Time<'a>>,
    times_with_too_few: u64,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct Break<'a> {
    run: usize,
    differences: Vec<String>,
    label: &'a str,
}

#[derive(Debug, Serialize)]
struct Counter<'a> {
    probe: &'a str,
    #[serde(rename = "counter")]
    name: &'a str,
    values: Vec<Option<[u64; 2]>>,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Serialize)]
struct Step<'a> {
    run: usize,
    label: &'a str,
    change: &'static str,
    before: [u64; 2],
    after: [u64; 2],
}

#[derive(Debug, Serialize)]
struct Plans<'a> {
    run: usize,
    label: &'a str,
    probe: &'a str,
    before: Vec<&'a [String]>,
    after: Vec<&'a [String]>,
}

#[derive(Debug, Serialize)]
struct Time<'a> {
    probe: Option<&'a str>,
    quantile: &'a str,
    is_relative: bool,
    recorded: &'a [Option<f64>],
    judged: &'a [Option<f64>],
    noise: Option<f64>,
    shifts: Vec<Shift<'a>>,
    drift: Option<Drift<'a>>,
}

#[derive(Debug, Serialize)]
struct Shift<'a> {
    run: usize,
    label: &'a str,
    change: f64,
    before: f64,
    after: f64,
    p: f64,
}

#[derive(Debug, Serialize)]
struct Drift<'a> {
    run: usize,
    label: &'a str,
    runs: usize,
    change_per_run: f64,
    low: Option<f64>,
    high: Option<f64>,
    p: f64,
}

/// The history, with what was left out of it.
pub(super) fn of<'a>(history: &'a History, notes: &'a [String]) -> Json<'a> {
    let label = |at: usize| history.labels.get(at).map_or("", String::as_str);
    Json {
        schema_version: 1,
        runs: &history.labels,
        counters: history.counters,
        breaks: breaks(&history.breaks, label),
        loads: breaks(&history.loads, label),
        steps: history
            .steps
            .iter()
            .map(|one| counter(one, label))
            .collect(),
        plans: history
            .plans
            .iter()
            .map(|one| Plans {
                run: one.at,
                label: label(one.at),
                probe: &one.probe,
                before: one.plans.then.iter().map(|plan| &plan.shape[..]).collect(),
                after: one.plans.now.iter().map(|plan| &plan.shape[..]).collect(),
            })
            .collect(),
        times: history.figures.iter().map(|one| time(one, label)).collect(),
        times_with_too_few: history.too_few,
        notes,
    }
}

fn breaks<'a>(these: &'a [history::Break], label: impl Fn(usize) -> &'a str) -> Vec<Break<'a>> {
    these
        .iter()
        .map(|one| Break {
            run: one.at,
            label: label(one.at),
            differences: one.differences.iter().map(Difference::sentence).collect(),
        })
        .collect()
}

fn ends(count: Count) -> [u64; 2] {
    [count.low, count.high]
}

fn counter<'a>(course: &'a CounterCourse, label: impl Fn(usize) -> &'a str) -> Counter<'a> {
    Counter {
        probe: &course.probe,
        name: &course.counter,
        values: course.values.iter().map(|value| value.map(ends)).collect(),
        steps: course
            .steps
            .iter()
            .map(|step: &history::Step| Step {
                run: step.at,
                label: label(step.at),
                change: step.change.word(),
                before: ends(step.then),
                after: ends(step.now),
            })
            .collect(),
    }
}

fn time<'a>(figure: &'a Figure, label: impl Fn(usize) -> &'a str) -> Time<'a> {
    let finite = |value: f64| value.is_finite().then_some(value);
    Time {
        probe: figure.probe.as_deref(),
        quantile: figure.quantile,
        is_relative: figure.is_relative,
        recorded: &figure.values,
        judged: &figure.judged,
        noise: figure.noise,
        shifts: figure
            .course
            .shifts
            .iter()
            .map(|shift| Shift {
                run: shift.at,
                label: label(shift.at),
                change: shift.share(),
                before: shift.before,
                after: shift.after,
                p: shift.p,
            })
            .collect(),
        drift: figure.course.drift.map(|drift| Drift {
            run: drift.from,
            label: label(drift.from),
            runs: drift.runs,
            change_per_run: drift.per_run,
            low: finite(drift.low),
            high: finite(drift.high),
            p: drift.p,
        }),
    }
}
