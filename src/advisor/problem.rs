//! The decision as a table: which indexes there are to choose from, what each costs, and which of
//! them each query could use.

use std::collections::BTreeSet;

use super::assemble::{Entry, EntryFacts};
use super::candidates::{build_time, write_us_per_row};
use super::costs::IndexChoice;
use super::material::Material;
use super::planner::Choice;
use super::statistics::Statistics;
use super::weights;
use crate::advisor::candidate::Candidate;
use crate::model::schema::{Index, Table};

/// The existing secondary indexes of the workload's tables, then `candidates`.
#[must_use]
pub fn entries(
    material: &Material,
    candidates: Vec<Candidate>,
    keeps_existing: bool,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let tables: BTreeSet<_> = material.tables.iter().flatten().collect();
    for name in tables {
        let Some(table) = material.catalog.tables.get(name) else {
            continue;
        };
        for index in table.indexes.iter().filter(|index| !index.is_primary()) {
            let verdict = material
                .verdicts
                .get(&(name.clone(), index.name.clone()))
                .filter(|_| !keeps_existing);
            entries.push(Entry::Existing {
                table: name.clone(),
                index: index.clone(),
                may_go: verdict
                    .filter(|verdict| verdict.fate.is_drop())
                    .map(|verdict| verdict.reason.clone()),
            });
        }
    }
    entries.extend(candidates.into_iter().map(Entry::Candidate));
    entries
}

/// The entries as the twin knows them.
#[must_use]
pub fn choices(material: &Material, entries: &[Entry]) -> Vec<Choice> {
    entries
        .iter()
        .map(|entry| Choice {
            table: entry.table().clone(),
            index: entry.index().name.clone(),
            is_fixed: material
                .catalog
                .tables
                .get(entry.table())
                .is_some_and(|table| stands_for_primary(table, entry.index())),
        })
        .collect()
}

/// The first unique index without NULL columns stands for a primary key that is missing, and can't
/// be hidden (error 3522).
fn stands_for_primary(table: &Table, index: &Index) -> bool {
    table.primary_key().is_none()
        && index.is_unique
        && index.parts.iter().all(|part| {
            part.prefix.is_none()
                && part
                    .column_name()
                    .and_then(|name| table.column(name))
                    .is_some_and(|column| !column.is_nullable)
        })
}

/// The places of the entries that exist, and of those that are never hidden: an index that has to
/// stay is part of every set.
#[must_use]
pub fn places(entries: &[Entry], choices: &[Choice]) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let mut existing = BTreeSet::new();
    let mut kept = BTreeSet::new();
    for (place, entry) in entries.iter().enumerate() {
        if let Entry::Existing { may_go, .. } = entry {
            existing.insert(place);
            if may_go.is_none() || choices[place].is_fixed {
                kept.insert(place);
            }
        }
    }
    (existing, kept)
}

/// What is known of each entry.
#[must_use]
pub fn facts(material: &Material, entries: &[Entry], statistics: &Statistics) -> Vec<EntryFacts> {
    entries
        .iter()
        .map(|entry| {
            let Some(table) = material.catalog.tables.get(entry.table()) else {
                return EntryFacts::default();
            };
            let bytes = match entry {
                Entry::Candidate(candidate) => candidate.bytes,
                Entry::Existing { index, .. } => index.bytes.unwrap_or(0),
            };
            let us = write_us_per_row(table, entry.index(), statistics);
            EntryFacts {
                bytes,
                build: build_time(table, bytes),
                write_us_per_row: us,
                upkeep_us: weights::upkeep_us(
                    &material.workload,
                    &material.shapes,
                    table,
                    entry.index(),
                    us,
                ),
            }
        })
        .collect()
}

/// The indexes of the problem, in the order of the entries.
#[must_use]
pub fn indexes(
    entries: &[Entry],
    choices: &[Choice],
    facts: &[EntryFacts],
    window_seconds: f64,
    is_measured: bool,
) -> Vec<IndexChoice> {
    entries
        .iter()
        .zip(choices)
        .zip(facts)
        .map(|((entry, choice), facts)| {
            let (exists, may_go) = match entry {
                Entry::Existing { may_go, .. } => (true, may_go.is_some()),
                Entry::Candidate(_) => (false, true),
            };
            IndexChoice {
                bytes: facts.bytes,
                upkeep: weights::of_us(facts.upkeep_us, is_measured),
                write_cost: facts.upkeep_us / window_seconds,
                exists,
                is_required: exists && (!may_go || choice.is_fixed),
            }
        })
        .collect()
}

/// For each query the entries that its plan could use: those on its tables, of which candidates
/// only where the query asked for them or could use their first part.
#[must_use]
pub fn relevant(material: &Material, entries: &[Entry]) -> Vec<BTreeSet<usize>> {
    material
        .tables
        .iter()
        .enumerate()
        .map(|(query, tables)| {
            (0..entries.len())
                .filter(|place| tables.contains(entries[*place].table()))
                .filter(|place| match &entries[*place] {
                    Entry::Existing { .. } => true,
                    Entry::Candidate(candidate) => could_use(material, query, candidate),
                })
                .collect()
        })
        .collect()
}

fn could_use(material: &Material, query: usize, candidate: &Candidate) -> bool {
    if candidate
        .origins
        .iter()
        .any(|origin| origin.query == Some(query))
    {
        return true;
    }
    let mut shapes = material
        .shapes
        .iter()
        .filter(|(place, _)| *place == query)
        .peekable();
    // A statement that could not be taken apart may use anything.
    if shapes.peek().is_none() {
        return true;
    }
    let Some(first) = candidate.index.parts.first() else {
        return false;
    };
    let Some(name) = first.column_name().filter(|_| candidate.column.is_none()) else {
        return false;
    };
    shapes
        .flat_map(|(_, shape)| &shape.blocks)
        .flat_map(|block| &block.tables)
        .filter(|table| table.table == candidate.table)
        .any(|table| {
            table
                .columns
                .iter()
                .any(|column| column.eq_ignore_ascii_case(name))
        })
}
