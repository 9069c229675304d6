//! What a decision is made from, and what it comes to.

use std::time::Duration;

use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::schema::{GeneratedColumn, Index};

/// Applied, or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Direction {
    Up,
    Down,
}

impl Direction {
    /// The word of the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// The direction of that word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Up, Self::Down]
            .into_iter()
            .find(|direction| direction.word() == word)
    }
}

/// What only the ledger knows of a version that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The intent is on record, nothing more.
    Begun,
    /// The index that supports a foreign key may have another name for now.
    Aside,
    /// It has its name again, and counts as made by hand.
    Kept,
    /// The new index is there, invisible, and waits for its verification.
    Built,
    /// It was accepted.
    Accepted,
    /// It was rejected, and goes.
    Rejecting,
    /// The index that is to go is invisible.
    Hidden,
    /// The end of the way.
    Done,
    /// Nothing was done, because the database was so before.
    Equal,
}

impl Stage {
    pub(super) const ALL: [Self; 9] = [
        Self::Begun,
        Self::Aside,
        Self::Kept,
        Self::Built,
        Self::Accepted,
        Self::Rejecting,
        Self::Hidden,
        Self::Done,
        Self::Equal,
    ];

    /// The word of the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Aside => "aside",
            Self::Kept => "kept",
            Self::Built => "built",
            Self::Accepted => "accepted",
            Self::Rejecting => "rejecting",
            Self::Hidden => "hidden",
            Self::Done => "done",
            Self::Equal => "equal",
        }
    }

    /// The stage of that word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.word() == word)
    }
}

/// What is to be reached for one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Create or drop, as the definition says.
    pub action: Action,
    /// Applied, or taken back.
    pub direction: Direction,
    /// The index as it is with the definition (a create), or as it was without it (a drop).
    pub index: Index,
    /// The generated column that comes and goes with it.
    pub column: Option<GeneratedColumn>,
    /// Options of the index that its description has no place for, such as ` USING BTREE`.
    pub options: String,
    /// How long an index stays invisible before it is dropped.
    pub soak: Duration,
    /// A new index is judged before it becomes visible.
    pub is_judged: bool,
    /// The index stands, or would stand, for a primary key that the table lacks.
    pub is_primary_substitute: bool,
    /// How the table is kept, which decides what is done in place.
    pub storage: Storage,
    /// Other indexes of the table that are over expressions: their hidden columns stand in the way
    /// of what is done in place.
    pub functional: Vec<String>,
}

/// How a table is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// By `InnoDB`, in one piece.
    Whole,
    /// By `InnoDB`, in partitions.
    Partitioned,
    /// By another engine.
    Other,
}

/// What the ledger remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Nothing was begun: whatever is there is not from here.
    pub is_fresh: bool,
    /// How far it came.
    pub stage: Stage,
    /// How long the index has been invisible.
    pub hidden_for: Option<Duration>,
    /// The generated column was there before the definition.
    pub had_column: bool,
    /// The index was there before the definition: a drop found it, or a create found it the same.
    pub had_index: bool,
    /// Names of indexes that may have another name for now.
    pub aside: Vec<String>,
}

impl Memory {
    /// Of a version that the ledger does not know, or that was taken back.
    pub const FRESH: Self = Self {
        is_fresh: true,
        stage: Stage::Begun,
        hidden_for: None,
        had_column: false,
        had_index: false,
        aside: Vec::new(),
    };
}

/// What is there now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The index of the definition's name.
    pub index: Found,
    /// The first other index that is the same structure.
    pub twin: Option<String>,
    /// The generated column.
    pub column: FoundColumn,
    /// Other indexes that use the generated column.
    pub column_users: Vec<String>,
    /// Indexes that MySQL may have made for a foreign key and would replace silently.
    pub supports: Vec<String>,
    /// Indexes that were renamed aside and have to get their names back: their own names.
    pub aside: Vec<String>,
}

/// An index compared with a description, facet by facet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Found {
    /// There is none of that name.
    #[default]
    Missing,
    /// It is the same but for who may see it.
    Same {
        /// The optimizer may use it.
        is_visible: bool,
    },
    /// Another one has its name; what differs, in words.
    Other(String),
}

/// A generated column compared with a description.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FoundColumn {
    /// There is none of that name.
    #[default]
    Missing,
    /// It is the same.
    Same,
    /// Another column has its name; what it is, in words.
    Other(String),
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Rename the supports of foreign keys, so that they count as made by hand.
    Aside {
        /// Their names.
        supports: Vec<String>,
    },
    /// Give them their names back.
    Back {
        /// Their own names.
        supports: Vec<String>,
    },
    /// Add the generated column.
    AddColumn,
    /// Build the index.
    Build {
        /// The optimizer may use it at once.
        visible: bool,
    },
    /// Let the optimizer use it.
    Show,
    /// Keep the optimizer from using it.
    Hide,
    /// Drop the index.
    DropIndex,
    /// Drop the generated column.
    DropColumn,
}

impl Step {
    /// Its name in the ledger and in messages.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Aside { .. } => "rename_aside",
            Self::Back { .. } => "rename_back",
            Self::AddColumn => "add_column",
            Self::Build { .. } => "build",
            Self::Show => "show",
            Self::Hide => "hide",
            Self::DropIndex => "drop_index",
            Self::DropColumn => "drop_column",
        }
    }
}

/// What is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send this statement.
    Do(Step),
    /// Ask whether the new index keeps its promise.
    Judge,
    /// Nothing more for now.
    Settle {
        /// Where it stands.
        state: State,
        /// How it came there.
        stage: Stage,
        /// What there is to say.
        note: Option<String>,
    },
    /// What is there contradicts the definition.
    Conflict(String),
}
