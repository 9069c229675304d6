//! Expressions in conditions: which can be indexed, with which type, so that the optimizer takes
//! the index for the same expression and the results stay the same.
//!
//! Tried on MySQL 9.7 (`tests/it/candidates.rs`): the optimizer takes a virtual column's index for
//! its expression when the types compare alike, and it does so *even where collations differ*, and
//! then gives other rows than before. Hence the type and the collation are always stated, and
//! whatever is not known to be exact is left out. It never does so for LIKE.

use std::fmt::Write as _;

use sqlparser::ast::{
    BinaryOperator, CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Value,
};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

use crate::advisor::constant::{self, Kind as Constant};
use crate::model::schema::{Column, Table};
use crate::server::quote::ident;

/// Characters of a string out of JSON; rows with longer ones are refused once it is indexed.
const JSON_CHARS: u64 = 255;

/// An expression that can be indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Indexable {
    /// The expression in one way of writing, for the definition and for comparing.
    pub(super) sql: String,
    /// The type of a generated column for it.
    pub(super) full_type: String,
    /// The same as a part of a functional index.
    pub(super) functional: String,
    /// Words for names.
    pub(super) words: Vec<String>,
    /// What the definition asks of every row, where it asks for something.
    pub(super) demand: Option<String>,
}

/// What an expression gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Integer {
        is_unsigned: bool,
    },
    Text {
        chars: u64,
        collation: String,
    },
    Date,
    DateTime {
        is_zoned: bool,
    },
    Json,
    /// Text out of a JSON document.
    Unquoted,
}

/// An expression in one way of writing, with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) sql: String,
    pub(super) kind: Kind,
    pub(super) words: Vec<String>,
    demand: Option<String>,
}

impl Typed {
    fn new(sql: String, kind: Kind, words: Vec<String>) -> Self {
        Self {
            sql,
            kind,
            words,
            demand: None,
        }
    }
}

/// The expression as an index could hold it, when every constant that it is compared with is of
/// its type; the reason, for people, where it can't.
pub(super) fn indexable(
    table: &Table,
    text: &str,
    constants: &[String],
) -> Result<Indexable, String> {
    let typed = parse(text)
        .and_then(|expression| typed(table, &expression))
        .ok_or("its type is not known to be exact")?;
    let kinds: Vec<Constant> = constants.iter().map(|text| constant_kind(text)).collect();
    let fits = |kinds_that_fit: &[Constant]| {
        let mut all = kinds.iter();
        all.all(|kind| *kind == Constant::Unknown || kinds_that_fit.contains(kind))
    };
    let (full_type, functional) = match &typed.kind {
        Kind::Integer { is_unsigned } if fits(&[Constant::Integer]) => {
            let full_type = if *is_unsigned {
                "bigint unsigned"
            } else {
                "bigint"
            };
            (full_type.to_owned(), typed.sql.clone())
        }
        Kind::Text { chars, collation } if fits(&[Constant::Text]) => (
            format!("varchar({chars}) COLLATE {collation}"),
            typed.sql.clone(),
        ),
        Kind::Unquoted if fits(&[Constant::Text]) => (
            format!("varchar({JSON_CHARS}) COLLATE utf8mb4_bin"),
            format!(
                "cast({} as char({JSON_CHARS})) collate utf8mb4_bin",
                typed.sql
            ),
        ),
        Kind::Date if fits(&[Constant::Text, Constant::Date, Constant::Moment]) => {
            ("date".to_owned(), typed.sql.clone())
        }
        Kind::Json => return Err("JSON values can't be compared in a key".to_owned()),
        Kind::Unquoted => {
            return Err(
                "text out of JSON is compared with a number; write `CAST(… AS SIGNED)` around it"
                    .to_owned(),
            );
        }
        Kind::DateTime { .. } => return Err("its type is not known to be exact".to_owned()),
        _ => return Err("it is compared with a constant of another type".to_owned()),
    };
    let demand = match typed.kind {
        Kind::Unquoted => Some(format!(
            "every value has at most {JSON_CHARS} characters: writes of longer ones are refused"
        )),
        _ => typed.demand,
    };
    Ok(Indexable {
        sql: typed.sql,
        full_type,
        functional,
        words: typed.words,
        demand,
    })
}

fn constant_kind(text: &str) -> Constant {
    constant::parse(text).map_or(Constant::Unknown, |expr| constant::kind(&expr))
}

/// The expression in the one way of writing in which equal ones are equal; casts that only make
/// text out of JSON fit for a key are left out. `None` for what [`indexable`] does not know.
pub(super) fn canonical(table: &Table, text: &str) -> Option<String> {
    let mut expression = parse(text)?;
    loop {
        expression = match expression {
            Expr::Nested(inner) => *inner,
            Expr::Collate { expr, .. } => *expr,
            Expr::Cast {
                expr, data_type, ..
            } if data_type
                .to_string()
                .to_ascii_lowercase()
                .starts_with("char") =>
            {
                *expr
            }
            other => return typed(table, &other).map(|typed| typed.sql),
        };
    }
}

pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.len() < 19 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse(text: &str) -> Option<Expr> {
    // The server writes literals of generated columns with their character set.
    let plain = text.replace("_utf8mb4\\'", "'").replace("\\'", "'");
    let plain = plain.replace("_utf8mb4'", "'");
    let plain = plain.replace(" charset utf8mb4", "");
    let dialect = MySqlDialect {};
    let mut parser = Parser::new(&dialect).try_with_sql(&plain).ok()?;
    let expression = parser.parse_expr().ok()?;
    (parser.peek_token().token == sqlparser::tokenizer::Token::EOF).then_some(expression)
}

/// The expression of this text with its type, where it is known.
pub(super) fn typed_text(table: &Table, text: &str) -> Option<Typed> {
    typed(table, &parse(text)?)
}

fn typed(table: &Table, expression: &Expr) -> Option<Typed> {
    match expression {
        Expr::Nested(inner) => typed(table, inner),
        Expr::Identifier(name) => column(table.column(&name.value)?),
        Expr::CompoundIdentifier(names) => column(table.column(&names.last()?.value)?),
        Expr::BinaryOp { left, op, right } => binary(table, left, op, right),
        Expr::Function(function) => call(table, function),
        Expr::Cast {
            kind: CastKind::Cast,
            expr,
            data_type,
            format: None,
        } => cast(typed(table, expr)?, &data_type.to_string()),
        Expr::Substring {
            expr,
            substring_from: Some(from),
            substring_for,
            ..
        } => substring(table, expr, from, substring_for.as_deref()),
        Expr::Trim {
            expr,
            trim_where: None,
            trim_what: None,
            trim_characters: None,
        } => text_function("trim", typed(table, expr)?),
        _ => None,
    }
}

fn column(column: &Column) -> Option<Typed> {
    let kind = match column.data_type.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Kind::Integer {
            is_unsigned: column.full_type.contains("unsigned"),
        },
        "char" | "varchar" => Kind::Text {
            chars: column.max_chars?,
            collation: column.collation.clone()?,
        },
        "date" => Kind::Date,
        "datetime" => Kind::DateTime { is_zoned: false },
        "timestamp" => Kind::DateTime { is_zoned: true },
        "json" => Kind::Json,
        _ => return None,
    };
    Some(Typed::new(
        ident(&column.name),
        kind,
        vec![column.name.clone()],
    ))
}

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

fn binary(table: &Table, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Typed> {
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
    let sign = match op {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Modulo => "%",
        _ => return None,
    };
    let (one, one_words, one_unsigned) = integer(table, left)?;
    let (other, other_words, other_unsigned) = integer(table, right)?;
    let is_unsigned = one_unsigned || other_unsigned;
    // Below zero, unsigned arithmetic is an error, which would refuse writes.
    if is_unsigned && sign == "-" {
        return None;
    }
    let words: Vec<String> = one_words.into_iter().chain(other_words).collect();
    (!words.is_empty()).then(|| {
        Typed::new(
            format!("({one} {sign} {other})"),
            Kind::Integer { is_unsigned },
            words,
        )
    })
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

fn text_function(name: &str, of: Typed) -> Option<Typed> {
    let mut words = vec![name.to_owned()];
    words.extend(of.words);
    matches!(of.kind, Kind::Text { .. })
        .then(|| Typed::new(format!("{name}({})", of.sql), of.kind, words))
}

fn substring(table: &Table, of: &Expr, from: &Expr, length: Option<&Expr>) -> Option<Typed> {
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

fn call(table: &Table, function: &Function) -> Option<Typed> {
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

fn cast(of: Typed, data_type: &str) -> Option<Typed> {
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
