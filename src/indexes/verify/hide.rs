//! The way back: an index that did not keep its promise is hidden again.

use std::time::Duration;

use jiff::Timestamp;

use super::guard::{MISSING, is_of, live_index};
use crate::config::settings::{Monitor, Server};
use crate::indexes::apply::lock_name;
use crate::indexes::definition::Definition;
use crate::indexes::ledger::{self, Standing};
use crate::indexes::reconcile::{Direction, Stage};
use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::schema::TableName;
use crate::server::audit::{self, Audit, Record};
use crate::server::cells::Cells as _;
use crate::server::quote::hex_literal;
use crate::server::{self, Connection, ddl};

/// `ER_LOCK_WAIT_TIMEOUT`.
const LOCKED: u16 = 1205;

/// How often a statement is tried that others stand in the way of, and how long between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(300);

/// A change that was not made, or that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Changes are refused.
    #[error("changes are refused: this server or this run is read-only")]
    ReadOnly,
    /// Another one applies definitions.
    #[error("another run changes the indexes of schema `{0}`, so that nothing was changed here")]
    Busy(String),
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
    /// No audit record, no change.
    #[error("nothing was changed: {0}")]
    Audit(#[from] audit::Error),
    /// The server refused, or the connection failed.
    #[error("{0}")]
    Server(#[from] server::Error),
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
}

/// Hides the index of version `version` from the optimizer, or shows it again, if it still is the
/// one of the definition; the statement that was sent. Before it and after it there are records in
/// the audit log and, where there is one, in the ledger.
///
/// A session that waits for the table's lock makes others wait behind it, so that it waits one
/// second at most, and tries again later.
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
    if hand.server.read_only || hand.read_only {
        return Err(Error::ReadOnly);
    }
    let mut connection = server::open(hand.server, hand.limits).await?;
    let table = definition.table_name(default_schema);
    lock(&mut connection, &table.schema).await?;
    let live = live_index(&mut connection, definition, default_schema).await?;
    if !live.is_some_and(|live| is_of(definition, &live)) {
        return Err(Error::Changed {
            table,
            index: definition.index.name.clone(),
        });
    }
    connection
        .run(
            "the session's limits",
            "SET SESSION transaction_read_only = OFF, lock_wait_timeout = 1",
        )
        .await?;
    let work = Work {
        version,
        schema: &table.schema,
        statement: ddl::set_visible(&table, &definition.index.name, visible),
        target: format!("{table}, index {}: {why}", definition.index.name),
        visible,
        why,
    };
    let outcome = recorded(&mut connection, hand, &work).await;
    connection.close().await;
    outcome.map(|()| work.statement)
}

/// What is done to an index.
struct Work<'a> {
    version: u32,
    schema: &'a str,
    statement: String,
    target: String,
    visible: bool,
    why: &'a str,
}

/// Takes the lock of all who change the indexes of a schema; it goes with the connection.
async fn lock(connection: &mut Connection, schema: &str) -> Result<(), Error> {
    let sql = format!("SELECT GET_LOCK({}, 1)", hex_literal(&lock_name(schema)));
    for _ in 0..TRIES {
        let row = connection.first("the lock of a schema", &sql).await?;
        if row.and_then(|row| row.u64(0)) == Some(1) {
            return Ok(());
        }
    }
    Err(Error::Busy(schema.to_owned()))
}

async fn recorded(
    connection: &mut Connection,
    hand: &Hand<'_>,
    work: &Work<'_>,
) -> Result<(), Error> {
    let account = connection
        .first("the account", "SELECT CURRENT_USER()")
        .await?
        .and_then(|row| row.text(0))
        .unwrap_or_default();
    audited(hand, &account, work, "intended").await?;
    let step = if work.visible { "show" } else { "hide" };
    let intent = ledger::intend(
        connection,
        work.schema,
        work.version,
        Direction::Up,
        step,
        &work.statement,
    )
    .await;
    let has_ledger = if_there(intent)?;
    let outcome = send(connection, &work.statement).await;
    let result = match &outcome {
        Ok(()) => "done".to_owned(),
        Err(error) => error.to_string(),
    };
    audited(hand, &account, work, &result).await?;
    if has_ledger && !connection.is_broken() {
        ledger::end(connection, work.schema, work.version, &result).await?;
        if outcome.is_ok() {
            settle(connection, work).await?;
        }
    }
    Ok(outcome?)
}

/// Puts on record that the version did not keep its promise. An index that was hidden stays there,
/// and one that was shown again has never been dropped.
async fn settle(connection: &mut Connection, work: &Work<'_>) -> Result<(), server::Error> {
    let row = ledger::one(connection, work.schema, work.version).await?;
    let is_in_force =
        |row: &ledger::Row| matches!(row.state, State::Applied | State::Staged | State::Soaking);
    let Some(row) = row.filter(is_in_force) else {
        return Ok(());
    };
    let done = if work.visible { "shown" } else { "hidden" };
    let note = format!("{done} again by `mydex index verify`: {}", work.why);
    let is_hidden = row.action == Action::Create && !work.visible;
    let standing = Standing {
        state: Some(State::Rejected),
        stage: Some(if is_hidden {
            Stage::Hidden
        } else {
            Stage::Done
        }),
        note: Some(&note),
        shows: work.visible,
        ..Standing::default()
    };
    ledger::set(connection, work.schema, work.version, &standing).await
}

/// Whether there is a ledger: indexes that came another way are in none.
fn if_there(written: Result<(), server::Error>) -> Result<bool, Error> {
    match written {
        Ok(()) => Ok(true),
        Err(server::Error::Server { number, .. }) if MISSING.contains(&number) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn audited(
    hand: &Hand<'_>,
    account: &str,
    work: &Work<'_>,
    result: &str,
) -> Result<(), audit::Error> {
    let server = format!(
        "{} ({})",
        hand.server.name,
        server::connect::place(hand.server)
    );
    let record = Record {
        time: Timestamp::now(),
        server: &server,
        account,
        action: if work.visible {
            "show-index"
        } else {
            "hide-index"
        },
        statement: &work.statement,
        target: &work.target,
        result,
    };
    hand.audit.write(&record).await
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
