//! JSON arrays in conditions: which type a multi-valued index needs for what is looked for.

use sqlparser::ast::Expr;

use super::expression::{Kind, is_integer, typed_text};
use crate::advisor::constant::{self, Kind as Constant};
use crate::model::schema::Table;

const TEXT: &str = "char(255)";
pub(super) const WHOLE: &str = "signed";
pub(super) const FRACTION: &str = "decimal(30,10)";

/// What a multi-valued index on `text` (a column, or a path in one) can be cast to, by the
/// constants that are looked for; with words for names.
pub(super) fn arrays(
    table: &Table,
    text: &str,
    constants: &[String],
) -> Vec<(String, Vec<String>)> {
    let Some(found) = typed_text(table, text) else {
        return Vec::new();
    };
    if found.kind != Kind::Json {
        return Vec::new();
    }
    let mut types: Vec<&str> = Vec::new();
    for constant in constants {
        for name in constant::parse(constant).map_or(Vec::new(), |expr| of(&expr)) {
            if !types.contains(&name) {
                types.push(name);
            }
        }
    }
    if types.is_empty() && constants.is_empty() {
        types.push(TEXT);
    }
    types
        .into_iter()
        .map(|name| {
            (
                format!("cast({} as {name} array)", found.sql),
                found.words.clone(),
            )
        })
        .collect()
}

/// The type of the elements of an array that [`arrays`] gave.
pub(super) fn element(array: &str) -> Option<&str> {
    let (_, name) = array.strip_suffix(" array)")?.rsplit_once(" as ")?;
    Some(name)
}

/// Of an element that is looked for, or of a document of such elements.
fn of(constant: &Expr) -> Vec<&'static str> {
    let constant = constant::bare(constant);
    match (constant::kind(constant), constant::text(constant)) {
        (Constant::Integer, _) => vec![WHOLE],
        (Constant::Fraction, _) => vec![FRACTION],
        (Constant::Json, _) => of_json(constant),
        (Constant::Text, Some(text)) => of_text(&text),
        (Constant::Text | Constant::Unknown, _) => vec![TEXT, WHOLE],
        (Constant::Date | Constant::Moment | Constant::Time, _) => Vec::new(),
    }
}

/// A string is an element of its own to `MEMBER OF`, and a document to `JSON_CONTAINS`.
fn of_text(text: &str) -> Vec<&'static str> {
    let mut types = of_document(text);
    let is_array = text.trim().starts_with('[');
    if !is_array && !types.contains(&TEXT) {
        types.insert(0, TEXT);
    }
    types
}

/// Of the elements of a document, written out.
fn of_document(text: &str) -> Vec<&'static str> {
    let text = text.trim();
    let element = text.trim_start_matches('[').trim_start();
    if element.starts_with('"') || element.starts_with("\\\"") {
        vec![TEXT]
    } else if text.starts_with('[') {
        let numbers = text.trim_matches(['[', ']']);
        let is_whole = numbers.split(',').all(|number| is_integer(number.trim()));
        vec![if is_whole { WHOLE } else { FRACTION }]
    } else if is_integer(text) {
        vec![WHOLE]
    } else {
        Vec::new()
    }
}

/// Of the elements of what a function makes.
fn of_json(constant: &Expr) -> Vec<&'static str> {
    match constant {
        Expr::Cast { expr, .. } => match (constant::kind(expr), constant::text(expr)) {
            (Constant::Text, Some(text)) => of_document(&text),
            _ => of(expr),
        },
        Expr::Function(function)
            if function.name.to_string().eq_ignore_ascii_case("json_array") =>
        {
            let kinds: Vec<Constant> = constant::arguments(function)
                .into_iter()
                .map(constant::kind)
                .collect();
            let are = |fitting: &[Constant]| kinds.iter().all(|kind| fitting.contains(kind));
            if are(&[Constant::Integer]) {
                vec![WHOLE]
            } else if are(&[Constant::Integer, Constant::Fraction]) {
                vec![FRACTION]
            } else if kinds.contains(&Constant::Unknown) {
                vec![TEXT, WHOLE]
            } else {
                vec![TEXT]
            }
        }
        _ => vec![TEXT, WHOLE],
    }
}

/// Like [`super::expression::canonical`], for the array of a multi-valued index.
pub(super) fn canonical_array(table: &Table, text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    let inside = lower.strip_prefix("cast(")?.strip_suffix(" array)")?;
    let at = inside.rfind(" as ")?;
    let name = inside.get(at + 4..)?.trim();
    let of = text.trim().get(5..5 + at)?;
    let found = typed_text(table, of)?;
    Some(format!("cast({} as {name} array)", found.sql))
}
