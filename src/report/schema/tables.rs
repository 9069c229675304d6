//! One table: its columns, indexes and relationships.

use std::fmt::Write as _;

use super::Facts;
use super::book::Book;
use crate::model::schema::{Column, Index, KeyPart};
use crate::model::units;
use crate::report::doc::{Block, Table};
use crate::report::words;

/// Everything about one table.
pub(super) fn blocks(book: &Book, table: &Facts) -> Vec<Block> {
    let mut blocks = vec![
        Block::Subheading(book.name(&table.name)),
        Block::Paragraph(summary(table)),
        Block::Table(columns(table)),
        Block::Table(indexes(table)),
    ];
    let related = related(book, table);
    if !related.is_empty() {
        blocks.push(Block::List(related));
    }
    blocks
}

fn summary(table: &Facts) -> String {
    let mut text = format!(
        "{}, about {} rows, {} of data, {} of secondary indexes.",
        table.engine,
        units::count(table.rows as f64),
        units::bytes(table.data_bytes),
        units::bytes(table.index_bytes)
    );
    if let Some(partitioning) = &table.partitioning {
        // Writing to a String cannot fail.
        let _ = write!(text, " Partitioned by {partitioning}.");
    }
    if table.primary_key().is_none() {
        text.push_str(" It has no primary key.");
    }
    text
}

fn columns(table: &Facts) -> Table {
    let mut rows = Table::new("Columns", &["column", "type", "NULL", "key", "more"]);
    for column in &table.columns {
        rows.push([
            column.name.clone(),
            column.full_type.clone(),
            if column.is_nullable { "yes" } else { "" }.to_owned(),
            key(table, column).to_owned(),
            more(column),
        ]);
    }
    rows
}

/// The strongest key that the column is in.
fn key(table: &Facts, column: &Column) -> &'static str {
    let is_column = |name: &str| name.eq_ignore_ascii_case(&column.name);
    let is_part = |part: &KeyPart| part.column_name().is_some_and(is_column);
    let mut holding = table
        .indexes
        .iter()
        .filter(|index| index.parts.iter().any(is_part));
    if holding.clone().any(Index::is_primary) {
        return "primary";
    }
    let is_foreign = table
        .foreign_keys
        .iter()
        .any(|key| key.columns.iter().any(|name| is_column(name)));
    if is_foreign {
        return "foreign";
    }
    match holding.clone().any(|index| index.is_unique) {
        true => "unique",
        false if holding.next().is_some() => "index",
        false => "",
    }
}

fn more(column: &Column) -> String {
    let mut parts = Vec::new();
    if column.is_auto_increment {
        parts.push("counts up by itself".to_owned());
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.is_stored {
            "stored"
        } else {
            "virtual"
        };
        parts.push(format!("{kind}, from {}", generated.expression));
    }
    parts.extend(column.collation.clone());
    parts.join("; ")
}

fn indexes(table: &Facts) -> Table {
    let mut rows = Table::new(
        "Indexes; distinct values are the server's estimate for the whole key",
        &["index", "columns", "kind", ">distinct", ">size"],
    );
    for index in &table.indexes {
        let distinct = index.cardinality.last().copied().flatten();
        rows.push([
            index.name.clone(),
            words::columns(index),
            words::traits(index),
            distinct.map_or_else(|| "-".to_owned(), |count| units::count(count as f64)),
            index.bytes.map_or_else(|| "-".to_owned(), units::bytes),
        ]);
    }
    rows
}

fn related(book: &Book, table: &Facts) -> Vec<String> {
    let mut lines: Vec<String> = table
        .foreign_keys
        .iter()
        .map(|key| {
            format!(
                "refers to `{}`: {} -> {} ({})",
                book.name(book.parent(key)),
                key.columns.join(", "),
                key.parent_columns.join(", "),
                key.name
            )
        })
        .collect();
    lines.extend(book.children(&table.name).iter().map(|(child, key)| {
        format!(
            "is referred to by `{}`: {} -> {} ({})",
            book.name(&child.name),
            key.columns.join(", "),
            key.parent_columns.join(", "),
            key.name
        )
    }));
    lines
}
