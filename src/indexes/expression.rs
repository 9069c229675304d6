//! Whether SQL text from a file stays inside of the parentheses that it is put into.

/// Whether `sql` is one closed expression: parentheses and quotes are closed, and no comment, no
/// semicolon and nothing behind a closing parenthesis of its own leads out of it.
pub(super) fn is_closed(sql: &str) -> bool {
    // A backslash in a string escapes or not, depending on the server's SQL mode: both must hold.
    !sql.trim().is_empty() && ends_where_it_began(sql, true) && ends_where_it_began(sql, false)
}

/// Whether `sql` is a column type and nothing more.
pub(super) fn is_type(sql: &str) -> bool {
    let mut depth = 0_u32;
    let mut quoted = false;
    for c in sql.chars() {
        match c {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return false,
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | ' ' | ',') => {}
            _ => return false,
        }
    }
    is_closed(sql)
}

fn ends_where_it_began(sql: &str, with_escapes: bool) -> bool {
    let mut depth = 0_u32;
    let mut quote = None;
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some('\'' | '"'), '\\') if with_escapes => {
                rest.next();
            }
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            (None, ';' | '#' | '\0') => return false,
            (None, '-') if rest.peek() == Some(&'-') => return false,
            (None, '/') if rest.peek() == Some(&'*') => return false,
            _ => {}
        }
    }
    depth == 0 && quote.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_lead_out_of_their_place_are_refused() {
        for (sql, closed) in [
            ("lower(`email`)", true),
            (
                "cast(json_extract(`doc`, '$.tags') as char(20) array)",
                true,
            ),
            ("concat(a, ')', b)", true),
            ("`odd)name` + 1", true),
            ("'it''s'", true),
            ("doc->>'$.a#b'", true),
            ("a - -1", true),
            ("a) , DROP COLUMN `b", false),
            ("a), DROP COLUMN b, ADD INDEX c (d", false),
            ("(a", false),
            ("a -- b", false),
            ("a /* b */", false),
            ("a # b", false),
            ("a; DROP TABLE t", false),
            ("'open", false),
            // Closed only where a backslash escapes, or only where it does not.
            ("'\\') , DROP COLUMN b, ADD INDEX c ('", false),
            ("'\\'", false),
            ("", false),
            ("  ", false),
        ] {
            assert_eq!(is_closed(sql), closed, "{sql}");
        }
    }

    #[test]
    fn types_are_types_only() {
        for (sql, good) in [
            ("varchar(64)", true),
            ("int unsigned", true),
            ("decimal(10,2)", true),
            ("enum('a','b,c')", true),
            (
                "varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                true,
            ),
            ("int, DROP COLUMN b", false),
            ("int) , (", false),
            ("int;", false),
            ("`int`", false),
            ("", false),
        ] {
            assert_eq!(is_type(sql), good, "{sql}");
        }
    }
}
