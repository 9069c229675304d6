//! The diagram in Mermaid's notation, which Markdown on many sites draws.
//!
//! Names there may hold letters, digits and a few signs only; anything else becomes `_`, and
//! tables have short names of their own beside those that are shown.

use std::fmt::Write as _;

use super::{Diagram, Field};

/// The diagram as the lines of an `erDiagram` block; `None` for one without tables.
pub(in crate::report) fn text(diagram: &Diagram) -> Option<String> {
    if diagram.entities.is_empty() {
        return None;
    }
    // Writing to a String cannot fail.
    let mut out = String::from("erDiagram\n");
    for (place, entity) in diagram.entities.iter().enumerate() {
        let _ = write!(out, "    t{}[\"{}\"]", place + 1, label(&entity.name));
        if entity.fields.is_empty() {
            out.push('\n');
            continue;
        }
        out.push_str(" {\n");
        for field in &entity.fields {
            let _ = writeln!(
                out,
                "        {} {}{}",
                word(first_word(&field.full_type), "unknown"),
                word(&field.name, "column"),
                keys(field)
            );
        }
        out.push_str("    }\n");
    }
    for link in diagram.whole_links() {
        let parent = if link.is_optional { "|o" } else { "||" };
        let child = if link.is_single { "o|" } else { "o{" };
        let _ = writeln!(
            out,
            "    t{} {parent}--{child} t{} : \"{}\"",
            link.parent + 1,
            link.child + 1,
            label(&link.columns)
        );
    }
    Some(out)
}

fn keys(field: &Field) -> &'static str {
    match (field.is_primary, field.is_foreign) {
        (true, true) => " PK, FK",
        (true, false) => " PK",
        (false, true) => " FK",
        (false, false) => "",
    }
}

fn first_word(full_type: &str) -> &str {
    let end = full_type.find(|c: char| !c.is_ascii_alphanumeric());
    &full_type[..end.unwrap_or(full_type.len())]
}

/// A name that stands without quotes: ASCII letters, digits, `_` and `-`, a letter first.
fn word(name: &str, otherwise: &str) -> String {
    let safe: String = name
        .chars()
        .take(64)
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
                c
            } else {
                '_'
            }
        })
        .collect();
    match safe.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => safe,
        Some(_) => format!("{otherwise}_{safe}"),
        None => otherwise.to_owned(),
    }
}

/// A text inside quotes, of which no part means anything to Mermaid or to HTML.
fn label(text: &str) -> String {
    let safe: String = text
        .chars()
        .take(120)
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | ',' | '$' | '(' | ')') {
                c
            } else if c == '>' {
                // Of the arrow between columns.
                ' '
            } else {
                '_'
            }
        })
        .collect();
    let safe = safe.replace(" -  ", " to ");
    if safe.trim().is_empty() {
        return "_".to_owned();
    }
    safe
}
