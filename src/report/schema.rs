//! A schema document: every table, column, key and relationship, with sizes and a diagram.

mod book;
mod picture;
mod tables;

use jiff::Timestamp;

use super::cost::Cost;
use super::doc::{Amount, BarRow, Bars, Block, Document, Finding, Severity, Table};
use super::words::counted;
use crate::model::schema::{Catalog, ForeignKey, Table as Facts};
use crate::model::units;
use book::Book;

/// Bars at most.
const MAX_BARS: usize = 15;

/// What is documented.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject<'a> {
    /// The server's name, without password.
    pub server: &'a str,
    /// When it was read.
    pub at: Timestamp,
    /// The schemas, in order.
    pub schemas: &'a [String],
    /// Their tables; parents in other schemas are only named by the foreign keys.
    pub catalog: &'a Catalog,
    /// What could not be seen, each one sentence.
    pub notes: &'a [String],
    /// What reading took.
    pub cost: Cost,
}

/// The document.
#[must_use]
pub fn document(subject: &Subject) -> Document {
    let catalog = subject.catalog;
    let book = Book::new(catalog, subject.schemas);
    let mut blocks = vec![
        Block::Paragraph(lead(subject)),
        Block::Facts(facts(subject)),
    ];
    if !subject.notes.is_empty() {
        blocks.push(Block::Findings(notes(subject.notes)));
    }
    if !catalog.tables.is_empty() {
        blocks.push(Block::Heading("Relationships".to_owned()));
        blocks.extend(picture::blocks(&book));
        blocks.push(Block::Table(relationships(&book)));
        blocks.push(Block::Heading("Sizes".to_owned()));
        blocks.push(Block::Bars(sizes(&book)));
        blocks.push(Block::Table(overview(&book)));
        blocks.push(Block::Heading("Tables".to_owned()));
        for table in catalog.tables.values() {
            blocks.extend(tables::blocks(&book, table));
        }
    }
    if !catalog.views.is_empty() {
        blocks.push(Block::Heading("Views".to_owned()));
        blocks.extend(views(&book));
    }
    Document {
        title: format!("Schema of {}", subject.schemas.join(", ")),
        blocks,
    }
}

fn lead(subject: &Subject) -> String {
    let catalog = subject.catalog;
    if catalog.tables.is_empty() {
        return "There are no tables here that this account may see.".to_owned();
    }
    let (data, indexes) = catalog
        .tables
        .values()
        .fold((0, 0), |sum: (u64, u64), table| {
            (
                sum.0.saturating_add(table.data_bytes),
                sum.1.saturating_add(table.index_bytes),
            )
        });
    let columns = catalog
        .tables
        .values()
        .map(|table| table.columns.len())
        .sum();
    let keys = catalog
        .tables
        .values()
        .map(|table| table.foreign_keys.len())
        .sum();
    format!(
        "{} with {} and {} take {}: {} of data and {} of secondary indexes.",
        counted(catalog.tables.len(), "table", "tables"),
        counted(columns, "column", "columns"),
        counted(keys, "foreign key", "foreign keys"),
        units::bytes(data.saturating_add(indexes)),
        units::bytes(data),
        units::bytes(indexes)
    )
}

fn facts(subject: &Subject) -> Vec<(String, String)> {
    [
        ("server", subject.server.to_owned()),
        ("version", subject.catalog.version.clone()),
        ("schemas", subject.schemas.join(", ")),
        ("read", subject.at.strftime("%F %T UTC").to_string()),
        ("own cost", subject.cost.sentence()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn notes(notes: &[String]) -> Vec<Finding> {
    notes
        .iter()
        .map(|note| Finding {
            severity: Severity::Note,
            code: "not-seen",
            message: note.clone(),
            remedy: String::new(),
        })
        .collect()
}

/// Tables, the largest first.
fn by_size(catalog: &Catalog) -> Vec<&Facts> {
    let mut all: Vec<&Facts> = catalog.tables.values().collect();
    all.sort_by_key(|table| std::cmp::Reverse(bytes(table)));
    all
}

fn bytes(table: &Facts) -> u64 {
    table.data_bytes.saturating_add(table.index_bytes)
}

fn sizes(book: &Book) -> Bars {
    let all = by_size(book.catalog);
    let shown = all.len().min(MAX_BARS);
    let amount = |bytes: u64| Amount::new(bytes as f64, units::bytes(bytes));
    Bars {
        caption: format!(
            "Size of the {}, by InnoDB's own statistics",
            if shown < all.len() {
                format!("{shown} largest tables")
            } else {
                counted(shown, "table", "tables")
            }
        ),
        series: vec!["indexes".to_owned(), "data".to_owned()],
        rows: all
            .iter()
            .take(shown)
            .map(|table| BarRow {
                label: book.name(&table.name),
                values: vec![amount(table.index_bytes), amount(table.data_bytes)],
            })
            .collect(),
    }
}

fn overview(book: &Book) -> Table {
    let mut table = Table::new(
        "Every table, the largest first. Rows and sizes are the server's estimates; the data of an \
         InnoDB table is its primary key.",
        &[
            "table",
            "engine",
            ">columns",
            ">indexes",
            ">refers to",
            ">referred by",
            ">rows",
            ">data",
            ">indexes ",
        ],
    );
    for one in by_size(book.catalog) {
        table.push([
            book.name(&one.name),
            one.engine.clone(),
            one.columns.len().to_string(),
            one.indexes.len().to_string(),
            one.foreign_keys.len().to_string(),
            book.children(&one.name).len().to_string(),
            units::count(one.rows as f64),
            units::bytes(one.data_bytes),
            units::bytes(one.index_bytes),
        ]);
    }
    table
}

fn relationships(book: &Book) -> Table {
    let mut table = Table::new(
        "Every foreign key",
        &[
            "table",
            "columns",
            "refers to",
            "columns ",
            "rows",
            "constraint",
        ],
    );
    for (child, key) in book.keys() {
        table.push([
            book.name(&child.name),
            key.columns.join(", "),
            book.name(book.parent(key)),
            key.parent_columns.join(", "),
            meaning(child, key).to_owned(),
            key.name.clone(),
        ]);
    }
    table
}

/// How many rows stand at both ends.
fn meaning(child: &Facts, key: &ForeignKey) -> &'static str {
    match (
        picture::is_single(child, key),
        picture::is_optional(child, key),
    ) {
        (false, false) => "many to 1",
        (false, true) => "many to 0..1",
        (true, false) => "0..1 to 1",
        (true, true) => "0..1 to 0..1",
    }
}

fn views(book: &Book) -> Vec<Block> {
    book.catalog
        .views
        .values()
        .map(|view| Block::Details {
            summary: book.name(&view.name),
            blocks: vec![Block::Code {
                language: "sql",
                text: view.query.clone(),
            }],
        })
        .collect()
}

#[cfg(test)]
mod tests;
