//! What the work is given, what it tells on the way, and what it ends with.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::errors::Error;
use crate::config::settings::Monitor;
use crate::indexes::apply::Progress;
use crate::indexes::course::Course;
use crate::indexes::definition::Definition;
use crate::indexes::precheck;
use crate::indexes::reconcile::Direction;
use crate::indexes::verify::before::Counts;
use crate::model::finding::Finding;
use crate::model::ledger::State;
use crate::model::schema::TableName;
use crate::server::{self, Connection};

/// Limits of the work.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
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
    /// Copy a table while writers wait, where its other indexes leave no other way.
    pub may_copy: bool,
    /// Hide and drop an index even where queries get slower without it.
    pub even_if_slower: bool,
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
            may_copy: false,
            even_if_slower: false,
            read_only: false,
        }
    }
}

/// What was found about a new index that is still invisible, or about one that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It keeps its promise; how that was found.
    Accepted(String),
    /// It does not; why.
    Rejected(String),
    /// That could not be told; why. It becomes visible all the same.
    NotJudged(String),
    /// Only running its queries tells; why. It stays invisible.
    Open(String),
}

/// The answer of a judge, later.
pub type Judging<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// What was counted, later.
pub type Counting<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Counts>, server::Error>> + Send + 'a>>;

/// Judges a new index before the optimizer may use it, and a drop before it begins.
pub trait Judge: Send + Sync {
    /// Whether the index of `definition` keeps its promise: a new one is there and invisible, one
    /// that is to go still visible. The connection only reads.
    fn judge<'a>(
        &'a self,
        connection: &'a mut Connection,
        definition: &'a Definition,
        default_schema: &'a str,
    ) -> Judging<'a>;

    /// What the queries have cost so far, to compare with when the change is made; `None` where
    /// nobody will compare. The connection only reads.
    fn counts<'a>(
        &'a self,
        _connection: &'a mut Connection,
        _definition: &'a Definition,
        _default_schema: &'a str,
    ) -> Counting<'a> {
        Box::pin(async { Ok(None) })
    }
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
        /// Work of the server that was lost with the tries.
        lost: Duration,
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

impl End {
    /// Whether somebody asked it to stop.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Interrupted)
    }
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
    /// The statements that would take that back again.
    pub back: Vec<String>,
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
