//! Reads what the view of the indexes shows: the inventory, and where each definition stands.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::cli::error::Error;
use crate::cli::inventory::{self, Found, Placed};
use crate::config::settings::{Server, Settings};
use crate::indexes::course::PlannedStep;
use crate::indexes::definition::Definition;
use crate::indexes::files::Entry;
use crate::indexes::folder;
use crate::model::feed::{DefinitionText, IndexBoard, SOAK, Statement};
use crate::model::inventory::IndexFacts;
use crate::model::review::{Fate, Required};
use crate::model::schema::Catalog;
use crate::server::{self, Connection, ddl};

/// Whose ledger keeps a definition, and its number there.
type Key = (String, u32);

/// Mistakes of the folder that are told one by one.
const MISTAKES: usize = 10;

/// Reads everything, over a connection of its own.
pub(super) async fn board(
    settings: &Settings,
    server: &Server,
    folder: &Path,
) -> Result<IndexBoard, Error> {
    let (entries, notes) = definitions(folder)?;
    let mut connection = server::open(server, &settings.monitor)
        .await
        .map_err(|error| inventory::told(&error))?;
    let begun = Instant::now();
    let profile = settings.profile.name();
    let read = there(&mut connection, server, &entries, profile).await;
    let took = begun.elapsed();
    connection.close().await;
    let found = read?;
    let mut inventory = found.inventory;
    inventory.notes.extend(notes);
    Ok(IndexBoard {
        definitions: found
            .placed
            .iter()
            .flat_map(|placed| texts(placed, &found.catalog, inventory.at))
            .collect(),
        visibility: inventory.indexes.iter().map(visibility).collect(),
        took,
        inventory,
    })
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

async fn there(
    connection: &mut Connection,
    server: &Server,
    entries: &[Entry],
    profile: &str,
) -> Result<Found, Error> {
    let schemas = inventory::schemas(connection, server, &[]).await?;
    inventory::read(connection, server, &schemas, entries, profile).await
}

/// What each definition says: by its file, else by the ledger's text.
fn texts(placed: &Placed, catalog: &Catalog, now: Timestamp) -> BTreeMap<Key, DefinitionText> {
    let text = |version: u32, definition: &Definition| {
        let asked = (version, definition);
        let (ways, obstacle) = match placed.ways(asked, catalog, (now, SOAK)) {
            Some(Ok(ways)) => (Some(ways.clone()), ways.obstacle),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, Some("its table does not exist".to_owned())),
        };
        let (up, down) = ways.map_or_else(Default::default, |ways| (ways.up, ways.down));
        DefinitionText {
            index: definition.index.clone(),
            reason: definition.reason.clone(),
            up: up.into_iter().map(statement).collect(),
            down: down.into_iter().map(statement).collect(),
            obstacle,
        }
    };
    let of_ledger = placed.rows.iter().filter_map(|row| {
        let definition = Definition::parse("the ledger", &row.definition).ok()?;
        let key = (row.table.schema.clone(), row.version);
        Some((key, text(row.version, &definition)))
    });
    let of_files = placed.entries.iter().map(|entry| {
        let table = entry.definition.table_name(&placed.schema);
        let key = (table.schema, entry.version);
        (key, text(entry.version, &entry.definition))
    });
    // The later one counts: what the file says now.
    of_ledger.chain(of_files).collect()
}

fn statement(step: PlannedStep) -> Statement {
    Statement {
        sql: step.statement,
        is_after_soak: step.is_after_soak,
    }
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
