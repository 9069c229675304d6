//! The conditions on one table, sorted by what an index can do for them.

use std::collections::BTreeSet;

use super::table::Ground;
use crate::advisor::shape::{Op, Predicate};
use crate::model::schema::KeyPart;

/// Ranges tried for each set of equalities.
pub(super) const MAX_RANGES: usize = 3;

pub(super) type Parts = BTreeSet<KeyPart>;

/// Conditions, sorted by what an index can do for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    /// One value: keeps the order of what follows.
    pub(super) single: Parts,
    /// Several values.
    pub(super) many: Parts,
    /// Ranges, the most selective column first.
    pub(super) ranges: Vec<KeyPart>,
    /// Arrays: finds, and does nothing else.
    pub(super) arrays: Vec<KeyPart>,
    /// Beginnings of long strings: the last part.
    pub(super) prefixes: Vec<KeyPart>,
}

impl Conditions {
    pub(super) fn of(ground: &mut Ground<'_>, predicates: &[Predicate]) -> Self {
        let mut found = Self::default();
        for predicate in predicates {
            for part in ground.parts(&predicate.what, predicate.op, &predicate.constants) {
                match predicate.op {
                    Op::MemberOf => found.arrays.push(part),
                    _ if part.prefix.is_some() => found.prefixes.push(part),
                    Op::Equal | Op::IsNull => {
                        found.single.insert(part);
                    }
                    Op::In => {
                        found.many.insert(part);
                    }
                    Op::Range | Op::LikePrefix => found.ranges.push(part),
                    Op::Contains | Op::FullText | Op::Unequal => {}
                }
            }
        }
        found.many = found.many.difference(&found.single).cloned().collect();
        let points = found.points();
        found.ranges.retain(|part| !points.contains(part));
        for parts in [&mut found.ranges, &mut found.prefixes, &mut found.arrays] {
            parts.sort_by(|one, other| ground.compare(one, other));
            parts.dedup();
            parts.truncate(MAX_RANGES);
        }
        found
    }

    pub(super) fn points(&self) -> Parts {
        self.single.union(&self.many).cloned().collect()
    }
}
