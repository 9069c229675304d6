//! What the dashboard knows of the indexes: the latest reading, the change that is under way.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::rows::directed;
use super::{Model, RowKey, columns_text};
use crate::model::advice::Action;
use crate::model::feed::{DefinitionText, IndexBoard, IndexChange, Statement};
use crate::model::inventory::IndexFacts;
use crate::model::ledger::{DefinitionState, State};
use crate::model::review::{Fate, Required};
use crate::model::schema::{Index, TableName};
use crate::tui::columns::Col;
use crate::tui::filter::Haystack;

/// A change that has not ended.
#[derive(Debug, Clone)]
pub(in crate::tui) struct ChangeRun {
    pub(in crate::tui) change: IndexChange,
    /// On the clock that counts since the start.
    pub(in crate::tui) started: Duration,
    pub(in crate::tui) step: String,
    pub(in crate::tui) share: Option<f64>,
    pub(in crate::tui) left: Option<Duration>,
    /// It was asked to end.
    pub(in crate::tui) is_stopping: bool,
}

/// The indexes as far as they are not data on the screen: never frozen.
#[derive(Debug, Clone, Default)]
pub(in crate::tui) struct IndexesState {
    pub(in crate::tui) run: Option<ChangeRun>,
    /// A reading was asked for, on the clock that counts since the start.
    pub(in crate::tui) reading: Option<Duration>,
    /// The reading that is under way began before a change ended: another one has to follow.
    pub(in crate::tui) is_outdated: bool,
    /// When the latest reading ended, well or not, on the same clock.
    pub(in crate::tui) read_at: Option<Duration>,
    /// Why the latest reading failed, and when.
    pub(in crate::tui) failed: Option<(String, Timestamp)>,
}

/// Identity of a row: an index keeps it from its definition to its end. Index names never depend
/// on case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::tui) struct IndexKey {
    table: TableName,
    index: String,
}

impl IndexKey {
    pub(in crate::tui) fn new(table: &TableName, index: &str) -> Self {
        Self {
            table: table.clone(),
            index: index.to_lowercase(),
        }
    }
}

/// One line of the table: an index, the definitions of it, or both.
#[derive(Debug, Clone)]
pub(in crate::tui) struct IndexRow {
    pub(in crate::tui) key: IndexKey,
    /// The index, by its place in the inventory; `None` where only definitions name it.
    index: Option<usize>,
    /// Its definitions, by their places in the inventory, in the order of their numbers.
    definitions: Vec<usize>,
}

/// A row with what it stands for.
#[derive(Debug, Clone, Copy)]
pub(in crate::tui) struct Entry<'a> {
    row: &'a IndexRow,
    board: &'a IndexBoard,
}

impl<'a> Entry<'a> {
    pub(in crate::tui) fn facts(self) -> Option<&'a IndexFacts> {
        self.board.inventory.indexes.get(self.row.index?)
    }

    /// Its definitions, in the order of their numbers.
    pub(in crate::tui) fn definitions(
        self,
    ) -> impl DoubleEndedIterator<Item = &'a DefinitionState> {
        let all = &self.board.inventory.definitions;
        self.row.definitions.iter().filter_map(|n| all.get(*n))
    }

    pub(in crate::tui) fn table(self) -> &'a TableName {
        match self.facts() {
            Some(facts) => &facts.verdict.table,
            None => self.definition().map_or(&self.row.key.table, |d| &d.table),
        }
    }

    pub(in crate::tui) fn name(self) -> &'a str {
        match self.facts() {
            Some(facts) => &facts.verdict.index.name,
            None => self.definition().map_or(&self.row.key.index, |d| &d.index),
        }
    }

    /// The definition that its state is told by: one that waits, else the latest that is in
    /// force, else the latest.
    pub(in crate::tui) fn definition(self) -> Option<&'a DefinitionState> {
        let waits = |d: &&DefinitionState| {
            !matches!(
                d.state,
                State::Applied | State::RolledBack | State::Rejected
            )
        };
        self.definitions()
            .find(waits)
            .or_else(|| self.to_roll_back())
            .or_else(|| self.definitions().next_back())
    }

    /// The definition that an apply is about.
    pub(in crate::tui) fn to_apply(self) -> Option<&'a DefinitionState> {
        let is_open = |d: &&DefinitionState| {
            !matches!(
                d.state,
                State::Applied | State::RolledBack | State::Rejected
            )
        };
        let is_closed =
            |d: &&DefinitionState| matches!(d.state, State::RolledBack | State::Rejected);
        self.definitions()
            .find(is_open)
            .or_else(|| self.definitions().find(is_closed))
    }

    /// The definition that a rollback is about.
    pub(in crate::tui) fn to_roll_back(self) -> Option<&'a DefinitionState> {
        self.definitions().rev().find(|d| match d.state {
            State::Applied | State::Staged | State::Soaking | State::Unfinished => true,
            // One that the guard hid is there still.
            State::Rejected => d.action == Action::Create && self.facts().is_some(),
            State::Pending | State::RolledBack => false,
        })
    }

    pub(in crate::tui) fn text_of(
        self,
        definition: &DefinitionState,
    ) -> Option<&'a DefinitionText> {
        let key = (definition.table.schema.clone(), definition.version);
        self.board.definitions.get(&key)
    }

    /// The statements of the row: of its definition, else of its review.
    pub(in crate::tui) fn statements(self) -> Vec<String> {
        if let Some(text) = self.to_apply().and_then(|one| self.text_of(one)) {
            return text.up.iter().map(Statement::shown).collect();
        }
        let facts = self.facts();
        let ddl = facts.map_or(&[][..], |facts| facts.verdict.ddl.as_slice());
        ddl.iter().map(|sql| format!("{sql};")).collect()
    }

    /// The statements that hide and that show the index, where it can be hidden.
    pub(in crate::tui) fn visibility(self) -> Option<&'a (String, String)> {
        let both = self.board.visibility.get(self.row.index?)?;
        (!both.0.is_empty()).then_some(both)
    }

    pub(in crate::tui) fn has_problem(self) -> bool {
        self.definitions().any(|d| !d.problems.is_empty())
    }

    /// What the index is, in a few short words.
    pub(in crate::tui) fn flags(self) -> String {
        let Some(facts) = self.facts() else {
            return "no index".to_owned();
        };
        let index = &facts.verdict.index;
        if index.is_primary() {
            return "primary".to_owned();
        }
        let mut words = Vec::new();
        if !index.is_visible {
            words.push("hidden");
        }
        let fate = fate_word(&facts.verdict.fate);
        words.extend(fate);
        if index.is_unique && fate != Some("unique") {
            words.push("unique");
        }
        words.join(" ")
    }

    fn state_rank(self) -> (bool, Option<State>) {
        (self.has_problem(), self.definition().map(|d| d.state))
    }

    fn bytes(self) -> Option<u64> {
        self.facts()?.verdict.index.bytes
    }

    fn fate_rank(self) -> u8 {
        match self.facts() {
            None => 0,
            Some(facts) => match facts.verdict.fate {
                _ if facts.verdict.index.is_primary() => 1,
                Fate::Keep => 2,
                Fate::Required(_) => 3,
                Fate::Unused => 4,
                Fate::Redundant(_) => 5,
                Fate::Duplicate(_) => 6,
            },
        }
    }

    /// The index that is there, else the one that its definition is about.
    pub(in crate::tui) fn index(self) -> Option<&'a Index> {
        match self.facts() {
            Some(facts) => Some(&facts.verdict.index),
            None => Some(&self.text_of(self.definition()?)?.index),
        }
    }

    fn parts(self) -> String {
        self.index().map(columns_text).unwrap_or_default()
    }

    fn compare(self, other: Self, col: Col) -> Ordering {
        let reads = |e: Self| e.facts().and_then(|f| f.usage).map(|u| u.reads);
        let writes = |e: Self| e.facts().and_then(|f| f.usage).map(|u| u.writes);
        let version = |e: Self| e.definition().map(|d| d.version);
        let place = |e: Self| (e.table(), e.name());
        match col {
            Col::IndexName => self.name().cmp(other.name()),
            Col::IndexParts => self.parts().cmp(&other.parts()),
            Col::IndexSize => self.bytes().cmp(&other.bytes()),
            Col::IndexReads => reads(self).cmp(&reads(other)),
            Col::IndexWrites => writes(self).cmp(&writes(other)),
            Col::IndexFlags => self.fate_rank().cmp(&other.fate_rank()),
            Col::IndexFile => version(self).cmp(&version(other)),
            Col::IndexState => self.state_rank().cmp(&other.state_rank()),
            _ => place(self).cmp(&place(other)),
        }
    }

    fn matches(self, filter: &crate::tui::filter::Filter) -> bool {
        if filter.is_empty() {
            return true;
        }
        let definition = self.definition();
        let text = format!("{} {} {}", self.table().name, self.name(), self.parts());
        let more = format!(
            "{} {} {} {}",
            self.flags(),
            definition.map_or("", |d| state_word(d.state)),
            definition.map_or_else(String::new, |d| format!("{:04}_{}", d.version, d.name)),
            if self.has_problem() { "problem" } else { "" },
        );
        filter.matches(Haystack {
            schema: &self.table().schema,
            text: &text,
            more: &more,
            ..Haystack::default()
        })
    }
}

/// A state as people write it.
pub(in crate::tui) fn state_word(state: State) -> &'static str {
    match state {
        State::RolledBack => "rolled back",
        other => other.word(),
    }
}

fn fate_word(fate: &Fate) -> Option<&'static str> {
    Some(match fate {
        Fate::Unused => "unused",
        Fate::Duplicate(_) => "dup",
        Fate::Redundant(_) => "redund",
        Fate::Keep => return None,
        Fate::Required(why) => match why {
            Required::ImplicitPrimaryKey => "primary",
            Required::Unique => "unique",
            Required::ForeignKeyChild => "fk",
            Required::ForeignKeyParent => "fk parent",
            Required::Hint => "hint",
            Required::AutoIncrement => "autoinc",
        },
    })
}

impl Model {
    /// The entry at a position of the table.
    pub(in crate::tui) fn index_entry(&self, position: usize) -> Option<Entry<'_>> {
        Some(Entry {
            row: self.index_rows.get(position)?,
            board: self.shown().indexes.as_ref()?,
        })
    }

    /// The entry that keys act on: the open one, else the selected one.
    pub(in crate::tui) fn chosen_index(&self) -> Option<Entry<'_>> {
        let Some(open) = &self.sheet else {
            return self.index_entry(self.cursor()?);
        };
        let RowKey::Index(key) = &open.key else {
            return None;
        };
        let position = self.index_rows.iter().position(|row| row.key == *key)?;
        self.index_entry(position)
    }

    /// Makes the rows of the indexes anew, after a reading.
    pub(in crate::tui) fn rebuild_indexes(&mut self) {
        self.index_rows = self.build_indexes();
        self.remember_position();
    }

    pub(super) fn build_indexes(&self) -> Vec<IndexRow> {
        let Some(board) = &self.shown().indexes else {
            return Vec::new();
        };
        let list = &self.lists[4];
        let mut rows = all_rows(board);
        rows.retain(|row| Entry { row, board }.matches(&list.filter));
        rows.sort_by(|a, b| {
            let (a, b) = (Entry { row: a, board }, Entry { row: b, board });
            directed(a.compare(b, list.sort), list.descending)
                .then_with(|| a.row.key.cmp(&b.row.key))
        });
        rows
    }
}

/// Every index, and every name that only definitions know.
fn all_rows(board: &IndexBoard) -> Vec<IndexRow> {
    let inventory = &board.inventory;
    let mut rows: BTreeMap<IndexKey, IndexRow> = BTreeMap::new();
    let empty = |key: &IndexKey| IndexRow {
        key: key.clone(),
        index: None,
        definitions: Vec::new(),
    };
    for (place, facts) in inventory.indexes.iter().enumerate() {
        let key = IndexKey::new(&facts.verdict.table, &facts.verdict.index.name);
        rows.entry(key.clone()).or_insert_with(|| empty(&key)).index = Some(place);
    }
    for (place, definition) in inventory.definitions.iter().enumerate() {
        let key = IndexKey::new(&definition.table, &definition.index);
        rows.entry(key.clone())
            .or_insert_with(|| empty(&key))
            .definitions
            .push(place);
    }
    for row in rows.values_mut() {
        row.definitions
            .sort_by_key(|place| inventory.definitions[*place].version);
    }
    rows.into_values().collect()
}
