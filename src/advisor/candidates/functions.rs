//! Functions, operators and casts of columns: those whose results are known exactly.

use std::fmt::Write as _;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};

use super::expression::{Kind, Typed, is_integer, typed};
use crate::model::schema::Table;

/// A literal, as the definition writes it.
fn literal(expression: &Expr) -> Option<(String, Option<u64>)> {
    let Expr::Value(value) = expression else {
        return None;
    };
    match &value.value {
        Value::Number(number, _) if is_integer(number) => {
            Some((number.clone(), number.parse().ok()))
        }
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text)
            if !text.contains('\\') =>
        {
            Some((format!("'{}'", text.replace('\'', "''")), None))
        }
        _ => None,
    }
}

pub(super) fn binary(
    table: &Table,
    left: &Expr,
    op: &BinaryOperator,
    right: &Expr,
) -> Option<Typed> {
    if matches!(op, BinaryOperator::Arrow | BinaryOperator::LongArrow) {
        let (path, None) = literal(right)? else {
            return None;
        };
        let extracted = extract(typed(table, left)?, &path)?;
        return if *op == BinaryOperator::LongArrow {
            unquote(extracted)
        } else {
            Some(extracted)
        };
    }
    let (sign, word) = match op {
        BinaryOperator::Plus => ("+", "plus"),
        BinaryOperator::Minus => ("-", "minus"),
        BinaryOperator::Multiply => ("*", "times"),
        BinaryOperator::Modulo => ("%", "mod"),
        _ => return None,
    };
    let (one, one_words, one_unsigned) = integer(table, left)?;
    let (other, other_words, other_unsigned) = integer(table, right)?;
    let is_unsigned = one_unsigned || other_unsigned;
    // Below zero, unsigned arithmetic is an error, which would refuse writes.
    if is_unsigned && sign == "-" {
        return None;
    }
    let words = one_words.into_iter().chain([word.to_owned()]);
    Some(Typed::new(
        format!("({one} {sign} {other})"),
        Kind::Integer { is_unsigned },
        words.chain(other_words).collect(),
    ))
}

fn integer(table: &Table, expression: &Expr) -> Option<(String, Vec<String>, bool)> {
    if let Some((text, Some(_))) = literal(expression) {
        return Some((text.clone(), vec![text], false));
    }
    let found = typed(table, expression)?;
    match found.kind {
        Kind::Integer { is_unsigned } => Some((found.sql, found.words, is_unsigned)),
        _ => None,
    }
}

fn extract(document: Typed, path: &str) -> Option<Typed> {
    // One value: a path with a wildcard gives an array.
    if document.kind != Kind::Json || path.contains('*') {
        return None;
    }
    let mut words = document.words;
    words.push(path.to_owned());
    Some(Typed::new(
        format!("json_extract({},{path})", document.sql),
        Kind::Json,
        words,
    ))
}

fn unquote(value: Typed) -> Option<Typed> {
    (value.kind == Kind::Json).then(|| {
        Typed::new(
            format!("json_unquote({})", value.sql),
            Kind::Unquoted,
            value.words,
        )
    })
}

pub(super) fn text_function(name: &str, of: Typed) -> Option<Typed> {
    let mut words = vec![name.to_owned()];
    words.extend(of.words);
    matches!(of.kind, Kind::Text { .. })
        .then(|| Typed::new(format!("{name}({})", of.sql), of.kind, words))
}

pub(super) fn substring(
    table: &Table,
    of: &Expr,
    from: &Expr,
    length: Option<&Expr>,
) -> Option<Typed> {
    let of = typed(table, of)?;
    let (from, Some(_)) = literal(from)? else {
        return None;
    };
    let mut sql = format!("substr({},{from}", of.sql);
    let mut words = vec!["substr".to_owned()];
    words.extend(of.words.clone());
    words.push(from);
    if let Some(length) = length {
        let (length, Some(_)) = literal(length)? else {
            return None;
        };
        // Writing to a String cannot fail.
        let _ = write!(sql, ",{length}");
        words.push(length);
    }
    sql.push(')');
    matches!(of.kind, Kind::Text { .. }).then(|| Typed::new(sql, of.kind, words))
}

pub(super) fn call(table: &Table, function: &Function) -> Option<Typed> {
    let name = function.name.to_string().to_ascii_lowercase();
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    if function.over.is_some() || !list.clauses.is_empty() || list.duplicate_treatment.is_some() {
        return None;
    }
    let mut arguments = Vec::new();
    for argument in &list.args {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) = argument else {
            return None;
        };
        arguments.push(expression);
    }
    let name = match name.as_str() {
        "lcase" => "lower",
        "ucase" => "upper",
        "dayofmonth" => "day",
        "character_length" => "char_length",
        "substring" | "mid" => "substr",
        other => other,
    };
    match (name, arguments.as_slice()) {
        ("lower" | "upper" | "trim" | "ltrim" | "rtrim" | "reverse", [of]) => {
            text_function(name, typed(table, of)?)
        }
        ("left" | "right", [of, length]) => {
            let (length, Some(_)) = literal(length)? else {
                return None;
            };
            let mut found = text_function(name, typed(table, of)?)?;
            found.sql = format!("{},{length})", found.sql.strip_suffix(')')?);
            found.words.push(length);
            Some(found)
        }
        ("substr", [of, from]) => substring(table, of, from, None),
        ("substr", [of, from, length]) => substring(table, of, from, Some(length)),
        ("char_length", [of]) => {
            let found = text_function(name, typed(table, of)?)?;
            let kind = Kind::Integer { is_unsigned: false };
            Some(Typed { kind, ..found })
        }
        ("json_extract", [document, path]) => {
            let (path, None) = literal(path)? else {
                return None;
            };
            extract(typed(table, document)?, &path)
        }
        ("json_unquote", [value]) => unquote(typed(table, value)?),
        ("ifnull" | "coalesce", [of, instead]) => default(name, typed(table, of)?, instead),
        (_, [of]) => of_time(name, &typed(table, of)?),
        _ => None,
    }
}

fn default(name: &str, of: Typed, instead: &Expr) -> Option<Typed> {
    let (text, number) = literal(instead)?;
    let is_alike = match of.kind {
        Kind::Integer { .. } => number.is_some(),
        Kind::Text { chars, .. } => number.is_none() && text.len() as u64 <= chars + 2,
        _ => false,
    };
    let mut words = vec![name.to_owned()];
    words.extend(of.words.clone());
    words.push(text.clone());
    is_alike.then(|| Typed::new(format!("{name}({},{text})", of.sql), of.kind, words))
}

/// Parts of a date; those of a `TIMESTAMP` depend on the session's time zone and are left out.
fn of_time(name: &str, of: &Typed) -> Option<Typed> {
    let is_time = matches!(of.kind, Kind::DateTime { is_zoned: false });
    let kind = match name {
        "date" if is_time || of.kind == Kind::Date => Kind::Date,
        "year" | "month" | "day" | "quarter" | "dayofweek" | "dayofyear" | "weekday"
        | "to_days"
            if is_time || of.kind == Kind::Date =>
        {
            Kind::Integer { is_unsigned: false }
        }
        "hour" | "minute" | "second" if is_time => Kind::Integer { is_unsigned: false },
        _ => return None,
    };
    let mut words = vec![name.to_owned()];
    words.extend(of.words.clone());
    Some(Typed::new(format!("{name}({})", of.sql), kind, words))
}

pub(super) fn cast(of: Typed, data_type: &str) -> Option<Typed> {
    let wanted = data_type.to_ascii_lowercase();
    let (kind, name, demand) = match wanted.as_str() {
        "signed" | "signed integer" => (
            Kind::Integer { is_unsigned: false },
            "signed",
            "every value converts to a whole number: writes of others are refused",
        ),
        "unsigned" | "unsigned integer" => (
            Kind::Integer { is_unsigned: true },
            "unsigned",
            "every value converts to a whole number from zero up: writes of others are refused",
        ),
        "date" => (
            Kind::Date,
            "date",
            "every value converts to a date: writes of others are refused",
        ),
        _ => return None,
    };
    if matches!(of.kind, Kind::DateTime { is_zoned: true }) {
        return None;
    }
    let is_exact = matches!(of.kind, Kind::DateTime { .. } | Kind::Date) && kind == Kind::Date;
    let mut words = of.words;
    words.push(name.to_owned());
    Some(Typed {
        sql: format!("cast({} as {name})", of.sql),
        kind,
        words,
        demand: (!is_exact).then(|| demand.to_owned()),
    })
}
