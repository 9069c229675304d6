//! A dry run on a private server: the statements of definitions are carried out and taken back on
//! empty copies of the target's tables, so that what the server refuses is known before the target
//! sees anything.

mod private;

use private::Shadow;

use super::definition::Definition;
use crate::config::settings::{Monitor, Server};
use crate::model::schema::TableName;
use crate::server::catalog::{self, Scope};
use crate::server::cells::Cells as _;
use crate::server::ddl::names_tables;
use crate::server::{self, Connection};

/// Tables that refer to others, at most.
const MAX_CHILDREN: usize = 1_000;

/// Why a dry run could not be made at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The target, or the private server, can't be read.
    #[error("{0}")]
    Server(#[from] server::Error),
    /// The private server refuses what has nothing to do with a definition.
    #[error("the private server refused {what}: {reason}")]
    Private {
        /// What was done.
        what: &'static str,
        /// Its answer.
        reason: String,
    },
}

/// What is tried.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    /// What to call it.
    pub name: String,
    /// The definition.
    pub definition: &'a Definition,
    /// The statements that carry it out, in order.
    pub up: Vec<String>,
    /// The statements that take it back, in order.
    pub down: Vec<String>,
}

impl<'a> Trial<'a> {
    /// The definition's own statements.
    #[must_use]
    pub fn of(name: impl Into<String>, definition: &'a Definition, default_schema: &str) -> Self {
        Self {
            name: name.into(),
            up: definition.up(default_schema),
            down: definition.down(default_schema),
            definition,
        }
    }
}

/// What came of all trials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Trial by trial, in the order given.
    pub tried: Vec<Tried>,
    /// What differs from the target, each one sentence.
    pub notes: Vec<String>,
}

/// What came of one trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// What it is called.
    pub name: String,
    /// The statements that were sent, with the server's refusal where there was one.
    pub statements: Vec<(String, Option<String>)>,
    /// What is wrong, each one sentence; empty when all is well.
    pub problems: Vec<String>,
}

/// Tries definitions one after another, as an apply would, and takes them back in reverse.
///
/// `target` is only read. `private` is a server that may be changed at will; the schemas that are
/// made on it are dropped at the end.
///
/// # Errors
/// When a server can't be reached, or the private one refuses to make a schema.
pub async fn run(
    target: &mut Connection,
    private: &Server,
    limits: &Monitor,
    trials: &[Trial<'_>],
    default_schema: &str,
) -> Result<Report, Error> {
    let mut tables: Vec<TableName> = trials
        .iter()
        .map(|trial| trial.definition.table_name(default_schema))
        .collect();
    tables.sort();
    tables.dedup();
    tables.extend(children(target, &tables).await?);
    let reading = catalog::read_noted(target, &Scope::Tables(tables)).await?;
    let sql_mode = target
        .first("the SQL mode", "SELECT @@GLOBAL.sql_mode")
        .await?
        .and_then(|row| row.text(0))
        .unwrap_or_default();
    let mut shadow = Shadow::open(private, limits).await?;
    let mut report = Report {
        tried: Vec::new(),
        notes: reading.notes,
    };
    let version = shadow.reader.version();
    if version != reading.catalog.version {
        report.notes.push(format!(
            "the private server is MySQL {version} and the target {}: another version may refuse \
             other statements",
            reading.catalog.version
        ));
    }
    let outcome = match shadow.make(&reading.catalog, &mut report.notes).await {
        Ok(tables) => {
            shadow
                .all(trials, default_schema, &tables, &sql_mode, &mut report)
                .await
        }
        Err(error) => Err(error),
    };
    shadow.close().await;
    outcome.map(|()| report)
}

/// Tables that have foreign keys to these: dropping an index there can be refused for their sake.
async fn children(
    target: &mut Connection,
    tables: &[TableName],
) -> Result<Vec<TableName>, server::Error> {
    let condition = names_tables(tables)
        .replace("TABLE_SCHEMA", "REFERENCED_TABLE_SCHEMA")
        .replace("TABLE_NAME", "REFERENCED_TABLE_NAME");
    let sql = format!(
        "SELECT /* mydex:shadow */ DISTINCT TABLE_SCHEMA, TABLE_NAME \
         FROM information_schema.KEY_COLUMN_USAGE WHERE {condition} LIMIT {MAX_CHILDREN}"
    );
    let rows = target.rows("the tables that refer to these", &sql).await?;
    Ok(rows
        .iter()
        .filter_map(|row| Some(TableName::new(row.text(0)?, row.text(1)?)))
        .collect())
}
