//! Indexes that are given by their columns, whether they are candidates or not: created for real,
//! and the workload run with them.

use super::Failure;
use super::data::{Lab, SCHEMA};
use super::reference::{queries, shortest};

/// An index: table, and columns as in `CREATE INDEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) table: String,
    pub(crate) columns: String,
}

/// What was measured with given indexes.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) bytes: u64,
    /// Seconds of each query, in the order of the queries.
    pub(crate) seconds: Vec<f64>,
}

/// Reads `table (column, column); table (column)`.
pub(crate) fn parse(text: &str) -> Result<Vec<Given>, Failure> {
    let parts = text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (table, columns) = part
                .split_once('(')
                .ok_or(format!("no columns in `{part}`"))?;
            let columns = columns
                .strip_suffix(')')
                .ok_or(format!("no `)` in `{part}`"))?;
            Ok(Given {
                table: table.trim().to_owned(),
                columns: columns.trim().to_owned(),
            })
        })
        .collect()
}

/// Creates the indexes, runs every query, and drops them again.
pub(crate) async fn measure(lab: &mut Lab, indexes: &[Given]) -> Result<Outcome, Failure> {
    for (place, Given { table, columns }) in indexes.iter().enumerate() {
        lab.run(&format!(
            "ALTER TABLE {table} ADD INDEX given_{place} ({columns})"
        ))
        .await?;
    }
    for Given { table, .. } in indexes {
        lab.run(&format!("ANALYZE TABLE {table}")).await?;
    }
    let bytes = lab
        .number(&format!(
            "SELECT CAST(COALESCE(SUM(stat_value), 0) * @@innodb_page_size AS SIGNED) \
             FROM mysql.innodb_index_stats WHERE database_name = '{SCHEMA}' \
             AND index_name LIKE 'given\\_%' AND stat_name = 'size'"
        ))
        .await?;
    let mut seconds = Vec::new();
    for query in queries() {
        seconds.push(shortest(&mut lab.connection, &query.sql).await?);
    }
    for (place, Given { table, .. }) in indexes.iter().enumerate() {
        lab.run(&format!("ALTER TABLE {table} DROP INDEX given_{place}"))
            .await?;
    }
    Ok(Outcome {
        bytes: bytes.unsigned_abs(),
        seconds,
    })
}
