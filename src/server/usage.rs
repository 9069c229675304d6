//! Reads how often indexes were used, from the server's own counts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cells::Cells as _;
use super::quote::hex_literal;
use super::{Connection, Error};
use crate::model::schema::{Catalog, TableName};
use crate::model::usage::{Counts, IndexUsage};

/// Rows at most; indexes beyond count as unknown.
const MAX_ROWS: usize = 50_000;

/// Reads and writes of the indexes of the catalog's tables, and how long the server has counted:
/// since it started. It forgets the counts of a table when that is altered, and all of them when
/// they are truncated; no one can see that.
pub async fn read(connection: &mut Connection, catalog: &Catalog) -> Result<IndexUsage, Error> {
    let mut usage = IndexUsage::default();
    if catalog.tables.is_empty() {
        return Ok(usage);
    }
    let instrument = connection
        .first(
            "whether index use is counted",
            "SELECT /* mydex:usage */ \
             (SELECT ENABLED FROM performance_schema.setup_instruments \
              WHERE NAME = 'wait/io/table/sql/handler'), \
             (SELECT VARIABLE_VALUE FROM performance_schema.global_status \
              WHERE VARIABLE_NAME = 'Uptime'), \
             (SELECT ENABLED FROM performance_schema.setup_consumers \
              WHERE NAME = 'global_instrumentation')",
        )
        .await;
    let row = match instrument {
        Ok(row) => row,
        Err(error) if error.is_fatal() => return Err(error),
        Err(error) => {
            usage.notes.push(format!(
                "the use of indexes can't be read, so none is called unused: {error}; \
                 grant SELECT on performance_schema"
            ));
            return Ok(usage);
        }
    };
    let is_yes = |cell: Option<String>| cell.is_some_and(|text| text == "YES");
    let Some(row) = row.filter(|row| is_yes(row.text(0)) && is_yes(row.text(2))) else {
        usage.notes.push(
            "the server does not count the use of indexes, so none is called unused; enable \
             `wait/io/table/sql/handler` in performance_schema.setup_instruments"
                .to_owned(),
        );
        return Ok(usage);
    };
    counts(connection, catalog, &mut usage).await?;
    usage.window = row.u64(1).map(Duration::from_secs);
    Ok(usage)
}

async fn counts(
    connection: &mut Connection,
    catalog: &Catalog,
    usage: &mut IndexUsage,
) -> Result<(), Error> {
    let mut schemas: Vec<&str> = catalog
        .tables
        .keys()
        .map(|name| name.schema.as_str())
        .collect();
    schemas.dedup();
    let names: Vec<String> = schemas.into_iter().map(hex_literal).collect();
    let sql = format!(
        "SELECT /* mydex:usage */ OBJECT_SCHEMA, OBJECT_NAME, INDEX_NAME, COUNT_READ, COUNT_WRITE \
         FROM performance_schema.table_io_waits_summary_by_index_usage \
         WHERE INDEX_NAME IS NOT NULL AND OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA IN ({}) \
         LIMIT {MAX_ROWS}",
        names.join(", ")
    );
    let mut found = BTreeMap::new();
    let mut rows = 0_usize;
    let outcome = connection
        .each("the use of indexes", &sql, |row| {
            rows += 1;
            let cells = (
                row.text(0),
                row.text(1),
                row.text(2),
                row.u64(3),
                row.u64(4),
            );
            let (Some(schema), Some(name), Some(index), Some(reads), Some(writes)) = cells else {
                return;
            };
            if let Some(table) = catalog.table(&schema, &name) {
                let name: TableName = table.name.clone();
                found.insert((name, index.to_ascii_lowercase()), Counts { reads, writes });
            }
        })
        .await;
    match outcome {
        Err(error) if error.is_fatal() => return Err(error),
        Err(error) => usage.notes.push(format!(
            "the use of indexes can't be read, so none is called unused: {error}"
        )),
        Ok(_) => usage.counts = found,
    }
    if rows >= MAX_ROWS {
        usage.notes.push(format!(
            "the use of more than {MAX_ROWS} indexes is not read; the others are not called unused"
        ));
    }
    Ok(())
}
