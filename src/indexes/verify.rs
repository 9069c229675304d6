//! Whether an index keeps its promise, asked of the target itself.
//!
//! [`judge`](judge::judge) compares plans (and executions, where they are wanted) with the index
//! and without it, before it counts; [`guard`] compares what the server counted before and after.
//! Files in reading order: access, weigh, overall, ask, run, likeness, judge; before, compare, guard, hide.

pub mod access;
pub mod before;
pub mod compare;
pub mod guard;
pub mod hide;

mod ask;
mod judge;
mod likeness;
mod overall;
mod run;
mod weigh;

use std::collections::BTreeSet;
use std::time::Duration;

pub use judge::judge;

use super::definition::Definition;
use crate::model::schema::TableName;
use crate::server::statements::Class;

/// What one plan says of the indexes that matter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// Its cost in the optimizer's units, of all query blocks together.
    pub cost: f64,
    /// The indexes that it uses, by their place in the list that was asked for.
    pub used: BTreeSet<usize>,
    /// It was answered while it was planned, and does not say from which indexes.
    pub hides_use: bool,
}

/// Reads an answer of `EXPLAIN FORMAT=JSON`, with the note 1003 behind it, for these indexes. The
/// error is one sentence.
pub type PlanReader =
    fn(json: &str, note: &str, indexes: &[(TableName, String)]) -> Result<Figures, String>;

/// How to judge.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What reads the plans; the command line passes the advisor's reader.
    pub plans: PlanReader,
    /// Run plain reads both ways and compare what they read; `None` leaves it at estimates.
    pub execute: Option<Execute>,
    /// Statements of one query at most.
    pub samples: usize,
    /// Queries besides those of the evidence that are looked at: those that name the table and
    /// took the most time.
    pub bystanders: usize,
    /// Take estimates as they are, even where only an execution tells.
    pub trusts_estimates: bool,
}

impl Settings {
    /// Estimates only, three statements of a query, and fifty queries besides the evidence.
    #[must_use]
    pub fn new(plans: PlanReader) -> Self {
        Self {
            plans,
            execute: None,
            samples: 3,
            bystanders: 50,
            trusts_estimates: false,
        }
    }
}

/// Limits of executions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Execute {
    /// One execution is ended after this time.
    pub limit: Duration,
    /// Pairs of executions, one with the index and one without, at most.
    pub pairs: u32,
}

impl Default for Execute {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(2),
            pairs: 5,
        }
    }
}

/// What the change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Verdict {
    Better,
    Same,
    Worse,
    NotJudged,
}

impl Verdict {
    /// The verdict as every output spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "worse",
            Self::NotJudged => "not_judged",
        }
    }
}

/// The judgement of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Over all queries.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// Whether the change should stay: a new index has to gain something and a dropped one must
    /// not be missed. `None` where nothing could be judged.
    pub is_kept: Option<bool>,
    /// Only an execution tells what becomes of some query.
    pub needs_run: bool,
    /// Query by query, those of the evidence first.
    pub queries: Vec<QueryJudgement>,
    /// What could not be seen, each one sentence.
    pub notes: Vec<String>,
}

/// The judgement of one query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryJudgement {
    /// Short name.
    pub name: String,
    /// Normalized text.
    pub fingerprint: String,
    /// Default schema.
    pub schema: Option<String>,
    /// What the definition says of it.
    pub promise: Promise,
    /// Executions that the server counted, or that the evidence tells.
    pub calls: f64,
    /// What they took together; zero where nobody knows.
    pub time: Duration,
    /// Executions decided, not estimates.
    pub is_measured: bool,
    /// Only an execution tells what becomes of it.
    pub needs_run: bool,
    /// What one execution takes after the change, as a share of what it takes before.
    pub factor: f64,
    /// What the change does to it.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// Statement by statement.
    pub trials: Vec<Trial>,
}

impl QueryJudgement {
    /// Whether the definition names it; else it was found on the server.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        self.promise != Promise::None
    }
}

/// What a definition says of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Nothing.
    None,
    /// It names it.
    Named,
    /// The change makes it slower.
    Slower,
    /// The change makes it faster: it was run both ways when the definition was proposed, on such a
    /// server and with such a table as this one.
    Measured,
}

/// One statement, before the change and after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its constants are not its own.
    pub is_made_up: bool,
    /// Before.
    pub before: Side,
    /// After.
    pub after: Side,
    /// In how many pairs of executions it was faster after the change, and in how many slower.
    pub pairs: (u32, u32),
}

impl Trial {
    /// Whether the index takes part on either side.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.before.uses_index || self.after.uses_index
    }
}

/// A statement on one side of the change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Side {
    /// Its plan reads through the index.
    pub uses_index: bool,
    /// The plan's cost in the optimizer's units.
    pub cost: f64,
    /// Rows that the plan expects to read.
    pub rows: f64,
    /// The plan, a line for each table.
    pub plan: Vec<String>,
    /// It reads the index in question in its order until enough rows are found, and the optimizer
    /// guessed how soon that is.
    pub gambles: bool,
    /// What an execution took, where there was one.
    pub executed: Option<Executed>,
}

/// What an execution took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Executed {
    /// Calls of `Handler_read_*`: rows and index entries that were read.
    pub reads: u64,
    /// The median time.
    pub time: Duration,
    /// It was ended at the time limit.
    pub is_capped: bool,
}

/// The classes of statements that the evidence names, in its order.
fn classes(definition: &Definition, default_schema: &str) -> Vec<Class> {
    let queries = definition
        .evidence
        .iter()
        .flat_map(|evidence| &evidence.queries);
    let schema = definition.schema.as_deref().unwrap_or(default_schema);
    queries
        .map(|query| Class {
            fingerprint: query.fingerprint.clone(),
            schema: Some(query.schema.as_deref().unwrap_or(schema).to_owned()),
        })
        .collect()
}
