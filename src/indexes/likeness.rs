//! Whether what is there is what a definition describes: every facet, never the name alone.

use super::facets::{Difference, Facet, differences, is_same_structure};
use super::formula;
use super::reconcile::{Found, FoundColumn, Memory, Seen, Task};
use crate::model::schema::{GeneratedColumn, Index, IndexKind, KeyPart, Part, Table};
use crate::server::ddl;

/// What is there for a task, told from the table alone.
#[must_use]
pub(super) fn see(task: &Task, memory: &Memory, table: &Table) -> Seen {
    let wanted = normal(&task.index, table);
    let index = match table.index(&task.index.name) {
        None => Found::Missing,
        Some(found) => compare(&wanted, found, table),
    };
    let twin = table
        .indexes
        .iter()
        .filter(|other| !other.name.eq_ignore_ascii_case(&task.index.name))
        .find(|other| is_same_structure(&wanted, &normal(other, table)))
        .map(|other| other.name.clone());
    let column = task.column.as_ref();
    Seen {
        twin,
        column: column.map_or(FoundColumn::Missing, |column| find_column(column, table)),
        column_users: column.map_or_else(Vec::new, |column| users(column, &task.index, table)),
        supports: supports(&task.index, &index, table),
        aside: aside(memory, table),
        index,
    }
}

/// The indexes that the new one would replace.
fn supports(index: &Index, found: &Found, table: &Table) -> Vec<String> {
    if *found != Found::Missing {
        return Vec::new();
    }
    let names = ddl::silently_replaced(table, index);
    names.into_iter().map(str::to_owned).collect()
}

/// Indexes that have another name for now, because a run ended between two renamings.
fn aside(memory: &Memory, table: &Table) -> Vec<String> {
    let is_aside = |name: &&String| {
        table.index(name).is_none() && table.index(&ddl::aside_name(name)).is_some()
    };
    memory.aside.iter().filter(is_aside).cloned().collect()
}

/// Whether an index of the table is the one that is described, but for who may see it.
pub(super) fn is_same_by_text(wanted: &Index, found: &Index, table: &Table) -> bool {
    let is_visibility = |one: &Difference| one.facet == Facet::Visible;
    let (wanted, there) = (normal(wanted, table), normal(found, table));
    differences(&wanted, &there).iter().all(is_visibility)
}

/// The same where nobody asked how the server writes expressions: of those only the places count.
pub(super) fn is_same_but_expressions(wanted: &Index, found: &Index, table: &Table) -> bool {
    let mut there = found.clone();
    for (own, other) in wanted.parts.iter().zip(&mut there.parts) {
        if let (Part::Expression(_), Part::Expression(_)) = (&own.what, &other.what) {
            other.what = own.what.clone();
        }
    }
    is_same_by_text(wanted, &there, table)
}

/// The expression of a generated column that is there and differs from the described one in nothing
/// else; `None` where it is missing, the same, or differs in more.
pub(super) fn other_expression(column: &GeneratedColumn, table: &Table) -> Option<String> {
    let there = table.column(&column.name)?.generated.as_ref()?;
    let presumed = GeneratedColumn {
        expression: there.expression.clone(),
        ..column.clone()
    };
    let is_other = matches!(find_column(column, table), FoundColumn::Other(_));
    let is_same = find_column(&presumed, table) == FoundColumn::Same;
    (is_other && is_same).then_some(presumed.expression)
}

fn compare(wanted: &Index, found: &Index, table: &Table) -> Found {
    if is_same_by_text(wanted, found, table) {
        return Found::Same {
            is_visible: found.is_visible,
        };
    }
    let bare = |index: &Index| {
        ddl::definition(&Index {
            is_visible: true,
            ..index.clone()
        })
    };
    Found::Other(format!(
        "`{}` has {}, and the definition says {}; give the definition another name, or drop what \
         is there with a definition of its own first",
        table.name,
        bare(found),
        bare(wanted)
    ))
}

/// An index in the form in which two of them can be compared: what can be written in several ways,
/// and what the engine does not keep, is in one.
fn normal(index: &Index, table: &Table) -> Index {
    let is_innodb = table.engine.eq_ignore_ascii_case("InnoDB");
    let kind = match index.kind {
        IndexKind::Hash if is_innodb => IndexKind::BTree,
        kind => kind,
    };
    let mut parts = Vec::with_capacity(index.parts.len());
    for part in &index.parts {
        parts.push(KeyPart {
            what: part.what.clone(),
            prefix: part.prefix.filter(|length| !is_whole(part, *length, table)),
            is_descending: part.is_descending,
        });
    }
    Index {
        kind,
        parts,
        cardinality: Vec::new(),
        bytes: None,
        ..index.clone()
    }
}

/// A prefix as long as its column is none.
fn is_whole(part: &KeyPart, length: u32, table: &Table) -> bool {
    let column = part.column_name().and_then(|name| table.column(name));
    column.is_some_and(|column| {
        let is_bounded = matches!(
            column.data_type.as_str(),
            "char" | "varchar" | "binary" | "varbinary"
        );
        is_bounded && column.max_chars == Some(u64::from(length))
    })
}

fn find_column(column: &GeneratedColumn, table: &Table) -> FoundColumn {
    let Some(found) = table.column(&column.name) else {
        return FoundColumn::Missing;
    };
    let other = |is: &str| {
        FoundColumn::Other(format!(
            "column `{}` of `{}` is {is}, and the definition says `{} GENERATED ALWAYS AS ({}) \
             VIRTUAL`; give the column of the definition another name",
            column.name, table.name, column.full_type, column.expression
        ))
    };
    match &found.generated {
        None => other(&format!("a plain `{}`", found.full_type)),
        Some(generated) => {
            let is_same = !generated.is_stored
                && formula::is_same(&generated.expression, &column.expression)
                && is_same_type(&found.full_type, &column.full_type);
            if is_same {
                return FoundColumn::Same;
            }
            let kept = if generated.is_stored {
                "STORED"
            } else {
                "VIRTUAL"
            };
            other(&format!(
                "`{} GENERATED ALWAYS AS ({}) {kept}`",
                found.full_type, generated.expression
            ))
        }
    }
}

/// The server's type has neither character set nor spaces, and integers have lost their width.
fn is_same_type(found: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.to_ascii_lowercase().replace(", ", ",");
    let (found, wanted) = (plain(found), plain(wanted));
    let head = |text: &str| -> String {
        let cut = text.find(" character set ").or(text.find(" collate "));
        text[..cut.unwrap_or(text.len())].trim().to_owned()
    };
    let name = |text: &str| -> String {
        let synonyms = [
            ("integer", "int"),
            ("dec(", "decimal("),
            ("numeric", "decimal"),
            ("bool", "tinyint(1)"),
        ];
        for (other, own) in synonyms {
            if let Some(rest) = text.strip_prefix(other) {
                return format!("{own}{}", rest.trim_start_matches("ean"));
            }
        }
        text.to_owned()
    };
    let width_free = |text: &str| -> String {
        let is_integer = ["tinyint", "smallint", "mediumint", "int", "bigint"]
            .iter()
            .any(|kind| text.starts_with(kind));
        match (text.find('('), text.find(')')) {
            (Some(open), Some(close)) if is_integer && text != "tinyint(1)" => {
                format!("{}{}", &text[..open], &text[close + 1..])
            }
            _ => text.to_owned(),
        }
    };
    let whole = |text: &str| width_free(&name(&head(text)));
    whole(&found) == whole(&wanted)
}

/// Other indexes that use the column, which would lose it.
fn users(column: &GeneratedColumn, own: &Index, table: &Table) -> Vec<String> {
    let uses = |index: &&Index| {
        let mut names = index.parts.iter().filter_map(KeyPart::column_name);
        !index.name.eq_ignore_ascii_case(&own.name)
            && names.any(|name| name.eq_ignore_ascii_case(&column.name))
    };
    let names = table.indexes.iter().filter(uses);
    names.map(|index| index.name.clone()).collect()
}

/// Whether the index is, or would be, the first that keeps values unique and knows no NULL on a
/// table without a primary key: MySQL takes it for the primary key and refuses to hide it (3522),
/// even where it has a prefix of a column only (tried on MySQL 9.7).
pub(super) fn is_primary_substitute(index: &Index, table: &Table) -> bool {
    if table.primary_key().is_some() {
        return false;
    }
    let could_be = |index: &Index| {
        let is_strict = |part: &KeyPart| {
            let column = part.column_name().and_then(|name| table.column(name));
            column.is_some_and(|column| !column.is_nullable)
        };
        index.is_unique && index.parts.iter().all(is_strict)
    };
    let others = table
        .indexes
        .iter()
        .filter(|other| !other.name.eq_ignore_ascii_case(&index.name));
    could_be(index) && !others.into_iter().any(could_be)
}

#[cfg(test)]
mod tests;
