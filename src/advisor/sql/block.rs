//! A finished block: what each of its tables is asked, equalities carried on.

use std::collections::BTreeSet;

use sqlparser::ast::Expr;

use super::facts::Fact;
use super::reader::Reader;
use super::tree::{self, Tree};
use super::typing;
use super::walk::{self, Col};
use crate::advisor::shape::{Block, Join, Op, Predicate, TableUse};
use crate::model::schema::{Column, KeyPart, Part};

/// Columns that are known to be the same, and what they are.
#[derive(Debug, Default)]
struct Class {
    members: Vec<Col>,
    constants: Option<Vec<String>>,
}

/// All that holds for the tables of one context: inside one outer join, or outside of any.
#[derive(Debug, Default)]
struct Known {
    classes: Vec<Class>,
    /// What is said of a table, with the outer join that says it.
    said: Vec<(Option<usize>, Fact)>,
    ors: Vec<(Option<usize>, Vec<Tree>)>,
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

    fn class(&self, col: &Col) -> Option<&Class> {
        self.classes
            .iter()
            .find(|class| class.members.contains(col))
    }
}

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

    /// What the conditions say that hold in a context.
    fn known(&self, block: usize, context: Option<usize>) -> Known {
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

    fn learn(&self, block: usize, known: &mut Known, level: Option<usize>, fact: Fact) {
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

    fn column_at(&self, col: &Col) -> Option<&Column> {
        self.table_of(col.block, col.table)?.column(&col.name)
    }

    /// An OR on one column alone is a list or a range; any other is kept by its branches.
    fn learn_or(&self, block: usize, known: &mut Known, level: Option<usize>, branches: Vec<Tree>) {
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

fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn without_direction(group: &[Expr]) -> Vec<(Expr, bool)> {
    group.iter().map(|expr| (expr.clone(), false)).collect()
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
