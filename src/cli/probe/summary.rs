//! A run of the load engine as a document and as JSON.

use std::time::Duration;

use serde::Serialize;

use crate::model::finding::{Finding, Severity};
use crate::model::probe::{Counts, Latencies, LoadTick, ProbeFigures, Slo, quantile};
use crate::model::units;
use crate::probes::outcome::{Bottleneck, RunReport, is_met};
use crate::probes::recorder::{growing, merge};
use crate::report::doc::{Block, Document, Table};

const QUANTILES: [f64; 4] = [0.50, 0.95, 0.99, 0.999];

/// The counts of all probes together.
pub(in crate::cli) fn counts(tick: &LoadTick) -> Counts {
    tick.probes
        .iter()
        .fold(Counts::default(), |sum, probe| sum.plus(probe.counts))
}

/// The response of all probes together.
pub(in crate::cli) fn all_responses(tick: &LoadTick) -> Latencies {
    let mut all = growing();
    for probe in &tick.probes {
        merge(&mut all, &probe.response);
    }
    all
}

/// The run for people.
pub(in crate::cli) fn document(report: &RunReport) -> Document {
    let total = &report.total;
    let mut blocks = vec![
        Block::Facts(facts(report)),
        Block::Table(responses(total, report)),
        Block::Table(services(total)),
        Block::Heading("Connection pool".to_owned()),
        Block::Facts(pool(total)),
    ];
    if !report.errors.is_empty() {
        blocks.push(Block::Table(errors(report)));
    }
    blocks.push(Block::Heading("Verdict".to_owned()));
    blocks.push(Block::Findings(verdicts(report)));
    Document {
        title: format!("Load of {}", total.label),
        blocks,
    }
}

fn facts(report: &RunReport) -> Vec<(String, String)> {
    let total = &report.total;
    let counts = report.counts();
    let load = if report.is_closed_loop {
        "closed loop: as fast as answers came; stalls are hidden".to_owned()
    } else {
        format!(
            "open loop, {} operations/s intended",
            units::count(total.target_rate)
        )
    };
    vec![
        ("Load".to_owned(), load),
        ("Measured".to_owned(), units::duration(total.window)),
        (
            "Throughput".to_owned(),
            format!("{}/s completed", units::count(report.throughput())),
        ),
        (
            "Operations".to_owned(),
            format!(
                "{} scheduled = {} completed + {} failed + {} timed out + {} unsent",
                counts.scheduled, counts.completed, counts.failed, counts.timed_out, counts.unsent
            ),
        ),
        ("Retries".to_owned(), counts.retries.to_string()),
        ("Generator lateness".to_owned(), quantiles(&total.lateness)),
    ]
}

fn cell(histogram: &Latencies, q: f64) -> String {
    quantile(histogram, q).map_or_else(|| "-".to_owned(), units::duration)
}

fn latency_cells(histogram: &Latencies) -> Vec<String> {
    let mut cells: Vec<String> = QUANTILES.iter().map(|q| cell(histogram, *q)).collect();
    cells.push(cell(histogram, 1.0));
    cells
}

fn responses(total: &LoadTick, report: &RunReport) -> Table {
    let mut table = Table::new(
        "Response: from the intended start to the last row, waits included",
        &[
            "Probe",
            ">Count",
            ">Errors",
            ">p50",
            ">p95",
            ">p99",
            ">p99.9",
            ">max",
            "Objective",
        ],
    );
    for probe in &total.probes {
        let lost = probe.counts.failed + probe.counts.timed_out + probe.counts.unsent;
        let mut row = vec![
            probe.name.to_string(),
            probe.counts.scheduled.to_string(),
            lost.to_string(),
        ];
        row.extend(latency_cells(&probe.response));
        row.push(objective(probe));
        table.push(row);
    }
    let counts = report.counts();
    let mut row = vec![
        "all".to_owned(),
        counts.scheduled.to_string(),
        (counts.failed + counts.timed_out + counts.unsent).to_string(),
    ];
    row.extend(latency_cells(&all_responses(total)));
    row.push(String::new());
    table.push(row);
    table
}

fn services(total: &LoadTick) -> Table {
    let mut table = Table::new(
        "Service: from sending to the last row, the server and the wire alone",
        &[
            "Probe",
            ">Rows/call",
            ">Retries",
            ">p50",
            ">p95",
            ">p99",
            ">p99.9",
            ">max",
        ],
    );
    for probe in &total.probes {
        let mut row = vec![
            probe.name.to_string(),
            rows_per_call(probe).map_or_else(|| "-".to_owned(), units::count),
            probe.counts.retries.to_string(),
        ];
        row.extend(latency_cells(&probe.service));
        table.push(row);
    }
    table
}

fn rows_per_call(probe: &ProbeFigures) -> Option<f64> {
    (probe.counts.completed > 0).then(|| probe.rows as f64 / probe.counts.completed as f64)
}

fn objective(probe: &ProbeFigures) -> String {
    let Some(Slo {
        quantile: share,
        limit,
    }) = probe.slo
    else {
        return String::new();
    };
    let state = match is_met(probe) {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "no data",
    };
    format!("p{} < {} {state}", share * 100.0, units::duration(limit))
}

fn quantiles(histogram: &Latencies) -> String {
    if histogram.is_empty() {
        return "nothing recorded".to_owned();
    }
    format!(
        "p50 {}, p99 {}, max {}",
        cell(histogram, 0.50),
        cell(histogram, 0.99),
        cell(histogram, 1.0)
    )
}

fn pool(total: &LoadTick) -> Vec<(String, String)> {
    let pool = &total.pool;
    [
        ("Connections", format!("{} at most", pool.max)),
        ("Utilization", units::percent(pool.utilization)),
        (
            "Waiting",
            format!(
                "{} on average, {} at most",
                units::count(pool.pending_mean),
                pool.pending_max
            ),
        ),
        ("Wait", quantiles(&pool.wait)),
        ("Use", quantiles(&pool.usage)),
        ("Open", quantiles(&pool.create)),
        (
            "Lent, opened, closed, given up waiting",
            format!(
                "{}, {}, {}, {}",
                pool.acquired, pool.created, pool.closed, pool.timeouts
            ),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn errors(report: &RunReport) -> Table {
    let mut table = Table::new(
        "Errors by probe and code; the text is the probe's latest",
        &["Probe", "Code", ">Count", "Latest"],
    );
    for error in &report.errors {
        let latest = report
            .total
            .probes
            .iter()
            .find(|probe| probe.name == error.probe)
            .and_then(|probe| probe.last_error.clone());
        table.push([
            error.probe.to_string(),
            error.code.to_string(),
            error.count.to_string(),
            latest.unwrap_or_default(),
        ]);
    }
    table
}

fn finding(severity: Severity, code: &'static str, message: String, remedy: &str) -> Finding {
    Finding {
        severity,
        code,
        message,
        remedy: remedy.to_owned(),
    }
}

/// What the run allows to be concluded.
pub(in crate::cli) fn verdicts(report: &RunReport) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, probe) in report.missed().into_iter().enumerate() {
        let remedy = if number == 0 {
            "see the service latency above: what the server does not explain is waiting"
        } else {
            ""
        };
        found.push(finding(
            Severity::Problem,
            "objective-missed",
            missed(probe),
            remedy,
        ));
    }
    match report.is_rate_sustained() {
        Some(true) => found.push(finding(
            Severity::Ok,
            "rate-sustained",
            format!(
                "the rate of {}/s was sustained",
                units::count(report.total.target_rate)
            ),
            "",
        )),
        Some(false) => found.push(finding(
            Severity::Warning,
            "rate-not-sustained",
            format!(
                "the rate was not sustained: {} of {} operations were left unsent",
                report.counts().unsent,
                report.counts().scheduled
            ),
            "lower the rate, or see below what held it up",
        )),
        None => found.push(finding(
            Severity::Note,
            "closed-loop",
            "a closed loop has no rate to sustain, and its latencies hide stalls".to_owned(),
            "judge latency with `--rate`",
        )),
    }
    if report.connections_refused > 0 {
        found.push(finding(
            Severity::Warning,
            "connections-refused",
            format!(
                "{} attempts to open a connection failed; the latest: {}",
                report.connections_refused,
                report.last_refusal.as_deref().unwrap_or("unknown")
            ),
            "",
        ));
    }
    found.push(bottleneck(report));
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

fn missed(probe: &ProbeFigures) -> String {
    let measured = probe.slo_state().map_or(Duration::ZERO, |(value, _)| value);
    let limit = probe.slo.map_or(Duration::ZERO, |slo| slo.limit);
    let share = probe.slo.map_or(0.0, |slo| slo.quantile) * 100.0;
    if measured > limit {
        format!(
            "`{}`: p{share} of the response is {}, above {}",
            probe.name,
            units::duration(measured),
            units::duration(limit)
        )
    } else {
        format!(
            "`{}`: {} of {} operations failed, more than p{share} leaves room for",
            probe.name, probe.counts.failed, probe.counts.scheduled
        )
    }
}

fn bottleneck(report: &RunReport) -> Finding {
    let used = units::percent(report.total.pool.utilization);
    match report.bottleneck() {
        Bottleneck::Client => finding(
            Severity::Warning,
            "client-limited",
            "client-limited: the generator's own lateness at p99 is more than a tenth of the \
             response's"
                .to_owned(),
            "run mydex on a quieter machine, or lower the rate; these latencies are partly its own",
        ),
        Bottleneck::Pool => finding(
            Severity::Note,
            "pool-bottleneck",
            format!(
                "operations waited longer for a connection than for the server (pool {used} used)"
            ),
            "raise `--concurrency` if the server has room; if service latency then grows, it has none",
        ),
        Bottleneck::Server => finding(
            Severity::Ok,
            "server-time",
            format!("time went to the server, not to waiting for a connection (pool {used} used)"),
            "",
        ),
    }
}

/// The run for programs. Times are in seconds.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RunJson {
    label: String,
    started: String,
    measured_seconds: f64,
    is_closed_loop: bool,
    is_interrupted: bool,
    target_rate: Option<f64>,
    throughput: f64,
    is_rate_sustained: Option<bool>,
    is_client_limited: bool,
    bottleneck: &'static str,
    counts: CountsJson,
    probes: Vec<ProbeJson>,
    pool: PoolJson,
    lateness: Option<LatencyJson>,
    errors: Vec<ErrorJson>,
    connections_refused: u64,
    overflow: u64,
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
struct LatencyJson {
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
        probes: total.probes.iter().map(probe_json).collect(),
        pool: pool_json(total),
        lateness: latency_json(&total.lateness),
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

fn latency_json(histogram: &Latencies) -> Option<LatencyJson> {
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
    }
}
