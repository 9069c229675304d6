//! The document tree. Texts in it are raw; each renderer escapes for its own target.

pub use crate::model::finding::{Finding, Severity};

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Title, shown first.
    pub title: String,
    /// Content in reading order.
    pub blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Starts a section.
    Heading(String),
    /// One paragraph.
    Paragraph(String),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// A table.
    Table(Table),
    /// Things found, with what to do about them.
    Findings(Vec<Finding>),
    /// Text to copy as it is, such as SQL.
    Code {
        /// Language, for Markdown and HTML.
        language: &'static str,
        /// The text.
        text: String,
    },
}

/// A table; every row has as many cells as there are columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What it shows, with the window and source of its numbers.
    pub caption: String,
    /// Columns.
    pub columns: Vec<Column>,
    /// Cells, row by row.
    pub rows: Vec<Vec<String>>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Heading, with the unit where the cells do not carry it.
    pub title: String,
    /// Numbers stand at the right.
    pub align: Align,
}

/// Where cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Align {
    Left,
    Right,
}

impl Table {
    /// An empty table with these columns; a title that starts with `>` is a column of numbers.
    #[must_use]
    pub fn new(caption: impl Into<String>, titles: &[&str]) -> Self {
        let columns = titles
            .iter()
            .map(|title| match title.strip_prefix('>') {
                Some(number) => Column {
                    title: number.to_owned(),
                    align: Align::Right,
                },
                None => Column {
                    title: (*title).to_owned(),
                    align: Align::Left,
                },
            })
            .collect();
        Self {
            caption: caption.into(),
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn push<I: IntoIterator<Item = S>, S: Into<String>>(&mut self, cells: I) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}
