//! Connections of the load: one to a seat, opened, measured, replaced.
//!
//! The engine owns its connections instead of borrowing them from `sqlx::Pool`: that pool pings a
//! connection on loan and return (2 to 3 times the cost of a point look-up), tells neither waits
//! nor timeouts, and keeps the permit of a stalled connection for ever. Here a seat is the permit:
//! it takes the next operation only when its connection is idle again, so the wait for a
//! connection, the opening and the use are measured apart, and nothing is sent but the operations.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::operation::{self, Done, EngineProbe};

/// Prepared statements of all connections together stay below this: the server's default for
/// `max_prepared_stmt_count` is 16,382, and others need some.
const MAX_PREPARED: usize = 12_000;
/// First pause after a connection could not be opened; it doubles up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// Opens connections.
pub(crate) trait Connector: Clone + Send + Sync + 'static {
    /// What it opens.
    type Session: Session;
    /// Opens one.
    fn connect(&self) -> impl Future<Output = Result<Self::Session, sqlx::Error>> + Send;
}

/// A connection that can run operations; dropping it closes it hard.
pub(crate) trait Session: Send + 'static {
    /// Runs operation `number` of `probe`.
    fn run(&mut self, probe: usize, number: u64) -> impl Future<Output = Done> + Send;
    /// Says goodbye to the server.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Opens connections to a MySQL server.
#[derive(Debug, Clone)]
pub(crate) struct MySql {
    options: Arc<MySqlConnectOptions>,
    setup: Arc<str>,
    probes: Arc<[EngineProbe]>,
    max_rows: u64,
}

/// A connection to a MySQL server.
pub(crate) struct MySqlSession {
    connection: MySqlConnection,
    probes: Arc<[EngineProbe]>,
    max_rows: u64,
}

impl MySql {
    /// A connector for these probes; `connections` is how many it will open at most, and the
    /// server gives up a SELECT by itself after `timeout`.
    pub(crate) fn new(
        options: MySqlConnectOptions,
        probes: Arc<[EngineProbe]>,
        connections: usize,
        timeout: Duration,
        max_rows: u64,
    ) -> Self {
        let statements: usize = probes.iter().map(|probe| probe.statements.len()).sum();
        let cache = statements.min(MAX_PREPARED / connections.max(1)).max(1);
        let options = options
            .statement_cache_capacity(cache)
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            // Values of DATETIME and TIMESTAMP are generated in UTC.
            .timezone(Some("+00:00".to_owned()))
            .disable_statement_logging();
        Self {
            options: Arc::new(options),
            setup: format!(
                "SET SESSION max_execution_time = {}",
                timeout.as_millis().clamp(1, u128::from(u32::MAX))
            )
            .into(),
            probes,
            max_rows,
        }
    }
}

impl Connector for MySql {
    type Session = MySqlSession;

    async fn connect(&self) -> Result<MySqlSession, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        connection
            .execute(AssertSqlSafe(Arc::clone(&self.setup)))
            .await?;
        connection.shrink_buffers();
        Ok(MySqlSession {
            connection,
            probes: Arc::clone(&self.probes),
            max_rows: self.max_rows,
        })
    }
}

impl Session for MySqlSession {
    async fn run(&mut self, probe: usize, number: u64) -> Done {
        match self.probes.get(probe) {
            Some(probe) => operation::run(&mut self.connection, probe, number, self.max_rows).await,
            None => Done {
                retries: 0,
                result: Ok(0),
            },
        }
    }

    async fn close(self) {
        // The server notices a closed socket by itself if the goodbye fails.
        let _ = self.connection.close().await;
    }
}

/// Growing pauses between attempts to open a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self(BACKOFF_MIN)
    }

    /// The next pause. Seats differ by up to a half, so that they do not all knock at once.
    pub(crate) fn pause(&mut self, seat: usize) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(BACKOFF_MAX);
        let share = u32::try_from(seat % 64).unwrap_or(0);
        pause / 2 + pause * share / 128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = (0..10).map(|_| backoff.pause(63)).collect();
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(pauses[9] <= BACKOFF_MAX && pauses[9] >= BACKOFF_MAX / 2);
    }
}
