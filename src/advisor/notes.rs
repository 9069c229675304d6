//! The statement as the server rewrote it: the note 1003 that follows every `EXPLAIN`.
//!
//! The first version of the plan's JSON names tables by their aliases and says nothing of `LIMIT`;
//! both are in the note, behind the number of their query block: `/* select#2 */ select …`.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::schema::TableName;

/// What the rewritten statement says of its tables and limits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rewritten {
    /// Base tables by query block (0 where the note has no numbers) and alias; an alias can be
    /// used in several blocks.
    pub tables: BTreeMap<String, Vec<(u64, TableName)>>,
    /// `LIMIT` by query block, its offset included.
    pub limits: BTreeMap<u64, f64>,
    /// Query blocks that call an aggregate function.
    pub aggregates: BTreeSet<u64>,
}

/// Functions that make one row of many.
const AGGREGATES: [&str; 19] = [
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "count",
    "group_concat",
    "json_arrayagg",
    "json_objectagg",
    "max",
    "min",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "st_collect",
    "var_pop",
    "var_samp",
    "variance",
];

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// `` `a`.`b` ``: the parts of a name.
    Name(Vec<String>),
    Word(String),
    Block(u64),
    Open,
    Close,
    Comma,
    Other,
}

impl Rewritten {
    /// Reads the note; a name counts as a table only if it is among `known`.
    #[must_use]
    pub fn of(note: &str, known: &BTreeSet<TableName>) -> Self {
        let tokens = tokens(note);
        let mut found = Self::default();
        // The block of each open parenthesis, and whether a union is at its level, whose limit
        // belongs to no block.
        let mut levels = vec![(0_u64, false)];
        for (i, token) in tokens.iter().enumerate() {
            let (block, in_union) = levels.last().copied().unwrap_or((0, false));
            match token {
                Token::Open => levels.push((block, false)),
                Token::Close if levels.len() > 1 => {
                    levels.pop();
                }
                Token::Block(number) => {
                    if let Some(last) = levels.last_mut() {
                        last.0 = *number;
                    }
                }
                Token::Name(parts) => found.name(parts, tokens.get(i + 1), block, known),
                Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                    "union" | "intersect" | "except" => {
                        if let Some(last) = levels.last_mut() {
                            last.1 = true;
                        }
                    }
                    "limit" if !in_union => {
                        let rows = limit(&tokens[i + 1..]);
                        found.limits.extend(rows.map(|rows| (block, rows)));
                    }
                    word if tokens.get(i + 1) == Some(&Token::Open)
                        && AGGREGATES.contains(&word) =>
                    {
                        found.aggregates.insert(block);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        found
    }

    fn name(
        &mut self,
        parts: &[String],
        next: Option<&Token>,
        block: u64,
        known: &BTreeSet<TableName>,
    ) {
        let [schema, name] = parts else { return };
        let table = TableName::new(schema.clone(), name.clone());
        let table = if known.contains(&table) {
            table
        } else {
            // With folded names the note may write them in another case than the dictionary.
            let same = |other: &&TableName| {
                other.schema.eq_ignore_ascii_case(schema) && other.name.eq_ignore_ascii_case(name)
            };
            match known.iter().find(same) {
                Some(other) => other.clone(),
                None => return,
            }
        };
        let alias = match next {
            Some(Token::Name(alias)) if alias.len() == 1 => alias[0].clone(),
            _ => name.clone(),
        };
        let places = self.tables.entry(alias).or_default();
        if !places.contains(&(block, table.clone())) {
            places.push((block, table));
        }
    }

    /// The base tables that `alias` can stand for in `block`, the likeliest first.
    pub fn candidates(&self, alias: &str, block: u64) -> impl Iterator<Item = &TableName> {
        let places = self.tables.get(alias).map_or(&[][..], Vec::as_slice);
        let here = places.iter().filter(move |(at, _)| *at == block);
        let elsewhere = places.iter().filter(move |(at, _)| *at != block);
        here.chain(elsewhere).map(|(_, table)| table)
    }
}

/// `LIMIT 10` or `LIMIT 5,10`: rows that have to be found.
fn limit(rest: &[Token]) -> Option<f64> {
    let number = |token: Option<&Token>| match token {
        Some(Token::Word(word)) => word.parse::<f64>().ok(),
        _ => None,
    };
    let first = number(rest.first())?;
    match (rest.get(1), number(rest.get(2))) {
        (Some(Token::Comma), Some(second)) => Some(first + second),
        _ => Some(first),
    }
}

fn tokens(note: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = note;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '`' => name(rest),
            '\'' | '"' => (Token::Other, quoted(rest, first)),
            '/' if rest.starts_with("/*") => {
                let length = rest.find("*/").map_or(rest.len(), |end| end + 2);
                (comment(&rest[..length]), length)
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            c if c.is_whitespace() => {
                rest = &rest[c.len_utf8()..];
                continue;
            }
            c if is_word(c) => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            }
            c => (Token::Other, c.len_utf8()),
        };
        tokens.push(token);
        rest = rest.get(length.max(1)..).unwrap_or("");
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// `/* select#2 */`.
fn comment(text: &str) -> Token {
    text.split_once("select#")
        .and_then(|(_, number)| number.trim_end_matches("*/").trim().parse().ok())
        .map_or(Token::Other, Token::Block)
}

/// A name of one or more quoted parts, and its length in bytes.
fn name(text: &str) -> (Token, usize) {
    let mut parts = Vec::new();
    let mut length = 0;
    while text[length..].starts_with('`') {
        let part = quoted(&text[length..], '`');
        let inner = text
            .get(length + 1..length + part - 1)
            .unwrap_or("")
            .replace("``", "`");
        parts.push(inner);
        length += part;
        if text[length..].starts_with(".`") {
            length += 1;
        } else {
            break;
        }
    }
    (Token::Name(parts), length)
}

/// Length in bytes of a quoted text at the beginning of `text`, both quotes included; a doubled
/// quote stands for itself, and so does one behind a backslash in a string.
fn quoted(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && quote != '`' {
            characters.next();
        } else if c == quote {
            if characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
            } else {
                return at + c.len_utf8();
            }
        }
    }
    // An unfinished text ends with the note; `name` takes one character off for the closing quote.
    text.len().max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> BTreeSet<TableName> {
        ["t", "u", "v"]
            .iter()
            .map(|name| TableName::new("x1", *name))
            .collect()
    }

    #[test]
    fn tables_are_found_by_alias_and_block() {
        let note = "/* select#1 */ select (/* select#2 */ select count(0) from `x1`.`u` `a` where \
                    (`x1`.`a`.`t_id` = `x1`.`t1`.`id`)) AS `(SELECT 'x' FROM u)` from `x1`.`t` `t1` \
                    join `x1`.`t` semi join (`x1`.`v`) where ((`<subquery3>`.`z` = `x1`.`t1`.`c`)) \
                    order by `x1`.`t`.`id` limit 3,7";
        let found = Rewritten::of(note, &known());
        let at = |alias: &str, block| {
            found
                .candidates(alias, block)
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(at("a", 2), ["x1.u"]);
        assert_eq!(at("t1", 1), ["x1.t"]);
        assert_eq!(at("t", 1), ["x1.t"]);
        assert_eq!(at("v", 1), ["x1.v"]);
        assert!(at("z", 1).is_empty());
        assert_eq!(found.limits, BTreeMap::from([(1, 10.0)]));
    }

    #[test]
    fn an_alias_of_two_blocks_means_the_table_of_its_block() {
        let note = "/* select#1 */ select `x1`.`x`.`a` AS `a` from `x1`.`t` `x` where exists(/* \
                    select#2 */ select 1 from `x1`.`u` `x` where (`x1`.`x`.`y` = 'it''s \\' `x1`.`v`') \
                    limit 1)";
        let found = Rewritten::of(note, &known());
        assert_eq!(found.candidates("x", 1).next().unwrap().name, "t");
        assert_eq!(found.candidates("x", 2).next().unwrap().name, "u");
        assert!(found.candidates("v", 2).next().is_none());
        assert_eq!(found.limits, BTreeMap::from([(2, 1.0)]));
    }

    #[test]
    fn odd_notes_never_panic() {
        for note in [
            "`",
            "``",
            "`a`.",
            "`a`.`",
            "'",
            "/*",
            "limit",
            "))((",
            "`ä`.`ö` `ü",
            "\\",
        ] {
            let _ = Rewritten::of(note, &known());
        }
    }
}
