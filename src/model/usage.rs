//! How often indexes were used, as the server counts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::schema::TableName;

/// Reads and writes of indexes since the server counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexUsage {
    /// How long it has counted; `None` where it does not, so that nothing is known.
    pub window: Option<Duration>,
    /// Counts by table and index. An index that is missing was not counted.
    pub counts: BTreeMap<(TableName, String), Counts>,
    /// What the counts can't show, each one sentence with its remedy.
    pub notes: Vec<String>,
}

/// How often one index was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows that were read through it.
    pub reads: u64,
    /// Rows that were written and counted on it.
    pub writes: u64,
}

impl IndexUsage {
    /// The counts of an index; index names never depend on case.
    #[must_use]
    pub fn of(&self, table: &TableName, index: &str) -> Option<Counts> {
        self.window?;
        self.counts
            .get(&(table.clone(), index.to_ascii_lowercase()))
            .copied()
    }
}
