//! What decides whether two recordings can be compared: data, columns, indexes, variables.

use std::collections::BTreeMap;
use std::time::Duration;

use super::recorded::{Data, ServerFacts, TableData};
use crate::server::cells::Cells as _;
use crate::server::guard::Values;
use crate::server::quote::{hex_literal, ident};
use crate::server::settings::{COPIED, FIXED};
use crate::server::{Connection, Error};

/// Reading all of one table may take this long.
const LIMIT: Duration = Duration::from_mins(1);

/// Variables besides those of the optimizer that counters depend on.
const MORE: &[&str] = &[
    "innodb_stats_persistent",
    "innodb_stats_persistent_sample_pages",
    "temptable_max_ram",
];

/// Variables on which no counter of the session depends.
const LEFT_OUT: &[&str] = &["time_zone"];

/// Version and variables of the server.
pub async fn server(connection: &mut Connection) -> Result<ServerFacts, Error> {
    let names: Vec<String> = COPIED
        .iter()
        .chain(FIXED)
        .chain(MORE)
        .filter(|name| !LEFT_OUT.contains(name))
        .map(|name| format!("'{name}'"))
        .collect();
    let sql = format!(
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})",
        names.join(", ")
    );
    let rows = connection.rows("the variables that matter", &sql).await?;
    let pair = |row: &Values| Some((row.text(0)?, row.text(1)?));
    Ok(ServerFacts {
        version: connection.version().to_owned(),
        variables: rows.iter().filter_map(pair).collect(),
    })
}

/// Rows, contents and columns of these tables. Each is read once from end to end.
pub async fn data(
    connection: &mut Connection,
    schema: &str,
    tables: &[String],
) -> Result<Data, Error> {
    let before = connection.patience();
    connection.set_patience(LIMIT + before);
    let mut data = Data::default();
    for table in tables {
        if let Some(found) = table_data(connection, schema, table).await? {
            data.tables.insert(table.clone(), found);
        }
    }
    connection.set_patience(before);
    Ok(data)
}

/// One table; `None` when it is not there.
async fn table_data(
    connection: &mut Connection,
    schema: &str,
    table: &str,
) -> Result<Option<TableData>, Error> {
    let sql = format!(
        "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COALESCE(COLLATION_NAME, ''), DATA_TYPE \
         FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} \
         AND EXTRA NOT LIKE '%GENERATED' ORDER BY ORDINAL_POSITION LIMIT 5000",
        hex_literal(schema),
        hex_literal(table)
    );
    let rows = connection.rows("the columns of a table", &sql).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut columns = Vec::new();
    let mut definition = 0;
    for row in &rows {
        let text = |i| row.text(i).unwrap_or_default();
        let line = format!("{}|{}|{}|{}\n", text(0), text(1), text(2), text(3));
        definition = fnv(definition, &line);
        // What has no text of its own is left to the columns beside it.
        if !matches!(
            text(4).as_str(),
            "geometry" | "point" | "linestring" | "polygon" | "vector"
        ) {
            columns.push(format!("IFNULL({}, '~')", ident(&text(0))));
        }
    }
    let sql = format!(
        "SELECT /*+ MAX_EXECUTION_TIME({}) */ COUNT(*), SUM(CRC32(CONCAT_WS('|', 'row', {}))) \
         FROM {}.{}",
        LIMIT.as_millis(),
        columns.join(", "),
        ident(schema),
        ident(table)
    );
    let row = connection.first("the contents of a table", &sql).await?;
    let row = row.unwrap_or_default();
    Ok(Some(TableData {
        rows: row.u64(0).unwrap_or(0),
        checksum: row.text(1).unwrap_or_else(|| "0".to_owned()),
        columns: format!("{definition:016x}"),
    }))
}

/// FNV-1a over what was before and `text`, whose values never change.
fn fnv(before: u64, text: &str) -> u64 {
    text.bytes()
        .fold(before ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

/// The indexes of these tables, each as `name (columns)` with what sets it apart.
pub async fn indexes(
    connection: &mut Connection,
    schema: &str,
    tables: &[String],
) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let sql = format!(
        "SELECT TABLE_NAME, INDEX_NAME, COALESCE(COLUMN_NAME, '(expression)'), SUB_PART, \
         COLLATION, NON_UNIQUE, IS_VISIBLE, INDEX_TYPE FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = {} ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX LIMIT 20000",
        hex_literal(schema)
    );
    let mut found: BTreeMap<String, BTreeMap<String, (Vec<String>, String)>> = BTreeMap::new();
    for row in connection.rows("the indexes", &sql).await? {
        let text = |i| row.text(i).unwrap_or_default();
        let mut part = text(2);
        if let Some(length) = row.u64(3) {
            part = format!("{part}({length})");
        }
        if text(4) == "D" {
            part.push_str(" DESC");
        }
        let mut kind = String::new();
        for (is_so, word) in [
            (row.u64(5) == Some(0), " unique"),
            (row.flag(6) == Some(false), " invisible"),
            (text(7) == "FULLTEXT", " fulltext"),
            (text(7) == "SPATIAL", " spatial"),
        ] {
            if is_so {
                kind.push_str(word);
            }
        }
        let of_table = found.entry(text(0)).or_default();
        let (parts, kept) = of_table.entry(text(1)).or_default();
        parts.push(part);
        *kept = kind;
    }
    let line = |(name, (parts, kind)): (String, (Vec<String>, String))| {
        format!("{name} ({}){kind}", parts.join(", "))
    };
    Ok(found
        .into_iter()
        .filter(|(table, _)| tables.contains(table))
        .map(|(table, indexes)| (table, indexes.into_iter().map(line).collect()))
        .collect())
}
