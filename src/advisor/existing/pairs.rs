//! Two indexes of one table: what one does that the other does as well.

use std::collections::BTreeSet;

use crate::advisor::candidates::keys;
use crate::advisor::statistics::Statistics;
use crate::model::schema::{Index, IndexKind, KeyPart, Part, Table};

/// An entry that is so many times as long is no stand-in: reading it costs that much more.
const FAR_WIDER: f64 = 4.0;

pub(super) fn is_named_alike(one: &Part, other: &Part) -> bool {
    match (one, other) {
        (Part::Column(one), Part::Column(other)) => one.eq_ignore_ascii_case(other),
        (one, other) => one == other,
    }
}

/// Whether whatever breaks the uniqueness of `index` breaks that of `other` as well.
pub(super) fn enforces(other: &Index, index: &Index) -> bool {
    other.is_unique
        && other.parts.iter().all(|part| {
            index.parts.iter().any(|own| {
                is_named_alike(&own.what, &part.what)
                    && match (part.prefix, own.prefix) {
                        (_, None) => true,
                        (Some(part), Some(own)) => part <= own,
                        (None, Some(_)) => false,
                    }
            })
        })
}

/// Whether InnoDB would take the index for a foreign key on these columns.
pub(super) fn supports(index: &Index, columns: &[String]) -> bool {
    may_support(index, columns)
        && index
            .parts
            .iter()
            .take(columns.len())
            .all(|part| !part.is_descending)
}

/// The same, or it might: when in doubt it stays.
pub(super) fn may_support(index: &Index, columns: &[String]) -> bool {
    index.kind == IndexKind::BTree
        && index.parts.len() >= columns.len()
        && index.parts.iter().zip(columns).all(|(part, name)| {
            part.prefix.is_none()
                && part
                    .column_name()
                    .is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
}

/// Whether the optimizer can take `other` wherever it takes `index`.
pub(super) fn stands_in(other: &Index, index: &Index) -> bool {
    other.kind == index.kind && (other.is_visible || !index.is_visible)
}

/// Whether both hold the same entries in the same order, and neither keeps anything unique that
/// the other does not.
pub(super) fn is_same(table: &Table, other: &Index, index: &Index) -> bool {
    if index.is_unique && !enforces(other, index) {
        return false;
    }
    match index.kind {
        IndexKind::BTree => {
            !other.is_primary()
                && keys::extended(table, &other.parts) == keys::extended(table, &index.parts)
        }
        IndexKind::FullText => {
            let all = |index: &Index| index.parts.iter().cloned().collect::<BTreeSet<_>>();
            other.parser == index.parser && all(other) == all(index)
        }
        _ => other.parts == index.parts,
    }
}

/// Whether `longer` begins with the parts of `shorter`, in this or the opposite direction.
pub(super) fn is_beginning(longer: &[KeyPart], shorter: &[KeyPart]) -> bool {
    if longer.len() < shorter.len() || shorter.is_empty() {
        return false;
    }
    let last = shorter.len() - 1;
    let turns = shorter
        .first()
        .zip(longer.first())
        .is_some_and(|(one, other)| one.is_descending != other.is_descending);
    longer
        .iter()
        .zip(shorter)
        .enumerate()
        .all(|(at, (long, short))| {
            let holds = match (long.prefix, short.prefix) {
                (long, short) if long == short => true,
                // The whole finds what a prefix finds; behind a prefix nothing has an order.
                (None, Some(_)) => at == last,
                (Some(long), Some(short)) => long >= short && at == last,
                _ => false,
            };
            holds
                && is_named_alike(&long.what, &short.what)
                && (long.is_descending != short.is_descending) == turns
        })
}

pub(super) fn is_far_wider(table: &Table, other: &Index, index: &Index) -> bool {
    if let (Some(long), Some(short)) = (other.bytes, index.bytes)
        && table.rows > 10_000
        && short > 0
    {
        return long as f64 > short as f64 * FAR_WIDER;
    }
    let statistics = Statistics::default();
    let bytes = |index: &Index| {
        let parts = keys::extended(table, &index.parts);
        let key: f64 = parts
            .iter()
            .map(|part| keys::stored_part_bytes(table, part, &statistics))
            .sum();
        key + 8.0
    };
    bytes(other) > bytes(index) * FAR_WIDER
}
