//! Applying definitions and taking them back: a state machine that is safe against a kill at any
//! point, because every step is decided from what the server says is there.

mod drive;
mod errors;
mod facts;
mod forms;
mod judged;
mod observe;
mod preview;
mod record;
mod session;
mod terms;
mod visible;
mod waits;
mod watch;

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use super::definition::Definition;
use super::files::Entry;
use super::ledger::{self, Row};
use super::reconcile::Direction;
use super::ways;
use crate::config::settings::Server;
use crate::model::schema::TableName;
use crate::server::audit::Audit;
use crate::server::{self, Connection};
use drive::{Drive, Halt};
pub use errors::Error;
use session::Session;

pub use terms::{
    Counting, End, Event, Judge, Judging, Options, Outcome, Phase, Preview, Settled, Skipped,
    Unjudged, Verdict,
};
pub(super) use visible::{Guarded, Shown, set_visible_of};
pub use visible::{Visibility, set_visible};
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
    let Some(mut session) = begin(server, audit, &schemas, options, hooks).await? else {
        return Ok(interrupted());
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
    let Some(mut session) = begin(server, audit, schemas, options, hooks).await? else {
        return Ok(interrupted());
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
            if range.has(row.version) && ways::is_to_be_taken_back(&row) {
                jobs.push(Job::down(&row)?);
            }
        }
    }
    jobs.sort_by_key(|job| std::cmp::Reverse(job.version));
    Ok(jobs)
}

/// Connects and takes the locks; `None` when somebody asked to stop.
async fn begin<'a>(
    server: &'a Server,
    audit: &'a Audit,
    schemas: &BTreeSet<String>,
    options: &'a Options,
    hooks: Hooks<'a>,
) -> Result<Option<Session<'a>>, Error> {
    if server.read_only || options.read_only {
        return Err(Error::ReadOnly);
    }
    let mut session = Session::open(server, audit, options, hooks).await?;
    match session.lock(schemas).await {
        Ok(true) => Ok(Some(session)),
        Ok(false) => {
            session.close().await;
            Ok(None)
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
    let previews = preview::previews(&mut connection, server, options, jobs).await;
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
    let previews = preview::previews(&mut connection, server, options, jobs).await;
    connection.close().await;
    previews
}
