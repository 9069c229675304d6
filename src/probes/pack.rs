//! A workload pack: a schema, the data that fills it, and the probes that drive it.
//!
//! These are the checked values: every name resolves, every rate is in range. The value that a
//! [`ParamRef`] stands for comes from the probe's compiled parameters,
//! `Params::value(&self, operation: u64, at: ParamRef) -> Value` in `params.rs`.

pub mod check_data;
pub mod fields;
pub mod generator;
pub mod read;
pub mod read_data;
pub mod read_generator;
pub mod read_probe;
pub mod read_template;
pub mod schema;
pub mod shipped;
pub mod sql;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::model::probe::Slo;
use generator::Generator;

/// A workload pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// Its name, also the name of the schema that it is loaded into by default.
    pub name: Arc<str>,
    /// One sentence.
    pub description: String,
    /// Raised when schema or data change, so that data of an older version is recognized.
    pub version: u32,
    /// The time that generated ages count from, microseconds since 1970 UTC; fixed, so that the
    /// same seed gives the same rows on any day.
    pub now: i64,
    /// Tables in the order of `schema.sql`.
    pub tables: Vec<Table>,
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
    /// Parameters; a [`ParamRef`] points here.
    pub params: Vec<Param>,
    /// Most rows that one operation takes of a parameter, at least 1.
    pub width: u32,
    /// Statements in order, at least one.
    pub statements: Vec<Statement>,
}

/// A named parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Stands as `:name` in the SQL.
    pub name: Arc<str>,
    /// Makes its values.
    pub generator: Generator,
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

/// A table of the pack's schema, with what fills it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: Arc<str>,
    /// Its CREATE TABLE statement.
    pub create: String,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Primary and unique keys, as indexes of columns.
    pub uniques: Vec<Vec<usize>>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Rows at scale 1.
    pub rows: u64,
    /// Whether the rows grow with the scale.
    pub scales: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are independent facts of a column, as the server lists them"
)]
pub struct Column {
    /// Its name.
    pub name: Arc<str>,
    /// What it holds.
    pub class: Class,
    /// Whether it can be NULL.
    pub is_nullable: bool,
    /// Whether the server fills it when it is left out.
    pub has_default: bool,
    /// Whether the server computes it, so that nobody can write it.
    pub is_generated: bool,
    /// Whether it exists in data.toml only, for other generators to read.
    pub is_helper: bool,
    /// Makes its values; without one it is left out of inserts.
    pub generator: Option<Generator>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Class {
    Signed,
    Unsigned,
    Decimal,
    Float,
    Text,
    Bytes,
    Time,
    Json,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its columns.
    pub columns: Vec<usize>,
    /// Index of the table that it refers to.
    pub table: usize,
}

impl Table {
    /// Index of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| &*column.name == name)
    }

    /// Rows at a scale; at least one.
    #[must_use]
    pub fn rows_at(&self, scale: f64) -> u64 {
        if self.scales {
            super::random::floor((self.rows as f64 * scale).round()).max(1)
        } else {
            self.rows
        }
    }
}

impl Pack {
    /// Index of a table.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| &*table.name == name)
    }
}
