//! What an expression without columns is compared as.
//!
//! MySQL computes such an expression once, so that an index finds it like a literal, provided that
//! its type compares alike (tried on MySQL 9.7: `tests/it/candidates.rs`). The type follows from the
//! text; what depends on the session, such as a user variable, stays unknown.

mod functions;

use sqlparser::ast::{
    BinaryOperator, DataType, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Interval, UnaryOperator, Value,
};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

/// Types that compare differently with what an index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    /// Decimal or floating-point.
    Fraction,
    Text,
    Date,
    /// A date with a time of day.
    Moment,
    /// A time of day.
    Time,
    Json,
    /// It can't be told from the text.
    Unknown,
}

/// The expression of a constant's text.
pub(super) fn parse(text: &str) -> Option<Expr> {
    let dialect = MySqlDialect {};
    // Strings stay as they are written, as they do in the shapes.
    let mut parser = Parser::new(&dialect)
        .with_options(sqlparser::parser::ParserOptions::new().with_unescape(false))
        .try_with_sql(text)
        .ok()?;
    let expression = parser.parse_expr().ok()?;
    (parser.peek_token().token == Token::EOF).then_some(expression)
}

/// Without parentheses around it.
pub(super) fn bare(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// The type of a constant.
pub(super) fn kind(expr: &Expr) -> Kind {
    match bare(expr) {
        Expr::Value(value) => of_literal(&value.value),
        Expr::TypedString(text) => of_type(&text.data_type),
        Expr::UnaryOp { op, expr } => match (op, kind(expr)) {
            (UnaryOperator::Plus, kind) | (UnaryOperator::Minus, kind @ Kind::Integer) => kind,
            (UnaryOperator::Minus, Kind::Unknown) => Kind::Unknown,
            (UnaryOperator::Minus, _) => Kind::Fraction,
            _ => Kind::Integer,
        },
        Expr::BinaryOp { left, op, right } => of_operator(left, op, right),
        Expr::Cast { data_type, .. } => of_type(data_type),
        Expr::Convert { data_type, .. } => data_type.as_ref().map_or(Kind::Text, of_type),
        Expr::Collate { .. }
        | Expr::Prefixed { .. }
        | Expr::Substring { .. }
        | Expr::Trim { .. } => Kind::Text,
        Expr::Ceil { .. }
        | Expr::Floor { .. }
        | Expr::Position { .. }
        | Expr::Extract { .. }
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::InList { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::RLike { .. }
        | Expr::MemberOf(_) => Kind::Integer,
        Expr::Case {
            conditions,
            else_result,
            ..
        } => merged(
            conditions
                .iter()
                .map(|when| &when.result)
                .chain(else_result.as_deref()),
        ),
        Expr::Function(function) => of_function(function),
        _ => Kind::Unknown,
    }
}

fn of_literal(value: &Value) -> Kind {
    match value {
        Value::Number(digits, _) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Kind::Integer
        }
        Value::Number(..) => Kind::Fraction,
        Value::Boolean(_) => Kind::Integer,
        Value::SingleQuotedString(_)
        | Value::DoubleQuotedString(_)
        | Value::NationalStringLiteral(_)
        | Value::HexStringLiteral(_)
        | Value::SingleQuotedByteStringLiteral(_) => Kind::Text,
        _ => Kind::Unknown,
    }
}

fn of_type(data_type: &DataType) -> Kind {
    let name = data_type.to_string().to_ascii_lowercase();
    let begins = |names: &[&str]| names.iter().any(|one| name.starts_with(one));
    if begins(&["signed", "unsigned", "int", "bigint", "year"]) {
        Kind::Integer
    } else if begins(&["dec", "double", "float", "real", "numeric"]) {
        Kind::Fraction
    } else if begins(&["datetime", "timestamp"]) {
        Kind::Moment
    } else if begins(&["date"]) {
        Kind::Date
    } else if begins(&["time"]) {
        Kind::Time
    } else if begins(&["json"]) {
        Kind::Json
    } else if begins(&["char", "nchar", "binary", "varchar", "national"]) {
        Kind::Text
    } else {
        Kind::Unknown
    }
}

fn of_operator(left: &Expr, op: &BinaryOperator, right: &Expr) -> Kind {
    use BinaryOperator as B;
    match op {
        B::Plus | B::Minus | B::Multiply | B::Modulo => match (bare(left), bare(right)) {
            (moment, Expr::Interval(interval)) | (Expr::Interval(interval), moment) => {
                moved(kind(moment), interval)
            }
            (left, right) => match (kind(left), kind(right)) {
                (Kind::Unknown, _) | (_, Kind::Unknown) => Kind::Unknown,
                (Kind::Integer, Kind::Integer) => Kind::Integer,
                _ => Kind::Fraction,
            },
        },
        B::Divide => Kind::Fraction,
        B::Arrow => Kind::Json,
        B::LongArrow => Kind::Text,
        _ => Kind::Integer,
    }
}

/// A date or time, moved by an interval.
fn moved(kind: Kind, by: &Interval) -> Kind {
    let is_whole_days = matches!(
        by.leading_field,
        Some(
            DateTimeField::Day
                | DateTimeField::Week(_)
                | DateTimeField::Month
                | DateTimeField::Quarter
                | DateTimeField::Year
        )
    );
    match kind {
        Kind::Date if is_whole_days => Kind::Date,
        Kind::Date => Kind::Moment,
        kind @ (Kind::Moment | Kind::Time | Kind::Unknown) => kind,
        _ => Kind::Text,
    }
}

/// Of several of which one is taken.
fn merged<'a>(all: impl IntoIterator<Item = &'a Expr>) -> Kind {
    let is_null =
        |expr: &Expr| matches!(bare(expr), Expr::Value(value) if value.value == Value::Null);
    let kinds = all.into_iter().filter(|one| !is_null(one)).map(kind);
    kinds
        .reduce(|one, other| match (one, other) {
            (one, other) if one == other => one,
            (Kind::Integer, Kind::Fraction) | (Kind::Fraction, Kind::Integer) => Kind::Fraction,
            (Kind::Date, Kind::Moment) | (Kind::Moment, Kind::Date) => Kind::Moment,
            (Kind::Unknown | Kind::Json, _) | (_, Kind::Unknown | Kind::Json) => Kind::Unknown,
            _ => Kind::Text,
        })
        .unwrap_or(Kind::Unknown)
}

/// The arguments of a function that are expressions.
pub(super) fn arguments(function: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else {
        return Vec::new();
    };
    let of = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().filter_map(of).collect()
}

fn of_function(function: &Function) -> Kind {
    let name = function.name.to_string().to_ascii_lowercase();
    let given = arguments(function);
    match name.as_str() {
        "unix_timestamp" if given.is_empty() => Kind::Integer,
        "from_unixtime" if given.len() == 1 => Kind::Moment,
        "abs" | "mod" | "round" | "truncate" => match merged(given.iter().copied()) {
            kind @ (Kind::Integer | Kind::Unknown) => kind,
            _ => Kind::Fraction,
        },
        "date_add" | "date_sub" | "adddate" | "subdate" => match given.as_slice() {
            [moment, Expr::Interval(interval)] => moved(kind(moment), interval),
            [moment, _] if matches!(kind(moment), Kind::Date | Kind::Moment) => kind(moment),
            _ => Kind::Unknown,
        },
        "if" => merged(given.iter().skip(1).copied()),
        "ifnull" | "coalesce" | "greatest" | "least" => merged(given.iter().copied()),
        "nullif" => merged(given.iter().take(1).copied()),
        name => functions::kind(name),
    }
}

/// The value of a text that is made of literals alone by the simplest functions, in the escaping
/// of its literals; `None` when it takes a server to tell.
pub(super) fn text(expr: &Expr) -> Option<String> {
    match bare(expr) {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text.clone()),
            Value::Number(digits, _) => Some(digits.clone()),
            _ => None,
        },
        Expr::Prefixed { value, .. } => text(value),
        Expr::Collate { expr, .. } => text(expr),
        Expr::Cast {
            expr, data_type, ..
        } if of_type(data_type) == Kind::Text => text(expr),
        Expr::Function(function) => {
            let name = function.name.to_string().to_ascii_lowercase();
            let given: Option<Vec<String>> = arguments(function).into_iter().map(text).collect();
            match (name.as_str(), given?.as_slice()) {
                ("concat", parts) => Some(parts.concat()),
                ("lower" | "lcase", [text]) => Some(text.to_lowercase()),
                ("upper" | "ucase", [text]) => Some(text.to_uppercase()),
                ("json_quote", [text]) => Some(format!("\"{text}\"")),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind_of: Kind, all: &[&str]) {
        for text in all {
            let expr = parse(text).unwrap_or_else(|| panic!("`{text}` is not parsed"));
            assert_eq!(kind(&expr), kind_of, "{text}");
        }
    }

    #[test]
    fn the_type_of_a_constant_is_told_from_its_text() {
        check(
            Kind::Text,
            &[
                "'a'",
                "\"a\"",
                "CONCAT('a', 5)",
                "LOWER('ABC')",
                "'a' COLLATE utf8mb4_bin",
                "_utf8mb4'a'",
                "N'a'",
                "x'41'",
                "CAST(5 AS CHAR)",
                "CONVERT('a' USING utf8mb4)",
                "TRIM(' a ')",
                "SUBSTRING('abc', 2)",
                "IF(1, 'a', 'b')",
                "COALESCE(NULL, 'a')",
                "CASE WHEN 1 THEN 'a' ELSE 'b' END",
                "JSON_QUOTE('a')",
                "DATE_FORMAT(NOW(), '%Y')",
                "'2026-11-13' + INTERVAL 1 DAY",
                "'{\"a\": 1}'->>'$.a'",
            ],
        );
        check(
            Kind::Integer,
            &[
                "5",
                "-5",
                "TRUE",
                "1 + 4",
                "(2 * 3) % 4",
                "9 DIV 2",
                "ABS(-5)",
                "FLOOR(5.5)",
                "CAST('5' AS SIGNED)",
                "CAST('5' AS UNSIGNED)",
                "LENGTH('abc')",
                "UNIX_TIMESTAMP()",
                "YEAR(NOW())",
                "EXTRACT(YEAR FROM NOW())",
                "NOT 1",
                "IF(1, 2, 3)",
                "GREATEST(1, 2)",
                "1 IN (1, 2)",
                "ROUND(5)",
            ],
        );
        check(
            Kind::Fraction,
            &[
                "5.5",
                "1e3",
                "10 / 2",
                "POW(2, 3)",
                "ROUND(5.25, 1)",
                "-'5'",
                "1 + 0.5",
                "PI()",
            ],
        );
    }

    #[test]
    fn times_documents_and_what_depends_on_the_session_are_told_apart() {
        check(
            Kind::Date,
            &[
                "CURDATE()",
                "CURRENT_DATE",
                "DATE(NOW())",
                "DATE '2026-11-13'",
                "CURDATE() - INTERVAL 7 DAY",
                "DATE_SUB(CURDATE(), INTERVAL 1 MONTH)",
                "CAST('2026-11-13' AS DATE)",
            ],
        );
        check(
            Kind::Moment,
            &[
                "NOW()",
                "NOW() - INTERVAL 7 DAY",
                "CURDATE() + INTERVAL 1 HOUR",
                "TIMESTAMP '2026-11-13 00:00:00'",
                "FROM_UNIXTIME(5)",
                "UTC_TIMESTAMP()",
                "DATE_ADD(NOW(), INTERVAL 1 DAY)",
            ],
        );
        check(
            Kind::Time,
            &["CURTIME()", "TIME '10:00:00'", "CAST('10:00' AS TIME)"],
        );
        check(
            Kind::Json,
            &[
                "CAST('5' AS JSON)",
                "JSON_ARRAY(1)",
                "JSON_EXTRACT('{}', '$.a')",
            ],
        );
        check(
            Kind::Unknown,
            &["@x", "@@port", "?", "NULL", "shop.price('a')", "@x + 1"],
        );
    }

    #[test]
    fn texts_of_literals_are_put_together() {
        for (sql, expected) in [
            ("'a'", Some("a")),
            ("CONCAT('\"t', 55, '\"')", Some("\"t55\"")),
            ("LOWER(CONCAT('A', 'B'))", Some("ab")),
            ("JSON_QUOTE('a')", Some("\"a\"")),
            ("CAST(5 AS CHAR)", Some("5")),
            ("CONCAT('a', @x)", None),
            ("REVERSE('ab')", None),
        ] {
            assert_eq!(text(&parse(sql).unwrap()).as_deref(), expected, "{sql}");
        }
    }
}
