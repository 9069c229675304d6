//! Why nothing, or not everything, was done.

use std::time::Duration;

use crate::config::mistake::Mistakes;
use crate::indexes::precheck;
use crate::indexes::ways::Unreadable;
use crate::model::finding::Finding;
use crate::model::schema::TableName;
use crate::server::{self, audit};

/// Why nothing, or not everything, was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Changes are refused.
    #[error("changes are refused: this server or this run is read-only")]
    ReadOnly,
    /// Another one works on the schema.
    #[error("`{schema}` is being changed by {holder}; try again when that has ended")]
    Busy {
        /// The schema.
        schema: String,
        /// Who.
        holder: String,
    },
    /// The table does not exist, or the account may not see it.
    #[error("table `{0}` does not exist, or the account may not see it")]
    NoTable(TableName),
    /// What is there contradicts the definition.
    #[error("{0}")]
    Conflict(String),
    /// Something stands against it before the first step.
    #[error("{}", precheck::listed(.0))]
    Refused(Vec<Finding>),
    /// The definition is not the one that was begun or applied.
    #[error(
        "the definition was changed after it was {what}; put it back as it was, and write a new \
         definition for the change"
    )]
    Edited {
        /// What had been done with it.
        what: &'static str,
    },
    /// Others held the lock for too long.
    #[error(
        "others held the table for {}: {}{}",
        crate::model::units::duration(*.waited), blockers(.by), given_up(*.lost)
    )]
    Locked {
        /// How long it waited for them.
        waited: Duration,
        /// Work of the server that was lost, because the lock for its last step did not come.
        lost: Duration,
        /// Who.
        by: Vec<String>,
    },
    /// The server refused a statement.
    #[error("`{statement}` failed: {source}")]
    Statement {
        /// The statement.
        statement: String,
        /// Why.
        source: server::Error,
    },
    /// The text in the ledger is no definition.
    #[error("the ledger's text of the definition can't be read: {0}")]
    Text(String),
    /// No audit record, no change.
    #[error("nothing was sent: {0}")]
    Audit(#[from] audit::Error),
    /// A change was made, and the audit log has only its intent.
    #[error("`{statement}` was carried out, but the audit log does not say so: {source}")]
    Unrecorded {
        /// The statement.
        statement: String,
        /// Why.
        source: audit::Error,
    },
    /// The connection failed, or the server refused to tell.
    #[error("{0}")]
    Server(#[from] server::Error),
}

fn blockers(by: &[String]) -> String {
    if by.is_empty() {
        return "who, can't be seen; grant SELECT on performance_schema".to_owned();
    }
    by.join("; ")
}

fn given_up(lost: Duration) -> String {
    if lost.is_zero() {
        return String::new();
    }
    let time = crate::model::units::duration(lost);
    format!("; {time} of work were lost, because they held it when only the last step was left")
}

impl Error {
    /// The same, where the statement was carried out before its end could not be recorded.
    pub(super) fn after(self, statement: &str) -> Self {
        match self {
            Self::Audit(source) => Self::Unrecorded {
                statement: statement.to_owned(),
                source,
            },
            other => other,
        }
    }
}

impl From<Unreadable> for Error {
    fn from(why: Unreadable) -> Self {
        Self::Text(why.to_string())
    }
}

impl From<Mistakes> for Error {
    fn from(mistakes: Mistakes) -> Self {
        Self::Text(mistakes.to_string())
    }
}
