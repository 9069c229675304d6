//! The tables and relationships of a catalog as diagrams.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Facts;
use super::book::Book;
use crate::model::schema::{ForeignKey, KeyPart, TableName};
use crate::report::diagram::{Diagram, Entity, Field, Link, layout};
use crate::report::doc::Block;
use crate::report::words::counted;

/// Tables in one diagram at most; more are drawn by what belongs together.
const MAX_TOGETHER: usize = 100;

/// Tables of one group that are drawn with their columns at most.
const MAX_DETAILED: usize = 150;

/// Diagrams at most.
const MAX_DIAGRAMS: usize = 30;

/// The diagrams, with what is not in them.
pub(super) fn blocks(book: &Book) -> Vec<Block> {
    let whole = diagram(book);
    if whole.links.is_empty() {
        return vec![Block::Paragraph(
            "No table refers to another by a foreign key.".to_owned(),
        )];
    }
    let groups = whole.components();
    let (related, alone): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.len() > 1);
    if whole.entities.len() <= MAX_TOGETHER {
        return vec![Block::Diagram(Diagram {
            caption: "Every table with its foreign keys.".to_owned(),
            ..whole
        })];
    }
    let mut blocks = vec![Block::Paragraph(explained(
        &whole,
        related.len(),
        related.iter().map(Vec::len).sum(),
        alone.len(),
    ))];
    let drawn = related
        .iter()
        .filter(|group| group.len() <= layout::MAX_ENTITIES)
        .take(MAX_DIAGRAMS);
    for group in drawn {
        let caption = format!(
            "{} around {}.",
            counted(group.len(), "table", "tables"),
            centre(&whole, group)
        );
        let mut part = whole.part(group, caption);
        if group.len() > MAX_DETAILED {
            for entity in &mut part.entities {
                entity.fields.clear();
                entity.hidden = 0;
            }
        }
        blocks.push(Block::Diagram(part));
    }
    blocks
}

fn explained(whole: &Diagram, groups: usize, related: usize, alone: usize) -> String {
    let mut text = format!(
        "{} of {} are related, in {}; {} not.",
        related,
        counted(whole.entities.len(), "table", "tables"),
        counted(groups, "group", "groups"),
        if alone == 1 {
            "1 is".to_owned()
        } else {
            format!("{alone} are")
        }
    );
    if groups > MAX_DIAGRAMS {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            " The {MAX_DIAGRAMS} largest groups are drawn; the table below has every relationship."
        );
    }
    let is_too_large = |group: &&Vec<usize>| group.len() > layout::MAX_ENTITIES;
    let too_large = whole.components().iter().filter(is_too_large).count();
    if too_large > 0 {
        let _ = write!(
            text,
            " Groups of more than {} tables can't be drawn so that they can be read, and are left \
             out; name fewer schemas with `--schema`.",
            layout::MAX_ENTITIES
        );
    }
    text
}

/// The table that most others refer to.
fn centre(whole: &Diagram, group: &[usize]) -> String {
    let referred = |place: usize| {
        let links = whole.links.iter();
        links.filter(|link| link.parent == place).count()
    };
    group
        .iter()
        .rev()
        .max_by_key(|place| referred(**place))
        .and_then(|place| whole.entities.get(*place))
        .map_or_else(String::new, |entity| format!("`{}`", entity.name))
}

/// Everything in one diagram; parents that are not in the catalog are boxes without columns.
pub(super) fn diagram(book: &Book) -> Diagram {
    let mut places: BTreeMap<TableName, usize> = BTreeMap::new();
    let mut diagram = Diagram::default();
    for table in book.catalog.tables.values() {
        places.insert(table.name.clone(), diagram.entities.len());
        diagram.entities.push(entity(book, table));
    }
    for (child, key) in book.keys() {
        let name = book.parent(key);
        let to = *places.entry(name.clone()).or_insert_with(|| {
            diagram.entities.push(Entity {
                name: book.name(name),
                is_outside: true,
                ..Entity::default()
            });
            diagram.entities.len() - 1
        });
        let Some(from) = places.get(&child.name).copied() else {
            continue;
        };
        let field = |entity: usize, column: Option<&String>| {
            let column = column?;
            diagram
                .entities
                .get(entity)?
                .fields
                .iter()
                .position(|field| field.name.eq_ignore_ascii_case(column))
        };
        let (child_field, parent_field) = (
            field(from, key.columns.first()),
            field(to, key.parent_columns.first()),
        );
        diagram.links.push(Link {
            name: key.name.clone(),
            child: from,
            child_field,
            parent: to,
            parent_field,
            columns: format!(
                "{} -> {}",
                key.columns.join(", "),
                key.parent_columns.join(", ")
            ),
            is_optional: is_optional(child, key),
            is_single: is_single(child, key),
        });
    }
    diagram
}

/// A table with the columns of its keys and those that others refer to.
fn entity(book: &Book, table: &Facts) -> Entity {
    let is_in = |columns: &[String], name: &str| {
        columns
            .iter()
            .any(|column| column.eq_ignore_ascii_case(name))
    };
    let referred = book.children(&table.name);
    let mut fields = Vec::new();
    for column in &table.columns {
        let is_primary = table.primary_key().is_some_and(|key| {
            key.parts
                .iter()
                .filter_map(KeyPart::column_name)
                .any(|own| own.eq_ignore_ascii_case(&column.name))
        });
        let is_foreign = table
            .foreign_keys
            .iter()
            .any(|key| is_in(&key.columns, &column.name));
        let is_referred = referred
            .iter()
            .any(|(_, key)| is_in(&key.parent_columns, &column.name));
        if is_primary || is_foreign || is_referred {
            fields.push(Field {
                name: column.name.clone(),
                full_type: column.full_type.clone(),
                is_primary,
                is_foreign,
                is_nullable: column.is_nullable,
            });
        }
    }
    // The primary key stands on top, wherever it was declared.
    fields.sort_by_key(|field| !field.is_primary);
    Entity {
        name: book.name(&table.name),
        hidden: table.columns.len() - fields.len(),
        fields,
        is_outside: false,
    }
}

/// A row need not have a parent.
pub(super) fn is_optional(child: &Facts, key: &ForeignKey) -> bool {
    key.columns
        .iter()
        .filter_map(|name| child.column(name))
        .any(|column| column.is_nullable)
}

/// A parent has one row at most: the columns of the key are unique.
pub(super) fn is_single(child: &Facts, key: &ForeignKey) -> bool {
    child
        .indexes
        .iter()
        .filter(|index| index.is_unique)
        .any(|index| {
            index.parts.iter().all(|part| {
                part.prefix.is_none()
                    && part.column_name().is_some_and(|name| {
                        key.columns
                            .iter()
                            .any(|column| column.eq_ignore_ascii_case(name))
                    })
            })
        })
}
