//! What this server can tell and this account may read, found by asking rather than by version.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::cells::Cells;
use super::error::Error;
use super::guard::Connection;

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Flavour {
    MySql,
    Percona,
    MariaDb,
}

/// Something that mydex reads, by itself permitted, forbidden or absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// `performance_schema.threads`.
    Threads,
    /// `performance_schema.events_statements_summary_by_digest`.
    Digests,
    /// `performance_schema.events_statements_histogram_global`.
    HistogramGlobal,
    /// `performance_schema.events_statements_histogram_by_digest`.
    HistogramByDigest,
    /// `performance_schema.events_statements_history`.
    History,
    /// `performance_schema.setup_consumers`.
    Consumers,
    /// `performance_schema.setup_instruments`.
    Instruments,
    /// `information_schema.innodb_trx`.
    Transactions,
}

impl Source {
    /// All of them.
    pub const ALL: [Source; 8] = [
        Self::Threads,
        Self::Digests,
        Self::HistogramGlobal,
        Self::HistogramByDigest,
        Self::History,
        Self::Consumers,
        Self::Instruments,
        Self::Transactions,
    ];

    /// The table's name, with its schema.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::Threads => "performance_schema.threads",
            Self::Digests => "performance_schema.events_statements_summary_by_digest",
            Self::HistogramGlobal => "performance_schema.events_statements_histogram_global",
            Self::HistogramByDigest => "performance_schema.events_statements_histogram_by_digest",
            Self::History => "performance_schema.events_statements_history",
            Self::Consumers => "performance_schema.setup_consumers",
            Self::Instruments => "performance_schema.setup_instruments",
            Self::Transactions => "information_schema.innodb_trx",
        }
    }
}

/// Whether a source can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It can.
    Readable,
    /// The account may not; the server's message.
    Denied(String),
    /// The server has no such table, or it answers with another error.
    Missing(String),
}

/// Facts about a server and an account, read once per connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Capabilities {
    /// `VERSION()`.
    pub version: String,
    /// Whose server it is.
    pub flavour: Flavour,
    /// The account that the server matched, `user@host`.
    pub account: String,
    /// Cipher of this connection, `None` when it is not encrypted.
    pub tls_cipher: Option<String>,
    /// Protocol version of the encryption.
    pub tls_version: Option<String>,
    /// Whether the connection came over a Unix socket, where encryption protects nothing.
    pub is_socket: bool,
    /// When the server started, by its own clock, to a second.
    pub started: Timestamp,
    /// `Uptime`.
    pub uptime: Duration,
    /// Global variables of interest, as the server prints them.
    pub variables: BTreeMap<String, String>,
    /// What can be read.
    pub access: BTreeMap<Source, Access>,
    /// Columns of the tables that exist and are readable, in upper case.
    pub columns: BTreeMap<Source, BTreeSet<String>>,
    /// Consumers of `performance_schema`.
    pub consumers: BTreeMap<String, bool>,
    /// Statement instruments that are switched off or not timed, of all of them.
    pub statement_instruments_off: Option<(u64, u64)>,
    /// `SHOW GRANTS`, one line each.
    pub grants: Vec<String>,
    /// `Performance_schema_digest_lost`.
    pub digests_lost: Option<u64>,
}

impl Capabilities {
    /// `@@performance_schema`.
    #[must_use]
    pub fn has_performance_schema(&self) -> bool {
        self.variables
            .get("performance_schema")
            .is_some_and(|value| value == "ON" || value == "1")
    }

    /// Whether `source` can be read.
    #[must_use]
    pub fn can_read(&self, source: Source) -> bool {
        self.access.get(&source) == Some(&Access::Readable)
    }

    /// Whether `source` has this column.
    #[must_use]
    pub fn has_column(&self, source: Source, column: &str) -> bool {
        self.columns
            .get(&source)
            .is_some_and(|columns| columns.contains(column))
    }

    /// Whether the consumer is on; an unknown one is off.
    #[must_use]
    pub fn consumes(&self, consumer: &str) -> bool {
        self.consumers.get(consumer).copied().unwrap_or(false)
    }

    /// A global variable as a number.
    #[must_use]
    pub fn number(&self, variable: &str) -> Option<u64> {
        self.variables.get(variable)?.parse().ok()
    }

    /// Whether processor time of statements is measured.
    #[must_use]
    pub fn measures_cpu(&self) -> bool {
        self.consumes("events_statements_cpu") && self.has_column(Source::Digests, "SUM_CPU_TIME")
    }
}

/// Use of the digest table; reading it costs a scan, so that it is not part of [`probe`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DigestUse {
    /// Rows in the table.
    pub rows: u64,
    /// Statements, and those in the row of lost digests.
    pub calls: (u64, u64),
    /// Time in picoseconds, and that of the row of lost digests.
    pub time_ps: (u64, u64),
}

/// Asks the server for everything in [`Capabilities`].
pub async fn probe(connection: &mut Connection, is_socket: bool) -> Result<Capabilities, Error> {
    let status = status(connection).await?;
    let row = connection
        .first(
            "the account",
            "SELECT CURRENT_USER(), UNIX_TIMESTAMP(NOW(6)), @@version_comment",
        )
        .await?
        .unwrap_or_default();
    let uptime = Duration::from_secs(
        status
            .get("Uptime")
            .and_then(|value| value.parse().ok())
            .unwrap_or(0),
    );
    let now = row.timestamp(1).unwrap_or(Timestamp::UNIX_EPOCH);
    let version = connection.version().to_owned();
    let mut capabilities = Capabilities {
        flavour: flavour(&version, row.str(2).unwrap_or_default()),
        version,
        account: row.text(0).unwrap_or_default(),
        tls_cipher: status.get("Ssl_cipher").filter(|c| !c.is_empty()).cloned(),
        tls_version: status.get("Ssl_version").filter(|c| !c.is_empty()).cloned(),
        is_socket,
        started: now.checked_sub(uptime).unwrap_or(now),
        uptime,
        variables: variables(connection).await?,
        access: BTreeMap::new(),
        columns: BTreeMap::new(),
        consumers: BTreeMap::new(),
        statement_instruments_off: None,
        grants: Vec::new(),
        digests_lost: status
            .get("Performance_schema_digest_lost")
            .and_then(|value| value.parse().ok()),
    };
    probe_sources(connection, &mut capabilities).await?;
    probe_setup(connection, &mut capabilities).await?;
    if let Some(rows) = tolerate(connection.rows("the grants", "SHOW GRANTS").await)? {
        capabilities.grants = rows.iter().filter_map(|row| row.text(0)).collect();
    }
    Ok(capabilities)
}

/// Reads how full the digest table is; about 6 us of the server's time for each row.
pub async fn digest_use(connection: &mut Connection) -> Result<Option<DigestUse>, Error> {
    let sql = "SELECT /* mydex:check */ COUNT(*), SUM(COUNT_STAR), SUM(IF(DIGEST IS NULL, COUNT_STAR, 0)), \
               SUM(SUM_TIMER_WAIT), SUM(IF(DIGEST IS NULL, SUM_TIMER_WAIT, 0)) \
               FROM performance_schema.events_statements_summary_by_digest";
    let row = tolerate(connection.first("the use of the digest table", sql).await)?.flatten();
    Ok(row.map(|row| DigestUse {
        rows: row.u64(0).unwrap_or(0),
        calls: (row.u64(1).unwrap_or(0), row.u64(2).unwrap_or(0)),
        time_ps: (row.u64(3).unwrap_or(0), row.u64(4).unwrap_or(0)),
    }))
}

/// An error that leaves the connection usable becomes `None`: the question has no answer here.
fn tolerate<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_fatal() => Err(error),
        Err(_) => Ok(None),
    }
}

fn flavour(version: &str, comment: &str) -> Flavour {
    let has = |text: &str, word: &str| text.to_ascii_lowercase().contains(word);
    if has(version, "mariadb") || has(comment, "mariadb") {
        Flavour::MariaDb
    } else if has(comment, "percona") {
        Flavour::Percona
    } else {
        Flavour::MySql
    }
}

async fn status(connection: &mut Connection) -> Result<BTreeMap<String, String>, Error> {
    // Without GLOBAL: the session's own encryption stands beside the server's counters.
    let sql = "SHOW STATUS WHERE Variable_name IN \
               ('Ssl_cipher', 'Ssl_version', 'Uptime', 'Performance_schema_digest_lost')";
    pairs(connection, "the status", sql).await
}

async fn variables(connection: &mut Connection) -> Result<BTreeMap<String, String>, Error> {
    let sql = "SHOW GLOBAL VARIABLES WHERE Variable_name IN \
               ('performance_schema', 'performance_schema_digests_size', 'performance_schema_max_digest_length', \
                'performance_schema_max_sql_text_length', 'performance_schema_events_statements_history_size', \
                'max_digest_length', 'max_connections', 'read_only', 'require_secure_transport', \
                'innodb_buffer_pool_size', 'hostname')";
    pairs(connection, "the variables", sql).await
}

async fn pairs(
    connection: &mut Connection,
    what: &str,
    sql: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let rows = connection.rows(what, sql).await?;
    Ok(rows
        .iter()
        .filter_map(|row| Some((row.text(0)?, row.text(1)?)))
        .collect())
}

async fn probe_sources(
    connection: &mut Connection,
    capabilities: &mut Capabilities,
) -> Result<(), Error> {
    for source in Source::ALL {
        // A read tells more than the columns' list, which is merely empty without the privilege.
        let sql = format!("SELECT 1 FROM {} LIMIT 1", source.table());
        let access = match connection.first("a row of a table", &sql).await {
            Ok(_) => Access::Readable,
            Err(Error::Denied { message }) => Access::Denied(message),
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => Access::Missing(error.to_string()),
        };
        capabilities.access.insert(source, access);
    }
    // The columns of these two differ between versions.
    for source in [Source::Digests, Source::History] {
        if !capabilities.can_read(source) {
            continue;
        }
        let sql = format!("SHOW COLUMNS FROM {}", source.table());
        if let Some(rows) = tolerate(connection.rows("the columns of a table", &sql).await)? {
            let columns = rows
                .iter()
                .filter_map(|row| Some(row.str(0)?.to_ascii_uppercase()))
                .collect();
            capabilities.columns.insert(source, columns);
        }
    }
    Ok(())
}

async fn probe_setup(
    connection: &mut Connection,
    capabilities: &mut Capabilities,
) -> Result<(), Error> {
    if capabilities.can_read(Source::Consumers) {
        let sql = "SELECT NAME, ENABLED FROM performance_schema.setup_consumers LIMIT 100";
        if let Some(rows) = tolerate(connection.rows("the consumers", sql).await)? {
            capabilities.consumers = rows
                .iter()
                .filter_map(|row| Some((row.text(0)?, row.flag(1)?)))
                .collect();
        }
    }
    if capabilities.can_read(Source::Instruments) {
        let sql = "SELECT SUM(ENABLED = 'NO' OR TIMED = 'NO'), COUNT(*) \
                   FROM performance_schema.setup_instruments WHERE NAME LIKE 'statement/sql/%'";
        if let Some(Some(row)) = tolerate(connection.first("the instruments", sql).await)? {
            capabilities.statement_instruments_off = row.u64(0).zip(row.u64(1));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flavours_are_told_apart() {
        for (version, comment, expected) in [
            ("9.7.4-2", "(Debian)", Flavour::MySql),
            (
                "8.0.36-28",
                "Percona Server (GPL), Release 28",
                Flavour::Percona,
            ),
            ("5.5.5-10.11.6-MariaDB-1", "Debian 12", Flavour::MariaDb),
            (
                "10.11.6",
                "mariadb.org binary distribution",
                Flavour::MariaDb,
            ),
        ] {
            assert_eq!(flavour(version, comment), expected);
        }
    }
}
