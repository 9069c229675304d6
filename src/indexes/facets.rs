//! In what an index differs from another one that should be the same.

use std::fmt::Write as _;

use super::formula;
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
            (Part::Expression(one), Part::Expression(other)) => formula::is_same(one, other),
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

#[cfg(test)]
mod tests {
    use super::*;

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
