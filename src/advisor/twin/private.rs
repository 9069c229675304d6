//! The twin's own connection. It is a private server, or one that the user named for this.

use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Connection as _, Decode, Executor as _, Row as _};
use tokio_util::sync::CancellationToken;

use super::Error;
use crate::config::settings::Server;

pub(super) type Cells = Vec<Option<Vec<u8>>>;

/// A connection to the twin.
#[derive(Debug)]
pub(super) struct Private {
    connection: MySqlConnection,
    /// Once this is cancelled, no further statement is sent.
    cancel: CancellationToken,
}

impl Private {
    pub(super) async fn open(server: &Server) -> Result<Self, Error> {
        let options = crate::server::options(server);
        let connection = MySqlConnection::connect_with(&options)
            .await
            .map_err(|error| Error::of_twin("the connection", &error))?;
        Ok(Self {
            connection,
            cancel: CancellationToken::new(),
        })
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
        self.connection
            .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .map(|done| done.rows_affected())
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
