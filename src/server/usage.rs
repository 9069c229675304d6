//! Reads how often indexes were used, from the server's own counts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cells::Cells as _;
use super::quote::hex_literal;
use super::{Connection, Error, ddl};
use crate::model::schema::{Catalog, Index, TableName};
use crate::model::usage::{Counts, IndexUsage};

/// Rows at most; indexes beyond count as unknown.
const MAX_ROWS: usize = 50_000;

/// Asking for a table by its name costs the server as much as reading so many others.
const BY_NAME: usize = 7;

/// Names in one condition.
const MAX_NAMES: usize = 250;

/// With fewer indexes than this, a look at some of them is not cheaper than at all of their tables.
const MANY: usize = 1_000;

/// Indexes that are looked at first.
const HANDFUL: usize = 200;

/// Reads and writes of the indexes of the catalog's tables, and how long the server has counted:
/// since it started. It forgets the counts of a table whose indexes are altered, so that the tables
/// that were altered since then are told; that they were truncated or the table renamed can't be
/// seen.
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
              WHERE NAME = 'global_instrumentation'), \
             (SELECT VARIABLE_VALUE FROM performance_schema.global_status \
              WHERE VARIABLE_NAME = 'Performance_schema_index_stat_lost')",
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
    counts(connection, catalog, &mut usage, row.u64(3) == Some(0)).await?;
    if let Some(uptime) = row.u64(1) {
        usage.window = Some(Duration::from_secs(uptime));
        altered(connection, catalog, &mut usage, uptime).await?;
    }
    Ok(usage)
}

/// Which tables were altered since the server started. Tried on MySQL 9.7: each `ALTER TABLE` sets
/// `CREATE_TIME`, and adding or dropping an index makes the server count anew for the whole table.
async fn altered(
    connection: &mut Connection,
    catalog: &Catalog,
    usage: &mut IndexUsage,
    uptime: u64,
) -> Result<(), Error> {
    let sql = format!(
        "SELECT /* mydex:usage */ TABLE_SCHEMA, TABLE_NAME, \
         TIMESTAMPDIFF(SECOND, CREATE_TIME, NOW()) FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA IN ({}) AND TABLE_TYPE = 'BASE TABLE' \
         AND CREATE_TIME >= NOW() - INTERVAL {uptime} SECOND LIMIT {MAX_ROWS}",
        schemas(catalog)
    );
    let why = match connection.rows("when tables were altered", &sql).await {
        Err(error) if error.is_fatal() => return Err(error),
        Err(error) => error.to_string(),
        Ok(rows) if rows.len() >= MAX_ROWS => format!("more than {MAX_ROWS} were"),
        Ok(rows) => {
            for row in &rows {
                let (Some(schema), Some(name)) = (row.text(0), row.text(1)) else {
                    continue;
                };
                if let Some(table) = catalog.table(&schema, &name) {
                    // A clock that was set back is no reason to believe in older counts.
                    let ago = Duration::from_secs(row.u64(2).unwrap_or(0));
                    usage.altered.insert(table.name.clone(), ago);
                }
            }
            return Ok(());
        }
    };
    usage.window = None;
    usage.notes.push(format!(
        "when tables were altered can't be read, so no index is called unused: {why}"
    ));
    Ok(())
}

/// The schemas of the catalog, as literals.
fn schemas(catalog: &Catalog) -> String {
    let mut schemas: Vec<&str> = catalog
        .tables
        .keys()
        .map(|name| name.schema.as_str())
        .collect();
    schemas.dedup();
    let names: Vec<String> = schemas.into_iter().map(hex_literal).collect();
    names.join(", ")
}

/// Reads the counts: of the tables that were used, since a row of each index costs the server four
/// times what one of each table does.
async fn counts(
    connection: &mut Connection,
    catalog: &Catalog,
    usage: &mut IndexUsage,
    is_complete: bool,
) -> Result<(), Error> {
    let everything = format!("OBJECT_SCHEMA IN ({})", schemas(catalog));
    let mut condition = Some(everything.clone());
    // A table adds up its indexes; where the server has lost some, their reads are in no sum.
    if is_complete && may_be_idle(connection, catalog, &everything).await? {
        let activity = Activity::read(connection, catalog, &everything).await?;
        if let Some(activity) = activity {
            usage.counts = activity.unused(catalog);
            condition = activity.condition(everything);
        }
    }
    match condition {
        Some(condition) => counts_where(connection, catalog, usage, &condition).await,
        None => Ok(()),
    }
}

/// Whether asking for the use of whole tables first may spare anything: not where most indexes of a
/// handful have been read.
async fn may_be_idle(
    connection: &mut Connection,
    catalog: &Catalog,
    condition: &str,
) -> Result<bool, Error> {
    let indexes: usize = catalog.tables.values().map(|t| t.indexes.len()).sum();
    if indexes < MANY {
        return Ok(true);
    }
    let sql = format!(
        "SELECT /* mydex:usage */ COUNT_READ \
         FROM performance_schema.table_io_waits_summary_by_index_usage \
         WHERE INDEX_NAME IS NOT NULL AND OBJECT_TYPE = 'TABLE' AND {condition} LIMIT {HANDFUL}"
    );
    match connection.rows("the use of some indexes", &sql).await {
        Err(error) if error.is_fatal() => Err(error),
        Err(_) => Ok(false),
        Ok(rows) => {
            let read = rows.iter().filter(|row| row.u64(0) != Some(0)).count();
            Ok(read * 2 < rows.len() || rows.len() < HANDFUL)
        }
    }
}

/// Which tables were used at all.
struct Activity {
    idle: Vec<TableName>,
    active: Vec<TableName>,
}

impl Activity {
    /// `None` where it can't be read, or not for all tables.
    async fn read(
        connection: &mut Connection,
        catalog: &Catalog,
        condition: &str,
    ) -> Result<Option<Self>, Error> {
        let sql = format!(
            "SELECT /* mydex:usage */ OBJECT_SCHEMA, OBJECT_NAME, COUNT_STAR \
             FROM performance_schema.table_io_waits_summary_by_table \
             WHERE OBJECT_TYPE = 'TABLE' AND {condition} LIMIT {MAX_ROWS}"
        );
        let rows = match connection.rows("the use of tables", &sql).await {
            Err(error) if error.is_fatal() => return Err(error),
            Err(_) => return Ok(None),
            Ok(rows) if rows.len() >= MAX_ROWS => return Ok(None),
            Ok(rows) => rows,
        };
        let mut activity = Self {
            idle: Vec::new(),
            active: Vec::new(),
        };
        for row in &rows {
            let (Some(schema), Some(name)) = (row.text(0), row.text(1)) else {
                continue;
            };
            if let Some(table) = catalog.table(&schema, &name) {
                let is_idle = row.u64(2) == Some(0);
                let list = if is_idle {
                    &mut activity.idle
                } else {
                    &mut activity.active
                };
                list.push(table.name.clone());
            }
        }
        Ok(Some(activity))
    }

    /// What is known of the indexes of tables that were not used.
    fn unused(&self, catalog: &Catalog) -> BTreeMap<(TableName, String), Counts> {
        let tables = self.idle.iter().filter_map(|name| catalog.tables.get(name));
        tables
            .flat_map(|table| {
                let index = |index: &Index| index.name.to_ascii_lowercase();
                let names = table.indexes.iter().map(index);
                names.map(|index| ((table.name.clone(), index), Counts::default()))
            })
            .collect()
    }

    /// A condition for the tables that were used, if there are any.
    fn condition(&self, everything: String) -> Option<String> {
        let all = self.active.len() + self.idle.len();
        if self.active.is_empty() {
            None
        } else if self.active.len() * BY_NAME < all && self.active.len() <= MAX_NAMES {
            Some(ddl::names_tables(&self.active).replace("TABLE_", "OBJECT_"))
        } else {
            Some(everything)
        }
    }
}

async fn counts_where(
    connection: &mut Connection,
    catalog: &Catalog,
    usage: &mut IndexUsage,
    condition: &str,
) -> Result<(), Error> {
    let sql = format!(
        "SELECT /* mydex:usage */ OBJECT_SCHEMA, OBJECT_NAME, INDEX_NAME, COUNT_READ, COUNT_WRITE \
         FROM performance_schema.table_io_waits_summary_by_index_usage \
         WHERE INDEX_NAME IS NOT NULL AND OBJECT_TYPE = 'TABLE' AND {condition} \
         LIMIT {MAX_ROWS}"
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
        Err(error) => {
            usage.counts.clear();
            usage.notes.push(format!(
                "the use of indexes can't be read, so none is called unused: {error}"
            ));
        }
        Ok(_) => usage.counts.extend(found),
    }
    if rows >= MAX_ROWS {
        usage.notes.push(format!(
            "the use of more than {MAX_ROWS} indexes is not read; the others are not called unused"
        ));
    }
    Ok(())
}
