//! Optimizer hints put into a statement that somebody else wrote.

use super::pieces::{Token, tokens};

/// The statement with `hints` in each of its query blocks; `None` where it has no block.
///
/// A hint reaches only the tables of its own block: names like `` `select#2` `` are not known yet
/// while the blocks before are read (tried on MySQL 9.7). A block in which a hint names nothing
/// answers with a warning and goes on.
#[must_use]
pub fn in_every_block(sql: &str, hints: &str) -> Option<String> {
    let all = tokens(sql);
    let mut hinted = String::with_capacity(sql.len() + hints.len() + 8);
    let mut depth = 0_usize;
    let mut previous: Option<Token<'_>> = None;
    let mut found = false;
    let mut place = 0;
    while let Some(&token) = all.get(place) {
        hinted.push_str(token.text());
        place += 1;
        match token {
            Token::Space(_) => continue,
            Token::Other("(") => depth += 1,
            Token::Other(")") => depth = depth.saturating_sub(1),
            _ if begins_block(token, previous, depth) => {
                found = true;
                place = put(&all, place, hints, &mut hinted);
            }
            _ => {}
        }
        previous = Some(token);
    }
    found.then_some(hinted)
}

/// `SELECT` begins a block anywhere; the other verbs only where the statement itself begins, as
/// opposed to `FOR UPDATE` and `ON DUPLICATE KEY UPDATE`.
fn begins_block(token: Token<'_>, previous: Option<Token<'_>>, depth: usize) -> bool {
    // Behind a qualifier or a variable's mark it is a name.
    if matches!(previous, Some(Token::Other("." | "@"))) {
        return false;
    }
    let is_first = depth == 0 && matches!(previous, None | Some(Token::Other(")")));
    token.is("SELECT") || (is_first && (token.is("UPDATE") || token.is("DELETE")))
}

/// Puts the hints behind the verb, into the comment of hints that is there already if one is.
/// Returns the place to go on from.
fn put(all: &[Token<'_>], from: usize, hints: &str, hinted: &mut String) -> usize {
    let mut next = from;
    while let Some(Token::Space(_)) = all.get(next) {
        next += 1;
    }
    let opens = [Token::Other("/"), Token::Other("*"), Token::Other("+")];
    if all.get(next..next + opens.len()) == Some(&opens[..]) {
        for token in &all[from..next + opens.len()] {
            hinted.push_str(token.text());
        }
        hinted.push(' ');
        hinted.push_str(hints);
        hinted.push(' ');
        return next + opens.len();
    }
    hinted.push_str(" /*+ ");
    hinted.push_str(hints);
    hinted.push_str(" */");
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_reach_every_block() {
        for (sql, hinted) in [
            ("SELECT 1", "SELECT /*+ H */ 1"),
            ("select a from t", "select /*+ H */ a from t"),
            (
                "SELECT /*+ INDEX(t a) */ 1",
                "SELECT /*+ H  INDEX(t a) */ 1",
            ),
            (
                "WITH q AS (SELECT 1) SELECT * FROM q WHERE a IN (SELECT 2)",
                "WITH q AS (SELECT /*+ H */ 1) SELECT /*+ H */ * FROM q WHERE a IN (SELECT /*+ H */ 2)",
            ),
            (
                "(SELECT 1) UNION (SELECT 'SELECT')",
                "(SELECT /*+ H */ 1) UNION (SELECT /*+ H */ 'SELECT')",
            ),
            ("UPDATE t SET a = 1", "UPDATE /*+ H */ t SET a = 1"),
            (
                "/* app */ DELETE FROM t WHERE `select` = 1",
                "/* app */ DELETE /*+ H */ FROM t WHERE `select` = 1",
            ),
            (
                "INSERT INTO t SELECT 1 ON DUPLICATE KEY UPDATE a = 1",
                "INSERT INTO t SELECT /*+ H */ 1 ON DUPLICATE KEY UPDATE a = 1",
            ),
            (
                "WITH q AS (SELECT 1) UPDATE t SET a = 1",
                "WITH q AS (SELECT /*+ H */ 1) UPDATE /*+ H */ t SET a = 1",
            ),
            (
                "SELECT a FROM t FOR UPDATE",
                "SELECT /*+ H */ a FROM t FOR UPDATE",
            ),
            ("SELECT t.select FROM t", "SELECT /*+ H */ t.select FROM t"),
        ] {
            assert_eq!(in_every_block(sql, "H").as_deref(), Some(hinted), "{sql}");
        }
        assert_eq!(in_every_block("TABLE t", "H"), None);
        assert_eq!(in_every_block("INSERT INTO t VALUES (1)", "H"), None);
    }
}
