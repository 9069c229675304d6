//! A run of the load engine for people.

use super::verdict::verdicts;
use super::{all_responses, cell, counts, pool, rows_per_call, stages};
use crate::model::probe::{Latencies, LoadTick, ProbeFigures, Slo};
use crate::model::units;
use crate::probes::outcome::{RunReport, is_met};
use crate::report::doc::{Block, Document, Table};

const QUANTILES: [f64; 4] = [0.50, 0.95, 0.99, 0.999];

/// The run for people.
pub(in crate::cli) fn document(report: &RunReport) -> Document {
    let total = &report.total;
    let mut blocks = vec![Block::Facts(facts(report))];
    if !report.stages.is_empty() {
        blocks.push(Block::Heading("Stages".to_owned()));
        blocks.extend(stages::blocks(&report.stages));
        blocks.push(Block::Heading("All stages together".to_owned()));
    }
    blocks.extend([
        Block::Table(responses(total)),
        Block::Table(services(total)),
        Block::Heading("Connection pool".to_owned()),
        Block::Facts(pool_facts(total)),
        Block::Table(pool::table(&total.pool)),
    ]);
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
    let load = if let Some(think) = report.think {
        format!(
            "closed loop: {} users who think {} on average between two operations",
            total.pool.max,
            units::duration(think)
        )
    } else if report.is_closed_loop {
        "closed loop: as fast as answers came; stalls are hidden".to_owned()
    } else {
        let mean = if report.stages.is_empty() {
            ""
        } else {
            " on average"
        };
        format!(
            "open loop, {} operations/s intended{mean}",
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
        (
            "Generator processor".to_owned(),
            format!(
                "{} of one by the busiest thread",
                units::percent(total.client_cpu)
            ),
        ),
    ]
}

fn latency_cells(histogram: &Latencies) -> Vec<String> {
    let mut cells: Vec<String> = QUANTILES.iter().map(|q| cell(histogram, *q)).collect();
    cells.push(cell(histogram, 1.0));
    cells
}

pub(super) fn responses(total: &LoadTick) -> Table {
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
    let counts = counts(total);
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

pub(super) fn services(total: &LoadTick) -> Table {
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

pub(super) fn quantiles(histogram: &Latencies) -> String {
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

fn pool_facts(total: &LoadTick) -> Vec<(String, String)> {
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
        (
            "Lent, opened, closed",
            format!("{}, {}, {}", pool.acquired, pool.created, pool.closed),
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
