//! The ranges of rows that connections fill, each in order.

use crate::probes::pack::{Pack, check_data};

/// Ranges that a table is split into at most: enough for many connections to be busy to the end.
const MOST_SEGMENTS: u64 = 16;

/// A range of rows of a table that is filled in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Index of the table.
    pub table: usize,
    /// Number within the table.
    pub index: u32,
    /// Its first row.
    pub first: u64,
    /// The first row that is not written yet.
    pub next: u64,
    /// The row after its last.
    pub end: u64,
}

impl Segment {
    /// Rows that are not written yet.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.end.saturating_sub(self.next)
    }
}

/// The ranges of a table's rows; a hierarchy is one range, because its rows have to be in order.
#[must_use]
pub fn segments(table: usize, rows: u64, batch: u64, is_ordered: bool) -> Vec<Segment> {
    let batch = batch.max(1);
    let length = if is_ordered {
        rows.max(1)
    } else {
        rows.div_ceil(MOST_SEGMENTS).div_ceil(batch).max(1) * batch
    };
    let mut segments = Vec::new();
    let mut first = 0;
    while first < rows || segments.is_empty() {
        let end = first.saturating_add(length).min(rows);
        segments.push(Segment {
            table,
            index: u32::try_from(segments.len()).unwrap_or(u32::MAX),
            first,
            next: first,
            end,
        });
        first = end.max(1);
    }
    segments
}

/// Tables with their parents, for the queue.
#[must_use]
pub fn parents(pack: &Pack) -> Vec<Vec<usize>> {
    pack.tables
        .iter()
        .enumerate()
        .map(|(index, table)| {
            let parents = table.foreign_keys.iter().map(|key| key.table);
            parents.filter(|parent| *parent != index).collect()
        })
        .collect()
}

/// Segments in an order in which parents come first.
#[must_use]
pub fn in_load_order(pack: &Pack, mut segments: Vec<Segment>) -> Vec<Segment> {
    let order = check_data::load_order(&pack.tables).unwrap_or_default();
    segments.sort_by_key(|segment| {
        let rank = order.iter().position(|table| *table == segment.table);
        (rank, segment.index)
    });
    segments
}
