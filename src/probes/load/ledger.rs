//! What mydex keeps in the database about the packs it loaded: `mydex_pack` with a row for each
//! pack, and `mydex_pack_progress` with a row for each range of rows that one connection fills.

use std::sync::Arc;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::decision::{Identity, Live, ProgressRow};
use super::segment::{Segment, segments};
use super::session::execute;
use super::{LoadError, LoadPlan};
use crate::probes::generate::World;
use crate::probes::pack::Pack;
use crate::server::quote::{hex_literal, ident};

const TABLES: [&str; 2] = ["mydex_pack", "mydex_pack_progress"];

/// Reads what is in the schema.
pub async fn read(
    connection: &mut MySqlConnection,
    database: &str,
    pack: &Arc<str>,
) -> Result<Live, LoadError> {
    let mut live = Live {
        tables: tables(connection, database).await?,
        ..Live::default()
    };
    let before = live.tables.len();
    live.tables.retain(|name| !TABLES.contains(&name.as_str()));
    if before - live.tables.len() < TABLES.len() {
        return Ok(live);
    }
    let fail = |source| LoadError::new("read `mydex_pack`", source);
    let schema = ident(database);
    let sql = format!("SELECT version, seed, scale, state FROM {schema}.mydex_pack WHERE pack = ?");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(&**pack)
        .fetch_optional(&mut *connection)
        .await
        .map_err(fail)?;
    if let Some(row) = row {
        let state: String = row.try_get(3).map_err(fail)?;
        let identity = Identity {
            pack: Arc::clone(pack),
            version: row.try_get(0).map_err(fail)?,
            seed: row.try_get(1).map_err(fail)?,
            scale: row.try_get(2).map_err(fail)?,
        };
        live.entry = Some((identity, state == "complete"));
    }
    let sql = format!(
        "SELECT pack, table_name, segment, first_row, next_row, end_row \
         FROM {schema}.mydex_pack_progress ORDER BY pack, table_name, segment"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await
        .map_err(fail)?;
    for row in rows {
        live.progress.push(ProgressRow {
            pack: row.try_get(0).map_err(fail)?,
            table: row.try_get(1).map_err(fail)?,
            range: (
                row.try_get(2).map_err(fail)?,
                row.try_get(3).map_err(fail)?,
                row.try_get(4).map_err(fail)?,
                row.try_get(5).map_err(fail)?,
            ),
        });
    }
    Ok(live)
}

/// Names of the tables of the schema.
pub async fn tables(
    connection: &mut MySqlConnection,
    database: &str,
) -> Result<Vec<String>, LoadError> {
    sqlx::query_scalar(
        "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
         WHERE table_schema = ? AND table_type = 'BASE TABLE' ORDER BY table_name",
    )
    .bind(database)
    .fetch_all(connection)
    .await
    .map_err(|source| LoadError::new("list the tables", source))
}

/// Makes the ledger and writes down what is going to be made, before it is made.
pub async fn begin(
    connection: &mut MySqlConnection,
    world: &World,
    plan: &LoadPlan,
    identity: &Identity,
) -> Result<Vec<Segment>, LoadError> {
    let fail = |source| LoadError::new("write `mydex_pack`", source);
    let schema = ident(&plan.database);
    execute(
        connection,
        "create `mydex_pack`",
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.mydex_pack (
           pack VARCHAR(40) CHARACTER SET ascii NOT NULL PRIMARY KEY,
           version INT UNSIGNED NOT NULL,
           seed BIGINT UNSIGNED NOT NULL,
           scale DOUBLE NOT NULL,
           state VARCHAR(16) CHARACTER SET ascii NOT NULL,
           started_at DATETIME(6) NOT NULL,
           finished_at DATETIME(6) NULL
         ) ENGINE=InnoDB COMMENT='workload packs loaded by mydex'"
        ),
    )
    .await?;
    execute(
        connection,
        "create `mydex_pack_progress`",
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.mydex_pack_progress (
           pack VARCHAR(40) CHARACTER SET ascii NOT NULL,
           table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
           segment INT UNSIGNED NOT NULL,
           first_row BIGINT UNSIGNED NOT NULL,
           next_row BIGINT UNSIGNED NOT NULL,
           end_row BIGINT UNSIGNED NOT NULL,
           PRIMARY KEY (pack, table_name, segment)
         ) ENGINE=InnoDB COMMENT='rows loaded by mydex'"
        ),
    )
    .await?;
    let pack = world.pack();
    let mut made = Vec::new();
    let mut transaction = connection.begin().await.map_err(fail)?;
    sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO {schema}.mydex_pack (pack, version, seed, scale, state, started_at) \
         VALUES (?, ?, ?, ?, 'loading', UTC_TIMESTAMP(6))"
    )))
    .bind(&*identity.pack)
    .bind(identity.version)
    .bind(identity.seed)
    .bind(identity.scale)
    .execute(&mut *transaction)
    .await
    .map_err(fail)?;
    for (index, table) in pack.tables.iter().enumerate() {
        let is_ordered = table.foreign_keys.iter().any(|key| key.table == index);
        for segment in segments(index, world.rows(index), u64::from(plan.batch), is_ordered) {
            sqlx::query(AssertSqlSafe(format!(
                "INSERT INTO {schema}.mydex_pack_progress VALUES (?, ?, ?, ?, ?, ?)"
            )))
            .bind(&*identity.pack)
            .bind(&*table.name)
            .bind(segment.index)
            .bind(segment.first)
            .bind(segment.next)
            .bind(segment.end)
            .execute(&mut *transaction)
            .await
            .map_err(fail)?;
            made.push(segment);
        }
    }
    transaction.commit().await.map_err(fail)?;
    Ok(made)
}

/// The statement that moves a segment on; it belongs into the transaction of the rows.
#[must_use]
pub fn advance(database: &str, pack: &Pack, segment: &Segment, next: u64) -> String {
    format!(
        "UPDATE {}.mydex_pack_progress SET next_row = {next} \
         WHERE pack = {} AND table_name = {} AND segment = {} AND next_row = {}",
        ident(database),
        hex_literal(&pack.name),
        hex_literal(&pack.tables[segment.table].name),
        segment.index,
        segment.next,
    )
}

/// Marks the load as complete.
pub async fn complete(
    connection: &mut MySqlConnection,
    database: &str,
    pack: &str,
) -> Result<(), LoadError> {
    let sql = format!(
        "UPDATE {}.mydex_pack SET state = 'complete', finished_at = UTC_TIMESTAMP(6) \
         WHERE pack = ?",
        ident(database)
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(pack)
        .execute(connection)
        .await
        .map_err(|source| LoadError::new("write `mydex_pack`", source))?;
    Ok(())
}

/// Drops tables of a pack and then its entry. Foreign keys of other tables to them stand in the
/// way, as they should.
pub async fn drop_tables(
    connection: &mut MySqlConnection,
    database: &str,
    pack: &str,
    tables: &[String],
) -> Result<(), LoadError> {
    let schema = ident(database);
    let names: Vec<String> = tables
        .iter()
        .map(|name| format!("{schema}.{}", ident(name)))
        .collect();
    if !names.is_empty() {
        let sql = format!("DROP TABLE IF EXISTS {}", names.join(", "));
        execute(connection, "drop the tables of the pack", sql).await?;
    }
    for table in TABLES {
        let sql = format!("DELETE FROM {schema}.{} WHERE pack = ?", ident(table));
        sqlx::query(AssertSqlSafe(sql))
            .bind(pack)
            .execute(&mut *connection)
            .await
            .map_err(|source| LoadError::new("clear `mydex_pack`", source))?;
    }
    Ok(())
}
