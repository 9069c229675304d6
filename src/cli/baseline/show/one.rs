//! One recorded file for people.

use crate::baseline::metric::{self, READS};
use crate::baseline::recorded::{Baseline, Probe, Timed};
use crate::cli::baseline::document::{count, grouped};
use crate::model::units;
use crate::report::doc::{Block, Document, Table};

/// The file as a document.
pub(super) fn of(file: &str, baseline: &Baseline) -> Document {
    let mut blocks = vec![
        Block::Facts(facts(baseline)),
        Block::Table(probes(baseline)),
    ];
    if let Some(timed) = &baseline.timed {
        blocks.push(Block::Heading("Times".to_owned()));
        blocks.push(Block::Table(times(timed)));
        let pool = timed
            .pool
            .iter()
            .map(|(name, value)| (name.clone(), value.to_string()));
        blocks.push(Block::Details {
            summary: "The pool of the timed pass".to_owned(),
            blocks: vec![Block::Facts(pool.collect())],
        });
    }
    blocks.push(Block::Heading("Plans".to_owned()));
    blocks.extend(baseline.probes.iter().map(|(name, probe)| Block::Details {
        summary: name.clone(),
        blocks: vec![Block::Code {
            language: "text",
            text: plans(probe),
        }],
    }));
    blocks.push(Block::Heading("Data".to_owned()));
    blocks.push(Block::Table(tables(baseline)));
    if !baseline.left_out.is_empty() {
        blocks.push(Block::Heading("Left out".to_owned()));
        let left = baseline.left_out.iter();
        blocks.push(Block::List(
            left.map(|(name, reason)| format!("`{name}`: {reason}"))
                .collect(),
        ));
    }
    Document {
        title: format!("Baseline {file}"),
        blocks,
    }
}

fn facts(baseline: &Baseline) -> Vec<(String, String)> {
    let workload = &baseline.workload;
    [
        (
            "pack",
            format!("{}, version {}", workload.pack, workload.version),
        ),
        (
            "data",
            format!("seed {}, scale {}", workload.data_seed, workload.scale),
        ),
        (
            "operations",
            format!(
                "{} of each probe, seed {}",
                workload.operations, workload.seed
            ),
        ),
        ("server", baseline.server.version.clone()),
        ("counters", baseline.counted.len().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn probes(baseline: &Baseline) -> Table {
    let mut table = Table::new(
        "Counters over all operations of a probe",
        &[
            "Probe",
            ">Rows sent",
            ">Rows examined",
            ">Reads",
            ">Sorted",
            ">Temp. tables",
            ">On disk",
            ">Result bytes",
            ">Plans",
        ],
    );
    for (name, probe) in &baseline.probes {
        let mut cells = vec![name.clone()];
        for counter in [
            "rows_sent",
            "rows_examined",
            READS,
            "sort_rows",
            "created_tmp_tables",
            "created_tmp_disk_tables",
            metric::RESULT_BYTES,
        ] {
            cells.push(count(metric::count(probe, counter)));
        }
        cells.push(probe.plans.len().to_string());
        table.push(cells);
    }
    table
}

fn times(timed: &Timed) -> Table {
    let mut table = Table::new(
        format!("Response over {} s, from the intended start", timed.seconds),
        &[
            "Probe",
            ">Completed",
            ">Others",
            ">p50",
            ">p95",
            ">p99",
            ">Highest",
        ],
    );
    for (name, probe) in &timed.probes {
        let mut cells = vec![
            name.clone(),
            grouped(probe.completed),
            grouped(probe.others),
        ];
        for quantile in ["p50", "p95", "p99", "max"] {
            let value = probe.response_us.get(quantile);
            cells.push(value.map_or_else(|| "-".to_owned(), |value| micros(*value)));
        }
        table.push(cells);
    }
    table
}

/// Microseconds for people.
pub(super) fn micros(value: f64) -> String {
    let time = std::time::Duration::try_from_secs_f64(value / 1e6);
    time.map_or_else(|_| "-".to_owned(), units::duration)
}

fn plans(probe: &Probe) -> String {
    let mut lines = Vec::new();
    for plan in &probe.plans {
        lines.push(format!("{} operations:", plan.operations));
        lines.extend(plan.shape.iter().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

fn tables(baseline: &Baseline) -> Table {
    let mut table = Table::new("", &["Table", ">Rows", "Indexes"]);
    for (name, data) in &baseline.data.tables {
        let indexes = baseline.indexes.get(name).map(|list| list.join(", "));
        table.push([
            name.clone(),
            grouped(data.rows),
            indexes.unwrap_or_default(),
        ]);
    }
    table
}
