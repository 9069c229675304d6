//! What the conditions of a block say together: values that are the same, conditions, disjunctions.

use super::block::push;
use super::facts::Fact;
use super::reader::Reader;
use super::tree::{self, Tree};
use super::typing;
use super::walk::{self, Col};
use crate::advisor::shape::{Op, Predicate};
use crate::model::schema::{Column, Part};

/// Columns that are known to be the same, and what they are.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) members: Vec<Col>,
    pub(super) constants: Option<Vec<String>>,
}

/// All that holds for the tables of one context: inside one outer join, or outside of any.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) classes: Vec<Class>,
    /// What is said of a table, with the outer join that says it.
    pub(super) said: Vec<(Option<usize>, Fact)>,
    pub(super) ors: Vec<(Option<usize>, Vec<Tree>)>,
}

impl Known {
    fn unite(&mut self, one: &Col, other: &Col) {
        let mut made = Class::default();
        let place = |classes: &[Class], col: &Col| {
            classes.iter().position(|class| class.members.contains(col))
        };
        for col in [one, other] {
            match place(&self.classes, col) {
                Some(i) => {
                    let class = self.classes.swap_remove(i);
                    made.members.extend(class.members);
                    made.constants = made.constants.or(class.constants);
                }
                None if made.members.contains(col) => {}
                None => made.members.push(col.clone()),
            }
        }
        self.classes.push(made);
    }

    fn fix(&mut self, col: &Col, constants: &[String]) {
        self.unite(col, col);
        if let Some(class) = self.classes.last_mut() {
            class.constants.get_or_insert_with(|| constants.to_vec());
        }
    }

    pub(super) fn class(&self, col: &Col) -> Option<&Class> {
        self.classes
            .iter()
            .find(|class| class.members.contains(col))
    }
}

impl Reader<'_> {
    /// What the conditions say that hold in a context.
    pub(super) fn known(&self, block: usize, context: Option<usize>) -> Known {
        let mut known = Known::default();
        let Some(draft) = self.blocks.get(block) else {
            return known;
        };
        for condition in &draft.conditions {
            let level = self.level(block, condition.level);
            let is_heard = match (level, context) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(level), Some(context)) => {
                    let inner = |n: usize| draft.outer_joins.get(n).map(|join| &join.inner);
                    inner(level)
                        .zip(inner(context))
                        .is_some_and(|(outer, inner)| outer.is_superset(inner))
                }
            };
            if !is_heard {
                continue;
            }
            for part in tree::conjuncts(&condition.expr) {
                match part {
                    Tree::Leaf(expr) => {
                        for fact in self.leaf(block, &expr) {
                            self.learn(block, &mut known, level, fact);
                        }
                    }
                    Tree::Or(branches) => self.learn_or(block, &mut known, level, branches),
                    Tree::And(_) => {}
                }
            }
        }
        known
    }

    pub(super) fn learn(&self, block: usize, known: &mut Known, level: Option<usize>, fact: Fact) {
        match &fact {
            Fact::Same(left, right) => {
                let columns = walk::col(left).zip(walk::col(right));
                let alike =
                    |one: &Col, other: &Col| match (self.column_at(one), self.column_at(other)) {
                        (Some(a), Some(b)) => typing::joins(a, b) && typing::joins(b, a),
                        _ => false,
                    };
                match columns {
                    Some((left, right)) if alike(&left, &right) => known.unite(&left, &right),
                    _ => known.said.push((level, fact)),
                }
            }
            Fact::On(table, predicate) => {
                if let (Op::Equal, Part::Column(name)) = (predicate.op, &predicate.what) {
                    let col = Col {
                        block,
                        table: *table,
                        name: name.clone(),
                    };
                    known.fix(&col, &predicate.constants);
                } else {
                    known.said.push((level, fact));
                }
            }
        }
    }

    pub(super) fn column_at(&self, col: &Col) -> Option<&Column> {
        self.table_of(col.block, col.table)?.column(&col.name)
    }

    /// An OR on one column alone is a list or a range; any other is kept by its branches.
    pub(super) fn learn_or(
        &self,
        block: usize,
        known: &mut Known,
        level: Option<usize>,
        branches: Vec<Tree>,
    ) {
        let leaves: Option<Vec<Vec<Fact>>> = branches
            .iter()
            .map(|branch| match branch {
                Tree::And(list) => match list.as_slice() {
                    [Tree::Leaf(expr)] => Some(self.leaf(block, expr)),
                    _ => None,
                },
                Tree::Leaf(expr) => Some(self.leaf(block, expr)),
                Tree::Or(_) => None,
            })
            .collect();
        let single: Option<Vec<(usize, Predicate)>> = leaves.and_then(|leaves| {
            leaves
                .into_iter()
                .map(|facts| match facts.as_slice() {
                    [Fact::On(table, predicate)] => Some((*table, predicate.clone())),
                    _ => None,
                })
                .collect()
        });
        if let Some((table, one)) = single.and_then(|single| merged(&single)) {
            known.said.push((level, Fact::On(table, one)));
            return;
        }
        known.ors.push((level, branches));
    }
}

/// Conditions on one column of which one must hold, as one condition.
fn merged(single: &[(usize, Predicate)]) -> Option<(usize, Predicate)> {
    let (table, first) = single.first()?;
    let is_one = single
        .iter()
        .all(|(on, p)| on == table && p.what == first.what);
    let all = |ops: &[Op]| single.iter().all(|(_, p)| ops.contains(&p.op));
    let op = if !is_one {
        return None;
    } else if all(&[Op::Equal, Op::In]) {
        Op::In
    } else if all(&[Op::Equal, Op::In, Op::Range, Op::LikePrefix]) {
        Op::Range
    } else {
        return None;
    };
    let mut constants = Vec::new();
    for constant in single.iter().flat_map(|(_, p)| &p.constants) {
        push(&mut constants, constant.clone());
    }
    Some((
        *table,
        Predicate {
            what: first.what.clone(),
            op,
            constants,
        },
    ))
}
