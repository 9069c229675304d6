//! The indexes that are there: which must stay, which are of no use.
//!
//! One is taken away at a time, and whatever stands in for it stays, so that all verdicts hold
//! together: applied at once they keep every uniqueness, a support for every foreign key, and one
//! index of each pair. Reading the counts of use is `server::usage`.

mod pairs;
mod reasons;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::pairs::{
    enforces, is_beginning, is_far_wider, is_named_alike, is_same, may_support, stands_in, supports,
};
pub use self::reasons::is_unread_so_far;
use super::candidates::keys;
use super::shape::{Op, Shape, TableUse};
pub use crate::model::review::{Fate, Required, Verdict};
use crate::model::schema::{
    Catalog, ForeignKey, Index, IndexKind, KeyPart, Part, Table, TableName,
};
pub use crate::model::usage::{Counts, IndexUsage};
use crate::server::ddl::{self, Mode};

/// A verdict for each secondary index of the catalog's tables, by table and name.
#[must_use]
pub fn review(catalog: &Catalog, usage: &IndexUsage, shapes: &[(usize, Shape)]) -> Vec<Verdict> {
    let mut review = Review {
        usage,
        shapes,
        references: references(catalog),
        counters: &catalog.counters,
        gone: BTreeSet::new(),
        pinned: BTreeSet::new(),
    };
    let mut verdicts = Vec::new();
    for table in catalog.tables.values() {
        let secondary = || table.indexes.iter().filter(|index| !index.is_primary());
        let mut fates: Vec<(&Index, Fate)> = Vec::new();
        // Pairs first: an index that nobody reads because its twin is read is a duplicate.
        for pass in [Review::duplicate, Review::redundant, Review::unused] {
            let mut waiting: Vec<&Index> = secondary()
                .filter(|index| fates.iter().all(|(known, _)| known.name != index.name))
                .collect();
            waiting.sort_by_key(|index| review.worth(table, index));
            for index in waiting {
                if review.required(table, index).is_some() || review.is_pinned(table, index) {
                    continue;
                }
                if let Some(fate) = pass(&mut review, table, index) {
                    review.gone.insert(key(table, index));
                    fates.push((index, fate));
                }
            }
        }
        for index in secondary() {
            let fate = fates
                .iter()
                .find(|(known, _)| known.name == index.name)
                .map(|(_, fate)| fate.clone())
                .or_else(|| review.required(table, index).map(Fate::Required))
                .unwrap_or(Fate::Keep);
            verdicts.push(review.verdict(table, index, fate));
        }
    }
    verdicts
}

/// The foreign keys that refer to each table, by its name in the catalog.
fn references(catalog: &Catalog) -> BTreeMap<&TableName, Vec<&ForeignKey>> {
    let mut references: BTreeMap<&TableName, Vec<&ForeignKey>> = BTreeMap::new();
    for key in catalog
        .tables
        .values()
        .flat_map(|child| &child.foreign_keys)
    {
        if let Some(parent) = catalog.table(&key.parent.schema, &key.parent.name) {
            references.entry(&parent.name).or_default().push(key);
        }
    }
    references
}

/// Whether nothing would miss `index` once `new` is on its table, whatever else goes from there: what
/// it finds, sorts and covers, `new` does as well, and so it supports what it supports.
#[must_use]
pub fn gives_way(
    catalog: &Catalog,
    shapes: &[(usize, Shape)],
    table: &Table,
    index: &Index,
    new: &Index,
) -> bool {
    let mut with = table.clone();
    with.indexes
        .retain(|other| other.is_primary() || other.name == index.name);
    with.indexes.push(new.clone());
    let review = Review {
        usage: &IndexUsage::default(),
        shapes,
        references: references(catalog),
        counters: &catalog.counters,
        gone: BTreeSet::new(),
        pinned: BTreeSet::new(),
    };
    stands_in(new, index)
        && review.required(&with, index).is_none()
        && review.replaces(&with, new, index)
}

/// Whether the primary key that InnoDB appends to `index` is in the same place in `other`.
fn keeps_tail(table: &Table, other: &Index, index: &Index) -> bool {
    let whole = keys::extended(table, &index.parts);
    keys::extended(table, &other.parts).starts_with(&whole)
}

type Key = (TableName, String);

fn key(table: &Table, index: &Index) -> Key {
    (table.name.clone(), index.name.to_ascii_lowercase())
}

struct Review<'a> {
    usage: &'a IndexUsage,
    shapes: &'a [(usize, Shape)],
    /// The foreign keys that refer to each table.
    references: BTreeMap<&'a TableName, Vec<&'a ForeignKey>>,
    /// The columns that count up by themselves where the table does not tell.
    counters: &'a BTreeMap<TableName, String>,
    /// What has been taken away.
    gone: BTreeSet<Key>,
    /// What stands in for something that was taken away.
    pinned: BTreeSet<Key>,
}

impl Review<'_> {
    fn is_pinned(&self, table: &Table, index: &Index) -> bool {
        self.pinned.contains(&key(table, index))
    }

    /// Indexes of the table that are still there, without `index`.
    fn others<'t>(&self, table: &'t Table, index: &Index) -> Vec<&'t Index> {
        table
            .indexes
            .iter()
            .filter(|other| other.name != index.name && !self.gone.contains(&key(table, other)))
            .collect()
    }

    /// The least worth keeping of a pair comes first: shown ones, short ones are kept.
    fn worth(
        &self,
        table: &Table,
        index: &Index,
    ) -> (
        bool,
        bool,
        std::cmp::Reverse<usize>,
        std::cmp::Reverse<String>,
    ) {
        (
            index.is_visible,
            index.is_unique || self.is_pinned(table, index),
            std::cmp::Reverse(index.parts.len()),
            std::cmp::Reverse(index.name.to_ascii_lowercase()),
        )
    }

    fn required(&self, table: &Table, index: &Index) -> Option<Required> {
        let others = self.others(table, index);
        if implicit_primary_key(table).is_some_and(|own| own.name == index.name) {
            return Some(Required::ImplicitPrimaryKey);
        }
        if index.is_unique && !others.iter().any(|other| enforces(other, index)) {
            return Some(Required::Unique);
        }
        let needs = |key: &ForeignKey| {
            may_support(index, &key.columns)
                && !others.iter().any(|other| supports(other, &key.columns))
        };
        if table.foreign_keys.iter().any(needs) {
            return Some(Required::ForeignKeyChild);
        }
        let references = self.references.get(&table.name);
        let is_referred = references.into_iter().flatten().any(|key| {
            may_support(index, &key.parent_columns)
                && !others.iter().any(|other| {
                    supports(other, &key.parent_columns)
                        && (!index.is_unique
                            || other.is_unique && other.parts.len() <= index.parts.len())
                })
        });
        if is_referred {
            return Some(Required::ForeignKeyParent);
        }
        if self.uses(table).any(|used| {
            used.hints
                .iter()
                .any(|hint| hint.eq_ignore_ascii_case(&index.name))
        }) {
            return Some(Required::Hint);
        }
        let counts_up = |index: &Index| {
            index
                .parts
                .first()
                .and_then(KeyPart::column_name)
                .is_some_and(|name| self.counts_up(table, name))
        };
        (counts_up(index) && !others.iter().any(|other| counts_up(other)))
            .then_some(Required::AutoIncrement)
    }

    /// Whether the column counts up by itself.
    fn counts_up(&self, table: &Table, name: &str) -> bool {
        let counter = self.counters.get(&table.name);
        counter.is_some_and(|counter| counter.eq_ignore_ascii_case(name))
            || table
                .column(name)
                .is_some_and(|column| column.is_auto_increment)
    }

    /// What the workload asks of the table.
    fn uses<'s>(&'s self, table: &'s Table) -> impl Iterator<Item = &'s TableUse> {
        self.shapes
            .iter()
            .flat_map(|(_, shape)| &shape.blocks)
            .flat_map(|block| &block.tables)
            .filter(|used| {
                used.table.schema.eq_ignore_ascii_case(&table.name.schema)
                    && used.table.name.eq_ignore_ascii_case(&table.name.name)
            })
    }

    fn duplicate(&mut self, table: &Table, index: &Index) -> Option<Fate> {
        let same = self
            .others(table, index)
            .into_iter()
            .filter(|other| stands_in(other, index) && is_same(table, other, index))
            .max_by_key(|other| (other.is_primary(), self.worth(table, other)))?;
        self.pinned.insert(key(table, same));
        Some(Fate::Duplicate(same.name.clone()))
    }

    fn redundant(&mut self, table: &Table, index: &Index) -> Option<Fate> {
        let longer = self
            .others(table, index)
            .into_iter()
            .filter(|other| stands_in(other, index) && self.replaces(table, other, index))
            .max_by_key(|other| {
                (
                    self.is_pinned(table, other),
                    other.parts.len(),
                    other.name.clone(),
                )
            })?;
        self.pinned.insert(key(table, longer));
        Some(Fate::Redundant(longer.name.clone()))
    }

    fn unused(&mut self, table: &Table, index: &Index) -> Option<Fate> {
        let is_unused = reasons::is_unread(self.usage, &table.name, index)
            && self.usage.is_watched(&table.name);
        is_unused.then_some(Fate::Unused)
    }

    /// Whether `other` does for every query what `index` does.
    fn replaces(&self, table: &Table, other: &Index, index: &Index) -> bool {
        // What begins with the same parts does the same where entries lie in the order of the parts:
        // a hash finds whole keys only, and a full-text search names exactly the parts of an index.
        let is_ordered = matches!(index.kind, IndexKind::BTree | IndexKind::MultiValued);
        if !is_ordered {
            return false;
        }
        if !is_beginning(&keys::extended(table, &other.parts), &index.parts) {
            return false;
        }
        if !keeps_tail(table, other, index) && self.uses_tail(table, index) {
            return false;
        }
        !other.is_primary() && !is_far_wider(table, other, index)
    }

    /// Whether a query of the workload uses the primary key that InnoDB appends to the index: its
    /// order, or a range in it, behind equalities of the index's columns.
    fn uses_tail(&self, table: &Table, index: &Index) -> bool {
        let tail: Vec<&str> = table
            .primary_key()
            .map_or(&[][..], |primary| &primary.parts)
            .iter()
            .filter_map(KeyPart::column_name)
            .collect();
        let is_tail = |part: &Part| {
            matches!(part, Part::Column(name)
                if tail.iter().any(|own| own.eq_ignore_ascii_case(name)))
        };
        self.uses(table).any(|used| {
            let finds = index.parts.iter().all(|part| {
                used.predicates.iter().any(|predicate| {
                    is_named_alike(&predicate.what, &part.what)
                        && matches!(predicate.op, Op::Equal | Op::IsNull | Op::In)
                }) || used
                    .joins
                    .iter()
                    .any(|join| is_named_alike(&join.what, &part.what))
                    || used
                        .order
                        .iter()
                        .chain(&used.group)
                        .any(|own| is_named_alike(&own.what, &part.what))
            });
            let sorted = used.order.iter().chain(&used.group).chain(&used.extremes);
            finds
                && (sorted.into_iter().any(|part| is_tail(&part.what))
                    || used.predicates.iter().any(|predicate| {
                        is_tail(&predicate.what)
                            && matches!(predicate.op, Op::Range | Op::Equal | Op::In)
                    })
                    || used.joins.iter().any(|join| is_tail(&join.what)))
        })
    }

    fn verdict(&self, table: &Table, index: &Index, fate: Fate) -> Verdict {
        let mut reason = reasons::of(
            self.usage,
            table,
            index,
            &fate,
            self.is_pinned(table, index),
        );
        if let Fate::Redundant(other) = &fate
            && self.shapes.is_empty()
            && let Some(other) = table.index(other)
            && !keeps_tail(table, other, index)
        {
            reason.push_str(reasons::UNSEEN_TAIL);
        }
        let mut ddl = Vec::new();
        let mut undo = Vec::new();
        if fate.is_drop() {
            if index.is_visible {
                ddl.push(ddl::set_visible(&table.name, &index.name, false));
                undo.push(ddl::set_visible(&table.name, &index.name, true));
            }
            let (drop, build) = (
                Mode::to_drop_from(table, index),
                Mode::to_build_on(table, index),
            );
            ddl.push(ddl::drop_index(&table.name, &index.name, drop));
            undo.push(ddl::create_index(&table.name, index, build));
        }
        Verdict {
            table: table.name.clone(),
            index: index.clone(),
            fate,
            reason,
            ddl,
            undo,
        }
    }
}

/// The unique index that InnoDB takes for the primary key: the first one without NULL.
fn implicit_primary_key(table: &Table) -> Option<&Index> {
    if table.primary_key().is_some() {
        return None;
    }
    // Which of several it is depends on the order of the definition, so each is.
    let is_fit = |index: &&Index| {
        index.is_unique
            && index.parts.iter().all(|part| {
                part.prefix.is_none()
                    && part
                        .column_name()
                        .and_then(|name| table.column(name))
                        .is_some_and(|column| !column.is_nullable)
            })
    };
    let place = |index: &Index| {
        table
            .create
            .find(&format!("KEY {}", crate::server::quote::ident(&index.name)))
            .unwrap_or(usize::MAX)
    };
    table
        .indexes
        .iter()
        .filter(is_fit)
        .min_by_key(|index| place(index))
}
