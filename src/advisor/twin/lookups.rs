//! The rows of constants, and the columns with conditions.

use std::collections::{BTreeMap, BTreeSet};

use super::links::{self, Link};
use super::plan::{Plan, Step, WHOLE};
use super::template::Template;
use super::{TwinOptions, literal};
use crate::advisor::shape::{Op, Shape};
use crate::model::schema::{Catalog, IndexKind, Part, Table, TableName};
use crate::server::ddl;
use crate::server::quote::ident;

/// Rows that hold one constant, at most.
const CONSTANT_ROWS: u64 = 500;
/// Statements for constants, in all and for one column.
const CONSTANTS: (usize, usize) = (200, 4);

/// Statements for the rows that hold the constants of the workload, where an index leads there.
pub(super) fn constants(
    plan: &mut Plan,
    catalog: &Catalog,
    shapes: &[(usize, Shape)],
    options: &TwinOptions,
) {
    let mut by_column: BTreeMap<(TableName, String), BTreeSet<String>> = BTreeMap::new();
    for (table, column, constant) in constants_of(shapes) {
        let of = by_column
            .entry((table, column.to_ascii_lowercase()))
            .or_default();
        if of.len() < CONSTANTS.1 {
            of.insert(constant);
        }
    }
    follow(&mut by_column, &plan.links);
    let mut sent = 0;
    for ((name, column), literals) in by_column {
        let Some(table) = catalog.table(&name.schema, &name.name) else {
            continue;
        };
        let Some(at) = plan.tables.iter().position(|plan| plan.name == table.name) else {
            continue;
        };
        let is_worth =
            table.rows > WHOLE && is_selective(table, &column) && !plan.tables[at].key.is_empty();
        let place = plan.tables[at]
            .columns
            .iter()
            .position(|(name, _)| name.eq_ignore_ascii_case(&column));
        let (true, Some(place)) = (is_worth, place) else {
            continue;
        };
        for literal in literals {
            if sent == CONSTANTS.0 {
                plan.notes.push(format!(
                    "rows were looked up for the first {} constants of the workload only",
                    CONSTANTS.0
                ));
                return;
            }
            sent += 1;
            let sql = Template::new(&[format!(
                "{} WHERE {} = {literal} LIMIT {CONSTANT_ROWS}",
                select_of(table),
                ident(&column)
            )]);
            let step = plan.add(Step {
                purpose: format!("rows of {name} with a constant of the workload"),
                sql,
                times: 1,
                rows: CONSTANT_ROWS,
                limit: options.statement_timeout,
            });
            plan.tables[at].constants.push((step, place));
        }
    }
}

/// A constant that a key is compared with holds for the other end of its references as well: the
/// parent of such rows is looked up, and the children of such a parent.
fn follow(by_column: &mut BTreeMap<(TableName, String), BTreeSet<String>>, links: &[Link]) {
    for link in links.iter().filter(|link| link.columns.len() == 1) {
        let ends = [
            (link.child.clone(), link.columns[0].to_ascii_lowercase()),
            (
                link.parent.clone(),
                link.parent_columns[0].to_ascii_lowercase(),
            ),
        ];
        let both: BTreeSet<String> = ends
            .iter()
            .filter_map(|end| by_column.get(end))
            .flatten()
            .cloned()
            .collect();
        if !both.is_empty() {
            for end in ends {
                by_column
                    .entry(end)
                    .or_default()
                    .extend(both.iter().cloned());
            }
        }
    }
}

fn select_of(table: &Table) -> String {
    let list: Vec<_> = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .map(literal::reading)
        .collect();
    format!(
        "SELECT /* mydex:sample */ {} FROM {}",
        list.join(", "),
        ddl::table(&table.name)
    )
}

/// Whether an index leads to the rows of one value, and these are few enough to be read.
fn is_selective(table: &Table, column: &str) -> bool {
    table.indexes.iter().any(|index| {
        let first = index.parts.first().and_then(|part| part.column_name());
        let values = index.cardinality.first().copied().flatten().unwrap_or(0);
        index.kind == IndexKind::BTree
            && index.is_visible
            && first.is_some_and(|name| name.eq_ignore_ascii_case(column))
            && table.rows / values.max(1) <= CONSTANT_ROWS
    })
}

/// Every constant that a column is compared with for equality, as a literal.
pub(super) fn constants_of(shapes: &[(usize, Shape)]) -> Vec<(TableName, String, String)> {
    let mut found = Vec::new();
    let uses = shapes
        .iter()
        .flat_map(|(_, shape)| &shape.blocks)
        .flat_map(|block| &block.tables);
    for table in uses {
        let branches = table.ors.iter().flatten().flatten();
        for predicate in table.predicates.iter().chain(branches) {
            let (Part::Column(column), Op::Equal | Op::In) = (&predicate.what, predicate.op) else {
                continue;
            };
            for text in &predicate.constants {
                if let Some(literal) = literal::constant(text) {
                    found.push((table.table.clone(), column.clone(), literal));
                }
            }
        }
    }
    found
}

/// Columns with a condition on them, by table, that a histogram can tell something about.
pub(super) fn predicate_columns(
    catalog: &Catalog,
    shapes: &[(usize, Shape)],
) -> Vec<(TableName, Vec<String>)> {
    let mut found: BTreeMap<TableName, BTreeSet<String>> = BTreeMap::new();
    let uses = shapes
        .iter()
        .flat_map(|(_, shape)| &shape.blocks)
        .flat_map(|block| &block.tables);
    for table in uses {
        let Some(known) = catalog.table(&table.table.schema, &table.table.name) else {
            continue;
        };
        let branches = table.ors.iter().flatten().flatten();
        let compared = table
            .predicates
            .iter()
            .chain(branches)
            .filter(|predicate| !matches!(predicate.op, Op::FullText | Op::MemberOf))
            .map(|predicate| &predicate.what);
        for what in compared.chain(table.joins.iter().map(|join| &join.what)) {
            let Part::Column(name) = what else { continue };
            let column = known.column(name).filter(|column| {
                !matches!(column.data_type.as_str(), "json" | "geometry" | "vector")
                    && !column.data_type.ends_with("blob")
                    && !links::is_unique(known, &column.name)
            });
            if let Some(column) = column {
                let of = found.entry(known.name.clone()).or_default();
                of.insert(column.name.clone());
            }
        }
    }
    found
        .into_iter()
        .map(|(name, columns)| (name, columns.into_iter().collect()))
        .collect()
}
