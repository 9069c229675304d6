//! A workload pack: a schema, the data that fills it, and the probes that drive it.
//!
//! These are the checked values: every name resolves, every rate is in range. The value that a
//! [`ParamRef`] stands for comes from the probe's compiled parameters,
//! `Params::value(&self, operation: u64, at: ParamRef) -> Value` in `params.rs`.

use std::sync::Arc;
use std::time::Duration;

use crate::model::probe::Slo;

/// A workload pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// Its name, also the name of the schema that it is loaded into by default.
    pub name: Arc<str>,
    /// One sentence.
    pub description: String,
    /// Raised when schema or data change, so that data of an older version is recognized.
    pub version: u32,
    /// Probes in the order of their files' names.
    pub probes: Vec<Probe>,
}

/// A repeatable operation: one statement or a transaction of several.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Unique in the pack.
    pub name: Arc<str>,
    /// One sentence: what the application does with it.
    pub description: String,
    /// Whether it changes data.
    pub kind: Kind,
    /// Held against the service level of analytics queries instead of that of responses.
    pub analytic: bool,
    /// Share in the mix when an overall rate is given; 0 leaves it out of the mix.
    pub weight: f64,
    /// Operations per second when the pack's own rates are used.
    pub rate: f64,
    /// Its own objective; without one the configuration's applies.
    pub slo: Option<Slo>,
    /// An operation is given up after this; without one the configuration's applies.
    pub timeout: Option<Duration>,
    /// Run the statements between BEGIN and COMMIT, ROLLBACK on error.
    pub transaction: bool,
    /// Statements in order, at least one.
    pub statements: Vec<Statement>,
}

/// What a probe does to data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only reads.
    Read,
    /// Changes rows.
    Write,
}

/// One statement of a probe, ready to be prepared.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// SQL with `?` for each value, batches and lists already written out.
    pub sql: Arc<str>,
    /// The value of each `?`, in order.
    pub params: Vec<ParamRef>,
    /// Whether it returns rows (SELECT and the like) or only a count of changed ones.
    pub returns_rows: bool,
}

/// A value of an operation: the same reference means the same value within one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParamRef {
    /// Index of the parameter in its probe.
    pub param: usize,
    /// Which of its values: the row of a batch, the element of a list, the repetition.
    pub row: u32,
}
