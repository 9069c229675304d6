//! Where a versioned index definition stands in a database.

use jiff::Timestamp;

use super::advice::Action;
use super::schema::TableName;

/// One definition in one database: what the file says, what the ledger says, what is there.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionState {
    /// The number in the file's name.
    pub version: u32,
    /// The name in the file's name.
    pub name: String,
    /// The file, without its folder; `None` where only the ledger knows of it.
    pub file: Option<String>,
    /// The table.
    pub table: TableName,
    /// The index.
    pub index: String,
    /// Create or drop.
    pub action: Action,
    /// Where it stands.
    pub state: State,
    /// When the ledger last changed; `None` where it has no entry.
    pub changed: Option<Timestamp>,
    /// What the ledger says about that: the last error, how it was verified, or why it was rejected.
    pub said: Option<String>,
    /// What is out of order, each one sentence with its remedy; empty when nothing is.
    pub problems: Vec<String>,
}

/// Where a definition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not applied yet.
    Pending,
    /// Begun and not ended: the next run goes on from here or takes it back.
    Unfinished,
    /// A new index is there, invisible, and waits for its verification.
    Staged,
    /// An index that is to go is invisible, and soaks until it may be dropped.
    Soaking,
    /// Done.
    Applied,
    /// It was applied and taken back.
    RolledBack,
    /// The index did not keep its promise and was taken back; it is not tried again by itself.
    Rejected,
}

impl State {
    /// The state in one word, as the ledger and every output spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unfinished => "unfinished",
            Self::Staged => "staged",
            Self::Soaking => "soaking",
            Self::Applied => "applied",
            Self::RolledBack => "rolled_back",
            Self::Rejected => "rejected",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Unfinished,
            Self::Staged,
            Self::Soaking,
            Self::Applied,
            Self::RolledBack,
            Self::Rejected,
        ]
        .into_iter()
        .find(|state| state.word() == word)
    }
}
