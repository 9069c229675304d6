//! Lists in place of ranges, for a twin without data.

use std::collections::BTreeMap;

use super::private::{Private, number};
use super::ranges::{self, Estimates};
use super::{Error, estimate};
use crate::advisor::shape::Shape;
use crate::advisor::workload::{Query, Workload};
use crate::model::schema::{Catalog, Column, Table};
use crate::server::ddl;
use crate::server::quote::ident;

/// Values of a list that stands for a range, at most.
const LONGEST_LIST: u64 = 3_000;
/// Lists in place of the ranges of the workload, each as long as the optimizer estimates the range
/// by histogram or by its own rules.
pub(super) async fn lists(
    twin: &mut Private,
    catalog: &Catalog,
    workload: &Workload,
    shapes: &[(usize, Shape)],
    estimates: &mut Estimates,
) -> Result<(), Error> {
    let mut lists = BTreeMap::new();
    for (place, query) in workload.queries.iter().enumerate() {
        let tables = tables_of(place, shapes, catalog);
        for (range, condition) in ranges_of(query) {
            let id = ranges::id(&range.name, &condition);
            let table = tables
                .iter()
                .find(|table| table.column(&range.name).is_some());
            let Some(table) = table.filter(|_| !lists.contains_key(&id)) else {
                continue;
            };
            if let Some(list) = list(twin, table, &range, &condition, estimates).await? {
                lists.insert(id, list);
            }
        }
    }
    estimates.lists = lists;
    Ok(())
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
            let joined = ranges::joined(&found);
            found
                .into_iter()
                .zip(joined.into_iter().map(|(condition, _)| condition))
        })
        .collect()
}

async fn list(
    twin: &mut Private,
    table: &Table,
    range: &ranges::Range,
    condition: &str,
    estimates: &Estimates,
) -> Result<Option<String>, Error> {
    let Some(column) = table.column(&range.name) else {
        return Ok(None);
    };
    let name = ident(&column.name);
    let sql = format!(
        "EXPLAIN FORMAT=TRADITIONAL SELECT /*+ NO_INDEX(t) */ 1 FROM {} AS t WHERE {}",
        ddl::table(&table.name),
        condition.replace("{}", &name)
    );
    let rows = match twin.rows("a range", &sql).await {
        Ok(rows) => rows,
        Err(Error::Twin { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    // The column `filtered`, percent.
    let Some(share) = rows.first().and_then(|row| number(row, 10)) else {
        return Ok(None);
    };
    let values = estimate::of_column(table, &column.name, estimates) * share / 100.0;
    let count: u64 = format!("{:.0}", values.max(1.0))
        .parse()
        .unwrap_or(u64::MAX);
    if count > LONGEST_LIST {
        return Ok(None);
    }
    Ok(listed(column, count))
}

/// So many different values of the column's type.
fn listed(column: &Column, count: u64) -> Option<String> {
    let values = 1..=count;
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
