//! The way back: an index that did not keep its promise is hidden again.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::settings::{Monitor, Server};
use crate::indexes::apply::{self, Guarded, Options};
use crate::indexes::definition::Definition;
use crate::model::schema::TableName;
use crate::server::audit::Audit;

/// How long it is tried while others hold the table.
const PATIENCE: Duration = Duration::from_secs(30);

/// A change that was not made, or that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Changes are refused.
    #[error("changes are refused: this server or this run is read-only")]
    ReadOnly,
    /// There is no such index any more.
    #[error(
        "`{table}` no longer has the index `{index}` of the definition, so that nothing was changed"
    )]
    Changed {
        /// The table.
        table: TableName,
        /// The index.
        index: String,
    },
    /// Somebody was faster.
    #[error("index `{0}` is so already, and nothing was changed")]
    Already(String),
    /// Somebody asked to stop.
    #[error("interrupted before index `{0}` was changed")]
    Interrupted(String),
    /// Another run is at work, others hold the table, a record can't be written, or the server
    /// refuses.
    #[error("{0}")]
    Apply(apply::Error),
}

impl From<apply::Error> for Error {
    fn from(error: apply::Error) -> Self {
        match error {
            apply::Error::ReadOnly => Self::ReadOnly,
            other => Self::Apply(other),
        }
    }
}

/// Who changes what, and where it is recorded.
#[derive(Debug)]
pub struct Hand<'a> {
    /// The server.
    pub server: &'a Server,
    /// Limits of the session.
    pub limits: &'a Monitor,
    /// Where records go.
    pub audit: &'a Audit,
    /// Refuse everything.
    pub read_only: bool,
    /// Ends a try that waits for others.
    pub cancel: &'a CancellationToken,
}

/// Hides the index of version `version` from the optimizer, or shows it again, if it still is the
/// one of the definition; the statement that was sent. It is done as `apply` does it: under the lock
/// of the schema, with ALGORITHM and LOCK stated, again and again while others hold the table, with
/// records in the audit log and, where there is one, in the ledger.
///
/// # Errors
/// When changes are refused, another run is at work, the index is another one, a record can't be
/// written, or the server refuses.
pub async fn set_visible(
    hand: &Hand<'_>,
    (version, definition): (u32, &Definition),
    default_schema: &str,
    visible: bool,
    why: &str,
) -> Result<String, Error> {
    let options = Options {
        patience: PATIENCE,
        read_only: hand.read_only,
        ..Options::new(hand.limits.clone())
    };
    let table = definition.table_name(default_schema);
    let index = definition.index.name.clone();
    let guarded = Guarded {
        version,
        definition,
        table: &table,
        visible,
        why,
    };
    let done = apply::set_visible_of(hand.server, hand.audit, &guarded, &options, hand.cancel);
    match done.await? {
        apply::Shown::Sent(statement) => Ok(statement),
        apply::Shown::Another => Err(Error::Changed { table, index }),
        apply::Shown::Already => Err(Error::Already(index)),
        apply::Shown::Stopped => Err(Error::Interrupted(index)),
    }
}
