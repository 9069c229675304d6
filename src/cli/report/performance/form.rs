//! The report as JSON, as `docs/schemas/performance.json` describes it, and reading it again.

mod connections;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use connections::ConnectionsForm;

use crate::model::digest::DigestKey;
use crate::model::latency::{BucketCounts, Quantiles};
use crate::model::performance::{Measure, Performance, StatementSummary, Summary};
use crate::model::units::from_picoseconds;
use crate::report::performance::{Level, Move, moves};

/// Raised when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// Statements that are written.
const STATEMENTS: usize = 500;

/// A report. Times are in seconds, rates per second, shares between 0 and 1.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Report {
    schema_version: u32,
    server: String,
    mysql_version: String,
    from: String,
    to: String,
    window_seconds: f64,
    polls_answered: u64,
    polls_due: u64,
    /// By name; null where the server does not tell.
    figures: BTreeMap<String, Option<f64>>,
    service_levels: Vec<LevelForm>,
    points: Vec<PointForm>,
    latency: Vec<BucketForm>,
    statement_count: usize,
    statements: Vec<StatementForm>,
    /// Reports of earlier versions have none.
    #[serde(default)]
    connections: ConnectionsForm,
    waits: Option<Vec<WaitForm>>,
    changed_since: Option<Against>,
    cost: CostForm,
    notes: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LevelForm {
    name: String,
    target: String,
    measured: Option<String>,
    met: Option<bool>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PointForm {
    at: String,
    window_seconds: f64,
    queries_per_second: Option<f64>,
    latency: Option<LatencyForm>,
    threads_running: Option<u64>,
    threads_connected: Option<u64>,
    buffer_pool_hit_share: Option<f64>,
    rows_read_per_second: Option<f64>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct LatencyForm {
    count: u64,
    p50_seconds: f64,
    p95_seconds: f64,
    p99_seconds: f64,
    max_seconds: f64,
}

/// A range of durations in which executions ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct BucketForm {
    upper_seconds: f64,
    count: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct StatementForm {
    schema: Option<String>,
    digest: Option<String>,
    text: Option<String>,
    calls: u64,
    time_seconds: f64,
    load_sessions: f64,
    errors: u64,
    rows_examined: u64,
    rows: u64,
    no_index: u64,
    tmp_disk_tables: u64,
    is_new: bool,
    latency: Option<LatencyForm>,
    /// Null where it was not read.
    histogram: Option<HistogramForm>,
}

#[derive(Debug, Serialize, Deserialize)]
struct HistogramForm {
    window_seconds: f64,
    buckets: Vec<BucketForm>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WaitForm {
    event: String,
    count: u64,
    time_seconds: f64,
}

/// The period that was compared with.
#[derive(Debug, Serialize, Deserialize)]
struct Against {
    server: String,
    mysql_version: String,
    from: String,
    to: String,
    window_seconds: f64,
    figures: BTreeMap<String, Option<f64>>,
    statements: Vec<MoveForm>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MoveForm {
    schema: Option<String>,
    digest: Option<String>,
    load_then_sessions: Option<f64>,
    load_now_sessions: Option<f64>,
    calls_then_per_second: Option<f64>,
    calls_now_per_second: Option<f64>,
    average_then_seconds: Option<f64>,
    average_now_seconds: Option<f64>,
    what: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct CostForm {
    statements: u64,
    bytes: u64,
    server_seconds: f64,
    share_of_a_core: f64,
}

impl Report {
    pub(super) fn new(seen: &Performance, levels: &[Level], earlier: Option<&Summary>) -> Self {
        let summary = seen.summary(STATEMENTS);
        let window = seen
            .digests
            .as_ref()
            .map_or(seen.interval.window, |digests| digests.window);
        let cost = seen.interval.cost;
        let mut notes = seen.facts.limits.clone();
        notes.extend(seen.interval.missing.iter().cloned());
        notes.extend(seen.notes.iter().cloned());
        Self {
            schema_version: VERSION,
            server: summary.server.clone(),
            mysql_version: summary.version.clone(),
            from: summary.from.to_string(),
            to: summary.to.to_string(),
            window_seconds: summary.window.as_secs_f64(),
            polls_answered: seen.polls.0,
            polls_due: seen.polls.1,
            figures: figures(&summary),
            service_levels: levels.iter().map(LevelForm::of).collect(),
            points: seen.points.iter().map(PointForm::of).collect(),
            latency: seen
                .interval
                .latency
                .as_ref()
                .map(buckets)
                .unwrap_or_default(),
            statement_count: summary.statement_count,
            statements: summary
                .statements
                .iter()
                .map(|one| StatementForm::of(one, seen, window))
                .collect(),
            connections: ConnectionsForm::of(seen),
            waits: seen.waits.as_ref().map(|waits| {
                let form = |wait: &crate::model::performance::Wait| WaitForm {
                    event: wait.event.clone(),
                    count: wait.count,
                    time_seconds: wait.time.as_secs_f64(),
                };
                waits.iter().map(form).collect()
            }),
            changed_since: earlier.map(|earlier| Against {
                server: earlier.server.clone(),
                mysql_version: earlier.version.clone(),
                from: earlier.from.to_string(),
                to: earlier.to.to_string(),
                window_seconds: earlier.window.as_secs_f64(),
                figures: figures(earlier),
                statements: moves(earlier, &summary)
                    .iter()
                    .map(|one| MoveForm::of(one, earlier.window, summary.window))
                    .collect(),
            }),
            cost: CostForm {
                statements: cost.statements,
                bytes: cost.bytes,
                server_seconds: cost.server_time.as_secs_f64(),
                share_of_a_core: cost.share(seen.interval.window),
            },
            notes,
        }
    }
}

fn figures(summary: &Summary) -> BTreeMap<String, Option<f64>> {
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    summary
        .figures
        .iter()
        .map(|(measure, value)| (measure.name().to_owned(), finite(*value)))
        .collect()
}

fn buckets(latency: &BucketCounts) -> Vec<BucketForm> {
    latency
        .upper_ps
        .iter()
        .zip(&latency.counts)
        .filter(|(_, count)| **count > 0)
        .map(|(upper, count)| BucketForm {
            upper_seconds: from_picoseconds(*upper).as_secs_f64(),
            count: *count,
        })
        .collect()
}

impl MoveForm {
    fn of(one: &Move<'_>, then: Duration, now: Duration) -> Self {
        let key = one.now.or(one.then).map(|known| &known.key);
        let average = |s: &StatementSummary| s.average().as_secs_f64();
        Self {
            schema: key.and_then(|key| key.schema.as_deref().map(str::to_owned)),
            digest: key.and_then(|key| key.digest.as_deref().map(str::to_owned)),
            load_then_sessions: one.then.map(|_| one.load.0),
            load_now_sessions: one.now.map(|_| one.load.1),
            calls_then_per_second: one.then.map(|s| s.rate(then)),
            calls_now_per_second: one.now.map(|s| s.rate(now)),
            average_then_seconds: one.then.map(average),
            average_now_seconds: one.now.map(average),
            what: one.what.to_owned(),
        }
    }
}

impl LevelForm {
    fn of(level: &Level) -> Self {
        Self {
            name: level.name.to_owned(),
            target: level.target.clone(),
            measured: level.measured.clone(),
            met: level.is_met,
        }
    }
}

impl PointForm {
    fn of(point: &crate::model::performance::Point) -> Self {
        Self {
            at: point.at.to_string(),
            window_seconds: point.window.as_secs_f64(),
            queries_per_second: point.queries,
            latency: point.latency.map(LatencyForm::of),
            threads_running: point.running,
            threads_connected: point.connected,
            buffer_pool_hit_share: point.hit_ratio,
            rows_read_per_second: point.rows_read,
        }
    }
}

impl LatencyForm {
    fn of(latency: Quantiles) -> Self {
        Self {
            count: latency.count,
            p50_seconds: latency.p50.as_secs_f64(),
            p95_seconds: latency.p95.as_secs_f64(),
            p99_seconds: latency.p99.as_secs_f64(),
            max_seconds: latency.max.as_secs_f64(),
        }
    }

    fn quantiles(self) -> Result<Quantiles, String> {
        Ok(Quantiles {
            count: self.count,
            p50: seconds("p50_seconds", self.p50_seconds)?,
            p95: seconds("p95_seconds", self.p95_seconds)?,
            p99: seconds("p99_seconds", self.p99_seconds)?,
            max: seconds("max_seconds", self.max_seconds)?,
        })
    }
}

impl StatementForm {
    fn of(one: &StatementSummary, seen: &Performance, window: Duration) -> Self {
        let histogram = seen.histograms.iter().find(|h| h.key == one.key);
        Self {
            schema: one.key.schema.as_deref().map(str::to_owned),
            digest: one.key.digest.as_deref().map(str::to_owned),
            text: one.text.clone(),
            calls: one.calls,
            time_seconds: one.time.as_secs_f64(),
            load_sessions: one.load(window),
            errors: one.errors,
            rows_examined: one.rows_examined,
            rows: one.rows,
            no_index: one.no_index,
            tmp_disk_tables: one.tmp_disk_tables,
            is_new: one.is_new,
            latency: one.latency.map(LatencyForm::of),
            histogram: histogram.map(|histogram| HistogramForm {
                window_seconds: histogram.window.as_secs_f64(),
                buckets: buckets(&histogram.latency),
            }),
        }
    }

    fn summary(self) -> Result<StatementSummary, String> {
        Ok(StatementSummary {
            key: DigestKey {
                schema: self.schema.map(Arc::from),
                digest: self.digest.map(Arc::from),
            },
            text: self.text,
            calls: self.calls,
            time: seconds("time_seconds", self.time_seconds)?,
            errors: self.errors,
            rows_examined: self.rows_examined,
            rows: self.rows,
            no_index: self.no_index,
            tmp_disk_tables: self.tmp_disk_tables,
            is_new: self.is_new,
            latency: self.latency.map(LatencyForm::quantiles).transpose()?,
        })
    }
}

/// The period of a report that was written before, or what is wrong with the text.
pub(super) fn earlier(text: &str) -> Result<Summary, String> {
    let report: Report = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if report.schema_version != VERSION {
        return Err(format!(
            "its `schema_version` is {}, and this program reads {VERSION}",
            report.schema_version
        ));
    }
    let time = |name: &str, text: &str| {
        text.parse::<Timestamp>()
            .map_err(|error| format!("`{name}`: {error}"))
    };
    let statements: Result<Vec<_>, String> = report
        .statements
        .into_iter()
        .map(StatementForm::summary)
        .collect();
    Ok(Summary {
        from: time("from", &report.from)?,
        to: time("to", &report.to)?,
        window: seconds("window_seconds", report.window_seconds)?,
        server: report.server,
        version: report.mysql_version,
        figures: Measure::ALL
            .iter()
            .map(|measure| {
                (
                    *measure,
                    report.figures.get(measure.name()).copied().flatten(),
                )
            })
            .collect(),
        statements: statements?,
        statement_count: report.statement_count,
    })
}

fn seconds(name: &str, value: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(value).map_err(|error| format!("`{name}`: {error}"))
}
