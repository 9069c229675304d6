//! The ledger: what became of each definition, in two tables of the schema that it is about.
//!
//! `mydex_ledger` has one row a version and `mydex_ledger_steps` one row for each statement sent.
//! A row is committed before the statement that it is about, so that whoever comes after a crash
//! knows what was intended. What is really there is always asked of the server.

use jiff::Timestamp;

use super::reconcile::{Direction, Stage};
use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::schema::TableName;
use crate::server::cells::Cells as _;
use crate::server::guard::Values;
use crate::server::quote::{hex_literal, ident};
use crate::server::{Connection, Error};

/// The table with one row a version.
pub const TABLE: &str = "mydex_ledger";

/// The table with one row a statement.
pub const STEPS: &str = "mydex_ledger_steps";

/// Rows that are read at most.
const MAX_ROWS: usize = 10_000;

/// `ER_BAD_DB_ERROR` and `ER_NO_SUCH_TABLE`.
const MISSING: [u16; 2] = [1049, 1146];

/// What became of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The number of the definition.
    pub version: u32,
    /// The name behind the number.
    pub name: String,
    /// Create or drop.
    pub action: Action,
    /// The table.
    pub table: TableName,
    /// The index.
    pub index: String,
    /// The checksum of the definition, as it was when the ledger last changed.
    pub checksum: String,
    /// The whole text of the definition, from which it can be taken back without its file.
    pub definition: String,
    /// What was there before the first change, as a definition; `None` where nothing was.
    pub before: Option<String>,
    /// The same as its line of `SHOW CREATE TABLE`.
    pub before_line: Option<String>,
    /// The line of the generated column, where it was there before.
    pub before_column: Option<String>,
    /// Where it stands.
    pub state: State,
    /// The step that was reached within the state.
    pub stage: Stage,
    /// Whether it was last applied or taken back.
    pub direction: Direction,
    /// What there is to say about it, such as the index that is the same under another name.
    pub note: Option<String>,
    /// The last error, `None` after a success.
    pub error: Option<String>,
    /// When it was first begun.
    pub started: Timestamp,
    /// When the ledger last changed.
    pub changed: Timestamp,
    /// Since when the index that is to go is invisible.
    pub hidden: Option<Timestamp>,
    /// The account that changed it last.
    pub account: String,
    /// The version of mydex that changed it last.
    pub mydex_version: String,
    /// How often it was begun.
    pub attempts: u32,
}

/// One statement that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The version it belongs to.
    pub version: u32,
    /// Applied or taken back.
    pub direction: Direction,
    /// What it does, in one word.
    pub step: String,
    /// The statement.
    pub statement: String,
    /// When it was about to be sent.
    pub started: Timestamp,
    /// When its end was recorded; `None` where nobody lived to see it.
    pub ended: Option<Timestamp>,
    /// `done`, the error, or what was found later.
    pub outcome: Option<String>,
}

const COLUMNS: &str = "version, name, action, table_name, index_name, checksum, definition, \
     captured, captured_line, captured_column, state, stage, direction, note, error, \
     TIMESTAMPDIFF(MICROSECOND, '1970-01-01', started), \
     TIMESTAMPDIFF(MICROSECOND, '1970-01-01', changed), \
     TIMESTAMPDIFF(MICROSECOND, '1970-01-01', hidden), account, mydex_version, attempts";

/// Every version that the ledger of `schema` knows, in their order; none where there is no ledger.
///
/// # Errors
/// When the server refuses, or the connection fails.
pub async fn read(connection: &mut Connection, schema: &str) -> Result<Vec<Row>, Error> {
    let sql = format!(
        "SELECT /* mydex:ledger */ {COLUMNS} FROM {}.{TABLE} ORDER BY version LIMIT {MAX_ROWS}",
        ident(schema)
    );
    let rows = or_none(connection.rows("the ledger", &sql).await)?;
    Ok(rows.iter().filter_map(|row| of_row(schema, row)).collect())
}

/// The row of one version.
pub(super) async fn one(
    connection: &mut Connection,
    schema: &str,
    version: u32,
) -> Result<Option<Row>, Error> {
    let sql = format!(
        "SELECT /* mydex:ledger */ {COLUMNS} FROM {}.{TABLE} WHERE version = {version}",
        ident(schema)
    );
    let rows = or_none(connection.rows("the ledger", &sql).await)?;
    Ok(rows.iter().find_map(|row| of_row(schema, row)))
}

/// The statements that were sent, the first one first; none where there is no ledger.
///
/// # Errors
/// When the server refuses, or the connection fails.
pub async fn steps(connection: &mut Connection, schema: &str) -> Result<Vec<Sent>, Error> {
    let sql = format!(
        "SELECT /* mydex:ledger */ version, direction, step, statement, \
         TIMESTAMPDIFF(MICROSECOND, '1970-01-01', started), \
         TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ended), outcome \
         FROM {}.{STEPS} ORDER BY id LIMIT {MAX_ROWS}",
        ident(schema)
    );
    let rows = or_none(connection.rows("the ledger's steps", &sql).await)?;
    let sent = |row: &Values| {
        Some(Sent {
            version: u32::try_from(row.u64(0)?).ok()?,
            direction: Direction::of_word(row.str(1)?)?,
            step: row.text(2)?,
            statement: row.text(3)?,
            started: time(row, 4)?,
            ended: time(row, 5),
            outcome: row.text(6),
        })
    };
    Ok(rows.iter().filter_map(sent).collect())
}

fn or_none(rows: Result<Vec<Values>, Error>) -> Result<Vec<Values>, Error> {
    match rows {
        Err(Error::Server { number, .. }) if MISSING.contains(&number) => Ok(Vec::new()),
        rows => rows,
    }
}

fn time(row: &Values, place: usize) -> Option<Timestamp> {
    Timestamp::from_microsecond(row.i64(place)?).ok()
}

fn of_row(schema: &str, row: &Values) -> Option<Row> {
    let text = |place| row.text(place).unwrap_or_default();
    let action = if text(2) == "drop" {
        Action::Drop
    } else {
        Action::Create
    };
    Some(Row {
        version: u32::try_from(row.u64(0)?).ok()?,
        name: text(1),
        action,
        table: TableName::new(schema, text(3)),
        index: text(4),
        checksum: text(5),
        definition: text(6),
        before: row.text(7),
        before_line: row.text(8),
        before_column: row.text(9),
        // A word of a later version: whatever it means, it is nothing that is finished here.
        state: State::of_word(&text(10)).unwrap_or(State::Unfinished),
        stage: Stage::of_word(&text(11)).unwrap_or(Stage::Begun),
        direction: Direction::of_word(&text(12)).unwrap_or(Direction::Up),
        note: row.text(13),
        error: row.text(14),
        started: time(row, 15)?,
        changed: time(row, 16)?,
        hidden: time(row, 17),
        account: text(18),
        mydex_version: text(19),
        attempts: u32::try_from(row.u64(20).unwrap_or(0)).unwrap_or(u32::MAX),
    })
}

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
pub(super) struct Record<'a> {
    pub(super) version: u32,
    pub(super) name: &'a str,
    pub(super) action: Action,
    pub(super) table: &'a TableName,
    pub(super) index: &'a str,
    pub(super) checksum: &'a str,
    pub(super) definition: &'a str,
    pub(super) account: &'a str,
}

/// Where a version stands now.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Standing<'a> {
    pub(super) state: Option<State>,
    pub(super) stage: Option<Stage>,
    pub(super) note: Option<&'a str>,
    pub(super) error: Option<&'a str>,
    /// The soak begins now.
    pub(super) hides: bool,
}

/// What was there before, recorded with the intent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Before {
    pub(super) definition: Option<String>,
    pub(super) line: Option<String>,
    pub(super) column: Option<String>,
}

/// Whether both tables are there.
pub(super) async fn is_there(connection: &mut Connection, schema: &str) -> Result<bool, Error> {
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} \
         AND TABLE_NAME IN ('{TABLE}', '{STEPS}')",
        hex_literal(schema)
    );
    let row = connection.first("the ledger", &sql).await?;
    Ok(row.and_then(|row| row.u64(0)) == Some(2))
}

/// Records that a version is begun, with what was there before; whatever the ledger knew of an
/// earlier round is forgotten. `standing` is for a version that is at its end already.
pub(super) async fn begin(
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
pub(super) async fn resume(
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
pub(super) async fn set(
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
    if standing.hides {
        sets.push("hidden = COALESCE(hidden, UTC_TIMESTAMP(6))".to_owned());
    }
    let sql = format!(
        "UPDATE {}.{TABLE} SET {} WHERE version = {version}",
        ident(schema),
        sets.join(", ")
    );
    write(connection, &sql).await
}

/// Records a statement before it is sent.
pub(super) async fn intend(
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
pub(super) async fn end(
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

/// How long the index of a version has been invisible, by the server's clock.
pub(super) async fn hidden_for(
    connection: &mut Connection,
    schema: &str,
    version: u32,
) -> Result<Option<std::time::Duration>, Error> {
    let sql = format!(
        "SELECT /* mydex:ledger */ TIMESTAMPDIFF(MICROSECOND, hidden, UTC_TIMESTAMP(6)) \
         FROM {}.{TABLE} WHERE version = {version}",
        ident(schema)
    );
    let row = connection.first("the ledger", &sql).await?;
    let micros = row.and_then(|row| row.u64(0));
    Ok(micros.map(std::time::Duration::from_micros))
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
