//! What an index will take: bytes, time to build, time with each write.

use std::time::Duration;

use super::keys;
use crate::advisor::statistics::Statistics;
use crate::model::schema::{Index, IndexKind, Part, Table};

/// Bytes of an entry besides its key: header, pointers, and what the page's directory takes.
const ENTRY_BYTES: f64 = 8.0;
/// InnoDB leaves a sixteenth of each page free.
const PAGE_FILL: f64 = 15.0 / 16.0;
/// Entries of a multi-valued index for one row: nothing is known of the arrays.
const ARRAY_LENGTH: f64 = 4.0;
/// Bytes of the smallest index: one page.
const PAGE_BYTES: u64 = 16 * 1024;

/// Whether it holds several entries a row.
fn is_multi_valued(index: &Index) -> bool {
    index.kind == IndexKind::MultiValued
        || index.parts.iter().any(|part| match &part.what {
            Part::Expression(text) => text.to_ascii_lowercase().ends_with(" array)"),
            Part::Column(_) => false,
        })
}

fn entries_per_row(index: &Index) -> f64 {
    if is_multi_valued(index) {
        ARRAY_LENGTH
    } else {
        1.0
    }
}

fn entry_bytes(table: &Table, index: &Index, statistics: &Statistics) -> f64 {
    let key: f64 = keys::extended(table, &index.parts)
        .iter()
        .map(|part| keys::stored_part_bytes(table, part, statistics))
        .sum();
    key + ENTRY_BYTES
}

/// Estimated bytes of an index at the table's number of rows:
/// rows x (key + primary key parts that it lacks + 8) x 16/15, a page at least.
///
/// Of a multi-valued index four entries a row, since nothing is known of its arrays.
#[must_use]
pub fn size(table: &Table, index: &Index, statistics: &Statistics) -> u64 {
    let entries = table.rows as f64 * entries_per_row(index);
    let bytes = entries * entry_bytes(table, index, statistics) / PAGE_FILL;
    whole(bytes).max(PAGE_BYTES)
}

/// Estimated time to build an index of so many bytes: reading the table, sorting the entries,
/// writing them.
///
/// Fitted to six indexes of 17 to 101 MiB on a table of a million rows and 209 MiB, all in memory,
/// on MySQL 9.7 with two shared, busy cores: those took 1.0 to 3.5 s, this says 1.9 to 2.4 s. Take
/// it for the order of magnitude; a table that is not in memory takes longer.
#[must_use]
pub fn build_time(table: &Table, bytes: u64) -> Duration {
    let rows = table.rows.max(2) as f64;
    let reading = table.data_bytes as f64 / 400e6;
    let sorting = rows * rows.log2() * 60e-9;
    let writing = bytes as f64 / 150e6;
    Duration::try_from_secs_f64(reading + sorting + writing).unwrap_or(Duration::MAX)
}

/// Estimated microseconds of server time that the index adds to each inserted row.
///
/// Measured in memory on two shared cores, each index added 3.5 to 6 us (field notes): 3.5 for the
/// narrowest entries, 6 from 100 bytes up. A multi-valued index takes that for each of four
/// elements. Where the index does not fit in memory, a write takes a random read more.
#[must_use]
pub fn write_us_per_row(table: &Table, index: &Index, statistics: &Statistics) -> f64 {
    let bytes = entry_bytes(table, index, statistics);
    let share = ((bytes - 16.0) / (100.0 - 16.0)).clamp(0.0, 1.0);
    (3.5 + 2.5 * share) * entries_per_row(index)
}

/// A float as a count; what does not fit is the most there is.
fn whole(value: f64) -> u64 {
    Duration::try_from_secs_f64(value.max(0.0)).map_or(u64::MAX, |time| time.as_secs())
}
