//! The twin's own connection. It is a private server, or one that the user named for this.

use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Connection as _, Decode, Executor as _, Row as _};
use tokio_util::sync::CancellationToken;

use super::Error;
use crate::config::settings::Server;
use crate::model::units;

pub(super) type Cells = Vec<Option<Vec<u8>>>;

/// Time for connecting.
const CONNECTING: Duration = Duration::from_secs(10);

/// Seconds that a change of a table waits for others, on a server that others use.
const LOCK_WAIT: u32 = 2;

/// A connection to the twin.
#[derive(Debug)]
pub(super) struct Private {
    connection: MySqlConnection,
    /// How it was opened, for ending a statement.
    options: MySqlConnectOptions,
    /// What the server calls it.
    id: u64,
    /// Once this is cancelled, no further statement is sent.
    cancel: CancellationToken,
}

impl Private {
    pub(super) async fn open(server: &Server) -> Result<Self, Error> {
        let options = crate::server::options(server);
        let connection = connect(&options).await?;
        let mut opened = Self {
            connection,
            options,
            id: 0,
            cancel: CancellationToken::new(),
        };
        let id = opened.value("its id", "SELECT CONNECTION_ID()").await?;
        opened.id = id.and_then(|id| id.parse().ok()).unwrap_or(0);
        Ok(opened)
    }

    /// Changes of tables wait for nobody for long, and stay out of the binary log, so that no other
    /// server takes part in them. What the server does not grant is told, one sentence.
    pub(super) async fn keep_to_itself(&mut self) -> Result<Option<String>, Error> {
        let sql = format!("SET SESSION lock_wait_timeout = {LOCK_WAIT}");
        self.run("settings", &sql).await?;
        match self.run("settings", "SET SESSION sql_log_bin = 0").await {
            Ok(()) => Ok(None),
            Err(Error::Twin { reason, .. }) => Ok(Some(format!(
                "the replica writes the candidates that it makes and drops into its own binary log, \
                 because it does not let this account leave that out: {reason}"
            ))),
            Err(error) => Err(error),
        }
    }

    /// Ends the work with [`Error::Interrupted`] before the next statement once `cancel` is
    /// cancelled. A new token lets it go on.
    pub(super) fn heed(&mut self, cancel: CancellationToken) {
        self.cancel = cancel;
    }

    fn go_on(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        Ok(())
    }

    /// Runs a statement.
    pub(super) async fn run(&mut self, what: &str, sql: &str) -> Result<(), Error> {
        self.count(what, sql).await.map(|_| ())
    }

    /// Runs a statement and tells the number of rows that it changed.
    pub(super) async fn count(&mut self, what: &str, sql: &str) -> Result<u64, Error> {
        self.go_on()?;
        let running = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql)));
        tokio::pin!(running);
        let done = tokio::select! {
            done = &mut running => done,
            () = self.cancel.cancelled() => {
                end(&self.options, self.id).await;
                // A change of a table that is past its last step goes through all the same.
                match running.await {
                    Err(_) => return Err(Error::Interrupted),
                    done => done,
                }
            }
        };
        done.map(|done| done.rows_affected())
            .map_err(|error| Error::of_twin(what, &error))
    }

    /// All rows of a statement, as text.
    pub(super) async fn rows(&mut self, what: &str, sql: &str) -> Result<Vec<Cells>, Error> {
        self.go_on()?;
        let rows = self
            .connection
            .fetch_all(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .map_err(|error| Error::of_twin(what, &error))?;
        Ok(rows.iter().map(cells).collect())
    }

    /// The first value of a statement, as text.
    pub(super) async fn value(&mut self, what: &str, sql: &str) -> Result<Option<String>, Error> {
        let rows = self.rows(what, sql).await?;
        Ok(rows.first().and_then(|row| text(row, 0)))
    }

    pub(super) async fn close(self) {
        // A server that is gone needs no goodbye.
        let _ = self.connection.close().await;
    }
}

async fn connect(options: &MySqlConnectOptions) -> Result<MySqlConnection, Error> {
    let connecting = MySqlConnection::connect_with(options);
    match tokio::time::timeout(CONNECTING, connecting).await {
        Ok(connected) => connected.map_err(|error| Error::of_twin("the connection", &error)),
        Err(_) => Err(Error::Twin {
            what: "the connection".to_owned(),
            reason: format!("no answer within {}", units::duration(CONNECTING)),
        }),
    }
}

/// Ends the statement that session `id` runs; where that fails, it is waited for.
async fn end(options: &MySqlConnectOptions, id: u64) {
    if let Ok(mut killer) = connect(options).await {
        let kill = format!("KILL QUERY {id}");
        let killing = killer.execute(sqlx::raw_sql(AssertSqlSafe(kill)));
        let _ = tokio::time::timeout(CONNECTING, killing).await;
        let _ = killer.close().await;
    }
}

fn cells(row: &MySqlRow) -> Cells {
    (0..row.len())
        .map(|i| {
            let value = row.try_get_raw(i).ok()?;
            let bytes = <&[u8] as Decode<'_, sqlx::MySql>>::decode(value).ok()?;
            Some(bytes.to_vec())
        })
        .collect()
}

/// A value as text.
pub(super) fn text(row: &Cells, i: usize) -> Option<String> {
    let bytes = row.get(i)?.as_deref()?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// A value as a number.
pub(super) fn number(row: &Cells, i: usize) -> Option<f64> {
    text(row, i)?.parse().ok()
}
