//! Expressions in conditions: which can be indexed, with which type, so that the optimizer takes
//! the index for the same expression and the results stay the same.
//!
//! Tried on MySQL 9.7 (`tests/it/candidates.rs`): the optimizer takes a virtual column's index for
//! its expression when the types compare alike, and it does so *even where collations differ*, and
//! then gives other rows than before. Hence the type and the collation are always stated, and
//! whatever is not known to be exact is left out. It never does so for LIKE.

use sqlparser::ast::{CastKind, Expr};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

use super::functions::{binary, call, cast, substring, text_function};
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
    pub(super) demand: Option<String>,
}

impl Typed {
    pub(super) fn new(sql: String, kind: Kind, words: Vec<String>) -> Self {
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

pub(super) fn typed(table: &Table, expression: &Expr) -> Option<Typed> {
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
