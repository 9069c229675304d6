//! The ledger: what became of each definition, in two tables of the schema that it is about.
//!
//! `mydex_ledger` has one row a version and `mydex_ledger_steps` one row for each statement sent.
//! A row is committed before the statement that it is about, so that whoever comes after a crash
//! knows what was intended. What is really there is always asked of the server.

mod write;

use jiff::Timestamp;

pub use write::creation;
pub(super) use write::{Before, Record, Standing, begin, end, intend, resume, set};

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

impl Row {
    /// Whether the guard behind a change hid its index: it is there still, invisible, until it is
    /// tried again or taken back.
    #[must_use]
    pub fn is_hidden_by_guard(&self) -> bool {
        self.action == Action::Create
            && self.state == State::Rejected
            && self.stage == Stage::Hidden
    }
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
