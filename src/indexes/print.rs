//! A definition as TOML: for people with reason and evidence, for the checksum in one fixed form.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use super::definition::Definition;
use super::evidence::{Evidence, QueryEvidence};
use crate::model::advice::Action;
use crate::model::schema::{GeneratedColumn, IndexKind, KeyPart, Part};
use crate::model::text;

/// First line of the canonical form; raised when the same change would be written differently.
const CANONICAL: &str = "mydex index definition 1";

/// Longest list of columns on one line.
const MAX_LINE: usize = 90;

/// The words for the kinds, as they stand in a file.
pub(super) const KINDS: [(&str, IndexKind); 5] = [
    ("btree", IndexKind::BTree),
    ("hash", IndexKind::Hash),
    ("fulltext", IndexKind::FullText),
    ("spatial", IndexKind::Spatial),
    ("multi_valued", IndexKind::MultiValued),
];

/// The words for the actions.
pub(super) const ACTIONS: [(&str, Action); 2] =
    [("create", Action::Create), ("drop", Action::Drop)];

fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    let found = words.iter().find(|(_, known)| known == value);
    found.map_or("", |(word, _)| word)
}

/// The word for a kind.
pub(super) fn kind(kind: IndexKind) -> &'static str {
    word(&KINDS, &kind)
}

/// The file for people.
pub(super) fn definition(definition: &Definition, profiles: &[String]) -> String {
    let index = &definition.index;
    let mut out = String::new();
    if let Some(schema) = &definition.schema {
        line(&mut out, "schema", string(schema));
    }
    line(&mut out, "table", string(&definition.table));
    line(
        &mut out,
        "action",
        string(word(&ACTIONS, &definition.action)),
    );
    line(&mut out, "index", string(&index.name));
    line(&mut out, "columns", columns(&index.parts, MAX_LINE));
    if index.kind != IndexKind::BTree {
        line(&mut out, "kind", string(word(&KINDS, &index.kind)));
    }
    if index.is_unique {
        line(&mut out, "unique", true);
    }
    if !index.is_visible {
        line(&mut out, "visible", false);
    }
    if !index.comment.is_empty() {
        line(&mut out, "comment", string(&index.comment));
    }
    if let Some(parser) = &index.parser {
        line(&mut out, "parser", string(parser));
    }
    if let Some(column) = &definition.column {
        line(&mut out, "generated_column", generated(column));
    }
    if !profiles.is_empty() {
        let names: Vec<_> = profiles.iter().map(|name| string(name)).collect();
        line(&mut out, "profiles", format!("[{}]", names.join(", ")));
    }
    if !definition.reason.is_empty() {
        line(&mut out, "reason", string(&definition.reason));
    }
    if let Some(evidence) = &definition.evidence {
        evidence_lines(&mut out, evidence);
    }
    out
}

/// The change alone; every key is there, in one order, on one line.
pub(super) fn canonical(definition: &Definition) -> String {
    let index = &definition.index;
    let mut out = format!("{CANONICAL}\n");
    if let Some(schema) = &definition.schema {
        line(&mut out, "schema", string(schema));
    }
    line(&mut out, "table", string(&definition.table));
    line(
        &mut out,
        "action",
        string(word(&ACTIONS, &definition.action)),
    );
    line(&mut out, "index", string(&index.name));
    line(&mut out, "columns", columns(&index.parts, usize::MAX));
    line(&mut out, "kind", string(word(&KINDS, &index.kind)));
    line(&mut out, "unique", index.is_unique);
    line(&mut out, "visible", index.is_visible);
    line(&mut out, "comment", string(&index.comment));
    if let Some(parser) = &index.parser {
        line(&mut out, "parser", string(parser));
    }
    if let Some(column) = &definition.column {
        line(&mut out, "generated_column", generated(column));
    }
    out
}

fn evidence_lines(out: &mut String, evidence: &Evidence) {
    out.push_str("\n[evidence]\n");
    line(out, "source", string(&evidence.source));
    number(out, "window_seconds", evidence.window_seconds);
    if let Some(tier) = evidence.tier {
        line(out, "tier", string(tier.code()));
    }
    line(out, "is_proven", evidence.is_proven);
    if let Some(version) = &evidence.server_version {
        line(out, "server_version", string(version));
    }
    if let Some(version) = &evidence.mydex_version {
        line(out, "mydex_version", string(version));
    }
    if let Some(load) = &evidence.load {
        line(out, "unit", string(load.unit.name()));
        number(out, "before", Some(load.before));
        number(out, "after", Some(load.after));
        number(out, "marginal", Some(load.marginal));
    }
    if let Some(bytes) = evidence.bytes {
        line(out, "bytes", bytes);
    }
    number(out, "build_seconds", evidence.build_seconds);
    number(out, "write_us_per_row", evidence.write_us_per_row);
    for query in &evidence.queries {
        query_lines(out, query);
    }
}

fn query_lines(out: &mut String, query: &QueryEvidence) {
    out.push_str("\n[[evidence.queries]]\n");
    line(out, "name", string(&query.name));
    line(out, "fingerprint", string(&query.fingerprint));
    if let Some(schema) = &query.schema {
        line(out, "schema", string(schema));
    }
    number(out, "calls", query.calls);
    number(out, "factor", query.factor);
    number(out, "cost_before", query.cost.map(|cost| cost.0));
    number(out, "cost_after", query.cost.map(|cost| cost.1));
    number(out, "time_us_before", query.time_us.map(|time| time.0));
    number(out, "time_us_after", query.time_us.map(|time| time.1));
    if let Some((before, after)) = query.rows_read {
        line(out, "rows_read_before", before);
        line(out, "rows_read_after", after);
    }
    if query.is_capped {
        line(out, "is_capped", true);
    }
}

fn line(out: &mut String, key: &str, value: impl Display) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{key} = {value}");
}

/// The shortest text that reads back as the same number; what is not finite is left out.
fn number(out: &mut String, key: &str, value: Option<f64>) {
    if let Some(value) = value.filter(|value| value.is_finite()) {
        line(out, key, format!("{value:?}"));
    }
}

fn columns(parts: &[KeyPart], width: usize) -> String {
    let parts: Vec<String> = parts.iter().map(part).collect();
    let short = format!("[{}]", parts.join(", "));
    if short.chars().count() <= width {
        return short;
    }
    format!("[\n    {},\n]", parts.join(",\n    "))
}

fn part(part: &KeyPart) -> String {
    let (key, value) = match &part.what {
        Part::Column(name) if part.prefix.is_none() && !part.is_descending => return string(name),
        Part::Column(name) => ("column", name),
        Part::Expression(expression) => ("expression", expression),
    };
    let mut text = format!("{{ {key} = {}", string(value));
    if let Some(length) = part.prefix {
        let _ = write!(text, ", prefix = {length}");
    }
    if part.is_descending {
        text.push_str(", desc = true");
    }
    text.push_str(" }");
    text
}

fn generated(column: &GeneratedColumn) -> String {
    format!(
        "{{ name = {}, type = {}, expression = {} }}",
        string(&column.name),
        string(&column.full_type),
        string(&column.expression)
    )
}

/// A basic string; whatever a reviewer could not see is written as an escape.
fn string(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() + 2);
    out.push('"');
    let mut buffer = [0_u8; 4];
    for c in raw.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if matches!(text::inline(c.encode_utf8(&mut buffer)), Cow::Owned(_)) => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
