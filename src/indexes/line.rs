//! Lines of `SHOW CREATE TABLE`: what the server itself says of an index or a column, exactly.

use crate::server::quote::ident;

/// Options of an index that can be brought back besides those of its description.
const OPTIONS: [&str; 3] = ["USING BTREE", "USING HASH", "USING RTREE"];

/// The line of an index, without its comma.
#[must_use]
pub(super) fn of_index<'a>(create: &'a str, name: &str) -> Option<&'a str> {
    let quoted = format!("KEY {} (", ident(name));
    definitions(create).find(|line| {
        ["", "UNIQUE ", "FULLTEXT ", "SPATIAL "]
            .iter()
            .any(|kind| line.strip_prefix(kind).unwrap_or("").starts_with(&quoted))
    })
}

/// The line of a column, without its comma.
#[must_use]
pub(super) fn of_column<'a>(create: &'a str, name: &str) -> Option<&'a str> {
    let quoted = format!("{} ", ident(name));
    definitions(create).find(|line| line.starts_with(&quoted))
}

/// The lines of all columns, without their commas.
pub(super) fn columns(create: &str) -> impl Iterator<Item = &str> {
    definitions(create).filter(|line| line.starts_with('`'))
}

/// The line of the primary key, without its comma.
pub(super) fn primary_key(create: &str) -> Option<&str> {
    definitions(create).find(|line| line.starts_with("PRIMARY KEY ("))
}

/// One definition a line, since the server escapes line breaks in names and comments.
fn definitions(create: &str) -> impl Iterator<Item = &str> {
    create
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .map(|line| line.strip_suffix(',').unwrap_or(line))
}

/// The parts between the parentheses of an index's line, and what stands behind them.
#[must_use]
pub(super) fn parts(line: &str) -> Option<(Vec<&str>, &str)> {
    // The name is quoted, and may hold anything.
    let open = end_of_name(line)?;
    let body = line.get(open..)?.strip_prefix(" (")?;
    let mut depth = 0_u32;
    let mut quote = None;
    let mut begin = 0;
    let mut found = Vec::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some('\''), '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') if depth > 0 => depth -= 1,
            (None, ')') => {
                found.push(&body[begin..at]);
                return Some((found, &body[at + 1..]));
            }
            (None, ',') if depth == 0 => {
                found.push(&body[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// Where the quoted name of an index's line ends.
fn end_of_name(line: &str) -> Option<usize> {
    let begin = line.find('`')? + 1;
    let mut rest = line[begin..].char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c == '`' {
            if rest.peek().is_some_and(|(_, next)| *next == '`') {
                rest.next();
            } else {
                return Some(begin + at + 1);
            }
        }
    }
    None
}

/// The expression of a part, without its parentheses; `None` for a column.
#[must_use]
pub(super) fn expression(part: &str) -> Option<&str> {
    let part = part.strip_suffix(" DESC").unwrap_or(part);
    part.strip_prefix('(')?.strip_suffix(')')
}

/// The expression of a virtual column's line, as [`add_virtual_column`] makes it.
///
/// [`add_virtual_column`]: crate::server::ddl::add_virtual_column
#[must_use]
pub(super) fn column_expression(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(" GENERATED ALWAYS AS (")?;
    let (expression, tail) = rest.rsplit_once(") VIRTUAL")?;
    let tail = tail.trim();
    (tail.is_empty() || tail == "/*!80023 INVISIBLE */").then_some(expression)
}

/// What the line of an index says besides parts, comment, parser and visibility, as it can be put
/// behind a definition; an error is a clause that can't be brought back.
pub(super) fn options(line: &str) -> Result<String, String> {
    let (_, mut tail) = parts(line).ok_or_else(|| line.to_owned())?;
    let mut options = String::new();
    loop {
        tail = tail.trim_start();
        if tail.is_empty() {
            return Ok(options);
        }
        if let Some(known) = OPTIONS.iter().find(|known| tail.starts_with(**known)) {
            options.push(' ');
            options.push_str(known);
            tail = &tail[known.len()..];
        } else if let Some(rest) = tail.strip_prefix("KEY_BLOCK_SIZE=") {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            options.push_str(" KEY_BLOCK_SIZE=");
            options.push_str(&rest[..digits]);
            tail = &rest[digits..];
        } else if let Some(rest) = tail.strip_prefix("COMMENT '") {
            tail = behind_string(rest).ok_or_else(|| tail.to_owned())?;
        } else if let Some(rest) = tail
            .strip_prefix("/*!80000 INVISIBLE */")
            .or_else(|| tail.strip_prefix("/*!50100 WITH PARSER "))
        {
            tail = match tail.strip_prefix("/*!50100 WITH PARSER ") {
                Some(_) => rest.split_once("*/").ok_or_else(|| tail.to_owned())?.1,
                None => rest,
            };
        } else {
            return Err(tail.to_owned());
        }
    }
}

/// What stands behind the end of a string literal.
fn behind_string(text: &str) -> Option<&str> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '\'' if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                chars.next();
            }
            '\'' => return text.get(at + 1..),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: &str = "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  `el` varchar(20) GENERATED \
        ALWAYS AS (lower(`email`)) VIRTUAL /*!80023 INVISIBLE */,\n  PRIMARY KEY (`id`),\n  UNIQUE \
        KEY `a``b` (`x`(3),`y` DESC) COMMENT 'it''s (``) \\\\, x' /*!80000 INVISIBLE */,\n  KEY `f` \
        ((lower(`o)dd`)),(concat(`a`,_utf8mb4')'))  DESC) USING BTREE,\n  KEY `kb` (`d` DESC) \
        KEY_BLOCK_SIZE=8 USING BTREE COMMENT 'x',\n  FULLTEXT KEY `ft` (`note`) /*!50100 WITH PARSER \
        `ngram` */ ,\n  KEY `new` (`d`) SECRET_CLAUSE 7\n) ENGINE=InnoDB";

    #[test]
    fn lines_are_found_by_name() {
        assert!(of_index(CREATE, "a`b").unwrap().starts_with("UNIQUE KEY"));
        assert!(of_index(CREATE, "ft").unwrap().starts_with("FULLTEXT"));
        assert_eq!(of_index(CREATE, "id"), None);
        let column = of_column(CREATE, "el").unwrap();
        assert_eq!(column_expression(column), Some("lower(`email`)"));
        assert_eq!(columns(CREATE).count(), 2);
    }

    #[test]
    fn parts_and_options_are_told_apart() {
        let line = |name| of_index(CREATE, name).unwrap();
        let (unique, tail) = parts(line("a`b")).unwrap();
        assert_eq!(unique, ["`x`(3)", "`y` DESC"]);
        assert!(tail.starts_with(" COMMENT"));
        let (functional, _) = parts(line("f")).unwrap();
        assert_eq!(expression(functional[0]), Some("lower(`o)dd`)"));
        assert_eq!(options(line("a`b")), Ok(String::new()));
        assert_eq!(options(line("f")), Ok(" USING BTREE".to_owned()));
        assert_eq!(
            options(line("kb")),
            Ok(" KEY_BLOCK_SIZE=8 USING BTREE".to_owned())
        );
        assert_eq!(options(line("ft")), Ok(String::new()));
        assert_eq!(options(line("new")), Err("SECRET_CLAUSE 7".to_owned()));
    }
}
