//! One table as the search for candidates sees it: what fits a key, what is unique, what is long.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::arrays;
use super::expression::{self, Indexable};
use super::keys::{self, Fit};
use super::order::{Steps, width};
use super::texts;
use crate::advisor::shape::Op;
use crate::advisor::statistics::Statistics;
use crate::model::finding::{Finding, Severity};
use crate::model::schema::{KeyPart, Part, Table};

/// Share of a row's bytes above which an index would be the table over again.
const MOST_OF_ROW: f64 = 0.7;
/// InnoDB leaves a sixteenth of each page free.
const PAGE_FILL: f64 = 15.0 / 16.0;
/// Bytes of a clustered row besides its columns: header, transaction and undo pointer.
const ROW_HEADER: f64 = 18.0;

/// A table, and what was found about it so far.
pub(super) struct Ground<'a> {
    pub(super) table: &'a Table,
    pub(super) statistics: &'a Statistics,
    /// Expressions by their text in key parts.
    pub(super) expressions: BTreeMap<String, Indexable>,
    /// Arrays in the same way: words for names.
    pub(super) arrays: BTreeMap<String, Vec<String>>,
    /// Names of generated columns that are to be made, with what they hold.
    pub(super) generated: BTreeMap<String, String>,
    pub(super) notes: Vec<Finding>,
    /// Columns that UPDATE sets, in lower case, with the weight of the statements.
    hot: BTreeMap<String, f64>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(
        table: &'a Table,
        statistics: &'a Statistics,
        hot: BTreeMap<String, f64>,
    ) -> Self {
        Self {
            table,
            statistics,
            expressions: BTreeMap::new(),
            arrays: BTreeMap::new(),
            generated: BTreeMap::new(),
            notes: Vec::new(),
            hot,
        }
    }

    pub(super) fn note(&mut self, note: Finding) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// What of a condition can be in a key: none, one, or several ways.
    pub(super) fn parts(&mut self, what: &Part, op: Op, constants: &[String]) -> Vec<KeyPart> {
        match (op, what) {
            // The optimizer does not take an index on an expression for LIKE.
            (Op::Unequal, _) | (Op::LikePrefix, Part::Expression(_)) => Vec::new(),
            (Op::Contains | Op::FullText, _) => {
                if let Some(note) = texts::advice(self.table, what, op) {
                    self.note(note);
                }
                Vec::new()
            }
            (Op::MemberOf, what) => self.array(what, constants),
            (_, Part::Column(name)) => self.column(name).into_iter().collect(),
            (_, Part::Expression(text)) => self.expression(text, constants).into_iter().collect(),
        }
    }

    /// The first way.
    pub(super) fn part(&mut self, what: &Part, op: Op, constants: &[String]) -> Option<KeyPart> {
        self.parts(what, op, constants).into_iter().next()
    }

    fn column(&self, name: &str) -> Option<KeyPart> {
        let column = self.table.column(name)?;
        let part = KeyPart::column(column.name.clone());
        match keys::fit(self.table, column, self.statistics) {
            Fit::Whole => Some(part),
            Fit::Prefix(chars) => Some(KeyPart {
                prefix: Some(chars),
                ..part
            }),
            Fit::Not => None,
        }
    }

    fn array(&mut self, what: &Part, constants: &[String]) -> Vec<KeyPart> {
        let text = match what {
            Part::Column(name) => crate::server::quote::ident(name),
            Part::Expression(text) => text.clone(),
        };
        arrays::arrays(self.table, &text, constants)
            .into_iter()
            .map(|(sql, words)| {
                self.arrays.insert(sql.clone(), words);
                KeyPart {
                    what: Part::Expression(sql),
                    prefix: None,
                    is_descending: false,
                }
            })
            .collect()
    }

    fn expression(&mut self, text: &str, constants: &[String]) -> Option<KeyPart> {
        match expression::indexable(self.table, text, constants) {
            Ok(found) => {
                let made = self.table.columns.iter().find(|column| {
                    column.generated.as_ref().is_some_and(|generated| {
                        expression::canonical(self.table, &generated.expression).as_ref()
                            == Some(&found.sql)
                    })
                });
                if let Some(column) = made {
                    return self.column(&column.name.clone());
                }
                let sql = found.sql.clone();
                self.expressions.insert(sql.clone(), found);
                Some(KeyPart {
                    what: Part::Expression(sql),
                    prefix: None,
                    is_descending: false,
                })
            }
            Err(reason) => {
                self.note(Finding {
                    severity: Severity::Note,
                    code: "expression-not-indexed",
                    message: format!(
                        "no index is tried for `{text}` of `{}`: {reason}",
                        self.table.name
                    ),
                    remedy: "compare the column itself, or add a generated column by hand and \
                             compare that"
                        .to_owned(),
                });
                None
            }
        }
    }

    /// A part to sort by: only whole values have an order.
    pub(super) fn sorted(&mut self, part: &KeyPart) -> Option<KeyPart> {
        let found = self.part(&part.what, Op::Range, &[])?;
        found.prefix.is_none().then_some(KeyPart {
            is_descending: part.is_descending,
            ..found
        })
    }

    /// The most selective first, then by name.
    pub(super) fn compare(&self, one: &KeyPart, other: &KeyPart) -> Ordering {
        self.distinct(other)
            .cmp(&self.distinct(one))
            .then_with(|| self.heat(one).total_cmp(&self.heat(other)))
            .then_with(|| one.cmp(other))
    }

    /// How much is written to the column.
    fn heat(&self, part: &KeyPart) -> f64 {
        part.column_name()
            .and_then(|name| self.hot.get(&name.to_ascii_lowercase()))
            .copied()
            .unwrap_or(0.0)
    }

    /// Whether most rows have NULL there.
    pub(super) fn is_mostly_null(&self, part: &KeyPart) -> bool {
        const MOSTLY: f64 = 0.5;
        part.column_name().is_some_and(|name| {
            let statistics = self.statistics.of(&self.table.name, name);
            statistics.null_share.is_some_and(|share| share > MOSTLY)
        })
    }

    /// Distinct values: of the column's statistics, else of an index that begins with it. A column
    /// that is mostly NULL tells little apart, however many other values it has.
    fn distinct(&self, part: &KeyPart) -> u64 {
        let Some(name) = part.column_name() else {
            return 0;
        };
        if self.is_mostly_null(part) {
            return 1;
        }
        self.statistics
            .of(&self.table.name, name)
            .distinct
            .or_else(|| {
                let first = |index: &&crate::model::schema::Index| {
                    index
                        .parts
                        .first()
                        .is_some_and(|first| first.what == part.what)
                };
                self.table
                    .indexes
                    .iter()
                    .filter(first)
                    .filter_map(|index| index.cardinality.first().copied().flatten())
                    .max()
            })
            .unwrap_or(0)
    }

    /// Whether one row at most has these values, and an index finds it already.
    pub(super) fn is_unique(&self, points: &BTreeSet<KeyPart>) -> bool {
        self.table.indexes.iter().any(|index| {
            index.is_unique
                && index.is_visible
                && keys::is_ordered(index)
                && index.parts.iter().all(|part| {
                    part.prefix.is_none()
                        && points.iter().any(|point| point.what == part.what)
                        && part
                            .column_name()
                            .and_then(|name| self.table.column(name))
                            .is_some_and(|column| !column.is_nullable)
                })
        })
    }

    /// All of the columns as parts, if each of them can be in a key as a whole.
    pub(super) fn whole_columns(&self, names: &BTreeSet<String>) -> Option<BTreeSet<KeyPart>> {
        names
            .iter()
            .map(|name| self.column(name).filter(|part| part.prefix.is_none()))
            .collect()
    }

    /// Whether values of all its parts can be read from an index.
    pub(super) fn may_cover(steps: &Steps) -> bool {
        steps
            .iter()
            .flatten()
            .all(|part| part.prefix.is_none() && part.column_name().is_some())
    }

    /// InnoDB has it in every secondary index.
    pub(super) fn is_in_primary_key(&self, part: &KeyPart) -> bool {
        self.table.engine.eq_ignore_ascii_case("InnoDB")
            && self
                .table
                .primary_key()
                .is_some_and(|key| key.parts.iter().any(|own| own.what == part.what))
    }

    /// Whether it fits the limits and leaves out enough of the row to be worth it.
    pub(super) fn is_worth_covering(&self, steps: &Steps) -> bool {
        let parts: Vec<KeyPart> = steps.iter().flatten().cloned().collect();
        if width(steps) > keys::MAX_PARTS || !self.fits(&parts) {
            return false;
        }
        let bytes = |part: &KeyPart| keys::stored_part_bytes(self.table, part, self.statistics);
        let key: f64 = keys::extended(self.table, &parts).iter().map(bytes).sum();
        let row = if self.table.rows >= 1000 && self.table.data_bytes > 0 {
            let whole = self.table.data_bytes as f64 / self.table.rows as f64;
            whole * PAGE_FILL - ROW_HEADER
        } else {
            self.table
                .columns
                .iter()
                .map(|column| bytes(&KeyPart::column(column.name.clone())))
                .sum()
        };
        key <= row * MOST_OF_ROW
    }

    /// Whether the server accepts a key of these parts.
    pub(super) fn fits(&self, parts: &[KeyPart]) -> bool {
        let (whole, part_limit) = keys::limits(self.table);
        let bytes = |part: &KeyPart| keys::declared_part_bytes(self.table, part);
        parts.len() <= keys::MAX_PARTS
            && parts.iter().all(|part| bytes(part) <= part_limit + 3)
            && parts.iter().map(bytes).sum::<u64>() <= whole
    }

    /// The order with the sets put in line: the most selective first, columns that are often
    /// written last.
    pub(super) fn in_line(&self, steps: &Steps) -> Vec<KeyPart> {
        let mut all = Vec::new();
        for set in steps {
            let mut set: Vec<KeyPart> = set.iter().cloned().collect();
            set.sort_by(|one, other| self.compare(one, other));
            all.extend(set);
        }
        all
    }
}
