//! The connections of one run: one that changes, with the locks; one that only looks.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::drive::Halt;
use super::watch::{self, Look};
use super::{Error, Event, Hooks, Options};
use crate::config::settings::Server;
use crate::model::finding::{Finding, Severity};
use crate::model::schema::TableName;
use crate::model::units;
use crate::server::audit::{Audit, Record};
use crate::server::cells::Cells as _;
use crate::server::quote::{hex_literal, ident};
use crate::server::{self, Connection};

/// Time for a statement that is no DDL.
const SHORT: Duration = Duration::from_secs(30);

/// Time for DDL: the server ends it, or a person does.
const LONG: Duration = Duration::from_hours(24 * 14);

/// `lock_wait_timeout` has no finer unit.
const LOCK_WAIT_SECONDS: u64 = 1;

/// Time that a killed statement gets to end.
const KILL_GRACE: Duration = Duration::from_mins(1);

/// Between the first two tries for a lock; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A try that took longer had begun to build when the lock for its last step did not come.
const SHORTEST_WORK: Duration = Duration::from_secs(10);

/// How often such work may be lost before it is given up.
const MAX_LOSSES: u32 = 3;

/// Characters of the name of a user lock at most.
const MAX_LOCK_NAME: usize = 64;

/// The connections of one run.
pub(super) struct Session<'a> {
    /// It changes, and holds the locks.
    pub(super) link: Connection,
    /// It only looks.
    pub(super) side: Connection,
    pub(super) hooks: Hooks<'a>,
    /// The account in use.
    pub(super) account: String,
    server: &'a Server,
    audit: &'a Audit,
    options: &'a Options,
    /// It was said that shorter waits than a second can't be enforced.
    has_said_blind: bool,
}

impl<'a> Session<'a> {
    pub(super) async fn open(
        server: &'a Server,
        audit: &'a Audit,
        options: &'a Options,
        hooks: Hooks<'a>,
    ) -> Result<Self, Error> {
        let side = server::open(server, &options.limits).await?;
        let mut link = server::open(server, &options.limits).await?;
        // A mode of its own, so that a definition means the same on every server: strict, so that
        // no prefix is cut silently; dates that an old table has as defaults are let be.
        link.run(
            "the session's settings",
            &format!(
                "SET SESSION transaction_read_only = OFF, lock_wait_timeout = {LOCK_WAIT_SECONDS}, \
                 max_execution_time = 0, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
                 time_zone = '+00:00'"
            ),
        )
        .await?;
        link.set_patience(SHORT);
        let account = link
            .first("the account", "SELECT CURRENT_USER()")
            .await?
            .and_then(|row| row.text(0))
            .unwrap_or_default();
        Ok(Self {
            link,
            side,
            hooks,
            account,
            server,
            audit,
            options,
            has_said_blind: false,
        })
    }

    /// Makes a schema the default one: without any, MySQL 9.7 answers to some expressions with the
    /// lack of it (error 1046) instead of saying what is wrong with them.
    pub(super) async fn enter(&mut self, schema: &str) -> Result<(), Error> {
        let sql = format!("USE {}", ident(schema));
        Ok(self.link.run("the default schema", &sql).await?)
    }

    /// Takes the lock of each schema, in one order. `false` when somebody asked to stop.
    pub(super) async fn lock(&mut self, schemas: &BTreeSet<String>) -> Result<bool, Error> {
        let begun = Instant::now();
        for schema in schemas {
            let name = hex_literal(&lock_name(schema));
            let sql = format!("SELECT GET_LOCK({name}, 1)");
            loop {
                if self.hooks.cancel.is_cancelled() {
                    return Ok(false);
                }
                let row = self.link.first("the lock of a schema", &sql).await?;
                if row.and_then(|row| row.u64(0)) == Some(1) {
                    break;
                }
                let holder = watch::holder(&mut self.side, &name).await?;
                let waited = begun.elapsed();
                if waited >= self.options.patience {
                    return Err(Error::Busy {
                        schema: schema.clone(),
                        holder,
                    });
                }
                let schema = schema.clone();
                let event = Event::Waiting {
                    schema,
                    holder,
                    waited,
                };
                self.hooks.tell(event).await;
            }
        }
        Ok(true)
    }

    /// Says goodbye; the locks go with the connection.
    pub(super) async fn close(self) {
        self.link.close().await;
        self.side.close().await;
    }

    /// The server that is worked on.
    pub(super) fn server(&self) -> &'a Server {
        self.server
    }

    /// Opens the connection that looks anew.
    pub(super) async fn renew_side(&mut self) -> Result<(), Error> {
        self.side = server::open(self.server, &self.options.limits).await?;
        Ok(())
    }

    /// Appends to the audit log.
    pub(super) async fn record(
        &mut self,
        target: &str,
        statement: &str,
        result: &str,
    ) -> Result<(), Error> {
        self.record_as("index-ddl", target, statement, result).await
    }

    /// Appends to the audit log what was done, by a name of its own.
    pub(super) async fn record_as(
        &mut self,
        action: &str,
        target: &str,
        statement: &str,
        result: &str,
    ) -> Result<(), Error> {
        let place = server::connect::place(self.server);
        let server = format!("{} ({place})", self.server.name);
        let record = Record {
            time: Timestamp::now(),
            server: &server,
            account: &self.account,
            action,
            statement,
            target,
            result,
        };
        Ok(self.audit.write(&record).await?)
    }

    /// Sends DDL, again and again while others hold a lock, within the patience.
    pub(super) async fn change(
        &mut self,
        version: u32,
        on: &TableName,
        sql: &str,
    ) -> Result<(), Halt> {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 0;
        let (mut waited, mut lost, mut losses) = (Duration::ZERO, Duration::ZERO, 0);
        loop {
            attempt += 1;
            let begun = Instant::now();
            let error = match self.once(version, sql).await? {
                Sent::Done => return Ok(()),
                Sent::Blocked => None,
                Sent::Failed(error) => match error.number() {
                    // A lock that did not come, a deadlock.
                    Some(1205 | 1213) => None,
                    _ => Some(error),
                },
            };
            if let Some(source) = error {
                return Err(Halt::Failed(Error::Statement {
                    statement: sql.to_owned(),
                    source,
                }));
            }
            let by =
                watch::blockers(&mut self.side, on, self.link.thread(), Duration::ZERO).await?;
            let (wait, work) = shares(begun.elapsed());
            waited += wait;
            lost += work;
            losses += u32::from(!work.is_zero());
            // Appliers that began together do not try together for ever.
            let jitter = rand::rng().random_range(0.5..1.0);
            let next = pause.mul_f64(jitter);
            if waited + next >= self.options.patience || losses >= MAX_LOSSES {
                return Err(Halt::Failed(Error::Locked { waited, lost, by }));
            }
            let event = Event::Blocked {
                version,
                by,
                attempt,
                lost,
                pause: next,
            };
            self.hooks.tell(event).await;
            tokio::select! {
                () = self.hooks.cancel.cancelled() => return Err(Halt::Cancelled),
                () = tokio::time::sleep(next) => {}
            }
            waited += next;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Sends DDL once, watches it, and kills it when it is to stop or waits for a lock too long.
    async fn once(&mut self, version: u32, sql: &str) -> Result<Sent, Halt> {
        let own = self.link.id();
        let thread = self.link.thread();
        let begun = Instant::now();
        let mut look = Look::new(self.options.lock_wait, begun);
        let mut stop = Stop::No;
        let mut given_up = begun + LONG;
        self.link.set_patience(LONG);
        let outcome = {
            let running = self.link.run("a change of indexes", sql);
            tokio::pin!(running);
            loop {
                tokio::select! {
                    biased;
                    outcome = &mut running => break Some(outcome),
                    () = self.hooks.cancel.cancelled(), if stop == Stop::No => {
                        stop = Stop::Asked;
                        given_up = Instant::now() + KILL_GRACE;
                        watch::kill(&mut self.side, self.server, self.options, own).await?;
                    }
                    () = tokio::time::sleep_until(given_up) => break None,
                    () = look.due() => {
                        if let Some(progress) = look.at(&mut self.side, thread).await {
                            (self.hooks.watch)(Event::Progress { version, progress });
                        }
                        if look.is_gone() {
                            break None;
                        }
                        if look.cannot_enforce() && !self.has_said_blind {
                            self.has_said_blind = true;
                            let finding = blind(self.options.lock_wait);
                            (self.hooks.watch)(Event::Found { version, finding });
                        }
                        if look.waits_too_long() && stop == Stop::No {
                            stop = Stop::LockWait;
                            given_up = Instant::now() + KILL_GRACE;
                            watch::kill(&mut self.side, self.server, self.options, own).await?;
                        }
                    }
                }
            }
        };
        self.link.set_patience(SHORT);
        let Some(outcome) = outcome else {
            return Err(Halt::Failed(Error::Server(server::Error::Lost {
                place: server::connect::place(self.server),
                reason:
                    "the statement did not end, or its session is gone; the next run sees what \
                         became of it"
                        .to_owned(),
            })));
        };
        if stop != Stop::No {
            // A kill that came too late hits the next statement instead: this one, which does
            // nothing.
            match self.link.run("nothing", "DO 0").await {
                Err(error) if error.is_fatal() => return Err(Halt::Failed(error.into())),
                _ => {}
            }
        }
        match (outcome, stop) {
            (Ok(()), _) => Ok(Sent::Done),
            (Err(error), Stop::Asked) if error.number() == Some(1317) => Err(Halt::Cancelled),
            (Err(error), Stop::LockWait) if error.number() == Some(1317) => Ok(Sent::Blocked),
            (Err(error), _) if error.is_fatal() => Err(Halt::Failed(error.into())),
            (Err(error), _) => Ok(Sent::Failed(error)),
        }
    }
}

/// The time of a try that got no lock: how much of it was waiting, and how much was work that is
/// lost. The server waits for a second at each end of the work.
fn shares(took: Duration) -> (Duration, Duration) {
    if took < SHORTEST_WORK {
        return (took, Duration::ZERO);
    }
    let waits = Duration::from_secs(2 * LOCK_WAIT_SECONDS);
    (waits, took.saturating_sub(waits))
}

/// What is to be said where nobody sees a statement wait.
fn blind(lock_wait: Duration) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "lock-wait-unseen",
        message: format!(
            "the server does not show what a session waits for, so that a try for the table's lock \
             may hold up others for a second, not for {}",
            units::duration(lock_wait)
        ),
        remedy: "turn performance_schema on, and let the account read it".to_owned(),
    }
}

enum Sent {
    Done,
    Blocked,
    Failed(server::Error),
}

/// Why a statement was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    No,
    Asked,
    LockWait,
}

/// `mydex:` and the schema; a long one by its checksum.
fn lock_name(schema: &str) -> String {
    let name = format!("mydex:{}", schema.to_lowercase());
    if name.chars().count() <= MAX_LOCK_NAME {
        return name;
    }
    let sum = Sha256::digest(&name);
    let mut short = "mydex:#".to_owned();
    for byte in sum.iter().take(24) {
        // Writing to a String cannot fail.
        let _ = write!(short, "{byte:02x}");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_long_try_took_was_work_and_no_waiting() {
        let seconds = Duration::from_secs;
        assert_eq!(shares(seconds(1)), (seconds(1), Duration::ZERO));
        assert_eq!(shares(seconds(1200)), (seconds(2), seconds(1198)));
    }

    #[test]
    fn names_of_locks_are_short_enough() {
        assert_eq!(lock_name("Shop"), "mydex:shop");
        let long = lock_name(&"s".repeat(64));
        assert!(long.starts_with("mydex:#") && long.chars().count() <= MAX_LOCK_NAME);
    }
}
