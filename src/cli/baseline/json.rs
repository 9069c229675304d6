//! A verdict for programs: names are stable; `docs/schemas/baseline-check.json` describes them.

use serde::Serialize;

use crate::baseline::objective;
use crate::baseline::recorded::{Baseline, Count, PlanShape};
use crate::baseline::verdict::{ProbeVerdict, Verdict};

/// The verdict.
#[derive(Debug, Serialize)]
pub(super) struct Json<'a> {
    schema_version: u32,
    file: &'a str,
    pack: &'a str,
    seed: u64,
    operations: u64,
    verdict: &'static str,
    compared_counters: u64,
    differences: Vec<Difference<'a>>,
    probes: Vec<Probe<'a>>,
    objectives: Option<Objectives<'a>>,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct Objectives<'a> {
    verdict: &'static str,
    seconds: f64,
    client_limit: Option<&'a str>,
    probes: Vec<Objective<'a>>,
}

#[derive(Debug, Serialize)]
struct Objective<'a> {
    name: &'a str,
    state: &'static str,
    quantile: f64,
    limit_us: f64,
    response_us: Option<f64>,
    operations: u64,
    late: u64,
    telling: u64,
    p: f64,
}

#[derive(Debug, Serialize)]
struct Difference<'a> {
    what: &'a str,
    recorded: &'a str,
    now: &'a str,
    remedy: &'a str,
}

#[derive(Debug, Serialize)]
struct Probe<'a> {
    name: &'a str,
    verdict: &'static str,
    failure: Option<&'a str>,
    counters: Vec<Counter<'a>>,
    plans: Option<Plans<'a>>,
}

#[derive(Debug, Serialize)]
struct Counter<'a> {
    name: &'a str,
    change: &'static str,
    recorded: Range,
    now: Range,
    tolerance: Option<String>,
}

#[derive(Debug, Serialize)]
struct Range {
    low: u64,
    high: u64,
}

#[derive(Debug, Serialize)]
struct Plans<'a> {
    recorded: Vec<Plan<'a>>,
    now: Vec<Plan<'a>>,
}

#[derive(Debug, Serialize)]
struct Plan<'a> {
    operations: u64,
    shape: &'a [String],
}

/// The verdict on what was recorded in `file`.
pub(super) fn of<'a>(file: &'a str, then: &'a Baseline, verdict: &'a Verdict) -> Json<'a> {
    Json {
        schema_version: 1,
        file,
        pack: &then.workload.pack,
        seed: then.workload.seed,
        operations: then.workload.operations,
        verdict: verdict.outcome.word(),
        compared_counters: verdict.compared,
        differences: verdict
            .differences
            .iter()
            .map(|difference| Difference {
                what: &difference.what,
                recorded: &difference.then,
                now: &difference.now,
                remedy: &difference.remedy,
            })
            .collect(),
        probes: verdict.probes.iter().map(of_probe).collect(),
        objectives: verdict.objectives.as_ref().map(of_objectives),
        notes: &verdict.notes,
    }
}

fn of_objectives(all: &objective::Objectives) -> Objectives<'_> {
    Objectives {
        verdict: all.outcome().word(),
        seconds: all.seconds,
        client_limit: all.client_limit.as_deref(),
        probes: all
            .judged
            .iter()
            .map(|one| Objective {
                name: &one.measured.probe,
                state: one.state.word(),
                quantile: one.measured.quantile,
                limit_us: one.measured.limit.as_secs_f64() * 1e6,
                response_us: one.measured.response.map(|time| time.as_secs_f64() * 1e6),
                operations: one.measured.operations,
                late: one.measured.late,
                telling: one.telling,
                p: one.p,
            })
            .collect(),
    }
}

fn of_probe(probe: &ProbeVerdict) -> Probe<'_> {
    Probe {
        name: &probe.name,
        verdict: probe.outcome.word(),
        failure: probe.failure.as_deref(),
        counters: probe
            .counters
            .iter()
            .map(|one| Counter {
                name: &one.counter,
                change: one.change.word(),
                recorded: range(one.then),
                now: range(one.now),
                tolerance: one.allowance.map(|allowance| allowance.to_string()),
            })
            .collect(),
        plans: probe.plans.as_ref().map(|plans| Plans {
            recorded: plans.then.iter().map(plan).collect(),
            now: plans.now.iter().map(plan).collect(),
        }),
    }
}

fn range(count: Count) -> Range {
    Range {
        low: count.low,
        high: count.high,
    }
}

fn plan(plan: &PlanShape) -> Plan<'_> {
    Plan {
        operations: plan.operations,
        shape: &plan.shape,
    }
}
