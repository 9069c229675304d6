//! What a headless demo prints: the load, the server over the same time, the service levels.

use serde::Serialize;

use crate::cli::figures::{self, DigestsJson, IntervalJson, ServerJson};
use crate::cli::probe::summary as run;
use crate::collect::once::Once;
use crate::config::settings::ServiceLevels;
use crate::model::interval::Interval;
use crate::model::probe::{Slo, quantile};
use crate::model::units;
use crate::probes::load::LoadReport;
use crate::probes::outcome::RunReport;
use crate::probes::pack::Pack;
use crate::probes::recorder::{growing, merge};
use crate::report::doc::{Block, Document, Table};

/// One service level, measured.
#[derive(Debug, Serialize)]
pub(super) struct Level {
    name: &'static str,
    target: String,
    /// Null where this run could not measure it.
    measured: Option<String>,
    met: Option<bool>,
}

/// The summary as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Json {
    rows_loaded: u64,
    load_seconds: f64,
    server: ServerJson,
    interval: IntervalJson,
    digests: Option<DigestsJson>,
    run: run::RunJson,
    service_levels: Vec<Level>,
}

/// The summary for programs.
pub(super) fn json(
    loaded: &LoadReport,
    report: &RunReport,
    seen: &Once,
    levels: Vec<Level>,
) -> Json {
    Json {
        rows_loaded: loaded.written,
        load_seconds: loaded.elapsed.as_secs_f64(),
        server: ServerJson::new(&seen.facts),
        interval: IntervalJson::new(&seen.interval),
        digests: seen.digests.as_ref().map(DigestsJson::new),
        run: run::json(report),
        service_levels: levels,
    }
}

/// The summary for people.
pub(super) fn document(
    loaded: &LoadReport,
    report: &RunReport,
    seen: &Once,
    levels: &[Level],
) -> Document {
    let mut table = Table::new(
        "Service levels over this run",
        &["level", "target", "measured", "met"],
    );
    for level in levels {
        table.push([
            level.name.to_owned(),
            level.target.clone(),
            level
                .measured
                .clone()
                .unwrap_or_else(|| "not measured".to_owned()),
            level
                .met
                .map_or("-", |met| if met { "yes" } else { "NO" })
                .to_owned(),
        ]);
    }
    let rows = Block::Paragraph(format!(
        "Loaded {} rows in {}.",
        loaded.written,
        units::duration(loaded.elapsed)
    ));
    let mut blocks = vec![
        figures::server_facts(&seen.facts),
        rows,
        Block::Table(table),
    ];
    blocks.push(Block::Heading("What the application saw".to_owned()));
    blocks.extend(run::document(report).blocks);
    blocks.push(Block::Heading("What the server did".to_owned()));
    blocks.push(figures::interval_facts(&seen.interval));
    blocks.extend(seen.digests.as_ref().map(figures::digests_table));
    Document {
        title: "mydex demo".to_owned(),
        blocks,
    }
}

/// Judges the run against the configured levels. What takes months to measure is said to be
/// unmeasured.
pub(super) fn service_levels(
    levels: &ServiceLevels,
    pack: &Pack,
    report: &RunReport,
    interval: &Interval,
) -> Vec<Level> {
    let counts = report.counts();
    let minutes = report.total.window.as_secs_f64() / 60.0;
    let events = counts.completed as f64 / minutes.max(f64::EPSILON);
    let answered = counts.completed as f64 / counts.scheduled.max(1) as f64;
    let ratio = |name, target: f64, measured: Option<f64>| Level {
        name,
        target: format!("> {}", units::percent(target)),
        measured: measured.map(|share| format!("{:.3}%", share * 100.0)),
        met: measured.map(|share| share > target),
    };
    vec![
        latency("query response", levels.response, pack, report, false),
        latency("analytics queries", levels.analytics, pack, report, true),
        Level {
            name: "events per minute",
            target: format!(">= {}", units::count(levels.events_per_minute as f64)),
            measured: Some(units::count(events)),
            met: Some(events >= levels.events_per_minute as f64),
        },
        ratio(
            "buffer pool hit ratio",
            levels.hit_ratio,
            interval.buffer_pool_hit_ratio(),
        ),
        ratio(
            "availability (operations answered)",
            levels.availability,
            Some(answered),
        ),
        Level {
            name: "database growth a month",
            target: format!("< {}", units::percent(levels.growth_per_month)),
            measured: None,
            met: None,
        },
    ]
}

/// The response of all analytic probes, or of all others, against one objective.
fn latency(name: &'static str, slo: Slo, pack: &Pack, report: &RunReport, analytic: bool) -> Level {
    let is_wanted = |wanted: &str| {
        pack.probes
            .iter()
            .any(|probe| *probe.name == *wanted && probe.analytic == analytic)
    };
    let mut all = growing();
    for probe in report
        .total
        .probes
        .iter()
        .filter(|probe| is_wanted(&probe.name))
    {
        merge(&mut all, &probe.response);
    }
    let measured = quantile(&all, slo.quantile);
    Level {
        name,
        target: format!("p{} < {}", slo.quantile * 100.0, units::duration(slo.limit)),
        measured: measured.map(units::duration),
        met: measured.map(|measured| measured < slo.limit),
    }
}
