//! What the server has counted and kept of given statements: figures by digest, whole texts, and
//! texts with constants in place of parameters.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::capability::{Capabilities, Source};
use super::cells::Cells as _;
use super::guard::Values;
use super::parameters::{self, Rows};
use super::quote::hex_literal;
use super::{Connection, Error};
use crate::model::digest::DigestCounters;
use crate::model::schema::TableName;
use crate::sql::explainable::{explainable, is_cut, is_preparing, without_prepared};

/// What mydex writes into its own statements, so that it knows them again.
const OWN: &str = "/* mydex:";

/// Digest rows at most of one question.
const MAX_ROWS: usize = 2_000;

/// Recent statements at most.
const MAX_RECENT: usize = 5_000;

/// How a prepared statement's executions begin in the digest table.
const PREPARED: &str = "EXECUTE ";

/// A class of statements.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    /// Normalized text, as the server's digests have it, without what it puts before a prepared
    /// statement.
    pub fingerprint: String,
    /// Default schema of the sessions that run it.
    pub schema: Option<String>,
}

/// One row of the digest table.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// SHA-256 in hexadecimal.
    pub digest: String,
    /// Cumulative since `first_seen`.
    pub counters: DigestCounters,
    /// When the row was made.
    pub first_seen: Timestamp,
}

/// What there is of one class, its plain and its prepared form together.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Which.
    pub class: Class,
    /// Its rows in the digest table; none where the server has not seen it, or forgot it.
    pub counted: Vec<Counted>,
    /// Whole texts as they were sent, own ones of mydex left out.
    pub texts: Vec<String>,
    /// Why no text can be used, with the remedy, where the server cut them.
    pub cut: Option<&'static str>,
}

/// A statement with constants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its text.
    pub sql: String,
    /// Its constants are not its own: values of rows of its tables stand in for them.
    pub is_made_up: bool,
}

/// Why a text of the server can't be used.
const CUT: &str = "the server cut its text; raise performance_schema_max_sql_text_length in the \
                   server's option file";

impl Statement {
    fn new(class: Class) -> Self {
        Self {
            class,
            counted: Vec::new(),
            texts: Vec::new(),
            cut: None,
        }
    }

    /// One that is known by its digest, of which nothing was read yet.
    #[must_use]
    pub fn of_digest(digest: &str, schema: Option<String>, fingerprint: &str) -> Self {
        let class = Class {
            fingerprint: without_prepared(fingerprint).to_owned(),
            schema,
        };
        Self {
            counted: vec![Counted {
                digest: digest.to_owned(),
                counters: DigestCounters::default(),
                first_seen: Timestamp::UNIX_EPOCH,
            }],
            ..Self::new(class)
        }
    }

    /// The counters of all its rows together.
    #[must_use]
    pub fn total(&self) -> DigestCounters {
        self.counted
            .iter()
            .fold(DigestCounters::default(), |sum, row| {
                sum.plus(&row.counters)
            })
    }
}

/// What the server has of these classes, in their order.
///
/// # Errors
/// When the digest table can't be read.
pub async fn of_classes(
    connection: &mut Connection,
    capabilities: &Capabilities,
    classes: &[Class],
) -> Result<Vec<Statement>, Error> {
    let mut statements: Vec<Statement> = classes.iter().cloned().map(Statement::new).collect();
    if classes.is_empty() {
        return Ok(statements);
    }
    let texts: BTreeSet<&str> = classes
        .iter()
        .map(|class| class.fingerprint.as_str())
        .collect();
    let list: Vec<String> = texts
        .into_iter()
        .flat_map(|text| [hex_literal(text), hex_literal(&format!("{PREPARED}{text}"))])
        .collect();
    let condition = format!("DIGEST_TEXT IN ({})", list.join(", "));
    let rows = digests(connection, capabilities, &condition, MAX_ROWS).await?;
    for statement in &mut statements {
        let class = statement.class.clone();
        let own = rows.iter().filter(|row| row.class == class);
        statement.take(own, capabilities);
    }
    recent(connection, capabilities, &mut statements).await?;
    Ok(statements)
}

/// The classes whose text names this table, the most time first, `most` of them.
///
/// # Errors
/// When the digest table can't be read.
pub async fn naming_table(
    connection: &mut Connection,
    capabilities: &Capabilities,
    table: &TableName,
    most: usize,
) -> Result<Vec<Statement>, Error> {
    // A digest's text quotes names without doubling what is in them.
    let name = format!("`{}`", table.name);
    // LOCATE knows no wildcards; the schema of the statement may be another one than the table's.
    let condition = format!(
        "LOCATE({name}, DIGEST_TEXT) > 0 AND (SCHEMA_NAME = {schema} OR LOCATE({quoted}, DIGEST_TEXT) > 0)",
        name = hex_literal(&name),
        schema = hex_literal(&table.schema),
        quoted = hex_literal(&format!("`{}` . {name}", table.schema)),
    );
    // A class has two rows, and some rows are mydex's own.
    let limit = MAX_ROWS.min(most.saturating_mul(4));
    let rows = digests(connection, capabilities, &condition, limit).await?;
    let mut statements: Vec<Statement> = Vec::new();
    for row in &rows {
        let known = statements.iter().position(|one| one.class == row.class);
        let place = match known {
            Some(place) => place,
            None if statements.len() >= most => continue,
            None => {
                statements.push(Statement::new(row.class.clone()));
                statements.len() - 1
            }
        };
        statements[place].take(std::iter::once(row), capabilities);
    }
    recent(connection, capabilities, &mut statements).await?;
    Ok(statements)
}

/// Statements of the class with constants, `most` at most: its own where the server kept any, else
/// values of rows of its tables. The error inside says why there is none.
///
/// # Errors
/// When the connection fails.
pub async fn samples(
    connection: &mut Connection,
    statement: &Statement,
    most: usize,
) -> Result<Result<Vec<Sample>, String>, Error> {
    if let Some(reason) = statement.cut {
        return Ok(Err(reason.to_owned()));
    }
    let mut taken: Vec<Sample> = Vec::new();
    let mut with_parameters = None;
    let mut reason = "the server kept no statement of it".to_owned();
    for text in &statement.texts {
        match explainable(text) {
            Err(refused) => reason = refused,
            Ok(one) if one.has_parameters => with_parameters = Some(one.sql),
            Ok(one) => push(&mut taken, one.sql, false),
        }
    }
    // The fingerprint itself is a statement with parameters, unless it has lists.
    let form = with_parameters.or_else(|| {
        let one = explainable(&statement.class.fingerprint).ok()?;
        (!one.sql.contains("...")).then_some(one.sql)
    });
    if let (true, Some(sql)) = (taken.is_empty(), form) {
        let schema = statement.class.schema.as_deref();
        for sql in parameters::fill(connection, schema, &sql, &Rows::SPREAD).await? {
            push(&mut taken, sql, true);
        }
    }
    taken.truncate(most);
    Ok(if taken.is_empty() {
        Err(reason)
    } else {
        Ok(taken)
    })
}

fn push(taken: &mut Vec<Sample>, sql: String, is_made_up: bool) {
    if !taken.iter().any(|sample| sample.sql == sql) {
        taken.push(Sample { sql, is_made_up });
    }
}

/// One row of the digest table, taken apart.
struct Row {
    class: Class,
    counted: Counted,
    text: Option<String>,
}

impl Statement {
    fn take<'r>(&mut self, rows: impl Iterator<Item = &'r Row>, capabilities: &Capabilities) {
        let limit = capabilities.number("performance_schema_max_sql_text_length");
        for row in rows {
            self.counted.push(row.counted.clone());
            match &row.text {
                Some(text) if is_cut(text, limit) => self.cut = Some(CUT),
                Some(text) if !self.texts.contains(text) => self.texts.push(text.clone()),
                _ => {}
            }
        }
        if !self.texts.is_empty() {
            self.cut = None;
        }
    }
}

async fn digests(
    connection: &mut Connection,
    capabilities: &Capabilities,
    condition: &str,
    limit: usize,
) -> Result<Vec<Row>, Error> {
    let has = |column: &str| capabilities.has_column(Source::Digests, column);
    let sample = if has("QUERY_SAMPLE_TEXT") {
        "QUERY_SAMPLE_TEXT"
    } else {
        "NULL"
    };
    let counters: Vec<&str> = DigestCounters::COLUMNS
        .iter()
        .map(|column| if has(column) { column } else { "0" })
        .collect();
    let sql = format!(
        "SELECT /* mydex:verify */ SCHEMA_NAME, DIGEST, DIGEST_TEXT, UNIX_TIMESTAMP(FIRST_SEEN), \
         {sample}, {} FROM {} WHERE DIGEST IS NOT NULL AND {condition} \
         ORDER BY SUM_TIMER_WAIT DESC LIMIT {limit}",
        counters.join(", "),
        Source::Digests.table()
    );
    let rows = connection.rows("the digests of a definition", &sql).await?;
    Ok(rows.iter().filter_map(row).collect())
}

/// One row; `None` for mydex's own statements, for preparing a statement, which executes none, and
/// for those without a plan.
fn row(row: &Values) -> Option<Row> {
    const FIRST_COUNTER: usize = 5;
    let text = row.text(4).filter(|text| !text.is_empty());
    let fingerprint = row.text(2)?;
    let is_own = text.as_ref().is_some_and(|text| text.contains(OWN));
    if is_own || is_preparing(&fingerprint) || !has_plan(without_prepared(&fingerprint)) {
        return None;
    }
    let values: Vec<u64> = (0..DigestCounters::COLUMNS.len())
        .map(|i| row.u64(FIRST_COUNTER + i).unwrap_or(0))
        .collect();
    Some(Row {
        class: Class {
            fingerprint: without_prepared(&fingerprint).to_owned(),
            schema: row.text(0),
        },
        counted: Counted {
            digest: row.text(1)?,
            counters: DigestCounters::from_values(&values),
            first_seen: row.timestamp(3)?,
        },
        text,
    })
}

/// Whether statements of this normalized text have a plan.
fn has_plan(fingerprint: &str) -> bool {
    let text = fingerprint.trim_start_matches(['(', ' ']);
    let word = text.split_ascii_whitespace().next().unwrap_or_default();
    [
        "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "TABLE",
    ]
    .iter()
    .any(|known| word.eq_ignore_ascii_case(known))
}

/// Statements that the sessions ran lately: other constants for the same digests.
///
/// # Errors
/// When the connection fails.
pub async fn recent(
    connection: &mut Connection,
    capabilities: &Capabilities,
    statements: &mut [Statement],
) -> Result<(), Error> {
    let list: Vec<String> = statements
        .iter()
        .flat_map(|statement| &statement.counted)
        .filter(|row| row.digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .map(|row| format!("'{}'", row.digest))
        .collect();
    if list.is_empty() {
        return Ok(());
    }
    let limit = capabilities.number("performance_schema_max_sql_text_length");
    let mut tables = Vec::new();
    if capabilities.consumes("events_statements_history_long") {
        tables.push("performance_schema.events_statements_history_long");
    }
    if capabilities.can_read(Source::History) {
        tables.push(Source::History.table());
    }
    for table in tables {
        let sql = format!(
            "SELECT /* mydex:verify */ DISTINCT DIGEST, CURRENT_SCHEMA, SQL_TEXT FROM {table} \
             WHERE DIGEST IN ({}) LIMIT {MAX_RECENT}",
            list.join(", ")
        );
        let rows = match connection.rows("recent statements", &sql).await {
            Ok(rows) => rows,
            Err(error) if error.is_fatal() => return Err(error),
            Err(_) => continue,
        };
        for row in &rows {
            let (Some(digest), schema, Some(text)) = (row.text(0), row.text(1), row.text(2)) else {
                continue;
            };
            if is_cut(&text, limit) || text.contains(OWN) {
                continue;
            }
            let place = statements.iter_mut().find(|statement| {
                statement.class.schema == schema
                    && statement.counted.iter().any(|row| row.digest == digest)
            });
            if let Some(statement) = place.filter(|statement| !statement.texts.contains(&text)) {
                statement.texts.push(text);
                statement.cut = None;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statements_with_a_plan_are_looked_at() {
        for (fingerprint, has) in [
            ("SELECT ?", true),
            ("( SELECT ? ) UNION ( SELECT ? )", true),
            ("WITH `q` AS ( SELECT ? ) SELECT * FROM `q`", true),
            ("ALTER TABLE `t` ADD INDEX `a` ( `a` )", false),
            ("EXPLAIN FORMAT = JSON SELECT ?", false),
            ("EXECUTE EXPLAIN SELECT ?", false),
            ("", false),
        ] {
            assert_eq!(has_plan(fingerprint), has, "{fingerprint}");
        }
        assert!(is_preparing("PREPARE SELECT ?"));
        assert!(!is_preparing("SELECT ?"));
    }
}
