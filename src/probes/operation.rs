//! One operation of a probe on one connection: statements, transaction, retries, limits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::mysql::{MySqlArguments, MySqlConnection, MySqlDatabaseError};
use sqlx::{Arguments as _, AssertSqlSafe, Either, Executor as _};

use super::pack::{ParamRef, Statement};
use super::recorder::ErrorCode;
use super::value::{Value, datetime};
use crate::model::probe::Slo;
use crate::model::text;

/// Retries of one operation after a deadlock or a lock wait timeout.
pub const MAX_RETRIES: u32 = 3;
/// Characters of an error's text that are kept.
const MAX_ERROR_TEXT: usize = 300;

/// Gives the value of a parameter in the operation of this number; the same for the same arguments.
pub type Values = Arc<dyn Fn(u64, ParamRef) -> Value + Send + Sync>;

/// One probe as the engine drives it.
#[derive(Clone)]
pub struct EngineProbe {
    /// Its name in the pack.
    pub name: Arc<str>,
    /// Whether it changes data.
    pub is_write: bool,
    /// Operations per second; in a closed loop its weight in the mix.
    pub rate: f64,
    /// Latency objective on the response.
    pub slo: Option<Slo>,
    /// An operation is given up after this; without one the engine's applies.
    pub timeout: Option<Duration>,
    /// Run the statements between BEGIN and COMMIT, ROLLBACK on error.
    pub transaction: bool,
    /// Statements in order.
    pub statements: Vec<Statement>,
    /// The values of their parameters.
    pub values: Values,
}

impl fmt::Debug for EngineProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineProbe")
            .field("name", &self.name)
            .field("rate", &self.rate)
            .field("statements", &self.statements)
            .finish_non_exhaustive()
    }
}

/// What an operation gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Retries after a deadlock or a lock wait timeout.
    pub retries: u32,
    /// Rows returned or changed, or why it failed.
    pub result: Result<u64, Failure>,
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its kind.
    pub code: ErrorCode,
    /// Its text, safe to show.
    pub text: String,
    /// The connection cannot be used any more.
    pub is_broken: bool,
}

impl Failure {
    /// A failure from the driver's error.
    #[must_use]
    pub fn new(error: &sqlx::Error) -> Self {
        let (code, is_broken) = match error {
            sqlx::Error::Database(error) => {
                let number = error
                    .try_downcast_ref::<MySqlDatabaseError>()
                    .map_or(0, MySqlDatabaseError::number);
                (ErrorCode::Server(number), ends_session(number))
            }
            sqlx::Error::Io(_) => (ErrorCode::Connection, true),
            sqlx::Error::Encode(_) => (ErrorCode::Other, false),
            _ => (ErrorCode::Other, true),
        };
        Self {
            code,
            text: shown(&error.to_string()),
            is_broken,
        }
    }

    fn is_lock_conflict(&self) -> bool {
        // ER_LOCK_DEADLOCK and ER_LOCK_WAIT_TIMEOUT.
        matches!(self.code, ErrorCode::Server(1213 | 1205))
    }

    /// The server ended the statement because of `max_execution_time` (`ER_QUERY_TIMEOUT`).
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.code == ErrorCode::Server(3024)
    }
}

/// The text of an error, on one line, without control characters, of bounded length.
#[must_use]
pub fn shown(raw: &str) -> String {
    let safe = text::inline(raw);
    match safe.char_indices().nth(MAX_ERROR_TEXT) {
        Some((cut, _)) => format!("{}…", &safe[..cut]),
        None => safe.into_owned(),
    }
}

/// Errors after which the server closes the session: `ER_SERVER_SHUTDOWN`, the network errors
/// 1158 to 1161, `ER_CLIENT_INTERACTION_TIMEOUT`, `ER_SESSION_WAS_KILLED`.
fn ends_session(number: u16) -> bool {
    matches!(number, 1053 | 1158..=1161 | 3169 | 4031)
}

/// Runs operation `number` of `probe`. After a failure inside a transaction it is rolled back.
pub async fn run(
    connection: &mut MySqlConnection,
    probe: &EngineProbe,
    number: u64,
    max_rows: u64,
) -> Done {
    let mut retries = 0;
    loop {
        let result = if probe.transaction {
            transaction(connection, probe, number, max_rows).await
        } else {
            statements(connection, probe, number, max_rows, &mut retries).await
        };
        match result {
            Err(failure)
                if probe.transaction && failure.is_lock_conflict() && retries < MAX_RETRIES =>
            {
                retries += 1;
            }
            result => return Done { retries, result },
        }
    }
}

async fn transaction(
    connection: &mut MySqlConnection,
    probe: &EngineProbe,
    number: u64,
    max_rows: u64,
) -> Result<u64, Failure> {
    plain(connection, "BEGIN").await?;
    let mut retries = MAX_RETRIES;
    let result = statements(connection, probe, number, max_rows, &mut retries).await;
    match result {
        Ok(rows) => plain(connection, "COMMIT").await.map(|()| rows),
        Err(failure) if failure.is_broken => Err(failure),
        Err(mut failure) => {
            // Without a rollback the connection would carry the transaction into other operations.
            failure.is_broken = plain(connection, "ROLLBACK").await.is_err();
            Err(failure)
        }
    }
}

/// Runs the statements in order; outside a transaction the one that met a lock conflict is
/// retried, since those before it are committed already.
async fn statements(
    connection: &mut MySqlConnection,
    probe: &EngineProbe,
    number: u64,
    max_rows: u64,
    retries: &mut u32,
) -> Result<u64, Failure> {
    let mut rows = 0;
    for statement in &probe.statements {
        rows += loop {
            match execute(connection, probe, statement, number, max_rows).await {
                Err(failure) if failure.is_lock_conflict() && *retries < MAX_RETRIES => {
                    *retries += 1;
                }
                result => break result?,
            }
        };
    }
    Ok(rows)
}

async fn plain(connection: &mut MySqlConnection, sql: &'static str) -> Result<(), Failure> {
    match connection.execute(sql).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(&error)),
    }
}

/// Prepares on first use, then executes by the binary protocol; rows are counted as they come and
/// never kept.
async fn execute(
    connection: &mut MySqlConnection,
    probe: &EngineProbe,
    statement: &Statement,
    number: u64,
    max_rows: u64,
) -> Result<u64, Failure> {
    let mut arguments = MySqlArguments::default();
    arguments.reserve(statement.params.len(), statement.params.len() * 16);
    for param in &statement.params {
        add(&mut arguments, (probe.values)(number, *param)).map_err(|reason| Failure {
            code: ErrorCode::Other,
            text: shown(&format!("cannot send a value: {reason}")),
            is_broken: false,
        })?;
    }
    let sql = AssertSqlSafe(Arc::clone(&statement.sql));
    let query = sqlx::query_with(sql, arguments).persistent(true);
    let mut results = connection.fetch_many(query);
    let mut rows = 0;
    loop {
        match results.try_next().await {
            Ok(None) => return Ok(rows),
            Ok(Some(Either::Left(end))) if !statement.returns_rows => rows += end.rows_affected(),
            Ok(Some(Either::Left(_))) => {}
            Ok(Some(Either::Right(_))) => rows += 1,
            Err(error) => return Err(Failure::new(&error)),
        }
        if statement.returns_rows && rows > max_rows {
            // The rest of the result is on its way; closing is cheaper than reading it.
            return Err(Failure {
                code: ErrorCode::TooManyRows,
                text: format!("more than `{max_rows}` rows; raise `max_rows` or add a LIMIT"),
                is_broken: true,
            });
        }
    }
}

fn add(arguments: &mut MySqlArguments, value: Value) -> Result<(), sqlx::error::BoxDynError> {
    match value {
        Value::Null => arguments.add(None::<i64>),
        Value::Int(number) => arguments.add(number),
        Value::UInt(number) => arguments.add(number),
        Value::Float(number) => arguments.add(number),
        Value::Text(text) | Value::Json(text) => arguments.add(text),
        Value::Bytes(bytes) => arguments.add(bytes),
        Value::Time(micros) => arguments.add(datetime(micros)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_errors_are_safe_and_short() {
        assert_eq!(shown("bad \x1b[31m thing\n"), "bad \\x1b[31m thing ");
        assert_eq!(shown(&"é".repeat(1_000)).chars().count(), 301);
    }

    #[test]
    fn a_broken_pipe_breaks_the_connection_and_a_bad_value_does_not() {
        let io = sqlx::Error::Io(std::io::ErrorKind::BrokenPipe.into());
        assert!(Failure::new(&io).is_broken);
        let encode = sqlx::Error::Encode("too long".into());
        assert!(!Failure::new(&encode).is_broken);
    }
}
