//! How often indexes were used, as the server counts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::schema::TableName;

/// Reads and writes of indexes since the server counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexUsage {
    /// How long it has counted; `None` where it does not, so that nothing is known.
    pub window: Option<Duration>,
    /// Tables that were made or altered since, and how long ago: whatever was counted before that may
    /// be forgotten.
    pub altered: BTreeMap<TableName, Duration>,
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
    /// Nothing that was counted for a shorter time is called unused: it may be the index of the
    /// nightly report.
    pub const SHORTEST: Duration = Duration::from_hours(24);

    /// How long the indexes of a table have been counted; `None` where they are not.
    #[must_use]
    pub fn window_of(&self, table: &TableName) -> Option<Duration> {
        let window = self.window?;
        let altered = self.altered.get(table).copied();
        Some(altered.map_or(window, |altered| altered.min(window)))
    }

    /// Whether an index without reads was watched for long enough to be called unused.
    #[must_use]
    pub fn is_watched(&self, table: &TableName) -> bool {
        self.window_of(table)
            .is_some_and(|window| window >= Self::SHORTEST)
    }

    /// The counts of an index; index names never depend on case.
    #[must_use]
    pub fn of(&self, table: &TableName, index: &str) -> Option<Counts> {
        self.window?;
        self.counts
            .get(&(table.clone(), index.to_ascii_lowercase()))
            .copied()
    }
}
