//! What is said between the view of the indexes and whoever reads and changes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::inventory::Inventory;
use crate::model::ledger::DefinitionState;
use crate::model::schema::{Index, TableName};
use crate::model::units;

/// How long an index that goes stays hidden before it is dropped.
pub const SOAK: Duration = Duration::from_hours(24);

/// The indexes as they were read at one moment, with the statements of each change that can be
/// asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexBoard {
    /// What is there.
    pub inventory: Inventory,
    /// What each definition does, by the schema whose ledger keeps it and its number there.
    pub definitions: BTreeMap<(String, u32), DefinitionText>,
    /// The statements that hide and that show each index, in the order of the inventory; empty
    /// for an index that can't be hidden.
    pub visibility: Vec<(String, String)>,
    /// How long the reading took: the next one waits in proportion.
    pub took: Duration,
}

/// What a definition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionText {
    /// The index that it makes or drops.
    pub index: Index,
    /// Why, in the words of its author.
    pub reason: String,
    /// Statements that carry it out on its table as it is now; of what is applied, those that did.
    pub up: Vec<Statement>,
    /// Statements that take it back.
    pub down: Vec<Statement>,
    /// Why it can't be carried out to its end.
    pub obstacle: Option<String>,
}

/// A statement of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its text, without a final semicolon.
    pub sql: String,
    /// It waits until the index was hidden for [`SOAK`].
    pub is_after_soak: bool,
}

impl Statement {
    /// The statement as a line of SQL.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.is_after_soak {
            return format!("{}; -- after {}", self.sql, units::duration(SOAK));
        }
        format!("{};", self.sql)
    }
}

/// A change of one index, as it was chosen on the screen. Whoever makes it looks again right
/// before, and refuses it when what was chosen is no longer the same.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexChange {
    /// Carry out a definition, or go on with it.
    Apply {
        /// The definition.
        definition: DefinitionState,
        /// The statements that were agreed to; another file needs another question.
        statements: Vec<String>,
    },
    /// Take a definition back.
    RollBack {
        /// The definition.
        definition: DefinitionState,
        /// Drop a new index at once, instead of hiding it for [`SOAK`] first.
        now: bool,
    },
    /// Make an index invisible to the optimizer.
    Hide {
        /// On which table.
        table: TableName,
        /// The index.
        index: Index,
    },
    /// Make an index visible again.
    Show {
        /// On which table.
        table: TableName,
        /// The index.
        index: Index,
    },
}

impl IndexChange {
    /// The change in a phrase: `apply 0003`, `hide ix_region on cmdb.vpcs`.
    #[must_use]
    pub fn phrase(&self) -> String {
        match self {
            Self::Apply { definition, .. } => format!("apply {:04}", definition.version),
            Self::RollBack { definition, now } => {
                let now = if *now { " now" } else { "" };
                format!("roll back {:04}{now}", definition.version)
            }
            Self::Hide { table, index } => format!("hide {} on {table}", index.name),
            Self::Show { table, index } => format!("show {} on {table}", index.name),
        }
    }

    /// The table and the index that it is about.
    #[must_use]
    pub fn subject(&self) -> (&TableName, &str) {
        match self {
            Self::Apply {
                definition: one, ..
            }
            | Self::RollBack {
                definition: one, ..
            } => (&one.table, &one.index),
            Self::Hide { table, index } | Self::Show { table, index } => (table, &index.name),
        }
    }
}

/// What is asked about indexes.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexRequest {
    /// Read them.
    Read,
    /// Make a change, once confirmed.
    Change(Box<IndexChange>),
    /// End the change that is under way at the next point where it can be taken up again.
    Stop,
}

/// News about indexes.
#[derive(Debug, Clone)]
pub enum IndexNews {
    /// Answer to [`IndexRequest::Read`].
    Read(Arc<IndexBoard>),
    /// They could not be read: why, and the remedy, in one sentence.
    Unread(String),
    /// A change goes on.
    Working {
        /// The change.
        change: IndexChange,
        /// What it does now, a phrase.
        step: String,
        /// How far this step is, 0 to 1, where that can be told.
        share: Option<f64>,
        /// How long this step will still take, where that can be told.
        left: Option<Duration>,
    },
    /// A change ended.
    Ended {
        /// The change.
        change: IndexChange,
        /// What was done, or why not, in one sentence.
        result: Result<String, String>,
    },
}
