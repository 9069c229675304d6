//! The guard behind a change: what its queries take now against what they took before, from the
//! server's own counts; and the way back, to hide an index again.

use std::time::Duration;

use jiff::Timestamp;

use super::before::{Counts, Query};
use super::classes;
use crate::config::settings::{Monitor, Server};
use crate::indexes::definition::Definition;
use crate::model::schema::{Index, TableName};
use crate::server::audit::{self, Audit, Record};
use crate::server::capability::{self, Capabilities, Source};
use crate::server::catalog::{self, Scope};
use crate::server::cells::Cells as _;
use crate::server::quote::{hex_literal, ident};
use crate::server::statements::{self, Class};
use crate::server::{self, Connection, ddl};

/// The table of the ledger's schema with the counts from before each change.
pub const TABLE: &str = "mydex_ledger_counts";

/// Queries that are watched besides those of the evidence: those that name the table and took the
/// most time.
const BYSTANDERS: usize = 50;

/// `ER_BAD_DB_ERROR` and `ER_NO_SUCH_TABLE`.
const MISSING: [u16; 2] = [1049, 1146];

/// `ER_LOCK_WAIT_TIMEOUT`.
const LOCKED: u16 = 1205;

/// How often a statement is tried that others stand in the way of, and how long between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(300);

/// A change that was not made, or that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Changes are refused.
    #[error("changes are refused: server `{0}` is configured read-only")]
    ReadOnly(String),
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
    /// The counts in the ledger can't be read.
    #[error("the counts from before version {version} can't be used: {reason}")]
    Counts {
        /// Which version.
        version: u32,
        /// Why, in one sentence.
        reason: String,
    },
    /// No audit record, no change.
    #[error("nothing was changed: {0}")]
    Audit(#[from] audit::Error),
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
    let names = definition
        .evidence
        .iter()
        .flat_map(|evidence| &evidence.queries)
        .map(|query| query.name.as_str());
    let mut queries: Vec<Query> = named
        .iter()
        .zip(names)
        .map(|(statement, name)| Query::of(name, true, statement))
        .collect();
    let is_named = |class: &Class| wanted.contains(class);
    for statement in statements::naming_table(connection, capabilities, table, BYSTANDERS).await? {
        let digest = statement.counted.first().map(|row| row.digest.clone());
        let name = digest.unwrap_or_default();
        if !is_named(&statement.class) {
            let name = name.get(..12).unwrap_or(&name);
            queries.push(Query::of(name, false, &statement));
        }
    }
    Ok(queries)
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
         AND INDEX_NAME = {} LIMIT 1",
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
    let table = format!("{}.{TABLE}", ident(schema));
    let create = format!(
        "CREATE TABLE IF NOT EXISTS {table} (version INT UNSIGNED NOT NULL PRIMARY KEY, \
         taken DATETIME(6) NOT NULL, counts MEDIUMTEXT NOT NULL) ENGINE=InnoDB \
         DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin \
         COMMENT='what mydex counted before each index definition; times are UTC'"
    );
    connection.run("the ledger's counts", &create).await?;
    let put = format!(
        "REPLACE INTO {table} (version, taken, counts) VALUES ({version}, UTC_TIMESTAMP(6), {})",
        hex_literal(&counts.to_json())
    );
    connection.run("the ledger's counts", &put).await
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

/// The index of a definition as it is on the server; `None` where there is none of that name.
///
/// # Errors
/// When the connection fails.
pub async fn live_index(
    connection: &mut Connection,
    definition: &Definition,
    default_schema: &str,
) -> Result<Option<Index>, server::Error> {
    let table = definition.table_name(default_schema);
    let scope = Scope::Tables(vec![table.clone()]);
    let reading = catalog::outline(connection, &scope).await?;
    let found = reading.catalog.table(&table.schema, &table.name);
    Ok(found.and_then(|found| found.index(&definition.index.name).cloned()))
}

/// Whether an index of the server is the one of the definition. The server writes expressions in
/// its own way, so that of those only number and order of the parts are compared.
#[must_use]
pub fn is_of(definition: &Definition, live: &Index) -> bool {
    let wanted = &definition.index;
    if !wanted.is_functional() {
        return wanted.is_same_as(live);
    }
    let shape = |index: &Index| {
        index
            .parts
            .iter()
            .map(|part| {
                let column = part.column_name().map(str::to_ascii_lowercase);
                (column, part.prefix, part.is_descending)
            })
            .collect::<Vec<_>>()
    };
    wanted.kind == live.kind
        && wanted.is_unique == live.is_unique
        && wanted.parser == live.parser
        && shape(wanted) == shape(live)
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
}

/// Hides the index of a definition from the optimizer, or shows it again, if it still is the one
/// of the definition; the statement that was sent. Before and after it there is an audit record.
///
/// A session that waits for the table's lock makes others wait behind it, so that it waits one
/// second at most, and tries again later.
///
/// # Errors
/// When changes are refused, the index is another one, the record can't be written, or the server
/// refuses.
pub async fn set_visible(
    hand: &Hand<'_>,
    definition: &Definition,
    default_schema: &str,
    visible: bool,
    why: &str,
) -> Result<String, Error> {
    if hand.server.read_only {
        return Err(Error::ReadOnly(hand.server.name.clone()));
    }
    let mut connection = server::open(hand.server, hand.limits).await?;
    let table = definition.table_name(default_schema);
    let live = live_index(&mut connection, definition, default_schema).await?;
    if !live.is_some_and(|live| is_of(definition, &live)) {
        return Err(Error::Changed {
            table,
            index: definition.index.name.clone(),
        });
    }
    let account = connection
        .first("the account", "SELECT CURRENT_USER()")
        .await?
        .and_then(|row| row.text(0))
        .unwrap_or_default();
    connection
        .run(
            "the session's limits",
            "SET SESSION transaction_read_only = OFF, lock_wait_timeout = 1",
        )
        .await?;
    let statement = ddl::set_visible(&table, &definition.index.name, visible);
    let server = format!(
        "{} ({})",
        hand.server.name,
        server::connect::place(hand.server)
    );
    let target = format!("{table}, index {}: {why}", definition.index.name);
    let record = |result: String| {
        let (server, account, target, statement) = (&server, &account, &target, &statement);
        async move {
            let record = Record {
                time: Timestamp::now(),
                server,
                account,
                action: if visible { "show-index" } else { "hide-index" },
                statement,
                target,
                result: &result,
            };
            hand.audit.write(&record).await
        }
    };
    record("intended".to_owned()).await?;
    let outcome = send(&mut connection, &statement).await;
    let result = match &outcome {
        Ok(()) => "done".to_owned(),
        Err(error) => error.to_string(),
    };
    let recorded = record(result).await;
    connection.close().await;
    outcome?;
    recorded?;
    Ok(statement)
}

async fn send(connection: &mut Connection, statement: &str) -> Result<(), server::Error> {
    let mut tried = 0;
    loop {
        tried += 1;
        match connection.run("the index's visibility", statement).await {
            Err(error) if error.number() == Some(LOCKED) && tried < TRIES => {
                tokio::time::sleep(PAUSE * tried).await;
            }
            done => return done,
        }
    }
}
