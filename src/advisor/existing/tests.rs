//! One case for each rule.

mod going;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::advisor::shape::{Block, Predicate, StatementKind};
use crate::model::schema::Column;

fn parts(text: &str) -> Vec<KeyPart> {
    text.split(' ')
        .map(|text| {
            let (name, prefix) = match text.split_once(':') {
                Some((name, chars)) => (name, chars.parse().ok()),
                None => (text, None),
            };
            KeyPart {
                prefix,
                is_descending: name.ends_with('-'),
                ..KeyPart::column(name.trim_end_matches('-'))
            }
        })
        .collect()
}

/// `name (a b)`, `name! (a)` for a unique one, `name? (a)` for one that is hidden.
fn index(text: &str) -> Index {
    let (name, rest) = text.split_once(" (").unwrap();
    let mut index = Index::btree(
        name.trim_end_matches(['!', '?']),
        parts(rest.trim_end_matches(')')),
    );
    index.is_unique = name.ends_with('!') || name == "PRIMARY";
    index.is_visible = !name.ends_with('?');
    index
}

fn table(name: &str, indexes: &[&str]) -> Table {
    let column = |name: &str| Column {
        name: name.to_owned(),
        data_type: if name == "w" { "varchar" } else { "int" }.to_owned(),
        full_type: if name == "w" { "varchar(250)" } else { "int" }.to_owned(),
        is_nullable: name != "id" && name != "n",
        max_chars: (name == "w").then_some(250),
        max_bytes: (name == "w").then_some(1000),
        collation: None,
        is_auto_increment: false,
        generated: None,
    };
    Table {
        name: TableName::new("x", name),
        engine: "InnoDB".to_owned(),
        columns: ["id", "n", "a", "b", "c", "e", "w"].map(column).to_vec(),
        indexes: indexes.iter().map(|text| index(text)).collect(),
        foreign_keys: Vec::new(),
        rows: 1_000_000,
        data_bytes: 100_000_000,
        index_bytes: 0,
        partitioning: None,
        create: String::new(),
    }
}

fn fates(
    tables: Vec<Table>,
    usage: &IndexUsage,
    shapes: &[(usize, Shape)],
) -> BTreeMap<String, Fate> {
    let catalog = Catalog {
        tables: tables
            .into_iter()
            .map(|table| (table.name.clone(), table))
            .collect(),
        ..Catalog::default()
    };
    review(&catalog, usage, shapes)
        .into_iter()
        .map(|verdict| (verdict.index.name, verdict.fate))
        .collect()
}

/// Checks `index: fate` of each secondary index of `t`.
#[track_caller]
fn check(indexes: &[&str], shapes: &[(usize, Shape)], expected: &[(&str, Fate)]) {
    let expected: BTreeMap<String, Fate> = expected
        .iter()
        .map(|(name, fate)| ((*name).to_owned(), fate.clone()))
        .collect();
    assert_eq!(
        fates(vec![table("t", indexes)], &IndexUsage::default(), shapes),
        expected,
        "{indexes:?}"
    );
}

fn redundant(name: &str) -> Fate {
    Fate::Redundant(name.to_owned())
}

fn duplicate(name: &str) -> Fate {
    Fate::Duplicate(name.to_owned())
}

fn reads(name: &str, change: impl FnOnce(&mut TableUse)) -> (usize, Shape) {
    let mut used = TableUse {
        table: TableName::new("x", name),
        alias: name.to_owned(),
        predicates: vec![Predicate {
            what: Part::Column("a".to_owned()),
            op: Op::Equal,
            constants: vec!["1".to_owned()],
        }],
        ors: Vec::new(),
        joins: Vec::new(),
        group: Vec::new(),
        order: Vec::new(),
        extremes: Vec::new(),
        columns: BTreeSet::new(),
        is_outer_joined: false,
        hints: Vec::new(),
    };
    change(&mut used);
    let block = Block {
        tables: vec![used],
        ..Block::default()
    };
    let shape = Shape {
        kind: StatementKind::Select,
        blocks: vec![block],
        writes: Vec::new(),
        gaps: Vec::new(),
    };
    (0, shape)
}

#[test]
fn only_ordered_indexes_are_beginnings_of_others() {
    for kind in [IndexKind::FullText, IndexKind::Hash, IndexKind::Spatial] {
        let mut table = table("t", &["short (a)", "long (a b)", "same (a)"]);
        for index in &mut table.indexes {
            if !index.is_primary() {
                index.kind = kind;
            }
        }
        let fates = fates(vec![table], &IndexUsage::default(), &[]);
        assert_eq!(fates["long"], Fate::Keep, "{kind:?}");
        let twins = [&fates["short"], &fates["same"]];
        assert!(twins.contains(&&Fate::Keep), "{kind:?}: {fates:?}");
        let is_redundant = |fate: &&Fate| matches!(fate, Fate::Redundant(_));
        assert!(!fates.values().any(|fate| is_redundant(&fate)), "{kind:?}");
    }
}

#[test]
fn pairs_lose_one_of_both() {
    // Complaint index-digest #48: never both.
    check(
        &["PRIMARY (id)", "x (a)", "y (a)"],
        &[],
        &[("x", Fate::Keep), ("y", duplicate("x"))],
    );
    // The sys schema misses this one.
    check(
        &["PRIMARY (id)", "e (e)", "ee (e id)"],
        &[],
        &[("e", Fate::Keep), ("ee", duplicate("e"))],
    );
    check(
        &["PRIMARY (id)", "x (a)", "y (a)", "z (a)"],
        &[],
        &[
            ("x", Fate::Keep),
            ("y", duplicate("x")),
            ("z", duplicate("x")),
        ],
    );
    // A hidden one can't stand in for one that is shown.
    check(
        &["PRIMARY (id)", "x? (a)", "y (a)"],
        &[],
        &[("x", duplicate("y")), ("y", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "x (a)", "y (a-)"],
        &[],
        &[("x", Fate::Keep), ("y", redundant("x"))],
    );
}

#[test]
fn uniqueness_is_kept() {
    let unique = Fate::Required(Required::Unique);
    check(
        &["PRIMARY (id)", "u! (a)", "x (a)"],
        &[],
        &[("u", unique.clone()), ("x", duplicate("u"))],
    );
    // `sys.schema_redundant_indexes` proposes to drop the wider one.
    check(
        &["PRIMARY (id)", "u! (a)", "x (a e)"],
        &[],
        &[("u", unique.clone()), ("x", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "u! (a)", "v! (a)"],
        &[],
        &[("u", unique.clone()), ("v", duplicate("u"))],
    );
    // What is unique by fewer columns is unique by more.
    check(
        &["PRIMARY (id)", "u! (a)", "v! (a b)"],
        &[],
        &[("u", unique.clone()), ("v", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "u! (w:9)", "v! (w)"],
        &[],
        &[("u", unique.clone()), ("v", Fate::Keep)],
    );
    check(
        &["u! (n)", "x (a)"],
        &[],
        &[
            ("u", Fate::Required(Required::ImplicitPrimaryKey)),
            ("x", Fate::Keep),
        ],
    );
}

#[test]
fn a_beginning_is_redundant_unless_something_is_lost() {
    check(
        &["PRIMARY (id)", "x (a)", "y (a b)"],
        &[],
        &[("x", redundant("y")), ("y", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "x (a)", "y (a b)", "z (a b c)"],
        &[],
        &[
            ("x", redundant("z")),
            ("y", redundant("z")),
            ("z", Fate::Keep),
        ],
    );
    check(
        &["PRIMARY (id)", "x (b)", "y (a b)"],
        &[],
        &[("x", Fate::Keep), ("y", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "x (a-)", "y (a b)"],
        &[],
        &[("x", redundant("y")), ("y", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "x (a b-)", "y (a b c)"],
        &[],
        &[("x", Fate::Keep), ("y", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "x (a- b)", "y (a b- c)"],
        &[],
        &[("x", redundant("y")), ("y", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "x (w:9)", "y (w b)"],
        &[],
        &[("x", Fate::Keep), ("y", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "x (a w:9)", "y (a w:20)"],
        &[],
        &[("x", redundant("y")), ("y", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "x (a w:9)", "y (a w:5)"],
        &[],
        &[("x", Fate::Keep), ("y", redundant("x"))],
    );
    // Complaint pg_sage #30: a far wider one costs more to read.
    check(
        &["PRIMARY (id)", "x (a)", "y (a w)"],
        &[],
        &[("x", Fate::Keep), ("y", Fate::Keep)],
    );
    check(
        &["PRIMARY (id)", "x (a)", "y? (a b)"],
        &[],
        &[("x", Fate::Keep), ("y", Fate::Keep)],
    );
}

#[test]
fn the_primary_key_behind_an_index_counts_where_a_query_uses_it() {
    let indexes = ["PRIMARY (id)", "x (a)", "y (a b)"];
    let keep = [("x", Fate::Keep), ("y", Fate::Keep)];
    let drop = [("x", redundant("y")), ("y", Fate::Keep)];
    check(&indexes, &[reads("t", |_| {})], &drop);
    check(
        &indexes,
        &[reads("t", |used| used.order = parts("id"))],
        &keep,
    );
    check(
        &indexes,
        &[reads("t", |used| used.extremes = parts("id"))],
        &keep,
    );
    let range = |used: &mut TableUse| {
        used.predicates.push(Predicate {
            what: Part::Column("id".to_owned()),
            op: Op::Range,
            constants: vec!["5".to_owned()],
        });
    };
    check(&indexes, &[reads("t", range)], &keep);
    check(
        &indexes,
        &[reads("other", |used| used.order = parts("id"))],
        &drop,
    );
}

#[test]
fn hints_are_kept() {
    check(
        &["PRIMARY (id)", "x (a)", "y (a b)"],
        &[reads("t", |used| used.hints.push("X".to_owned()))],
        &[("x", Fate::Required(Required::Hint)), ("y", Fate::Keep)],
    );
}

#[test]
fn foreign_keys_keep_a_support_on_both_sides() {
    let key = ForeignKey {
        name: "fk".to_owned(),
        columns: vec!["a".to_owned()],
        parent: TableName::new("x", "parent"),
        parent_columns: vec!["n".to_owned()],
    };
    let mut child = table("child", &["PRIMARY (id)", "x (a)"]);
    child.foreign_keys.push(key.clone());
    let parent = table("parent", &["PRIMARY (id)", "p (n)", "q (n b)"]);
    let mut usage = IndexUsage {
        window: Some(Duration::from_hours(24)),
        ..IndexUsage::default()
    };
    for (table, name) in [("child", "x"), ("parent", "p"), ("parent", "q")] {
        usage.counts.insert(
            (TableName::new("x", table), name.to_owned()),
            Counts::default(),
        );
    }
    // Complaint: the sys schema calls the child's index unused.
    let found = fates(vec![child.clone(), parent], &usage, &[]);
    assert_eq!(found["x"], Fate::Required(Required::ForeignKeyChild));
    assert_eq!(found["p"], redundant("q"));
    assert_eq!(found["q"], Fate::Required(Required::ForeignKeyParent));
    // Another index supports it as well.
    child.indexes.push(index("y (a b)"));
    let found = fates(vec![child], &usage, &[]);
    assert_eq!(found["x"], redundant("y"));
    assert_eq!(found["y"], Fate::Required(Required::ForeignKeyChild));
}
