//! What counts as the same, and what does not.

use super::*;
use crate::model::schema::{Column, Part, TableName};

fn column(name: &str, data_type: &str, chars: Option<u64>) -> Column {
    Column {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        full_type: data_type.to_owned(),
        is_nullable: true,
        max_chars: chars,
        max_bytes: None,
        collation: None,
        is_auto_increment: false,
        generated: None,
    }
}

fn table(indexes: Vec<Index>) -> Table {
    Table {
        name: TableName::new("s", "t"),
        engine: "InnoDB".to_owned(),
        columns: vec![
            column("State", "varchar", Some(20)),
            column("note", "text", Some(65_535)),
        ],
        indexes,
        foreign_keys: Vec::new(),
        rows: 0,
        data_bytes: 0,
        index_bytes: 0,
        partitioning: None,
        create: String::new(),
    }
}

fn on(parts: Vec<KeyPart>) -> Index {
    Index::btree("i", parts)
}

fn expression(text: &str) -> KeyPart {
    KeyPart {
        what: Part::Expression(text.to_owned()),
        prefix: None,
        is_descending: false,
    }
}

#[test]
fn every_facet_counts() {
    type Change = fn(&mut Index);
    let base = || on(vec![KeyPart::column("state")]);
    let cases: [(Change, bool); 11] = [
        (|_| {}, true),
        (|index| index.parts[0] = KeyPart::column("STATE"), true),
        (|index| index.parts[0].prefix = Some(20), true),
        (|index| index.kind = IndexKind::Hash, true),
        (|index| index.is_visible = false, true),
        (|index| index.parts[0].prefix = Some(19), false),
        (|index| index.parts[0].is_descending = true, false),
        (|index| index.is_unique = true, false),
        (|index| index.comment = "x".to_owned(), false),
        (|index| index.parts.push(KeyPart::column("note")), false),
        (|index| index.kind = IndexKind::FullText, false),
    ];
    for (place, (change, is_same)) in cases.into_iter().enumerate() {
        let mut found = base();
        change(&mut found);
        let there = table(vec![found.clone()]);
        let seen = compare(&normal(&base(), &there), &found, &there);
        assert_eq!(matches!(seen, Found::Same { .. }), is_same, "{place}");
        if let Found::Other(text) = seen {
            assert!(text.contains("s.t") && text.contains("INDEX `i`"), "{text}");
        }
    }
}

#[test]
fn expressions_are_compared_by_what_they_mean() {
    for (one, other, is_same) in [
        ("LOWER( email )", "lower(`email`)", true),
        ("(a + b) * c", "a + b * c", false),
    ] {
        let there = table(vec![on(vec![expression(other)])]);
        let wanted = normal(&on(vec![expression(one)]), &there);
        let seen = compare(&wanted, &there.indexes[0], &there);
        assert_eq!(matches!(seen, Found::Same { .. }), is_same);
    }
}

#[test]
fn types_are_the_same_under_their_other_names() {
    for (found, wanted, is_same) in [
        ("int", "INTEGER", true),
        ("int", "int(11)", true),
        ("bigint unsigned", "bigint(20) unsigned", true),
        ("decimal(10,2)", "numeric(10, 2)", true),
        ("decimal(10,2)", "dec(10,2)", true),
        ("tinyint(1)", "boolean", true),
        (
            "varchar(20)",
            "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            true,
        ),
        ("varchar(20)", "varchar(21)", false),
        ("int", "int unsigned", false),
    ] {
        assert_eq!(is_same_type(found, wanted), is_same, "{found} {wanted}");
    }
}

#[test]
fn a_unique_index_stands_for_the_primary_key_that_is_missing() {
    let mut there = table(Vec::new());
    let mut unique = on(vec![KeyPart::column("state")]);
    unique.is_unique = true;
    assert!(!is_primary_substitute(&unique, &there), "it knows NULL");
    there.columns[0].is_nullable = false;
    assert!(is_primary_substitute(&unique, &there));
    unique.parts[0].prefix = Some(3);
    assert!(is_primary_substitute(&unique, &there));
    unique.parts[0].prefix = None;
    there.indexes.push(Index {
        name: "PRIMARY".to_owned(),
        ..unique.clone()
    });
    assert!(!is_primary_substitute(&unique, &there));
}
