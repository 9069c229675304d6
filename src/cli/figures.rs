//! The figures of one interval as a document and as JSON: what `top --once` and the summary of
//! `demo` print, and the same that the dashboard shows.

use std::time::Duration;

use serde::Serialize;

use crate::model::digest::{DigestDelta, DigestGap, DigestInterval};
use crate::model::feed::ServerFacts;
use crate::model::interval::Interval;
use crate::model::latency::Quantiles;
use crate::model::sample::SelfCost;
use crate::model::session::Session;
use crate::model::status::{Kind, Var};
use crate::model::units;
use crate::report::doc::{Block, Table};

/// Digests that are printed at most.
pub(super) const MAX_DIGESTS: usize = 20;

/// The server.
#[derive(Debug, Serialize)]
pub(super) struct ServerJson {
    name: String,
    version: String,
    account: String,
    tls_cipher: Option<String>,
    started: String,
    max_connections: Option<u64>,
    limits: Vec<String>,
}

impl ServerJson {
    pub(super) fn new(facts: &ServerFacts) -> Self {
        Self {
            name: facts.name.clone(),
            version: facts.version.clone(),
            account: facts.account.clone(),
            tls_cipher: facts.tls_cipher.clone(),
            started: facts.started.to_string(),
            max_connections: facts.max_connections,
            limits: facts.limits.clone(),
        }
    }
}

/// One interval. Times are in seconds, rates per second.
#[derive(Debug, Serialize)]
pub(super) struct IntervalJson {
    to: String,
    window_seconds: f64,
    latency: Option<QuantilesJson>,
    sessions: SessionsJson,
    buffer_pool_hit_ratio: Option<f64>,
    /// Growth per second of every counter, by the server's own name; null where it is unknown.
    rates: serde_json::Map<String, serde_json::Value>,
    /// Level of every gauge at the end of the interval.
    levels: serde_json::Map<String, serde_json::Value>,
    cost: CostJson,
    missing: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct QuantilesJson {
    count: u64,
    p50_seconds: f64,
    p95_seconds: f64,
    p99_seconds: f64,
    max_seconds: f64,
}

impl From<Quantiles> for QuantilesJson {
    fn from(quantiles: Quantiles) -> Self {
        Self {
            count: quantiles.count,
            p50_seconds: quantiles.p50.as_secs_f64(),
            p95_seconds: quantiles.p95.as_secs_f64(),
            p99_seconds: quantiles.p99.as_secs_f64(),
            max_seconds: quantiles.max.as_secs_f64(),
        }
    }
}

#[derive(Debug, Serialize)]
struct SessionsJson {
    total: u64,
    active: usize,
    in_transaction: usize,
    idle_in_transaction: usize,
    longest_transaction_seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
struct CostJson {
    statements: u64,
    server_seconds: f64,
    server_cpu_seconds: Option<f64>,
    share_of_a_core: f64,
    rows: u64,
    bytes: u64,
}

impl CostJson {
    fn new(cost: SelfCost, window: Duration) -> Self {
        Self {
            statements: cost.statements,
            server_seconds: cost.server_time.as_secs_f64(),
            server_cpu_seconds: cost.server_cpu.map(|cpu| cpu.as_secs_f64()),
            share_of_a_core: cost.share(window),
            rows: cost.rows,
            bytes: cost.bytes,
        }
    }
}

impl IntervalJson {
    pub(super) fn new(interval: &Interval) -> Self {
        let of = |kind: Kind, value: &dyn Fn(Var) -> serde_json::Value| {
            Var::ALL
                .iter()
                .filter(|var| var.kind() == kind)
                .map(|var| (var.name().to_owned(), value(*var)))
                .collect()
        };
        Self {
            to: interval.to.to_string(),
            window_seconds: interval.window.as_secs_f64(),
            latency: interval.quantiles().map(Into::into),
            sessions: SessionsJson::new(interval),
            buffer_pool_hit_ratio: interval.buffer_pool_hit_ratio(),
            rates: of(Kind::Counter, &|var| interval.rate(var).into()),
            levels: of(Kind::Gauge, &|var| interval.level(var).into()),
            cost: CostJson::new(interval.cost, interval.window),
            missing: interval.missing.clone(),
        }
    }
}

impl SessionsJson {
    fn new(interval: &Interval) -> Self {
        let count = |wanted: fn(&Session) -> bool| {
            interval
                .sessions
                .iter()
                .filter(|session| wanted(session))
                .count()
        };
        Self {
            total: interval.sessions_total,
            active: count(Session::is_active),
            in_transaction: count(|session| session.transaction.is_some()),
            idle_in_transaction: count(Session::is_idle_in_transaction),
            longest_transaction_seconds: longest_transaction(interval).map(|age| age.as_secs_f64()),
        }
    }
}

fn longest_transaction(interval: &Interval) -> Option<Duration> {
    interval
        .sessions
        .iter()
        .filter_map(|session| Some(session.transaction.as_ref()?.age))
        .max()
}

/// The digests of one interval.
#[derive(Debug, Serialize)]
pub(super) struct DigestsJson {
    to: String,
    window_seconds: f64,
    active: usize,
    calls: u64,
    seconds: f64,
    rows_in_table: u64,
    capacity: Option<u64>,
    lost_calls: u64,
    gap: Option<&'static str>,
    top: Vec<DigestJson>,
}

#[derive(Debug, Serialize)]
struct DigestJson {
    schema: Option<String>,
    digest: Option<String>,
    text: Option<String>,
    is_new: bool,
    calls: u64,
    calls_per_second: f64,
    seconds: f64,
    average_seconds: f64,
    /// Average number of sessions that ran it.
    load: f64,
    lock_seconds: f64,
    cpu_seconds: f64,
    errors: u64,
    warnings: u64,
    rows_sent: u64,
    rows_affected: u64,
    rows_examined: u64,
    rows_examined_per_row: Option<f64>,
    tmp_tables: u64,
    tmp_disk_tables: u64,
    scans: u64,
    full_joins: u64,
    sort_rows: u64,
    no_index: u64,
    no_good_index: u64,
}

fn seconds(ps: u64) -> f64 {
    ps as f64 / 1e12
}

impl DigestsJson {
    pub(super) fn new(interval: &DigestInterval) -> Self {
        Self {
            to: interval.to.to_string(),
            window_seconds: interval.window.as_secs_f64(),
            active: interval.digests.len(),
            calls: interval.total.calls,
            seconds: seconds(interval.total.time_ps),
            rows_in_table: interval.rows,
            capacity: interval.capacity,
            lost_calls: interval.lost.map_or(0, |lost| lost.calls),
            gap: interval.gap.as_ref().map(|gap| match gap {
                DigestGap::Restarted => "restarted",
                DigestGap::Truncated => "truncated",
            }),
            top: interval
                .digests
                .iter()
                .take(MAX_DIGESTS)
                .map(|digest| DigestJson::new(digest, interval.window))
                .collect(),
        }
    }
}

impl DigestJson {
    fn new(digest: &DigestDelta, window: Duration) -> Self {
        let counters = &digest.counters;
        Self {
            schema: digest.key.schema.as_deref().map(str::to_owned),
            digest: digest.key.digest.as_deref().map(str::to_owned),
            text: digest.text.as_deref().map(str::to_owned),
            is_new: digest.is_new,
            calls: counters.calls,
            calls_per_second: counters.calls as f64 / window.as_secs_f64(),
            seconds: seconds(counters.time_ps),
            average_seconds: digest.average().as_secs_f64(),
            load: seconds(counters.time_ps) / window.as_secs_f64(),
            lock_seconds: seconds(counters.lock_ps),
            cpu_seconds: seconds(counters.cpu_ps),
            errors: counters.errors,
            warnings: counters.warnings,
            rows_sent: counters.rows_sent,
            rows_affected: counters.rows_affected,
            rows_examined: counters.rows_examined,
            rows_examined_per_row: digest.examined_per_row(),
            tmp_tables: counters.tmp_tables,
            tmp_disk_tables: counters.tmp_disk_tables,
            scans: counters.scans,
            full_joins: counters.full_joins,
            sort_rows: counters.sort_rows,
            no_index: counters.no_index,
            no_good_index: counters.no_good_index,
        }
    }
}

/// The server for people.
pub(super) fn server_facts(facts: &ServerFacts) -> Block {
    let mut lines = vec![
        ("server".to_owned(), facts.name.clone()),
        ("version".to_owned(), facts.version.clone()),
        ("account".to_owned(), facts.account.clone()),
        (
            "encryption".to_owned(),
            facts
                .tls_cipher
                .clone()
                .unwrap_or_else(|| "none".to_owned()),
        ),
        (
            "up since".to_owned(),
            facts.started.strftime("%F %T UTC").to_string(),
        ),
    ];
    lines.extend(
        facts
            .limits
            .iter()
            .map(|limit| ("limit".to_owned(), limit.clone())),
    );
    Block::Facts(lines)
}

/// One interval for people: a fact a line, each with its unit.
pub(super) fn interval_facts(interval: &Interval) -> Block {
    let rate = |var| {
        interval
            .rate(var)
            .map_or_else(|| "-".to_owned(), |r| format!("{}/s", units::count(r)))
    };
    let level = |var| {
        interval
            .level(var)
            .map_or_else(|| "-".to_owned(), |n| units::count(n as f64))
    };
    let mut facts = vec![
        (
            "window".to_owned(),
            format!(
                "{} to {}",
                units::duration(interval.window),
                interval.to.strftime("%F %T UTC")
            ),
        ),
        ("queries".to_owned(), rate(Var::Queries)),
        (
            "latency".to_owned(),
            interval.quantiles().map_or_else(
                || "no statement ended, or the server has no histogram".to_owned(),
                |q| {
                    format!(
                        "p50 {}  p95 {}  p99 {}  max {} (upper bounds, {} statements)",
                        units::duration(q.p50),
                        units::duration(q.p95),
                        units::duration(q.p99),
                        units::duration(q.max),
                        units::count(q.count as f64)
                    )
                },
            ),
        ),
        (
            "threads".to_owned(),
            format!(
                "{} running, {} connected",
                level(Var::ThreadsRunning),
                level(Var::ThreadsConnected)
            ),
        ),
        (
            "rows".to_owned(),
            format!(
                "{} read, {} inserted, {} updated, {} deleted",
                rate(Var::RowsRead),
                rate(Var::RowsInserted),
                rate(Var::RowsUpdated),
                rate(Var::RowsDeleted)
            ),
        ),
        (
            "buffer pool".to_owned(),
            format!(
                "hit ratio {}, {} reads from disk",
                interval
                    .buffer_pool_hit_ratio()
                    .map_or_else(|| "-".to_owned(), units::percent),
                rate(Var::BufferPoolReads)
            ),
        ),
        (
            "own cost".to_owned(),
            format!(
                "{}{} of a core, {} statements, {}",
                if interval.cost.server_cpu.is_some() {
                    ""
                } else {
                    "at most "
                },
                units::percent(interval.cost.share(interval.window)),
                interval.cost.statements,
                units::bytes(interval.cost.bytes)
            ),
        ),
    ];
    facts.extend(
        interval
            .missing
            .iter()
            .map(|why| ("not seen".to_owned(), why.clone())),
    );
    Block::Facts(facts)
}

/// The digests for people.
pub(super) fn digests_table(interval: &DigestInterval) -> Block {
    let shown = interval.digests.len().min(MAX_DIGESTS);
    let mut caption = format!(
        "The {shown} statements with the most time of {} active, over {} to {}",
        interval.digests.len(),
        units::duration(interval.window),
        interval.to.strftime("%T UTC")
    );
    if let Some(lost) = interval.lost {
        let share = lost.time_ps as f64 / (interval.total.time_ps.max(1)) as f64;
        caption.push_str(&format!(
            "; {} of the time is in statements that the full digest table could not tell apart",
            units::percent(share)
        ));
    }
    match interval.gap {
        Some(DigestGap::Restarted) => caption.push_str("; the server restarted within the window"),
        Some(DigestGap::Truncated) => {
            caption.push_str("; the digest table was truncated within the window, and what ran before is not in it");
        }
        None => {}
    }
    let mut table = Table::new(
        caption,
        &[
            ">calls/s",
            ">load",
            ">average",
            ">examined/row",
            ">no index",
            ">tmp disk",
            ">errors",
            "schema",
            "statement",
        ],
    );
    for digest in &interval.digests[..shown] {
        let counters = &digest.counters;
        table.push([
            units::count(counters.calls as f64 / interval.window.as_secs_f64()),
            format!(
                "{:.2}",
                seconds(counters.time_ps) / interval.window.as_secs_f64()
            ),
            units::duration(digest.average()),
            digest
                .examined_per_row()
                .map_or_else(|| "-".to_owned(), units::count),
            units::percent(counters.no_index as f64 / counters.calls.max(1) as f64),
            units::count(counters.tmp_disk_tables as f64),
            units::count(counters.errors as f64),
            digest.key.schema.as_deref().unwrap_or("-").to_owned(),
            statement_head(digest),
        ]);
    }
    Block::Table(table)
}

fn statement_head(digest: &DigestDelta) -> String {
    const WIDTH: usize = 80;
    let text = digest.text.as_deref().unwrap_or("(text not read)");
    if text.chars().count() <= WIDTH {
        return text.to_owned();
    }
    let head: String = text.chars().take(WIDTH - 1).collect();
    format!("{head}…")
}
