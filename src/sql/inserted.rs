//! INSERT statements without their values, for when the text of the values is not whole: no plan
//! depends on them.

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// The statement of a normalized `INSERT` or `REPLACE … VALUES` with one row of NULLs, whatever
/// follows the rows kept; `None` for other statements, and for one that is itself cut.
#[must_use]
pub fn without_values(normalized: &str) -> Option<String> {
    let tokens = Tokenizer::new(&MySqlDialect {}, normalized)
        .with_unescape(false)
        .tokenize()
        .ok()?;
    let tokens: Vec<Token> = tokens
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    let is_insert = is(tokens.first()?, "INSERT") || is(tokens.first()?, "REPLACE");
    let at = tokens
        .iter()
        .position(|token| is(token, "VALUES") || is(token, "VALUE"))
        .filter(|_| is_insert)?;
    let (head, rows) = tokens.split_at(at);
    let tail = behind_rows(&rows[1..])?;
    let is_cut = |token: &[Token]| token.iter().all(|token| *token == Token::Period);
    if tail.windows(2).any(is_cut) {
        return None;
    }
    let values = vec!["NULL"; columns(head)?].join(", ");
    let text = |tokens: &[Token]| -> String {
        let words: Vec<String> = tokens.iter().map(ToString::to_string).collect();
        words.join(" ")
    };
    let sql = format!("{} VALUES ({values}) {}", text(head), text(tail));
    Some(sql.trim_end().to_owned())
}

fn is(token: &Token, keyword: &str) -> bool {
    matches!(token, Token::Word(word)
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(keyword))
}

/// How many columns are named; none where there is no list.
fn columns(head: &[Token]) -> Option<usize> {
    if head.last() != Some(&Token::RParen) {
        return Some(0);
    }
    let open = head.iter().rposition(|token| *token == Token::LParen)?;
    let list = &head[open + 1..head.len() - 1];
    let commas = list.iter().filter(|token| **token == Token::Comma).count();
    Some(if list.is_empty() { 0 } else { commas + 1 })
}

/// What follows the rows; `None` when they do not end.
fn behind_rows(mut tokens: &[Token]) -> Option<&[Token]> {
    while let [Token::LParen | Token::Comma, ..] = tokens {
        let mut depth = 0_usize;
        let mut end = None;
        for (place, token) in tokens.iter().enumerate() {
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && *token != Token::Comma {
                end = Some(place + 1);
                break;
            }
        }
        tokens = &tokens[end?..];
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_give_way_to_one_of_nulls() {
        for (normalized, expected) in [
            (
                "INSERT INTO `shop` . `t` ( `a` , NAME ) VALUES (...) /* , ... */",
                Some("INSERT INTO `shop` . `t` ( `a` , NAME ) VALUES (NULL, NULL)"),
            ),
            (
                "INSERT INTO `t` ( `a` , `b` ) VALUES ( ? , NOW (?) ) , ( ?, ... )",
                Some("INSERT INTO `t` ( `a` , `b` ) VALUES (NULL, NULL)"),
            ),
            (
                "REPLACE INTO `t` VALUES (...)",
                Some("REPLACE INTO `t` VALUES ()"),
            ),
            (
                "INSERT INTO `t` ( `a` ) VALUES (?) ON DUPLICATE KEY UPDATE `a` = VALUES ( `a` )",
                Some(
                    "INSERT INTO `t` ( `a` ) VALUES (NULL) ON DUPLICATE KEY UPDATE `a` = VALUES ( `a` )",
                ),
            ),
            (
                "INSERT INTO `t` ( `a` ) VALUES (?) ON DUPLICATE KEY ...",
                None,
            ),
            ("INSERT INTO `t` ( `a` , `b` ) VALUES ( ?, ...", None),
            ("INSERT INTO `t` ( `a` ) SELECT `b` FROM `u`", None),
            ("SELECT `values` FROM `t`", None),
            ("", None),
        ] {
            assert_eq!(
                without_values(normalized).as_deref(),
                expected,
                "{normalized}"
            );
        }
    }
}
