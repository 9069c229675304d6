//! What becomes of the indexes that are there.

use super::schema::{Index, TableName};

/// What is to be done with one existing secondary index.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// On which table.
    pub table: TableName,
    /// The index.
    pub index: Index,
    /// What it is.
    pub fate: Fate,
    /// Why, in one or two sentences.
    pub reason: String,
    /// Statements that take it away, the second one business cycle after the first; empty when it
    /// stays.
    pub ddl: Vec<String>,
    /// What undoes each of them.
    pub undo: Vec<String>,
}

/// What an index is to those who would drop it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The schema or the workload breaks without it.
    Required(Required),
    /// Nothing was read through it.
    Unused,
    /// Another is the same; its name.
    Duplicate(String),
    /// Another does all that it does; its name.
    Redundant(String),
    /// It may be of use.
    Keep,
}

impl Fate {
    /// Whether it can go.
    #[must_use]
    pub fn is_drop(&self) -> bool {
        matches!(self, Self::Unused | Self::Duplicate(_) | Self::Redundant(_))
    }
}

/// What needs an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// It stands for the primary key that the table lacks: MySQL refuses to hide it (3522).
    ImplicitPrimaryKey,
    /// It keeps values unique, and no other does.
    Unique,
    /// A foreign key of the table has no other index (1553).
    ForeignKeyChild,
    /// A foreign key of another table refers to it (1553).
    ForeignKeyParent,
    /// A query of the workload names it in a hint.
    Hint,
    /// A column that counts up by itself must be the first of an index (1075).
    AutoIncrement,
}
