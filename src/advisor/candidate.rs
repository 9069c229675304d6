//! Indexes that may help, with the reason why each was thought of.

use crate::model::advice::LockLevel;
pub use crate::model::schema::GeneratedColumn;
use crate::model::schema::{Index, TableName};

/// An index that does not exist and may help.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// On which table.
    pub table: TableName,
    /// The index, with the name that it gets if it is chosen: deterministic, short enough, and
    /// free on its table.
    pub index: Index,
    /// A generated column that must be made first.
    pub column: Option<GeneratedColumn>,
    /// Who asked for it.
    pub origins: Vec<Origin>,
    /// Estimated bytes at the target's number of rows.
    pub bytes: u64,
    /// The strongest lock that building it needs.
    pub lock: LockLevel,
}

/// Why a candidate was thought of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The query, by its place in the workload; `None` when it is the schema that asks.
    pub query: Option<usize>,
    /// What for.
    pub role: Role,
}

/// What a candidate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Finding rows.
    Filter,
    /// Finding the rows of a join.
    Join,
    /// Rows in the order of `ORDER BY`.
    Order,
    /// Groups next to one another.
    Group,
    /// Answering without the table.
    Covering,
    /// One branch of an OR, for an index merge.
    Branch,
    /// Serving several queries at once: merged from others.
    Merged,
    /// Supporting a foreign key that has no index.
    ForeignKey,
}
