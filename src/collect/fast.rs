//! The fast poll: status, sessions, transactions, latencies and mydex's own share of them, in
//! about 3 ms of the server's time.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::own::{Accounted, OwnStatements};
use super::rows;
use crate::model::digest::DigestKey;
use crate::model::latency::BucketCounts;
use crate::model::sample::{Sample, SelfCost};
use crate::model::session::Session;
use crate::model::status::{Status, Var};
use crate::model::units::from_picoseconds;
use crate::server::capability::{Access, Capabilities, Source};
use crate::server::crew::{self, Crew};
use crate::server::guard::MeterReading;
use crate::server::{Connection, Error};

/// Open transactions read at one poll.
const MOST_TRANSACTIONS: usize = 5_000;

/// Statements of one fast poll, as an estimate of their share where the server does not tell.
const STATEMENTS: u64 = 5;

/// Reads samples over one connection.
#[derive(Debug)]
pub struct FastPoll {
    started: Instant,
    plan: Plan,
    pub(super) own: OwnStatements,
    counted: MeterReading,
    waited: Duration,
    cost: SelfCost,
    /// What the digest polls since the last call of [`FastPoll::take_digest_cost`] took.
    digest_cost: Duration,
    last_cost: Duration,
}

/// What can be read here, decided once per connection.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    status: String,
    reads: BTreeSet<Source>,
    /// The expression for the processor time of a statement, where its history can be read.
    history: Option<String>,
    cpu: bool,
    missing: Vec<String>,
}

impl FastPoll {
    /// Polls as the capabilities permit.
    #[must_use]
    pub fn new(capabilities: &Capabilities, started: Instant) -> Self {
        Self {
            started,
            plan: Plan::of(capabilities),
            own: OwnStatements::default(),
            counted: MeterReading::default(),
            waited: Duration::ZERO,
            cost: SelfCost::default(),
            digest_cost: Duration::ZERO,
            last_cost: Duration::ZERO,
        }
    }

    /// The connection was opened anew, perhaps to a server with other capabilities.
    pub fn renew(&mut self, capabilities: &Capabilities) {
        self.plan = Plan::of(capabilities);
    }

    /// Makes `connection`'s times comparable: transactions start in the server's own time zone,
    /// digests are stamped in the session's.
    pub async fn prepare(connection: &mut Connection) -> Result<(), Error> {
        connection
            .run(
                "the session's time zone",
                "SET SESSION time_zone = '+00:00'",
            )
            .await
    }

    /// Whether this digest row is of mydex's own statements.
    #[must_use]
    pub fn is_own(&self, key: &DigestKey) -> bool {
        self.own.is_own(key)
    }

    /// What the server spent on digest polls that ended since the last call.
    pub fn take_digest_cost(&mut self) -> Duration {
        std::mem::take(&mut self.digest_cost)
    }

    /// Whether the server tells what mydex's statements took; without, round trips have to do.
    #[must_use]
    pub fn tells_time(&self) -> bool {
        self.plan.history.is_some()
    }

    /// What the server spent on the statements of the latest fast poll.
    #[must_use]
    pub fn last_cost(&self) -> Duration {
        self.last_cost
    }

    /// One reading. A source that fails leaves its reason in `missing`; only an error that ends
    /// the connection is returned.
    pub async fn poll(
        &mut self,
        connection: &mut Connection,
        crew: &Crew,
    ) -> Result<Sample, Error> {
        let mut missing = self.plan.missing.clone();
        crew.read_history_with(self.plan.history.clone());
        let status = self.status(connection).await?;
        // The counters are of the moment of their answer: a server that hangs counts nothing.
        let at = Timestamp::now();
        let elapsed = self.started.elapsed();
        let sent = crew.meter.read();
        let (sessions, sessions_total) = self
            .sessions(connection, crew, &status, &mut missing)
            .await?;
        let latency = self.latency(connection, &mut missing).await?;
        let accounted = self.account(connection, crew, &mut missing).await?;
        self.charge(&accounted, crew);
        let own_statements = sent.statements.saturating_sub(self.counted.statements);
        let own_selects = sent.selects.saturating_sub(self.counted.selects);
        self.counted = sent;
        Ok(Sample {
            at,
            elapsed,
            status,
            sessions,
            sessions_total,
            latency,
            own_timers_ps: accounted.timers_ps,
            own_statements,
            own_selects,
            cost: self.cost,
            missing,
        })
    }

    async fn status(&self, connection: &mut Connection) -> Result<Status, Error> {
        let mut pairs = Vec::with_capacity(Var::ALL.len());
        connection
            .each("the status", &self.plan.status, |row| {
                pairs.extend(rows::status(row));
            })
            .await?;
        Ok(pairs.into_iter().collect())
    }

    async fn sessions(
        &self,
        connection: &mut Connection,
        crew: &Crew,
        status: &Status,
        missing: &mut Vec<String>,
    ) -> Result<(Vec<Session>, u64), Error> {
        let connected = status.get(Var::ThreadsConnected).unwrap_or(0);
        // Who leaves while the sessions are read is in them all the same.
        let mut own = crew.members();
        let limit = Sample::MAX_SESSIONS + own.len();
        let is_cut = usize::try_from(connected).is_ok_and(|connected| connected > limit);
        let sql = sessions_sql(self.plan.reads.contains(&Source::Threads), is_cut, limit);
        let mut sessions = Vec::new();
        let read = connection
            .each("the sessions", &sql, |row| {
                sessions.extend(rows::session(row));
            })
            .await;
        note(read.map(|_| ()), "sessions", missing)?;
        own.extend(crew.members());
        let before = sessions.len();
        sessions.retain(|s| {
            !own.iter()
                .any(|member| member.connection == s.id.connection)
        });
        let own_seen = before - sessions.len();
        let total = if is_cut {
            connected.saturating_sub(crew.members().len() as u64)
        } else {
            (before - own_seen) as u64
        };
        if self.plan.reads.contains(&Source::Transactions) {
            let mut transactions = Vec::new();
            let read = connection
                .each("the transactions", &transactions_sql(), |row| {
                    transactions.extend(rows::transaction(row));
                })
                .await;
            note(read.map(|_| ()), "transactions", missing)?;
            rows::join(&mut sessions, transactions);
        }
        rows::order(&mut sessions);
        sessions.truncate(Sample::MAX_SESSIONS);
        Ok((sessions, total))
    }

    async fn latency(
        &mut self,
        connection: &mut Connection,
        missing: &mut Vec<String>,
    ) -> Result<Option<BucketCounts>, Error> {
        if !self.plan.reads.contains(&Source::HistogramGlobal) {
            return Ok(None);
        }
        let sql = "SELECT /* mydex:latency */ BUCKET_TIMER_HIGH, COUNT_BUCKET \
                   FROM performance_schema.events_statements_histogram_global LIMIT 1000";
        let mut latency = BucketCounts::default();
        let read = connection
            .each("the latencies", sql, |row| {
                use crate::server::cells::Cells as _;
                if let (Some(upper), Some(count)) = (row.u64(0), row.u64(1)) {
                    latency.upper_ps.push(upper);
                    latency.counts.push(count);
                }
            })
            .await;
        note(read.map(|_| ()), "latencies", missing)?;
        Ok((!latency.counts.is_empty()).then_some(latency))
    }

    async fn account(
        &mut self,
        connection: &mut Connection,
        crew: &Crew,
        missing: &mut Vec<String>,
    ) -> Result<Accounted, Error> {
        let Some(cpu) = &self.plan.history else {
            return Ok(Accounted::default());
        };
        let threads: Vec<u64> = crew.members().iter().map(|member| member.thread).collect();
        let mut events = Vec::new();
        let read = connection
            .each(
                "mydex's own statements",
                &crew::history_sql(cpu, &threads),
                |row| events.extend(crew::own_event(row)),
            )
            .await;
        note(read.map(|_| ()), "own statements", missing)?;
        // What members tell may be in the history as well, and may be of those that are gone.
        events.extend(crew.take_told());
        let accounted = self.own.account(&events, connection.thread().unwrap_or(0));
        self.own.keep_threads(&threads);
        Ok(accounted)
    }

    /// Adds up what mydex costs: by the server's clock where it tells, else the round trips.
    fn charge(&mut self, accounted: &Accounted, crew: &Crew) {
        let meter = crew.meter.read();
        let waited = meter.waited.saturating_sub(self.waited);
        let sent = meter.statements.saturating_sub(self.cost.statements).max(1);
        self.waited = meter.waited;
        let (time, digest_time) = if accounted.statements > 0 {
            // The history keeps a few statements of each thread; those it has dropped count as
            // much as their round trips took.
            let unseen = sent.saturating_sub(accounted.statements);
            let each = waited.as_secs_f64() / sent as f64;
            let unseen = Duration::try_from_secs_f64(each * unseen as f64).unwrap_or_default();
            (
                from_picoseconds(accounted.time_ps) + unseen,
                from_picoseconds(accounted.digest_time_ps),
            )
        } else {
            (waited, Duration::ZERO)
        };
        self.cost.statements = meter.statements;
        self.cost.rows = meter.rows;
        self.cost.bytes = meter.bytes;
        self.cost.server_time += time;
        let (busy, digest_busy) = if self.plan.cpu {
            let cpu = from_picoseconds(accounted.cpu_ps);
            *self.cost.server_cpu.get_or_insert_default() += cpu;
            (cpu, from_picoseconds(accounted.digest_cpu_ps))
        } else {
            (time, digest_time)
        };
        self.digest_cost += digest_busy;
        // What other connections send has no part in how dear a poll is.
        let polls = match (accounted.polls, self.plan.cpu) {
            (0, _) => busy,
            (_, true) => from_picoseconds(accounted.polls_cpu_ps),
            (_, false) => from_picoseconds(accounted.polls_time_ps),
        };
        let others = accounted.polls.max(STATEMENTS) as f64 / STATEMENTS as f64;
        let fast = polls.saturating_sub(digest_busy).as_secs_f64() / others;
        self.last_cost = Duration::try_from_secs_f64(fast).unwrap_or_default();
    }
}

impl Plan {
    fn of(capabilities: &Capabilities) -> Self {
        let names: Vec<String> = Var::ALL
            .iter()
            .map(|var| format!("'{}'", var.name()))
            .collect();
        let can = |source| capabilities.can_read(source);
        let mut missing = Vec::new();
        for (source, loss) in [
            (Source::Threads, "sessions are from the process list"),
            (Source::Transactions, "no transactions"),
            (Source::HistogramGlobal, "no latencies"),
            (
                Source::History,
                "own statements are not left out of latencies",
            ),
        ] {
            match capabilities.access.get(&source) {
                Some(Access::Denied(_)) => {
                    missing.push(format!("{loss}: not permitted to read {}", source.table()));
                }
                Some(Access::Missing(_)) => {
                    missing.push(format!("{loss}: this server has no {}", source.table()));
                }
                _ => {}
            }
        }
        let is_on = capabilities.has_performance_schema();
        let history = (is_on && can(Source::History)).then(|| {
            let has_cpu = capabilities.has_column(Source::History, "CPU_TIME");
            if has_cpu { "CPU_TIME" } else { "0" }.to_owned()
        });
        if !is_on {
            missing.push("no latencies: performance_schema is off".to_owned());
        }
        Self {
            status: format!(
                "SHOW /* mydex:status */ GLOBAL STATUS WHERE Variable_name IN ({})",
                names.join(", ")
            ),
            reads: Source::ALL
                .into_iter()
                .filter(|source| can(*source) && (is_on || *source == Source::Transactions))
                .collect(),
            history,
            cpu: capabilities.measures_cpu(),
            missing,
        }
    }
}

fn sessions_sql(from_threads: bool, is_cut: bool, limit: usize) -> String {
    // Sorting is left to the client unless the server has more sessions than are kept.
    let (columns, table, command, time) = if from_threads {
        (
            "THREAD_ID, PROCESSLIST_ID, PROCESSLIST_USER, PROCESSLIST_HOST, PROCESSLIST_DB, \
             PROCESSLIST_COMMAND, PROCESSLIST_STATE, PROCESSLIST_TIME, LEFT(PROCESSLIST_INFO, 1024)",
            "performance_schema.threads \
             WHERE TYPE = 'FOREGROUND' AND PROCESSLIST_ID IS NOT NULL AND PROCESSLIST_COMMAND <> 'Daemon'",
            "PROCESSLIST_COMMAND",
            "PROCESSLIST_TIME",
        )
    } else {
        (
            "0, ID, USER, HOST, DB, COMMAND, STATE, TIME, LEFT(INFO, 1024)",
            "information_schema.PROCESSLIST WHERE COMMAND <> 'Daemon'",
            "COMMAND",
            "TIME",
        )
    };
    let order = if is_cut {
        format!(" ORDER BY {command} = 'Sleep', {time} DESC")
    } else {
        String::new()
    };
    format!("SELECT /* mydex:sessions */ {columns} FROM {table}{order} LIMIT {limit}")
}

fn transactions_sql() -> String {
    // The table's times are in the server's own time zone, whatever the session's is.
    let now = "CONVERT_TZ(NOW(), @@session.time_zone, 'SYSTEM')";
    format!(
        "SELECT /* mydex:transactions */ trx_mysql_thread_id, trx_state, \
         TIMESTAMPDIFF(SECOND, trx_started, {now}), TIMESTAMPDIFF(SECOND, trx_wait_started, {now}), \
         trx_rows_locked, trx_rows_modified, trx_isolation_level \
         FROM information_schema.innodb_trx LIMIT {MOST_TRANSACTIONS}"
    )
}

/// Notes an error that leaves the connection usable; passes on one that does not.
fn note(result: Result<(), Error>, what: &str, missing: &mut Vec<String>) -> Result<(), Error> {
    match result {
        Err(error) if error.is_fatal() => Err(error),
        Err(error) => {
            missing.push(format!("no {what}: {error}"));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
