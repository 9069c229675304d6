//! The decision as a table: which indexes there are to choose from, what each costs, and which of
//! them each query could use.

use std::collections::BTreeSet;

use super::assemble::{Entry, EntryFacts};
use super::candidates::{build_time, write_us_per_row};
use super::costs::{Configuration, IndexChoice, QueryCosts};
use super::existing;
use super::material::Material;
use super::planner::Choice;
use super::statistics::Statistics;
use super::weights;
use crate::advisor::candidate::Candidate;
use crate::model::schema::{Index, Table, TableName};

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
                stand_ins: Vec::new(),
            });
        }
    }
    entries.extend(candidates.into_iter().map(Entry::Candidate));
    entries
}

/// Notes for every existing index that has to stay which candidates would do all that it does.
pub fn find_stand_ins(material: &Material, entries: &mut [Entry]) {
    let candidates: Vec<(usize, TableName, Index)> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| matches!(entry, Entry::Candidate(_)))
        .map(|(place, entry)| (place, entry.table().clone(), entry.index().clone()))
        .collect();
    let (catalog, shapes) = (&material.catalog, &material.shapes);
    for entry in entries {
        let Entry::Existing {
            table,
            index,
            may_go: None,
            stand_ins,
        } = entry
        else {
            continue;
        };
        let Some(known) = catalog.tables.get(table) else {
            continue;
        };
        if material.named.contains(&index.name.to_lowercase()) {
            continue;
        }
        let does_its_work = |(_, on, new): &&(usize, TableName, Index)| {
            on == table && existing::gives_way(catalog, shapes, known, index, new)
        };
        let found = candidates.iter().filter(does_its_work);
        *stand_ins = found.map(|(place, ..)| *place).collect();
    }
}

/// What every choice has to keep besides its limits, as queries that weigh nothing: an existing
/// index that may only go where another is made is there, or one of those is.
#[must_use]
pub fn demands(entries: &[Entry]) -> Vec<QueryCosts> {
    let there = |place: usize| Configuration {
        indexes: vec![place],
        ..Configuration::default()
    };
    entries
        .iter()
        .enumerate()
        .filter_map(|(place, entry)| match entry {
            Entry::Existing {
                may_go: None,
                stand_ins,
                ..
            } if !stand_ins.is_empty() => Some(QueryCosts {
                configurations: std::iter::once(place)
                    .chain(stand_ins.iter().copied())
                    .map(there)
                    .collect(),
                ..QueryCosts::default()
            }),
            _ => None,
        })
        .collect()
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
        if matches!(entry, Entry::Existing { .. }) {
            existing.insert(place);
            if !entry.may_go() || choices[place].is_fixed {
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
            let exists = matches!(entry, Entry::Existing { .. });
            IndexChoice {
                bytes: facts.bytes,
                upkeep: weights::of_us(facts.upkeep_us, is_measured),
                write_cost: facts.upkeep_us / window_seconds,
                exists,
                is_required: exists && (!entry.may_go() || choice.is_fixed),
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
