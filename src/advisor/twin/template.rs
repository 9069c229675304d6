//! Statements with places for values that earlier statements find.

use std::fmt;

/// A statement with places; the text between them is fixed before anything runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<String>);

impl Template {
    /// A statement from the texts around its places.
    pub(super) fn new(parts: &[String]) -> Self {
        Self(parts.to_vec())
    }

    /// The statement with these literals in its places, in order.
    pub(super) fn fill(&self, literals: &[String]) -> String {
        let mut sql = String::new();
        for (i, part) in self.0.iter().enumerate() {
            sql.push_str(part);
            if i + 1 < self.0.len() {
                sql.push_str(literals.get(i).map_or("NULL", String::as_str));
            }
        }
        sql
    }
}

impl fmt::Display for Template {
    /// With a question mark in each place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("?"))
    }
}
