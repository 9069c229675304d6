//! The inventory of a server: its indexes with their use, their review, and the definitions that
//! they come from. `mydex report index` prints it.

mod placed;

use std::collections::BTreeSet;

use jiff::Timestamp;
pub(super) use placed::Placed;

use super::error::Error;
use crate::advisor::effort;
use crate::advisor::existing;
use crate::config::settings::Server;
use crate::indexes::files::Entry;
use crate::model::inventory::{IndexFacts, Inventory, TableFacts};
use crate::model::review::{Fate, Verdict};
use crate::model::schema::{Catalog, ForeignKey, Index, IndexKind, KeyPart, Table, TableName};
use crate::model::units::{self, from_picoseconds};
use crate::model::usage::IndexUsage;
use crate::report::cost::Cost;
use crate::server::catalog::{self, Scope};
use crate::server::cells::Cells as _;
use crate::server::ddl::{self, Mode};
use crate::server::quote::hex_literal;
use crate::server::{self, Connection, usage};

/// Schemas at most.
const MAX_SCHEMAS: usize = 1_000;

/// The tables of mydex itself begin with this; their indexes are nobody's business.
const OWN: &str = "mydex_ledger";

/// The schemas of the server itself.
const SYSTEM: &str = "'mysql', 'information_schema', 'performance_schema', 'sys'";

/// An inventory with what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// The inventory, with where each definition stands.
    pub(super) inventory: Inventory,
    /// The definitions and the ledgers, schema by schema.
    pub(super) placed: Vec<Placed>,
    /// The tables; columns are known of those only whose verdicts depend on them.
    pub(super) catalog: Catalog,
    /// What reading took on the server.
    pub(super) cost: Cost,
}

/// The schemas to report on: those that were asked for, else the URL's database, else all but the
/// server's own.
pub(super) async fn schemas(
    connection: &mut Connection,
    server: &Server,
    asked: &[String],
) -> Result<Vec<String>, Error> {
    let wanted: Vec<String> = if asked.is_empty() {
        server.database.iter().cloned().collect()
    } else {
        asked.to_vec()
    };
    let condition = if wanted.is_empty() {
        format!("SCHEMA_NAME NOT IN ({SYSTEM})")
    } else {
        let names: Vec<String> = wanted.iter().map(|name| hex_literal(name)).collect();
        format!("SCHEMA_NAME IN ({})", names.join(", "))
    };
    let sql = format!(
        "SELECT /* mydex:catalog */ SCHEMA_NAME FROM information_schema.SCHEMATA \
         WHERE {condition} ORDER BY SCHEMA_NAME LIMIT {MAX_SCHEMAS}"
    );
    let rows = connection
        .rows("the schemas", &sql)
        .await
        .map_err(|e| told(&e))?;
    let found: Vec<String> = rows.iter().filter_map(|row| row.text(0)).collect();
    let missing = wanted
        .iter()
        .find(|name| !found.iter().any(|known| known.eq_ignore_ascii_case(name)));
    match missing {
        Some(name) => Err(Error::new(format!(
            "schema `{name}` does not exist, or this account may not see it"
        ))
        .hint("name another one with `--schema`, or grant SELECT on it")),
        None if found.is_empty() => Err(Error::new("the server has no schema that can be seen")
            .hint("grant SELECT on the schemas to report on")),
        None => Ok(found),
    }
}

/// Reads the inventory of these schemas. `entries` are the definitions of the folder, of whatever
/// profile; those of `profile` count, and those that are applied.
pub(super) async fn read(
    connection: &mut Connection,
    server: &Server,
    schemas: &[String],
    entries: &[Entry],
    profile: &str,
) -> Result<Found, Error> {
    let failed = |error: server::Error| told(&error);
    let default_schema = default_schema(server, schemas);
    let rows = placed::ledgers(connection, schemas).await.map_err(failed)?;
    let (placed, remarks) = placed::place(entries, &rows, schemas, &default_schema, profile);
    let scope = Scope::Schemas(schemas.to_vec());
    let mut reading = catalog::indexes(connection, &scope).await.map_err(failed)?;
    catalog::add_tables(connection, &mut reading, placed::tables(&placed))
        .await
        .map_err(failed)?;
    let (mut catalog, mut notes) = (reading.catalog, reading.notes);
    let usage = usage::read(connection, &catalog).await.map_err(failed)?;
    let doubts = doubts(&catalog, &usage, &placed);
    let more =
        catalog::add_columns(connection, &mut catalog, &doubts.whole, &doubts.counters).await;
    notes.extend(more.map_err(failed)?);
    notes.extend(usage.notes.iter().cloned());
    notes.extend(remarks);
    let is_own = |name: &TableName| name.name.starts_with(OWN);
    let mut indexes = index_facts(&catalog, &usage, &placed);
    indexes.retain(|facts| !is_own(&facts.verdict.table));
    notes.extend(unread_so_far(&indexes, &usage));
    let tables = catalog.tables.values();
    let inventory = Inventory {
        server: server.name.clone(),
        version: catalog.version.clone(),
        at: Timestamp::now(),
        window: usage.window,
        tables: tables
            .filter(|table| !is_own(&table.name))
            .map(table_facts)
            .collect(),
        indexes,
        definitions: placed::all_states(&placed, &catalog),
        notes,
    };
    Ok(Found {
        cost: cost(connection).await?,
        inventory,
        placed,
        catalog,
    })
}

/// A sentence about indexes that would be called unused had they been counted for longer.
fn unread_so_far(indexes: &[IndexFacts], usage: &IndexUsage) -> Option<String> {
    let verdicts = indexes.iter().map(|facts| &facts.verdict);
    let count = verdicts
        .filter(|verdict| existing::is_unread_so_far(usage, verdict))
        .count();
    let (what, them) = match count {
        0 => return None,
        1 => ("1 index was".to_owned(), "it"),
        n => (format!("{n} indexes were"), "them"),
    };
    Some(format!(
        "{what} not read since the server started or the table was altered, less than {} ago: too \
         short to call {them} unused; look again later",
        units::duration(IndexUsage::SHORTEST)
    ))
}

/// The schema of definitions that name none: the only one of the report, else the URL's database
/// where that is among them; empty where nothing says which.
fn default_schema(server: &Server, schemas: &[String]) -> String {
    let is_there = |database: &&String| {
        let mut all = schemas.iter();
        all.any(|schema| schema.eq_ignore_ascii_case(database))
    };
    match (schemas, &server.database) {
        ([only], _) => only.clone(),
        (_, Some(database)) if is_there(&database) => database.clone(),
        _ => String::new(),
    }
}

/// The tables of which more has to be known than their indexes.
struct Doubts {
    /// All columns: where a unique index may stand for the primary key, where the widths of two
    /// indexes are compared, and where a definition is about the table.
    whole: Vec<TableName>,
    /// Which column counts up by itself: where an index might go that could begin with it.
    counters: Vec<TableName>,
}

fn doubts(catalog: &Catalog, usage: &IndexUsage, placed: &[Placed]) -> Doubts {
    let mut whole: BTreeSet<&TableName> = placed::tables(placed)
        .filter_map(|name| catalog.table(&name.schema, &name.name))
        .map(|table| &table.name)
        .collect();
    let tables = catalog.tables.values();
    let unclear = tables.filter(|table| has_no_key(table) || compares_widths(table));
    whole.extend(unclear.map(|table| &table.name));
    let counters: BTreeSet<TableName> = existing::review(catalog, usage, &[])
        .into_iter()
        .filter(|verdict| verdict.fate.is_drop() || existing::is_unread_so_far(usage, verdict))
        .filter(|verdict| !whole.contains(&verdict.table))
        .filter(|verdict| may_count(catalog, verdict))
        .map(|verdict| verdict.table)
        .collect();
    Doubts {
        whole: whole.into_iter().cloned().collect(),
        counters: counters.into_iter().collect(),
    }
}

fn has_no_key(table: &Table) -> bool {
    table.primary_key().is_none() && table.indexes.iter().any(|index| index.is_unique)
}

/// Whether one index begins as another does: then it may go if the other is not much wider.
fn compares_widths(table: &Table) -> bool {
    let mut firsts = BTreeSet::new();
    let mut secondary = table.indexes.iter().filter(|index| !index.is_primary());
    secondary.any(|index| !firsts.insert(index.parts.first().map(|part| &part.what)))
}

/// Whether the index could be the only one that begins with a column that counts up by itself: not
/// if the primary key, which stays, begins with the same.
fn may_count(catalog: &Catalog, verdict: &Verdict) -> bool {
    let first = |index: &Index| {
        let part = index.parts.first()?;
        part.column_name().map(str::to_ascii_lowercase)
    };
    let table = catalog.tables.get(&verdict.table);
    let primary = table.and_then(Table::primary_key).and_then(first);
    first(&verdict.index).is_some_and(|column| Some(column) != primary)
}

fn table_facts(table: &Table) -> TableFacts {
    TableFacts {
        name: table.name.clone(),
        engine: table.engine.clone(),
        rows: table.rows,
        data_bytes: table.data_bytes,
        index_bytes: table.index_bytes,
        unsupported: table
            .foreign_keys
            .iter()
            .filter(|key| !table.indexes.iter().any(|index| supports(index, key)))
            .map(|key| (key.clone(), missing(table, key)))
            .collect(),
    }
}

/// Whether the index begins with the columns of the key, in their order. The server makes an index
/// of its own for a new key rather than take a descending one, but lets go of the ascending one
/// where a descending one is left, and the key holds (tried on MySQL 9.7): no key is without an
/// index there. The review of the indexes does not count on it.
fn supports(index: &Index, key: &ForeignKey) -> bool {
    index.kind == IndexKind::BTree
        && index.parts.len() >= key.columns.len()
        && index.parts.iter().zip(&key.columns).all(|(part, column)| {
            part.prefix.is_none()
                && part
                    .column_name()
                    .is_some_and(|name| name.eq_ignore_ascii_case(column))
        })
}

/// The statement that makes an index for a foreign key.
fn missing(table: &Table, key: &ForeignKey) -> String {
    let mut name = key.name.clone();
    while table.index(&name).is_some() {
        name.push_str("_index");
    }
    let parts = key.columns.iter().map(KeyPart::column).collect();
    ddl::create_index(&table.name, &Index::btree(name, parts), Mode::ONLINE)
}

fn index_facts(catalog: &Catalog, usage: &IndexUsage, placed: &[Placed]) -> Vec<IndexFacts> {
    let primary = catalog.tables.values().filter_map(|table| {
        Some(Verdict {
            table: table.name.clone(),
            index: table.primary_key()?.clone(),
            fate: Fate::Keep,
            reason: "it is the primary key".to_owned(),
            ddl: Vec::new(),
            undo: Vec::new(),
        })
    });
    let mut all: Vec<IndexFacts> = existing::review(catalog, usage, &[])
        .into_iter()
        .chain(primary)
        .map(|verdict| IndexFacts {
            usage: usage.of(&verdict.table, &verdict.index.name),
            window: usage.window_of(&verdict.table),
            definition: placed::definition_of(&verdict, placed),
            verdict,
        })
        .collect();
    all.sort_by(|one, other| {
        let key = |facts: &IndexFacts| {
            let verdict = &facts.verdict;
            (
                verdict.table.clone(),
                !verdict.index.is_primary(),
                verdict.index.name.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    all
}

/// What this connection has cost so far.
pub(super) async fn cost(connection: &mut Connection) -> Result<Cost, Error> {
    let failed = |error: server::Error| told(&error);
    let whole = effort::target_cost(connection).await;
    let mut cost = Cost {
        statements: whole.statements,
        rows: whole.rows,
        time: whole.time,
        cpu: None,
    };
    let Some(thread) = connection.thread() else {
        return Ok(cost);
    };
    let sql = format!(
        "SELECT /* mydex:cost */ SUM(SUM_CPU_TIME) \
         FROM performance_schema.events_statements_summary_by_thread_by_event_name \
         WHERE THREAD_ID = {thread}"
    );
    match connection
        .first("the processor time of this session", &sql)
        .await
    {
        Err(error) if error.is_fatal() => return Err(failed(error)),
        Ok(Some(row)) => {
            let counted = row.u64(0).filter(|time| *time > 0);
            cost.cpu = counted.map(from_picoseconds);
        }
        Ok(None) | Err(_) => {}
    }
    Ok(cost)
}

/// An error of the server with its remedy.
pub(super) fn told(error: &server::Error) -> Error {
    Error::from_chain(error).hint(error.hint())
}
