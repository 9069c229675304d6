//! Values between two servers: how a column is read so that nothing is lost, and how it is
//! written so that nothing can break out.

use std::fmt::Write as _;

use crate::model::schema::Column;
use crate::server::quote::{hex_literal, ident};
use crate::sql::pieces::{Token, tokens, unquoted};

/// How values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits as they are.
    Number,
    /// Characters.
    Text,
    /// Bytes.
    Bytes,
}

/// Bytes of a long value that are read; the rest matters to nothing but the size of the row.
const LONG: u64 = 8_192;

impl Kind {
    /// The kind of a column.
    pub(super) fn of(column: &Column) -> Self {
        match column.data_type.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float"
            | "double" | "year" => Self::Number,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum"
            | "set" | "json" | "date" | "time" | "datetime" | "timestamp" => Self::Text,
            _ => Self::Bytes,
        }
    }

    /// Appends a value as a literal.
    pub(super) fn write(self, sql: &mut String, value: Option<&[u8]>) {
        let Some(value) = value else {
            sql.push_str("NULL");
            return;
        };
        match (self, std::str::from_utf8(value)) {
            (Self::Number, Ok(text)) if is_number(text) => sql.push_str(text),
            // Plain words need no digits, and are most of all values.
            (Self::Text, Ok(text)) if is_plain(text) => {
                sql.push('\'');
                sql.push_str(text);
                sql.push('\'');
            }
            (Self::Text | Self::Number, Ok(_)) => {
                sql.push_str("_utf8mb4 ");
                hex(sql, value);
            }
            _ => hex(sql, value),
        }
    }

    /// A value as a literal.
    pub(super) fn literal(self, value: Option<&[u8]>) -> String {
        let mut sql = String::new();
        self.write(&mut sql, value);
        sql
    }
}

fn hex(sql: &mut String, value: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    sql.reserve(value.len() * 2 + 3);
    sql.push_str("X'");
    for byte in value {
        sql.push(char::from(DIGITS[usize::from(byte >> 4)]));
        sql.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    sql.push('\'');
}

fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.len() < 80
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'))
}

fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'_' | b'.' | b':' | b'/'))
}

/// The expression that reads a column without loss: a FLOAT prints six digits only unless it is
/// made a DOUBLE.
pub(super) fn reading(column: &Column) -> String {
    let name = ident(&column.name);
    match column.data_type.as_str() {
        "float" => format!("CAST({name} AS DOUBLE)"),
        "mediumtext" | "longtext" | "mediumblob" | "longblob" => format!("LEFT({name}, {LONG})"),
        _ => name,
    }
}

/// A constant of a statement as a literal that may be sent to a server; `None` when it is more
/// than one literal.
pub(super) fn constant(text: &str) -> Option<String> {
    let all: Vec<_> = tokens(text)
        .into_iter()
        .filter(|token| !matches!(token, Token::Space(_)))
        .collect();
    match all.as_slice() {
        [Token::Number(number)] if is_number(number) => Some((*number).to_owned()),
        [Token::Other("-"), Token::Number(number)] if is_number(number) => {
            Some(format!("-{number}"))
        }
        [Token::Number(hexadecimal)] if is_hex(hexadecimal) => Some((*hexadecimal).to_owned()),
        [Token::Text(text)] => unquoted(text).map(|plain| hex_literal(&plain)),
        [Token::Word(word), Token::Text(text)] => {
            let plain = unquoted(text)?;
            let is_digits = plain.bytes().all(|b| b.is_ascii_hexdigit());
            let lower = word.to_ascii_lowercase();
            match lower.as_str() {
                "x" if is_digits && plain.len() % 2 == 0 => Some(format!("X'{plain}'")),
                "date" | "time" | "timestamp" | "_utf8mb4" | "n" => Some(hex_literal(&plain)),
                _ => None,
            }
        }
        [Token::Word("_utf8mb4"), Token::Word(x), Token::Text(text)]
            if x.eq_ignore_ascii_case("x") =>
        {
            let plain = unquoted(text)?;
            let mut sql = String::new();
            let _ = write!(sql, "_utf8mb4 X'{plain}'");
            plain.bytes().all(|b| b.is_ascii_hexdigit()).then_some(sql)
        }
        _ => None,
    }
}

fn is_hex(text: &str) -> bool {
    text.strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_literals() {
        for (kind, value, literal) in [
            (Kind::Number, Some("-1.5e3".as_bytes()), "-1.5e3"),
            (Kind::Number, Some(b"1; DROP"), "_utf8mb4 X'313b2044524f50'"),
            (Kind::Text, Some(b"10.0.0.1"), "'10.0.0.1'"),
            (Kind::Text, Some(b"a'b\\"), "_utf8mb4 X'6127625c'"),
            (Kind::Text, Some(b""), "''"),
            (Kind::Bytes, Some(&[0xff, 0]), "X'ff00'"),
            (Kind::Bytes, None, "NULL"),
        ] {
            assert_eq!(kind.literal(value), literal);
        }
    }

    #[test]
    fn only_single_literals_are_constants() {
        for (text, literal) in [
            ("5", Some("5")),
            ("- 5", Some("-5")),
            ("'a''b'", Some("_utf8mb4 X'612762'")),
            (
                "DATE '2024-01-01'",
                Some("_utf8mb4 X'323032342d30312d3031'"),
            ),
            ("x'ff'", Some("X'ff'")),
            ("0xff", Some("0xff")),
            ("SLEEP(10)", None),
            ("5 OR 1", None),
            ("@x", None),
            ("'a' 'b'", None),
        ] {
            assert_eq!(constant(text).as_deref(), literal, "{text}");
        }
    }
}
