//! Conditions in a normal form: negations inside, rows taken apart, common parts of ORs out.

use sqlparser::ast::{BinaryOperator as Op, Expr, UnaryOperator, Value};

use super::resolve::row;
use super::walk;

/// A condition as AND and OR of leaves.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "a condition has few leaves and lives for one statement"
)]
pub(super) enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Leaf(Expr),
}

/// The parts of a condition that are joined by AND.
pub(super) fn conjuncts(expr: &Expr) -> Vec<Tree> {
    let mut parts = Vec::new();
    flatten(normal(expr, false), &mut parts);
    parts
}

fn flatten(tree: Tree, parts: &mut Vec<Tree>) {
    match tree {
        Tree::And(list) => list.into_iter().for_each(|tree| flatten(tree, parts)),
        Tree::Or(list) => {
            let (common, rest) = factored(list);
            parts.extend(common);
            if let Some(rest) = rest {
                parts.push(rest);
            }
        }
        leaf @ Tree::Leaf(_) => parts.push(leaf),
    }
}

/// What stands in every branch holds for every row.
fn factored(branches: Vec<Tree>) -> (Vec<Tree>, Option<Tree>) {
    let mut lists: Vec<Vec<Tree>> = Vec::new();
    for branch in branches {
        let mut list = Vec::new();
        flatten(branch, &mut list);
        lists.push(list);
    }
    let Some((first, others)) = lists.split_first() else {
        return (Vec::new(), None);
    };
    let common: Vec<Tree> = first
        .iter()
        .filter(|tree| others.iter().all(|list| list.contains(tree)))
        .cloned()
        .collect();
    for list in &mut lists {
        list.retain(|tree| !common.contains(tree));
    }
    // A branch without more makes the others say nothing.
    let rest = (!lists.iter().any(Vec::is_empty))
        .then(|| Tree::Or(lists.into_iter().map(Tree::And).collect()));
    (common, rest)
}

fn chain<'a>(expr: &'a Expr, op: &Op, found: &mut Vec<&'a Expr>) {
    let mut expr = walk::bare(expr);
    let mut right_sides = Vec::new();
    // Chains lean to the left and may be long.
    while let Expr::BinaryOp {
        left,
        op: own,
        right,
    } = expr
    {
        if own != op {
            break;
        }
        right_sides.push(walk::bare(right));
        expr = walk::bare(left);
    }
    found.push(expr);
    for right in right_sides.into_iter().rev() {
        match right {
            Expr::BinaryOp { op: own, .. } if own == op => chain(right, op, found),
            other => found.push(other),
        }
    }
}

fn normal(expr: &Expr, negated: bool) -> Tree {
    match walk::bare(expr) {
        Expr::UnaryOp {
            op: UnaryOperator::Not | UnaryOperator::BangNot,
            expr,
        } => normal(expr, !negated),
        whole @ Expr::BinaryOp {
            op: op @ (Op::And | Op::Or),
            ..
        } => {
            let mut parts = Vec::new();
            chain(whole, op, &mut parts);
            let parts = parts
                .into_iter()
                .map(|part| normal(part, negated))
                .collect();
            if (*op == Op::And) == negated {
                Tree::Or(parts)
            } else {
                Tree::And(parts)
            }
        }
        Expr::BinaryOp { left, op, right } => compare(left, op, right, negated),
        Expr::Between {
            expr,
            negated: own,
            low,
            high,
        } => between(expr, *own != negated, low, high),
        Expr::InList {
            expr,
            list,
            negated: own,
        } => in_list(expr, list, *own != negated),
        Expr::IsNull(inner) => Tree::Leaf(is_null(inner, negated)),
        Expr::IsNotNull(inner) => Tree::Leaf(is_null(inner, !negated)),
        Expr::IsTrue(inner) if !negated => normal(inner, false),
        Expr::IsFalse(inner) if !negated => normal(inner, true),
        Expr::Like {
            negated: own,
            any,
            expr,
            pattern,
            escape_char,
        } => Tree::Leaf(Expr::Like {
            negated: *own != negated,
            any: *any,
            expr: expr.clone(),
            pattern: pattern.clone(),
            escape_char: escape_char.clone(),
        }),
        other @ Expr::CompoundIdentifier(_) => {
            let op = if negated { Op::Eq } else { Op::NotEq };
            Tree::Leaf(binary(
                other,
                &op,
                &Expr::value(Value::Number("0".to_owned(), false)),
            ))
        }
        other if negated => Tree::Leaf(Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr: Box::new(other.clone()),
        }),
        other => Tree::Leaf(other.clone()),
    }
}

fn is_null(expr: &Expr, negated: bool) -> Expr {
    let expr = Box::new(expr.clone());
    if negated {
        Expr::IsNotNull(expr)
    } else {
        Expr::IsNull(expr)
    }
}

fn binary(left: &Expr, op: &Op, right: &Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left.clone()),
        op: op.clone(),
        right: Box::new(right.clone()),
    }
}

fn compare(left: &Expr, op: &Op, right: &Expr, negated: bool) -> Tree {
    let turned = match op {
        Op::Eq => Some(Op::NotEq),
        Op::NotEq => Some(Op::Eq),
        Op::Lt => Some(Op::GtEq),
        Op::LtEq => Some(Op::Gt),
        Op::Gt => Some(Op::LtEq),
        Op::GtEq => Some(Op::Lt),
        _ => None,
    };
    let op = match (negated, turned) {
        (false, _) => op.clone(),
        (true, Some(turned)) => turned,
        (true, None) => {
            return Tree::Leaf(Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr: Box::new(binary(left, op, right)),
            });
        }
    };
    let (lefts, rights) = (row(left), row(right));
    if lefts.len() > 1 && lefts.len() == rights.len() {
        let pairs = || {
            lefts
                .iter()
                .zip(&rights)
                .map(|(l, r)| compare(l, &op, r, false))
        };
        match op {
            Op::Eq | Op::Spaceship => return Tree::And(pairs().collect()),
            Op::NotEq => return Tree::Or(pairs().collect()),
            // No index serves an inequality of rows.
            _ => {}
        }
    }
    Tree::Leaf(binary(left, &op, right))
}

fn between(expr: &Expr, negated: bool, low: &Expr, high: &Expr) -> Tree {
    if !negated && walk::refs(expr).names_nothing() {
        return Tree::And(vec![
            Tree::Leaf(binary(low, &Op::LtEq, expr)),
            Tree::Leaf(binary(high, &Op::GtEq, expr)),
        ]);
    }
    Tree::Leaf(Expr::Between {
        expr: Box::new(expr.clone()),
        negated,
        low: Box::new(low.clone()),
        high: Box::new(high.clone()),
    })
}

fn in_list(expr: &Expr, list: &[Expr], negated: bool) -> Tree {
    if let ([only], false) = (list, negated) {
        return compare(expr, &Op::Eq, only, false);
    }
    let lefts = row(expr);
    let rows: Vec<Vec<Expr>> = list.iter().map(row).collect();
    if lefts.len() > 1 && !negated && rows.iter().all(|row| row.len() == lefts.len()) {
        // Each column is in the list of its own values; the pairs are left to the server.
        let each = lefts.iter().enumerate().map(|(i, left)| {
            let mut values: Vec<Expr> = Vec::new();
            for value in rows.iter().filter_map(|row| row.get(i)) {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            in_list(left, &values, false)
        });
        return Tree::And(each.collect());
    }
    Tree::Leaf(Expr::InList {
        expr: Box::new(expr.clone()),
        list: list.to_vec(),
        negated,
    })
}
