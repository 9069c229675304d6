//! One change to the indexes of a table, as it is written down, reviewed and applied.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::evidence::Evidence;
use super::{parse, print};
use crate::config::mistake::Mistakes;
use crate::model::advice::{Action, LockLevel};
use crate::model::schema::{GeneratedColumn, Index, TableName};
use crate::server::ddl::{self, Mode};

/// One change: make this index, or drop it.
///
/// A drop carries the whole definition of the index as well, so that undoing it brings back
/// exactly what was there.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Schema of the table; `None` leaves it to whoever applies the definition.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
    /// Create or drop.
    pub action: Action,
    /// The index; its size and cardinality are no part of a definition, and are empty.
    pub index: Index,
    /// A generated column that is made before the index and goes after it.
    pub column: Option<GeneratedColumn>,
    /// Why, for whoever reviews it; empty where nobody said.
    pub reason: String,
    /// What speaks for it.
    pub evidence: Option<Evidence>,
}

impl Definition {
    /// Reads a definition. `file` is its name for messages.
    ///
    /// # Errors
    /// All mistakes at once, each with its place, what is wrong, and the remedy.
    pub fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
        parse::definition(file, text).map(|(definition, _)| definition)
    }

    /// The definition as a file; [`Definition::parse`] reads the same from it.
    #[must_use]
    pub fn to_toml(&self) -> String {
        print::definition(self, &[])
    }

    /// The same as a file for these profiles; for all where there are none.
    #[must_use]
    pub fn to_toml_for(&self, profiles: &[String]) -> String {
        print::definition(self, profiles)
    }

    /// The change alone, without reason and evidence, in one fixed form: whatever can be written
    /// in several ways (order of keys, defaults, comments, line endings) is written in one.
    #[must_use]
    pub fn canonical(&self) -> String {
        print::canonical(self)
    }

    /// SHA-256 of the canonical form, in hexadecimal: the same as long as the change is the same.
    #[must_use]
    pub fn checksum(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in Sha256::digest(self.canonical()) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The table with its schema, `default_schema` where the definition names none.
    #[must_use]
    pub fn table_name(&self, default_schema: &str) -> TableName {
        let schema = self.schema.as_deref().unwrap_or(default_schema);
        TableName::new(schema, self.table.as_str())
    }

    /// The statements that carry out the change, in order, without final semicolons.
    #[must_use]
    pub fn up(&self, default_schema: &str) -> Vec<String> {
        match self.action {
            Action::Create => self.make(default_schema),
            Action::Drop => self.remove(default_schema),
        }
    }

    /// The statements that take it back, in order.
    #[must_use]
    pub fn down(&self, default_schema: &str) -> Vec<String> {
        match self.action {
            Action::Create => self.remove(default_schema),
            Action::Drop => self.make(default_schema),
        }
    }

    /// The strongest lock that the change needs.
    #[must_use]
    pub fn lock(&self) -> LockLevel {
        match self.action {
            Action::Create => Mode::to_build(&self.index).lock,
            Action::Drop => Mode::to_drop(&self.index).lock,
        }
    }

    /// Whether both are the same change, whatever is said for them.
    #[must_use]
    pub fn is_same_change(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }

    fn make(&self, default_schema: &str) -> Vec<String> {
        let on = self.table_name(default_schema);
        let column = self.column.iter().map(|column| {
            ddl::add_virtual_column(
                &on,
                &column.name,
                &column.full_type,
                &column.expression,
                Mode::INSTANT,
            )
        });
        let index = ddl::create_index(&on, &self.index, Mode::to_build(&self.index));
        column.chain([index]).collect()
    }

    fn remove(&self, default_schema: &str) -> Vec<String> {
        let on = self.table_name(default_schema);
        let index = ddl::drop_index(&on, &self.index.name, Mode::to_drop(&self.index));
        let column = self.column.iter();
        let column = column.map(|column| ddl::drop_column(&on, &column.name, Mode::ONLINE));
        std::iter::once(index).chain(column).collect()
    }
}

#[cfg(test)]
mod tests;
