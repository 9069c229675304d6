//! Executions: one, or as many as its time takes to settle, with what was read by the counters.

use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;

use super::{SETTLE, Session};
use crate::advisor::wire::{Handlers, cell, drain, of_statement, within};
use crate::model::advice::Measured;
use crate::server::Error;
use crate::sql::explainable::Explainable;

/// Time for repeated executions of all statements together.
const SETTLE_ALL: Duration = Duration::from_secs(3);

/// Of a statement that takes longer than this, two times are enough to agree.
const SLOW: Duration = Duration::from_secs(1);

/// How many times as long a statement may take that waits for the processor.
const PATIENCE: u32 = 4;

/// Executions at least, and at most.
const RUNS: (u32, u32) = (3, 30);

impl Session {
    pub(super) async fn handlers(&mut self) -> Result<Handlers, Error> {
        let rows = sqlx::raw_sql("SHOW SESSION STATUS LIKE 'Handler%'")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| of_statement(&error, &self.place, "the counters"))?;
        let mut handlers = Handlers::default();
        for row in rows {
            let value: u64 = cell(&row, 1).parse().unwrap_or(0);
            match cell(&row, 0).as_str() {
                name if name.starts_with("Handler_read_") => handlers.reads += value,
                "Handler_write" => handlers.writes += value,
                _ => {}
            }
        }
        Ok(handlers)
    }

    /// Counts the processor time of the session's statements in place of the time that passes, which
    /// is longer when the machine has other things to do. For a server whose data is in memory;
    /// where statements wait for anything else, that is part of their time. Without the server's
    /// help time is as it passes.
    pub async fn count_processor_time(&mut self) -> Result<(), Error> {
        // What other threads read for a statement is not counted to it.
        for sql in [
            "SET SESSION innodb_parallel_read_threads = 1",
            "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' \
             WHERE NAME IN ('events_statements_cpu', 'events_statements_current', \
             'events_statements_history')",
        ] {
            match self.run(sql, "settings").await {
                Err(error) if error.is_fatal() => return Err(error),
                // An older server knows less.
                _ => {}
            }
        }
        // The history of a session has ten statements, which reading the last one goes through.
        for _ in 0..10 {
            self.run("DO 1", "settings").await?;
        }
        self.is_of_processor = true;
        let first = self.handlers().await?;
        self.is_of_processor = self.processor_time(0).await?.is_some();
        let second = self.handlers().await?;
        self.own = second.since(first, Handlers::default());
        Ok(())
    }

    /// Processor time of the statement before this one, or of one so many before that.
    async fn processor_time(&mut self, before: u8) -> Result<Option<Duration>, Error> {
        if !self.is_of_processor {
            return Ok(None);
        }
        let sql = format!(
            "SELECT CPU_TIME DIV 1000 FROM performance_schema.events_statements_history \
             WHERE THREAD_ID = PS_CURRENT_THREAD_ID() ORDER BY EVENT_ID DESC LIMIT {before}, 1"
        );
        let row = sqlx::raw_sql(AssertSqlSafe(sql))
            .fetch_one(&mut self.connection)
            .await;
        match row {
            Ok(row) => {
                let nanoseconds: u64 = cell(&row, 0).parse().unwrap_or(0);
                Ok((nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds)))
            }
            Err(error) => match of_statement(&error, &self.place, "the processor time") {
                error if error.is_fatal() => Err(error),
                _ => Ok(None),
            },
        }
    }

    /// One execution: its time, and whether it was ended at the limit. Where the time of the processor
    /// counts and a statement had little of it until then, it is run again with more patience.
    async fn execute(
        &mut self,
        sql: &str,
        writes: bool,
        limit: Duration,
    ) -> Result<Result<(Duration, bool), String>, Error> {
        let first = self.execute_within(sql, writes, limit, limit).await?;
        match first {
            Ok((time, true)) if time < limit / 2 => {
                let second = self.execute_within(sql, writes, limit, limit * PATIENCE);
                let second = second.await?;
                // Nobody knows why it had to wait; it took as long as that.
                Ok(second.map(|(time, is_capped)| {
                    let least = if is_capped { limit } else { Duration::ZERO };
                    (time.max(least), is_capped)
                }))
            }
            first => Ok(first),
        }
    }

    /// One execution that is ended after `patience`; `limit` is the least time of one that was
    /// where the processor's is not known.
    async fn execute_within(
        &mut self,
        sql: &str,
        writes: bool,
        limit: Duration,
        patience: Duration,
    ) -> Result<Result<(Duration, bool), String>, Error> {
        // On a server that others use, a function that writes is refused like that.
        match (writes, self.is_shared) {
            (true, _) => self.run("START TRANSACTION", "a transaction").await?,
            (false, true) => {
                self.run("START TRANSACTION READ ONLY", "a transaction")
                    .await?;
            }
            (false, false) => {}
        }
        let started = Instant::now();
        let running = drain(&mut self.connection, sql);
        let (outcome, is_capped) = within(patience, &mut self.killer, self.id, running).await;
        let mut time = started.elapsed();
        if is_capped {
            self.pause().await;
            // The pause is a statement as well.
            time = self.processor_time(1).await?.unwrap_or(time.max(limit));
        } else if outcome.is_ok() {
            time = self.processor_time(0).await?.unwrap_or(time).min(time);
        }
        if writes || self.is_shared {
            self.run("ROLLBACK", "taking a write back").await?;
        }
        self.calls.executions += 1;
        match outcome {
            Err(_) if is_capped => Ok(Ok((time, true))),
            Ok(()) => Ok(Ok((time, is_capped))),
            Err(error) => match of_statement(&error, &self.place, "a statement") {
                error if error.is_fatal() => Err(error),
                error => Ok(Err(error.to_string())),
            },
        }
    }

    /// Divides the time for repeated executions among so many statements.
    pub fn expect(&mut self, statements: usize) {
        let count = u32::try_from(statements.max(1)).unwrap_or(u32::MAX);
        self.settle = (SETTLE_ALL / count).clamp(SETTLE.0, SETTLE.1);
    }

    /// Runs an admitted statement until its time is settled.
    pub(super) async fn repeat(
        &mut self,
        statement: &Explainable,
        limit: Duration,
    ) -> Result<Result<Measured, String>, Error> {
        let mut best: Option<Measured> = None;
        let mut times = Vec::new();
        let begun = Instant::now();
        let most = if statement.writes { RUNS.0 } else { RUNS.1 };
        for run in 1..=most {
            let before = match run {
                1 => Some(self.handlers().await?),
                _ => None,
            };
            let (time, is_capped) = match self
                .execute(&statement.sql, statement.writes, limit)
                .await?
            {
                Ok(done) => done,
                Err(reason) => return Ok(Err(reason)),
            };
            if let Some(before) = before {
                let spent = self.handlers().await?.since(before, self.own);
                best = Some(Measured {
                    time,
                    reads: spent.reads,
                    temporary: if statement.writes { 0 } else { spent.writes },
                    is_capped,
                });
            }
            let Some(best) = best.as_mut() else { break };
            best.time = best.time.min(time);
            times.push(time);
            let least = if time > SLOW { RUNS.0 - 1 } else { RUNS.0 };
            if is_capped
                || (run >= least && (is_settled(&mut times) || begun.elapsed() > self.settle))
            {
                break;
            }
        }
        Ok(best.ok_or_else(|| "it was not run".to_owned()))
    }
}

/// Whether the two shortest times are within a twentieth of one another: what disturbs a run only
/// ever makes it longer, so that they are near the true one.
fn is_settled(times: &mut [Duration]) -> bool {
    times.sort_unstable();
    match times {
        [first, second, ..] => *second <= *first + *first / 20,
        _ => false,
    }
}
