//! Every index of some schemas, with all that is known of it.

use std::time::Duration;

use jiff::Timestamp;

use super::ledger::DefinitionState;
use super::review::Verdict;
use super::schema::{ForeignKey, TableName};
use super::usage::Counts;

/// The indexes of a server's schemas at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Inventory {
    /// The server's name, without password.
    pub server: String,
    /// Its version.
    pub version: String,
    /// When it was read.
    pub at: Timestamp,
    /// How long the server has counted reads and writes; `None` where it does not count.
    pub window: Option<Duration>,
    /// The tables, by name.
    pub tables: Vec<TableFacts>,
    /// The indexes, by table and name, primary keys too.
    pub indexes: Vec<IndexFacts>,
    /// The definitions that the folder or the ledger know, in the order of their numbers.
    pub definitions: Vec<DefinitionState>,
    /// What could not be seen, each one sentence with its remedy.
    pub notes: Vec<String>,
}

/// A table, as far as indexes go.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFacts {
    /// Its name.
    pub name: TableName,
    /// The storage engine.
    pub engine: String,
    /// Rows, by the server's estimate.
    pub rows: u64,
    /// Bytes of the clustered index.
    pub data_bytes: u64,
    /// Bytes of the secondary indexes.
    pub index_bytes: u64,
    /// Foreign keys that no index of the table supports, with the statement that makes one.
    pub unsupported: Vec<(ForeignKey, String)>,
}

/// One index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexFacts {
    /// What it is, its review, and the statements that would take it away and bring it back. A
    /// primary key is kept.
    pub verdict: Verdict,
    /// How often it was used; `None` where that is not counted.
    pub usage: Option<Counts>,
    /// How long that was counted: since the server started, or its table was altered.
    pub window: Option<Duration>,
    /// The definition that it comes from, by its number.
    pub definition: Option<u32>,
}
