//! What a session of the twin needs of the driver: cells, counters, errors.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::mysql::{MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use crate::server::Error;

/// Counters of a session's storage engine calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Handlers {
    pub(super) reads: u64,
    pub(super) writes: u64,
}

impl Handlers {
    /// What came in between, without what reading them added.
    pub(super) fn since(self, before: Self, own: Self) -> Self {
        let between = |now: u64, then: u64, own: u64| now.saturating_sub(then).saturating_sub(own);
        Self {
            reads: between(self.reads, before.reads, own.reads),
            writes: between(self.writes, before.writes, own.writes),
        }
    }
}

/// Runs a statement; its rows are dropped as they come.
pub(super) async fn drain(connection: &mut MySqlConnection, sql: &str) -> Result<(), sqlx::Error> {
    let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(connection);
    while rows.try_next().await?.is_some() {}
    Ok(())
}

/// A cell as text, empty for NULL.
pub(super) fn cell(row: &MySqlRow, place: usize) -> String {
    row.try_get_unchecked::<Option<Vec<u8>>, _>(place)
        .ok()
        .flatten()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// Sorts an error: one of the statement, or one that ends the session.
pub(super) fn of_statement(error: &sqlx::Error, place: &str, what: &str) -> Error {
    let lost = |reason: String| Error::Lost {
        place: place.to_owned(),
        reason,
    };
    let sqlx::Error::Database(database) = error else {
        return lost(error.to_string());
    };
    let number = database
        .try_downcast_ref::<MySqlDatabaseError>()
        .map_or(0, MySqlDatabaseError::number);
    let message = database.message().to_owned();
    match number {
        1044 | 1142 | 1143 | 1227 | 1370 => Error::Denied { message },
        1205 | 1213 | 1317 | 3024 => Error::Ended {
            statement: what.to_owned(),
            message,
            number,
        },
        1053 | 3169 | 4031 => lost(message),
        _ => Error::Server { number, message },
    }
}

/// Waits for an answer of session `id`. At the limit the statement is ended through `killer`, and
/// what it says then is given, with `true`.
pub(super) async fn within<T>(
    limit: Duration,
    killer: &mut MySqlConnection,
    id: u64,
    asking: impl Future<Output = Result<T, sqlx::Error>> + Send,
) -> (Result<T, sqlx::Error>, bool) {
    tokio::pin!(asking);
    if let Ok(answer) = tokio::time::timeout(limit, &mut asking).await {
        return (answer, false);
    }
    let kill = format!("KILL QUERY {id}");
    if let Err(error) = killer.execute(sqlx::raw_sql(AssertSqlSafe(kill))).await {
        return (Err(error), false);
    }
    (asking.await, true)
}
