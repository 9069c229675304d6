//! Ranges as they stand in the text of a statement.

use crate::sql::pieces::{Token, tokens};

/// A condition on a range in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Range {
    /// Places of its tokens, first and behind the last.
    pub(in super::super) tokens: (usize, usize),
    /// The column as it is written, with its qualifier.
    pub(in super::super) column: String,
    /// The column's own name.
    pub(in super::super) name: String,
    /// The comparison with its constants: `BETWEEN 1 AND 5`, `>= 1`.
    pub(in super::super) comparison: String,
    /// It has one end only.
    pub(in super::super) is_half: bool,
}

/// Ranges with constants in a text, in order.
pub(in super::super) fn ranges(text: &str) -> Vec<Range> {
    let all = tokens(text);
    let solid: Vec<usize> = (0..all.len())
        .filter(|place| !matches!(all[*place], Token::Space(_)))
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < solid.len() {
        match range_at(&all, &solid, at) {
            Some((range, next)) => {
                found.push(range);
                at = next;
            }
            None => at += 1,
        }
    }
    found
}

fn range_at(all: &[Token<'_>], solid: &[usize], at: usize) -> Option<(Range, usize)> {
    let token = |i: usize| solid.get(i).map(|place| all[*place]);
    let mut name = token(at)?.name()?;
    let mut next = at + 1;
    while matches!(token(next), Some(Token::Other("."))) {
        name = token(next + 1)?.name()?;
        next += 2;
    }
    let column: String = (at..next).filter_map(token).map(Token::text).collect();
    let operator = next;
    let is_half;
    if token(next)?.is("between") {
        next = constant_end(&token, next + 1)?;
        if !token(next)?.is("and") {
            return None;
        }
        next = constant_end(&token, next + 1)?;
        is_half = false;
    } else if token(next)?.is("is") {
        next = (token(next + 1)?.is("not") && token(next + 2)?.is("null")).then_some(next + 3)?;
        is_half = false;
    } else if token(next)?.is("like") {
        next = prefix_end(&token, next + 1)?;
        is_half = false;
    } else {
        let two = (token(next)?, token(next + 1)?);
        let is_unequal = matches!(
            two,
            (Token::Other("<"), Token::Other(">")) | (Token::Other("!"), Token::Other("="))
        );
        if is_unequal {
            next += 2;
        } else {
            let Token::Other("<" | ">") = two.0 else {
                return None;
            };
            next += 1 + usize::from(two.1 == Token::Other("="));
            // `<=>` is no range.
            if matches!(token(next), Some(Token::Other(">"))) {
                return None;
            }
        }
        next = constant_end(&token, next)?;
        is_half = !is_unequal;
    }
    let first = *solid.get(operator)?;
    let last = *solid.get(next - 1)?;
    let comparison: String = all[first..=last].iter().map(|token| token.text()).collect();
    let range = Range {
        tokens: (*solid.get(at)?, last + 1),
        column,
        name,
        comparison,
        is_half,
    };
    Some((range, next))
}

/// Where a constant that begins at `at` ends; it may be reckoned from several.
fn constant_end<'a>(token: &impl Fn(usize) -> Option<Token<'a>>, at: usize) -> Option<usize> {
    let mut next = literal_end(token, at)?;
    while matches!(token(next), Some(Token::Other("+" | "-" | "*" | "/"))) {
        next += 1;
        let is_interval = token(next)?.is("interval");
        next = literal_end(token, next + usize::from(is_interval))?;
        if is_interval {
            // The unit.
            if !matches!(token(next)?, Token::Word(_)) {
                return None;
            }
            next += 1;
        }
    }
    let goes_on = matches!(
        token(next),
        Some(Token::Other("%" | "." | "(" | "^" | "|" | "&"))
    );
    (!goes_on).then_some(next)
}

/// Where the pattern of a `LIKE` ends that begins at `at`, when it begins with what it looks for.
fn prefix_end<'a>(token: &impl Fn(usize) -> Option<Token<'a>>, at: usize) -> Option<usize> {
    let Token::Text(text) = token(at)? else {
        return None;
    };
    let is_prefix = text.chars().nth(1).is_some_and(|c| !matches!(c, '%' | '_'));
    let goes_on = token(at + 1).is_some_and(|token| token.is("escape"));
    (is_prefix && !goes_on).then_some(at + 1)
}

/// Where a literal that begins at `at` ends.
fn literal_end<'a>(token: &impl Fn(usize) -> Option<Token<'a>>, at: usize) -> Option<usize> {
    let mut next = at;
    if matches!(token(next)?, Token::Other("-"))
        || ["date", "timestamp", "time", "x"]
            .iter()
            .any(|word| token(next).is_some_and(|t| t.is(word)))
    {
        next += 1;
    }
    matches!(token(next)?, Token::Text(_) | Token::Number(_)).then_some(next + 1)
}

/// The two ends of one range that are written apart, `a >= 1 AND a < 5`, are one: each range with
/// the whole condition on its column, and whether it is the one that stays.
pub(in super::super) fn joined(text: &str, ranges: &[Range]) -> Vec<(String, bool)> {
    let all = tokens(text);
    // Alternatives, and conditions of different blocks, are no two ends of one range.
    let is_apart = |one: &Range, other: &Range| {
        let (first, last) = if one.tokens.0 < other.tokens.0 {
            (one.tokens.1, other.tokens.0)
        } else {
            (other.tokens.1, one.tokens.0)
        };
        all.get(first..last).is_some_and(|between| {
            between.iter().any(|token| {
                ["or", "xor", "select", "union"]
                    .iter()
                    .any(|word| token.is(word))
            })
        })
    };
    ranges
        .iter()
        .enumerate()
        .map(|(place, range)| {
            let of_column = |other: &&Range| {
                range.is_half
                    && other.is_half
                    && other.column.eq_ignore_ascii_case(&range.column)
                    && !is_apart(range, other)
            };
            let mates: Vec<&Range> = ranges.iter().filter(of_column).collect();
            if mates.len() != 2 {
                return (format!("{{}} {}", range.comparison), true);
            }
            let whole = format!(
                "{{}} {} AND {{}} {}",
                mates[0].comparison, mates[1].comparison
            );
            let is_first = !ranges[..place].iter().any(|other| of_column(&other));
            (whole, is_first)
        })
        .collect()
}

/// The key of a range in [`super::Estimates::stands`].
pub(in super::super) fn id(column: &str, condition: &str) -> String {
    format!("{} {condition}", column.to_ascii_lowercase())
}
