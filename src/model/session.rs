//! Sessions and transactions at one moment.

use std::time::Duration;

/// What makes a connection the same connection: ids are reused after a restart, so the kill
/// check compares all of these.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionId {
    /// `PROCESSLIST_ID`, what `KILL` takes.
    pub connection: u64,
    /// `THREAD_ID`, never reused while the server runs.
    pub thread: u64,
}

/// One foreground thread of the server, from `performance_schema.threads`.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Its identity.
    pub id: SessionId,
    /// The account's user; `None` before authentication and for system threads.
    pub user: Option<String>,
    /// Client host without the port.
    pub host: Option<String>,
    /// Default schema.
    pub schema: Option<String>,
    /// `Query`, `Sleep`, `Execute`, `Daemon`, …
    pub command: String,
    /// What the thread is doing within its command, such as `Sending data`.
    pub state: Option<String>,
    /// Time in the present command (whole seconds on the server).
    pub time: Duration,
    /// Running statement, cut to what the server and the poll keep.
    pub statement: Option<String>,
    /// The open transaction, if there is one.
    pub transaction: Option<Transaction>,
}

impl Session {
    /// Neither `Sleep` nor `Daemon`: the session is at work.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.command != "Sleep" && self.command != "Daemon"
    }

    /// Holds a transaction open while it waits for its client.
    #[must_use]
    pub fn is_idle_in_transaction(&self) -> bool {
        self.command == "Sleep" && self.transaction.is_some()
    }
}

/// One row of `information_schema.innodb_trx`.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// `trx_state`: `RUNNING`, `LOCK WAIT`, `ROLLING BACK`, `COMMITTING`.
    pub state: String,
    /// How long it has been open.
    pub age: Duration,
    /// How long it has waited for its present lock, if it waits.
    pub lock_wait: Option<Duration>,
    /// `trx_rows_locked`: row locks held, an estimate of the server's.
    pub rows_locked: u64,
    /// `trx_rows_modified`: rows to undo on rollback.
    pub rows_modified: u64,
    /// Isolation level in the server's words.
    pub isolation: String,
}
