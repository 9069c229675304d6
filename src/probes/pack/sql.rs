//! Named placeholders in SQL: found, and written out as the `?` that MySQL prepares.

use std::ops::Range;

/// A part of a statement that means something to a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// `:name`.
    Placeholder(String),
    /// A bare `?`, which a pack does not allow.
    Question,
    /// `;` outside strings and comments.
    Semicolon,
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// A word outside strings and comments.
    Word,
}

/// Finds the marks of `sql`, each with its byte range; strings, quoted identifiers and comments
/// hold none. The lexical rules are MySQL's: `--` needs a space after it, strings know
/// backslashes and doubled quotes, `/*! */` and `/*+ */` are skipped like comments.
#[must_use]
pub fn marks(sql: &str) -> Vec<(Mark, Range<usize>)> {
    let bytes = sql.as_bytes();
    let mut marks = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let end = match byte {
            b'\'' | b'"' => at + quoted(rest, byte, true),
            b'`' => at + quoted(rest, byte, false),
            b'#' => at + line(rest),
            b'-' if is_dash_comment(rest) => at + line(rest),
            b'/' if rest.starts_with(b"/*") => at + block(rest),
            b':' if rest.get(1) == Some(&b':') || rest.get(1) == Some(&b'=') => at + 2,
            b':' => match word(&rest[1..]) {
                0 => at + 1,
                length => {
                    let end = at + 1 + length;
                    marks.push((Mark::Placeholder(sql[at + 1..end].to_owned()), at..end));
                    end
                }
            },
            b'?' => single(&mut marks, Mark::Question, at),
            b';' => single(&mut marks, Mark::Semicolon, at),
            b'(' => single(&mut marks, Mark::Open, at),
            b')' => single(&mut marks, Mark::Close, at),
            b'@' | b'0'..=b'9' => at + 1 + number(&rest[1..]),
            _ => match word(rest) {
                0 => at + 1,
                length => {
                    marks.push((Mark::Word, at..at + length));
                    at + length
                }
            },
        };
        at = end;
    }
    marks
}

fn single(marks: &mut Vec<(Mark, Range<usize>)>, mark: Mark, at: usize) -> usize {
    marks.push((mark, at..at + 1));
    at + 1
}

fn word(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..) => 1 + number(&bytes[1..]),
        _ => 0,
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(**b, b'_' | b'$' | 0x80..))
        .count()
}

fn quoted(bytes: &[u8], quote: u8, has_backslash: bool) -> usize {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' && has_backslash {
            at += 2;
        } else if byte == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn is_dash_comment(bytes: &[u8]) -> bool {
    bytes.starts_with(b"--") && bytes.get(2).is_none_or(u8::is_ascii_whitespace)
}

fn line(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|b| *b == b'\n')
        .unwrap_or(bytes.len())
}

fn block(bytes: &[u8]) -> usize {
    bytes[2..]
        .windows(2)
        .position(|pair| pair == b"*/")
        .map_or(bytes.len(), |end| end + 4)
}

/// Splits a script at its semicolons: byte ranges of the statements, empty ones left out.
#[must_use]
pub fn statements(script: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    let ends = marks(script)
        .into_iter()
        .filter(|(mark, _)| *mark == Mark::Semicolon)
        .map(|(_, range)| range.start)
        .chain([script.len()]);
    for end in ends {
        let has_content = marks(&script[start..end])
            .iter()
            .any(|(mark, _)| *mark != Mark::Semicolon);
        if has_content {
            let text = &script[start..end];
            let lead = text.len() - text.trim_start().len();
            ranges.push(start + lead..start + text.trim_end().len());
        }
        start = end + 1;
    }
    ranges
}

/// The same text with each `:name` blanked into a `?`, every other byte in its place, so that an
/// error's position is a position in the pack's file.
#[must_use]
pub fn with_questions_in_place(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut at = 0;
    for (mark, range) in marks(sql) {
        if matches!(mark, Mark::Placeholder(_)) {
            out.push_str(&sql[at..range.start]);
            out.push('?');
            out.push_str(&" ".repeat(range.len() - 1));
            at = range.end;
        }
    }
    out.push_str(&sql[at..]);
    out
}

/// A statement written out, and what stands behind each `?`: the name and its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// SQL with `?`.
    pub sql: String,
    /// Name and row of each `?`.
    pub names: Vec<(String, u32)>,
}

/// The row list to repeat: the parenthesis after `VALUES`; `None` when there is not exactly one.
#[must_use]
pub fn values_row(sql: &str) -> Option<Range<usize>> {
    let marks = marks(sql);
    let mut found = None;
    for (index, (mark, range)) in marks.iter().enumerate() {
        let is_values = *mark == Mark::Word && sql[range.clone()].eq_ignore_ascii_case("values");
        let opens = marks.get(index + 1).filter(|(mark, open)| {
            *mark == Mark::Open && sql[range.end..open.start].trim().is_empty()
        });
        // `VALUES(column)` in ON DUPLICATE KEY UPDATE is a function: it follows the row list.
        if let (true, Some((_, open)), None) = (is_values, opens, &found) {
            let mut depth = 0_usize;
            for (mark, range) in &marks[index + 1..] {
                match mark {
                    Mark::Open => depth += 1,
                    Mark::Close => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    found = Some(open.start..range.end);
                    break;
                }
            }
        }
    }
    found
}

/// Writes out the placeholders: in a batch the `VALUES` row stands `batch` times with the rows
/// `0..batch`, a name for which `list` gives a length becomes as many values, and the rest has
/// the row `first`.
#[must_use]
pub fn expand(sql: &str, first: u32, batch: u32, list: &dyn Fn(&str) -> u32) -> Expanded {
    let mut out = Expanded {
        sql: String::with_capacity(sql.len()),
        names: Vec::new(),
    };
    match values_row(sql).filter(|_| batch > 1) {
        None => push(&mut out, sql, first, list),
        Some(row) => {
            push(&mut out, &sql[..row.start], first, list);
            for index in 0..batch {
                if index > 0 {
                    out.sql.push_str(", ");
                }
                push(&mut out, &sql[row.clone()], index, list);
            }
            push(&mut out, &sql[row.end..], first, list);
        }
    }
    out
}

fn push(out: &mut Expanded, sql: &str, row: u32, list: &dyn Fn(&str) -> u32) {
    let mut at = 0;
    for (mark, range) in marks(sql) {
        if let Mark::Placeholder(name) = mark {
            out.sql.push_str(&sql[at..range.start]);
            let length = list(&name);
            for element in 0..length {
                out.sql.push_str(if element == 0 { "?" } else { ", ?" });
                let row = if length > 1 { element } else { row };
                out.names.push((name.clone(), row));
            }
            at = range.end;
        }
    }
    out.sql.push_str(&sql[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        marks(sql)
            .into_iter()
            .filter_map(|(mark, _)| match mark {
                Mark::Placeholder(name) => Some(name),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn placeholders_are_not_in_strings_comments_or_paths() {
        for (sql, expected) in [
            ("SELECT :a, :b_2", vec!["a", "b_2"]),
            ("SELECT ':a', \":b\", `:c`, :d", vec!["d"]),
            ("SELECT 'it''s :a' , '\\':b', :c", vec!["c"]),
            (
                "SELECT 1 -- :a\n, :b # :c\n /* :d */ /*+ NO_INDEX(:e) */",
                vec!["b"],
            ),
            ("SELECT 5--:a", vec!["a"]),
            ("SELECT a::text, @x:=1, TIME'12:30:00', :t", vec!["t"]),
            ("SELECT tags->>'$.Name:x' = :v", vec!["v"]),
            ("SELECT '12:30' , x BETWEEN :lo AND :hi", vec!["lo", "hi"]),
            ("SELECT 'never closed :a", vec![]),
            ("/* never closed :a", vec![]),
            ("SELECT 'ü', :ü", vec!["ü"]),
        ] {
            assert_eq!(names(sql), expected, "{sql}");
        }
    }

    #[test]
    fn blanking_keeps_positions() {
        let sql = "SELECT :long_name\n  , :b";
        let blank = with_questions_in_place(sql);
        assert_eq!(blank, "SELECT ?         \n  , ? ");
        assert_eq!(blank.len(), sql.len());
    }

    #[test]
    fn scripts_are_split_outside_of_strings() {
        let script = "-- head;\nCREATE TABLE a (b INT COMMENT 'x;y');\n\n  SELECT 1 ;; -- end\n";
        let texts: Vec<&str> = statements(script).into_iter().map(|r| &script[r]).collect();
        assert_eq!(
            texts,
            ["-- head;\nCREATE TABLE a (b INT COMMENT 'x;y')", "SELECT 1"]
        );
    }

    #[test]
    fn batches_repeat_the_values_row() {
        let sql = "INSERT INTO t (a, b) VALUES (:a, COALESCE(:b, 1)) \
                   ON DUPLICATE KEY UPDATE b = VALUES(b), c = :c";
        let out = expand(sql, 0, 2, &|_| 1);
        assert_eq!(
            out.sql,
            "INSERT INTO t (a, b) VALUES (?, COALESCE(?, 1)), (?, COALESCE(?, 1)) \
             ON DUPLICATE KEY UPDATE b = VALUES(b), c = ?"
        );
        let names: Vec<_> = out.names.iter().map(|(n, r)| (n.as_str(), *r)).collect();
        assert_eq!(names, [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("c", 0)]);
    }

    #[test]
    fn lists_become_as_many_values() {
        let out = expand(
            "DELETE FROM t WHERE id IN (:ids) AND x = :x",
            3,
            1,
            &|name| {
                if name == "ids" { 3 } else { 1 }
            },
        );
        assert_eq!(out.sql, "DELETE FROM t WHERE id IN (?, ?, ?) AND x = ?");
        let rows: Vec<u32> = out.names.iter().map(|(_, row)| *row).collect();
        assert_eq!(rows, [0, 1, 2, 3]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_scanned_without_loss(text in "[-a:;'\"`#/*\\\\ ?()\n0é]{0,40}") {
            let _ = statements(&text);
            let out = expand(&text, 0, 1, &|_| 1);
            proptest::prop_assert_eq!(out.names.len(), names(&text).len());
            proptest::prop_assert_eq!(with_questions_in_place(&text).len(), text.len());
        }
    }
}
