//! The figures on top, and the order in which indexes should be looked at.

use std::cmp::Ordering;

use crate::model::inventory::{IndexFacts, Inventory};
use crate::model::ledger::State;
use crate::model::review::Fate;
use crate::model::schema::TableName;

/// An inventory in figures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Secondary indexes.
    pub secondary: usize,
    /// Bytes of the tables' data.
    pub data_bytes: u64,
    /// Bytes of the secondary indexes.
    pub secondary_bytes: u64,
    /// Bytes of the indexes that can go, where their sizes are known.
    pub droppable_bytes: u64,
    /// Indexes that nothing was read through.
    pub unused: usize,
    /// Indexes that are the same as another.
    pub duplicate: usize,
    /// Indexes that another does the work of.
    pub redundant: usize,
    /// Indexes that the optimizer may not use.
    pub invisible: usize,
    /// Foreign keys without an index.
    pub unsupported: usize,
    /// Tables without a primary key.
    pub without_primary_key: usize,
    /// Definitions that are not applied yet.
    pub pending: usize,
    /// Definitions that were begun and not ended, wait, or were refused.
    pub open: usize,
}

impl Summary {
    /// Indexes that can go.
    #[must_use]
    pub fn droppable(&self) -> usize {
        self.unused + self.duplicate + self.redundant
    }
}

/// The figures of an inventory.
#[must_use]
pub fn summary(inventory: &Inventory) -> Summary {
    let mut sum = Summary {
        without_primary_key: tables_without_primary_key(inventory).len(),
        ..Summary::default()
    };
    for table in &inventory.tables {
        sum.data_bytes = sum.data_bytes.saturating_add(table.data_bytes);
        sum.secondary_bytes = sum.secondary_bytes.saturating_add(table.index_bytes);
        sum.unsupported += table.unsupported.len();
    }
    for facts in &inventory.indexes {
        let verdict = &facts.verdict;
        sum.secondary += usize::from(!verdict.index.is_primary());
        sum.invisible += usize::from(!verdict.index.is_visible);
        match verdict.fate {
            Fate::Unused => sum.unused += 1,
            Fate::Duplicate(_) => sum.duplicate += 1,
            Fate::Redundant(_) => sum.redundant += 1,
            Fate::Required(_) | Fate::Keep => continue,
        }
        let bytes = verdict.index.bytes.unwrap_or(0);
        sum.droppable_bytes = sum.droppable_bytes.saturating_add(bytes);
    }
    for definition in &inventory.definitions {
        match definition.state {
            State::Pending => sum.pending += 1,
            State::Unfinished | State::Staged | State::Soaking | State::Rejected => sum.open += 1,
            State::Applied | State::RolledBack => {}
        }
    }
    sum
}

/// Tables whose rows InnoDB numbers by itself, for want of a key. Other engines need none.
#[must_use]
pub fn tables_without_primary_key(inventory: &Inventory) -> Vec<&TableName> {
    let keyed: std::collections::BTreeSet<&TableName> = inventory
        .indexes
        .iter()
        .filter(|facts| facts.verdict.index.is_primary())
        .map(|facts| &facts.verdict.table)
        .collect();
    inventory
        .tables
        .iter()
        .filter(|table| table.engine.eq_ignore_ascii_case("InnoDB"))
        .map(|table| &table.name)
        .filter(|name| !keyed.contains(name))
        .collect()
}

/// Which of two indexes is to be looked at first: those that can go, then invisible ones; within
/// each the largest.
#[must_use]
pub fn is_worse(one: &IndexFacts, other: &IndexFacts) -> Ordering {
    let class = |facts: &IndexFacts| {
        let verdict = &facts.verdict;
        if verdict.fate.is_drop() {
            0
        } else if verdict.index.is_visible {
            2
        } else {
            1
        }
    };
    let bytes = |facts: &IndexFacts| facts.verdict.index.bytes.unwrap_or(0);
    class(one)
        .cmp(&class(other))
        .then_with(|| bytes(other).cmp(&bytes(one)))
        .then_with(|| one.verdict.table.cmp(&other.verdict.table))
        .then_with(|| one.verdict.index.name.cmp(&other.verdict.index.name))
}
