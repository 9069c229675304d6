//! The loader's connections and the statements that concern a whole schema.

use std::sync::Arc;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use super::{LoadError, TableStatistics};
use crate::probes::generate::World;
use crate::server::quote::ident;

/// What the literal writer relies on, and strictness: a value that does not fit is an error, not
/// something else in its place. Checks of foreign and unique keys stay on.
const SESSION: &str = "SET SESSION \
     sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,\
ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
     time_zone = '+00:00', foreign_key_checks = 1, unique_checks = 1, autocommit = 1, \
     transaction_isolation = 'READ-COMMITTED'";

/// Opens a connection for loading.
pub async fn open(options: &MySqlConnectOptions) -> Result<MySqlConnection, LoadError> {
    let mut connection = options
        .clone()
        .charset("utf8mb4")
        .set_names(true)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(|source| LoadError::Connect { source })?;
    execute(&mut connection, "prepare the session", SESSION.to_owned()).await?;
    Ok(connection)
}

/// Runs a statement whose result does not matter.
pub async fn execute(
    connection: &mut MySqlConnection,
    doing: &str,
    sql: String,
) -> Result<u64, LoadError> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(|result| result.rows_affected())
        .map_err(|source| LoadError::new(doing, source))
}

/// Makes the schema unless it is there.
pub async fn create_schema(
    connection: &mut MySqlConnection,
    database: &str,
) -> Result<(), LoadError> {
    let doing = format!("look for the schema `{database}`");
    let found: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM information_schema.schemata WHERE schema_name = ?")
            .bind(database)
            .fetch_optional(&mut *connection)
            .await
            .map_err(|source| LoadError::new(&doing, source))?;
    if found.is_none() {
        let sql = format!(
            "CREATE DATABASE IF NOT EXISTS {} DEFAULT CHARACTER SET utf8mb4",
            ident(database)
        );
        execute(connection, &format!("create the schema `{database}`"), sql).await?;
    }
    Ok(())
}

/// Takes the lock that keeps two loads of a pack apart; it ends with the connection.
pub async fn lock(
    connection: &mut MySqlConnection,
    database: &str,
    pack: &str,
) -> Result<(), LoadError> {
    // A lock's name has at most 64 characters, so that the schema's is hashed.
    let taken: Option<i64> =
        sqlx::query_scalar("SELECT GET_LOCK(CONCAT('mydex_load_', LEFT(SHA2(?, 256), 32)), 0)")
            .bind(format!("{database}\0{pack}"))
            .fetch_one(connection)
            .await
            .map_err(|source| LoadError::new("take the load lock", source))?;
    if taken == Some(1) {
        return Ok(());
    }
    Err(LoadError::Busy {
        database: database.to_owned(),
        pack: pack.to_owned(),
    })
}

/// `max_allowed_packet` of the session, bytes.
pub async fn packet_limit(connection: &mut MySqlConnection) -> Result<usize, LoadError> {
    let limit: u64 = sqlx::query_scalar("SELECT CAST(@@max_allowed_packet AS UNSIGNED)")
        .fetch_one(connection)
        .await
        .map_err(|source| LoadError::new("read `max_allowed_packet`", source))?;
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Sizes of the pack's tables, read past the cache of `information_schema`.
pub async fn statistics(
    connection: &mut MySqlConnection,
    world: &World,
    database: &str,
) -> Result<Vec<TableStatistics>, LoadError> {
    let fail = |source| LoadError::new("read the table statistics", source);
    execute(
        connection,
        "read the table statistics",
        "SET SESSION information_schema_stats_expiry = 0".to_owned(),
    )
    .await?;
    let rows = sqlx::query(
        "SELECT CAST(table_name AS CHAR), CAST(COALESCE(table_rows, 0) AS UNSIGNED), \
                CAST(COALESCE(data_length, 0) AS UNSIGNED), \
                CAST(COALESCE(index_length, 0) AS UNSIGNED) \
         FROM information_schema.tables WHERE table_schema = ?",
    )
    .bind(database)
    .fetch_all(connection)
    .await
    .map_err(fail)?;
    let mut tables = Vec::new();
    for (index, table) in world.pack().tables.iter().enumerate() {
        for row in &rows {
            let name: String = row.try_get(0).map_err(fail)?;
            if name == *table.name {
                tables.push(TableStatistics {
                    name: Arc::clone(&table.name),
                    rows: world.rows(index),
                    estimated_rows: row.try_get(1).map_err(fail)?,
                    data_bytes: row.try_get(2).map_err(fail)?,
                    index_bytes: row.try_get(3).map_err(fail)?,
                });
            }
        }
    }
    Ok(tables)
}
