//! InnoDB's statistics tables: sizes of tables and indexes, rows, numbers of distinct values. There
//! each partition of a table has a row of its own, named `table#P#partition`.

use super::rows;
use crate::model::schema::{Catalog, Table, TableName};
use crate::server::cells::Cells;
use crate::server::ddl::names_tables;
use crate::server::quote::hex_literal;

/// Rows at most; each partition of each index has about ten.
pub(super) const MAX_ROWS: usize = 1_000_000;

/// A condition on the rows of these tables and of their partitions.
pub(super) fn condition(catalog: &Catalog, names: &[TableName]) -> String {
    let mut conditions = vec![
        names_tables(names)
            .replace("TABLE_SCHEMA", "database_name")
            .replace("TABLE_NAME", "table_name"),
    ];
    for name in names {
        let table = catalog.tables.get(name);
        if table.is_some_and(|table| table.partitioning.is_some()) {
            conditions.push(format!(
                "(database_name = {} AND table_name BETWEEN {} AND {})",
                hex_literal(&name.schema),
                hex_literal(&format!("{}#", name.name)),
                hex_literal(&format!("{}$", name.name)),
            ));
        }
    }
    format!("({})", conditions.join(" OR "))
}

/// The same for everything in these schemas: one pass over the tables instead of one for each chunk
/// of names.
pub(super) fn of_schemas(schemas: &[String]) -> String {
    let names: Vec<_> = schemas.iter().map(|name| hex_literal(name)).collect();
    format!("database_name IN ({})", names.join(", "))
}

/// A statement for the sizes of indexes, and if asked for, their numbers of distinct values.
pub(super) fn of_indexes(condition: &str, with_values: bool) -> String {
    let which = if with_values {
        ""
    } else {
        "AND stat_name = 'size' "
    };
    format!(
        "SELECT /* mydex:catalog */ database_name, table_name, index_name, stat_name, stat_value \
         FROM mysql.innodb_index_stats WHERE {condition} {which}LIMIT {MAX_ROWS}"
    )
}

/// A statement for the rows and sizes of tables.
pub(super) fn of_tables(condition: &str) -> String {
    format!(
        "SELECT /* mydex:catalog */ database_name, table_name, n_rows, clustered_index_size, \
         sum_of_other_index_sizes FROM mysql.innodb_table_stats \
         WHERE {condition} LIMIT {MAX_ROWS}"
    )
}

/// The table that a row is of, and whether it is of one partition.
fn table_of<'a>(catalog: &'a mut Catalog, row: &impl Cells) -> Option<(&'a mut Table, bool)> {
    let name = rows::name(row)?;
    if catalog.tables.contains_key(&name) {
        return catalog.tables.get_mut(&name).map(|table| (table, false));
    }
    let lower = name.name.to_ascii_lowercase();
    let base = &name.name[..lower.rfind("#p#")?];
    let table = catalog
        .tables
        .get_mut(&TableName::new(name.schema, base))
        .filter(|table| table.partitioning.is_some())?;
    Some((table, true))
}

/// Of `innodb_index_stats`: name, index, statistic, value. The bytes of partitions add up; of
/// their numbers of distinct values the greatest counts.
pub(super) fn add_statistic(catalog: &mut Catalog, row: &impl Cells, page_bytes: u64) {
    let (Some(index), Some(statistic), Some(value)) = (row.text(2), row.text(3), row.u64(4)) else {
        return;
    };
    let Some((table, _)) = table_of(catalog, row) else {
        return;
    };
    let Some(index) = table.indexes.iter_mut().find(|known| known.name == index) else {
        return;
    };
    if statistic == "size" {
        let bytes = value.saturating_mul(page_bytes);
        index.bytes = Some(index.bytes.unwrap_or(0).saturating_add(bytes));
    } else if let Some(parts) = statistic
        .strip_prefix("n_diff_pfx")
        .and_then(|parts| parts.parse::<usize>().ok())
        && let Some(known) = parts
            .checked_sub(1)
            .and_then(|place| index.cardinality.get_mut(place))
    {
        *known = Some(known.unwrap_or(0).max(value));
    }
}

/// Of `innodb_table_stats`: name, rows, pages of the clustered index, pages of the others.
pub(super) fn add_size(catalog: &mut Catalog, row: &impl Cells, page_bytes: u64) {
    let figures = [row.u64(2), row.u64(3), row.u64(4)].map(|value| value.unwrap_or(0));
    if let Some((table, _)) = table_of(catalog, row) {
        table.rows = table.rows.saturating_add(figures[0]);
        let bytes = |pages: u64| pages.saturating_mul(page_bytes);
        table.data_bytes = table.data_bytes.saturating_add(bytes(figures[1]));
        table.index_bytes = table.index_bytes.saturating_add(bytes(figures[2]));
    }
}
