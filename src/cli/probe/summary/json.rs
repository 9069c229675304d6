//! A run of the load engine for programs: names are stable and carry their unit.

use super::{all_responses, counts, pool, rows_per_call};
use crate::config::value;
use crate::model::probe::{Counts, Latencies, LoadTick, ProbeFigures, quantile};
use crate::probes::outcome::{Bottleneck, RunReport, StageReport, client_limit, is_met};
use serde::Serialize;

/// The run for programs. Times are in seconds.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RunJson {
    label: String,
    started: String,
    measured_seconds: f64,
    is_closed_loop: bool,
    think_seconds: Option<f64>,
    is_interrupted: bool,
    target_rate: Option<f64>,
    throughput: f64,
    is_rate_sustained: Option<bool>,
    is_client_limited: bool,
    bottleneck: &'static str,
    counts: CountsJson,
    /// Of all probes together.
    response: Option<LatencyJson>,
    probes: Vec<ProbeJson>,
    pool: PoolJson,
    lateness: Option<LatencyJson>,
    /// Share of a processor that the generator's busiest thread used.
    client_cpu: f64,
    errors: Vec<ErrorJson>,
    connections_refused: u64,
    overflow: u64,
    stages: Vec<StageJson>,
}

/// One stage; rates in operations per second.
#[derive(Debug, Serialize)]
struct StageJson {
    stage: String,
    from_rate: f64,
    to_rate: f64,
    measured_seconds: f64,
    target_rate: f64,
    handled_rate: f64,
    is_rate_sustained: bool,
    is_client_limited: bool,
    waiting_before: u64,
    waiting_after: u64,
    counts: CountsJson,
    response: Option<LatencyJson>,
    probes: Vec<ProbeJson>,
    pool: PoolJson,
    lateness: Option<LatencyJson>,
    client_cpu: f64,
}

#[derive(Debug, Serialize)]
struct CountsJson {
    scheduled: u64,
    completed: u64,
    failed: u64,
    timed_out: u64,
    unsent: u64,
    retries: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct LatencyJson {
    count: u64,
    mean: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

#[derive(Debug, Serialize)]
struct ProbeJson {
    name: String,
    is_write: bool,
    counts: CountsJson,
    rows_per_call: Option<f64>,
    response: Option<LatencyJson>,
    service: Option<LatencyJson>,
    objective: Option<ObjectiveJson>,
    last_error: Option<String>,
}

#[derive(Debug, Serialize)]
struct ObjectiveJson {
    quantile: f64,
    limit: f64,
    measured: Option<f64>,
    is_met: Option<bool>,
}

#[derive(Debug, Serialize)]
struct PoolJson {
    max: u32,
    utilization: f64,
    pending_mean: f64,
    pending_max: u64,
    timeouts: u64,
    created: u64,
    closed: u64,
    acquired: u64,
    wait: Option<LatencyJson>,
    create: Option<LatencyJson>,
    usage: Option<LatencyJson>,
    /// The same under the names of the OpenTelemetry conventions, with the levels at the end.
    metrics: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Serialize)]
struct ErrorJson {
    probe: String,
    code: String,
    count: u64,
}

pub(in crate::cli) fn json(report: &RunReport) -> RunJson {
    let total = &report.total;
    RunJson {
        label: total.label.to_string(),
        started: report.started.to_string(),
        measured_seconds: total.window.as_secs_f64(),
        is_closed_loop: report.is_closed_loop,
        think_seconds: report.think.map(|think| think.as_secs_f64()),
        is_interrupted: report.is_interrupted,
        target_rate: (!report.is_closed_loop).then_some(total.target_rate),
        throughput: report.throughput(),
        is_rate_sustained: report.is_rate_sustained(),
        is_client_limited: report.is_client_limited(),
        bottleneck: match report.bottleneck() {
            Bottleneck::Client => "client",
            Bottleneck::Pool => "pool",
            Bottleneck::Server => "server",
        },
        counts: counts_json(report.counts()),
        response: latency_json(&all_responses(total)),
        probes: total.probes.iter().map(probe_json).collect(),
        pool: pool_json(total),
        lateness: latency_json(&total.lateness),
        client_cpu: total.client_cpu,
        errors: report
            .errors
            .iter()
            .map(|error| ErrorJson {
                probe: error.probe.to_string(),
                code: error.code.to_string(),
                count: error.count,
            })
            .collect(),
        connections_refused: report.connections_refused,
        overflow: report.overflow,
        stages: report.stages.iter().map(stage_json).collect(),
    }
}

fn stage_json(stage: &StageReport) -> StageJson {
    let total = &stage.total;
    StageJson {
        stage: value::show_stage(stage.stage),
        from_rate: stage.stage.from,
        to_rate: stage.stage.to,
        measured_seconds: total.window.as_secs_f64(),
        target_rate: total.target_rate,
        handled_rate: stage.handled_rate(),
        is_rate_sustained: stage.is_rate_sustained(),
        is_client_limited: client_limit(total).is_some(),
        waiting_before: stage.waiting_before,
        waiting_after: stage.waiting_after,
        counts: counts_json(counts(total)),
        response: latency_json(&all_responses(total)),
        probes: total.probes.iter().map(probe_json).collect(),
        pool: pool_json(total),
        lateness: latency_json(&total.lateness),
        client_cpu: total.client_cpu,
    }
}

fn counts_json(counts: Counts) -> CountsJson {
    CountsJson {
        scheduled: counts.scheduled,
        completed: counts.completed,
        failed: counts.failed,
        timed_out: counts.timed_out,
        unsent: counts.unsent,
        retries: counts.retries,
    }
}

pub(super) fn latency_json(histogram: &Latencies) -> Option<LatencyJson> {
    let at = |q| quantile(histogram, q).map(|value| value.as_secs_f64());
    Some(LatencyJson {
        count: histogram.len(),
        mean: histogram.mean() / 1e9,
        p50: at(0.50)?,
        p95: at(0.95)?,
        p99: at(0.99)?,
        p999: at(0.999)?,
        max: at(1.0)?,
    })
}

fn probe_json(probe: &ProbeFigures) -> ProbeJson {
    ProbeJson {
        name: probe.name.to_string(),
        is_write: probe.is_write,
        counts: counts_json(probe.counts),
        rows_per_call: rows_per_call(probe),
        response: latency_json(&probe.response),
        service: latency_json(&probe.service),
        objective: probe.slo.map(|slo| ObjectiveJson {
            quantile: slo.quantile,
            limit: slo.limit.as_secs_f64(),
            measured: probe.slo_state().map(|(value, _)| value.as_secs_f64()),
            is_met: is_met(probe),
        }),
        last_error: probe.last_error.clone(),
    }
}

fn pool_json(total: &LoadTick) -> PoolJson {
    let pool = &total.pool;
    PoolJson {
        max: pool.max,
        utilization: pool.utilization,
        pending_mean: pool.pending_mean,
        pending_max: pool.pending_max,
        timeouts: pool.timeouts,
        created: pool.created,
        closed: pool.closed,
        acquired: pool.acquired,
        wait: latency_json(&pool.wait),
        create: latency_json(&pool.create),
        usage: latency_json(&pool.usage),
        metrics: self::pool::json(pool),
    }
}
