//! TOML to a definition, all mistakes at once.

mod evidence;
mod terms;

use toml::de::{DeTable, DeValue};

use super::definition::Definition;
use super::expression::{is_closed, is_type};
use super::fields::{Fields, Value, joined, offset_of};
use super::files::Terms;
use super::print::{ACTIONS, KINDS};
use crate::config::mistake::{Mistake, Mistakes, Place};
use crate::config::syntax;
use crate::model::schema::{GeneratedColumn, Index, IndexKind, KeyPart, Part};

const KEYS: &[&str] = &[
    "schema",
    "table",
    "action",
    "index",
    "columns",
    "kind",
    "unique",
    "visible",
    "comment",
    "parser",
    "generated_column",
    "profiles",
    "allow",
    "reason",
    "evidence",
];

const COLUMNS_EXAMPLE: &str = "[\"state\", { column = \"made\", desc = true }]";

/// Characters of an identifier at most.
const MAX_NAME: usize = 64;

/// Characters of an index's comment at most.
const MAX_COMMENT: usize = 1024;

/// Parts of one index at most.
const MAX_PARTS: usize = 16;

/// Bytes of one key part at most, in the roomiest row format.
const MAX_PREFIX: u64 = 3072;

/// Reads a definition, and the terms under which its file stands in a folder.
pub(super) fn definition(file: &str, text: &str) -> Result<(Definition, Terms), Mistakes> {
    // Line breaks inside a text of several lines must not depend on the machine it was edited on.
    let text = text.replace("\r\n", "\n");
    let (clean, errors) = syntax::clean(&text);
    let mut fields = Fields::new(file, &clean);
    let has_errors = !errors.is_empty();
    let syntax_mistakes = errors.into_iter().map(|error| Mistake {
        place: Place::File {
            file: file.to_owned(),
            line: error.at.line,
            column: error.at.column,
        },
        key: String::new(),
        problem: error.message,
        remedy: error.remedy.to_owned(),
    });
    fields.mistakes.extend(syntax_mistakes);
    let document = syntax::document(&clean);
    let found = read(&mut fields, document.get_ref(), has_errors);
    let terms = terms::read(&mut fields, document.get_ref());
    match found {
        Some(definition) if fields.mistakes.is_empty() => Ok((definition, terms)),
        _ => Err(Mistakes::new(fields.mistakes)),
    }
}

/// `is_torn`: lines were unreadable, so that a missing key may stand in one of them.
fn read(fields: &mut Fields<'_>, table: &DeTable<'_>, is_torn: bool) -> Option<Definition> {
    fields.only(table, "", KEYS);
    for (key, example) in [
        ("table", "\"orders\""),
        ("action", "\"create\""),
        ("index", "\"orders_state_made\""),
        ("columns", COLUMNS_EXAMPLE),
    ] {
        if table.get(key).is_none() && !is_torn {
            fields.missing(0, "", key, example);
        }
    }
    let schema = name(fields, table, "", "schema", "\"shop\"");
    let on = name(fields, table, "", "table", "\"orders\"");
    let action = fields.choice(table, "", "action", &ACTIONS);
    let index = index(fields, table);
    let column = generated_column(fields, table, index.as_ref());
    let reason = fields.text(table, "", "reason", "\"finds open orders\"");
    let evidence = table.get("evidence").and_then(|value| {
        let evidence = fields.table(value, "evidence", "{ source = \"slow log\" }")?;
        evidence::read(fields, evidence, value.span().start)
    });
    Some(Definition {
        schema,
        table: on?,
        action: action?,
        index: index?,
        column,
        reason: reason.unwrap_or_default(),
        evidence,
    })
}

/// An identifier that MySQL accepts.
fn name(
    fields: &mut Fields<'_>,
    table: &DeTable<'_>,
    path: &str,
    key: &str,
    example: &str,
) -> Option<String> {
    let name = fields.text(table, path, key, example)?;
    let offset = offset_of(table, key);
    identifier(fields, offset, &joined(path, key), name)
}

fn identifier(fields: &mut Fields<'_>, offset: usize, path: &str, name: String) -> Option<String> {
    let problem = if name.is_empty() {
        "is empty"
    } else if name.chars().count() > MAX_NAME {
        "has more than 64 characters"
    } else if name.ends_with(' ') {
        "ends with a blank"
    } else if name.contains('\0') {
        "contains a NUL character"
    } else {
        return Some(name);
    };
    fields.wrong(
        offset,
        path,
        format!("`{path}` {problem}: `{name}`"),
        "write the name as the server has it",
    );
    None
}

fn index(fields: &mut Fields<'_>, table: &DeTable<'_>) -> Option<Index> {
    let own_name = name(fields, table, "", "index", "\"orders_state_made\"");
    if own_name
        .as_deref()
        .is_some_and(|name| name.eq_ignore_ascii_case("PRIMARY"))
    {
        let offset = offset_of(table, "index");
        fields.wrong(
            offset,
            "index",
            "`index` is `PRIMARY`: a primary key is no change that can be undone",
            "name a secondary index",
        );
    }
    let kind = fields.choice(table, "", "kind", &KINDS);
    let kind = kind.unwrap_or(IndexKind::BTree);
    let parts = table.get("columns").map(|value| parts(fields, value, kind));
    let comment = fields.text(table, "", "comment", "\"for open orders\"");
    let parser = name(fields, table, "", "parser", "\"ngram\"");
    let index = Index {
        kind,
        is_unique: fields.switch(table, "", "unique").unwrap_or(false),
        is_visible: fields.switch(table, "", "visible").unwrap_or(true),
        comment: comment.unwrap_or_default(),
        parser,
        ..Index::btree(own_name.unwrap_or_default(), parts?)
    };
    contradictions(fields, table, &index);
    (!index.name.is_empty()).then_some(index)
}

/// What no server would accept.
fn contradictions(fields: &mut Fields<'_>, table: &DeTable<'_>, index: &Index) {
    let is_special = matches!(index.kind, IndexKind::FullText | IndexKind::Spatial);
    if index.is_unique && is_special {
        fields.wrong(
            offset_of(table, "unique"),
            "unique",
            "`unique` is `true`, but full-text and spatial indexes keep nothing unique",
            "leave `unique` out, or choose another `kind`",
        );
    }
    if index.parser.is_some() && index.kind != IndexKind::FullText {
        fields.wrong(
            offset_of(table, "parser"),
            "parser",
            "`parser` is given, but only a full-text index has one",
            "leave `parser` out, or write `kind = \"fulltext\"`",
        );
    }
    let length = index.comment.chars().count();
    if length > MAX_COMMENT {
        fields.wrong(
            offset_of(table, "comment"),
            "comment",
            format!("`comment` has {length} characters"),
            format!("shorten it to {MAX_COMMENT}; `reason` takes more"),
        );
    }
}

fn parts(fields: &mut Fields<'_>, value: &Value<'_>, kind: IndexKind) -> Vec<KeyPart> {
    let items = fields.list(value, "columns", COLUMNS_EXAMPLE);
    if value.get_ref().is_array() && !(1..=MAX_PARTS).contains(&items.len()) {
        fields.wrong(
            value.span().start,
            "columns",
            format!("`columns` has {} parts", items.len()),
            format!("an index has 1 to {MAX_PARTS} parts"),
        );
    }
    let mut parts: Vec<KeyPart> = Vec::new();
    for item in items {
        let Some(part) = part(fields, item) else {
            continue;
        };
        let offset = item.span().start;
        let is_plain = part.prefix.is_none() && !part.is_descending;
        if kind == IndexKind::FullText && !(is_plain && part.column_name().is_some()) {
            fields.wrong(
                offset,
                "columns",
                "a full-text index has whole columns only",
                "write the column's name alone",
            );
        }
        let same = |other: &KeyPart| match (other.column_name(), part.column_name()) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            _ => other.what == part.what,
        };
        if parts.iter().any(same) {
            fields.wrong(
                offset,
                "columns",
                "the same column or expression stands twice in `columns`",
                "keep the first",
            );
        }
        parts.push(part);
    }
    parts
}

fn part(fields: &mut Fields<'_>, item: &Value<'_>) -> Option<KeyPart> {
    let offset = item.span().start;
    if let DeValue::String(column) = item.get_ref() {
        return identifier(fields, offset, "columns", column.to_string()).map(KeyPart::column);
    }
    let table = fields.table(item, "columns", COLUMNS_EXAMPLE)?;
    fields.only(
        table,
        "columns",
        &["column", "expression", "prefix", "desc"],
    );
    let column = name(fields, table, "columns", "column", "\"state\"");
    let expression = sql(
        fields,
        table,
        "columns",
        "expression",
        "\"lower(email)\"",
        is_closed,
    );
    let prefix = fields.whole(table, "columns", "prefix");
    let prefix_offset = offset_of(table, "prefix");
    if prefix.is_some_and(|length| !(1..=MAX_PREFIX).contains(&length)) {
        fields.wrong(
            prefix_offset,
            "columns.prefix",
            format!("`prefix` is {}", prefix.unwrap_or(0)),
            format!("a prefix has 1 to {MAX_PREFIX} characters"),
        );
    }
    let has = |key| table.get(key).is_some();
    if has("column") == has("expression") {
        fields.wrong(
            offset,
            "columns",
            "a part of an index is a column or an expression",
            "write `column = \"state\"` or `expression = \"lower(email)\"`, one of the two",
        );
        return None;
    }
    if has("expression") && has("prefix") {
        fields.wrong(
            prefix_offset,
            "columns.prefix",
            "an expression has no prefix",
            "put it into the expression: `left(email, 20)`",
        );
    }
    Some(KeyPart {
        what: column
            .map(Part::Column)
            .or(expression.map(Part::Expression))?,
        prefix: prefix.and_then(|length| u32::try_from(length).ok()),
        is_descending: fields.switch(table, "columns", "desc").unwrap_or(false),
    })
}

/// SQL text that becomes part of a statement, and must stay in its place there.
fn sql(
    fields: &mut Fields<'_>,
    table: &DeTable<'_>,
    path: &str,
    key: &str,
    example: &str,
    is_good: fn(&str) -> bool,
) -> Option<String> {
    let text = fields.text(table, path, key, example)?;
    if !is_good(&text) {
        fields.wrong(
            offset_of(table, key),
            joined(path, key),
            format!("`{path}.{key}` is not complete in itself: `{text}`"),
            format!("close its quotes and parentheses, and leave out comments, as in {example}"),
        );
        return None;
    }
    Some(text)
}

fn generated_column(
    fields: &mut Fields<'_>,
    table: &DeTable<'_>,
    index: Option<&Index>,
) -> Option<GeneratedColumn> {
    const PATH: &str = "generated_column";
    const EXAMPLE: &str =
        "{ name = \"email_lower\", type = \"varchar(255)\", expression = \"lower(email)\" }";
    let value = table.get(PATH)?;
    let column = fields.table(value, PATH, EXAMPLE)?;
    fields.only(column, PATH, &["name", "type", "expression"]);
    for (key, example) in [
        ("name", "\"email_lower\""),
        ("type", "\"varchar(255)\""),
        ("expression", "\"lower(email)\""),
    ] {
        if column.get(key).is_none() {
            fields.missing(value.span().start, PATH, key, example);
        }
    }
    let name = name(fields, column, PATH, "name", "\"email_lower\"");
    let full_type = sql(fields, column, PATH, "type", "`varchar(255)`", is_type);
    let expression = sql(
        fields,
        column,
        PATH,
        "expression",
        "`lower(email)`",
        is_closed,
    );
    let found = GeneratedColumn {
        name: name?,
        full_type: full_type?,
        expression: expression?,
    };
    let has_it = |index: &Index| {
        let mut names = index.parts.iter().filter_map(KeyPart::column_name);
        names.any(|name| name.eq_ignore_ascii_case(&found.name))
    };
    if index.is_some_and(|index| !has_it(index)) {
        fields.wrong(
            value.span().start,
            PATH,
            format!("the generated column `{}` is not in `columns`", found.name),
            "add it to `columns`, or leave it out",
        );
    }
    Some(found)
}
