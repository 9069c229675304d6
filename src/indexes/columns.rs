//! The parts of an index as they are written on a command line.

use crate::model::schema::{KeyPart, Part};

/// Reads `state, made desc, note(20), (lower(email))`: names, bare or in backticks, each with an
/// optional prefix; expressions in parentheses; and a direction behind any of them.
///
/// # Errors
/// What can't be understood, in one sentence.
pub fn parse(text: &str) -> Result<Vec<KeyPart>, String> {
    let pieces = split(text)?;
    pieces.iter().map(|piece| part(piece.trim())).collect()
}

/// The pieces between commas that are in no parentheses and no quotes.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut pieces = vec![String::new()];
    let mut depth = 0_usize;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| format!("`{text}` closes a parenthesis that is not open"))?;
            }
            (None, ',') if depth == 0 => {
                pieces.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    if depth > 0 || quote.is_some() {
        return Err(format!("`{text}` leaves a parenthesis or a quote open"));
    }
    Ok(pieces)
}

fn part(piece: &str) -> Result<KeyPart, String> {
    let (rest, is_descending) = direction(piece);
    let unclear = || {
        format!(
            "`{piece}` is no part of an index, such as `made desc`, `note(20)` or `(lower(email))`"
        )
    };
    if let Some(inner) = rest
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return Ok(KeyPart {
            what: Part::Expression(inner.trim().to_owned()),
            prefix: None,
            is_descending,
        });
    }
    let (name, rest) = name(rest).ok_or_else(unclear)?;
    let rest = rest.trim();
    let prefix = if rest.is_empty() {
        None
    } else {
        let inner = rest
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        let length = inner.and_then(|inner| inner.trim().parse().ok());
        Some(length.ok_or_else(unclear)?)
    };
    Ok(KeyPart {
        what: Part::Column(name),
        prefix,
        is_descending,
    })
}

/// What stands before `asc` or `desc`, and whether it is the latter.
fn direction(piece: &str) -> (&str, bool) {
    for (word, is_descending) in [("desc", true), ("asc", false)] {
        let Some(at) = piece.len().checked_sub(word.len()) else {
            continue;
        };
        let Some(end) = piece.get(at..) else { continue };
        let before = &piece[..at];
        let is_apart = before.ends_with(|c: char| c.is_whitespace() || c == ')' || c == '`');
        if end.eq_ignore_ascii_case(word) && is_apart {
            return (before.trim_end(), is_descending);
        }
    }
    (piece, false)
}

/// A name and what follows it.
fn name(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('`') {
        let mut name = String::new();
        let mut chars = quoted.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c != '`' {
                name.push(c);
            } else if chars.peek().is_some_and(|(_, next)| *next == '`') {
                chars.next();
                name.push('`');
            } else {
                return Some((name, &quoted[at + 1..]));
            }
        }
        return None;
    }
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_they_are_shown() {
        for (text, shown) in [
            ("state", "state"),
            ("state, made desc, note(20)", "state, made desc, note(20)"),
            ("note ( 20 ) DESC,id asc", "note(20) desc, id"),
            (
                "(lower(email)), (concat(a, ',', b)) desc",
                "(lower(email)), (concat(a, ',', b)) desc",
            ),
            ("`odd name, really`, `b``c`(3)", "odd name, really, b`c(3)"),
            ("desc", "desc"),
            ("description", "description"),
        ] {
            let parts = parse(text).unwrap();
            assert_eq!(crate::indexes::facets::columns(&parts), shown, "{text}");
        }
    }

    #[test]
    fn what_is_unclear_is_refused() {
        for text in [
            "",
            "a,,b",
            "a b",
            "a(x)",
            "a(",
            "a)",
            "`a",
            "a(1)(2)",
            "-",
            "a desc desc",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
