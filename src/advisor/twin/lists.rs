//! Lists in place of ranges, for a twin without data.

use std::collections::BTreeSet;

use super::literal::Kind;
use super::private::{Cells, Private, number};
use super::ranges::{self, ColumnKey, Estimates, Stand};
use super::{Error, domain, estimate, links, lookups};
use crate::advisor::shape::Shape;
use crate::advisor::workload::{Query, Workload};
use crate::model::schema::{Catalog, Column, Index, KeyPart, Table};
use crate::server::ddl;
use crate::server::quote::ident;
use crate::server::settings::Histogram;

/// Values of a list that stands for a range, at most.
const LONGEST_LIST: u32 = 2_000;
/// Parts into which the rows of a column are divided at least.
const SHORTEST_DOMAIN: u32 = 100;
/// Pages of a range that are counted.
const COUNTED_PAGES: f64 = 10.0;

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
        let joined = table
            .joins
            .iter()
            .filter_map(|join| estimate::name_of(&join.what));
        found.extend(joined.map(|column| estimate::key_of(&table.table, column)));
    }
    found
}

/// How the rows of the columns that are compared by ranges lie along their values, by the histograms
/// of the target, each in a table of its own on the twin.
pub(super) async fn domains(
    twin: &mut Private,
    catalog: &Catalog,
    workload: &Workload,
    shapes: &[(usize, Shape)],
    histograms: &[Histogram],
    estimates: &mut Estimates,
) -> Result<(), Error> {
    let exact = compared_exactly(shapes);
    let ranged = compared_by_ranges(catalog, workload, shapes);
    for histogram in histograms {
        let key = estimate::key_of(&histogram.table, &histogram.column);
        let table = catalog.table(&histogram.table.schema, &histogram.table.name);
        let column = table.and_then(|table| Some((table, table.column(&histogram.column)?)));
        let Some((table, column)) = column.filter(|_| ranged.contains(&key)) else {
            continue;
        };
        let known = estimates.distinct.get(&key).copied().unwrap_or(0);
        let count = u32::try_from(known).unwrap_or(LONGEST_LIST);
        let count = count.clamp(SHORTEST_DOMAIN, LONGEST_LIST);
        let Some(values) = domain::quantiles(&histogram.json, column, count) else {
            continue;
        };
        keep(twin, table, column, &values).await?;
        if exact.contains(&key) {
            estimates.histograms.insert(key);
        } else if !links::is_unique(table, &column.name) {
            estimates.fixed.insert(key, f64::from(count));
        }
    }
    Ok(())
}

/// Takes the histograms of columns away that are compared by ranges only: what they say is in the
/// lists by now.
pub(super) async fn without_histograms(
    twin: &mut Private,
    catalog: &Catalog,
    estimates: &Estimates,
) -> Result<(), Error> {
    for stand in estimates
        .stands
        .values()
        .filter(|stand| !stand.has_histogram)
    {
        let (schema, table, name) = &stand.column;
        let Some(table) = catalog.table(schema, table) else {
            continue;
        };
        let sql = format!(
            "ANALYZE TABLE {} DROP HISTOGRAM ON {}",
            ddl::table(&table.name),
            ident(name)
        );
        twin.rows("a histogram", &sql).await?;
    }
    Ok(())
}

fn compared_by_ranges(
    catalog: &Catalog,
    workload: &Workload,
    shapes: &[(usize, Shape)],
) -> BTreeSet<ColumnKey> {
    let mut ranged = BTreeSet::new();
    for (place, query) in workload.queries.iter().enumerate() {
        for table in tables_of(place, shapes, catalog) {
            for (range, _) in ranges_of(query) {
                ranged.insert(estimate::key_of(&table.name, &range.name));
            }
        }
    }
    ranged
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
    let has_histogram = estimates.histograms.contains(&key);
    let stand = |values| Stand {
        column: key.clone(),
        values,
        share,
        has_histogram,
    };
    let sql = format!("SELECT {name} FROM {kept} WHERE {condition}");
    if let Ok(rows) = twin.rows("values of a range", &sql).await {
        // Outside of all values there are no rows, and the range says so by itself.
        if rows.is_empty() {
            return Ok(None);
        }
        let seen = rows.len() as f64;
        return Ok(match estimates.fixed.get(&key) {
            // Which values these are matters to nothing without a histogram.
            Some(all) => made_up(of.column, as_dived(of, seen, *all)),
            None => Some(literals(&rows, of.column)),
        }
        .map(stand));
    }
    let most = f64::from(LONGEST_LIST);
    let mut values = estimate::of_column(of.table, &of.column.name, estimates) * share;
    if values > most && !of.is_exact {
        estimates.fixed.insert(key.clone(), most / share);
        values = most;
    }
    Ok(made_up(of.column, values.min(most)).map(stand))
}

fn literals(rows: &[Cells], column: &Column) -> Vec<String> {
    let kind = Kind::of(column);
    let values = rows.iter().filter_map(|row| row.first()?.as_deref());
    let mut values: Vec<String> = values.map(|value| kind.literal(Some(value))).collect();
    values.dedup();
    values
}

/// How many values the optimizer would see in a range of so many: where a range has more pages than
/// `InnoDB` counts, it takes twice what it found, and half of the table at most (tried on MySQL 9.7:
/// 180,412 rows in a range of 91,797, and 297,566 of 595,132 in one of 434,831).
fn as_dived(of: Of<'_>, values: f64, all: f64) -> f64 {
    let index = Index::btree("", vec![KeyPart::column(of.column.name.clone())]);
    let rows = of.table.rows as f64 * values / all.max(1.0);
    let pages = rows * estimate::entry_bytes(of.table, &index) / 16_384.0;
    if pages > COUNTED_PAGES {
        (values * 2.0).min(all / 2.0)
    } else {
        values
    }
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
fn made_up(column: &Column, count: f64) -> Option<Vec<String>> {
    let count = count.round().max(1.0);
    let values = (1..).take_while(|number: &u32| f64::from(*number) <= count);
    let list: Vec<String> = match column.data_type.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float"
        | "double" => values.map(|i| i.to_string()).collect(),
        "year" => values.map(|i| (1900 + i).to_string()).collect(),
        "char" | "varchar" | "text" | "binary" | "varbinary" => {
            values.map(|i| format!("'{i}'")).collect()
        }
        "date" | "datetime" | "timestamp" => {
            let start = jiff::civil::date(2001, 1, 1);
            values
                .map_while(|i| {
                    let days = jiff::Span::new().try_days(i64::from(i)).ok()?;
                    Some(format!("'{}'", start.checked_add(days).ok()?))
                })
                .collect()
        }
        _ => return None,
    };
    (!list.is_empty()).then_some(list)
}
