//! The workload: statements with their weights, whatever source they came from.

use std::time::Duration;

use crate::model::advice::Skipped;

/// A workload.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Workload {
    /// A phrase for the output, such as `digests of db1:3306`.
    pub source: String,
    /// The time it covers, where the source tells.
    pub window: Option<Duration>,
    /// Statements, one for each fingerprint and schema.
    pub queries: Vec<Query>,
    /// What the source held and nobody can judge.
    pub skipped: Vec<Skipped>,
    /// What the source could not show, each one sentence with its remedy.
    pub notes: Vec<String>,
}

impl Workload {
    /// Whether every weight is a measured time.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.queries.iter().all(|query| query.time.is_some())
    }
}

/// Statements of one fingerprint.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Short, stable name: a probe, `queries.sql:12`, or the beginning of a digest.
    pub name: String,
    /// Normalized text, as `sql::fingerprint` writes it.
    pub fingerprint: String,
    /// Default schema of the session that ran it.
    pub schema: Option<String>,
    /// Statements with constants, the most typical first; one at least. Each is a single
    /// statement that `sql::explainable` lets pass, without parameters.
    pub samples: Vec<Sample>,
    /// Executions in the workload; a weight where the source has no counts.
    pub calls: f64,
    /// Measured total time in the workload.
    pub time: Option<Duration>,
    /// Rows examined in the workload, where known.
    pub rows_examined: Option<u64>,
    /// Rows sent in the workload, where known.
    pub rows_sent: Option<u64>,
    /// Rows that it inserted, updated or deleted in the workload, where known.
    pub rows_affected: Option<u64>,
    /// How much slower it may get, as a share, where the user said so for this query.
    pub tolerance: Option<f64>,
}

/// One statement with constants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its text.
    pub sql: String,
    /// Its constants were made up from rows of the tables, since the server does not keep those
    /// of a prepared statement.
    pub is_made_up: bool,
}
