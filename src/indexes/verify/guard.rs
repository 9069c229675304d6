//! The guard behind a change: what the server has counted of its queries, now and before it.

use jiff::Timestamp;

use super::before::{Counts, Query};
use super::classes;
use crate::indexes::definition::Definition;
use crate::indexes::likeness;
use crate::model::schema::{Index, TableName};
use crate::server::capability::{self, Capabilities, Source};
use crate::server::catalog::{self, Scope};
use crate::server::cells::Cells as _;
use crate::server::quote::{hex_literal, ident};
use crate::server::statements::{self, Class};
use crate::server::{self, Connection};

/// The table of the ledger's schema with the counts from before each change.
pub const TABLE: &str = "mydex_ledger_counts";

/// Queries that are watched besides those of the evidence: those that name the table and took the
/// most time.
const BYSTANDERS: usize = 50;

/// `ER_BAD_DB_ERROR` and `ER_NO_SUCH_TABLE`.
const MISSING: [u16; 2] = [1049, 1146];

/// The counts from before a change can't be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// They can't be read.
    #[error("the counts from before version {version} can't be used: {reason}")]
    Counts {
        /// Which version.
        version: u32,
        /// Why, in one sentence.
        reason: String,
    },
    /// The server refused, or the connection failed.
    #[error("{0}")]
    Server(#[from] server::Error),
}

/// What the server has counted now of the queries that a definition names, and of those that name
/// its table.
///
/// # Errors
/// When the connection fails. An account that may not read the digests gets counts without
/// queries.
pub async fn counts(
    connection: &mut Connection,
    definition: &Definition,
    default_schema: &str,
) -> Result<Counts, server::Error> {
    let table = definition.table_name(default_schema);
    let capabilities = capability::probe(connection, false).await?;
    let row = connection
        .first(
            "the server's clock",
            "SELECT /* mydex:verify */ UNIX_TIMESTAMP(NOW(6)), @@server_uuid",
        )
        .await?
        .unwrap_or_default();
    let queries = queries(connection, &capabilities, definition, &table).await?;
    Ok(Counts::new(
        row.timestamp(0).unwrap_or(Timestamp::UNIX_EPOCH),
        row.text(1).unwrap_or_default(),
        capabilities.started,
        index_reads(connection, &table, &definition.index.name).await?,
        queries,
    ))
}

async fn queries(
    connection: &mut Connection,
    capabilities: &Capabilities,
    definition: &Definition,
    table: &TableName,
) -> Result<Vec<Query>, server::Error> {
    if !capabilities.can_read(Source::Digests) {
        return Ok(Vec::new());
    }
    let wanted = classes(definition, &table.schema);
    let named = statements::of_classes(connection, capabilities, &wanted).await?;
    let titles = definition
        .evidence
        .iter()
        .flat_map(|evidence| &evidence.queries)
        .map(|query| query.name.as_str());
    let mut queries: Vec<Query> = named
        .iter()
        .zip(titles)
        .map(|(statement, name)| Query::of(name, true, statement))
        .collect();
    let is_named = |class: &Class| wanted.contains(class);
    for statement in statements::naming_table(connection, capabilities, table, BYSTANDERS).await? {
        let digest = statement.counted.first().map(|row| row.digest.clone());
        let name = digest.unwrap_or_default();
        if !is_named(&statement.class) && is_query(&statement.class.fingerprint) {
            let name = name.get(..12).unwrap_or(&name);
            queries.push(Query::of(name, false, &statement));
        }
    }
    Ok(queries)
}

/// Whether a statement reads or writes rows: what looks at the table or changes it, as mydex itself
/// does for every definition, is nothing that an index makes faster.
fn is_query(fingerprint: &str) -> bool {
    let first = fingerprint.trim_start_matches(['(', ' ']).split(' ').next();
    let words = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "TABLE",
    ];
    first.is_some_and(|first| words.iter().any(|word| word.eq_ignore_ascii_case(first)))
}

/// Rows that were read through an index; `None` where that is not counted.
async fn index_reads(
    connection: &mut Connection,
    table: &TableName,
    index: &str,
) -> Result<Option<u64>, server::Error> {
    let sql = format!(
        "SELECT /* mydex:verify */ COUNT_READ \
         FROM performance_schema.table_io_waits_summary_by_index_usage \
         WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA = {} AND OBJECT_NAME = {} \
         AND INDEX_NAME = {} AND EXISTS (SELECT 1 FROM performance_schema.setup_instruments \
         WHERE NAME = 'wait/io/table/sql/handler' AND ENABLED = 'YES') LIMIT 1",
        hex_literal(&table.schema),
        hex_literal(&table.name),
        hex_literal(index)
    );
    match connection.first("the use of an index", &sql).await {
        Ok(row) => Ok(row.and_then(|row| row.u64(0))),
        Err(error) if error.is_fatal() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Keeps the counts from before version `version` in the ledger's schema, over a session that may
/// write there.
///
/// # Errors
/// When the server refuses.
pub async fn remember(
    connection: &mut Connection,
    schema: &str,
    version: u32,
    counts: &Counts,
) -> Result<(), server::Error> {
    connection
        .run("the ledger's counts", &creation(schema))
        .await?;
    let put = keeping(schema, version, &hex_literal(&counts.to_json()));
    connection.run("the ledger's counts", &put).await
}

/// The statement that makes the table of the counts where it is missing.
#[must_use]
pub fn creation(schema: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {}.{TABLE} (version INT UNSIGNED NOT NULL PRIMARY KEY, \
         taken DATETIME(6) NOT NULL, counts MEDIUMTEXT NOT NULL) ENGINE=InnoDB \
         DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin \
         COMMENT='what mydex counted before each index definition; times are UTC'",
        ident(schema)
    )
}

/// The statement that keeps counts, which are a literal.
#[must_use]
pub fn keeping(schema: &str, version: u32, literal: &str) -> String {
    format!(
        "REPLACE INTO {}.{TABLE} (version, taken, counts) VALUES \
         ({version}, UTC_TIMESTAMP(6), {literal})",
        ident(schema)
    )
}

/// The counts from before a version; `None` where none were kept.
///
/// # Errors
/// When the server refuses, or they were written by another program.
pub async fn recall(
    connection: &mut Connection,
    schema: &str,
    version: u32,
) -> Result<Option<Counts>, Error> {
    let sql = format!(
        "SELECT /* mydex:verify */ counts FROM {}.{TABLE} WHERE version = {version}",
        ident(schema)
    );
    let row = match connection.first("the ledger's counts", &sql).await {
        Err(server::Error::Server { number, .. }) if MISSING.contains(&number) => return Ok(None),
        row => row?,
    };
    row.and_then(|row| row.text(0))
        .map(|json| Counts::parse(&json).map_err(|reason| Error::Counts { version, reason }))
        .transpose()
}

/// The index of a definition's name as it is on the server, and whether it is the one of the
/// definition; `None` where there is none of that name. The server writes expressions in its own
/// way, so that of those only number and order of the parts are compared.
///
/// # Errors
/// When the connection fails.
pub async fn live_index(
    connection: &mut Connection,
    definition: &Definition,
    default_schema: &str,
) -> Result<Option<(Index, bool)>, server::Error> {
    let name = definition.table_name(default_schema);
    let scope = Scope::Tables(vec![name.clone()]);
    let reading = catalog::outline(connection, &scope).await?;
    let Some(table) = reading.catalog.table(&name.schema, &name.name) else {
        return Ok(None);
    };
    let found = table.index(&definition.index.name);
    Ok(found.map(|found| {
        let is_own = likeness::is_same_but_expressions(&definition.index, found, table);
        (found.clone(), is_own)
    }))
}
