//! A twin without data: the schema with the target's statistics and histograms written into it.
//!
//! Nothing of the target's rows is read. What an empty table gets wrong is put right for costing:
//! constants are answered from statistics and not by looking into the empty index, ranges are
//! asked as lists, keys with a constant find a row, and no page counts as read from disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::private::{Private, number, text};
use super::ranges::Estimates;
use super::{Error, Twin, environment, estimate, lists, load, lookups};
use crate::advisor::candidate::Candidate;
use crate::advisor::shape::Shape;
use crate::advisor::workload::Workload;
use crate::model::schema::{Catalog, Column, Index, IndexKind, KeyPart, Table, TableName};
use crate::server::ddl;
use crate::server::quote::{hex_literal, ident};
use crate::server::settings::{Histogram, Settings};

impl Twin {
    pub(super) async fn fill_dataless(
        &mut self,
        target: &Settings,
        workload: &Workload,
        shapes: &[(usize, Shape)],
    ) -> Result<(), Error> {
        let twin = &mut self.connection;
        twin.run("a variable", "SET GLOBAL eq_range_index_dive_limit = 1")
            .await?;
        environment::as_if_cached(twin).await?;
        let mut made = load::schemas(twin, &self.catalog, &mut self.schemas).await?;
        self.rows.0 = keys(twin, &self.catalog, shapes).await?;
        let estimates = &mut self.estimates;
        estimates.references = estimate::references(&self.catalog, shapes);
        for histogram in &target.histograms {
            made.notes.extend(inject(twin, histogram).await?);
            if let Some(values) = distinct_of(&histogram.json, &self.catalog, histogram) {
                let of = estimate::key_of(&histogram.table, &histogram.column);
                estimates.distinct.insert(of, values);
            }
        }
        let known = &target.histograms;
        lists::domains(twin, &self.catalog, workload, shapes, known, estimates).await?;
        // Shares of conditions depend on the numbers of rows, and numbers of values on the lists.
        all_statistics(twin, &self.catalog, &made.tables, estimates).await?;
        lists::lists(twin, &self.catalog, workload, shapes, estimates).await?;
        lists::without_histograms(twin, &self.catalog, estimates).await?;
        all_statistics(twin, &self.catalog, &made.tables, estimates).await?;
        self.limits.push(
            "the twin has no data: rows are estimated from the target's statistics, and values \
             that occur more often than others are known only where the target has a histogram"
                .to_owned(),
        );
        self.limits.extend(made.notes);
        Ok(())
    }
}

async fn all_statistics(
    twin: &mut Private,
    catalog: &Catalog,
    tables: &BTreeSet<TableName>,
    estimates: &mut Estimates,
) -> Result<(), Error> {
    for table in tables.iter().filter_map(|name| catalog.tables.get(name)) {
        statistics(twin, table, estimates, &table.indexes).await?;
    }
    Ok(())
}

/// One row for every constant of the workload, so that a key with a constant finds one; columns
/// without a constant all have the same value, so that rows of different tables fit together.
async fn keys(
    twin: &mut Private,
    catalog: &Catalog,
    shapes: &[(usize, Shape)],
) -> Result<u64, Error> {
    let mut rows: BTreeMap<TableName, BTreeSet<(String, String)>> = BTreeMap::new();
    for name in catalog.tables.keys() {
        rows.entry(name.clone()).or_default();
    }
    for (table, column, constant) in lookups::constants_of(shapes) {
        if let Some(known) = catalog.table(&table.schema, &table.name) {
            let of = rows.entry(known.name.clone()).or_default();
            of.insert((column, constant));
        }
    }
    let mut inserted = 0;
    for (name, constants) in rows {
        let Some(table) = catalog.tables.get(&name) else {
            continue;
        };
        let of_key = constants
            .iter()
            .filter(|(column, _)| is_in_unique(table, column));
        let mut wanted: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
        wanted.extend(of_key.map(|(column, constant)| vec![(column.as_str(), constant.as_str())]));
        // A key of several columns needs all of its constants in one row.
        wanted.push(
            constants
                .iter()
                .map(|(c, v)| (c.as_str(), v.as_str()))
                .collect(),
        );
        for constants in wanted {
            match twin.count("a row", &row(table, &constants)).await {
                Ok(rows) => inserted += rows,
                Err(Error::Twin { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(inserted)
}

fn is_in_unique(table: &Table, column: &str) -> bool {
    table.indexes.iter().any(|index| {
        index.is_unique
            && index.parts.iter().any(|part| {
                part.column_name()
                    .is_some_and(|name| name.eq_ignore_ascii_case(column))
            })
    })
}

fn row(table: &Table, constants: &[(&str, &str)]) -> String {
    let columns: Vec<_> = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .collect();
    let names: Vec<_> = columns.iter().map(|column| ident(&column.name)).collect();
    let values: Vec<_> = columns
        .iter()
        .map(|column| {
            constants
                .iter()
                .find(|(name, _)| column.name.eq_ignore_ascii_case(name))
                .map_or_else(|| any_value(column), |(_, constant)| (*constant).to_owned())
        })
        .collect();
    format!(
        "INSERT IGNORE INTO {} ({}) VALUES ({})",
        ddl::table(&table.name),
        names.join(", "),
        values.join(", ")
    )
}

/// The same value for all columns of one type.
fn any_value(column: &Column) -> String {
    match column.data_type.as_str() {
        "date" | "datetime" | "timestamp" => "'2000-01-01'".to_owned(),
        "json" => "'1'".to_owned(),
        "geometry" | "point" => "ST_GeomFromText('POINT(1 1)')".to_owned(),
        "vector" => "NULL".to_owned(),
        _ => "1".to_owned(),
    }
}

async fn inject(twin: &mut Private, histogram: &Histogram) -> Result<Option<String>, Error> {
    let sql = format!(
        "ANALYZE TABLE {} UPDATE HISTOGRAM ON {} USING DATA {}",
        ddl::table(&histogram.table),
        ident(&histogram.column),
        plain_text(&histogram.json)
    );
    let rows = match twin.rows("a histogram", &sql).await {
        Ok(rows) => rows,
        Err(Error::Twin { reason, .. }) => return Ok(Some(reason)),
        Err(error) => return Err(error),
    };
    let failed = rows
        .iter()
        .find(|row| text(row, 2).is_some_and(|kind| kind.eq_ignore_ascii_case("error")));
    Ok(failed.map(|row| {
        format!(
            "the histogram on `{}` of `{}` can't be copied: {}",
            histogram.column,
            histogram.table,
            text(row, 3).unwrap_or_default()
        )
    }))
}

/// `USING DATA` takes a plain string only.
fn plain_text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Distinct values by a histogram: a bucket has one, or tells how many.
fn distinct_of(json: &str, catalog: &Catalog, of: &Histogram) -> Option<u64> {
    catalog.table(&of.table.schema, &of.table.name)?;
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    let buckets = value.get("buckets")?.as_array()?;
    if value.get("histogram-type")?.as_str()? == "singleton" {
        return Some(buckets.len() as u64);
    }
    buckets
        .iter()
        .map(|bucket| bucket.as_array()?.get(3)?.as_u64())
        .sum()
}

/// Writes InnoDB's statistics of a table and of these indexes, and has the server read them.
async fn statistics(
    twin: &mut Private,
    table: &Table,
    estimates: &mut Estimates,
    indexes: &[Index],
) -> Result<(), Error> {
    let name = ddl::table(&table.name);
    let columns = indexes.iter().map(columns_of).collect();
    let (schema, of, _) = estimate::key_of(&table.name, "");
    estimates.indexes.insert((schema, of), columns);
    if table.engine.eq_ignore_ascii_case("innodb") {
        let option = format!("ALTER TABLE {name} STATS_PERSISTENT=1, STATS_AUTO_RECALC=0");
        twin.run("statistics", &option).await?;
        // Each partition has its own rows there; all of them count the same.
        let of = of_innodb(&table.name);
        let sql = format!("SELECT COUNT(*) FROM mysql.innodb_table_stats WHERE {of}");
        let parts = twin.rows("statistics", &sql).await?;
        let parts = parts
            .first()
            .and_then(|row| number(row, 0))
            .unwrap_or(1.0)
            .max(1.0);
        let pages = |bytes: f64| (bytes / 16_384.0 / parts).ceil().max(1.0);
        let sql = format!(
            "UPDATE mysql.innodb_table_stats SET n_rows = {:.0}, clustered_index_size = {:.0}, \
             sum_of_other_index_sizes = {:.0} WHERE {of}",
            table.rows as f64 / parts,
            pages(table.data_bytes as f64),
            pages(table.index_bytes as f64)
        );
        twin.run("statistics", &sql).await?;
        for index in indexes {
            of_index(twin, table, index, estimates, parts).await?;
        }
        twin.run("statistics", &format!("FLUSH TABLES {name}"))
            .await?;
    }
    Ok(())
}

fn of_innodb(name: &TableName) -> String {
    format!(
        "database_name = {} AND (table_name = {} OR table_name BETWEEN {} AND {})",
        hex_literal(&name.schema),
        hex_literal(&name.name),
        hex_literal(&format!("{}#p#", name.name)),
        hex_literal(&format!("{}#p~", name.name)),
    )
}

async fn of_index(
    twin: &mut Private,
    table: &Table,
    index: &Index,
    estimates: &Estimates,
    parts: f64,
) -> Result<(), Error> {
    if !matches!(index.kind, IndexKind::BTree | IndexKind::MultiValued) {
        return Ok(());
    }
    let rows = table.rows as f64 / parts;
    let bytes = if index.is_primary() {
        table.data_bytes as f64
    } else {
        index.bytes.map_or_else(
            || rows * parts * estimate::entry_bytes(table, index),
            |bytes| bytes as f64,
        )
    };
    let pages = (bytes / parts / 16_384.0).ceil().max(1.0);
    let of = format!(
        "{} AND index_name = {}",
        of_innodb(&table.name),
        hex_literal(&index.name)
    );
    let mut sql = "UPDATE mysql.innodb_index_stats SET stat_value = CASE stat_name".to_owned();
    let mut add = |name: &str, value: f64| {
        // Writing to a String cannot fail.
        let _ = write!(sql, " WHEN '{name}' THEN {value:.0}");
    };
    add("size", pages);
    add("n_leaf_pages", (pages * 0.95).floor().max(1.0));
    let is_fixed = |part: &KeyPart| {
        part.column_name().is_some_and(|name| {
            let key = estimate::key_of(&table.name, name);
            estimates.fixed.contains_key(&key)
        })
    };
    // An index is read along its first range, whatever is known of the columns behind it.
    let ranged = index.parts.iter().position(is_fixed);
    let last = ranged.map_or(index.parts.len(), |place| place + 1);
    for count in 1..=index.parts.len() {
        let counted = count.min(last);
        let known = index.cardinality.get(counted - 1).copied().flatten();
        let values = known
            .filter(|_| counted < last || ranged.is_none())
            .map_or_else(
                || estimate::distinct(table, &index.parts[..counted], estimates),
                |known| known as f64,
            );
        add(
            &format!("n_diff_pfx{count:02}"),
            (values.min(rows)).max(1.0),
        );
    }
    // Behind the index's own parts stands the primary key, which makes entries distinct.
    let _ = write!(sql, " ELSE {rows:.0} END WHERE {of}");
    twin.run("statistics", &sql).await
}

fn columns_of(index: &Index) -> Vec<String> {
    let columns = index.parts.iter();
    columns
        .map(|part| part.column_name().unwrap_or_default().to_ascii_lowercase())
        .collect()
}

/// Writes the statistics of candidates.
pub(super) async fn candidates(
    twin: &mut Private,
    catalog: &Catalog,
    candidates: &[Candidate],
    estimates: &mut Estimates,
) -> Result<(), Error> {
    let mut by_table: BTreeMap<&TableName, Vec<Index>> = BTreeMap::new();
    for candidate in candidates {
        by_table.entry(&candidate.table).or_default().push(Index {
            bytes: Some(candidate.bytes),
            ..candidate.index.clone()
        });
    }
    for (name, mut indexes) in by_table {
        if let Some(table) = catalog.table(&name.schema, &name.name) {
            indexes.extend(table.indexes.iter().cloned());
            statistics(twin, table, estimates, &indexes).await?;
        }
    }
    Ok(())
}
