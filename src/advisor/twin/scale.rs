//! The sample's references, moved where the remapping wants them.

use std::collections::{BTreeMap, BTreeSet};

use super::links::Link;
use super::plan::{Plan, TablePlan};
use super::read::Gathered;
use super::remap::{self, Key, KeyValue, Scale};
use crate::model::schema::{Catalog, IndexKind, Table, TableName};

/// New values of one table's references: the places of their columns, and where each key goes.
pub(super) struct Moves {
    pub(super) columns: Vec<usize>,
    pub(super) to: BTreeMap<Key, Key>,
}

/// A sampled parent of at most so many rows for each of its values keeps all of them: fewer values
/// would make them less selective than they are.
const ROWS_OF_A_VALUE: usize = 20;

/// The moves of each table, in the plan's order.
pub(super) fn moves(plan: &Plan, catalog: &Catalog, gathered: &Gathered) -> Vec<Vec<Moves>> {
    let mut all: Vec<Vec<Moves>> = plan.tables.iter().map(|_| Vec::new()).collect();
    if plan.share >= 1.0 {
        return all;
    }
    for link in &plan.links {
        let at = |name: &TableName| plan.tables.iter().position(|table| table.name == *name);
        let (Some(child), Some(parent)) = (at(&link.child), at(&link.parent)) else {
            continue;
        };
        let Some(table) = catalog.tables.get(&link.child) else {
            continue;
        };
        if is_unique_within(table, &link.columns) {
            continue;
        }
        let of_child = places(&plan.tables[child], &link.columns);
        let of_parent = places(&plan.tables[parent], &link.parent_columns);
        let (Some(columns), Some(of_parent)) = (of_child, of_parent) else {
            continue;
        };
        let kept = keys(gathered, parent, &of_parent);
        let kept: BTreeSet<Key> = kept.into_keys().collect();
        let observed = keys(gathered, child, &columns);
        let rows: u64 = observed.values().sum();
        let distinct = wanted(
            plan,
            table,
            link,
            (child, parent),
            (&observed, rows),
            kept.len(),
        );
        let none = BTreeSet::new();
        let pinned = match columns.as_slice() {
            [column] => gathered.pinned.get(&(child, *column)).unwrap_or(&none),
            _ => &none,
        };
        let pinned: BTreeSet<Key> = pinned.intersection(&kept).cloned().collect();
        let to = remap::remap(
            &observed,
            Scale {
                kept: &kept,
                pinned: &pinned,
                distinct,
            },
        );
        if !to.is_empty() {
            all[child].push(Moves { columns, to });
        }
    }
    all
}

/// Distinct values that the child's sample should have.
fn wanted(
    plan: &Plan,
    table: &Table,
    link: &Link,
    (child, parent): (usize, usize),
    (observed, rows): (&BTreeMap<Key, u64>, u64),
    kept: usize,
) -> usize {
    let child = &plan.tables[child];
    let share = (rows as f64 / child.rows_there.max(1) as f64).min(1.0);
    let there = distinct_there(table, &link.columns).unwrap_or_else(|| {
        // Without an index nobody knows; all parents are referred to when the sample sees most.
        (observed.len() as u64).max(plan.tables[parent].rows_there.min(child.rows_there))
    });
    let scaled = rounded(there as f64 * share);
    let is_parent_whole = kept as u64 >= plan.tables[parent].rows_there;
    if is_parent_whole {
        let enough = usize::try_from(rows).unwrap_or(usize::MAX) / ROWS_OF_A_VALUE;
        return scaled.max(enough.min(observed.len())).max(1);
    }
    scaled.clamp(1, kept.max(1))
}

fn rounded(value: f64) -> usize {
    format!("{:.0}", value.max(0.0))
        .parse()
        .unwrap_or(usize::MAX)
}

/// Distinct values by the cardinality of an index that begins with these columns.
pub(super) fn distinct_there(table: &Table, columns: &[String]) -> Option<u64> {
    table
        .indexes
        .iter()
        .filter(|index| {
            index.kind == IndexKind::BTree
                && index.parts.len() >= columns.len()
                && index.parts.iter().take(columns.len()).all(|part| {
                    part.prefix.is_none()
                        && part.column_name().is_some_and(|name| {
                            columns
                                .iter()
                                .any(|column| column.eq_ignore_ascii_case(name))
                        })
                })
        })
        .filter_map(|index| index.cardinality.get(columns.len() - 1).copied().flatten())
        .max()
}

/// Columns that contain a whole unique key must stay as they are.
fn is_unique_within(table: &Table, columns: &[String]) -> bool {
    table.indexes.iter().any(|index| {
        index.is_unique
            && index.parts.iter().all(|part| {
                part.column_name()
                    .is_some_and(|name| columns.iter().any(|c| c.eq_ignore_ascii_case(name)))
            })
    })
}

fn places(table: &TablePlan, columns: &[String]) -> Option<Vec<usize>> {
    columns
        .iter()
        .map(|column| {
            table
                .columns
                .iter()
                .position(|(name, _)| name.eq_ignore_ascii_case(column))
        })
        .collect()
}

/// The values of these columns, with their rows; a key with a NULL refers to nothing.
fn keys(gathered: &Gathered, table: usize, columns: &[usize]) -> BTreeMap<Key, u64> {
    let mut all = BTreeMap::new();
    for row in gathered.rows[table].iter() {
        if let Some(key) = key(&row, columns) {
            *all.entry(key).or_insert(0) += 1;
        }
    }
    all
}

fn key(row: &[Option<&[u8]>], columns: &[usize]) -> Option<Key> {
    columns
        .iter()
        .map(|column| row.get(*column).copied().flatten().map(KeyValue::of))
        .collect::<Option<Vec<_>>>()
        .map(Key)
}

/// Where this row's values go that do not stay: places and new values.
pub(super) fn moved(moves: &[Moves], row: &[Option<&[u8]>]) -> Vec<(usize, Vec<u8>)> {
    let mut all = Vec::new();
    for one in moves {
        let to = key(row, &one.columns).and_then(|key| one.to.get(&key));
        if let Some(to) = to {
            all.extend(
                one.columns
                    .iter()
                    .copied()
                    .zip(to.0.iter().map(KeyValue::bytes)),
            );
        }
    }
    all
}
