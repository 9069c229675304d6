//! What rules found in files and databases, each with its place, for whoever shows it.

use super::finding::Severity;

/// One run of some rules over files or a database.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checked {
    /// What ran, such as `index lint`.
    pub name: String,
    /// The rules that were applied, by code.
    pub rules: Vec<&'static Rule>,
    /// Everything that was looked at, in order: files, or tables.
    pub subjects: Vec<String>,
    /// What was found, by subject and place.
    pub found: Vec<Found>,
    /// What could not be looked at, each one sentence with its remedy.
    pub notes: Vec<String>,
}

/// A rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its code, which never changes its meaning: `MYX020`.
    pub code: &'static str,
    /// Its name in kebab-case.
    pub name: &'static str,
    /// How much it matters when it is broken.
    pub severity: Severity,
    /// What it wants, in one sentence.
    pub summary: &'static str,
}

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The rule.
    pub rule: &'static Rule,
    /// The file or table that it is about, one of [`Checked::subjects`].
    pub subject: String,
    /// Where in a file, if in one.
    pub spot: Option<Spot>,
    /// The object in the database, such as `shop.orders.orders_state`; `None` where it is about a
    /// file alone.
    pub object: Option<String>,
    /// What was found, one sentence with the value in backticks.
    pub message: String,
    /// What to do; empty where there is nothing to do.
    pub remedy: String,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Checked {
    /// The worst that was found.
    #[must_use]
    pub fn worst(&self) -> Severity {
        let severities = self.found.iter().map(|found| found.rule.severity);
        severities.max().unwrap_or(Severity::Ok)
    }

    /// How many were found of this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let same = |found: &&Found| found.rule.severity == severity;
        self.found.iter().filter(same).count()
    }
}
