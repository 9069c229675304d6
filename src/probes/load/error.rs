//! What can go wrong while a pack is loaded.

use crate::probes::generate::GenerateError;

/// Why a pack was not loaded. Whole batches that were written before stay, and the same command
/// goes on after them.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The data cannot be generated.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// A connection could not be opened.
    #[error("cannot connect to load data")]
    Connect {
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// Someone else's tables are in the schema.
    #[error(
        "schema `{database}` holds tables that mydex did not make ({tables}); choose another one \
         with `--database`, or add `--beside-others` to load beside them without touching them"
    )]
    Foreign {
        /// The schema.
        database: String,
        /// Some of them.
        tables: String,
    },
    /// Someone else's tables have names of the pack's tables.
    #[error(
        "schema `{database}` holds tables that mydex did not make under names of the pack \
         ({tables}); mydex never drops them, so choose another schema with `--database`"
    )]
    Occupied {
        /// The schema.
        database: String,
        /// Their names.
        tables: String,
    },
    /// The pack is there with other data.
    #[error(
        "schema `{database}` holds pack `{pack}` of {found}, not of {wanted}; add `--force` to \
         drop the pack's tables and load again"
    )]
    Different {
        /// The schema.
        database: String,
        /// The pack.
        pack: String,
        /// Version, seed and scale that are there.
        found: String,
        /// Version, seed and scale that were asked for.
        wanted: String,
    },
    /// Another load is running.
    #[error("another process is loading pack `{pack}` into schema `{database}`; wait for its end")]
    Busy {
        /// The schema.
        database: String,
        /// The pack.
        pack: String,
    },
    /// The server has no room left.
    #[error("the server's disk is full: cannot {doing}")]
    DiskFull {
        /// What was being done.
        doing: String,
        /// Its words.
        #[source]
        source: sqlx::Error,
    },
    /// The connection broke.
    #[error("lost the connection to the server: cannot {doing}")]
    Lost {
        /// What was being done.
        doing: String,
        /// How.
        #[source]
        source: sqlx::Error,
    },
    /// The server refused a statement.
    #[error("cannot {doing}")]
    Statement {
        /// What was being done.
        doing: String,
        /// Its words.
        #[source]
        source: sqlx::Error,
    },
    /// One row is larger than a packet may be.
    #[error(
        "row {row} of `{table}` needs {bytes} bytes, more than the server's `max_allowed_packet` \
         of {limit}; raise it"
    )]
    RowTooLarge {
        /// Table.
        table: String,
        /// Row.
        row: u64,
        /// Its size as SQL.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Somebody changed the ledger during the load.
    #[error("cannot {doing}: `mydex_pack_progress` was changed by someone else meanwhile")]
    Overtaken {
        /// What was being done.
        doing: String,
    },
    /// A task of the loader panicked, which is a mistake in mydex.
    #[error("a loading task ended unexpectedly; please report this")]
    Worker,
}

impl LoadError {
    /// Sorts a driver's error by what can be done about it.
    #[must_use]
    pub fn new(doing: &str, source: sqlx::Error) -> Self {
        let doing = doing.to_owned();
        match number(&source) {
            // ER_DISK_FULL and ER_RECORD_FILE_FULL; other errors carry errno 28 in their text.
            Some(1021 | 1114) => Self::DiskFull { doing, source },
            Some(_) if source.to_string().contains("28 - No space left") => {
                Self::DiskFull { doing, source }
            }
            // ER_SERVER_SHUTDOWN, ER_CLIENT_INTERACTION_TIMEOUT, and a killed connection.
            Some(1053 | 1927 | 4031) => Self::Lost { doing, source },
            None if is_broken(&source) => Self::Lost { doing, source },
            _ => Self::Statement { doing, source },
        }
    }

    /// Whether the same batch can be tried again: a deadlock or a lock wait timeout.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Statement { source, .. } if matches!(number(source), Some(1213 | 1205)))
    }

    /// Whether the load can be taken up again by the same command.
    #[must_use]
    pub fn is_resumable(&self) -> bool {
        matches!(
            self,
            Self::DiskFull { .. } | Self::Lost { .. } | Self::Statement { .. } | Self::Worker
        )
    }
}

fn number(error: &sqlx::Error) -> Option<u16> {
    error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>())
        .map(sqlx::mysql::MySqlDatabaseError::number)
}

fn is_broken(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed
    )
}
