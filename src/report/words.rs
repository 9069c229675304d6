//! Indexes and counts in words, as all reports write them.

use std::fmt::Write as _;

use crate::model::schema::{Index, IndexKind, KeyPart, Part};

/// The parts of an index: `state, made DESC, note(20), (lower(email))`.
#[must_use]
pub fn columns(index: &Index) -> String {
    let parts: Vec<String> = index.parts.iter().map(part).collect();
    parts.join(", ")
}

fn part(part: &KeyPart) -> String {
    let mut text = match &part.what {
        Part::Column(name) => name.clone(),
        Part::Expression(expression) => format!("({expression})"),
    };
    if let Some(length) = part.prefix {
        // Writing to a String cannot fail.
        let _ = write!(text, "({length})");
    }
    if part.is_descending {
        text.push_str(" DESC");
    }
    text
}

/// What is special about an index, in single words; empty for a visible B-tree that is not unique.
#[must_use]
pub fn traits(index: &Index) -> String {
    let kind = match index.kind {
        IndexKind::BTree => None,
        IndexKind::Hash => Some("hash"),
        IndexKind::FullText => Some("full text"),
        IndexKind::Spatial => Some("spatial"),
        IndexKind::MultiValued => Some("multi-valued"),
    };
    let words = [
        (index.is_primary(), "primary"),
        (index.is_unique && !index.is_primary(), "unique"),
        (!index.is_visible, "invisible"),
    ];
    let mut all: Vec<&str> = words
        .iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, word)| *word)
        .collect();
    all.extend(kind);
    all.join(", ")
}

/// `1 index`, `2 indexes`.
#[must_use]
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_written_as_in_statements() {
        let mut index = Index::btree(
            "i",
            vec![
                KeyPart {
                    prefix: Some(8),
                    is_descending: true,
                    ..KeyPart::column("a")
                },
                KeyPart {
                    what: Part::Expression("lower(`b`)".to_owned()),
                    prefix: None,
                    is_descending: false,
                },
            ],
        );
        assert_eq!(columns(&index), "a(8) DESC, (lower(`b`))");
        assert_eq!(traits(&index), "");
        index.is_unique = true;
        index.is_visible = false;
        assert_eq!(traits(&index), "unique, invisible");
        assert_eq!(counted(1, "index", "indexes"), "1 index");
    }
}
