//! What is known of columns without looking at a row.

use super::ranges::Estimates;
use crate::advisor::statistics::ColumnStatistics;
use crate::model::schema::{Column, Index, KeyPart, Part, Table, TableName};

/// Bytes of a page that hold entries, about.
const PAGE_BYTES: f64 = 15_000.0;

/// The key of a column in [`Estimates::distinct`].
pub(super) fn key_of(table: &TableName, column: &str) -> (String, String, String) {
    (
        table.schema.to_ascii_lowercase(),
        table.name.to_ascii_lowercase(),
        column.to_ascii_lowercase(),
    )
}

/// Bytes of one entry of a new index with its share of the page.
pub(super) fn entry_bytes(table: &Table, index: &Index) -> f64 {
    let of_parts = index.parts.iter().map(|part| {
        part.column_name()
            .and_then(|name| table.column(name))
            .map_or(16.0, width)
    });
    let key: f64 = of_parts.sum();
    (key + 8.0 + 8.0) * 16_384.0 / PAGE_BYTES
}

fn width(column: &Column) -> f64 {
    match column.data_type.as_str() {
        "tinyint" | "year" | "enum" => 1.0,
        "smallint" => 2.0,
        "mediumint" | "date" | "time" => 3.0,
        "int" | "float" | "timestamp" => 4.0,
        "datetime" => 5.0,
        "bigint" | "double" | "decimal" => 8.0,
        // Strings are rarely as long as they may be.
        _ => column
            .max_chars
            .map_or(16.0, |chars| (chars as f64 / 3.0).clamp(1.0, 64.0)),
    }
}

/// Distinct values of key parts together: what an index tells of the same columns, else what is
/// known of each, as if they had nothing to do with one another.
pub(super) fn distinct(table: &Table, parts: &[KeyPart], estimates: &Estimates) -> f64 {
    let rows = table.rows as f64;
    let names: Option<Vec<String>> = parts
        .iter()
        .map(|part| part.column_name().map(str::to_owned))
        .collect();
    if let Some(known) = names.and_then(|names| super::scale::distinct_there(table, &names)) {
        return known as f64;
    }
    let product: f64 = parts
        .iter()
        .map(|part| match &part.what {
            Part::Column(name) => of_column(table, name, estimates),
            Part::Expression(_) => (rows / 10.0).max(1.0),
        })
        .product();
    product.clamp(1.0, rows.max(1.0))
}

pub(super) fn of_column(table: &Table, name: &str, estimates: &Estimates) -> f64 {
    let rows = table.rows as f64;
    let one = [name.to_owned()];
    let known = super::scale::distinct_there(table, &one)
        .or_else(|| estimates.distinct.get(&key_of(&table.name, name)).copied());
    if let Some(known) = known {
        return known as f64;
    }
    if super::links::is_unique(table, name) {
        return rows;
    }
    let by_type = table.column(name).map_or(f64::MAX, |column| {
        match (column.data_type.as_str(), column.full_type.as_str()) {
            ("enum", values) => values.matches("','").count() as f64 + 1.0,
            (_, "tinyint(1)") => 2.0,
            ("tinyint", _) => 256.0,
            ("year", _) => 50.0,
            _ => f64::MAX,
        }
    });
    // Nobody knows; a tenth of the rows is what the optimizer itself takes for an equality.
    by_type.min((rows / 10.0).max(10.0)).min(rows.max(1.0))
}

/// What is known of a column without looking at a row.
pub(super) fn column(
    table: &Table,
    column: &Column,
    there: Option<u64>,
    estimates: &Estimates,
) -> ColumnStatistics {
    ColumnStatistics {
        distinct: there.or_else(|| {
            estimates
                .distinct
                .get(&key_of(&table.name, &column.name))
                .copied()
        }),
        null_share: None,
        average_bytes: Some(width(column)),
        prefix: None,
    }
}
