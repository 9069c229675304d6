//! The document tree. Texts in it are raw; each renderer escapes for its own target.

pub use super::diagram::{Diagram, Entity, Field, Link};
pub use super::series::{Lines, Series};
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
    /// Starts a part of a section.
    Subheading(String),
    /// One paragraph; what stands in backticks is code.
    Paragraph(String),
    /// Short items, one below the other.
    List(Vec<String>),
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
    /// What most readers skip: closed at first in HTML, indented in text.
    Details {
        /// What is inside, in a few words.
        summary: String,
        /// The content.
        blocks: Vec<Block>,
    },
    /// Named amounts as bars.
    Bars(Bars),
    /// A distribution.
    Histogram(Histogram),
    /// Values over time.
    Lines(Lines),
    /// Tables and their relationships.
    Diagram(Diagram),
}

/// Amounts by name, in the order given; with two series, such as before and after, the bars of one
/// name stand together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bars {
    /// What the lengths mean, with window and unit.
    pub caption: String,
    /// Names of the series; a single one needs no name.
    pub series: Vec<String>,
    /// The bars.
    pub rows: Vec<BarRow>,
}

/// The bars of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct BarRow {
    /// The name.
    pub label: String,
    /// One amount for each series.
    pub values: Vec<Amount>,
}

/// A number for its length, and the same for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount {
    /// Not negative; what is not finite is drawn as zero.
    pub value: f64,
    /// With its unit.
    pub shown: String,
}

/// How often values fell into each of several neighbouring ranges.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// What is counted, with the window.
    pub caption: String,
    /// What the ranges are of, such as `response time`.
    pub axis: String,
    /// The ranges in order: a label, such as its upper end, and the count.
    pub buckets: Vec<(String, Amount)>,
}

impl Amount {
    /// An amount.
    #[must_use]
    pub fn new(value: f64, shown: impl Into<String>) -> Self {
        Self {
            value,
            shown: shown.into(),
        }
    }

    /// Its share of `largest`, between 0 and 1.
    #[must_use]
    pub fn share_of(&self, largest: f64) -> f64 {
        let share = self.value / largest;
        if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

impl Bars {
    /// The longest bar.
    #[must_use]
    pub fn largest(&self) -> f64 {
        largest(self.rows.iter().flat_map(|row| &row.values))
    }
}

impl Histogram {
    /// The highest count.
    #[must_use]
    pub fn largest(&self) -> f64 {
        largest(self.buckets.iter().map(|(_, amount)| amount))
    }
}

fn largest<'a>(amounts: impl Iterator<Item = &'a Amount>) -> f64 {
    amounts
        .map(|amount| amount.value)
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max)
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
