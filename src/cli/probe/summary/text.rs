//! A run of the load engine for people.

use super::{all_responses, rows_per_call};
use crate::model::finding::{Finding, Severity};
use crate::model::probe::{Latencies, LoadTick, ProbeFigures, Slo, quantile};
use crate::model::units;
use crate::probes::outcome::{Bottleneck, RunReport, is_met};
use crate::report::doc::{Block, Document, Table};
use std::time::Duration;

const QUANTILES: [f64; 4] = [0.50, 0.95, 0.99, 0.999];

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
