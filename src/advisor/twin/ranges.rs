//! Ranges on a twin without data: the optimizer always looks into the index for them and finds
//! nothing there, so that they are asked as lists of as many values as the range has.

use std::collections::BTreeMap;

use crate::sql::pieces::{Token, tokens};
use crate::advisor::workload::Sample;

/// What is known about ranges and columns of a twin without data.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Estimates {
    /// Lists that stand for ranges: `BETWEEN` and comparisons as they are in the text.
    pub(super) lists: BTreeMap<String, String>,
    /// Distinct values of columns by histograms: schema, table and column in lower case.
    pub(super) distinct: BTreeMap<(String, String, String), u64>,
}

/// A condition on a range in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    /// Places of its tokens, first and behind the last.
    pub(super) tokens: (usize, usize),
    /// The column as it is written, with its qualifier.
    pub(super) column: String,
    /// The column's own name.
    pub(super) name: String,
    /// The comparison with its constants: `BETWEEN 1 AND 5`, `>= 1`.
    pub(super) comparison: String,
    /// It has one end only.
    pub(super) is_half: bool,
}

/// Ranges with constants in a text, in order.
pub(super) fn ranges(text: &str) -> Vec<Range> {
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
    } else {
        let Some(Token::Other("<" | ">")) = token(next) else {
            return None;
        };
        next += 1;
        match token(next)? {
            Token::Other("=") if all[solid[next - 1]] != Token::Other("=") => next += 1,
            // `<>` and `<=>` are no ranges.
            Token::Other(">" | "<") => return None,
            _ => {}
        }
        if matches!(token(next), Some(Token::Other(">"))) {
            return None;
        }
        next = constant_end(&token, next)?;
        is_half = true;
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

/// Where a constant that begins at `at` ends, when nothing is reckoned with it.
fn constant_end<'a>(token: &impl Fn(usize) -> Option<Token<'a>>, at: usize) -> Option<usize> {
    let mut next = at;
    if matches!(token(next)?, Token::Other("-"))
        || ["date", "timestamp", "time", "x"]
            .iter()
            .any(|word| token(next).is_some_and(|t| t.is(word)))
    {
        next += 1;
    }
    if !matches!(token(next)?, Token::Text(_) | Token::Number(_)) {
        return None;
    }
    next += 1;
    let goes_on = matches!(
        token(next),
        Some(Token::Other("+" | "-" | "*" | "/" | "%" | "." | "("))
    );
    (!goes_on).then_some(next)
}

/// The two ends of one range that are written apart, `a >= 1 AND a < 5`, are one: each range with
/// the whole condition on its column, and whether it is the one that stays.
pub(super) fn joined(ranges: &[Range]) -> Vec<(String, bool)> {
    ranges
        .iter()
        .enumerate()
        .map(|(place, range)| {
            let of_column = |other: &&Range| {
                range.is_half && other.is_half && other.column.eq_ignore_ascii_case(&range.column)
            };
            let mates: Vec<&Range> = ranges.iter().filter(of_column).collect();
            if mates.len() != 2 {
                return (format!("{{}} {}", range.comparison), true);
            }
            let whole = format!(
                "{{}} {} AND {{}} {}",
                mates[0].comparison, mates[1].comparison
            );
            let is_first = !ranges[..place]
                .iter()
                .any(|other| other.is_half && other.column.eq_ignore_ascii_case(&range.column));
            (whole, is_first)
        })
        .collect()
}

/// The key of a range in [`Estimates::lists`].
pub(super) fn id(column: &str, condition: &str) -> String {
    format!("{} {condition}", column.to_ascii_lowercase())
}

/// The sample with lists in place of ranges, for costing only.
pub(super) fn rewritten(sample: &Sample, estimates: &Estimates) -> Sample {
    if estimates.lists.is_empty() {
        return sample.clone();
    }
    let all = tokens(&sample.sql);
    let found = ranges(&sample.sql);
    let conditions = joined(&found);
    let mut sql = String::new();
    let mut place = 0;
    for (range, (condition, stays)) in found.iter().zip(&conditions) {
        let Some(list) = estimates.lists.get(&id(&range.name, condition)) else {
            continue;
        };
        let head: String = all[place..range.tokens.0]
            .iter()
            .map(|t| t.text())
            .collect();
        sql.push_str(&head);
        if *stays {
            sql.push_str(&range.column);
            sql.push_str(" IN (");
            sql.push_str(list);
            sql.push(')');
        } else {
            sql.push_str("TRUE");
        }
        place = range.tokens.1;
    }
    let tail: String = all[place..].iter().map(|t| t.text()).collect();
    sql.push_str(&tail);
    Sample {
        sql,
        is_made_up: sample.is_made_up,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_become_lists() {
        let mut estimates = Estimates::default();
        for (condition, list) in [
            ("d {} BETWEEN '2024-01-01' AND '2024-01-07'", "1, 2"),
            ("n {} >= 3 AND {} < 9", "3, 4"),
        ] {
            let (column, rest) = condition.split_once(' ').unwrap();
            estimates.lists.insert(id(column, rest), list.to_owned());
        }
        for (sql, expected) in [
            (
                "SELECT * FROM t WHERE t.`d` BETWEEN '2024-01-01' AND '2024-01-07' AND a = 1",
                "SELECT * FROM t WHERE t.`d` IN (1, 2) AND a = 1",
            ),
            (
                "SELECT * FROM t WHERE n >= 3 AND x = 2 AND n < 9 LIMIT 5",
                "SELECT * FROM t WHERE n IN (3, 4) AND x = 2 AND TRUE LIMIT 5",
            ),
            (
                "SELECT * FROM t WHERE n >= 4",
                "SELECT * FROM t WHERE n >= 4",
            ),
            (
                "SELECT * FROM t WHERE n <> 4",
                "SELECT * FROM t WHERE n <> 4",
            ),
            (
                "SELECT * FROM t WHERE n >= 3 + 1",
                "SELECT * FROM t WHERE n >= 3 + 1",
            ),
        ] {
            let sample = Sample {
                sql: sql.to_owned(),
                is_made_up: false,
            };
            assert_eq!(rewritten(&sample, &estimates).sql, expected);
        }
    }
}
