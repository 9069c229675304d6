//! What one server did over one period, and the same in few figures, to be compared.

use std::time::Duration;

use jiff::Timestamp;

use super::digest::{DigestInterval, DigestKey};
use super::feed::ServerFacts;
use super::interval::Interval;
use super::latency::{BucketCounts, Quantiles};
use super::status::Var;
use super::units::from_picoseconds;

/// One server over one period, as it was watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Performance {
    /// The server.
    pub facts: ServerFacts,
    /// When the period began; it ends with the interval.
    pub from: Timestamp,
    /// The whole period as one interval.
    pub interval: Interval,
    /// The period in small steps, in order.
    pub points: Vec<Point>,
    /// Polls that were answered, and those that were due.
    pub polls: (u64, u64),
    /// What each statement did over the period; `None` where the server does not tell.
    pub digests: Option<DigestInterval>,
    /// Latencies of the heaviest statements, the heaviest first.
    pub histograms: Vec<DigestLatency>,
    /// Where the server's threads waited, the longest first; `None` where that can't be read.
    pub waits: Option<Vec<Wait>>,
    /// What this can't tell, each one sentence.
    pub notes: Vec<String>,
}

/// A small part of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When it ended.
    pub at: Timestamp,
    /// Its length.
    pub window: Duration,
    /// Statements a second.
    pub queries: Option<f64>,
    /// Statement latency.
    pub latency: Option<Quantiles>,
    /// Threads that ran at its end.
    pub running: Option<u64>,
    /// Connections at its end.
    pub connected: Option<u64>,
    /// Share of the buffer pool's reads that needed no disk.
    pub hit_ratio: Option<f64>,
    /// Rows read a second.
    pub rows_read: Option<f64>,
}

impl Point {
    /// The figures of one interval that are drawn.
    #[must_use]
    pub fn of(interval: &Interval) -> Self {
        Self {
            at: interval.to,
            window: interval.window,
            queries: interval.rate(Var::Questions),
            latency: interval.quantiles(),
            running: interval.level(Var::ThreadsRunning),
            connected: interval.level(Var::ThreadsConnected),
            hit_ratio: interval.buffer_pool_hit_ratio(),
            rows_read: interval.rate(Var::RowsRead),
        }
    }
}

/// How long the executions of one statement took.
#[derive(Debug, Clone, PartialEq)]
pub struct DigestLatency {
    /// The statement.
    pub key: DigestKey,
    /// The time that the counts cover: it ends with the period and may begin later.
    pub window: Duration,
    /// Executions by duration.
    pub latency: BucketCounts,
}

/// One kind of wait over a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// `EVENT_NAME` of the server.
    pub event: String,
    /// How often.
    pub count: u64,
    /// For how long together; several threads wait at the same time.
    pub time: Duration,
}

/// A period in the figures by which two of them are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The server's name, without password.
    pub server: String,
    /// Its version; digests of different versions can't be told to be the same.
    pub version: String,
    /// When the period began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// Its length by the monotonic clock.
    pub window: Duration,
    /// The figures, in the order of [`Measure::ALL`]; `None` where unknown.
    pub figures: Vec<(Measure, Option<f64>)>,
    /// Statements, the most time first.
    pub statements: Vec<StatementSummary>,
    /// All statements that were active, listed or not.
    pub statement_count: usize,
}

/// One statement over a period.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementSummary {
    /// Identity.
    pub key: DigestKey,
    /// Normalized text, where known.
    pub text: Option<String>,
    /// Executions.
    pub calls: u64,
    /// Time together.
    pub time: Duration,
    /// Executions that failed.
    pub errors: u64,
    /// Rows read by the executor.
    pub rows_examined: u64,
    /// Rows returned or changed.
    pub rows: u64,
    /// Executions without an index.
    pub no_index: u64,
    /// Internal temporary tables on disk.
    pub tmp_disk_tables: u64,
    /// First seen within the period.
    pub is_new: bool,
    /// Quantiles of its latency, where they were read.
    pub latency: Option<Quantiles>,
}

impl StatementSummary {
    /// Time per execution.
    #[must_use]
    pub fn average(&self) -> Duration {
        let calls = u32::try_from(self.calls).unwrap_or(u32::MAX);
        self.time.checked_div(calls).unwrap_or_default()
    }

    /// Executions a second over `window`.
    #[must_use]
    pub fn rate(&self, window: Duration) -> f64 {
        self.calls as f64 / window.as_secs_f64().max(f64::EPSILON)
    }

    /// Sessions that were busy with it on average over `window`.
    #[must_use]
    pub fn load(&self, window: Duration) -> f64 {
        self.time.as_secs_f64() / window.as_secs_f64().max(f64::EPSILON)
    }
}

macro_rules! measures {
    ($($variant:ident, $name:literal, $title:literal, $unit:ident, $is_better:ident;)*) => {
        /// A figure of a whole period.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each has its title")]
        pub enum Measure { $($variant),* }

        impl Measure {
            /// Every measure, in the order of the report.
            pub const ALL: &'static [Measure] = &[$(Measure::$variant),*];

            /// Its name in JSON, with its unit at the end.
            #[must_use]
            pub fn name(self) -> &'static str { match self { $(Self::$variant => $name),* } }

            /// Its name for people.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Self::$variant => $title),* } }

            /// What it is counted in.
            #[must_use]
            pub fn unit(self) -> Unit { match self { $(Self::$variant => Unit::$unit),* } }

            /// What more of it means.
            #[must_use]
            pub fn more_is(self) -> More { match self { $(Self::$variant => More::$is_better),* } }
        }
    };
}

/// What a measure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Unit {
    PerSecond,
    BytesPerSecond,
    Seconds,
    Share,
    Sessions,
}

/// What more of a measure means for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum More {
    Better,
    Worse,
    /// It tells what was asked of the server, and not how well it did.
    Neutral,
}

measures! {
    Queries, "queries_per_second", "statements", PerSecond, Neutral;
    Load, "load_sessions", "load: sessions busy with statements", Sessions, Neutral;
    P50, "latency_p50_seconds", "statement latency, median", Seconds, Worse;
    P95, "latency_p95_seconds", "statement latency, p95", Seconds, Worse;
    P99, "latency_p99_seconds", "statement latency, p99", Seconds, Worse;
    Errors, "errors_per_second", "statements that failed", PerSecond, Worse;
    SlowQueries, "slow_queries_per_second", "slow statements", PerSecond, Worse;
    RowsRead, "rows_read_per_second", "rows read", PerSecond, Neutral;
    RowsWritten, "rows_written_per_second", "rows inserted, updated, deleted", PerSecond, Neutral;
    ScanRows, "scanned_rows_per_second", "rows read by scans", PerSecond, Worse;
    FullJoins, "full_joins_per_second", "joins without an index", PerSecond, Worse;
    TmpTables, "tmp_tables_per_second", "temporary tables", PerSecond, Worse;
    TmpDiskTables, "tmp_disk_tables_per_second", "temporary tables on disk", PerSecond, Worse;
    HitRatio, "buffer_pool_hit_share", "buffer pool hits", Share, Better;
    PoolReads, "buffer_pool_reads_per_second", "buffer pool reads from disk", PerSecond, Worse;
    PoolWaits, "buffer_pool_wait_free_per_second", "waits for a free page", PerSecond, Worse;
    RowLockWaits, "row_lock_waits_per_second", "row lock waits", PerSecond, Worse;
    RowLockTime, "row_lock_sessions", "sessions waiting for row locks", Sessions, Worse;
    LogWaits, "log_waits_per_second", "waits for the log buffer", PerSecond, Worse;
    DataRead, "data_read_bytes_per_second", "read from files", BytesPerSecond, Neutral;
    DataWritten, "data_written_bytes_per_second", "written to files", BytesPerSecond, Neutral;
    Running, "threads_running", "threads that run, at the polls", Sessions, Neutral;
    Connected, "threads_connected", "connections, at the polls", Sessions, Neutral;
}

impl Measure {
    /// The measure of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// Its value over a period; `None` where the server does not tell.
    #[must_use]
    pub fn of(self, period: &Performance) -> Option<f64> {
        let interval = &period.interval;
        let seconds = interval.window.as_secs_f64().max(f64::EPSILON);
        let rate = |var| interval.rate(var);
        let quantile =
            |of: fn(Quantiles) -> Duration| interval.quantiles().map(|q| of(q).as_secs_f64());
        let digests = period.digests.as_ref();
        match self {
            Self::Queries => rate(Var::Questions),
            Self::Load => digests.map(|digests| {
                from_picoseconds(digests.total.time_ps).as_secs_f64()
                    / digests.window.as_secs_f64().max(f64::EPSILON)
            }),
            Self::P50 => quantile(|q| q.p50),
            Self::P95 => quantile(|q| q.p95),
            Self::P99 => quantile(|q| q.p99),
            Self::Errors => digests.map(|digests| {
                digests.total.errors as f64 / digests.window.as_secs_f64().max(f64::EPSILON)
            }),
            Self::SlowQueries => rate(Var::SlowQueries),
            Self::RowsRead => rate(Var::RowsRead),
            Self::RowsWritten => {
                Some(rate(Var::RowsInserted)? + rate(Var::RowsUpdated)? + rate(Var::RowsDeleted)?)
            }
            Self::ScanRows => rate(Var::HandlerReadRndNext),
            Self::FullJoins => rate(Var::SelectFullJoin),
            Self::TmpTables => rate(Var::CreatedTmpTables),
            Self::TmpDiskTables => rate(Var::CreatedTmpDiskTables),
            Self::HitRatio => interval.buffer_pool_hit_ratio(),
            Self::PoolReads => rate(Var::BufferPoolReads),
            Self::PoolWaits => rate(Var::BufferPoolWaitFree),
            Self::RowLockWaits => rate(Var::RowLockWaits),
            // The server counts it in milliseconds.
            Self::RowLockTime => {
                Some(interval.growth(Var::RowLockTime)? as f64 / 1_000.0 / seconds)
            }
            Self::LogWaits => rate(Var::LogWaits),
            Self::DataRead => rate(Var::DataRead),
            Self::DataWritten => rate(Var::DataWritten),
            Self::Running => mean(period.points.iter().map(|point| point.running)),
            Self::Connected => mean(period.points.iter().map(|point| point.connected)),
        }
    }
}

fn mean(levels: impl Iterator<Item = Option<u64>>) -> Option<f64> {
    let known: Vec<u64> = levels.flatten().collect();
    let sum: u64 = known.iter().sum();
    (!known.is_empty()).then(|| sum as f64 / known.len() as f64)
}

impl Performance {
    /// The period in few figures, with its `most` heaviest statements.
    #[must_use]
    pub fn summary(&self, most: usize) -> Summary {
        let digests = self.digests.as_ref();
        let statements = digests.map_or_else(Vec::new, |digests| {
            digests
                .digests
                .iter()
                .take(most)
                .map(|delta| {
                    let latency = self.histograms.iter().find(|one| one.key == delta.key);
                    let c = &delta.counters;
                    StatementSummary {
                        key: delta.key.clone(),
                        text: delta.text.as_deref().map(str::to_owned),
                        calls: c.calls,
                        time: from_picoseconds(c.time_ps),
                        errors: c.errors,
                        rows_examined: c.rows_examined,
                        rows: c.rows_sent.saturating_add(c.rows_affected),
                        no_index: c.no_index,
                        tmp_disk_tables: c.tmp_disk_tables,
                        is_new: delta.is_new,
                        latency: latency.and_then(|one| one.latency.quantiles()),
                    }
                })
                .collect()
        });
        Summary {
            server: self.facts.name.clone(),
            version: self.facts.version.clone(),
            from: self.from,
            to: self.interval.to,
            window: self.interval.window,
            figures: Measure::ALL
                .iter()
                .map(|one| (*one, one.of(self)))
                .collect(),
            statement_count: digests.map_or(0, |digests| digests.digests.len()),
            statements,
        }
    }
}

impl Summary {
    /// The value of a measure.
    #[must_use]
    pub fn figure(&self, measure: Measure) -> Option<f64> {
        self.figures
            .iter()
            .find(|(one, _)| *one == measure)
            .and_then(|(_, value)| *value)
    }

    /// The statement of this identity, if it is listed.
    #[must_use]
    pub fn statement(&self, key: &DigestKey) -> Option<&StatementSummary> {
        self.statements.iter().find(|one| one.key == *key)
    }

    /// Whether every statement of the period is listed, so that one that is missing did not run.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.statement_count <= self.statements.len()
    }
}

#[cfg(test)]
pub mod fixture;
