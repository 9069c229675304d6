//! What a statement is expected to take: bytes and time, for the order of magnitude.

use std::time::Duration;

use crate::model::schema::{Column, Index, IndexKind, KeyPart, Table};

/// Bytes of an entry besides its key.
const ENTRY_BYTES: f64 = 8.0;
/// InnoDB leaves a sixteenth of each page free.
const PAGE_FILL: f64 = 15.0 / 16.0;
/// Entries of a multi-valued or full-text index for one row: nothing is known of the contents.
const ENTRIES: f64 = 4.0;
/// Bytes of a value of unknown length.
const UNKNOWN_BYTES: f64 = 20.0;
/// One page.
const PAGE_BYTES: f64 = 16_384.0;

/// Estimated bytes of an index at the table's number of rows: what was said for it where somebody
/// said something, else rows x (key + primary key + 8) x 16/15, strings taken as half full.
#[must_use]
pub fn bytes(table: &Table, index: &Index, said: Option<u64>) -> u64 {
    if let Some(bytes) = said.or(index.bytes).filter(|bytes| *bytes > 0) {
        return bytes;
    }
    let key: f64 = index.parts.iter().map(|part| part_bytes(table, part)).sum();
    let primary: f64 = table.primary_key().map_or(6.0, |key| {
        key.parts.iter().map(|part| part_bytes(table, part)).sum()
    });
    let entries = match index.kind {
        IndexKind::MultiValued | IndexKind::FullText => ENTRIES,
        _ => 1.0,
    };
    let all = table.rows as f64 * entries * (key + primary + ENTRY_BYTES) / PAGE_FILL;
    whole(all.max(PAGE_BYTES))
}

fn part_bytes(table: &Table, part: &KeyPart) -> f64 {
    let column = part.column_name().and_then(|name| table.column(name));
    let whole = column.map_or(UNKNOWN_BYTES, column_bytes);
    part.prefix
        .map_or(whole, |length| whole.min(f64::from(length)))
}

fn column_bytes(column: &Column) -> f64 {
    match column.data_type.as_str() {
        "tinyint" | "year" | "bit" | "enum" => 1.0,
        "smallint" | "set" => 2.0,
        "mediumint" | "date" | "time" => 3.0,
        "int" | "float" | "timestamp" => 4.0,
        "bigint" | "double" | "decimal" | "datetime" => 8.0,
        _ => column
            .max_bytes
            .map_or(UNKNOWN_BYTES, |max| (max as f64 / 8.0).clamp(1.0, 128.0)),
    }
}

/// Estimated time to build an index of so many bytes: reading the table, sorting the entries,
/// writing them. It was fitted to tables in memory; take it for the order of magnitude.
#[must_use]
pub fn build_time(table: &Table, bytes: u64) -> Duration {
    let rows = table.rows.max(2) as f64;
    let reading = table.data_bytes as f64 / 400e6;
    let sorting = rows * rows.log2() * 60e-9;
    let writing = bytes as f64 / 150e6;
    Duration::try_from_secs_f64(reading + sorting + writing).unwrap_or(Duration::MAX)
}

/// Estimated time to copy a table of so many bytes row by row, for the order of magnitude.
#[must_use]
pub fn copy_time(bytes: u64) -> Duration {
    Duration::try_from_secs_f64(bytes as f64 / 20e6).unwrap_or(Duration::MAX)
}

/// A float as a count; what does not fit is the most there is.
fn whole(value: f64) -> u64 {
    Duration::try_from_secs_f64(value.max(0.0)).map_or(u64::MAX, |time| time.as_secs())
}
