//! Values as SQL text, for bulk inserts. This is the only place that writes values into SQL.
//!
//! The text is right for a session in utf8mb4 whose `sql_mode` holds neither
//! `NO_BACKSLASH_ESCAPES` nor `ANSI_QUOTES`; the loader sets both before it uses it.

use std::fmt::Write as _;

use super::value::{Value, push_datetime};

/// Appends a value as a literal.
pub fn push(value: &Value, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match value {
        Value::Int(n) => write!(out, "{n}"),
        Value::UInt(n) => write!(out, "{n}"),
        // A float in decimal notation would be an exact number to MySQL; the exponent keeps it one.
        Value::Float(n) if n.is_finite() => write!(out, "{n:e}"),
        Value::Null | Value::Float(_) => out.write_str("NULL"),
        Value::Text(text) | Value::Json(text) => {
            push_quoted(text, out);
            Ok(())
        }
        Value::Bytes(bytes) => {
            out.push_str("X'");
            let written = bytes.iter().try_for_each(|b| write!(out, "{b:02x}"));
            out.push('\'');
            written
        }
        Value::Time(micros) => {
            out.push('\'');
            push_datetime(*micros, out);
            out.push('\'');
            Ok(())
        }
    };
}

/// Appends a string literal. Each character that ends a literal or starts an escape is escaped;
/// the others cannot be mistaken, because no byte of a multi-byte UTF-8 sequence is ASCII.
fn push_quoted(text: &str, out: &mut String) {
    out.push('\'');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'\'' => "\\'",
            b'\\' => "\\\\",
            b'\0' => "\\0",
            b'\n' => "\\n",
            b'\r' => "\\r",
            0x1a => "\\Z",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        out.push_str(escape);
        plain = at + 1;
    }
    out.push_str(&text[plain..]);
    out.push('\'');
}

/// Appends a value as a field of the text format of `LOAD DATA` with its default options.
pub fn push_field(value: &Value, out: &mut String) {
    if value.is_null() {
        out.push_str("\\N");
        return;
    }
    let start = out.len();
    value.push_text(out);
    if out[start..].contains(['\t', '\n', '\\', '\0']) {
        let raw = out.split_off(start);
        for c in raw.chars() {
            match c {
                '\t' => out.push_str("\\t"),
                '\n' => out.push_str("\\n"),
                '\\' => out.push_str("\\\\"),
                '\0' => out.push_str("\\0"),
                c => out.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        for (value, text) in [
            (Value::Null, "NULL"),
            (Value::Int(i64::MIN), "-9223372036854775808"),
            (Value::UInt(u64::MAX), "18446744073709551615"),
            (Value::Float(0.1), "1e-1"),
            (Value::Float(f64::NAN), "NULL"),
            (Value::Bytes(vec![0, 0xab]), "X'00ab'"),
            (Value::Time(0), "'1970-01-01 00:00:00.000000'"),
            (
                Value::Text("a'b\\c\n\0\r\x1a\"ü漢".into()),
                "'a\\'b\\\\c\\n\\0\\r\\Z\"ü漢'",
            ),
            (
                Value::Json("{\"k\": \"\\\"\"}".into()),
                "'{\"k\": \"\\\\\"\"}'",
            ),
        ] {
            let mut out = String::new();
            push(&value, &mut out);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn fields() {
        for (value, text) in [
            (Value::Null, "\\N"),
            (Value::Int(-1), "-1"),
            (Value::Text("a\tb\\N\nc".into()), "a\\tb\\\\N\\nc"),
            (Value::Text(String::new()), ""),
        ] {
            let mut out = String::from("|");
            push_field(&value, &mut out);
            assert_eq!(out[1..], *text);
        }
    }

    proptest::proptest! {
        /// Undoing MySQL's escapes gives the text back, and no quote inside is bare.
        #[test]
        fn quoting_can_be_undone(text in "[\\PC\0\n\r\x1a'\\\\\"]{0,40}") {
            let mut out = String::new();
            push_quoted(&text, &mut out);
            let inner = &out[1..out.len() - 1];
            let mut undone = String::new();
            let mut chars = inner.chars();
            while let Some(c) = chars.next() {
                proptest::prop_assert_ne!(c, '\'');
                undone.push(match c {
                    '\\' => match chars.next() {
                        Some('0') => '\0',
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('Z') => '\x1a',
                        Some(c) => c,
                        None => unreachable!("a backslash is never last"),
                    },
                    c => c,
                });
            }
            proptest::prop_assert_eq!(undone, text);
        }
    }
}
