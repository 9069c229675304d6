//! Applying definitions and taking them back: a state machine that is safe against a kill at any
//! point, because every step is decided from what the server says is there.

mod drive;
mod facts;
mod observe;
mod session;
mod visible;
mod watch;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::definition::Definition;
use super::files::Entry;
use super::ledger::{self, Row};
use super::precheck;
use super::reconcile::Direction;
use super::steps::Course;
use crate::config::mistake::Mistakes;
use crate::config::settings::{Monitor, Server};
use crate::model::finding::Finding;
use crate::model::ledger::State;
use crate::model::schema::TableName;
use crate::server::audit::{self, Audit};
use crate::server::{self, Connection};
use drive::{Drive, Halt};
use session::Session;

pub use visible::set_visible;
pub use watch::Progress;

/// One definition that is to be applied.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The definition with its place in the order.
    pub entry: &'a Entry,
    /// The schema of its table, where the definition names none.
    pub schema: &'a str,
}

/// Which versions are to be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Everything behind this number; 0 is all.
    Behind(u32),
    /// This one alone.
    Only(u32),
}

impl Range {
    fn has(self, version: u32) -> bool {
        match self {
            Self::Behind(last) => version > last,
            Self::Only(only) => version == only,
        }
    }
}

/// Limits of the work.
#[derive(Debug, Clone)]
pub struct Options {
    /// Limits of the connection that only looks; connecting is limited by them too.
    pub limits: Monitor,
    /// How long an index stays invisible before it is dropped.
    pub soak: Duration,
    /// How long to go on trying for a lock that others hold.
    pub patience: Duration,
    /// How long one try may hold up others; a second at most.
    pub lock_wait: Duration,
    /// A transaction on the table that is older than this is told.
    pub long_transaction: Duration,
    /// A replica that is further behind than this gets no new work.
    pub max_lag: Duration,
    /// Apply a definition that was rejected before.
    pub retries_rejected: bool,
    /// Refuse everything.
    pub read_only: bool,
}

impl Options {
    /// The usual: a day of soak, five minutes of patience, a second for a lock.
    #[must_use]
    pub fn new(limits: Monitor) -> Self {
        Self {
            limits,
            soak: Duration::from_hours(24),
            patience: Duration::from_mins(5),
            lock_wait: Duration::from_secs(1),
            long_transaction: Duration::from_secs(5),
            max_lag: Duration::from_secs(30),
            retries_rejected: false,
            read_only: false,
        }
    }
}

/// What was found about a new index that is still invisible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It keeps its promise; how that was found.
    Accepted(String),
    /// It does not; why.
    Rejected(String),
    /// That could not be told; why. It becomes visible all the same.
    NotJudged(String),
}

/// The answer of a judge, later.
pub type Judging<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// Judges a new index before the optimizer may use it.
pub trait Judge: Send + Sync {
    /// Whether the index of `definition`, which is there and invisible, keeps its promise. The
    /// connection only reads.
    fn judge<'a>(
        &'a self,
        connection: &'a mut Connection,
        definition: &'a Definition,
        default_schema: &'a str,
    ) -> Judging<'a>;
}

/// A judge that lets everything pass, and says so.
#[derive(Debug, Clone, Copy)]
pub struct Unjudged;

impl Judge for Unjudged {
    fn judge<'a>(
        &'a self,
        _connection: &'a mut Connection,
        _definition: &'a Definition,
        _default_schema: &'a str,
    ) -> Judging<'a> {
        Box::pin(async { Verdict::NotJudged("nobody was asked".to_owned()) })
    }
}

/// What happens, as it happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Another one applies to this schema; who, and since when this run waits.
    Waiting {
        /// The schema.
        schema: String,
        /// Who holds the lock.
        holder: String,
        /// Waited so far.
        waited: Duration,
    },
    /// A version begins.
    Begun {
        /// Its number.
        version: u32,
        /// Its name.
        name: String,
        /// Applied or taken back.
        direction: Direction,
    },
    /// Something was found before the first step.
    Found {
        /// The version.
        version: u32,
        /// What.
        finding: Finding,
    },
    /// A statement, at one of its moments.
    Step {
        /// The version.
        version: u32,
        /// What it does, in one word.
        word: &'static str,
        /// The statement.
        statement: String,
        /// Which moment.
        phase: Phase,
    },
    /// A statement runs.
    Progress {
        /// The version.
        version: u32,
        /// How far it is.
        progress: Progress,
    },
    /// Others hold a lock that the statement needs; it is tried again.
    Blocked {
        /// The version.
        version: u32,
        /// Who; empty where that can't be seen.
        by: Vec<String>,
        /// Tries so far.
        attempt: u32,
        /// Until the next one.
        pause: Duration,
    },
    /// A new index was judged.
    Judged {
        /// The version.
        version: u32,
        /// The verdict.
        verdict: Verdict,
    },
    /// A version is as far as it gets for now.
    Settled(Settled),
}

/// A moment of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It is next; nothing of it is on record.
    Next,
    /// Its intent is on record; it was not sent.
    Intended,
    /// It has ended; that is not on record.
    Ended,
    /// Its end is on record.
    Recorded,
}

/// Where a version stands after a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its number.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// The table.
    pub table: TableName,
    /// The index.
    pub index: String,
    /// Where it stands.
    pub state: State,
    /// What there is to say.
    pub note: Option<String>,
}

/// A version that was left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its number.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// Why.
    pub reason: String,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Versions that were worked on, in the order of the work.
    pub settled: Vec<Settled>,
    /// Versions that were not.
    pub skipped: Vec<Skipped>,
    /// How it ended.
    pub end: End,
}

/// How a run ended.
#[derive(Debug, Default)]
pub enum End {
    /// Nothing is left to do for now.
    #[default]
    Complete,
    /// Somebody asked it to stop; the next run goes on.
    Interrupted,
    /// This version can't go on, and the ones behind it were not begun.
    Failed {
        /// Its number.
        version: u32,
        /// Its name.
        name: String,
        /// Why.
        error: Error,
    },
}

/// Why nothing, or not everything, was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Changes are refused.
    #[error("changes are refused: this server or this run is read-only")]
    ReadOnly,
    /// Another one works on the schema.
    #[error("`{schema}` is being changed by {holder}; try again when that has ended")]
    Busy {
        /// The schema.
        schema: String,
        /// Who.
        holder: String,
    },
    /// The table does not exist, or the account may not see it.
    #[error("table `{0}` does not exist, or the account may not see it")]
    NoTable(TableName),
    /// What is there contradicts the definition.
    #[error("{0}")]
    Conflict(String),
    /// Something stands against it before the first step.
    #[error("{}", precheck::listed(.0))]
    Refused(Vec<Finding>),
    /// The definition is not the one that was begun or applied.
    #[error(
        "the definition was changed after it was {what}; put it back as it was, and write a new \
         definition for the change"
    )]
    Edited {
        /// What had been done with it.
        what: &'static str,
    },
    /// Others held the lock for too long.
    #[error("others held the table for {}: {}", crate::model::units::duration(*.waited), blockers(.by))]
    Locked {
        /// How long it was tried.
        waited: Duration,
        /// Who.
        by: Vec<String>,
    },
    /// The server refused a statement.
    #[error("`{statement}` failed: {source}")]
    Statement {
        /// The statement.
        statement: String,
        /// Why.
        source: server::Error,
    },
    /// The text in the ledger is no definition.
    #[error("the ledger's text of the definition can't be read: {0}")]
    Text(String),
    /// No audit record, no change.
    #[error("nothing was sent: {0}")]
    Audit(#[from] audit::Error),
    /// The connection failed, or the server refused to tell.
    #[error("{0}")]
    Server(#[from] server::Error),
}

fn blockers(by: &[String]) -> String {
    if by.is_empty() {
        return "who, can't be seen; grant SELECT on performance_schema".to_owned();
    }
    by.join("; ")
}

impl From<Mistakes> for Error {
    fn from(mistakes: Mistakes) -> Self {
        Self::Text(mistakes.to_string())
    }
}

/// One version and what is to become of it.
#[derive(Debug, Clone, PartialEq)]
struct Job {
    version: u32,
    name: String,
    definition: Definition,
    table: TableName,
    direction: Direction,
}

impl Job {
    fn up(change: &Change<'_>) -> Self {
        let entry = change.entry;
        Self {
            version: entry.version,
            name: entry.name.clone(),
            definition: entry.definition.clone(),
            table: entry.definition.table_name(change.schema),
            direction: Direction::Up,
        }
    }

    fn down(row: &Row) -> Result<Self, Error> {
        let definition = Definition::parse("the ledger", &row.definition)?;
        Ok(Self {
            version: row.version,
            name: row.name.clone(),
            definition,
            table: row.table.clone(),
            direction: Direction::Down,
        })
    }
}

/// What is watched, judged, and stopped by.
struct Hooks<'a> {
    judge: &'a dyn Judge,
    watch: &'a mut (dyn FnMut(Event) + Send),
    cancel: &'a CancellationToken,
}

impl Hooks<'_> {
    /// Tells an event, and gives whoever drives this future a chance to stop it right there.
    async fn tell(&mut self, event: Event) {
        (self.watch)(event);
        tokio::task::yield_now().await;
    }
}

/// Applies what is not applied yet, in the order of the numbers, and goes on with what was begun.
/// Each version is recorded in the ledger of its table's schema, and each statement in the audit
/// log as well.
///
/// # Errors
/// When the work can't begin; what stops it later is in [`Outcome::end`].
pub async fn apply(
    server: &Server,
    audit: &Audit,
    changes: &[Change<'_>],
    options: &Options,
    judge: &dyn Judge,
    watch: &mut (dyn FnMut(Event) + Send),
    cancel: &CancellationToken,
) -> Result<Outcome, Error> {
    let mut jobs: Vec<Job> = changes.iter().map(Job::up).collect();
    jobs.sort_by_key(|job| job.version);
    let schemas: BTreeSet<String> = jobs.iter().map(|job| job.table.schema.clone()).collect();
    let hooks = Hooks {
        judge,
        watch,
        cancel,
    };
    let mut session = match begin(server, audit, &schemas, options, hooks).await? {
        Begun::Session(session) => session,
        Begun::Interrupted => return Ok(interrupted()),
    };
    let outcome = all(&mut session, options, jobs).await;
    session.close().await;
    outcome
}

/// Takes versions back, the last one first, with what the ledgers of these schemas hold: their
/// files are not needed.
///
/// # Errors
/// When the work can't begin; what stops it later is in [`Outcome::end`].
pub async fn rollback(
    server: &Server,
    audit: &Audit,
    schemas: &BTreeSet<String>,
    range: Range,
    options: &Options,
    watch: &mut (dyn FnMut(Event) + Send),
    cancel: &CancellationToken,
) -> Result<Outcome, Error> {
    let hooks = Hooks {
        judge: &Unjudged,
        watch,
        cancel,
    };
    let mut session = match begin(server, audit, schemas, options, hooks).await? {
        Begun::Session(session) => session,
        Begun::Interrupted => return Ok(interrupted()),
    };
    let outcome = match to_take_back(&mut session.link, schemas, range).await {
        Ok(jobs) => all(&mut session, options, jobs).await,
        Err(error) => Err(error),
    };
    session.close().await;
    outcome
}

fn interrupted() -> Outcome {
    Outcome {
        end: End::Interrupted,
        ..Outcome::default()
    }
}

async fn to_take_back(
    link: &mut Connection,
    schemas: &BTreeSet<String>,
    range: Range,
) -> Result<Vec<Job>, Error> {
    let mut jobs = Vec::new();
    for schema in schemas {
        for row in ledger::read(link, schema).await? {
            if range.has(row.version) && !matches!(row.state, State::RolledBack | State::Rejected) {
                jobs.push(Job::down(&row)?);
            }
        }
    }
    jobs.sort_by_key(|job| std::cmp::Reverse(job.version));
    Ok(jobs)
}

enum Begun<'a> {
    Session(Session<'a>),
    Interrupted,
}

async fn begin<'a>(
    server: &'a Server,
    audit: &'a Audit,
    schemas: &BTreeSet<String>,
    options: &'a Options,
    hooks: Hooks<'a>,
) -> Result<Begun<'a>, Error> {
    if server.read_only || options.read_only {
        return Err(Error::ReadOnly);
    }
    let mut session = Session::open(server, audit, options, hooks).await?;
    match session.lock(schemas).await {
        Ok(true) => Ok(Begun::Session(session)),
        Ok(false) => {
            session.close().await;
            Ok(Begun::Interrupted)
        }
        Err(error) => {
            session.close().await;
            Err(error)
        }
    }
}

/// Works through the versions until one can't go on.
async fn all(
    session: &mut Session<'_>,
    options: &Options,
    jobs: Vec<Job>,
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    for job in jobs {
        let (version, name) = (job.version, job.name.clone());
        match Drive::new(session, options, job).run().await {
            Ok(drive::Ended::Settled(settled)) => {
                let event = Event::Settled(settled.clone());
                session.hooks.tell(event).await;
                outcome.settled.push(settled);
            }
            Ok(drive::Ended::Skipped(skipped)) => outcome.skipped.push(skipped),
            Err(Halt::Cancelled) => {
                outcome.end = End::Interrupted;
                break;
            }
            Err(Halt::Failed(error)) => {
                outcome.end = End::Failed {
                    version,
                    name,
                    error,
                };
                break;
            }
        }
    }
    Ok(outcome)
}

/// What would be done for one version; nothing is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// Its number.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// The table.
    pub table: TableName,
    /// The index.
    pub index: String,
    /// Applied or taken back.
    pub direction: Direction,
    /// Where it stands now.
    pub state: State,
    /// The statements, and where they lead; `None` where nothing is to be done.
    pub course: Option<Course>,
    /// What was found before.
    pub findings: Vec<Finding>,
}

impl Preview {
    /// Whether something stands against it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        precheck::is_refused(&self.findings)
            || self
                .course
                .as_ref()
                .is_some_and(|course| course.conflict.is_some())
    }
}

/// What [`apply`] would do, told without a change and without the lock.
///
/// # Errors
/// When the connection fails, or the server refuses to tell.
pub async fn preview(
    server: &Server,
    changes: &[Change<'_>],
    options: &Options,
) -> Result<Vec<Preview>, Error> {
    let mut jobs: Vec<Job> = changes.iter().map(Job::up).collect();
    jobs.sort_by_key(|job| job.version);
    let mut connection = server::open(server, &options.limits).await?;
    let previews = drive::previews(&mut connection, server, options, jobs).await;
    connection.close().await;
    previews
}

/// What [`rollback`] would do, told without a change and without the lock.
///
/// # Errors
/// When the connection fails, or the server refuses to tell.
pub async fn preview_rollback(
    server: &Server,
    schemas: &BTreeSet<String>,
    range: Range,
    options: &Options,
) -> Result<Vec<Preview>, Error> {
    let mut connection = server::open(server, &options.limits).await?;
    let jobs = match to_take_back(&mut connection, schemas, range).await {
        Ok(jobs) => jobs,
        Err(error) => {
            connection.close().await;
            return Err(error);
        }
    };
    let previews = drive::previews(&mut connection, server, options, jobs).await;
    connection.close().await;
    previews
}
