//! Comparisons whose types keep the server from using an index.

use sqlparser::ast::Expr;

use super::walk;
use crate::advisor::constant::{self, Kind};
use crate::model::schema::Column;

/// Kinds of values that are compared alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Text,
    Binary,
    Number,
    Time,
    Json,
    Other,
}

pub(super) fn class(column: &Column) -> Class {
    match column.data_type.as_str() {
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Class::Text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Class::Binary,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float"
        | "double" | "year" | "bit" => Class::Number,
        "date" | "datetime" | "timestamp" | "time" => Class::Time,
        "json" => Class::Json,
        _ => Class::Other,
    }
}

/// Whether an index on `column` can be used to compare it with this constant.
pub(super) fn takes(column: &Column, constant: &Expr) -> bool {
    let kind = constant::kind(constant);
    match class(column) {
        // Each string would have to become a number or a time, and many strings are the same one.
        Class::Text | Class::Binary => {
            matches!(kind, Kind::Text | Kind::Unknown) && has_collation_of(column, constant)
        }
        // JSON values are no keys, and what is compared with one is compared as JSON.
        Class::Json => false,
        _ => kind != Kind::Json,
    }
}

fn has_collation_of(column: &Column, constant: &Expr) -> bool {
    match walk::bare(constant) {
        Expr::Collate { collation, .. } => column
            .collation
            .as_ref()
            .is_none_or(|own| own.eq_ignore_ascii_case(&collation.to_string())),
        _ => true,
    }
}

/// Whether an index on `own` can be used to find what is equal to `other`.
pub(super) fn joins(own: &Column, other: &Column) -> bool {
    match (class(own), class(other)) {
        (Class::Text, Class::Text) => collations(own, other),
        (Class::Text | Class::Json, _) => false,
        (Class::Binary, other) => matches!(other, Class::Binary | Class::Text),
        _ => true,
    }
}

fn collations(own: &Column, other: &Column) -> bool {
    let (Some(own), Some(other)) = (&own.collation, &other.collation) else {
        return true;
    };
    if own.eq_ignore_ascii_case(other) {
        return true;
    }
    let charset = |name: &str| {
        name.split('_')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    if charset(own) == charset(other) {
        // Both are compared in the binary one.
        return own.ends_with("_bin");
    }
    // The narrower character set is converted into the wider one.
    charset(own) == "utf8mb4"
}
