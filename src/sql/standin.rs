//! Constants that stand in for the parameters of a prepared statement.
//!
//! The server keeps a prepared statement with `?` and without its parameters, and has no plan for
//! that. What is compared with a column takes the column's value in one row of its table; the plan
//! is then of the statement's shape, and says that its constants were made up.

mod slot;

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace, Word};

/// What a parameter stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// It is compared with, or assigned to, this column.
    Column {
        /// The alias or table in front of it.
        qualifier: Option<String>,
        /// Its name.
        name: String,
    },
    /// A number of rows.
    Count,
    /// Something else.
    Other,
}

/// A table that the statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its schema, if it is named.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// The name by which the statement calls it.
    pub alias: String,
}

/// A statement with parameters, taken apart.
#[derive(Debug, Clone)]
pub struct Parametrized {
    tokens: Vec<Token>,
    /// What each parameter stands for, in order.
    pub slots: Vec<Slot>,
    /// The tables it names.
    pub tables: Vec<Table>,
}

impl Parametrized {
    /// Takes `sql` apart; `None` when it is not a whole statement.
    #[must_use]
    pub fn of(sql: &str) -> Option<Self> {
        // Strings stay as they are written, so that they can be written again.
        let tokens = Tokenizer::new(&MySqlDialect {}, sql)
            .with_unescape(false)
            .tokenize()
            .ok()?;
        let words: Vec<&Token> = tokens.iter().filter(|token| !is_blank(token)).collect();
        let mut slots: Vec<Slot> = Vec::new();
        for i in 0..words.len() {
            if matches!(words[i], Token::Placeholder(_)) {
                slots.push(slot::slot(&words, i, slots.last()));
            }
        }
        let tables = tables(&words);
        Some(Self {
            tokens,
            slots,
            tables,
        })
    }

    /// The statement with `literals` in place of its parameters, in order.
    #[must_use]
    pub fn filled(&self, literals: &[String]) -> String {
        let mut literals = literals.iter();
        let mut sql = String::new();
        for token in &self.tokens {
            match token {
                Token::Placeholder(_) => {
                    sql.push_str(literals.next().map_or("NULL", String::as_str));
                }
                other => sql.push_str(&other.to_string()),
            }
        }
        sql
    }
}

fn is_blank(token: &Token) -> bool {
    matches!(
        token,
        Token::Whitespace(
            Whitespace::Space
                | Whitespace::Newline
                | Whitespace::Tab
                | Whitespace::SingleLineComment { .. }
                | Whitespace::MultiLineComment(_)
        )
    )
}

fn word<'a>(tokens: &[&'a Token], i: Option<usize>) -> Option<&'a Word> {
    match tokens.get(i?)? {
        Token::Word(word) => Some(word),
        _ => None,
    }
}

/// The name that a word stands for: text is kept as it is written, a backtick in a name twice.
#[must_use]
pub fn plain(word: &Word) -> String {
    match word.quote_style {
        Some('`') => word.value.replace("``", "`"),
        _ => word.value.clone(),
    }
}

fn is_keyword(tokens: &[&Token], i: Option<usize>, keyword: &str) -> bool {
    word(tokens, i)
        .is_some_and(|w| w.quote_style.is_none() && w.value.eq_ignore_ascii_case(keyword))
}

/// Tables behind `FROM`, `JOIN`, `UPDATE` and `INTO`, and behind the commas of a `FROM`.
fn tables(tokens: &[&Token]) -> Vec<Table> {
    const NO_ALIAS: [&str; 26] = [
        "WHERE",
        "JOIN",
        "INNER",
        "LEFT",
        "RIGHT",
        "CROSS",
        "NATURAL",
        "STRAIGHT_JOIN",
        "ON",
        "USING",
        "GROUP",
        "ORDER",
        "HAVING",
        "LIMIT",
        "SET",
        "VALUES",
        "SELECT",
        "UNION",
        "FOR",
        "USE",
        "FORCE",
        "IGNORE",
        "WINDOW",
        "PARTITION",
        "LOCK",
        "VALUE",
    ];
    let mut found: Vec<Table> = Vec::new();
    for i in 0..tokens.len() {
        let starts = ["FROM", "JOIN", "UPDATE", "INTO", "STRAIGHT_JOIN"]
            .iter()
            .any(|keyword| is_keyword(tokens, Some(i), keyword));
        let Some(first) = starts.then(|| word(tokens, Some(i + 1))).flatten() else {
            continue;
        };
        let is_qualified = matches!(tokens.get(i + 2), Some(Token::Period));
        let (schema, name, mut next) = match word(tokens, Some(i + 3)) {
            Some(name) if is_qualified => (Some(plain(first)), plain(name), i + 4),
            _ => (None, plain(first), i + 2),
        };
        if is_keyword(tokens, Some(next), "AS") {
            next += 1;
        }
        let alias = word(tokens, Some(next))
            .filter(|w| {
                w.quote_style.is_some()
                    || !NO_ALIAS.iter().any(|no| w.value.eq_ignore_ascii_case(no))
            })
            .map_or_else(|| name.clone(), plain);
        found.push(Table {
            schema,
            name,
            alias,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        let slots = Parametrized::of(sql).unwrap().slots;
        slots
            .into_iter()
            .map(|slot| match slot {
                Slot::Column {
                    qualifier: Some(qualifier),
                    name,
                } => format!("{qualifier}.{name}"),
                Slot::Column { name, .. } => name,
                Slot::Count => "#".to_owned(),
                Slot::Other => "?".to_owned(),
            })
            .collect()
    }

    #[test]
    fn parameters_find_their_columns() {
        for (sql, expected) in [
            ("SELECT * FROM t WHERE a = ?", "a"),
            ("SELECT * FROM t WHERE t.a >= ? AND `b` LIKE ?", "t.a b"),
            (
                "SELECT * FROM t WHERE a IN (?, ?, ?) LIMIT ? OFFSET ?",
                "a a a # #",
            ),
            (
                "SELECT * FROM t WHERE a BETWEEN ? AND ? AND b NOT IN (?)",
                "a a b",
            ),
            ("SELECT '?' FROM t WHERE JSON_CONTAINS(tags, ?) -- ?", "?"),
            ("UPDATE t SET a = ? WHERE b <> ?", "a b"),
            (
                "SELECT 1 FROM t WHERE (t.a, `b`) < (?, ?) AND c = ?",
                "t.a b c",
            ),
            (
                "SELECT 1 FROM t WHERE (a, b) IN ((?, ?), (?, ?)) AND (a, 5) NOT IN ((?, ?))",
                "a b a b a ?",
            ),
            ("SELECT 1 FROM t WHERE ? < t.a AND ? = lower(b)", "t.a ?"),
            (
                "SELECT 1 FROM t WHERE DATE(t.a) = ? AND ABS(b) = ? AND LOWER(c) IN (?)",
                "t.a ? ?",
            ),
            ("INSERT INTO t (a, b) VALUES (?, ?), (?, ?)", "? ? ? ?"),
        ] {
            assert_eq!(names(sql).join(" "), expected, "{sql}");
        }
    }

    #[test]
    fn tables_are_known_by_their_alias() {
        let sql = "SELECT 1 FROM shop.items AS i LEFT JOIN `orders` o ON o.i = i.i WHERE 1";
        let tables = Parametrized::of(sql).unwrap().tables;
        let said: Vec<_> = tables
            .iter()
            .map(|t| (t.schema.as_deref(), t.name.as_str(), t.alias.as_str()))
            .collect();
        assert_eq!(said, [(Some("shop"), "items", "i"), (None, "orders", "o")]);
        let tables = Parametrized::of("SELECT 1 FROM t WHERE a = ?")
            .unwrap()
            .tables;
        assert_eq!(tables[0].alias, "t");
    }

    #[test]
    fn everything_else_is_written_again_as_it_was() {
        let sql =
            "SELECT /*+ NO_INDEX(t) */ 'it''s \\' ?', \"x?\", `a?` FROM t WHERE a = ? AND b = ?";
        let filled = Parametrized::of(sql)
            .unwrap()
            .filled(&["1".to_owned(), "X'ff'".to_owned()]);
        assert_eq!(
            filled,
            sql.replace("a = ? AND b = ?", "a = 1 AND b = X'ff'")
        );
    }
}
