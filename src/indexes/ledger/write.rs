//! What is written into the ledger: its tables, and what is committed before and after a statement.

use super::{STEPS, TABLE};
use crate::indexes::reconcile::{Direction, Stage};
use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::schema::TableName;
use crate::server::quote::{hex_literal, ident};
use crate::server::{Connection, Error};

/// The statements that make the ledger's tables where they are missing.
#[must_use]
pub fn creation(schema: &str) -> [String; 2] {
    let schema = ident(schema);
    [
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.{TABLE} (\
             version INT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, \
             action VARCHAR(16) NOT NULL, table_name VARCHAR(64) NOT NULL, \
             index_name VARCHAR(64) NOT NULL, checksum CHAR(64) NOT NULL, \
             definition MEDIUMTEXT NOT NULL, captured MEDIUMTEXT, captured_line MEDIUMTEXT, \
             captured_column MEDIUMTEXT, state VARCHAR(16) NOT NULL, stage VARCHAR(16) NOT NULL, \
             direction VARCHAR(8) NOT NULL, note TEXT, error TEXT, started DATETIME(6) NOT NULL, \
             changed DATETIME(6) NOT NULL, hidden DATETIME(6), account VARCHAR(320) NOT NULL, \
             mydex_version VARCHAR(64) NOT NULL, attempts INT UNSIGNED NOT NULL\
             ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin \
             COMMENT='index definitions applied by mydex; times are UTC'"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.{STEPS} (\
             id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
             version INT UNSIGNED NOT NULL, direction VARCHAR(8) NOT NULL, \
             step VARCHAR(32) NOT NULL, statement MEDIUMTEXT NOT NULL, \
             started DATETIME(6) NOT NULL, ended DATETIME(6), outcome TEXT\
             ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin \
             COMMENT='statements sent by mydex; times are UTC'"
        ),
    ]
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), hex_literal)
}

/// What is committed about a version. Times are the server's own clock; `started` and `attempts`
/// count on by themselves.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::indexes) struct Record<'a> {
    pub(in crate::indexes) version: u32,
    pub(in crate::indexes) name: &'a str,
    pub(in crate::indexes) action: Action,
    pub(in crate::indexes) table: &'a TableName,
    pub(in crate::indexes) index: &'a str,
    pub(in crate::indexes) checksum: &'a str,
    pub(in crate::indexes) definition: &'a str,
    pub(in crate::indexes) account: &'a str,
}

/// Where a version stands now.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::indexes) struct Standing<'a> {
    pub(in crate::indexes) state: Option<State>,
    pub(in crate::indexes) stage: Option<Stage>,
    pub(in crate::indexes) note: Option<&'a str>,
    pub(in crate::indexes) error: Option<&'a str>,
    /// The soak begins now, unless it has begun.
    pub(in crate::indexes) hides: bool,
    /// The soak begins now, whatever was before.
    pub(in crate::indexes) hides_anew: bool,
    /// The soak is over before its end.
    pub(in crate::indexes) shows: bool,
}

/// What was there before, recorded with the intent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::indexes) struct Before {
    pub(in crate::indexes) definition: Option<String>,
    pub(in crate::indexes) line: Option<String>,
    pub(in crate::indexes) column: Option<String>,
}

/// Records that a version is begun, with what was there before; whatever the ledger knew of an
/// earlier round is forgotten. `standing` is for a version that is at its end already.
pub(in crate::indexes) async fn begin(
    connection: &mut Connection,
    record: &Record<'_>,
    direction: Direction,
    before: &Before,
    standing: &Standing<'_>,
) -> Result<(), Error> {
    let hidden = if standing.hides {
        "UTC_TIMESTAMP(6)"
    } else {
        "NULL"
    };
    let sql = format!(
        "INSERT INTO {}.{TABLE} (version, name, action, table_name, index_name, checksum, \
         definition, captured, captured_line, captured_column, state, stage, direction, note, \
         error, started, changed, hidden, account, mydex_version, attempts) VALUES \
         ({}, {}, '{}', {}, {}, {}, {}, {}, {}, {}, '{}', '{}', '{}', {}, NULL, \
         UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), {hidden}, {}, {}, 1) AS new \
         ON DUPLICATE KEY UPDATE name = new.name, action = new.action, \
         table_name = new.table_name, index_name = new.index_name, checksum = new.checksum, \
         definition = new.definition, captured = new.captured, \
         captured_line = new.captured_line, captured_column = new.captured_column, \
         state = new.state, stage = new.stage, direction = new.direction, note = new.note, \
         error = NULL, changed = new.changed, hidden = new.hidden, account = new.account, \
         mydex_version = new.mydex_version, attempts = {TABLE}.attempts + 1",
        ident(&record.table.schema),
        record.version,
        hex_literal(record.name),
        action_word(record.action),
        hex_literal(&record.table.name),
        hex_literal(record.index),
        hex_literal(record.checksum),
        hex_literal(record.definition),
        optional(before.definition.as_deref()),
        optional(before.line.as_deref()),
        optional(before.column.as_deref()),
        standing.state.unwrap_or(State::Unfinished).word(),
        standing.stage.unwrap_or(Stage::Begun).word(),
        direction.word(),
        optional(standing.note),
        hex_literal(record.account),
        hex_literal(env!("CARGO_PKG_VERSION")),
    );
    write(connection, &sql).await
}

/// Records that a version is gone on with. One that turns round keeps what was there before and
/// the names that are aside, and forgets how far it came in the other direction.
pub(in crate::indexes) async fn resume(
    connection: &mut Connection,
    record: &Record<'_>,
    direction: Direction,
    turns: bool,
) -> Result<(), Error> {
    let turn = if turns {
        format!(
            "stage = IF(stage IN ('{}', '{}'), stage, '{}'), hidden = NULL, ",
            Stage::Equal.word(),
            Stage::Aside.word(),
            Stage::Begun.word()
        )
    } else {
        String::new()
    };
    let sql = format!(
        "UPDATE {}.{TABLE} SET {turn}state = IF(state = '{}', state, '{}'), direction = '{}', \
         error = NULL, changed = UTC_TIMESTAMP(6), account = {}, mydex_version = {}, \
         attempts = attempts + 1 WHERE version = {}",
        ident(&record.table.schema),
        State::Soaking.word(),
        State::Unfinished.word(),
        direction.word(),
        hex_literal(record.account),
        hex_literal(env!("CARGO_PKG_VERSION")),
        record.version,
    );
    write(connection, &sql).await
}

fn action_word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Drop => "drop",
    }
}

/// Records where a version stands; what is `None` stays, but the error, which is forgotten.
pub(in crate::indexes) async fn set(
    connection: &mut Connection,
    schema: &str,
    version: u32,
    standing: &Standing<'_>,
) -> Result<(), Error> {
    let mut sets = vec![
        "changed = UTC_TIMESTAMP(6)".to_owned(),
        format!("error = {}", optional(standing.error)),
    ];
    if let Some(state) = standing.state {
        sets.push(format!("state = '{}'", state.word()));
    }
    if let Some(stage) = standing.stage {
        sets.push(format!("stage = '{}'", stage.word()));
    }
    if let Some(note) = standing.note {
        sets.push(format!("note = {}", hex_literal(note)));
    }
    if standing.hides_anew {
        sets.push("hidden = UTC_TIMESTAMP(6)".to_owned());
    } else if standing.hides {
        sets.push("hidden = COALESCE(hidden, UTC_TIMESTAMP(6))".to_owned());
    }
    if standing.shows {
        sets.push("hidden = NULL".to_owned());
    }
    let sql = format!(
        "UPDATE {}.{TABLE} SET {} WHERE version = {version}",
        ident(schema),
        sets.join(", ")
    );
    write(connection, &sql).await
}

/// Records a statement before it is sent.
pub(in crate::indexes) async fn intend(
    connection: &mut Connection,
    schema: &str,
    version: u32,
    direction: Direction,
    step: &str,
    statement: &str,
) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO {}.{STEPS} (version, direction, step, statement, started) VALUES \
         ({version}, '{}', {}, {}, UTC_TIMESTAMP(6))",
        ident(schema),
        direction.word(),
        hex_literal(step),
        hex_literal(statement)
    );
    write(connection, &sql).await
}

/// Records how the last open statement of a version ended.
pub(in crate::indexes) async fn end(
    connection: &mut Connection,
    schema: &str,
    version: u32,
    outcome: &str,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE {}.{STEPS} SET ended = UTC_TIMESTAMP(6), outcome = {} \
         WHERE version = {version} AND ended IS NULL",
        ident(schema),
        hex_literal(outcome)
    );
    write(connection, &sql).await
}

/// A write of the ledger. One that a late `KILL QUERY` hits is sent once more.
async fn write(connection: &mut Connection, sql: &str) -> Result<(), Error> {
    match connection.run("a record of the ledger", sql).await {
        Err(Error::Ended { number: 1317, .. }) => {
            connection.run("a record of the ledger", sql).await
        }
        done => done,
    }
}
