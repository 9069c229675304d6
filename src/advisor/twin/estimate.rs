//! What is known of columns without looking at a row.

use std::collections::BTreeSet;

use super::ranges::{ColumnKey, Estimates, Reference};
use crate::advisor::shape::{Shape, TableUse};
use crate::advisor::statistics::ColumnStatistics;
use crate::model::schema::{Catalog, Column, Index, KeyPart, Part, Table, TableName};

/// Bytes of a page that hold entries, about.
const PAGE_BYTES: f64 = 15_000.0;

/// The key of a column in [`Estimates::distinct`].
pub(super) fn key_of(table: &TableName, column: &str) -> ColumnKey {
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
/// known of some of them together and of each of the rest, as if these had nothing to do with one
/// another.
pub(super) fn distinct(table: &Table, parts: &[KeyPart], estimates: &Estimates) -> f64 {
    let rows = table.rows as f64;
    let is_fixed = |name: &str| estimates.fixed.contains_key(&key_of(&table.name, name));
    let mut rest: BTreeSet<String> = parts
        .iter()
        .filter_map(|part| part.column_name())
        .map(str::to_ascii_lowercase)
        .collect();
    let expressions = parts.iter().filter(|part| part.column_name().is_none());
    let mut combinations: f64 = expressions.map(|_| (rows / 10.0).max(1.0)).product();
    for (columns, values) in together(table, estimates) {
        if columns.is_subset(&rest) && !columns.iter().any(|name| is_fixed(name)) {
            rest.retain(|name| !columns.contains(name));
            combinations *= values;
        }
    }
    if rest.is_empty() && combinations <= rows {
        return combinations.max(1.0);
    }
    let single: Vec<f64> = rest
        .iter()
        .map(|name| of_column(table, name, estimates))
        .collect();
    if let ([values], true) = (single.as_slice(), combinations <= 1.0) {
        return values.clamp(1.0, rows.max(1.0));
    }
    drawn(rows, combinations * single.iter().product::<f64>())
}

/// What is known of several columns together, the most columns first: by indexes, and by the keys
/// of other tables that they are.
fn together(table: &Table, estimates: &Estimates) -> Vec<(BTreeSet<String>, f64)> {
    let mut known = Vec::new();
    for index in &table.indexes {
        let mut columns = BTreeSet::new();
        for (part, values) in index.parts.iter().zip(&index.cardinality) {
            let (Some(name), None, Some(values)) = (part.column_name(), part.prefix, values) else {
                break;
            };
            columns.insert(name.to_ascii_lowercase());
            if columns.len() > 1 {
                known.push((columns.clone(), *values as f64));
            }
        }
    }
    let of_table = key_of(&table.name, "");
    for reference in &estimates.references {
        if (&reference.table.0, &reference.table.1) == (&of_table.0, &of_table.1)
            && reference.columns.len() > 1
        {
            let values = drawn(table.rows as f64, reference.rows as f64);
            known.push((reference.columns.clone(), values));
        }
    }
    // Of two that tell about the same columns, an index comes first, which counted them.
    known.sort_by_key(|(columns, _)| std::cmp::Reverse(columns.len()));
    known
}

/// How many of so many values are seen when one is drawn for each row.
fn drawn(rows: f64, values: f64) -> f64 {
    let (rows, values) = (rows.max(1.0), values.max(1.0));
    (values * -(-rows / values).exp_m1()).clamp(1.0, rows)
}

/// Columns that are compared with whole keys of other tables: by foreign keys, and by the joins of
/// the workload. Their values are taken for values of that key.
pub(super) fn references(catalog: &Catalog, shapes: &[(usize, Shape)]) -> Vec<Reference> {
    let mut found = Vec::new();
    for table in catalog.tables.values() {
        for key in &table.foreign_keys {
            if let Some(parent) = catalog.table(&key.parent.schema, &key.parent.name) {
                found.push(reference(&table.name, &key.columns, parent));
            }
        }
    }
    let uses = shapes.iter().flat_map(|(_, shape)| &shape.blocks);
    for table in uses.flat_map(|block| &block.tables) {
        let others: BTreeSet<&str> = table.joins.iter().map(|join| &*join.other).collect();
        for other in others {
            found.extend(joined(catalog, table, other));
        }
    }
    found.sort_by_key(|one| (one.table.clone(), one.columns.clone(), one.rows));
    found.dedup_by(|one, kept| (&one.table, &one.columns) == (&kept.table, &kept.columns));
    found
}

fn reference(of: &TableName, columns: &[String], parent: &Table) -> Reference {
    let (schema, table, _) = key_of(of, "");
    Reference {
        table: (schema, table),
        columns: columns
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect(),
        rows: parent.rows,
    }
}

/// The name of a column, where it is one.
pub(super) fn name_of(part: &Part) -> Option<&str> {
    match part {
        Part::Column(name) => Some(name),
        Part::Expression(_) => None,
    }
}

/// The unique keys of another table whose columns are all joined with those of this one.
fn joined(catalog: &Catalog, table: &TableUse, other: &str) -> Vec<Reference> {
    let joins = || table.joins.iter().filter(|join| join.other == other);
    let parent = joins().find_map(|join| join.other_table.as_ref());
    let Some(parent) = parent.and_then(|name| catalog.table(&name.schema, &name.name)) else {
        return Vec::new();
    };
    let here = |there: &str| {
        joins().find_map(|join| {
            let column = join.other_column.as_deref()?;
            let is_it = column.eq_ignore_ascii_case(there);
            name_of(&join.what).filter(|_| is_it).map(str::to_owned)
        })
    };
    let unique = parent.indexes.iter().filter(|index| index.is_unique);
    unique
        .filter_map(|index| {
            let columns: Option<Vec<String>> = index
                .parts
                .iter()
                .map(|part| part.column_name().filter(|_| part.prefix.is_none()))
                .map(|name| here(name?))
                .collect();
            Some(reference(&table.table, &columns?, parent))
        })
        .collect()
}

pub(super) fn of_column(table: &Table, name: &str, estimates: &Estimates) -> f64 {
    let rows = table.rows as f64;
    let key = key_of(&table.name, name);
    if let Some(fixed) = estimates.fixed.get(&key) {
        return *fixed;
    }
    let one = [name.to_owned()];
    let known =
        super::scale::distinct_there(table, &one).or_else(|| estimates.distinct.get(&key).copied());
    if let Some(known) = known {
        return known as f64;
    }
    if super::links::is_unique(table, name) {
        return rows;
    }
    if let Some(values) = referred(table, name, estimates) {
        return values;
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

/// Distinct values of a column that refers to a key: of the smallest, where there are several.
fn referred(table: &Table, name: &str, estimates: &Estimates) -> Option<f64> {
    let (schema, of, name) = key_of(&table.name, name);
    let keys = estimates.references.iter().filter(|reference| {
        reference.table == (schema.clone(), of.clone())
            && reference.columns.len() == 1
            && reference.columns.contains(&name)
    });
    let rows = keys.map(|reference| reference.rows).min()?;
    Some(drawn(table.rows as f64, rows as f64))
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
        elements: None,
    }
}
