//! Orders of columns, written as indexes: what the server takes, with a name, and with a generated
//! column where that spares a lock.

use std::collections::BTreeSet;

use super::table::Ground;
use super::{Order, Scored, arrays, expression, keys, names, note, size};
use crate::advisor::candidate::{Candidate, GeneratedColumn, Origin};
use crate::model::finding::Finding;
use crate::model::schema::{Index, IndexKind, KeyPart, Part, Table};
use crate::server::ddl::Mode;

/// As many of the parts as the server accepts in one key; nothing behind a prefix or an array.
pub(super) fn cut(ground: &Ground<'_>, parts: Vec<KeyPart>) -> Vec<KeyPart> {
    let mut kept = Vec::new();
    for part in parts {
        let is_last = part.prefix.is_some()
            || matches!(&part.what, Part::Expression(text) if ground.arrays.contains_key(text));
        kept.push(part);
        if !ground.fits(&kept) {
            kept.pop();
            break;
        }
        if is_last {
            break;
        }
    }
    kept
}

/// Whether the primary key or an existing index does all that an index on `parts` could do.
pub(super) fn is_useless(table: &Table, parts: &[KeyPart]) -> bool {
    let is_within = |longer: &[KeyPart], shorter: &[KeyPart]| {
        longer.len() >= shorter.len()
            && (longer.starts_with(shorter)
                || longer.iter().zip(shorter).all(|(one, other)| {
                    one.what == other.what
                        && one.prefix == other.prefix
                        && one.is_descending != other.is_descending
                }))
    };
    table.indexes.iter().any(|index| {
        if !index.is_visible || !matches!(index.kind, IndexKind::BTree | IndexKind::MultiValued) {
            return false;
        }
        let own: Vec<KeyPart> = index
            .parts
            .iter()
            .map(|part| in_one_writing(table, part))
            .collect();
        if index.is_primary() {
            // Rows lie in its order: what begins with all of it finds nothing more.
            return is_within(&own, parts) || is_within(parts, &own);
        }
        is_within(&keys::extended(table, &own), parts)
    })
}

fn in_one_writing(table: &Table, part: &KeyPart) -> KeyPart {
    let what = match &part.what {
        Part::Column(name) => Part::Column(
            table
                .column(name)
                .map_or_else(|| name.clone(), |column| column.name.clone()),
        ),
        Part::Expression(text) => Part::Expression(
            expression::canonical(table, text)
                .or_else(|| arrays::canonical_array(table, text))
                .unwrap_or_else(|| text.clone()),
        ),
    };
    KeyPart {
        what,
        ..part.clone()
    }
}

/// The lists of parts as candidates, named, with generated columns where that spares a lock.
pub(super) fn realize(ground: &mut Ground<'_>, list: Vec<(Vec<KeyPart>, Order)>) -> Vec<Scored> {
    let mut taken: BTreeSet<String> = ground
        .table
        .indexes
        .iter()
        .map(|index| index.name.to_ascii_lowercase())
        .collect();
    let mut made = Vec::new();
    for (parts, order) in list {
        let Some((index, column)) = write(ground, &parts, &mut taken) else {
            continue;
        };
        made.push((
            order.score,
            candidate(ground, index, column, order.origins.into_iter().collect()),
        ));
    }
    made
}

pub(super) fn candidate(
    ground: &Ground<'_>,
    index: Index,
    column: Option<GeneratedColumn>,
    origins: Vec<Origin>,
) -> Candidate {
    let lock = Mode::to_build_on(ground.table, &index).lock;
    Candidate {
        table: ground.table.name.clone(),
        bytes: size(ground.table, &index, ground.statistics),
        index,
        column,
        origins,
        lock,
    }
}

/// Whether a virtual column can be added at once: not where full-text and spatial indexes are
/// (field notes), nor functional and multi-valued ones (error 1846 on MySQL 9.7), and only InnoDB
/// has them in indexes.
fn takes_columns(table: &Table) -> bool {
    let is_in_the_way = |index: &Index| {
        index.is_functional() || matches!(index.kind, IndexKind::FullText | IndexKind::Spatial)
    };
    table.engine.eq_ignore_ascii_case("InnoDB") && !table.indexes.iter().any(is_in_the_way)
}

/// An index on the parts, and the column that it needs. `None` for two expressions in one index:
/// one is all that a candidate can bring.
fn write(
    ground: &mut Ground<'_>,
    parts: &[KeyPart],
    taken: &mut BTreeSet<String>,
) -> Option<(Index, Option<GeneratedColumn>)> {
    let mut words: Vec<String> = Vec::new();
    let mut own = Vec::new();
    let mut column = None;
    let mut is_array = false;
    for part in parts {
        let mut part = part.clone();
        if let Part::Expression(text) = &part.what {
            if column.is_some() || is_array {
                return None;
            }
            if let Some(names) = ground.arrays.get(text) {
                words.extend(names.iter().cloned());
                is_array = true;
                ground.note(demand_of_elements(ground.table, text));
            } else {
                let found = ground.expressions.get(text)?.clone();
                words.extend(found.words.iter().cloned());
                part.what = if takes_columns(ground.table) {
                    let made = generated(ground, &found);
                    let name = made.name.clone();
                    column = Some(made);
                    Part::Column(name)
                } else {
                    is_array = true;
                    Part::Expression(found.functional.clone())
                };
                demand(ground, &found);
            }
        } else if let Part::Column(name) = &part.what {
            words.push(name.clone());
        }
        if part.is_descending {
            words.push("desc".to_owned());
        }
        own.push(part);
    }
    let name = names::join("idx", words.iter().map(String::as_str));
    let mut index = Index::btree(name, own);
    if index.is_functional()
        && let Some(last) = last_functional(ground.table)
    {
        index.name = names::behind(index.name, last);
    }
    index.name = names::free(index.name, |name| taken.contains(name));
    taken.insert(index.name.clone());
    if parts.iter().any(
        |part| matches!(&part.what, Part::Expression(text) if ground.arrays.contains_key(text)),
    ) {
        index.kind = IndexKind::MultiValued;
    }
    Some((index, column))
}

/// The last name of those that are on expressions: a new one is not built in place before it (error
/// 1846 on MySQL 9.7).
fn last_functional(table: &Table) -> Option<&str> {
    let functional = table.indexes.iter().filter(|index| index.is_functional());
    let names = functional.map(|index| index.name.as_str());
    names.max_by_key(|name| name.to_lowercase())
}

/// The column for an expression: one name for one expression, free on the table.
fn generated(ground: &mut Ground<'_>, of: &expression::Indexable) -> GeneratedColumn {
    let name = names::join("mydex", of.words.iter().map(String::as_str));
    let name = names::free(name, |name| {
        let holds = ground.generated.get(name);
        ground.table.column(name).is_some() || holds.is_some_and(|sql| *sql != of.sql)
    });
    ground.generated.insert(name.clone(), of.sql.clone());
    GeneratedColumn {
        name,
        full_type: of.full_type.clone(),
        expression: of.sql.clone(),
    }
}

/// What a multi-valued index asks of every element.
fn demand_of_elements(table: &Table, array: &str) -> Finding {
    let demand = match arrays::element(array) {
        Some(arrays::WHOLE) => "a whole number",
        Some(arrays::FRACTION) => "a number of at most 20 digits before the point and 10 behind it",
        _ => "at most 255 characters long",
    };
    let message = format!(
        "a multi-valued index on `{array}` of `{}` asks that every element is {demand}: writes of \
         others are refused (error 3907)",
        table.name
    );
    note("expression-demand", message)
}

/// Says what an indexed expression asks of every row.
fn demand(ground: &mut Ground<'_>, of: &expression::Indexable) {
    if let Some(demand) = &of.demand {
        let message = format!(
            "an index on `{}` of `{}` asks that {demand}",
            of.sql, ground.table.name
        );
        ground.note(note("expression-demand", message));
    }
}
