//! One comparison to what it says about one table.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

use super::reader::Reader;
use super::typing;
use super::walk::{self, Refs};
use crate::advisor::shape::{Op, Predicate};
use crate::model::schema::Part;

/// What a leaf says.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "a handful of facts live for the length of one statement"
)]
pub(super) enum Fact {
    /// A condition on a table of the block.
    On(usize, Predicate),
    /// Two values are the same, each of a table or a block around.
    Same(Expr, Expr),
}

impl Reader<'_> {
    /// Whether the value is the same for all rows of the block.
    pub(super) fn is_constant(&self, refs: &Refs) -> bool {
        refs.names_nothing() && self.is_closed(refs) && refs.variables.is_disjoint(&self.assigned)
    }

    /// Whether no subquery in it looks out.
    fn is_closed(&self, refs: &Refs) -> bool {
        refs.subqueries.iter().all(|number| {
            self.subqueries
                .get(*number)
                .is_some_and(|s| s.outer.is_empty())
        })
    }

    /// The table of the block that the expression is of, and what a key on it would have.
    #[allow(clippy::unused_self, reason = "it reads beside its fellows")]
    pub(super) fn part(&self, block: usize, expr: &Expr) -> Option<(usize, Part)> {
        if let Some(col) = walk::col(expr) {
            return (col.block == block).then_some((col.table, Part::Column(col.name)));
        }
        let refs = walk::refs(expr);
        let first = refs.cols.first()?;
        let table = first.table;
        let is_own = refs
            .cols
            .iter()
            .all(|col| col.block == block && col.table == table)
            && refs.derived.is_empty()
            && refs.subqueries.is_empty()
            && !refs.has_unknown
            && !refs.is_volatile
            && !refs.is_session;
        let mut aggregated = walk::has_window(expr);
        walk::aggregates(expr, &mut |_, _| aggregated = true);
        (is_own && !aggregated).then(|| (table, Part::Expression(walk::text(expr))))
    }

    pub(super) fn leaf(&self, block: usize, expr: &Expr) -> Vec<Fact> {
        match expr {
            Expr::BinaryOp { left, op, right } => self.comparison(block, left, op, right),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let op = if *negated { Op::Unequal } else { Op::Range };
                self.with_constants(block, expr, op, &[low, high])
            }
            Expr::InList {
                expr,
                list,
                negated,
            } => {
                let op = if *negated { Op::Unequal } else { Op::In };
                let list: Vec<&Expr> = list.iter().collect();
                self.with_constants(block, expr, op, &list)
            }
            Expr::IsNull(expr) => self.with_constants(block, expr, Op::IsNull, &[]),
            Expr::IsNotNull(expr) => self.with_constants(block, expr, Op::Unequal, &[]),
            Expr::Like {
                negated,
                expr,
                pattern,
                ..
            } => {
                let op = if *negated {
                    Op::Unequal
                } else {
                    self.like(block, expr, pattern)
                };
                self.with_constants(block, expr, op, &[pattern])
            }
            Expr::RLike {
                negated,
                expr,
                pattern,
                ..
            } => {
                let op = if *negated { Op::Unequal } else { Op::Contains };
                self.with_constants(block, expr, op, &[pattern])
            }
            Expr::MemberOf(member) => self.member(block, &member.array, &member.value),
            Expr::Function(_) => self.function(block, expr),
            Expr::Named { expr, .. } => self.full_text_facts(block, expr),
            Expr::AnyOp { left, .. } => self.with_constants(block, left, Op::Unequal, &[]),
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } => self.negated(block, expr),
            other => walk::subquery_number(other)
                .map(|number| self.semi_join(block, number))
                .unwrap_or_default(),
        }
    }

    /// A negated condition is known, and no index helps it.
    fn negated(&self, block: usize, expr: &Expr) -> Vec<Fact> {
        let mut facts = self.leaf(block, expr);
        facts.retain(|fact| matches!(fact, Fact::On(..)));
        for fact in &mut facts {
            if let Fact::On(_, predicate) = fact {
                predicate.op = Op::Unequal;
            }
        }
        facts
    }

    fn with_constants(&self, block: usize, what: &Expr, op: Op, constants: &[&Expr]) -> Vec<Fact> {
        let mut refs = Refs::default();
        for constant in constants {
            let own = walk::refs(constant);
            if !self.is_constant(&own) {
                return Vec::new();
            }
            refs.is_session |= own.is_session;
        }
        let mut facts = Vec::new();
        // A row is compared by its members, none of which an index finds.
        let parts = super::resolve::row(what);
        for what in &parts {
            let Some((table, part)) = self.part(block, what) else {
                continue;
            };
            let mut op = if parts.len() > 1 { Op::Unequal } else { op };
            if matches!(op, Op::Equal | Op::In | Op::Range | Op::LikePrefix)
                && !self.takes(block, table, &part, constants)
            {
                op = Op::Unequal;
            }
            let predicate = Predicate {
                what: part,
                op,
                constants: constants.iter().filter_map(|c| constant_text(c)).collect(),
            };
            facts.push(Fact::On(table, predicate));
        }
        facts
    }

    fn takes(&self, block: usize, table: usize, part: &Part, constants: &[&Expr]) -> bool {
        let Part::Column(name) = part else {
            return true;
        };
        self.table_of(block, table)
            .and_then(|table| table.column(name))
            .is_none_or(|column| constants.iter().all(|c| typing::takes(column, c)))
    }

    fn comparison(
        &self,
        block: usize,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
    ) -> Vec<Fact> {
        use BinaryOperator as B;
        let (own, flipped) = match op {
            B::Eq | B::Spaceship => (Op::Equal, Op::Equal),
            B::NotEq => (Op::Unequal, Op::Unequal),
            B::Lt | B::LtEq | B::Gt | B::GtEq => (Op::Range, Op::Range),
            B::Regexp => (Op::Contains, Op::Unequal),
            _ => return Vec::new(),
        };
        let (l, r) = (walk::refs(left), walk::refs(right));
        match (self.is_constant(&l), self.is_constant(&r)) {
            (false, true) => self.one_sided(block, left, own, op, right),
            (true, false) => self.one_sided(block, right, flipped, op, left),
            (false, false) if own == Op::Equal && self.is_closed(&l) && self.is_closed(&r) => {
                vec![Fact::Same(left.clone(), right.clone())]
            }
            _ => Vec::new(),
        }
    }

    fn one_sided(
        &self,
        block: usize,
        what: &Expr,
        op: Op,
        written: &BinaryOperator,
        constant: &Expr,
    ) -> Vec<Fact> {
        if is_null(constant) {
            return match written {
                BinaryOperator::Spaceship => self.with_constants(block, what, Op::IsNull, &[]),
                // Nothing compares with NULL.
                _ => Vec::new(),
            };
        }
        self.with_constants(block, what, op, &[constant])
    }

    fn like(&self, block: usize, what: &Expr, pattern: &Expr) -> Op {
        let is_text = match self.part(block, what) {
            Some((table, Part::Column(name))) => self
                .table_of(block, table)
                .and_then(|table| table.column(&name))
                .is_none_or(|column| {
                    !matches!(
                        typing::class(column),
                        typing::Class::Number | typing::Class::Time | typing::Class::Json
                    )
                }),
            _ => true,
        };
        let mut pattern = walk::bare(pattern);
        while walk::function_name(pattern).as_deref() == Some("concat") {
            let Some(first) = walk::arguments(pattern).first().copied() else {
                break;
            };
            pattern = walk::bare(first);
        }
        let starts_free = string(pattern).is_some_and(|text| text.starts_with(['%', '_']));
        if starts_free || !is_text {
            Op::Contains
        } else {
            Op::LikePrefix
        }
    }

    fn member(&self, block: usize, array: &Expr, value: &Expr) -> Vec<Fact> {
        let refs = walk::refs(value);
        let Some((table, what)) = self.part(block, array) else {
            return Vec::new();
        };
        let is_own = |col: &walk::Col| col.block == block && col.table == table;
        if refs.cols.iter().any(is_own) || refs.is_volatile {
            return Vec::new();
        }
        let constants = if self.is_constant(&refs) {
            constant_text(value)
        } else {
            None
        };
        vec![Fact::On(
            table,
            Predicate {
                what,
                op: Op::MemberOf,
                constants: constants.into_iter().collect(),
            },
        )]
    }

    fn function(&self, block: usize, expr: &Expr) -> Vec<Fact> {
        let name = walk::function_name(expr).unwrap_or_default();
        match (name.as_str(), walk::arguments(expr).as_slice()) {
            ("json_contains", [array, value]) => self.member(block, array, value),
            // With another path the optimizer takes no index, not even one on that path.
            ("json_contains", [array, value, path]) => match string(path) {
                Some("$") => self.member(block, array, value),
                _ => self.with_constants(block, array, Op::Unequal, &[]),
            },
            ("json_overlaps", [left, right]) => {
                if self.is_constant(&walk::refs(left)) {
                    self.member(block, right, left)
                } else {
                    self.member(block, left, right)
                }
            }
            ("regexp_like", [what, pattern, ..]) => {
                self.with_constants(block, what, Op::Contains, &[pattern])
            }
            ("isnull", [what]) => self.with_constants(block, what, Op::IsNull, &[]),
            ("instr" | "find_in_set" | "locate", arguments) => arguments
                .iter()
                .filter(|argument| walk::col(argument).is_some())
                .flat_map(|argument| self.with_constants(block, argument, Op::Contains, &[]))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn full_text_facts(&self, block: usize, expr: &Expr) -> Vec<Fact> {
        let Expr::Tuple(list) = expr else {
            return Vec::new();
        };
        let text: Vec<String> = list.first().and_then(constant_text).into_iter().collect();
        list.iter()
            .skip(1)
            .filter_map(|column| self.part(block, column))
            .map(|(table, what)| {
                Fact::On(
                    table,
                    Predicate {
                        what,
                        op: Op::FullText,
                        constants: text.clone(),
                    },
                )
            })
            .collect()
    }
}

pub(super) fn is_null(expr: &Expr) -> bool {
    matches!(walk::bare(expr), Expr::Value(value) if matches!(value.value, Value::Null))
}

fn string(expr: &Expr) -> Option<&str> {
    match walk::bare(expr) {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text),
            _ => None,
        },
        Expr::Prefixed { value, .. } | Expr::Collate { expr: value, .. } => string(value),
        _ => None,
    }
}

/// The constant as the text has it; nothing for a parameter or a subquery.
fn constant_text(expr: &Expr) -> Option<String> {
    let refs = walk::refs(expr);
    let bare = walk::bare(expr);
    let is_parameter =
        matches!(bare, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)));
    (refs.subqueries.is_empty() && !is_parameter).then(|| bare.to_string())
}
