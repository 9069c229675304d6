//! Outer joins that are none, conditions that move into derived tables, semi-joins.

use std::collections::BTreeSet;

use sqlparser::ast::{BinaryOperator, Expr};

use super::facts::Fact;
use super::reader::{Reader, SubqueryKind};
use super::tree::{self, Tree};
use super::walk;

/// Functions that make something of NULL.
const TOLERANT: [&str; 9] = [
    "ifnull",
    "coalesce",
    "if",
    "isnull",
    "nullif",
    "concat_ws",
    "json_object",
    "json_array",
    "field",
];

impl Reader<'_> {
    /// An outer join whose NULLs no condition lets through is an inner one.
    pub(super) fn simplify(&mut self, block: usize) {
        loop {
            let Some(draft) = self.blocks.get(block) else {
                return;
            };
            let mut changed = None;
            'search: for condition in &draft.conditions {
                let level = self.level(block, condition.level);
                let mut rejected = BTreeSet::new();
                for part in tree::conjuncts(&condition.expr) {
                    rejected.extend(rejects(&part, block));
                }
                for (number, join) in draft.outer_joins.iter().enumerate() {
                    let is_above = match level {
                        None => true,
                        Some(own) => own != number && self.holds(block, own, number),
                    };
                    if !join.is_simplified && is_above && !join.inner.is_disjoint(&rejected) {
                        changed = Some(number);
                        break 'search;
                    }
                }
            }
            let Some(number) = changed else {
                return;
            };
            let join = self
                .blocks
                .get_mut(block)
                .and_then(|d| d.outer_joins.get_mut(number));
            if let Some(join) = join {
                join.is_simplified = true;
            }
        }
    }

    fn holds(&self, block: usize, outer: usize, inner: usize) -> bool {
        let joins = self.blocks.get(block).map(|draft| &draft.outer_joins);
        joins
            .and_then(|joins| joins.get(outer).zip(joins.get(inner)))
            .is_some_and(|(outer, inner)| outer.inner.is_superset(&inner.inner))
    }

    /// The outer join that a condition belongs to, simplified ones left out.
    pub(super) fn level(&self, block: usize, level: Option<usize>) -> Option<usize> {
        let joins = &self.blocks.get(block)?.outer_joins;
        let own = joins.get(level?)?;
        if !own.is_simplified {
            return level;
        }
        self.around(block, &own.inner)
    }

    /// The innermost outer join that is one, around these tables.
    pub(super) fn around(&self, block: usize, tables: &BTreeSet<usize>) -> Option<usize> {
        let joins = &self.blocks.get(block)?.outer_joins;
        joins
            .iter()
            .enumerate()
            .filter(|(_, join)| !join.is_simplified && join.inner.is_superset(tables))
            .min_by_key(|(_, join)| join.inner.len())
            .map(|(number, _)| number)
    }

    /// Gives conditions on a derived table to the blocks that make it.
    pub(super) fn push_down(&mut self, block: usize) {
        let mut pushed = Vec::new();
        for condition in self.blocks.get(block).map_or(&[][..], |d| &d.conditions) {
            if self.level(block, condition.level).is_some() {
                continue;
            }
            for part in tree::conjuncts(&condition.expr) {
                let expr = as_expr(&part);
                let refs = walk::refs(&expr);
                let numbers: BTreeSet<usize> = refs.derived.iter().map(|(n, _)| *n).collect();
                let (Some(number), 1) = (numbers.first(), numbers.len()) else {
                    continue;
                };
                if refs.cols.is_empty() && refs.subqueries.is_empty() && !refs.has_unknown {
                    self.pushed_into(*number, &expr, &mut pushed);
                }
            }
        }
        for (block, expr) in pushed {
            self.condition(block, expr);
        }
    }

    fn pushed_into(&self, number: usize, expr: &Expr, pushed: &mut Vec<(usize, Expr)>) {
        let Some(derived) = self.derived.get(number).filter(|derived| derived.is_open) else {
            return;
        };
        for branch in &derived.branches {
            let find = |name: &str| {
                let place = derived.names.iter().position(|own| own == name)?;
                branch.output.get(place).map(|(_, expr)| expr.clone())
            };
            let Some(draft) = self.blocks.get(branch.block) else {
                continue;
            };
            let is_grouped = draft.is_grouped || draft.is_aggregated;
            let is_possible = walk::refs(expr).derived.iter().all(|(_, name)| {
                find(name)
                    .is_some_and(|found| !is_grouped || draft.group.contains(walk::bare(&found)))
            });
            if is_possible {
                let mut inside = expr.clone();
                walk::substitute(&mut inside, &|expr| find(&walk::derived_col(expr)?.1));
                pushed.push((branch.block, inside));
            }
        }
    }

    /// `IN (SELECT …)` and `EXISTS` as the joins that they may become.
    pub(super) fn semi_join(&self, block: usize, number: usize) -> Vec<Fact> {
        let Some(found) = self.subqueries.get(number) else {
            return Vec::new();
        };
        let mut facts = Vec::new();
        let [branch] = found.branches.as_slice() else {
            return facts;
        };
        match &found.kind {
            SubqueryKind::In(left) => {
                for (left, (_, inner)) in left.iter().zip(&branch.output) {
                    facts.push(Fact::Same(left.clone(), inner.clone()));
                }
            }
            SubqueryKind::Exists => {
                let conditions = self
                    .blocks
                    .get(branch.block)
                    .map_or(&[][..], |d| &d.conditions);
                for condition in conditions {
                    for part in tree::conjuncts(&condition.expr) {
                        if let Tree::Leaf(Expr::BinaryOp {
                            left,
                            op: BinaryOperator::Eq,
                            right,
                        }) = part
                        {
                            let own = |e: &Expr| walk::col(e).is_some_and(|c| c.block == block);
                            if own(&left) != own(&right) {
                                facts.push(Fact::Same(*left, *right));
                            }
                        }
                    }
                }
            }
            SubqueryKind::Scalar => {}
        }
        facts
    }
}

fn as_expr(tree: &Tree) -> Expr {
    let fold = |list: &[Tree], op: BinaryOperator| {
        let mut parts = list.iter().map(as_expr);
        let first = parts.next().unwrap_or_else(|| walk::unknown(""));
        let all = parts.fold(first, |left, right| Expr::BinaryOp {
            left: Box::new(left),
            op: op.clone(),
            right: Box::new(right),
        });
        Expr::Nested(Box::new(all))
    };
    match tree {
        Tree::And(list) => fold(list, BinaryOperator::And),
        Tree::Or(list) => fold(list, BinaryOperator::Or),
        Tree::Leaf(expr) => expr.clone(),
    }
}

/// The tables for which the condition is never true with NULLs.
fn rejects(tree: &Tree, block: usize) -> BTreeSet<usize> {
    match tree {
        Tree::And(list) => list.iter().flat_map(|tree| rejects(tree, block)).collect(),
        Tree::Or(list) => {
            let mut sets = list.iter().map(|tree| rejects(tree, block));
            let first = sets.next().unwrap_or_default();
            sets.fold(first, |all, set| &all & &set)
        }
        Tree::Leaf(expr) => {
            let mut tables = BTreeSet::new();
            match expr {
                Expr::BinaryOp {
                    op: BinaryOperator::Spaceship,
                    ..
                }
                | Expr::IsNull(_) => {}
                Expr::BinaryOp { left, right, .. } => {
                    strict(left, block, &mut tables);
                    strict(right, block, &mut tables);
                }
                Expr::Between { expr, .. }
                | Expr::InList { expr, .. }
                | Expr::Like { expr, .. }
                | Expr::RLike { expr, .. }
                | Expr::IsNotNull(expr) => {
                    strict(expr, block, &mut tables);
                }
                _ => {}
            }
            tables
        }
    }
}

/// The tables whose NULL makes the value NULL.
fn strict(expr: &Expr, block: usize, tables: &mut BTreeSet<usize>) {
    let expr = walk::bare(expr);
    if let Some(col) = walk::col(expr) {
        if col.block == block {
            tables.insert(col.table);
        }
        return;
    }
    match expr {
        Expr::BinaryOp {
            op: BinaryOperator::Spaceship,
            ..
        }
        | Expr::Case { .. } => {}
        Expr::BinaryOp { left, op, right }
            if *op != BinaryOperator::And && *op != BinaryOperator::Or =>
        {
            strict(left, block, tables);
            strict(right, block, tables);
        }
        Expr::Cast { expr, .. } | Expr::Collate { expr, .. } => strict(expr, block, tables),
        Expr::Function(_) => {
            let name = walk::function_name(expr).unwrap_or_default();
            if !TOLERANT.contains(&name.as_str()) {
                for argument in walk::arguments(expr) {
                    strict(argument, block, tables);
                }
            }
        }
        _ => {}
    }
}
