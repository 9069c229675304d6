//! In what an index differs from another one that should be the same.

use std::fmt::Write as _;

use crate::model::schema::{Index, IndexKind, KeyPart, Part};

/// One property in which two indexes differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The property.
    pub facet: Facet,
    /// As it should be.
    pub wanted: String,
    /// As it is.
    pub found: String,
}

/// A property of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Facet {
    Kind,
    Columns,
    Unique,
    Visible,
    Comment,
    Parser,
}

impl Facet {
    /// The key of a definition that states it.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Columns => "columns",
            Self::Unique => "unique",
            Self::Visible => "visible",
            Self::Comment => "comment",
            Self::Parser => "parser",
        }
    }
}

/// Everything in which `found` is not what `wanted` says; names and figures aside. Names of
/// columns do not depend on case, and expressions are compared as the server rewrites them.
#[must_use]
pub fn differences(wanted: &Index, found: &Index) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut compare = |facet, is_same: bool, wanted: String, found: String| {
        if !is_same {
            all.push(Difference {
                facet,
                wanted,
                found,
            });
        }
    };
    compare(
        Facet::Kind,
        stored(wanted.kind) == stored(found.kind),
        kind_word(wanted.kind).to_owned(),
        kind_word(found.kind).to_owned(),
    );
    let is_same = wanted.parts.len() == found.parts.len()
        && wanted.parts.iter().zip(&found.parts).all(same_part);
    compare(
        Facet::Columns,
        is_same,
        columns(&wanted.parts),
        columns(&found.parts),
    );
    for (facet, one, other) in [
        (Facet::Unique, wanted.is_unique, found.is_unique),
        (Facet::Visible, wanted.is_visible, found.is_visible),
    ] {
        compare(facet, one == other, one.to_string(), other.to_string());
    }
    compare(
        Facet::Comment,
        wanted.comment == found.comment,
        wanted.comment.clone(),
        found.comment.clone(),
    );
    let parser = |index: &Index| index.parser.clone().unwrap_or_default();
    compare(
        Facet::Parser,
        parser(wanted).eq_ignore_ascii_case(&parser(found)),
        parser(wanted),
        parser(found),
    );
    all
}

/// Whether both are the same structure on the same parts, whatever their names, comments and
/// visibility.
#[must_use]
pub fn is_same_structure(one: &Index, other: &Index) -> bool {
    differences(one, other)
        .iter()
        .all(|difference| matches!(difference.facet, Facet::Visible | Facet::Comment))
}

/// InnoDB builds a B-tree where a hash is asked for.
fn stored(kind: IndexKind) -> IndexKind {
    match kind {
        IndexKind::Hash => IndexKind::BTree,
        other => other,
    }
}

fn kind_word(kind: IndexKind) -> &'static str {
    super::print::kind(kind)
}

fn same_part((one, other): (&KeyPart, &KeyPart)) -> bool {
    one.prefix == other.prefix
        && one.is_descending == other.is_descending
        && match (&one.what, &other.what) {
            (Part::Column(one), Part::Column(other)) => one.eq_ignore_ascii_case(other),
            (Part::Expression(one), Part::Expression(other)) => {
                one == other || plain(one) == plain(other)
            }
            _ => false,
        }
}

/// The parts for a message: `state, made desc, note(20), (lower(email))`.
#[must_use]
pub fn columns(parts: &[KeyPart]) -> String {
    let shown = |part: &KeyPart| {
        let mut text = match &part.what {
            Part::Column(name) => name.clone(),
            Part::Expression(expression) => format!("({expression})"),
        };
        if let Some(prefix) = part.prefix {
            // Writing to a String cannot fail.
            let _ = write!(text, "({prefix})");
        }
        if part.is_descending {
            text.push_str(" desc");
        }
        text
    };
    parts.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A name, a keyword or a number, in small letters.
    Word(String),
    /// A string with its quotes.
    Text(String),
    /// Anything else.
    Sign(char),
}

/// An expression without what the server adds or leaves out when it stores it: backticks, blanks,
/// capital letters of words, introducers of strings, the character set of a cast, and parentheses
/// that are not a function's.
fn plain(expression: &str) -> Vec<Token> {
    let tokens = tokens(expression);
    let mut kept: Vec<Token> = Vec::new();
    // For each open parenthesis, whether it is kept.
    let mut open: Vec<bool> = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        match &token {
            Token::Word(word) if word.starts_with('_') => {
                if !matches!(rest.peek(), Some(Token::Text(_))) {
                    kept.push(token);
                }
            }
            Token::Word(word) if word == "charset" && !open.is_empty() => {
                rest.next();
            }
            Token::Sign('(') => {
                let is_call = matches!(kept.last(), Some(Token::Word(_)));
                open.push(is_call);
                if is_call {
                    kept.push(token);
                }
            }
            Token::Sign(')') => {
                if open.pop().unwrap_or(true) {
                    kept.push(token);
                }
            }
            _ => kept.push(token),
        }
    }
    arrows(kept)
}

/// `doc->>'$.a'` is stored as `json_unquote(json_extract(doc,'$.a'))`.
fn arrows(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let is_arrow = token == Token::Sign('-') && rest.peek() == Some(&Token::Sign('>'));
        let column = match out.last() {
            Some(Token::Word(_)) if is_arrow => out.pop(),
            _ => None,
        };
        let Some(column) = column else {
            out.push(token);
            continue;
        };
        rest.next();
        let unquotes = rest.next_if_eq(&Token::Sign('>')).is_some();
        let call = |name: &str| [Token::Word(name.to_owned()), Token::Sign('(')];
        if unquotes {
            out.extend(call("json_unquote"));
        }
        out.extend(call("json_extract"));
        out.extend([column, Token::Sign(',')]);
        out.extend(rest.next());
        out.push(Token::Sign(')'));
        if unquotes {
            out.push(Token::Sign(')'));
        }
    }
    out
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // Generated columns and indexes store their strings with escaped quotes.
            c if c.is_whitespace() => {}
            '\\' if chars.peek() == Some(&'\'') => {}
            '`' => {
                let name: String = std::iter::from_fn(|| chars.next_if(|c| *c != '`')).collect();
                chars.next();
                tokens.push(Token::Word(name.to_lowercase()));
            }
            '\'' | '"' => {
                let mut text = String::from('\'');
                while let Some(next) = chars.next() {
                    match next {
                        '\\' if chars.peek() == Some(&'\'') => {}
                        next if next == c => break,
                        next => text.push(next),
                    }
                }
                tokens.push(Token::Text(text));
            }
            c if is_word(c) => {
                let mut word = String::from(c);
                word.extend(std::iter::from_fn(|| chars.next_if(|c| is_word(*c))));
                tokens.push(Token::Word(word.to_lowercase()));
            }
            c => tokens.push(Token::Sign(c)),
        }
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functional(expression: &str) -> Index {
        let part = KeyPart {
            what: Part::Expression(expression.to_owned()),
            prefix: None,
            is_descending: false,
        };
        Index::btree("i", vec![part])
    }

    #[test]
    fn expressions_are_compared_as_the_server_stores_them() {
        // The right side is what MySQL 9.7 shows for the left side.
        for (written, stored, same) in [
            ("lower(email)", "lower(`email`)", true),
            ("YEAR( made ) + 1", "(year(`made`) + 1)", true),
            (
                "cast(doc->>'$.name' as char(20))",
                "cast(json_unquote(json_extract(`doc`,_utf8mb4'$.name')) as char(20) charset utf8mb4)",
                true,
            ),
            (
                "cast(doc->'$.tags' as char(20) array)",
                "cast(json_extract(`doc`,_utf8mb4'$.tags') as char(20) array)",
                true,
            ),
            ("lower(email)", "upper(`email`)", false),
            ("a + 1", "(`a` + 2)", false),
            ("doc->>'$.a'", "json_extract(`doc`,_utf8mb4'$.a')", false),
        ] {
            let differences = differences(&functional(written), &functional(stored));
            assert_eq!(differences.is_empty(), same, "{written} | {stored}");
        }
    }

    #[test]
    fn every_facet_is_told_and_nothing_else() {
        let base = Index::btree("a", vec![KeyPart::column("State")]);
        let mut other = Index::btree("b", vec![KeyPart::column("state")]);
        other.bytes = Some(1);
        other.cardinality = vec![Some(3)];
        assert_eq!(differences(&base, &other), []);
        assert!(is_same_structure(&base, &other));
        other.is_visible = false;
        other.comment = "x".to_owned();
        assert!(is_same_structure(&base, &other));
        other.is_unique = true;
        other.parser = Some("ngram".to_owned());
        other.kind = IndexKind::FullText;
        other.parts[0].is_descending = true;
        assert!(!is_same_structure(&base, &other));
        let facets: Vec<&str> = differences(&base, &other)
            .iter()
            .map(|difference| difference.facet.key())
            .collect();
        assert_eq!(
            facets,
            ["kind", "columns", "unique", "visible", "comment", "parser"]
        );
        assert_eq!(columns(&other.parts), "state desc");
        let mut hash = base.clone();
        hash.kind = IndexKind::Hash;
        assert_eq!(differences(&hash, &base), []);
    }
}
