//! Reads tables, indexes and views of a server into a [`Catalog`], in few bounded statements.
//!
//! Three depths: [`read`] has everything that a twin needs, with fresh figures, for the tables of a
//! workload; [`outline`] leaves out `SHOW CREATE` and takes figures from InnoDB's own statistics
//! tables, so that thousands of tables cost the server little and none of them is opened;
//! [`indexes`] leaves out columns and views as well, which are more than half of what is left.

mod create;
mod innodb;
mod reader;
mod rows;
mod session;

use std::collections::BTreeSet;

use super::{Connection, Error};
use crate::model::schema::{Catalog, TableName};
use reader::Reader;
use session::Session;

/// Tables at most.
pub const MAX_TABLES: usize = 2_000;

/// Columns, key parts and foreign key columns at most, each.
const MAX_PARTS: usize = 100_000;

/// Names in one condition.
const CHUNK: usize = 250;

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// These tables and views, what the views are made of, and the parents of foreign keys. A name
    /// that does not exist is left out.
    Tables(Vec<TableName>),
    /// Every table and view of these schemas.
    Schemas(Vec<String>),
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// The tables and views.
    pub catalog: Catalog,
    /// What could not be read, each one sentence.
    pub notes: Vec<String>,
}

/// How much to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Full,
    Outline,
    Indexes,
}

/// Everything about the tables in `scope`, with fresh figures and `SHOW CREATE`.
pub async fn read(connection: &mut Connection, scope: &Scope) -> Result<Catalog, Error> {
    Ok(read_noted(connection, scope).await?.catalog)
}

/// Like [`read`], with what could not be read.
pub async fn read_noted(connection: &mut Connection, scope: &Scope) -> Result<Reading, Error> {
    in_plain_session(connection, scope, Depth::Full).await
}

/// The same without `SHOW CREATE` (only the text of tables with full-text indexes is read, for
/// their parsers) and without opening a table: [`Table::create`] is empty.
///
/// [`Table::create`]: crate::model::schema::Table::create
pub async fn outline(connection: &mut Connection, scope: &Scope) -> Result<Reading, Error> {
    in_plain_session(connection, scope, Depth::Outline).await
}

/// Tables, indexes and foreign keys alone: no columns, no views. What depends on the type of a
/// column or on whether it may be NULL is known after [`add_columns`].
pub async fn indexes(connection: &mut Connection, scope: &Scope) -> Result<Reading, Error> {
    in_plain_session(connection, scope, Depth::Indexes).await
}

/// Reads more into `catalog`: all columns of the tables in `whole`, and of those in `counters` only
/// which column counts up by itself ([`Catalog::counters`]), for a sixth of the cost. Gives what
/// could not be read, each one sentence.
pub async fn add_columns(
    connection: &mut Connection,
    catalog: &mut Catalog,
    whole: &[TableName],
    counters: &[TableName],
) -> Result<Vec<String>, Error> {
    if whole.is_empty() && counters.is_empty() {
        return Ok(Vec::new());
    }
    let session = Session::of(connection).await?;
    session.make_plain(connection, false).await?;
    let mut reader = Reader {
        page_bytes: session.page_bytes,
        depth: Depth::Outline,
        reading: Reading {
            catalog: std::mem::take(catalog),
            notes: Vec::new(),
        },
        connection,
    };
    let mut outcome = reader.counters(counters).await;
    for chunk in whole.chunks(CHUNK) {
        if outcome.is_err() {
            break;
        }
        outcome = reader.columns_anew(chunk).await;
    }
    let reading = reader.reading;
    *catalog = reading.catalog;
    match outcome {
        Err(error) if error.is_fatal() => return Err(error),
        _ => session.restore(connection).await?,
    }
    outcome.map(|()| reading.notes)
}

/// Reads those of the tables in `names` that [`MAX_TABLES`] left out of `reading`, as an [`outline`]:
/// whoever asks for a table by its name has to learn whether it is there.
pub async fn add_tables(
    connection: &mut Connection,
    reading: &mut Reading,
    names: impl Iterator<Item = TableName>,
) -> Result<(), Error> {
    if reading.catalog.tables.len() < MAX_TABLES {
        return Ok(());
    }
    let known = &reading.catalog;
    let missing: BTreeSet<TableName> = names
        .filter(|name| known.table(&name.schema, &name.name).is_none())
        .collect();
    let missing: Vec<TableName> = missing.into_iter().collect();
    let before = reading.catalog.tables.len();
    for chunk in missing.chunks(CHUNK) {
        let more = outline(connection, &Scope::Tables(chunk.to_vec())).await?;
        for (name, table) in more.catalog.tables {
            reading.catalog.tables.entry(name).or_insert(table);
        }
        reading.notes.extend(more.notes);
    }
    let added = reading.catalog.tables.len() - before;
    if added > 0 {
        let what = match added {
            1 => "1 more was".to_owned(),
            n => format!("{n} more were"),
        };
        reading.notes.push(format!(
            "of those left out, {what} read because definitions or a ledger name them"
        ));
    }
    Ok(())
}

/// Reads in a plain session and puts the session back.
async fn in_plain_session(
    connection: &mut Connection,
    scope: &Scope,
    depth: Depth,
) -> Result<Reading, Error> {
    let session = Session::of(connection).await?;
    session.make_plain(connection, depth == Depth::Full).await?;
    let mut reader = Reader {
        page_bytes: session.page_bytes,
        depth,
        reading: Reading::default(),
        connection,
    };
    reader.reading.catalog.folds_case = session.folds_case;
    let outcome = reader.all(scope).await;
    let reading = reader.reading;
    match outcome {
        Err(error) if error.is_fatal() => return Err(error),
        _ => session.restore(connection).await?,
    }
    outcome.map(|()| reading)
}
