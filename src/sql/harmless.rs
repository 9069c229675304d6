//! Which statements may be run on a server, although nobody knows what they do besides reading.
//!
//! A write is rolled back; this is about what no rollback undoes: files, locks by name, waiting.
//! `EXPLAIN` evaluates constant expressions, so that the same holds for asking for a plan.

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Functions whose effect is not their value.
const EFFECTS: [&str; 19] = [
    "BENCHMARK",
    "GET_LOCK",
    "LOAD_FILE",
    "MASTER_POS_WAIT",
    "RELEASE_ALL_LOCKS",
    "RELEASE_LOCK",
    "SLEEP",
    "SOURCE_POS_WAIT",
    "SYS_EXEC",
    "SYS_EVAL",
    "WAIT_FOR_EXECUTED_GTID_SET",
    "WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS",
    "GROUP_REPLICATION_SET_AS_PRIMARY",
    "GROUP_REPLICATION_SWITCH_TO_SINGLE_PRIMARY_MODE",
    "GROUP_REPLICATION_SWITCH_TO_MULTI_PRIMARY_MODE",
    "ASYNCHRONOUS_CONNECTION_FAILOVER_ADD_SOURCE",
    "KEYRING_KEY_STORE",
    "KEYRING_KEY_REMOVE",
    "AUDIT_LOG_FILTER_FLUSH",
];

/// Refuses statements with effects that can't be taken back.
///
/// # Errors
/// With the reason in one sentence.
pub fn check(sql: &str) -> Result<(), String> {
    let tokens = Tokenizer::new(&MySqlDialect {}, sql)
        .tokenize()
        .map_err(|_| "it is not a whole statement".to_owned())?;
    let tokens: Vec<&Token> = tokens
        .iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    let mut is_insert = false;
    for (i, token) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let name = word.value.to_ascii_uppercase();
        if word.quote_style.is_none() && matches!(name.as_str(), "INSERT" | "REPLACE") {
            is_insert = true;
        }
        let is_called = tokens.get(i + 1) == Some(&&Token::LParen);
        if is_called && EFFECTS.contains(&name.as_str()) {
            return Err(format!("it calls {name}, whose effect can't be taken back"));
        }
        if name == "INTO" && word.quote_style.is_none() && !(is_insert && is_target(&tokens, i)) {
            return Err("it writes its rows to a file or to variables (INTO)".to_owned());
        }
    }
    Ok(())
}

/// Whether a statement that [`check`] lets pass, and that writes nothing, takes no locks and sets
/// no variables either, so that running it once more changes nothing for anybody.
#[must_use]
pub fn is_plain_read(sql: &str) -> bool {
    let Ok(tokens) = Tokenizer::new(&MySqlDialect {}, sql).tokenize() else {
        return false;
    };
    let tokens: Vec<&Token> = tokens
        .iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    let is = |token: Option<&&Token>, words: &[&str]| match token {
        Some(Token::Word(word)) if word.quote_style.is_none() => words
            .iter()
            .any(|known| word.value.eq_ignore_ascii_case(known)),
        _ => false,
    };
    !tokens.iter().enumerate().any(|(i, token)| {
        let next = tokens.get(i + 1);
        **token == Token::Assignment
            || (is(Some(token), &["FOR"]) && is(next, &["UPDATE", "SHARE"]))
            || (is(Some(token), &["LOCK"]) && is(next, &["IN"]))
    })
}

/// `INSERT [IGNORE …] INTO` and `REPLACE [DELAYED] INTO`: the word stands near the verb.
fn is_target(tokens: &[&Token], at: usize) -> bool {
    let before = tokens[..at].iter().rev().take(3);
    let mut words = before.filter_map(|token| match token {
        Token::Word(word) => Some(word.value.to_ascii_uppercase()),
        _ => None,
    });
    words.any(|word| word == "INSERT" || word == "REPLACE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_that_stay_are_refused() {
        for (sql, reason) in [
            ("SELECT SLEEP(10)", "SLEEP"),
            ("select `get_lock`('a', 1)", "GET_LOCK"),
            ("SELECT * FROM t WHERE release_lock (a)", "RELEASE_LOCK"),
            ("SELECT * INTO OUTFILE '/tmp/x' FROM t", "file"),
            ("SELECT a FROM t INTO @x", "variables"),
            ("INSERT INTO t SELECT a FROM u INTO DUMPFILE 'x'", "file"),
            ("UPDATE t SET a = LOAD_FILE('/etc/passwd')", "LOAD_FILE"),
        ] {
            let refused = check(sql).expect_err(sql);
            assert!(refused.contains(reason), "{sql}: {refused}");
        }
    }

    #[test]
    fn everything_else_passes() {
        for sql in [
            "SELECT sleep FROM t",
            "SELECT 'INTO OUTFILE', a FROM t",
            "INSERT INTO t VALUES (1)",
            "INSERT LOW_PRIORITY IGNORE INTO t SELECT * FROM u",
            "REPLACE INTO t (a) VALUES (1)",
            "SELECT `into` FROM t",
            "WITH x AS (SELECT 1) DELETE FROM t",
        ] {
            assert_eq!(check(sql), Ok(()), "{sql}");
        }
    }

    #[test]
    fn reads_that_lock_are_not_plain() {
        for (sql, plain) in [
            ("SELECT a FROM t", true),
            ("SELECT a FROM t FOR UPDATE", false),
            ("SELECT a FROM t FOR SHARE OF t SKIP LOCKED", false),
            ("SELECT a FROM t LOCK IN SHARE MODE", false),
            ("SELECT @x := a FROM t", false),
            (
                "SELECT 'FOR UPDATE' FROM t USE INDEX FOR ORDER BY (a)",
                true,
            ),
        ] {
            assert_eq!(is_plain_read(sql), plain, "{sql}");
        }
    }
}
