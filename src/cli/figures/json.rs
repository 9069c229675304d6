//! The figures for programs: field names are stable and end with their unit.

use std::time::Duration;

use serde::Serialize;

use super::MAX_DIGESTS;
use crate::model::digest::{DigestDelta, DigestGap, DigestInterval};
use crate::model::feed::ServerFacts;
use crate::model::interval::Interval;
use crate::model::latency::Quantiles;
use crate::model::sample::SelfCost;
use crate::model::session::Session;
use crate::model::status::{Kind, Var};

/// The server.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct ServerJson {
    name: String,
    version: String,
    account: String,
    tls_cipher: Option<String>,
    started: String,
    max_connections: Option<u64>,
    limits: Vec<String>,
}

impl ServerJson {
    pub(in crate::cli) fn new(facts: &ServerFacts) -> Self {
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
pub(in crate::cli) struct IntervalJson {
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
pub(in crate::cli) struct QuantilesJson {
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
    pub(in crate::cli) fn new(interval: &Interval) -> Self {
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
pub(in crate::cli) struct DigestsJson {
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

pub(super) fn seconds(ps: u64) -> f64 {
    ps as f64 / 1e12
}

impl DigestsJson {
    pub(in crate::cli) fn new(interval: &DigestInterval) -> Self {
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
