//! Which columns of which tables refer to which others.

use std::collections::BTreeSet;

use crate::advisor::shape::Shape;
use crate::model::schema::{Catalog, IndexKind, Part, Table, TableName};

/// Columns of a table whose values are keys of another one, or of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// The table that refers.
    pub(super) child: TableName,
    /// Its columns.
    pub(super) columns: Vec<String>,
    /// The table that is referred to.
    pub(super) parent: TableName,
    /// The columns there; together they are unique.
    pub(super) parent_columns: Vec<String>,
}

/// Links by declared foreign keys and by the joins of a workload where one side is unique; those
/// of several columns first, and no two that share a column of their child.
pub(super) fn links(catalog: &Catalog, shapes: &[(usize, Shape)]) -> Vec<Link> {
    let mut all: Vec<Link> = catalog
        .tables
        .values()
        .flat_map(|table| {
            table.foreign_keys.iter().map(|key| Link {
                child: table.name.clone(),
                columns: key.columns.clone(),
                parent: key.parent.clone(),
                parent_columns: key.parent_columns.clone(),
            })
        })
        .collect();
    all.extend(joined(catalog, shapes));
    all.retain(|link| is_usable(catalog, link));
    all.sort_by_key(|link| std::cmp::Reverse(link.columns.len()));
    let mut taken: BTreeSet<(TableName, String)> = BTreeSet::new();
    all.retain(|link| {
        let columns: Vec<_> = link
            .columns
            .iter()
            .map(|column| (link.child.clone(), column.to_ascii_lowercase()))
            .collect();
        let is_free = columns.iter().all(|column| !taken.contains(column));
        if is_free {
            taken.extend(columns);
        }
        is_free
    });
    all
}

fn is_usable(catalog: &Catalog, link: &Link) -> bool {
    let has = |table: &TableName, columns: &[String], may_be_generated: bool| {
        catalog.tables.get(table).is_some_and(|table| {
            columns.iter().all(|name| {
                table
                    .column(name)
                    .is_some_and(|column| may_be_generated || column.generated.is_none())
            })
        })
    };
    let is_itself = link.child == link.parent && link.columns == link.parent_columns;
    !is_itself
        && has(&link.child, &link.columns, false)
        && has(&link.parent, &link.parent_columns, true)
}

/// A unique index on exactly this column.
pub(super) fn is_unique(table: &Table, column: &str) -> bool {
    table.indexes.iter().any(|index| {
        index.is_unique
            && index.kind == IndexKind::BTree
            && index.parts.len() == 1
            && index.parts[0].prefix.is_none()
            && index.parts[0]
                .column_name()
                .is_some_and(|name| name.eq_ignore_ascii_case(column))
    })
}

fn joined(catalog: &Catalog, shapes: &[(usize, Shape)]) -> Vec<Link> {
    let mut found: Vec<Link> = Vec::new();
    let uses = shapes
        .iter()
        .flat_map(|(_, shape)| &shape.blocks)
        .flat_map(|block| &block.tables);
    for table in uses {
        for join in &table.joins {
            let (Part::Column(column), Some(other), Some(other_column)) =
                (&join.what, &join.other_table, &join.other_column)
            else {
                continue;
            };
            let ends = [
                (&table.table, column, other, other_column),
                (other, other_column, &table.table, column),
            ];
            let unique = ends.map(|(_, _, parent, key)| {
                catalog
                    .table(&parent.schema, &parent.name)
                    .is_some_and(|table| is_unique(table, key))
            });
            // Where both sides are unique nothing tells which one came first.
            if unique[0] == unique[1] {
                continue;
            }
            let (child, from, parent, to) = if unique[0] { ends[0] } else { ends[1] };
            let link = Link {
                child: child.clone(),
                columns: vec![from.clone()],
                parent: parent.clone(),
                parent_columns: vec![to.clone()],
            };
            if !found.contains(&link) {
                found.push(link);
            }
        }
    }
    found
}

/// The tables in an order in which parents stand before their children; a circle is broken where
/// it is met.
pub(super) fn parents_first(catalog: &Catalog, links: &[Link]) -> Vec<TableName> {
    let mut left: Vec<TableName> = catalog.tables.keys().cloned().collect();
    let mut order: Vec<TableName> = Vec::new();
    while !left.is_empty() {
        let is_ready = |name: &&TableName| {
            links.iter().all(|link| {
                link.child != **name || link.parent == link.child || order.contains(&link.parent)
            })
        };
        let next = left.iter().find(is_ready).or_else(|| left.first()).cloned();
        if let Some(next) = next {
            left.retain(|name| *name != next);
            order.push(next);
        }
    }
    order
}
