//! Reads what the prechecks judge, in few bounded statements.

use std::time::Duration;

use super::{Error, Options, watch};
use crate::config::settings::Server;
use crate::indexes::precheck::{Facts, Replication, Work};
use crate::model::schema::TableName;
use crate::server::cells::Cells as _;
use crate::server::guard::Values;
use crate::server::quote::hex_literal;
use crate::server::{self, Connection, room};

/// Between two looks at the count of writes.
const RATE_WINDOW: Duration = Duration::from_millis(300);

/// A build that takes longer is held against the rate of writes.
const LONG_BUILD: Duration = Duration::from_secs(1);

/// A table that is held for a shorter time is one that is in use.
const HELD: Duration = Duration::from_secs(1);

/// Reads the facts about a table and its server that matter to this work; what can't be seen is
/// `None`.
pub(super) async fn read(
    side: &mut Connection,
    server: &Server,
    options: &Options,
    on: &TableName,
    own: Option<u64>,
    work: &Work,
) -> Result<Facts, Error> {
    let mut facts = Facts::default();
    // What is built in a moment meets no more writes than fit into the log.
    let is_long = work.builds && work.time >= LONG_BUILD;
    let before = if is_long {
        writes(side, on).await?
    } else {
        None
    };
    let asked = tokio::time::Instant::now();
    facts.grants = optional(side, "the grants", "SHOW GRANTS")
        .await?
        .map(|rows| rows.iter().filter_map(|row| row.text(0)).collect());
    variables(side, server, &mut facts).await?;
    if !(work.builds || work.drops || work.changes_columns) {
        facts.holders = Some(Vec::new());
        return Ok(facts);
    }
    replication(side, &mut facts).await?;
    transactions(side, options, &mut facts).await?;
    let sql = "SELECT 1 FROM performance_schema.metadata_locks LIMIT 1";
    if optional(side, "the locks", sql).await?.is_some() {
        facts.holders = Some(watch::blockers(side, on, own.or(side.thread()), HELD).await?);
    }
    if let Some(before) = before {
        tokio::time::sleep(RATE_WINDOW.saturating_sub(asked.elapsed())).await;
        let after = writes(side, on).await?.unwrap_or(before);
        let rows = after.saturating_sub(before) as f64;
        facts.writes_per_second = Some(rows / asked.elapsed().as_secs_f64().max(0.001));
    }
    Ok(facts)
}

/// Rows, or nothing where the account may not see them or the server has no such thing.
async fn optional(
    side: &mut Connection,
    what: &str,
    sql: &str,
) -> Result<Option<Vec<Values>>, server::Error> {
    match side.rows(what, sql).await {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if error.is_fatal() => Err(error),
        Err(_) => Ok(None),
    }
}

async fn writes(side: &mut Connection, on: &TableName) -> Result<Option<u64>, server::Error> {
    let sql = format!(
        "SELECT /* mydex:writes */ COUNT_WRITE \
         FROM performance_schema.table_io_waits_summary_by_table \
         WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA = {} AND OBJECT_NAME = {} LIMIT 1",
        hex_literal(&on.schema),
        hex_literal(&on.name)
    );
    let rows = optional(side, "the writes of a table", &sql).await?;
    Ok(rows.and_then(|rows| rows.first()?.u64(0)))
}

async fn variables(
    side: &mut Connection,
    server: &Server,
    facts: &mut Facts,
) -> Result<(), server::Error> {
    let sql = "SELECT @@super_read_only OR @@innodb_read_only, @@read_only, \
               @@innodb_online_alter_log_max_size";
    let Some(row) = side.first("the variables", sql).await? else {
        return Ok(());
    };
    facts.is_read_only = row.flag(0).unwrap_or(false);
    // Plain `read_only` does not hold for those who may override it.
    let overrides = |lines: &Vec<String>| {
        let may = |line: &String| line.contains("CONNECTION_ADMIN") || line.contains("SUPER");
        lines.iter().any(may)
    };
    if row.flag(1).unwrap_or(false) && !facts.grants.as_ref().is_some_and(overrides) {
        facts.is_read_only = true;
    }
    facts.online_log = row.u64(2).unwrap_or(0);
    let room = room::read(side, server).await?;
    facts.free_data = room.data;
    facts.free_sort = room.sort;
    facts.is_one_disk = room.is_one_disk;
    Ok(())
}

async fn replication(side: &mut Connection, facts: &mut Facts) -> Result<(), server::Error> {
    let sql = "SELECT COUNT(*) FROM performance_schema.replication_connection_configuration \
               WHERE HOST <> ''";
    let rows = optional(side, "the replication", sql).await?;
    let sources = rows.and_then(|rows| rows.first()?.u64(0)).unwrap_or(0);
    if sources > 0 && is_stopped(side).await? {
        facts.replication = Replication::Stopped;
    } else if sources > 0 {
        let sql = "SELECT MAX(TIMESTAMPDIFF(SECOND, \
                   APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, NOW(6))) \
                   FROM performance_schema.replication_applier_status_by_worker \
                   WHERE APPLYING_TRANSACTION <> ''";
        let rows = optional(side, "the lag", sql).await?;
        let lag = rows.map(|rows| {
            let seconds = rows.first().and_then(|row| row.u64(0));
            Duration::from_secs(seconds.unwrap_or(0))
        });
        facts.replication = Replication::Runs(lag);
    }
    let sql = "SELECT COUNT(*) FROM performance_schema.threads \
               WHERE PROCESSLIST_COMMAND LIKE 'Binlog Dump%'";
    let rows = optional(side, "the replicas", sql).await?;
    facts.replicas = rows.and_then(|rows| rows.first()?.u64(0)).unwrap_or(0);
    Ok(())
}

/// Whether a channel of a source does not receive or does not apply: nothing is under way there, and no
/// lag is counted.
async fn is_stopped(side: &mut Connection) -> Result<bool, server::Error> {
    let sql = "SELECT COUNT(*) FROM performance_schema.replication_connection_configuration c \
               JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME) \
               JOIN performance_schema.replication_connection_status r USING (CHANNEL_NAME) \
               WHERE c.HOST <> '' AND (a.SERVICE_STATE = 'OFF' OR r.SERVICE_STATE = 'OFF')";
    let rows = optional(side, "the state of the replication", sql).await?;
    let channels = rows.and_then(|rows| rows.first()?.u64(0)).unwrap_or(0);
    Ok(channels > 0)
}

async fn transactions(
    side: &mut Connection,
    options: &Options,
    facts: &mut Facts,
) -> Result<(), server::Error> {
    let sql = format!(
        "SELECT /* mydex:transactions */ COUNT(*), \
         MAX(TIMESTAMPDIFF(SECOND, trx_started, NOW())) FROM information_schema.INNODB_TRX \
         WHERE trx_started < NOW() - INTERVAL {} SECOND",
        options.long_transaction.as_secs()
    );
    let rows = optional(side, "the transactions", &sql).await?;
    facts.old_transactions = rows.and_then(|rows| {
        let row = rows.first()?;
        let oldest = Duration::from_secs(row.u64(1).unwrap_or(0));
        Some((row.u64(0)?, oldest))
    });
    Ok(())
}
