//! What data has to keep: keys unique, references to rows that exist, nothing that depends on
//! itself.

use super::Table;
use super::fields::Log;
use super::generator::{Generator, How, Path, Skew};

/// Checks one generator against its column.
pub fn column(log: &Log<'_>, offset: usize, table: &Table, column: usize, generator: &Generator) {
    let definition = &table.columns[column];
    let name = format!("{}.{}", table.name, definition.name);
    if generator.null > 0.0 && !definition.is_nullable {
        log.at(
            offset,
            format!("`{name}` is NOT NULL and can have no `null`"),
        );
    }
    if definition.is_generated {
        log.at(
            offset,
            format!("`{name}` is computed by the server and can have no generator"),
        );
    }
}

/// Checks a table as a whole, once all generators are known.
pub fn table(log: &Log<'_>, offset: usize, index: usize, tables: &[Table]) {
    let table = &tables[index];
    for column in &table.columns {
        let needs = !column.is_nullable && !column.has_default && !column.is_generated;
        if needs && column.generator.is_none() && table.rows > 0 {
            log.at(
                offset,
                format!("`{}.{}` needs a generator", table.name, column.name),
            );
        }
    }
    for key in &table.uniques {
        if table.rows > 0 && !is_unique(table, key) {
            let names: Vec<&str> = key.iter().map(|c| &*table.columns[*c].name).collect();
            log.at(
                offset,
                format!(
                    "`{}` has a unique key over `{}`, and nothing makes its values unique; use \
                     `uuid`, `sequence`, `hex` of 16 digits, a template with `{{#}}`, or a \
                     `subnetwork` of the parent in the key",
                    table.name,
                    names.join("`, `")
                ),
            );
        }
    }
    for key in &table.foreign_keys {
        if let [column] = key.columns[..] {
            let definition = &table.columns[column];
            let is_drawn = definition
                .generator
                .as_ref()
                .is_none_or(|generator| points_to(generator, key.table));
            if !is_drawn {
                log.at(
                    offset,
                    format!(
                        "`{}.{}` is a foreign key; it must be drawn with `from` or `child_of` \
                         from `{}`",
                        table.name, definition.name, tables[key.table].name
                    ),
                );
            }
        }
    }
}

fn points_to(generator: &Generator, parent: usize) -> bool {
    match &generator.how {
        How::Switch {
            cases, otherwise, ..
        } => cases
            .iter()
            .map(|(_, case)| case)
            .chain(otherwise.as_deref())
            .all(|case| points_to(case, parent)),
        // A hierarchy has to point backwards, or its rows could not be inserted in order.
        How::From { table, .. } | How::ChildOf { table, .. } => *table == parent,
        // The value of a sibling or of a parent's foreign key is as good as its own check.
        How::Copy(_) => true,
        _ => false,
    }
}

fn is_unique(table: &Table, key: &[usize]) -> bool {
    let generator = |column: usize| table.columns[column].generator.as_ref();
    // Left to the server: an expression, or an automatic number.
    if key.is_empty() || key.iter().any(|c| generator(*c).is_none()) {
        return true;
    }
    key.iter()
        .filter_map(|column| generator(*column))
        .any(|candidate| match candidate.how {
            How::SubNetwork { via, .. } => key.contains(&via),
            _ => candidate.is_unique(),
        })
}

/// Finds generators that depend on themselves, and tables that can't be put in an order.
pub fn cycles(log: &Log<'_>, tables: &[Table]) {
    let mut done = Vec::new();
    for (table, definition) in tables.iter().enumerate() {
        for column in 0..definition.columns.len() {
            let mut trail = Vec::new();
            if let Some(name) = visit(tables, (table, column), &mut trail, &mut done) {
                log.at(0, format!("the value of `{name}` depends on itself"));
                return;
            }
        }
        for column in &definition.columns {
            let is_loose = matches!(&column.generator, Some(Generator {
                how: How::From { table: parent, skew, .. }, ..
            }) if *parent == table && *skew != Skew::Earlier);
            let is_key = definition.foreign_keys.iter().any(|key| {
                key.table == table
                    && key.columns
                        == definition
                            .column(&column.name)
                            .into_iter()
                            .collect::<Vec<_>>()
            });
            if is_loose && is_key {
                log.at(
                    0,
                    format!(
                        "`{}.{}` refers to its own table and needs `skew = \"earlier\"`",
                        definition.name, column.name
                    ),
                );
            }
        }
    }
    if load_order(tables).is_none() {
        log.at(
            0,
            "the foreign keys of the tables form a ring; no order of loading satisfies them",
        );
    }
}

type Cell = (usize, usize);

fn visit(
    tables: &[Table],
    cell: Cell,
    trail: &mut Vec<Cell>,
    done: &mut Vec<Cell>,
) -> Option<String> {
    let table = &tables[cell.0];
    if trail.contains(&cell) {
        return Some(format!("{}.{}", table.name, table.columns[cell.1].name));
    }
    if done.contains(&cell) {
        return None;
    }
    trail.push(cell);
    if let Some(generator) = &table.columns[cell.1].generator {
        let mut siblings = Vec::new();
        generator.siblings(&mut siblings);
        let mut next: Vec<Cell> = generator.target().into_iter().collect();
        for path in siblings {
            match path {
                Path::Own(column) => next.push((cell.0, column)),
                Path::Through { via, column } => {
                    let target = table.columns[via].generator.as_ref();
                    let parent = target.and_then(Generator::target);
                    next.extend(parent.map(|(parent, _)| (parent, column)));
                }
            }
        }
        for cell in next {
            if let Some(name) = visit(tables, cell, trail, done) {
                return Some(name);
            }
        }
    }
    trail.pop();
    done.push(cell);
    None
}

/// Tables in an order in which each foreign key finds its parent, those of one level beside each
/// other; `None` when the keys form a ring.
#[must_use]
pub fn load_order(tables: &[Table]) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < tables.len() {
        let before = order.len();
        let ready: Vec<usize> = (0..tables.len())
            .filter(|index| !order.contains(index))
            .filter(|index| {
                tables[*index]
                    .foreign_keys
                    .iter()
                    .all(|key| key.table == *index || order.contains(&key.table))
            })
            .collect();
        order.extend(ready);
        if order.len() == before {
            return None;
        }
    }
    Some(order)
}
