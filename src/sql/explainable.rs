//! Which statement texts may be explained, and how. Everything else is refused with its reason.
//!
//! A sample is text that some client sent; nothing about it is to be trusted. What passes here is
//! one statement of a kind that `EXPLAIN` plans without running it. It then goes through the
//! prepared protocol, in which the server itself refuses a second statement.

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

/// Longest text that is looked at; the server keeps far shorter ones.
const LONGEST: usize = 1 << 20;

/// A statement that may be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explainable {
    /// Its text, without the words that the server puts before a prepared statement.
    pub sql: String,
    /// It would write: the server demands a transaction that may.
    pub writes: bool,
    /// It has parameters, which the server does not keep.
    pub has_parameters: bool,
}

/// Checks a sample. The error is a reason in one sentence, with the remedy where there is one.
pub fn explainable(sample: &str) -> Result<Explainable, String> {
    if sample.len() > LONGEST {
        return Err("the sample is too long to be explained".to_owned());
    }
    if sample.contains("/*!") {
        return Err(
            "the sample has comments that the server executes; explain it by hand".to_owned(),
        );
    }
    let sql = without_prepared(sample);
    let tokens = Tokenizer::new(&MySqlDialect {}, sql)
        .tokenize()
        .map_err(|_| "the sample is not a whole statement".to_owned())?;
    let mut tokens: Vec<&Token> = tokens.iter().filter(|token| !is_blank(token)).collect();
    while tokens.last() == Some(&&Token::SemiColon) {
        tokens.pop();
    }
    if tokens.contains(&&Token::SemiColon) {
        return Err(
            "the sample holds several statements, and only single ones are explained".into(),
        );
    }
    let first = tokens
        .iter()
        .find_map(|token| match token {
            Token::LParen => None,
            Token::Word(word) => Some(word.value.to_ascii_uppercase()),
            _ => Some(String::new()),
        })
        .unwrap_or_default();
    let writes = match first.as_str() {
        "SELECT" | "TABLE" | "VALUES" => false,
        // A common table expression may stand before either kind.
        "WITH" => tokens.iter().any(
            |token| matches!(token, Token::Word(word) if is_write(&word.value.to_ascii_uppercase())),
        ),
        word if is_write(word) => true,
        "" => return Err("the sample is empty".to_owned()),
        _ => {
            return Err(format!(
                "{} statements have no plan",
                first.chars().take(20).collect::<String>()
            ));
        }
    };
    let has_parameters = tokens
        .iter()
        .any(|token| matches!(token, Token::Placeholder(_)));
    let sql = sql.trim().trim_end_matches(';').trim_end().to_owned();
    Ok(Explainable {
        sql,
        writes,
        has_parameters,
    })
}

/// Whether the server cut a text that it kept: it then ends in three dots, which count into the
/// limit, `performance_schema_max_sql_text_length`, in bytes.
#[must_use]
pub fn is_cut(sql: &str, limit: Option<u64>) -> bool {
    // Characters that were converted on the way can make the text a little shorter or longer.
    const SLACK: u64 = 4;
    limit.is_some_and(|limit| {
        let length = sql.len() as u64;
        length >= limit || (sql.ends_with("...") && length + SLACK >= limit)
    })
}

fn is_write(word: &str) -> bool {
    matches!(word, "INSERT" | "UPDATE" | "DELETE" | "REPLACE")
}

fn is_blank(token: &Token) -> bool {
    matches!(
        token,
        Token::EOF
            | Token::Whitespace(
                Whitespace::Space
                    | Whitespace::Newline
                    | Whitespace::Tab
                    | Whitespace::SingleLineComment { .. }
                    | Whitespace::MultiLineComment(_)
            )
    )
}

/// Whether a digest counts how often a statement was prepared, which executes none.
#[must_use]
pub fn is_preparing(fingerprint: &str) -> bool {
    fingerprint
        .get(..8)
        .is_some_and(|head| head.eq_ignore_ascii_case("PREPARE "))
}

/// The statement without what the server puts before a prepared one.
///
/// Newer servers write `PREPARE SELECT …` and `EXECUTE SELECT …` for prepared statements.
#[must_use]
pub fn without_prepared(sample: &str) -> &str {
    let trimmed = sample.trim_start();
    for word in ["PREPARE ", "EXECUTE "] {
        if let Some(head) = trimmed.get(..word.len())
            && head.eq_ignore_ascii_case(word)
        {
            let rest = trimmed[word.len()..].trim_start();
            let is_statement = [
                "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "(",
            ]
            .iter()
            .any(|start| {
                rest.get(..start.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(start))
            });
            if is_statement {
                return rest;
            }
        }
    }
    trimmed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_texts_are_noticed() {
        let long = "x".repeat(1_021) + "...";
        assert!(is_cut(&long, Some(1_024)));
        assert!(is_cut(&"x".repeat(1_024), Some(1_024)));
        assert!(!is_cut("SELECT '...", Some(1_024)));
        assert!(!is_cut(&"x".repeat(1_000), Some(1_024)));
        assert!(!is_cut(&long, None));
    }

    #[test]
    fn single_statements_pass() {
        for (sample, sql, writes) in [
            ("SELECT 1", "SELECT 1", false),
            (
                "  select * from t where a = 'x;y' ; ",
                "select * from t where a = 'x;y'",
                false,
            ),
            (
                "/* app:web */ SELECT `a;b` FROM t",
                "/* app:web */ SELECT `a;b` FROM t",
                false,
            ),
            (
                "SELECT /*+ NO_INDEX(t) */ 1",
                "SELECT /*+ NO_INDEX(t) */ 1",
                false,
            ),
            (
                "(SELECT 1) UNION (SELECT 2)",
                "(SELECT 1) UNION (SELECT 2)",
                false,
            ),
            ("TABLE t", "TABLE t", false),
            (
                "WITH x AS (SELECT 1) SELECT * FROM x",
                "WITH x AS (SELECT 1) SELECT * FROM x",
                false,
            ),
            (
                "WITH x AS (SELECT 1) DELETE FROM t",
                "WITH x AS (SELECT 1) DELETE FROM t",
                true,
            ),
            ("UPDATE t SET a = 1", "UPDATE t SET a = 1", true),
            ("EXECUTE SELECT 1", "SELECT 1", false),
            (
                "EXECUTE SELECT a FROM t WHERE b = ?",
                "SELECT a FROM t WHERE b = ?",
                false,
            ),
            ("SELECT 'it''s' -- done", "SELECT 'it''s' -- done", false),
        ] {
            let expected = Explainable {
                sql: sql.into(),
                writes,
                has_parameters: sql.contains('?'),
            };
            assert_eq!(explainable(sample), Ok(expected), "{sample}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_a_reason() {
        for (sample, reason) in [
            ("SELECT 1; DROP TABLE t", "several statements"),
            ("SELECT 1;;DELETE FROM t", "several statements"),
            ("DROP TABLE t", "DROP statements"),
            ("ANALYZE SELECT 1", "ANALYZE statements"),
            ("FOR CONNECTION 5", "FOR statements"),
            ("CALL p()", "CALL statements"),
            ("EXECUTE stmt USING @a", "EXECUTE statements"),
            (
                "/*!50000 ANALYZE */ SELECT 1",
                "comments that the server executes",
            ),
            ("SELECT 'unfinished", "not a whole statement"),
            ("", "empty"),
            ("-- only a comment", "empty"),
            ("\u{1b}[31mSELECT", "empty"),
        ] {
            let refused = explainable(sample).expect_err(sample);
            assert!(refused.contains(reason), "{sample}: {refused}");
        }
    }
}
