//! Walking resolved expressions.
//!
//! In a resolved expression each column is a compound name whose first part is a mark: where the
//! column is. A subquery is a placeholder with its number.

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Value, WindowType,
};

/// A column of a base table of a block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Col {
    pub(super) block: usize,
    pub(super) table: usize,
    pub(super) name: String,
}

pub(super) use super::refs::{Refs, refs};

const BASE: char = '\u{1}';
const DERIVED: char = '\u{2}';
const UNKNOWN: char = '\u{3}';

fn marked(mark: String, name: &str) -> Expr {
    Expr::CompoundIdentifier(vec![Ident::new(mark), Ident::new(name)])
}

pub(super) fn base(col: &Col) -> Expr {
    marked(format!("{BASE}{}.{}", col.block, col.table), &col.name)
}

pub(super) fn derived(number: usize, name: &str) -> Expr {
    marked(format!("{DERIVED}{number}"), name)
}

pub(super) fn unknown(name: &str) -> Expr {
    marked(UNKNOWN.to_string(), name)
}

pub(super) fn subquery(number: usize) -> Expr {
    Expr::value(Value::Placeholder(format!("{BASE}{number}")))
}

pub(super) fn subquery_number(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(text) => text.strip_prefix(BASE)?.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn col(expr: &Expr) -> Option<Col> {
    let Expr::CompoundIdentifier(parts) = bare(expr) else {
        return None;
    };
    let (block, table) = parts.first()?.value.strip_prefix(BASE)?.split_once('.')?;
    Some(Col {
        block: block.parse().ok()?,
        table: table.parse().ok()?,
        name: parts.get(1)?.value.clone(),
    })
}

pub(super) fn derived_col(expr: &Expr) -> Option<(usize, String)> {
    let Expr::CompoundIdentifier(parts) = bare(expr) else {
        return None;
    };
    let number = parts.first()?.value.strip_prefix(DERIVED)?.parse().ok()?;
    Some((number, parts.get(1)?.value.clone()))
}

/// Without parentheses around it.
pub(super) fn bare(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// The name of a function, in lower case.
pub(super) fn function_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Function(function) => Some(function.name.to_string().to_ascii_lowercase()),
        _ => None,
    }
}

/// The arguments of a function that are expressions.
pub(super) fn arguments(expr: &Expr) -> Vec<&Expr> {
    let Expr::Function(function) = expr else {
        return Vec::new();
    };
    let FunctionArguments::List(list) = &function.args else {
        return Vec::new();
    };
    list.args
        .iter()
        .filter_map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

fn of_function(function: &mut sqlparser::ast::Function) -> Vec<&mut Expr> {
    use sqlparser::ast::FunctionArgumentClause as Clause;
    let mut found = Vec::new();
    if let FunctionArguments::List(list) = &mut function.args {
        for arg in &mut list.args {
            let (FunctionArg::Unnamed(arg)
            | FunctionArg::Named { arg, .. }
            | FunctionArg::ExprNamed { arg, .. }) = arg;
            if let FunctionArgExpr::Expr(expr) = arg {
                found.push(expr);
            }
        }
        for clause in &mut list.clauses {
            if let Clause::OrderBy(keys) = clause {
                found.extend(keys.iter_mut().map(|key| &mut key.expr));
            }
        }
    }
    if let Some(WindowType::WindowSpec(window)) = &mut function.over {
        found.extend(window.partition_by.iter_mut());
        found.extend(window.order_by.iter_mut().map(|key| &mut key.expr));
    }
    found
}

/// The expressions right inside this one, subqueries left out.
pub(super) fn children(expr: &mut Expr) -> Vec<&mut Expr> {
    match expr {
        Expr::IsFalse(e)
        | Expr::IsNotFalse(e)
        | Expr::IsTrue(e)
        | Expr::IsNotTrue(e)
        | Expr::IsNull(e)
        | Expr::IsNotNull(e)
        | Expr::IsUnknown(e)
        | Expr::IsNotUnknown(e)
        | Expr::Nested(e) => vec![e],
        Expr::UnaryOp { expr, .. }
        | Expr::Convert { expr, .. }
        | Expr::Cast { expr, .. }
        | Expr::Extract { expr, .. }
        | Expr::Ceil { expr, .. }
        | Expr::Floor { expr, .. }
        | Expr::Collate { expr, .. }
        | Expr::Prefixed { value: expr, .. }
        | Expr::InSubquery { expr, .. }
        | Expr::Named { expr, .. }
        | Expr::JsonAccess { value: expr, .. } => vec![expr],
        Expr::IsDistinctFrom(a, b) | Expr::IsNotDistinctFrom(a, b) => vec![a, b],
        Expr::BinaryOp { left, right, .. }
        | Expr::AnyOp { left, right, .. }
        | Expr::AllOp { left, right, .. } => vec![left, right],
        Expr::InList { expr, list, .. } => {
            let mut all: Vec<&mut Expr> = vec![expr];
            all.extend(list.iter_mut());
            all
        }
        Expr::Between {
            expr, low, high, ..
        } => vec![expr, low, high],
        Expr::Like { expr, pattern, .. }
        | Expr::ILike { expr, pattern, .. }
        | Expr::SimilarTo { expr, pattern, .. }
        | Expr::RLike { expr, pattern, .. } => {
            vec![expr, pattern]
        }
        Expr::AtTimeZone {
            timestamp,
            time_zone,
        } => vec![timestamp, time_zone],
        Expr::Position { expr, r#in } => vec![expr, r#in],
        Expr::Function(function) => of_function(function),
        Expr::Tuple(list) => list.iter_mut().collect(),
        Expr::Interval(interval) => vec![&mut interval.value],
        Expr::MemberOf(member) => vec![&mut member.value, &mut member.array],
        other => of_clauses(other),
    }
}

/// Those of expressions whose parts may be left out.
fn of_clauses(expr: &mut Expr) -> Vec<&mut Expr> {
    match expr {
        Expr::Substring {
            expr,
            substring_from,
            substring_for,
            ..
        } => {
            let mut all: Vec<&mut Expr> = vec![expr];
            all.extend(substring_from.as_deref_mut());
            all.extend(substring_for.as_deref_mut());
            all
        }
        Expr::Trim {
            trim_what, expr, ..
        } => {
            let mut all: Vec<&mut Expr> = vec![expr];
            all.extend(trim_what.as_deref_mut());
            all
        }
        Expr::Case {
            operand,
            conditions,
            else_result,
            ..
        } => {
            let mut all: Vec<&mut Expr> = Vec::new();
            all.extend(operand.as_deref_mut());
            for when in conditions {
                all.push(&mut when.condition);
                all.push(&mut when.result);
            }
            all.extend(else_result.as_deref_mut());
            all
        }
        _ => Vec::new(),
    }
}

const AGGREGATES: [&str; 19] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "group_concat",
    "json_arrayagg",
    "json_objectagg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "var_pop",
    "var_samp",
    "variance",
    "any_value",
];

/// Calls `visit` with each aggregate that stands outside of subqueries and windows: its name and
/// itself.
pub(super) fn aggregates(expr: &Expr, visit: &mut dyn FnMut(&str, &Expr)) {
    inner_aggregates(&mut expr.clone(), visit);
}

fn inner_aggregates(expr: &mut Expr, visit: &mut dyn FnMut(&str, &Expr)) {
    if let Expr::Function(function) = &*expr {
        let name = function.name.to_string().to_ascii_lowercase();
        if function.over.is_none() && AGGREGATES.contains(&name.as_str()) {
            visit(&name, expr);
            return;
        }
    }
    for child in children(expr) {
        inner_aggregates(child, visit);
    }
}

/// Whether a window function is in it.
pub(super) fn has_window(expr: &Expr) -> bool {
    fn within(expr: &mut Expr) -> bool {
        matches!(&*expr, Expr::Function(function) if function.over.is_some())
            || children(expr).into_iter().any(within)
    }
    within(&mut expr.clone())
}

/// Replaces columns: where `with` gives an expression, that stands in the place of the column.
pub(super) fn substitute(expr: &mut Expr, with: &dyn Fn(&Expr) -> Option<Expr>) {
    if let Some(other) = with(expr) {
        *expr = match other {
            simple @ (Expr::CompoundIdentifier(_) | Expr::Value(_) | Expr::Function(_)) => simple,
            other => Expr::Nested(Box::new(other)),
        };
        return;
    }
    for child in children(expr) {
        substitute(child, with);
    }
}

/// The expression as SQL with bare, quoted column names.
pub(super) fn text(expr: &Expr) -> String {
    let mut copy = bare(expr).clone();
    substitute(&mut copy, &|expr| {
        col(expr)
            .filter(|_| matches!(expr, Expr::CompoundIdentifier(_)))
            .map(|col| Expr::Identifier(Ident::with_quote('`', col.name)))
    });
    strip_name_parentheses(&mut copy);
    copy.to_string()
}

fn strip_name_parentheses(expr: &mut Expr) {
    if let Expr::Nested(inner) = expr
        && matches!(**inner, Expr::Identifier(_))
    {
        *expr = (**inner).clone();
    }
    for child in children(expr) {
        strip_name_parentheses(child);
    }
}
