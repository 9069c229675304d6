//! Quoting of identifiers: the one place where a name becomes part of a statement.

/// `name` as a quoted identifier: inside backticks, each backtick doubled.
///
/// NUL characters are left out: MySQL does not permit them in any identifier, so that the result
/// names nothing that exists rather than something else.
#[must_use]
pub fn ident(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('`');
    for c in name.chars() {
        match c {
            '`' => quoted.push_str("``"),
            '\0' => {}
            c => quoted.push(c),
        }
    }
    quoted.push('`');
    quoted
}

/// `value` as a hexadecimal string literal, which no quoting rule or SQL mode can break.
///
/// It is for the few statements that cannot take bound values; everything else binds.
#[must_use]
pub fn hex_literal(value: &str) -> String {
    use std::fmt::Write as _;
    let mut literal = String::with_capacity(value.len() * 2 + 20);
    literal.push_str("_utf8mb4 X'");
    for byte in value.bytes() {
        // Writing to a String cannot fail.
        let _ = write!(literal, "{byte:02x}");
    }
    literal.push('\'');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_quoted() {
        for (name, quoted) in [
            ("plain", "`plain`"),
            ("with space", "`with space`"),
            ("a`b", "`a``b`"),
            ("`; DROP TABLE t; --", "```; DROP TABLE t; --`"),
            ("nul\0gone", "`nulgone`"),
            ("ünï", "`ünï`"),
            ("", "``"),
        ] {
            assert_eq!(ident(name), quoted);
        }
    }

    #[test]
    fn literals_hold_only_hexadecimal_digits() {
        assert_eq!(hex_literal("a'b\\"), "_utf8mb4 X'6127625c'");
        assert_eq!(hex_literal(""), "_utf8mb4 X''");
    }
}
