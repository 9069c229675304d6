//! How many different keys an index may have at most.

use super::Experts;
use crate::model::schema::{Column, Index, IndexKind, KeyPart, Table};

/// A table with fewer rows is read whole, whatever its indexes.
const MIN_ROWS: u64 = 1_000;

/// With fewer keys, one finds more than a twentieth of the rows.
const MIN_KEYS: u64 = 20;

/// The number of keys, where it is known to be low.
pub(super) fn low(table: &Table, index: &Index, experts: &Experts) -> Option<u64> {
    if table.rows < MIN_ROWS || index.is_unique || index.kind != IndexKind::BTree {
        return None;
    }
    let keys = counted(table, &index.parts).or_else(|| {
        index.parts.iter().try_fold(1_u64, |keys, part| {
            Some(keys.saturating_mul(values(table, part, experts)?))
        })
    })?;
    (keys < MIN_KEYS).then_some(keys)
}

/// What the server estimates for an index that begins with the same parts.
fn counted(table: &Table, parts: &[KeyPart]) -> Option<u64> {
    let last = parts.len().checked_sub(1)?;
    table
        .indexes
        .iter()
        .filter(|index| index.parts.starts_with(parts))
        .find_map(|index| index.cardinality.get(last).copied().flatten())
}

/// Values of a part at most.
fn values(table: &Table, part: &KeyPart, experts: &Experts) -> Option<u64> {
    let column = table.column(part.column_name()?)?;
    let whole = [KeyPart::column(column.name.as_str())];
    counted(table, &whole)
        .into_iter()
        .chain((experts.distinct)(table, &column.name))
        .chain(by_type(column))
        .min()
}

/// What the type has room for; a `tinyint(1)` is taken for yes or no.
fn by_type(column: &Column) -> Option<u64> {
    let kind = column.full_type.to_ascii_lowercase();
    let values = match column.data_type.as_str() {
        "enum" => {
            let quotes = kind.matches('\'').count() / 2;
            u64::try_from(quotes).ok()?
        }
        "tinyint" if kind.starts_with("tinyint(1)") => 2,
        "bit" if kind == "bit(1)" => 2,
        _ => return None,
    };
    Some(values + u64::from(column.is_nullable))
}
