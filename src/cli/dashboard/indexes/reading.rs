//! Reads what the view of the indexes shows: the inventory, and where each definition stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tokio::time::Instant;

use crate::cli::error::Error;
use crate::cli::inventory::{self, Found};
use crate::config::settings::{Server, Settings};
use crate::indexes::definition::Definition;
use crate::indexes::files::Entry;
use crate::indexes::folder;
use crate::indexes::ledger::{self, Row};
use crate::indexes::status::states;
use crate::model::feed::{DefinitionText, IndexBoard};
use crate::model::inventory::IndexFacts;
use crate::model::review::{Fate, Required};
use crate::model::schema::TableName;
use crate::server::{self, Connection, ddl};

/// Mistakes of the folder that are told one by one.
const MISTAKES: usize = 10;

/// The tables of mydex itself begin with this; their indexes are nobody's business.
const OWN: &str = "mydex_ledger";

/// Reads everything, over a connection of its own.
pub(super) async fn board(
    settings: &Settings,
    server: &Server,
    folder: &Path,
) -> Result<IndexBoard, Error> {
    let (entries, mut notes) = definitions(folder)?;
    let mut connection = server::open(server, &settings.monitor)
        .await
        .map_err(|error| inventory::told(&error))?;
    let begun = Instant::now();
    let read = there(&mut connection, server, &entries).await;
    let took = begun.elapsed();
    connection.close().await;
    let There {
        found,
        rows,
        default_schema,
    } = read?;
    let entries = of_here(
        entries,
        &rows,
        settings.profile.name(),
        &default_schema,
        &mut notes,
    );
    let mut inventory = found.inventory;
    inventory.definitions = states(&entries, &rows, &found.catalog, &default_schema);
    inventory.notes.extend(notes);
    inventory.indexes.retain(|one| !is_own(&one.verdict.table));
    inventory.tables.retain(|one| !is_own(&one.name));
    Ok(IndexBoard {
        definitions: texts(&entries, &rows, &default_schema),
        visibility: inventory.indexes.iter().map(visibility).collect(),
        took,
        inventory,
    })
}

fn is_own(table: &TableName) -> bool {
    table.name.starts_with(OWN)
}

/// The definitions that can be read, and a sentence for each mistake.
fn definitions(path: &Path) -> Result<(Vec<Entry>, Vec<String>), Error> {
    let survey = folder::survey(path).map_err(|error| Error::from_chain(&error))?;
    let mut notes: Vec<String> = survey
        .mistakes
        .iter()
        .take(MISTAKES)
        .map(ToString::to_string)
        .collect();
    if survey.mistakes.len() > MISTAKES {
        notes.push(format!(
            "and {} more mistakes in the folder; `mydex index lint` tells all",
            survey.mistakes.len() - MISTAKES
        ));
    }
    Ok((survey.entries, notes))
}

/// What is there, and what the ledgers say.
struct There {
    found: Found,
    rows: Vec<Row>,
    default_schema: String,
}

async fn there(
    connection: &mut Connection,
    server: &Server,
    entries: &[Entry],
) -> Result<There, Error> {
    let schemas = inventory::schemas(connection, server, &[]).await?;
    let found = inventory::read(connection, server, &schemas, entries).await?;
    let with_ledger: BTreeSet<&str> = found
        .catalog
        .tables
        .keys()
        .filter(|table| table.name.eq_ignore_ascii_case(OWN))
        .map(|table| table.schema.as_str())
        .collect();
    let mut rows = Vec::new();
    for schema in with_ledger {
        let read = ledger::read(connection, schema).await;
        rows.extend(read.map_err(|error| inventory::told(&error))?);
    }
    Ok(There {
        default_schema: inventory::default_schema(server, &schemas),
        found,
        rows,
    })
}

/// The definitions that are about this server; what is left out is noted.
fn of_here(
    entries: Vec<Entry>,
    rows: &[Row],
    profile: &str,
    default_schema: &str,
    notes: &mut Vec<String>,
) -> Vec<Entry> {
    let is_applied = |entry: &Entry| rows.iter().any(|row| row.version == entry.version);
    let (here, elsewhere): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|entry| entry.is_for(profile) || is_applied(entry));
    if !elsewhere.is_empty() {
        notes.push(format!(
            "{} definitions are for other profiles than `{profile}`",
            elsewhere.len()
        ));
    }
    let (placed, homeless): (Vec<_>, Vec<_>) = here
        .into_iter()
        .partition(|entry| entry.definition.schema.is_some() || !default_schema.is_empty());
    if !homeless.is_empty() {
        notes.push(format!(
            "{} definitions name no schema, and this server has several; put the database into the \
             server's URL, or `schema` into the files",
            homeless.len()
        ));
    }
    placed
}

/// What each definition says: by its file, else by the ledger's text.
fn texts(entries: &[Entry], rows: &[Row], default_schema: &str) -> BTreeMap<u32, DefinitionText> {
    let text = |definition: &Definition, schema: &str| DefinitionText {
        index: definition.index.clone(),
        reason: definition.reason.clone(),
        up: definition.up(schema),
        down: definition.down(schema),
    };
    let of_ledger = rows.iter().filter_map(|row| {
        let definition = Definition::parse("the ledger", &row.definition).ok()?;
        Some((row.version, text(&definition, &row.table.schema)))
    });
    let of_files = entries
        .iter()
        .map(|entry| (entry.version, text(&entry.definition, default_schema)));
    // The later one counts: what the file says now.
    of_ledger.chain(of_files).collect()
}

/// The statements that hide and that show an index; empty where MySQL refuses that.
fn visibility(one: &IndexFacts) -> (String, String) {
    let index = &one.verdict.index;
    let is_key =
        index.is_primary() || one.verdict.fate == Fate::Required(Required::ImplicitPrimaryKey);
    if is_key {
        return (String::new(), String::new());
    }
    let of = |visible| ddl::set_visible(&one.verdict.table, &index.name, visible);
    (of(false), of(true))
}
