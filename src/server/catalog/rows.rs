//! Rows of `information_schema`, as parts of a catalog.

use crate::model::schema::{
    Catalog, Column, ForeignKey, Generated, Index, IndexKind, KeyPart, Part, Table, TableName, View,
};
use crate::server::cells::Cells;

/// Schema and table, the first two values of every row here.
pub(super) fn name(row: &impl Cells) -> Option<TableName> {
    Some(TableName::new(row.text(0)?, row.text(1)?))
}

/// The table of the catalog that a row is about.
pub(super) fn known<'a>(catalog: &'a mut Catalog, row: &impl Cells) -> Option<&'a mut Table> {
    catalog.tables.get_mut(&name(row)?)
}

/// Of `TABLES`: name, engine, `CREATE_OPTIONS`, rows, bytes of data and of indexes. A partitioned
/// table has an empty expression until it is read.
pub(super) fn table(row: &impl Cells) -> Option<Table> {
    let options = row.text(3).unwrap_or_default();
    Some(Table {
        name: name(row)?,
        engine: row.text(2).unwrap_or_default(),
        columns: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        rows: row.u64(4).unwrap_or(0),
        data_bytes: row.u64(5).unwrap_or(0),
        index_bytes: row.u64(6).unwrap_or(0),
        partitioning: options
            .split_whitespace()
            .any(|option| option.eq_ignore_ascii_case("partitioned"))
            .then(String::new),
        create: String::new(),
    })
}

/// Of `COLUMNS`, behind the name: name, type, full type, nullable, lengths, collation, `EXTRA`,
/// expression.
pub(super) fn column(row: &impl Cells) -> Option<Column> {
    let extra = row.text(9).unwrap_or_default().to_ascii_lowercase();
    let generated = (extra.contains("virtual generated") || extra.contains("stored generated"))
        .then(|| Generated {
            expression: unescaped(&row.text(10).unwrap_or_default()),
            is_stored: extra.contains("stored generated"),
        });
    Some(Column {
        name: row.text(2)?,
        data_type: row.text(3)?.to_ascii_lowercase(),
        full_type: row.text(4)?,
        is_nullable: row.flag(5).unwrap_or(true),
        max_chars: row.u64(6),
        max_bytes: row.u64(7),
        collation: row.text(8),
        is_auto_increment: extra.contains("auto_increment"),
        generated,
    })
}

/// `information_schema` writes expressions as they stand in a string literal.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some('0') => plain.push('\0'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            c => plain.push(c),
        }
    }
    plain
}

/// Of `VIEWS`, behind the name: its query, empty where the account may not see it.
pub(super) fn view(row: &impl Cells) -> Option<View> {
    Some(View {
        name: name(row)?,
        query: row.text(2)?,
    })
}

/// Of `KEY_COLUMN_USAGE`, behind the name: constraint, column, parent's schema, table, column.
/// Rows come in the order of the columns.
pub(super) fn add_foreign_key(keys: &mut Vec<ForeignKey>, row: &impl Cells) {
    let (Some(name), Some(column), Some(schema), Some(table), Some(parent_column)) = (
        row.text(2),
        row.text(3),
        row.text(4),
        row.text(5),
        row.text(6),
    ) else {
        return;
    };
    match keys.iter_mut().find(|key| key.name == name) {
        Some(key) => {
            key.columns.push(column);
            key.parent_columns.push(parent_column);
        }
        None => keys.push(ForeignKey {
            name,
            columns: vec![column],
            parent: TableName::new(schema, table),
            parent_columns: vec![parent_column],
        }),
    }
}

/// Of `STATISTICS`, behind the name: index, `NON_UNIQUE`, type, comment, visible, column,
/// expression, `SUB_PART`, `COLLATION`, cardinality. Rows come in the order of the parts.
pub(super) fn add_part(indexes: &mut Vec<Index>, row: &impl Cells) {
    let Some(name) = row.text(2) else {
        return;
    };
    let expression = row.text(8).map(|text| unescaped(&text));
    let is_array = expression.as_deref().is_some_and(is_array_cast);
    let place = indexes.iter().position(|index| index.name == name);
    let place = place.unwrap_or_else(|| {
        indexes.push(Index {
            kind: kind(&row.text(4).unwrap_or_default()),
            is_unique: row.u64(3) == Some(0),
            is_visible: row.flag(6).unwrap_or(true),
            comment: row.text(5).unwrap_or_default(),
            ..Index::btree(name, Vec::new())
        });
        indexes.len() - 1
    });
    let index = &mut indexes[place];
    if is_array {
        index.kind = IndexKind::MultiValued;
    }
    let what = match (row.text(7), expression) {
        (_, Some(expression)) => Part::Expression(expression),
        (Some(column), None) => Part::Column(column),
        (None, None) => return,
    };
    index.parts.push(KeyPart {
        what,
        // The server tells the length of a bounding box, which nobody can set.
        prefix: row
            .u64(9)
            .and_then(|length| u32::try_from(length).ok())
            .filter(|_| index.kind != IndexKind::Spatial),
        is_descending: row.str(10) == Some("D"),
    });
    index.cardinality.push(row.u64(11));
}

/// `CAST(… AS … ARRAY)`, as the server writes it.
fn is_array_cast(expression: &str) -> bool {
    expression.to_ascii_lowercase().ends_with(" array)")
}

fn kind(of: &str) -> IndexKind {
    match of.to_ascii_uppercase().as_str() {
        "FULLTEXT" => IndexKind::FullText,
        "SPATIAL" | "RTREE" => IndexKind::Spatial,
        "HASH" => IndexKind::Hash,
        _ => IndexKind::BTree,
    }
}

/// Of `PARTITIONS`, behind the name: method and expression, those of subpartitions.
pub(super) fn partitioning(row: &impl Cells) -> Option<String> {
    let part = |method: usize| {
        let by = row.text(method)?;
        let expression = row.text(method + 1).unwrap_or_default();
        Some(format!("{by} ({})", unescaped(&expression)))
    };
    let first = part(2)?;
    Some(match part(4) {
        Some(second) => format!("{first} SUBPARTITION BY {second}"),
        None => first,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(cells: [Option<&str>; 12]) -> [Option<&str>; 12] {
        cells
    }

    #[test]
    fn parts_make_indexes() {
        let mut indexes = Vec::new();
        let head = [Some("s"), Some("t")];
        let row = |index, unique, what: [Option<&'static str>; 4]| {
            part([
                head[0],
                head[1],
                Some(index),
                Some(unique),
                Some("BTREE"),
                Some(""),
                Some("YES"),
                what[0],
                what[1],
                what[2],
                what[3],
                Some("7"),
            ])
        };
        add_part(
            &mut indexes,
            &row("a", "1", [Some("x"), None, Some("8"), Some("D")]),
        );
        add_part(
            &mut indexes,
            &row("a", "1", [Some("y"), None, None, Some("A")]),
        );
        let array = "cast(json_extract(`d`,_utf8mb4\\'$.a\\') as unsigned array)";
        add_part(
            &mut indexes,
            &row("m", "0", [None, Some(array), None, Some("A")]),
        );
        assert_eq!(indexes.len(), 2);
        assert_eq!(indexes[0].parts.len(), 2);
        assert_eq!(indexes[0].parts[0].prefix, Some(8));
        assert!(indexes[0].parts[0].is_descending);
        assert_eq!(indexes[0].cardinality, [Some(7), Some(7)]);
        assert!(indexes[1].is_unique);
        assert_eq!(indexes[1].kind, IndexKind::MultiValued);
        assert_eq!(
            indexes[1].parts[0].what,
            Part::Expression("cast(json_extract(`d`,_utf8mb4'$.a') as unsigned array)".to_owned())
        );
    }

    #[test]
    fn expressions_lose_one_level_of_escapes() {
        for (text, plain) in [
            ("lower(`s`)", "lower(`s`)"),
            (r"_utf8mb4\'it\\\'s\'", r"_utf8mb4'it\'s'"),
            (r"_utf8mb4\'b\\\\\'", r"_utf8mb4'b\\'"),
            (r"a\nb", "a\nb"),
        ] {
            assert_eq!(unescaped(text), plain);
        }
    }
}
