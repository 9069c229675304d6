//! What is known of the values in a column: for ties between candidates, prefixes and sizes.

use std::collections::BTreeMap;

use crate::model::schema::TableName;

/// Statistics of columns; what is missing is not known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statistics {
    columns: BTreeMap<(TableName, String), ColumnStatistics>,
}

/// Statistics of one column, of the target's table as far as a sample can tell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ColumnStatistics {
    /// Distinct values, NULL left out.
    pub distinct: Option<u64>,
    /// Share of NULL, 0 to 1.
    pub null_share: Option<f64>,
    /// Average length of a value in bytes, as stored in a key, NULL left out.
    pub average_bytes: Option<f64>,
    /// The shortest prefix, in characters, that keeps 95 % of the distinct values; for strings
    /// too long to be indexed whole.
    pub prefix: Option<u32>,
    /// Average number of elements of a JSON array, over all rows.
    pub elements: Option<f64>,
}

impl Statistics {
    /// What is known of a column; column names never depend on case.
    #[must_use]
    pub fn of(&self, table: &TableName, column: &str) -> ColumnStatistics {
        self.columns
            .get(&(table.clone(), column.to_ascii_lowercase()))
            .copied()
            .unwrap_or_default()
    }

    /// Adds or replaces a column's.
    pub fn insert(&mut self, table: TableName, column: &str, known: ColumnStatistics) {
        self.columns
            .insert((table, column.to_ascii_lowercase()), known);
    }
}
