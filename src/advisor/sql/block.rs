//! A finished block: what each of its tables is asked, equalities carried on.

use std::collections::BTreeSet;

use sqlparser::ast::Expr;

use super::facts::Fact;
use super::known::{Class, Known};
use super::reader::Reader;
use super::tree::Tree;
use super::typing;
use super::walk::{self, Col};
use crate::advisor::shape::{Block, Join, Op, Predicate, TableUse};
use crate::model::schema::{KeyPart, Part};

impl Reader<'_> {
    pub(super) fn block(&self, block: usize, hints: &[String]) -> Block {
        let Some(draft) = self.blocks.get(block) else {
            return Block::default();
        };
        let contexts: Vec<Option<usize>> = (0..draft.tables.len())
            .map(|table| self.around(block, &BTreeSet::from([table])))
            .collect();
        let outside = self.known(block, None);
        let mut tables = Vec::new();
        for (number, used) in draft.tables.iter().enumerate() {
            let context = contexts.get(number).copied().flatten();
            let own = context.map(|context| self.known(block, Some(context)));
            let mut made = TableUse {
                table: used.table.clone(),
                alias: used.alias.clone(),
                predicates: Vec::new(),
                ors: Vec::new(),
                joins: Vec::new(),
                group: self.sequence(block, number, &outside, &without_direction(&draft.group)),
                order: self.sequence(block, number, &outside, &draft.order),
                extremes: self.extremes(block, number),
                columns: used.columns.clone(),
                is_outer_joined: context.is_some(),
                hints: used.hints.clone(),
            };
            made.hints.extend(hinted(hints, &used.alias));
            self.fill(
                block,
                number,
                context,
                own.as_ref().unwrap_or(&outside),
                &mut made,
            );
            tables.push(made);
        }
        Block {
            tables,
            limit: draft.limit,
            is_correlated: draft.is_correlated,
        }
    }

    fn fill(
        &self,
        block: usize,
        table: usize,
        context: Option<usize>,
        known: &Known,
        made: &mut TableUse,
    ) {
        let applies = |level: Option<usize>| match level {
            None => context.is_none(),
            Some(level) => self
                .blocks
                .get(block)
                .and_then(|draft| draft.outer_joins.get(level))
                .is_some_and(|join| join.inner.contains(&table)),
        };
        for class in &known.classes {
            for own in class
                .members
                .iter()
                .filter(|c| c.block == block && c.table == table)
            {
                self.of_class(class, own, made);
            }
        }
        for (level, fact) in known.said.iter().filter(|(level, _)| applies(*level)) {
            let _ = level;
            match fact {
                Fact::On(on, predicate) if *on == table => {
                    push(&mut made.predicates, predicate.clone());
                }
                Fact::On(..) => {}
                Fact::Same(left, right) => {
                    self.join(block, table, left, right, made);
                    self.join(block, table, right, left, made);
                }
            }
        }
        for (_, branches) in known.ors.iter().filter(|(level, _)| applies(*level)) {
            let lists: Vec<Vec<Predicate>> = branches
                .iter()
                .map(|branch| self.of_branch(block, table, branch))
                .collect();
            let is_helped = |list: &Vec<Predicate>| list.iter().any(|p| p.op != Op::Unequal);
            if lists.iter().all(is_helped) {
                push(&mut made.ors, lists);
            }
        }
    }

    fn of_class(&self, class: &Class, own: &Col, made: &mut TableUse) {
        if let Some(constants) = &class.constants {
            push(
                &mut made.predicates,
                Predicate {
                    what: Part::Column(own.name.clone()),
                    op: Op::Equal,
                    constants: constants.clone(),
                },
            );
            return;
        }
        for other in &class.members {
            if (other.block, other.table) == (own.block, own.table) {
                continue;
            }
            if let Some(used) = self.used(other) {
                push(
                    &mut made.joins,
                    Join {
                        what: Part::Column(own.name.clone()),
                        other: used.alias.clone(),
                        other_table: Some(used.table.clone()),
                        other_column: Some(other.name.clone()),
                    },
                );
            }
        }
    }

    /// The conditions that a branch of an OR has on one table.
    fn of_branch(&self, block: usize, table: usize, branch: &Tree) -> Vec<Predicate> {
        let mut found = Vec::new();
        match branch {
            Tree::And(list) => {
                for tree in list {
                    found.extend(self.of_branch(block, table, tree));
                }
            }
            Tree::Leaf(expr) => {
                for fact in self.leaf(block, expr) {
                    if let Fact::On(on, predicate) = fact
                        && on == table
                    {
                        found.push(predicate);
                    }
                }
            }
            Tree::Or(branches) => {
                let mut known = Known::default();
                self.learn_or(block, &mut known, None, branches.clone());
                for (_, fact) in known.said {
                    if let Fact::On(on, predicate) = fact
                        && on == table
                    {
                        found.push(predicate);
                    }
                }
            }
        }
        found
    }

    fn join(&self, block: usize, table: usize, own: &Expr, other: &Expr, made: &mut TableUse) {
        let Some((on, what)) = self.part(block, own) else {
            return;
        };
        let refs = walk::refs(other);
        let touches_own = refs
            .cols
            .iter()
            .any(|col| col.block == block && col.table == table);
        if on != table || touches_own || refs.has_unknown || refs.is_volatile {
            return;
        }
        let column = walk::col(other);
        if let (Part::Column(name), Some(there)) = (&what, &column) {
            let own = self
                .table_of(block, table)
                .and_then(|table| table.column(name));
            let fits = own
                .zip(self.column_at(there))
                .is_none_or(|(a, b)| typing::joins(a, b));
            if !fits {
                push(
                    &mut made.predicates,
                    Predicate {
                        what,
                        op: Op::Unequal,
                        constants: Vec::new(),
                    },
                );
                return;
            }
        }
        let join = if let Some((number, name)) = refs.derived.first() {
            let alias = self
                .derived
                .get(*number)
                .map(|derived| derived.alias.clone());
            Join {
                what,
                other: alias.unwrap_or_default(),
                other_table: None,
                other_column: walk::derived_col(other).map(|_| name.clone()),
            }
        } else if let Some(used) = refs.cols.first().and_then(|col| self.used(col)) {
            Join {
                what,
                other: used.alias.clone(),
                other_table: Some(used.table.clone()),
                other_column: column.map(|col| col.name),
            }
        } else {
            return;
        };
        push(&mut made.joins, join);
    }

    /// The keys as parts of one table; none unless all of them are.
    fn sequence(
        &self,
        block: usize,
        table: usize,
        known: &Known,
        keys: &[(Expr, bool)],
    ) -> Vec<KeyPart> {
        let mut parts: Vec<KeyPart> = Vec::new();
        for (expr, is_descending) in keys {
            if self.is_constant(&walk::refs(expr)) {
                continue;
            }
            let direct = self.part(block, expr).filter(|(on, _)| *on == table);
            let what = direct.map(|(_, what)| what).or_else(|| {
                let class = known.class(&walk::col(expr)?)?;
                let same = class
                    .members
                    .iter()
                    .find(|c| c.block == block && c.table == table)?;
                Some(Part::Column(same.name.clone()))
            });
            let Some(what) = what else {
                return Vec::new();
            };
            if !parts.iter().any(|part| part.what == what) {
                parts.push(KeyPart {
                    what,
                    prefix: None,
                    is_descending: *is_descending,
                });
            }
        }
        parts
    }

    fn extremes(&self, block: usize, table: usize) -> Vec<KeyPart> {
        let mut parts = Vec::new();
        for expr in self
            .blocks
            .get(block)
            .map_or(&[][..], |draft| &draft.extremes)
        {
            if let Some((on, what)) = self.part(block, expr)
                && on == table
            {
                push(
                    &mut parts,
                    KeyPart {
                        what,
                        prefix: None,
                        is_descending: false,
                    },
                );
            }
        }
        parts
    }
}

pub(super) fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn without_direction(group: &[Expr]) -> Vec<(Expr, bool)> {
    group.iter().map(|expr| (expr.clone(), false)).collect()
}

/// Names of indexes in the optimizer hints for this alias.
fn hinted(hints: &[String], alias: &str) -> Vec<String> {
    let mut names = Vec::new();
    for hint in hints {
        for piece in hint.split(')') {
            let Some((head, inside)) = piece.split_once('(') else {
                continue;
            };
            let head = head.trim().to_ascii_uppercase();
            if !head.ends_with("INDEX") && !head.ends_with("INDEX_MERGE") {
                continue;
            }
            let mut words = inside
                .split(|c: char| c.is_whitespace() || c == ',')
                .map(|word| word.trim_matches('`'))
                .filter(|word| !word.is_empty());
            let table = words.next().unwrap_or_default();
            let table = table.split('@').next().unwrap_or_default();
            if table.eq_ignore_ascii_case(alias) {
                names.extend(words.map(str::to_owned));
            }
        }
    }
    names
}
