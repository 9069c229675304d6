//! Lists in place of ranges, for a twin without data.

use std::collections::BTreeSet;

use super::literal::Kind;
use super::private::{Private, number};
use super::ranges::{self, ColumnKey, Estimates, Stand};
use super::{Error, domain, estimate, links, lookups};
use crate::advisor::shape::Shape;
use crate::advisor::workload::{Query, Workload};
use crate::model::schema::{Catalog, Column, Table};
use crate::server::ddl;
use crate::server::quote::ident;
use crate::server::settings::Histogram;

/// Values of a list that stands for a range, at most.
const LONGEST_LIST: f64 = 3_000.0;
/// What the optimizer takes for the share of the rows that have one value of a list, and all of
/// them at most, where it has no histogram (tried on MySQL 9.7).
const IN_LIST: f64 = 0.1;
const LONG_IN_LIST: f64 = 0.5;

/// Stands in for the ranges of the workload: of a column with a histogram by its values in the
/// range, otherwise by as many values as the optimizer's own rules give it.
///
/// A column that has more values than a list may have, and is compared by ranges only, gets fewer
/// on the twin: what a list finds is then as many rows as the range has.
pub(super) async fn lists(
    twin: &mut Private,
    catalog: &Catalog,
    workload: &Workload,
    shapes: &[(usize, Shape)],
    estimates: &mut Estimates,
) -> Result<(), Error> {
    let exact = compared_exactly(shapes);
    for (place, query) in workload.queries.iter().enumerate() {
        let tables = tables_of(place, shapes, catalog);
        for (range, condition) in ranges_of(query) {
            let id = ranges::id(&range.name, &condition);
            let found = tables
                .iter()
                .find_map(|table| Some((*table, table.column(&range.name)?)));
            let Some((table, column)) = found.filter(|_| !estimates.stands.contains_key(&id))
            else {
                continue;
            };
            let key = estimate::key_of(&table.name, &column.name);
            let of = Of {
                table,
                column,
                is_exact: exact.contains(&key) || links::is_unique(table, &column.name),
            };
            if let Some(stand) = stand(twin, of, &condition, estimates).await? {
                estimates.stands.insert(id, stand);
            }
        }
    }
    Ok(())
}

/// Columns that are compared for equality, with constants or other columns.
fn compared_exactly(shapes: &[(usize, Shape)]) -> BTreeSet<ColumnKey> {
    let constants = lookups::constants_of(shapes).into_iter();
    let mut found: BTreeSet<ColumnKey> = constants
        .map(|(table, column, _)| estimate::key_of(&table, &column))
        .collect();
    let uses = shapes.iter().flat_map(|(_, shape)| &shape.blocks);
    for table in uses.flat_map(|block| &block.tables) {
        let joined = table.joins.iter().filter_map(|join| estimate::name_of(&join.what));
        found.extend(joined.map(|column| estimate::key_of(&table.table, column)));
    }
    found
}

/// Values of the columns that are compared by ranges, by the histograms of the target, each in a
/// table of its own on the twin; gives the histograms that say the same of them.
pub(super) async fn domains(
    twin: &mut Private,
    catalog: &Catalog,
    workload: &Workload,
    shapes: &[(usize, Shape)],
    histograms: &mut [Histogram],
    estimates: &mut Estimates,
) -> Result<(), Error> {
    let exact = compared_exactly(shapes);
    let mut ranged = BTreeSet::new();
    for (place, query) in workload.queries.iter().enumerate() {
        for table in tables_of(place, shapes, catalog) {
            for (range, _) in ranges_of(query) {
                ranged.insert(estimate::key_of(&table.name, &range.name));
            }
        }
    }
    for histogram in histograms {
        let key = estimate::key_of(&histogram.table, &histogram.column);
        let table = catalog.table(&histogram.table.schema, &histogram.table.name);
        let column = table.and_then(|table| Some((table, table.column(&histogram.column)?)));
        let Some((table, column)) = column.filter(|_| ranged.contains(&key)) else {
            continue;
        };
        let Some(domain) = domain::domain(&histogram.json, column, LONGEST_LIST) else {
            continue;
        };
        keep(twin, table, column, &domain.values).await?;
        let values = domain.values.len() as f64;
        let told = estimates.distinct.get(&key).copied();
        let is_coarse = told.is_some_and(|told| values < told as f64 * 0.9);
        if is_coarse && (exact.contains(&key) || links::is_unique(table, &column.name)) {
            continue;
        }
        histogram.json = domain.json;
        estimates.fixed.insert(key, values);
    }
    Ok(())
}

/// The table that holds a column's values on the twin.
fn domain_table(table: &Table, column: &Column) -> String {
    let name = format!("{}/{}", table.name.name, column.name);
    // Names are 64 characters at most.
    let tail = name.char_indices().rev().nth(50).map_or(0, |(at, _)| at);
    format!(
        "{}.{}",
        ident(&table.name.schema),
        ident(&format!("mydex values {}", &name[tail..]))
    )
}

async fn keep(
    twin: &mut Private,
    table: &Table,
    column: &Column,
    values: &[String],
) -> Result<(), Error> {
    let (name, kept) = (ident(&column.name), domain_table(table, column));
    let sql = format!(
        "CREATE TEMPORARY TABLE {kept} AS SELECT {name} FROM {} LIMIT 0",
        ddl::table(&table.name)
    );
    twin.run("values of a column", &sql).await?;
    let kind = Kind::of(column);
    let rows: Vec<String> = values
        .iter()
        .map(|value| format!("({})", kind.literal(Some(value.as_bytes()))))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!("INSERT IGNORE INTO {kept} VALUES {}", rows.join(", "));
    twin.run("values of a column", &sql).await
}

/// A column that is compared.
#[derive(Debug, Clone, Copy)]
struct Of<'a> {
    table: &'a Table,
    column: &'a Column,
    /// How many rows have one of its values matters as well.
    is_exact: bool,
}

fn tables_of<'a>(query: usize, shapes: &[(usize, Shape)], catalog: &'a Catalog) -> Vec<&'a Table> {
    shapes
        .iter()
        .filter(|(place, _)| *place == query)
        .flat_map(|(_, shape)| &shape.blocks)
        .flat_map(|block| &block.tables)
        .filter_map(|table| catalog.table(&table.table.schema, &table.table.name))
        .collect()
}

fn ranges_of(query: &Query) -> Vec<(ranges::Range, String)> {
    query
        .samples
        .iter()
        .flat_map(|sample| {
            let found = ranges::ranges(&sample.sql);
            let joined = ranges::joined(&sample.sql, &found);
            found
                .into_iter()
                .zip(joined.into_iter().map(|(condition, _)| condition))
        })
        .collect()
}

async fn stand(
    twin: &mut Private,
    of: Of<'_>,
    condition: &str,
    estimates: &mut Estimates,
) -> Result<Option<Stand>, Error> {
    let name = ident(&of.column.name);
    let condition = condition.replace("{}", &name);
    let Some(share) = share(twin, of.table, &condition).await? else {
        return Ok(None);
    };
    let key = estimate::key_of(&of.table.name, &of.column.name);
    let kept = domain_table(of.table, of.column);
    let sql = format!("SELECT {name} FROM {kept} WHERE {condition}");
    if let Ok(rows) = twin.rows("values of a range", &sql).await {
        let kind = Kind::of(of.column);
        let list: Vec<String> = rows
            .iter()
            .filter_map(|row| row.first()?.as_deref())
            .map(|value| kind.literal(Some(value)))
            .collect();
        // Outside of all values there are no rows, and the range says so by itself.
        return Ok((!list.is_empty()).then(|| Stand {
            column: key,
            list: list.join(", "),
            share,
            listed: share,
        }));
    }
    let most = LONGEST_LIST;
    let mut values = estimate::of_column(of.table, &of.column.name, estimates) * share;
    if values > most && !of.is_exact {
        estimates.fixed.insert(key.clone(), most / share);
        values = most;
    }
    let values = values.clamp(1.0, most).round();
    Ok(listed(of.column, values).map(|list| Stand {
        column: key,
        list,
        share,
        listed: (IN_LIST * values).min(LONG_IN_LIST),
    }))
}

/// The share of the rows that the optimizer sees in a condition when no index tells more.
async fn share(twin: &mut Private, table: &Table, condition: &str) -> Result<Option<f64>, Error> {
    let sql = format!(
        "EXPLAIN FORMAT=TRADITIONAL SELECT /*+ NO_INDEX(t) */ 1 FROM {} AS t WHERE {condition}",
        ddl::table(&table.name)
    );
    let rows = match twin.rows("a range", &sql).await {
        Ok(rows) => rows,
        Err(Error::Twin { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    // The column `filtered`, percent.
    let percent = rows.first().and_then(|row| number(row, 10));
    Ok(percent.map(|percent| percent / 100.0))
}

/// So many different values of the column's type.
fn listed(column: &Column, count: f64) -> Option<String> {
    let values = (1..).take_while(|number: &u64| *number as f64 <= count);
    let list: Vec<String> = match column.data_type.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float"
        | "double" | "year" => values.map(|i| i.to_string()).collect(),
        "char" | "varchar" | "text" | "binary" | "varbinary" => {
            values.map(|i| format!("'{i}'")).collect()
        }
        "date" | "datetime" | "timestamp" => {
            let start = jiff::civil::date(2001, 1, 1);
            values
                .map_while(|i| {
                    let days = jiff::Span::new().try_days(i64::try_from(i).ok()?).ok()?;
                    Some(format!("'{}'", start.checked_add(days).ok()?))
                })
                .collect()
        }
        _ => return None,
    };
    (!list.is_empty()).then(|| list.join(", "))
}
