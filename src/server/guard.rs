//! A connection with its limits: what it may wait for, what it may change, what it has cost.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlConnection, MySqlRow, MySqlValueRef};
use sqlx::{AssertSqlSafe, Connection as _, Decode, Row as _};
use tokio::time::Instant;

use super::cells::Cells;
use super::connect;
use super::crew::{self, Crew, Duty, UNTOLD};
use super::error::{self, Error};
pub use super::meter::{Meter, MeterReading};
use crate::config::settings::{Monitor, Server};

/// One row of a result.
pub struct Row(MySqlRow);

impl Cells for Row {
    fn cell(&self, i: usize) -> Option<&[u8]> {
        let value: MySqlValueRef<'_> = self.0.try_get_raw(i).ok()?;
        <&[u8] as Decode<'_, sqlx::MySql>>::decode(value).ok()
    }
}

impl Row {
    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the row has no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn bytes(&self) -> u64 {
        (0..self.len())
            .filter_map(|i| self.cell(i))
            .map(|cell| cell.len() as u64)
            .sum()
    }
}

/// One guarded connection. It has at most one statement in flight, because every method takes it
/// exclusively, and it refuses work once an answer failed to come in time.
#[derive(Debug)]
pub struct Connection {
    inner: Option<MySqlConnection>,
    place: String,
    id: u64,
    thread: Option<u64>,
    version: String,
    patience: Duration,
    meter: Arc<Meter>,
    duty: Option<Duty>,
}

/// Opens a connection and sets its session's limits. If this server is watched from here, what the
/// connection sends counts as mydex's own there.
pub async fn open(server: &Server, limits: &Monitor) -> Result<Connection, Error> {
    let Some(crew) = Crew::of(server) else {
        return open_with(server, limits, Arc::default()).await;
    };
    let meter = Arc::new(Meter::within(&crew.meter));
    let mut connection = open_with(server, limits, meter).await?;
    connection.duty = Some(Duty::of(&connection, crew));
    Ok(connection)
}

/// Opens a connection and sets its session's limits, counting into a meter that other connections count into as well.
pub async fn open_with(
    server: &Server,
    limits: &Monitor,
    meter: Arc<Meter>,
) -> Result<Connection, Error> {
    let inner = connect::establish(server, limits.connect_timeout).await?;
    // The driver's own statement is `SET NAMES`.
    meter.add_statement("SET NAMES");
    let mut connection = Connection {
        inner: Some(inner),
        place: connect::place(server),
        id: 0,
        thread: None,
        version: String::new(),
        patience: limits.statement_timeout + limits.connect_timeout,
        meter,
        duty: None,
    };
    connection.limit(limits).await?;
    connection.identify().await?;
    Ok(connection)
}

impl Connection {
    /// `CONNECTION_ID()`.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// `THREAD_ID` in `performance_schema`, where that is on.
    #[must_use]
    pub fn thread(&self) -> Option<u64> {
        self.thread
    }

    /// `VERSION()`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What this connection and those that share its meter have cost.
    #[must_use]
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// How long to wait for an answer before the connection is given up. The server's own limit
    /// ends statements much earlier; this one is for a server or a network that hangs.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// How long an answer is waited for; see [`Connection::set_patience`].
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether the connection was given up after an answer that did not come.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.inner.is_none()
    }

    /// Runs `sql` in the text protocol, which the server counts as exactly one question, and
    /// hands over the rows one by one.
    ///
    /// `what` names the statement in errors. Statements carry a LIMIT of their own, since the
    /// protocol has no other way to end a result.
    pub async fn each(
        &mut self,
        what: &str,
        sql: &str,
        take: impl FnMut(&Row),
    ) -> Result<u64, Error> {
        let outcome = self.send(what, sql, take).await;
        self.sent(1).await;
        outcome
    }

    /// Notes that statements were sent; tells the crew of them when it is time.
    async fn sent(&mut self, statements: u32) {
        if let Some(duty) = &mut self.duty {
            duty.untold += statements;
            if duty.untold >= UNTOLD {
                self.tell().await;
            }
        }
    }

    /// Tells the crew what was sent. What can't be read stays untold: it shows, and harms nobody.
    async fn tell(&mut self) {
        let Some(duty) = &mut self.duty else {
            return;
        };
        duty.untold = 0;
        let crew = Arc::clone(&duty.crew);
        let sql = self.thread.and_then(|thread| crew.history_of(thread));
        let (Some(sql), false) = (sql, self.is_broken()) else {
            return;
        };
        let mut events = Vec::new();
        let read = self
            .send("mydex's own statements", &sql, |row| {
                events.extend(crew::own_event(row));
            })
            .await;
        match read {
            Ok(_) => crew.tell(events),
            Err(error) => tracing::debug!(%error, "own statements can't be told"),
        }
    }

    async fn send(
        &mut self,
        what: &str,
        sql: &str,
        mut take: impl FnMut(&Row),
    ) -> Result<u64, Error> {
        self.meter.add_statement(sql);
        let patience = self.patience;
        let place = self.place.clone();
        let mut inner = self.inner.take().ok_or_else(|| given_up(&place))?;
        let started = Instant::now();
        let (mut rows, mut bytes) = (0_u64, 0_u64);
        let reading = async {
            let mut stream = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(&mut inner);
            while let Some(row) = stream.try_next().await? {
                let row = Row(row);
                rows += 1;
                bytes += row.bytes();
                take(&row);
            }
            Ok::<(), sqlx::Error>(())
        };
        let outcome = tokio::time::timeout(patience, reading).await;
        self.meter.add_answer(rows, bytes, started.elapsed());
        let result = match outcome {
            Err(_) => Err(Error::Timeout {
                statement: what.to_owned(),
                after: patience,
            }),
            Ok(Err(error)) => Err(error::of_statement(error, &place, what)),
            Ok(Ok(())) => Ok(rows),
        };
        // A connection whose answer is still under way is out of step and must not be used again.
        if !matches!(&result, Err(error) if error.is_fatal()) {
            self.inner = Some(inner);
        }
        result
    }

    /// All rows of `sql`; see [`Connection::each`].
    pub async fn rows(&mut self, what: &str, sql: &str) -> Result<Vec<Values>, Error> {
        let mut rows = Vec::new();
        self.each(what, sql, |row| rows.push(Values::of(row)))
            .await?;
        Ok(rows)
    }

    /// The first row of `sql`; see [`Connection::each`].
    pub async fn first(&mut self, what: &str, sql: &str) -> Result<Option<Values>, Error> {
        let mut first = None;
        self.each(what, sql, |row| {
            first.get_or_insert_with(|| Values::of(row));
        })
        .await?;
        Ok(first)
    }

    /// Runs `sql` for its effect; see [`Connection::each`].
    pub async fn run(&mut self, what: &str, sql: &str) -> Result<(), Error> {
        self.each(what, sql, |_| {}).await.map(|_| ())
    }

    /// All rows of one statement that came from elsewhere, sent through the prepared protocol:
    /// there the server itself refuses a text of several statements.
    pub async fn rows_of_single(
        &mut self,
        what: &str,
        sql: &str,
        patience: Duration,
    ) -> Result<Vec<Values>, Error> {
        self.meter.add_statement(sql);
        let place = self.place.clone();
        let mut inner = self.inner.take().ok_or_else(|| given_up(&place))?;
        let started = Instant::now();
        let reading = sqlx::query(AssertSqlSafe(sql))
            .persistent(false)
            .fetch_all(&mut inner);
        let outcome = tokio::time::timeout(patience, reading).await;
        let waited = started.elapsed();
        let result = match outcome {
            Err(_) => Err(Error::Timeout {
                statement: what.to_owned(),
                after: patience,
            }),
            Ok(Err(error)) => Err(error::of_statement(error, &place, what)),
            Ok(Ok(rows)) => Ok(rows.into_iter().map(Row).collect::<Vec<Row>>()),
        };
        let rows = result.as_deref().unwrap_or_default();
        let bytes = rows.iter().map(Row::bytes).sum();
        self.meter.add_answer(rows.len() as u64, bytes, waited);
        let result = result.map(|rows| rows.iter().map(Values::of).collect());
        if !matches!(&result, Err(error) if error.is_fatal()) {
            self.inner = Some(inner);
        }
        // The server remembers preparing and executing apart.
        self.sent(2).await;
        result
    }

    /// Says goodbye, so that the server does not count an aborted client; waits a moment at most.
    pub async fn close(mut self) {
        if self.duty.is_some() {
            self.tell().await;
            // The server counts the goodbye as well.
            self.meter.add_statement("QUIT");
        }
        if let Some(inner) = self.inner.take() {
            let _ = tokio::time::timeout(Duration::from_millis(500), inner.close()).await;
        }
    }

    /// Session limits, in one statement where the server knows all of its variables.
    async fn limit(&mut self, limits: &Monitor) -> Result<(), Error> {
        let lock_wait = limits.lock_wait_timeout.as_secs().max(1);
        let statement_ms = limits.statement_timeout.as_millis().max(1);
        let settings = [
            "autocommit = 1".to_owned(),
            format!("lock_wait_timeout = {lock_wait}"),
            format!("innodb_lock_wait_timeout = {lock_wait}"),
            format!("max_execution_time = {statement_ms}"),
            "transaction_isolation = 'READ-COMMITTED'".to_owned(),
            "transaction_read_only = ON".to_owned(),
        ];
        let all: Vec<_> = settings.iter().map(|s| format!("SESSION {s}")).collect();
        match self
            .run("the session's limits", &format!("SET {}", all.join(", ")))
            .await
        {
            Err(error) if !error.is_fatal() => {}
            other => return other,
        }
        // An older server or MariaDB: each by itself under the names that it knows.
        let seconds = limits.statement_timeout.as_secs_f64();
        let others = [
            format!("max_statement_time = {seconds:.3}"),
            "tx_isolation = 'READ-COMMITTED'".to_owned(),
            "tx_read_only = ON".to_owned(),
        ];
        for setting in settings.iter().chain(&others) {
            let outcome = self
                .run("a session limit", &format!("SET SESSION {setting}"))
                .await;
            match outcome {
                Err(error) if error.is_fatal() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    async fn identify(&mut self) -> Result<(), Error> {
        let row = self
            .first("the connection's id", "SELECT CONNECTION_ID(), VERSION()")
            .await?;
        if let Some(row) = row {
            self.id = row.u64(0).unwrap_or(0);
            self.version = row.text(1).unwrap_or_default();
        }
        for sql in [
            "SELECT PS_CURRENT_THREAD_ID()",
            "SELECT THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_ID = CONNECTION_ID()",
        ] {
            match self.first("the connection's thread", sql).await {
                Ok(row) => self.thread = row.and_then(|row| row.u64(0)),
                Err(error) if error.is_fatal() => return Err(error),
                Err(_) => {}
            }
            if self.thread.is_some() {
                break;
            }
        }
        Ok(())
    }
}

fn given_up(place: &str) -> Error {
    Error::Lost {
        place: place.to_owned(),
        reason: "it was given up after an answer that did not come".to_owned(),
    }
}

/// A row that has been copied out of its result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(Vec<Option<Box<[u8]>>>);

impl Values {
    fn of(row: &Row) -> Self {
        Self(
            (0..row.len())
                .map(|i| row.cell(i).map(Into::into))
                .collect(),
        )
    }
}

impl Cells for Values {
    fn cell(&self, i: usize) -> Option<&[u8]> {
        self.0.get(i)?.as_deref()
    }
}
