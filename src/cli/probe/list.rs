//! `mydex probe list`: the packs, or the tables and probes of one.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::model::probe::Slo;
use crate::model::units;
use crate::probes::pack::{Kind, Pack, Probe, shipped};
use crate::report::doc::{Block, Document, Table};

/// Options of `mydex probe list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of a shipped pack, or the folder of one; without it all shipped packs are listed.
    #[arg(value_name = "PACK", value_hint = clap::ValueHint::DirPath)]
    pack: Option<String>,
}

#[derive(Debug, Serialize)]
struct PackSummary {
    name: String,
    description: String,
    version: u32,
    tables: usize,
    rows_at_scale_1: u64,
    probes: usize,
    rate_per_second: f64,
}

#[derive(Debug, Serialize)]
struct PackDetail {
    #[serde(flatten)]
    summary: PackSummary,
    table_list: Vec<TableDetail>,
    probe_list: Vec<ProbeDetail>,
}

#[derive(Debug, Serialize)]
struct TableDetail {
    name: String,
    rows_at_scale_1: u64,
    scales: bool,
}

#[derive(Debug, Serialize)]
struct ProbeDetail {
    name: String,
    description: String,
    kind: &'static str,
    analytic: bool,
    statements: usize,
    transaction: bool,
    weight: f64,
    rate_per_second: f64,
    slo_quantile: Option<f64>,
    slo_limit_seconds: Option<f64>,
}

/// Lists.
pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    if let Some(name) = &args.pack {
        let pack = super::pack(name)?;
        context.emit(&detail_document(&pack), &detail(&pack))?;
    } else {
        let packs = shipped::names()
            .into_iter()
            .map(super::pack)
            .collect::<Result<Vec<_>, _>>()?;
        let summaries: Vec<PackSummary> = packs.iter().map(summary).collect();
        context.emit(&summary_document(&summaries), &summaries)?;
    }
    Ok(Outcome::Fine)
}

fn summary(pack: &Pack) -> PackSummary {
    PackSummary {
        name: pack.name.to_string(),
        description: pack.description.clone(),
        version: pack.version,
        tables: pack.tables.len(),
        rows_at_scale_1: pack.tables.iter().map(|table| table.rows).sum(),
        probes: pack.probes.len(),
        rate_per_second: pack.probes.iter().map(|probe| probe.rate).sum(),
    }
}

fn detail(pack: &Pack) -> PackDetail {
    PackDetail {
        summary: summary(pack),
        table_list: pack
            .tables
            .iter()
            .map(|table| TableDetail {
                name: table.name.to_string(),
                rows_at_scale_1: table.rows,
                scales: table.scales,
            })
            .collect(),
        probe_list: pack
            .probes
            .iter()
            .map(|probe| ProbeDetail {
                name: probe.name.to_string(),
                description: probe.description.clone(),
                kind: kind(probe),
                analytic: probe.analytic,
                statements: probe.statements.len(),
                transaction: probe.transaction,
                weight: probe.weight,
                rate_per_second: probe.rate,
                slo_quantile: probe.slo.map(|slo| slo.quantile),
                slo_limit_seconds: probe.slo.map(|slo| slo.limit.as_secs_f64()),
            })
            .collect(),
    }
}

fn kind(probe: &Probe) -> &'static str {
    match probe.kind {
        Kind::Read => "read",
        Kind::Write => "write",
    }
}

fn summary_document(packs: &[PackSummary]) -> Document {
    let mut table = Table::new(
        "Rows at scale 1; rate of all probes together",
        &[
            "pack",
            ">tables",
            ">rows",
            ">probes",
            ">rate/s",
            "description",
        ],
    );
    for pack in packs {
        table.push([
            pack.name.clone(),
            pack.tables.to_string(),
            pack.rows_at_scale_1.to_string(),
            pack.probes.to_string(),
            units::count(pack.rate_per_second),
            pack.description.clone(),
        ]);
    }
    Document {
        title: "Workload packs".to_owned(),
        blocks: vec![Block::Table(table)],
    }
}

fn detail_document(pack: &Pack) -> Document {
    let mut tables = Table::new("Rows at scale 1", &["table", ">rows", "scales"]);
    for table in &pack.tables {
        let scales = if table.scales { "yes" } else { "no" };
        tables.push([&*table.name, &table.rows.to_string(), scales]);
    }
    let mut probes = Table::new(
        "Rate in operations per second; objective of the response time",
        &["probe", "kind", ">rate/s", "objective", "description"],
    );
    for probe in &pack.probes {
        let analytic = if probe.analytic { ", analytic" } else { "" };
        probes.push([
            probe.name.to_string(),
            format!("{}{analytic}", kind(probe)),
            units::count(probe.rate),
            probe.slo.as_ref().map_or("-".to_owned(), objective),
            probe.description.clone(),
        ]);
    }
    Document {
        title: format!("Pack {} version {}", pack.name, pack.version),
        blocks: vec![
            Block::Paragraph(pack.description.clone()),
            Block::Heading("Tables".to_owned()),
            Block::Table(tables),
            Block::Heading("Probes".to_owned()),
            Block::Table(probes),
        ],
    }
}

fn objective(slo: &Slo) -> String {
    format!("p{} < {}", slo.quantile * 100.0, units::duration(slo.limit))
}
