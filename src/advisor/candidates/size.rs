//! What an index will take: bytes, time to build, time with each write.

use std::time::Duration;

use super::keys;
use crate::advisor::statistics::Statistics;
use crate::model::schema::{Index, Part, Table};

/// Bytes of an entry besides its key: the header of a record, and its share of the page's directory,
/// where four have a slot of two bytes.
const ENTRY_BYTES: f64 = 5.5;
/// Bytes of a page for entries: 16 KiB without what frames it.
const PAGE_SPACE: f64 = 16_384.0 - 128.0;
/// Bytes of an entry in the levels above, besides its key.
const POINTER_BYTES: f64 = ENTRY_BYTES + 4.0;
/// Entries of a multi-valued index for one row, where nothing is known of the arrays.
const ARRAY_LENGTH: f64 = 4.0;
/// Bytes of a page.
const PAGE_BYTES: u64 = 16 * 1024;
/// Pages that a segment takes one by one, before it takes extents.
const SINGLE_PAGES: u64 = 32;
/// Pages of an extent.
const EXTENT_PAGES: u64 = 64;

/// Whether it holds several entries a row, and how many then on average.
fn entries_per_row(table: &Table, index: &Index, statistics: &Statistics) -> f64 {
    let arrays = index.parts.iter().filter_map(|part| match &part.what {
        Part::Expression(text) if keys::is_array(text) => Some(text),
        _ => None,
    });
    let known = arrays.map(|text| {
        keys::array_column(table, text)
            .and_then(|column| statistics.of(&table.name, &column.name).elements)
            .unwrap_or(ARRAY_LENGTH)
    });
    known.fold(1.0, f64::max)
}

fn key_bytes(table: &Table, index: &Index, statistics: &Statistics) -> f64 {
    let parts = keys::extended(table, &index.parts);
    let stored = parts
        .iter()
        .map(|part| keys::stored_part_bytes(table, part, statistics));
    let nullable = parts.iter().filter(|part| keys::is_nullable(table, part));
    // One bit for each part that may be NULL, in whole bytes.
    stored.sum::<f64>() + nullable.count().div_ceil(8) as f64
}

fn entry_bytes(table: &Table, index: &Index, statistics: &Statistics) -> f64 {
    key_bytes(table, index, statistics) + ENTRY_BYTES
}

/// Estimated bytes of an index that was just built, at the table's number of rows.
///
/// Leaves hold rows x (key + primary key parts that it lacks + 5.5) bytes, densely; InnoDB takes the
/// first 32 pages of a segment singly and then whole extents of 64, an eighth of them in reserve
/// (`innodb_segment_reserve_factor`). Against 11 indexes of 3 to 47 MiB on MySQL 9.7 that formula was
/// exact where the rows and the lengths were known; `TABLE_ROWS` itself is an estimate. Inserts in
/// random order split pages later, and make it up to half as large again.
#[must_use]
pub fn size(table: &Table, index: &Index, statistics: &Statistics) -> u64 {
    let entries = table.rows as f64 * entries_per_row(table, index, statistics);
    let key = key_bytes(table, index, statistics);
    let leaves = (entries * (key + ENTRY_BYTES) / PAGE_SPACE).ceil();
    let above = leaves * (key + POINTER_BYTES) / PAGE_SPACE;
    (allocated(whole(leaves)) + whole(above)).max(1) * PAGE_BYTES
}

/// Pages that a segment takes of the file for so many in use: seven eighths of them, once it has
/// extents.
fn allocated(used: u64) -> u64 {
    if used <= SINGLE_PAGES {
        return used;
    }
    let with_reserve = used.saturating_mul(8).div_ceil(7);
    SINGLE_PAGES + (with_reserve - SINGLE_PAGES).div_ceil(EXTENT_PAGES) * EXTENT_PAGES
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
/// narrowest entries, 6 from 100 bytes up. A multi-valued index takes that for each element. Where the index does not fit in memory, a write takes a random read more.
#[must_use]
pub fn write_us_per_row(table: &Table, index: &Index, statistics: &Statistics) -> f64 {
    let bytes = entry_bytes(table, index, statistics);
    let share = ((bytes - 16.0) / (100.0 - 16.0)).clamp(0.0, 1.0);
    (3.5 + 2.5 * share) * entries_per_row(table, index, statistics)
}

/// A float as a count; what does not fit is the most there is.
fn whole(value: f64) -> u64 {
    Duration::try_from_secs_f64(value.max(0.0)).map_or(u64::MAX, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_take_what_the_server_took() {
        // Leaf pages and pages in all, less those of the levels above, of indexes on MySQL 9.7.
        for (leaves, pages) in [
            (1, 1),
            (32, 32),
            (33, 96),
            (451, 544),
            (1539, 1760),
            (2469, 2848),
        ] {
            assert_eq!(allocated(leaves), pages, "{leaves}");
        }
    }
}
