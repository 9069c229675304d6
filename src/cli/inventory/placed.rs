//! The definitions of a folder schema by schema: which of them are about it, and what its ledger
//! says of them.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::indexes::definition::Definition;
use crate::indexes::files::Entry;
use crate::indexes::ledger::{self, Row};
use crate::indexes::status::states;
use crate::indexes::ways::{Unreadable, Ways, ways};
use crate::model::ledger::DefinitionState;
use crate::model::review::Verdict;
use crate::model::schema::{Catalog, Table, TableName};
use crate::server::cells::Cells as _;
use crate::server::quote::hex_literal;
use crate::server::{self, Connection};

/// One schema with its definitions. Two schemas may have ledgers of the same numbers.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) struct Placed {
    /// The schema; definitions that name none are about it.
    pub(in crate::cli) schema: String,
    /// The definitions of the folder that are about it, for this profile or applied.
    pub(in crate::cli) entries: Vec<Entry>,
    /// Its ledger.
    pub(in crate::cli) rows: Vec<Row>,
}

impl Placed {
    /// Where each definition stands.
    fn states(&self, catalog: &Catalog) -> Vec<DefinitionState> {
        states(&self.entries, &self.rows, catalog, &self.schema)
    }

    /// The statements of a definition on its table as it is in `catalog`, at a moment of the
    /// server's clock; `None` where there is no such table.
    pub(in crate::cli) fn ways(
        &self,
        (version, definition): (u32, &Definition),
        catalog: &Catalog,
        (now, soak): (Timestamp, Duration),
    ) -> Option<Result<Ways, Unreadable>> {
        let name = definition.table_name(&self.schema);
        // Statements name the table as the definition does.
        let table = Table {
            name: name.clone(),
            ..catalog.table(&name.schema, &name.name)?.clone()
        };
        let row = self.rows.iter().find(|row| row.version == version);
        let known = row.map(|row| {
            let since = row.hidden.map(|hidden| now.duration_since(hidden));
            (row, since.and_then(|time| Duration::try_from(time).ok()))
        });
        Some(ways(definition, known, &table, soak))
    }

    /// The tables that the definitions and the ledger are about.
    fn tables(&self) -> impl Iterator<Item = TableName> {
        let of_files = self.entries.iter();
        of_files
            .map(|entry| entry.definition.table_name(&self.schema))
            .chain(self.rows.iter().map(|row| row.table.clone()))
    }

    /// Whether the definition is known to the ledger, by its number, table and index.
    fn knows(&self, entry: &Entry) -> bool {
        let definition = &entry.definition;
        self.rows.iter().any(|row| {
            row.version == entry.version
                && row.table.name.eq_ignore_ascii_case(&definition.table)
                && row.index.eq_ignore_ascii_case(&definition.index.name)
        })
    }

    fn is_about(&self, entry: &Entry, default_schema: &str) -> bool {
        match &entry.definition.schema {
            Some(schema) => schema.eq_ignore_ascii_case(&self.schema),
            // It was applied here with `--schema`, or is meant for here.
            None => default_schema.eq_ignore_ascii_case(&self.schema) || self.knows(entry),
        }
    }
}

/// Puts each definition to the schemas that it is about, and says what was left out. A definition
/// that names no schema is about `default_schema`, and about each whose ledger knows it.
pub(super) fn place(
    entries: &[Entry],
    rows: &[Row],
    schemas: &[String],
    default_schema: &str,
    profile: &str,
) -> (Vec<Placed>, Vec<String>) {
    let mut placed = Vec::new();
    let mut used = BTreeSet::new();
    for schema in schemas {
        let own = |row: &&Row| row.table.schema.eq_ignore_ascii_case(schema);
        let mut one = Placed {
            schema: schema.clone(),
            entries: Vec::new(),
            rows: rows.iter().filter(own).cloned().collect(),
        };
        let wanted = |entry: &&Entry| {
            let is_applied = || one.rows.iter().any(|row| row.version == entry.version);
            one.is_about(entry, default_schema) && (entry.is_for(profile) || is_applied())
        };
        let found: Vec<Entry> = entries.iter().filter(wanted).cloned().collect();
        used.extend(found.iter().map(|entry| entry.file.clone()));
        one.entries = found;
        placed.push(one);
    }
    let left: Vec<&Entry> = entries
        .iter()
        .filter(|entry| !used.contains(&entry.file))
        .collect();
    let mut notes = Vec::new();
    let elsewhere = left.iter().filter(|entry| !entry.is_for(profile)).count();
    if elsewhere > 0 {
        notes.push(format!(
            "{elsewhere} definitions are for other profiles than `{profile}`"
        ));
    }
    let is_homeless = |entry: &&&Entry| {
        entry.is_for(profile) && entry.definition.schema.is_none() && default_schema.is_empty()
    };
    let homeless = left.iter().filter(is_homeless).count();
    if homeless > 0 {
        notes.push(format!(
            "{homeless} definitions name no schema, and no ledger knows them; put the database into \
             the server's URL, or `schema` into the files"
        ));
    }
    (placed, notes)
}

/// The tables that definitions and ledgers are about.
pub(super) fn tables(placed: &[Placed]) -> impl Iterator<Item = TableName> {
    placed.iter().flat_map(Placed::tables)
}

/// Where all definitions stand, in the order of their numbers.
pub(super) fn all_states(placed: &[Placed], catalog: &Catalog) -> Vec<DefinitionState> {
    let mut all: Vec<DefinitionState> = placed.iter().flat_map(|one| one.states(catalog)).collect();
    all.sort_by(|one, other| {
        let key = |state: &DefinitionState| (state.version, state.table.schema.clone());
        key(one).cmp(&key(other))
    });
    all
}

/// The latest definition that made or is to drop the index, by its name.
pub(super) fn definition_of(verdict: &Verdict, placed: &[Placed]) -> Option<u32> {
    let own = placed
        .iter()
        .find(|one| one.schema.eq_ignore_ascii_case(&verdict.table.schema))?;
    let is_it = |entry: &&Entry| {
        let definition = &entry.definition;
        definition.table.eq_ignore_ascii_case(&verdict.table.name)
            && definition
                .index
                .name
                .eq_ignore_ascii_case(&verdict.index.name)
    };
    own.entries
        .iter()
        .rev()
        .find(is_it)
        .map(|entry| entry.version)
}

/// The ledgers of these schemas. They are looked for by their names: the catalog may end before
/// them.
pub(super) async fn ledgers(
    connection: &mut Connection,
    schemas: &[String],
) -> Result<Vec<Row>, server::Error> {
    let names: Vec<String> = schemas.iter().map(|name| hex_literal(name)).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT /* mydex:ledger */ TABLE_SCHEMA FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA IN ({}) AND TABLE_NAME = '{}' LIMIT {}",
        names.join(", "),
        ledger::TABLE,
        schemas.len()
    );
    let found = connection.rows("the ledgers", &sql).await?;
    let mut rows = Vec::new();
    for schema in found.iter().filter_map(|row| row.text(0)) {
        rows.extend(ledger::read(connection, &schema).await?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
