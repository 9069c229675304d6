//! What of a column can be in a key, and how many bytes it takes there.

use crate::advisor::statistics::Statistics;
use crate::model::schema::{Column, Index, IndexKind, KeyPart, Part, Table};

/// Key parts of one index at most (tried on MySQL 9.7: the 17th is refused with 1070).
pub(super) const MAX_PARTS: usize = 16;
/// Indexes of one table at most, the primary key aside (field notes: 64).
pub(super) const MAX_INDEXES: usize = 64;
/// A string whose values are longer on average, in bytes, is indexed by a prefix.
const LONG_AVERAGE: f64 = 64.0;
/// The same where nothing is known but the declaration.
const LONG_DECLARED: u64 = 1024;
/// A prefix where nothing is known of the values, in characters.
const BLIND_PREFIX: u64 = 32;

/// How a column can be in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// The whole value.
    Whole,
    /// Its beginning, in characters: finds rows, and can neither cover nor order.
    Prefix(u32),
    /// Not in a plain key.
    Not,
}

/// Bytes that a key may have: of the whole key, and of one part.
#[must_use]
pub fn limits(table: &Table) -> (u64, u64) {
    let create = table.create.to_ascii_uppercase();
    let is_old_format =
        create.contains("ROW_FORMAT=COMPACT") || create.contains("ROW_FORMAT=REDUNDANT");
    if table.engine.eq_ignore_ascii_case("InnoDB") && !is_old_format {
        (3072, 3072)
    } else if table.engine.eq_ignore_ascii_case("InnoDB") {
        (3072, 767)
    } else {
        (767, 767)
    }
}

fn is_text(column: &Column) -> bool {
    matches!(
        column.data_type.as_str(),
        "tinytext"
            | "text"
            | "mediumtext"
            | "longtext"
            | "tinyblob"
            | "blob"
            | "mediumblob"
            | "longblob"
    )
}

fn is_string(column: &Column) -> bool {
    matches!(
        column.data_type.as_str(),
        "char" | "varchar" | "binary" | "varbinary"
    )
}

/// How a column can be in a key of its table.
pub(super) fn fit(table: &Table, column: &Column, statistics: &Statistics) -> Fit {
    let known = statistics.of(&table.name, &column.name);
    let (_, part_limit) = limits(table);
    if is_text(column) {
        return Fit::Prefix(prefix(column, known.prefix, part_limit));
    }
    if is_string(column) {
        let declared = declared_bytes(column);
        let is_long = match known.average_bytes {
            Some(average) => average > LONG_AVERAGE,
            None => declared > LONG_DECLARED,
        };
        if is_long || declared > part_limit {
            let chars = prefix(column, known.prefix, part_limit);
            let whole = column.max_chars.unwrap_or(declared);
            if u64::from(chars) < whole {
                return Fit::Prefix(chars);
            }
        }
        return Fit::Whole;
    }
    match column.data_type.as_str() {
        "json" | "geometry" | "point" | "linestring" | "polygon" | "multipoint"
        | "multilinestring" | "multipolygon" | "geomcollection" | "geometrycollection"
        | "vector" => Fit::Not,
        _ => Fit::Whole,
    }
}

/// The known prefix, or a guess; never longer than the column and a key part.
fn prefix(column: &Column, known: Option<u32>, part_limit: u64) -> u32 {
    let bytes_per_char = bytes_per_char(column);
    let most = (part_limit / bytes_per_char).min(255);
    let most = column.max_chars.map_or(most, |chars| chars.min(most));
    let wanted = known.map_or(BLIND_PREFIX, u64::from);
    u32::try_from(wanted.min(most).max(1)).unwrap_or(255)
}

fn bytes_per_char(column: &Column) -> u64 {
    match (column.max_bytes, column.max_chars) {
        (Some(bytes), Some(chars)) if chars > 0 && !is_text(column) => (bytes / chars).max(1),
        _ if column.collation.is_none() => 1,
        _ => match column
            .collation
            .as_deref()
            .unwrap_or_default()
            .split('_')
            .next()
        {
            Some("latin1" | "ascii" | "binary" | "latin2" | "cp1251") => 1,
            Some("utf8" | "utf8mb3") => 3,
            _ => 4,
        },
    }
}

fn declared_bytes(column: &Column) -> u64 {
    column
        .max_bytes
        .or(column.max_chars.map(|chars| chars * 4))
        .unwrap_or(255)
}

/// The numbers in parentheses of a type: `decimal(10,2)`.
fn arguments(full_type: &str) -> Vec<u64> {
    let inside = full_type.split_once('(').map_or("", |(_, rest)| rest);
    let inside = inside.split_once(')').map_or("", |(numbers, _)| numbers);
    inside
        .split(',')
        .filter_map(|number| number.trim().parse().ok())
        .collect()
}

/// Bytes of a column of fixed length in a key; `None` for strings.
fn fixed_bytes(data_type: &str, full_type: &str) -> Option<u64> {
    let fraction = |base: u64| base + arguments(full_type).first().map_or(0, |n| n.div_ceil(2));
    Some(match data_type {
        "tinyint" | "year" => 1,
        "smallint" | "enum" => 2,
        "mediumint" | "date" => 3,
        "int" | "float" => 4,
        "bigint" | "double" | "set" => 8,
        "time" => fraction(3),
        "timestamp" => fraction(4),
        "datetime" => fraction(5),
        "decimal" => {
            let numbers = arguments(full_type);
            let digits = numbers.first().copied().unwrap_or(10);
            let after = numbers.get(1).copied().unwrap_or(0);
            let half = |digits: u64| digits / 9 * 4 + (digits % 9).div_ceil(2);
            half(digits.saturating_sub(after)) + half(after)
        }
        "bit" => arguments(full_type).first().map_or(1, |n| n.div_ceil(8)),
        _ => return None,
    })
}

/// Bytes that a part takes of the key's limit, at most.
pub(super) fn declared_part_bytes(table: &Table, part: &KeyPart) -> u64 {
    let Part::Column(name) = &part.what else {
        return 1023;
    };
    let Some(column) = table.column(name) else {
        return 1023;
    };
    let length = 3;
    match (
        fixed_bytes(&column.data_type, &column.full_type),
        part.prefix,
    ) {
        (Some(bytes), _) => bytes + u64::from(column.is_nullable),
        (None, Some(chars)) => u64::from(chars) * bytes_per_char(column) + length,
        (None, None) => declared_bytes(column) + length,
    }
}

/// Bytes of the key's limit that the server counts for a part: neither the length of a string nor
/// the flag of NULL is among them (tried on MySQL 9.7); nothing is known of an expression.
#[must_use]
pub fn key_bytes(table: &Table, part: &KeyPart) -> u64 {
    let column = part.column_name().and_then(|name| table.column(name));
    let Some(column) = column else {
        return 0;
    };
    let fixed = fixed_bytes(&column.data_type, &column.full_type);
    fixed.unwrap_or_else(|| {
        part.prefix.map_or_else(
            || declared_bytes(column),
            |chars| u64::from(chars) * bytes_per_char(column),
        )
    })
}

/// Average bytes that a part takes in an entry: measured where statistics know, a third of the
/// declared length for other strings.
pub(in crate::advisor) fn stored_part_bytes(
    table: &Table,
    part: &KeyPart,
    statistics: &Statistics,
) -> f64 {
    let name = match &part.what {
        Part::Column(name) => name,
        Part::Expression(text) => return expression_bytes(table, text, statistics),
    };
    let Some(column) = table.column(name) else {
        return 16.0;
    };
    let known = statistics.of(&table.name, &column.name);
    if let Some(bytes) = fixed_bytes(&column.data_type, &column.full_type) {
        return bytes as f64 * present(known.null_share);
    }
    if column.data_type == "char" && known.average_bytes.is_none() && part.prefix.is_none() {
        return column.max_chars.unwrap_or(1) as f64;
    }
    let average = known
        .average_bytes
        .unwrap_or(declared_bytes(column).min(255) as f64 / 3.0);
    // A prefix of n characters holds n bytes of the usual text.
    let average = part
        .prefix
        .map_or(average, |chars| average.min(f64::from(chars)));
    (average + length_bytes(column, average)) * present(known.null_share)
}

/// Bytes that tell the length of a string: none of one that always has the same.
fn length_bytes(column: &Column, average: f64) -> f64 {
    let is_of_one_length =
        matches!(column.data_type.as_str(), "char" | "binary") && bytes_per_char(column) == 1;
    if is_of_one_length {
        0.0
    } else if average > 127.0 && declared_bytes(column) > 255 {
        2.0
    } else {
        1.0
    }
}

/// Whether a part may be NULL, for which an entry has a bit.
pub(super) fn is_nullable(table: &Table, part: &KeyPart) -> bool {
    match &part.what {
        Part::Column(name) => table.column(name).is_none_or(|column| column.is_nullable),
        Part::Expression(_) => true,
    }
}

fn present(null_share: Option<f64>) -> f64 {
    1.0 - null_share.unwrap_or(0.0).clamp(0.0, 1.0)
}

/// Whether an expression gives an array, for a multi-valued index.
pub(super) fn is_array(expression: &str) -> bool {
    let text = expression.trim_end().trim_end_matches(')').trim_end();
    let start = text.len().saturating_sub(" array".len());
    text.get(start..)
        .is_some_and(|end| end.eq_ignore_ascii_case(" array"))
}

/// The column that is an array itself, not one somewhere within it.
pub(super) fn array_column<'a>(table: &'a Table, expression: &str) -> Option<&'a Column> {
    let start = expression.find('(')? + 1;
    let end = expression.to_ascii_lowercase().rfind(" as ")?;
    let what = expression.get(start..end)?.trim();
    table.column(&what.trim_matches('`').replace("``", "`"))
}

/// Bytes of an expression's value: those of an array's element where its column is known.
fn expression_bytes(table: &Table, text: &str, statistics: &Statistics) -> f64 {
    /// Quotation marks, comma and blank around a string in the text of an array.
    const AROUND: f64 = 4.0;
    let lower = text.to_ascii_lowercase();
    let is_text = lower.contains("char") || lower.contains("lower") || lower.contains("upper");
    if !is_text {
        return 8.0;
    }
    let known = array_column(table, text)
        .filter(|_| is_array(text))
        .map(|column| statistics.of(&table.name, &column.name));
    known
        .and_then(|known| Some(known.average_bytes? / known.elements.filter(|n| *n > 0.0)?))
        .map_or(20.0, |each| (each - AROUND).max(1.0) + 1.0)
}

/// Whether the index finds rows by comparing keys, in order.
pub(super) fn is_ordered(index: &Index) -> bool {
    index.kind == IndexKind::BTree
}

/// The parts of an index with those of the primary key that InnoDB appends.
pub(in crate::advisor) fn extended(table: &Table, parts: &[KeyPart]) -> Vec<KeyPart> {
    let mut all = parts.to_vec();
    if !table.engine.eq_ignore_ascii_case("InnoDB") {
        return all;
    }
    for part in table.primary_key().map_or(&[][..], |key| &key.parts) {
        let is_there = all.iter().any(|other| {
            other.what == part.what && (other.prefix.is_none() || other.prefix == part.prefix)
        });
        if !is_there {
            all.push(part.clone());
        }
    }
    all
}

/// The shortest beginning of `parts` that is the same index: InnoDB appends the rest by itself.
pub(super) fn without_primary_suffix(table: &Table, parts: &[KeyPart]) -> Vec<KeyPart> {
    let whole = extended(table, parts);
    (0..parts.len())
        .map(|length| &parts[..length])
        .find(|shorter| extended(table, shorter) == whole)
        .unwrap_or(parts)
        .to_vec()
}
