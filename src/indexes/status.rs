//! Where each definition stands: file against ledger against database.

mod open;

use std::collections::BTreeMap;

use super::definition::Definition;
use super::facets::{differences, is_same_structure};
use super::files::Entry;
use super::ledger::Row;
use super::reconcile::{Direction, Stage};
use super::rules;
use crate::model::advice::Action;
use crate::model::check::Rule;
use crate::model::ledger::{DefinitionState, State};
use crate::model::schema::{Catalog, Index, TableName};

/// Where a definition stands, and which rules that breaks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stand {
    pub(super) state: DefinitionState,
    pub(super) broken: Vec<Broken>,
}

/// A rule that is broken, without place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Broken {
    pub(super) rule: &'static Rule,
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Broken {
    pub(super) fn new(
        rule: &'static Rule,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

/// Where each definition stands that the folder or the ledger knows, in the order of their numbers.
///
/// `ledger` has the rows of all schemas that the entries are about; a definition that names no
/// schema is about `default_schema`.
#[must_use]
pub fn states(
    entries: &[Entry],
    ledger: &[Row],
    catalog: &Catalog,
    default_schema: &str,
) -> Vec<DefinitionState> {
    stands(entries, ledger, catalog, default_schema)
        .into_iter()
        .map(|stand| DefinitionState {
            problems: stand
                .broken
                .iter()
                .map(|broken| format!("{}; {}", broken.message, broken.remedy))
                .collect(),
            ..stand.state
        })
        .collect()
}

/// One definition with all that is known of it.
#[derive(Clone, Copy)]
struct Known<'a> {
    entry: Option<&'a Entry>,
    row: Option<&'a Row>,
}

impl Known<'_> {
    fn version(&self) -> u32 {
        let row = self.row.map(|row| row.version);
        self.entry.map(|entry| entry.version).or(row).unwrap_or(0)
    }

    fn state(&self) -> State {
        self.row.map_or(State::Pending, |row| row.state)
    }
}

pub(super) fn stands(
    entries: &[Entry],
    ledger: &[Row],
    catalog: &Catalog,
    default_schema: &str,
) -> Vec<Stand> {
    let mut known: Vec<Known> = entries
        .iter()
        .map(|entry| Known {
            entry: Some(entry),
            row: row_of(entry, ledger, default_schema),
        })
        .collect();
    for row in ledger {
        let has_file = |one: &Known| one.row.is_some_and(|own| std::ptr::eq(own, row));
        if !known.iter().any(has_file) {
            known.push(Known {
                entry: None,
                row: Some(row),
            });
        }
    }
    known.sort_by_key(Known::version);
    let book = Book {
        last: last_applied(ledger),
        known: &known,
        catalog,
        default_schema,
    };
    known.iter().map(|one| book.stand(one)).collect()
}

/// The row of a definition in the ledger of its schema.
pub(super) fn row_of<'a>(
    entry: &Entry,
    ledger: &'a [Row],
    default_schema: &str,
) -> Option<&'a Row> {
    let schema = &entry.definition.table_name(default_schema).schema;
    ledger
        .iter()
        .find(|row| row.version == entry.version && row.table.schema.eq_ignore_ascii_case(schema))
}

type Key = (TableName, String);

fn key(table: &TableName, index: &str) -> Key {
    (table.clone(), index.to_lowercase())
}

/// The version that was applied last, for each index: what it says is how the index has to be.
fn last_applied(ledger: &[Row]) -> BTreeMap<Key, u32> {
    let mut applied: Vec<&Row> = ledger.iter().filter(|row| is_in_force(row.state)).collect();
    applied.sort_by_key(|row| (row.changed, row.version));
    applied
        .into_iter()
        .map(|row| (key(&row.table, &row.index), row.version))
        .collect()
}

/// Whether the database was changed by it and not changed back.
pub(super) fn is_in_force(state: State) -> bool {
    matches!(state, State::Applied | State::Staged | State::Soaking)
}

struct Book<'a> {
    last: BTreeMap<Key, u32>,
    known: &'a [Known<'a>],
    catalog: &'a Catalog,
    default_schema: &'a str,
}

impl Book<'_> {
    fn stand(&self, one: &Known) -> Stand {
        let state = self.state(one);
        let mut broken = Vec::new();
        self.papers(one, &state, &mut broken);
        let table = self.catalog.table(&state.table.schema, &state.table.name);
        let is_open = one.entry.is_some() || is_in_force(state.state);
        match table {
            None if is_open => broken.push(Broken::new(
                &rules::NO_TABLE,
                format!("there is no table `{}`", state.table),
                "correct `table` or `schema`, or make the table first",
            )),
            None => {}
            Some(table) => {
                let found = table.index(&state.index);
                if is_in_force(state.state) {
                    self.applied(one, &state, &table.indexes, found, &mut broken);
                } else {
                    self.open(one, &state, found, &mut broken);
                }
            }
        }
        Stand { state, broken }
    }

    fn state(&self, one: &Known) -> DefinitionState {
        let (name, table, index, action) = match (one.entry, one.row) {
            (Some(entry), _) => (
                entry.name.clone(),
                entry.definition.table_name(self.default_schema),
                entry.definition.index.name.clone(),
                entry.definition.action,
            ),
            (None, Some(row)) => (
                row.name.clone(),
                row.table.clone(),
                row.index.clone(),
                row.action,
            ),
            (None, None) => return nothing(),
        };
        DefinitionState {
            version: one.version(),
            name,
            file: one.entry.map(|entry| entry.file.clone()),
            table,
            index,
            action,
            state: one.state(),
            changed: one.row.map(|row| row.changed),
            said: one.row.and_then(said),
            problems: Vec::new(),
        }
    }

    /// The file against the ledger.
    fn papers(&self, one: &Known, state: &DefinitionState, broken: &mut Vec<Broken>) {
        let version = state.version;
        let stays = is_in_force(state.state) || state.state == State::Unfinished;
        if let (Some(entry), Some(row)) = (one.entry, one.row)
            && stays
            && entry.definition.checksum() != row.checksum
        {
            broken.push(Broken::new(
                &rules::EDITED,
                format!("`{}` was changed after it was applied", entry.file),
                format!(
                    "write the change as a new definition, and bring the file back to what \
                     `mydex_ledger` of `{}` has under {version}",
                    state.table.schema
                ),
            ));
        }
        if one.entry.is_none() && stays {
            broken.push(Broken::new(
                &rules::NO_FILE,
                format!("the ledger knows version {version}, and the folder has no such file"),
                format!(
                    "bring the file back; its text is in `mydex_ledger` of `{}`",
                    state.table.schema
                ),
            ));
        }
        if state.state == State::Unfinished {
            let error = one.row.and_then(|row| row.error.as_deref());
            let why = error.map_or(String::new(), |error| format!(": {error}"));
            let is_down = one.row.is_some_and(|row| row.direction == Direction::Down);
            let (what, remedy) = if is_down {
                (
                    "was being taken back",
                    format!(
                        "`mydex index rollback --only {version} --execute` goes on from what is \
                         there"
                    ),
                )
            } else {
                (
                    "was begun",
                    "run `mydex index apply --execute` again; it goes on from what is there"
                        .to_owned(),
                )
            };
            broken.push(Broken::new(
                &rules::UNFINISHED,
                format!("version {version} {what}, and that was not ended{why}"),
                remedy,
            ));
        }
        let later = self.known.iter().filter(|other| {
            other.version() > version
                && is_in_force(other.state())
                && other
                    .row
                    .is_some_and(|row| row.table.schema == state.table.schema)
        });
        if let Some(later) = later.max_by_key(|later| later.version())
            && state.state == State::Pending
        {
            broken.push(Broken::new(
                &rules::OUT_OF_ORDER,
                format!(
                    "version {version} is pending, and {} was applied before it",
                    later.version()
                ),
                "give it the next free number, or apply it on purpose",
            ));
        }
    }

    /// What the ledger says is there against what is there.
    fn applied(
        &self,
        one: &Known,
        state: &DefinitionState,
        all: &[Index],
        found: Option<&Index>,
        broken: &mut Vec<Broken>,
    ) {
        let Some(row) = one.row else { return };
        let last = self.last.get(&key(&row.table, &row.index));
        if last.is_some_and(|last| *last != row.version) {
            return;
        }
        let applied = Definition::parse("ledger", &row.definition).ok();
        let wanted = applied
            .as_ref()
            .or(one.entry.map(|entry| &entry.definition))
            .map(|definition| &definition.index);
        let again = format!(
            "`mydex index rollback --only {0} --execute` and `mydex index apply --only {0} --execute` \
             do it again; or write a definition of what is there now",
            row.version
        );
        let name = format!("`{}` on `{}`", row.index, row.table);
        match (row.action, row.state, found) {
            (Action::Drop, State::Applied, Some(_)) => broken.push(Broken::new(
                &rules::STILL_THERE,
                format!(
                    "index {name} was dropped by version {}, and is there",
                    row.version
                ),
                again,
            )),
            (Action::Drop, State::Applied, None) => {}
            (_, _, None) => {
                let equal = |index: &Index| wanted.is_some_and(|own| is_same_structure(own, index));
                if !(row.stage == Stage::Equal && all.iter().any(equal)) {
                    broken.push(Broken::new(
                        &rules::GONE,
                        format!("index {name} is gone; version {} made it", row.version),
                        again,
                    ));
                }
            }
            (_, _, Some(found)) => {
                let mut wanted = wanted.cloned();
                if let Some(wanted) = &mut wanted
                    && matches!(state.state, State::Staged | State::Soaking)
                {
                    wanted.is_visible = false;
                }
                for one in wanted.iter().flat_map(|wanted| differences(wanted, found)) {
                    broken.push(Broken::new(
                        &rules::DIFFERS,
                        format!(
                            "index {name} has {} `{}`, and version {} says `{}`",
                            one.facet.key(),
                            one.found,
                            row.version,
                            one.wanted
                        ),
                        again.clone(),
                    ));
                }
            }
        }
    }
}

fn nothing() -> DefinitionState {
    DefinitionState {
        version: 0,
        name: String::new(),
        file: None,
        table: TableName::new("", ""),
        index: String::new(),
        action: Action::Create,
        state: State::Pending,
        changed: None,
        said: None,
        problems: Vec::new(),
    }
}

/// What the ledger says about a version, for people.
fn said(row: &Row) -> Option<String> {
    if let (State::Soaking, Some(hidden)) = (row.state, row.hidden) {
        let since = hidden.strftime("%Y-%m-%d %H:%M:%S");
        return Some(format!("invisible since {since} UTC, and to be dropped"));
    }
    // While an index has another name, the note has the names that have to come back.
    let note = row.note.clone().filter(|_| row.stage != Stage::Aside);
    let said = row.error.clone().or(note);
    said.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
