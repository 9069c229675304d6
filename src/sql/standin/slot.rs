//! What a parameter is compared with, from the tokens around it.

use sqlparser::tokenizer::Token;

use super::{Slot, is_keyword, plain, word};

/// What the parameter at `i` stands for, from the tokens around it.
pub(super) fn slot(tokens: &[&Token], i: usize, previous: Option<&Slot>) -> Slot {
    let back = |n: usize| i.checked_sub(n);
    let keyword = |n: usize, text: &str| is_keyword(tokens, back(n), text);
    let is_parameter = |n: usize| {
        matches!(
            back(n).and_then(|i| tokens.get(i)),
            Some(Token::Placeholder(_))
        )
    };
    let same = || previous.cloned().unwrap_or(Slot::Other);
    if keyword(1, "LIMIT") || keyword(1, "OFFSET") {
        return Slot::Count;
    }
    if let Some(column) = in_row(tokens, i).or_else(|| in_front(tokens, i)) {
        return column;
    }
    match back(1).and_then(|i| tokens.get(i)) {
        Some(Token::Comma) if is_parameter(2) => same(),
        Some(token) if is_comparison(token) => compared(tokens, back(2)),
        Some(Token::LParen) if keyword(2, "IN") && keyword(3, "NOT") => column(tokens, back(4)),
        Some(Token::LParen) if keyword(2, "IN") => column(tokens, back(3)),
        Some(Token::Word(_)) if keyword(1, "LIKE") && keyword(2, "NOT") => column(tokens, back(3)),
        Some(Token::Word(_)) if keyword(1, "LIKE") || keyword(1, "BETWEEN") => {
            column(tokens, back(2))
        }
        Some(Token::Word(_)) if keyword(1, "AND") && is_parameter(2) && keyword(3, "BETWEEN") => {
            same()
        }
        _ => Slot::Other,
    }
}

fn is_comparison(token: &Token) -> bool {
    matches!(
        token,
        Token::Eq
            | Token::Neq
            | Token::Lt
            | Token::Gt
            | Token::LtEq
            | Token::GtEq
            | Token::Spaceship
    )
}

/// Where the parenthesis that is closed at `end` is opened.
fn opening(tokens: &[&Token], end: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for i in (0..=end).rev() {
        match tokens.get(i)? {
            Token::RParen => depth += 1,
            Token::LParen => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}

/// The column in the same place of the row that the parameter's row is compared with: `(a, b) <
/// (?, ?)`, `(a, b) IN ((?, ?), (?, ?))`.
fn in_row(tokens: &[&Token], i: usize) -> Option<Slot> {
    let mut place = 0;
    let mut at = i;
    let mut open = loop {
        at = at.checked_sub(1)?;
        match tokens.get(at)? {
            Token::Comma => place += 1,
            Token::Placeholder(_) | Token::Number(..) | Token::SingleQuotedString(_) => {}
            Token::LParen => break at,
            _ => return None,
        }
    };
    // Over the rows of the list that come before.
    while let Some(Token::Comma) = open.checked_sub(1).and_then(|i| tokens.get(i)) {
        open = opening(tokens, open.checked_sub(2)?)?;
    }
    let end = match tokens.get(open.checked_sub(1)?)? {
        token if is_comparison(token) => open.checked_sub(2)?,
        Token::LParen if is_keyword(tokens, open.checked_sub(2), "IN") => {
            let not = usize::from(is_keyword(tokens, open.checked_sub(3), "NOT"));
            open.checked_sub(3 + not)?
        }
        _ => return None,
    };
    if tokens.get(end) != Some(&&Token::RParen) {
        return None;
    }
    let mut start = opening(tokens, end)?;
    for _ in 0..place {
        start += 1 + tokens
            .get(start + 1..end)?
            .iter()
            .position(|token| **token == Token::Comma)?;
    }
    let last =
        (start + 1..=end).find(|i| matches!(tokens.get(*i), Some(Token::Comma | Token::RParen)))?;
    Some(column(tokens, last.checked_sub(1)))
}

/// The column that follows the parameter and a comparison.
fn in_front(tokens: &[&Token], i: usize) -> Option<Slot> {
    tokens.get(i + 1).filter(|token| is_comparison(token))?;
    let is_qualified = matches!(tokens.get(i + 3), Some(Token::Period));
    let last = if is_qualified { i + 4 } else { i + 2 };
    let is_called = matches!(tokens.get(last + 1), Some(Token::LParen));
    Some(column(tokens, Some(last))).filter(|slot| !is_called && *slot != Slot::Other)
}

/// What ends at `i` and is compared: a column, or a function that keeps the type of one.
fn compared(tokens: &[&Token], i: Option<usize>) -> Slot {
    const KEEPS: [&str; 7] = [
        "DATE",
        "TIMESTAMP",
        "LOWER",
        "LCASE",
        "UPPER",
        "UCASE",
        "TRIM",
    ];
    let Some(end) = i.filter(|i| tokens.get(*i) == Some(&&Token::RParen)) else {
        return column(tokens, i);
    };
    let name = opening(tokens, end).and_then(|open| open.checked_sub(1));
    if KEEPS.iter().any(|keeps| is_keyword(tokens, name, keeps)) {
        return column(tokens, end.checked_sub(1));
    }
    Slot::Other
}

fn column(tokens: &[&Token], i: Option<usize>) -> Slot {
    let Some(name) = word(tokens, i) else {
        return Slot::Other;
    };
    let before = |n: usize| i.and_then(|i| i.checked_sub(n));
    let is_qualified = matches!(before(1).and_then(|i| tokens.get(i)), Some(Token::Period));
    Slot::Column {
        qualifier: is_qualified
            .then(|| word(tokens, before(2)).map(plain))
            .flatten(),
        name: plain(name),
    }
}
