//! A comparison for programs: names are stable; `docs/schemas/baseline-compare.json` describes them.

use serde::Serialize;

use super::contest::Contest;
use crate::baseline::compared::{ProbeCompared, Timing};
use crate::baseline::court::LOOKS;
use crate::baseline::recorded::{Count, PlanShape};
use crate::baseline::turns::Alternation;

/// The comparison.
#[derive(Debug, Serialize)]
pub(super) struct Json<'a> {
    schema_version: u32,
    workload: &'a str,
    kind: &'static str,
    operations: u64,
    a: Side<'a>,
    b: Side<'a>,
    settings: Settings,
    verdict: &'static str,
    is_interrupted: bool,
    measured_seconds: f64,
    compared_counters: u64,
    questions: usize,
    differences: Vec<Difference<'a>>,
    probes: Vec<Probe<'a>>,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct Side<'a> {
    name: &'a str,
    server: &'a str,
    version: &'a str,
    schema: &'a str,
}

#[derive(Debug, Serialize)]
struct Settings {
    alpha: f64,
    min_effect: f64,
    power: f64,
    looks: usize,
    seed: u64,
    alternation: &'static str,
    slice_seconds: f64,
    max_seconds: f64,
}

#[derive(Debug, Serialize)]
struct Difference<'a> {
    what: &'a str,
    a: &'a str,
    b: &'a str,
    remedy: &'a str,
}

#[derive(Debug, Serialize)]
struct Probe<'a> {
    name: &'a str,
    verdict: &'static str,
    failure: Option<Failure<'a>>,
    results: &'static str,
    times: Vec<Time>,
    counters: Vec<Counter<'a>>,
    plans: Option<Plans<'a>>,
}

#[derive(Debug, Serialize)]
struct Failure<'a> {
    side: &'static str,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct Time {
    metric: &'static str,
    verdict: &'static str,
    is_faster: bool,
    pairs: usize,
    a_us: Option<f64>,
    b_us: Option<f64>,
    change: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    p: Option<f64>,
    detectable: Option<f64>,
    decided_after_seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Counter<'a> {
    name: &'a str,
    change: &'static str,
    a: Range,
    b: Range,
    tolerance: Option<String>,
}

#[derive(Debug, Serialize)]
struct Range {
    low: u64,
    high: u64,
}

#[derive(Debug, Serialize)]
struct Plans<'a> {
    a: Vec<Plan<'a>>,
    b: Vec<Plan<'a>>,
}

#[derive(Debug, Serialize)]
struct Plan<'a> {
    operations: u64,
    shape: &'a [String],
}

/// The comparison.
pub(super) fn of(contest: &Contest) -> Json<'_> {
    let compared = &contest.compared;
    let side = |at: usize| {
        let of = &contest.sides[at];
        Side {
            name: &of.name,
            server: &of.server,
            version: &of.version,
            schema: &of.schema,
        }
    };
    Json {
        schema_version: 1,
        workload: &contest.workload,
        kind: contest.kind,
        operations: contest.operations,
        a: side(0),
        b: side(1),
        settings: Settings {
            alpha: contest.limits.alpha,
            min_effect: contest.limits.least,
            power: contest.limits.power,
            looks: LOOKS.len(),
            seed: contest.pace.seed,
            alternation: match contest.pace.alternation {
                Alternation::Operation => "operation",
                Alternation::Slice => "slice",
            },
            slice_seconds: contest.pace.slice.as_secs_f64(),
            max_seconds: contest.pace.most.as_secs_f64(),
        },
        verdict: compared.outcome.word(),
        is_interrupted: compared.is_interrupted,
        measured_seconds: compared.seconds,
        compared_counters: compared.counters,
        questions: compared.questions,
        differences: compared
            .differences
            .iter()
            .map(|one| Difference {
                what: &one.what,
                a: &one.then,
                b: &one.now,
                remedy: &one.remedy,
            })
            .collect(),
        probes: compared.probes.iter().map(probe).collect(),
        notes: &compared.notes,
    }
}

fn probe(probe: &ProbeCompared) -> Probe<'_> {
    let first = probe.failure.as_deref().map(|reason| ("a", reason));
    let second = probe.counted.failure.as_deref().map(|reason| ("b", reason));
    Probe {
        name: &probe.name,
        verdict: probe.outcome.word(),
        failure: first
            .or(second)
            .map(|(side, reason)| Failure { side, reason }),
        results: match probe.is_same_result {
            Some(true) => "same",
            Some(false) => "differ",
            None => "unknown",
        },
        times: probe.times.iter().map(time).collect(),
        counters: probe
            .counted
            .counters
            .iter()
            .map(|one| Counter {
                name: &one.counter,
                change: one.change.word(),
                a: range(one.then),
                b: range(one.now),
                tolerance: one.allowance.map(|allowance| allowance.to_string()),
            })
            .collect(),
        plans: probe.counted.plans.as_ref().map(|change| Plans {
            a: change.then.iter().map(shape).collect(),
            b: change.now.iter().map(shape).collect(),
        }),
    }
}

fn time(one: &Timing) -> Time {
    let finite = |value: f64| value.is_finite().then_some(value);
    let micros = |value: Option<f64>| value.and_then(|value| finite(value * 1e6));
    let judged = one.judged;
    Time {
        metric: one.metric.word(),
        verdict: one.outcome.word(),
        is_faster: one.is_faster,
        pairs: one.pairs,
        a_us: micros(one.typical.map(|(a, _)| a)),
        b_us: micros(one.typical.map(|(_, b)| b)),
        change: judged.and_then(|judged| finite(judged.effect)),
        low: judged.and_then(|judged| finite(judged.low)),
        high: judged.and_then(|judged| finite(judged.high)),
        p: judged.and_then(|judged| finite(judged.p)),
        detectable: judged.and_then(|judged| judged.detectable),
        decided_after_seconds: one.decided_after,
    }
}

fn range(count: Count) -> Range {
    Range {
        low: count.low,
        high: count.high,
    }
}

fn shape(plan: &PlanShape) -> Plan<'_> {
    Plan {
        operations: plan.operations,
        shape: &plan.shape,
    }
}
