//! Indexes that may help, from what queries ask of tables: generation, sizes, names.
//!
//! Each query block gives orders of sets of columns; orders that one index can satisfy are merged;
//! only then are the sets put in line, written as indexes, and the heaviest kept.

mod arrays;
mod conditions;
mod expression;
mod functions;
pub(super) mod keys;
mod names;
mod order;
mod size;
mod table;
#[cfg(test)]
mod tests;
mod texts;
mod wants;
mod written;

use std::collections::{BTreeMap, BTreeSet};

pub use keys::{key_bytes, limits};
pub use size::{build_time, size, write_us_per_row};

use self::order::{Steps, refine, width};
use self::table::Ground;
use self::written::{candidate, cut, is_useless, realize};
use super::candidate::{Candidate, Origin, Role};
use super::shape::{Shape, WriteKind};
use super::statistics::Statistics;
use crate::model::finding::{Finding, Severity};
use crate::model::schema::{Catalog, Index, KeyPart, Table, TableName};

/// Orders of one table that are refined together; more come from no sane workload.
const MAX_ORDERS: usize = 600;

/// Limits of the search.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Candidates of all tables at most.
    pub max_candidates: usize,
    /// Candidates of one table at most; never more than MySQL lets be added.
    pub max_per_table: usize,
    /// Tables with fewer rows get none: they are a page or two.
    pub min_rows: u64,
    /// How much each query counts, by its place; one where it is missing.
    pub weights: Vec<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_candidates: 500,
            max_per_table: 40,
            min_rows: 100,
            weights: Vec::new(),
        }
    }
}

impl Options {
    fn weight(&self, query: usize) -> f64 {
        self.weights.get(query).copied().unwrap_or(1.0)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Generated {
    /// Candidates by table; in each the most promising first.
    pub candidates: Vec<Candidate>,
    /// What is advice only, what was left out, and what a candidate asks of the rows.
    pub notes: Vec<Finding>,
}

/// An order of columns, with those who asked for it.
#[derive(Debug, Clone)]
struct Order {
    steps: Steps,
    origins: BTreeSet<Origin>,
    /// Weights of its queries, each divided by its place among what the query wants.
    score: f64,
}

/// A candidate with its score.
type Scored = (f64, Candidate);

/// All candidates for these shapes, each with its query's place in the workload; several samples
/// of one query have the same place.
#[must_use]
pub fn generate(
    shapes: &[(usize, Shape)],
    catalog: &Catalog,
    statistics: &Statistics,
    options: &Options,
) -> Generated {
    let mut found = Generated::default();
    let mut scored: Vec<Scored> = Vec::new();
    let mut small = Vec::new();
    for name in tables(shapes, catalog) {
        let Some(table) = catalog.tables.get(&name) else {
            continue;
        };
        if table.rows < options.min_rows {
            small.push(format!("`{name}`"));
            continue;
        }
        let mut ground = Ground::new(table, statistics, hot(shapes, table, options));
        let mut of_table = of_table(&mut ground, shapes, options);
        of_table.extend(foreign_keys(&ground, &of_table));
        found.notes.append(&mut ground.notes);
        limit(table, &mut of_table, options, &mut found.notes);
        scored.extend(of_table);
    }
    if !small.is_empty() {
        found.notes.push(note(
            "small-tables",
            format!(
                "no index is tried on tables of fewer than {} rows: {}",
                options.min_rows,
                small.join(", ")
            ),
        ));
    }
    limit_all(&mut scored, options, &mut found.notes);
    found.candidates = scored.into_iter().map(|(_, candidate)| candidate).collect();
    found
}

fn note(code: &'static str, message: String) -> Finding {
    Finding {
        severity: Severity::Note,
        code,
        message,
        remedy: String::new(),
    }
}

/// The base tables that the shapes read, and those that have a foreign key.
fn tables(shapes: &[(usize, Shape)], catalog: &Catalog) -> BTreeSet<TableName> {
    let used = shapes
        .iter()
        .flat_map(|(_, shape)| &shape.blocks)
        .flat_map(|block| &block.tables)
        .filter_map(|used| catalog.table(&used.table.schema, &used.table.name));
    let referring = catalog
        .tables
        .values()
        .filter(|table| !table.foreign_keys.is_empty());
    used.chain(referring)
        .filter(|table| {
            let schema = table.name.schema.to_ascii_lowercase();
            !["mysql", "sys", "information_schema", "performance_schema"].contains(&schema.as_str())
        })
        .map(|table| table.name.clone())
        .collect()
}

/// Whether a name of a shape is this table.
fn is_same(name: &TableName, table: &Table) -> bool {
    // The shapes' writer resolved it against the catalog; case is all that may differ.
    name.schema.eq_ignore_ascii_case(&table.name.schema)
        && name.name.eq_ignore_ascii_case(&table.name.name)
}

/// Columns that UPDATE sets, with the weight of those statements.
fn hot(shapes: &[(usize, Shape)], table: &Table, options: &Options) -> BTreeMap<String, f64> {
    let mut hot: BTreeMap<String, f64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (place, shape) in shapes {
        for write in &shape.writes {
            let is_update = write.kind == WriteKind::Update && is_same(&write.table, table);
            for column in write.columns.iter().filter(|_| is_update) {
                let column = column.to_ascii_lowercase();
                if seen.insert((*place, column.clone())) {
                    *hot.entry(column).or_default() += options.weight(*place);
                }
            }
        }
    }
    hot
}

/// All candidates of one table, the best first.
fn of_table(ground: &mut Ground<'_>, shapes: &[(usize, Shape)], options: &Options) -> Vec<Scored> {
    let orders = orders(ground, shapes, options);
    let all: Vec<Steps> = orders.iter().map(|order| order.steps.clone()).collect();
    let mut found: BTreeMap<Vec<KeyPart>, Order> = BTreeMap::new();
    for order in &orders {
        for (steps, served) in refine(&order.steps, &all) {
            let parts = keys::without_primary_suffix(ground.table, &ground.in_line(&steps));
            let parts = cut(ground, parts);
            if parts.is_empty() || is_useless(ground.table, &parts) {
                continue;
            }
            let entry = found.entry(parts).or_insert_with(|| Order {
                steps: Steps::new(),
                origins: BTreeSet::new(),
                score: 0.0,
            });
            entry.origins.extend(order.origins.iter().copied());
            let mut score = order.score;
            for place in served {
                let Some(other) = orders.get(place) else {
                    continue;
                };
                for origin in &other.origins {
                    let is_new = entry.origins.iter().all(|own| own.query != origin.query);
                    if is_new {
                        entry.origins.insert(Origin {
                            query: origin.query,
                            role: Role::Merged,
                        });
                    }
                }
                score += other.score / 2.0;
            }
            entry.score = entry.score.max(score);
        }
    }
    let mut list: Vec<(Vec<KeyPart>, Order)> = found.into_iter().collect();
    list.sort_by(|one, other| {
        other
            .1
            .score
            .total_cmp(&one.1.score)
            .then_with(|| one.0.len().cmp(&other.0.len()))
            .then_with(|| one.0.cmp(&other.0))
    });
    realize(ground, list)
}

/// What all query blocks want of the table, each order once, the heaviest first.
fn orders(ground: &mut Ground<'_>, shapes: &[(usize, Shape)], options: &Options) -> Vec<Order> {
    let mut found: BTreeMap<Steps, Order> = BTreeMap::new();
    for (place, shape) in shapes {
        let weight = options.weight(*place);
        let mut rank = 0.0;
        for block in &shape.blocks {
            for used in &block.tables {
                if !is_same(&used.table, ground.table) {
                    continue;
                }
                for want in wants::wants(ground, block, used) {
                    rank += 1.0;
                    let order = found.entry(want.steps.clone()).or_insert_with(|| Order {
                        steps: want.steps,
                        origins: BTreeSet::new(),
                        score: 0.0,
                    });
                    let is_counted = order.origins.iter().any(|own| own.query == Some(*place));
                    if !is_counted {
                        order.score += weight / rank;
                    }
                    order.origins.insert(Origin {
                        query: Some(*place),
                        role: want.role,
                    });
                }
            }
        }
    }
    let mut orders: Vec<Order> = found.into_values().collect();
    orders.sort_by(|one, other| {
        other
            .score
            .total_cmp(&one.score)
            .then_with(|| width(&one.steps).cmp(&width(&other.steps)))
            .then_with(|| one.steps.cmp(&other.steps))
    });
    orders.truncate(MAX_ORDERS);
    orders
}

/// Indexes for foreign keys that have none; InnoDB makes them itself, imports and other engines
/// may lack them.
fn foreign_keys(ground: &Ground<'_>, others: &[Scored]) -> Vec<Scored> {
    let table = ground.table;
    let mut taken: BTreeSet<String> = table
        .indexes
        .iter()
        .map(|index| index.name.to_ascii_lowercase())
        .chain(others.iter().map(|(_, other)| other.index.name.clone()))
        .collect();
    let mut made = Vec::new();
    for key in &table.foreign_keys {
        let parts: Option<Vec<KeyPart>> = key
            .columns
            .iter()
            .map(|name| Some(KeyPart::column(table.column(name)?.name.clone())))
            .collect();
        let Some(parts) = parts else { continue };
        let is_supported = table
            .indexes
            .iter()
            .any(|index| keys::is_ordered(index) && index.parts.starts_with(&parts));
        let is_made = others
            .iter()
            .any(|(_, other)| other.index.parts.starts_with(&parts));
        if is_supported || is_made || parts.is_empty() {
            continue;
        }
        let name = names::join("idx", key.columns.iter().map(String::as_str));
        let name = names::free(name, |name| taken.contains(name));
        taken.insert(name.clone());
        let origins = vec![Origin {
            query: None,
            role: Role::ForeignKey,
        }];
        let index = Index::btree(name, parts);
        made.push((f64::MAX, candidate(ground, index, None, origins)));
    }
    made
}

/// Keeps the best of one table: as many as wanted, and as MySQL lets be added.
fn limit(table: &Table, list: &mut Vec<Scored>, options: &Options, notes: &mut Vec<Finding>) {
    let free = keys::MAX_INDEXES.saturating_sub(
        table
            .indexes
            .iter()
            .filter(|index| !index.is_primary())
            .count(),
    );
    if free == 0 && !list.is_empty() {
        notes.push(note(
            "table-is-full",
            format!(
                "`{}` has {} indexes, as many as MySQL allows: none is tried",
                table.name,
                keys::MAX_INDEXES
            ),
        ));
        list.clear();
        return;
    }
    let most = options.max_per_table.min(free);
    if list.len() > most {
        notes.push(note(
            "candidates-cut",
            format!(
                "of {} candidates on `{}` the {most} of the heaviest queries are tried",
                list.len(),
                table.name
            ),
        ));
        list.sort_by(|one, other| other.0.total_cmp(&one.0));
        list.truncate(most);
    }
}

/// Keeps the best of all tables.
fn limit_all(list: &mut Vec<Scored>, options: &Options, notes: &mut Vec<Finding>) {
    let most = options.max_candidates;
    if list.len() <= most {
        return;
    }
    notes.push(note(
        "candidates-cut",
        format!(
            "of {} candidates on all tables the {most} of the heaviest queries are tried",
            list.len()
        ),
    ));
    list.sort_by(|one, other| other.0.total_cmp(&one.0));
    list.truncate(most);
    list.sort_by(|one, other| {
        one.1
            .table
            .cmp(&other.1.table)
            .then_with(|| other.0.total_cmp(&one.0))
    });
}
