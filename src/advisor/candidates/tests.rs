//! One case for each rule.

mod expressions;
mod orders;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::advisor::shape::{Block, Join, Op, Predicate, StatementKind, TableUse, Write};
use crate::advisor::statistics::ColumnStatistics;
use crate::model::schema::{Column, ForeignKey, Part};

fn column(name: &str, full_type: &str) -> Column {
    let (full_type, is_nullable) = match full_type.strip_suffix('!') {
        Some(rest) => (rest, false),
        None => (full_type, true),
    };
    let (data_type, rest) = full_type.split_once('(').unwrap_or((full_type, ""));
    let data_type = data_type.split(' ').next().unwrap().to_owned();
    let chars = rest
        .split_once(')')
        .and_then(|(n, _)| n.parse::<u64>().ok());
    let is_string = ["varchar", "char"].contains(&data_type.as_str());
    let is_text = data_type == "text";
    Column {
        name: name.to_owned(),
        data_type,
        full_type: full_type.to_owned(),
        is_nullable,
        max_chars: if is_text {
            Some(65_535)
        } else {
            chars.filter(|_| is_string)
        },
        max_bytes: if is_text {
            Some(65_535)
        } else {
            chars.filter(|_| is_string).map(|n| n * 4)
        },
        collation: (is_string || is_text).then(|| "utf8mb4_0900_ai_ci".to_owned()),
        is_auto_increment: false,
        generated: None,
    }
}

fn key(names: &str) -> Vec<KeyPart> {
    names
        .split(' ')
        .map(|name| KeyPart {
            is_descending: name.ends_with('-'),
            ..KeyPart::column(name.trim_end_matches('-'))
        })
        .collect()
}

/// `t` with the primary key `id` and one column of many kinds.
fn table() -> Table {
    let mut primary = Index::btree("PRIMARY", key("id"));
    primary.is_unique = true;
    let columns = [
        "id int!",
        "a int",
        "b int",
        "c int",
        "d int",
        "e int",
        "u int unsigned",
        "s varchar(40)",
        "long_text text",
        "wide varchar(2000)",
        "doc json",
        "at datetime",
        "seen timestamp",
        "p1 varchar(200)",
        "p2 varchar(200)",
    ];
    Table {
        name: TableName::new("x", "t"),
        engine: "InnoDB".to_owned(),
        columns: columns
            .iter()
            .map(|text| {
                let (name, kind) = text.split_once(' ').unwrap();
                column(name, kind)
            })
            .collect(),
        indexes: vec![primary],
        foreign_keys: Vec::new(),
        rows: 1_000_000,
        data_bytes: 400_000_000,
        index_bytes: 0,
        partitioning: None,
        create: String::new(),
    }
}

fn part(text: &str) -> Part {
    if text.contains(['(', '>', '+', '%']) {
        Part::Expression(text.to_owned())
    } else {
        Part::Column(text.to_owned())
    }
}

/// `a=1`, `b<5`, `c in 1 2`, `s~'x'` (LIKE 'x…'), `s*` (LIKE '%x'), `d!` (unequal), `e?` (IS NULL).
fn predicate(text: &str) -> Predicate {
    let (what, op, constants): (&str, Op, Vec<&str>) = if let Some(what) = text.strip_suffix('*') {
        (what, Op::Contains, vec!["'%x%'"])
    } else if let Some(what) = text.strip_suffix('!') {
        (what, Op::Unequal, vec!["1"])
    } else if let Some(what) = text.strip_suffix('?') {
        (what, Op::IsNull, vec![])
    } else if let Some((what, list)) = text.split_once(" in ") {
        (what, Op::In, list.split(' ').collect())
    } else if let Some((what, list)) = text.split_once(" has ") {
        (what, Op::MemberOf, vec![list])
    } else if let Some((what, one)) = text.split_once('~') {
        (what, Op::LikePrefix, vec![one])
    } else if let Some((what, one)) = text.split_once('=') {
        (what, Op::Equal, vec![one])
    } else {
        let (what, one) = text.split_once('<').unwrap();
        (what, Op::Range, vec![one])
    };
    Predicate {
        what: part(what),
        op,
        constants: constants.into_iter().map(str::to_owned).collect(),
    }
}

fn predicates(text: &str) -> Vec<Predicate> {
    text.split(" & ")
        .filter(|text| !text.is_empty())
        .map(predicate)
        .collect()
}

fn used(conditions: &str) -> TableUse {
    let predicates = predicates(conditions);
    let columns = predicates
        .iter()
        .filter_map(|predicate| match &predicate.what {
            Part::Column(name) => Some(name.clone()),
            Part::Expression(_) => None,
        })
        // So that nothing covers: a column that can't be in a key.
        .chain(["doc".to_owned()])
        .collect();
    TableUse {
        table: TableName::new("x", "t"),
        alias: "t".to_owned(),
        predicates,
        ors: Vec::new(),
        joins: Vec::new(),
        group: Vec::new(),
        order: Vec::new(),
        extremes: Vec::new(),
        columns,
        is_outer_joined: false,
        hints: Vec::new(),
    }
}

fn shape(used: TableUse) -> Shape {
    Shape {
        kind: StatementKind::Select,
        blocks: vec![Block {
            tables: vec![used],
            ..Block::default()
        }],
        writes: Vec::new(),
        gaps: Vec::new(),
    }
}

fn run(
    table: &Table,
    shapes: &[(usize, Shape)],
    options: &Options,
    statistics: &Statistics,
) -> Generated {
    let catalog = Catalog {
        tables: BTreeMap::from([(table.name.clone(), table.clone())]),
        ..Catalog::default()
    };
    generate(shapes, &catalog, statistics, options)
}

fn show(candidate: &Candidate) -> String {
    let parts: Vec<String> = candidate
        .index
        .parts
        .iter()
        .map(|part| {
            let mut text = match &part.what {
                Part::Column(name) => name.clone(),
                Part::Expression(text) => format!("({text})"),
            };
            if let Some(chars) = part.prefix {
                text = format!("{text}({chars})");
            }
            if part.is_descending {
                text.push('-');
            }
            text
        })
        .collect();
    parts.join(" ")
}

/// The candidates for these uses, each of them a query of its own, sorted.
fn found(table: &Table, uses: Vec<TableUse>) -> BTreeSet<String> {
    let shapes: Vec<_> = uses.into_iter().map(shape).enumerate().collect();
    let found = run(table, &shapes, &Options::default(), &Statistics::default());
    found.candidates.iter().map(show).collect()
}

#[track_caller]
fn check(uses: Vec<TableUse>, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(|text| (*text).to_owned()).collect();
    assert_eq!(found(&table(), uses), expected);
}

fn with(mut used: TableUse, change: impl FnOnce(&mut TableUse)) -> TableUse {
    change(&mut used);
    used
}

#[test]
fn conditions_become_equalities_then_one_range() {
    check(vec![used("a=1")], &["a"]);
    check(vec![used("a=1 & b=2 & c<3")], &["a b", "a b c"]);
    check(vec![used("a in 1 2 & c<3")], &["a", "a c"]);
    check(vec![used("a=1 & b in 1 2")], &["a", "a b"]);
    check(vec![used("e? & s~'x'")], &["e", "e s"]);
    // Each range is tried.
    check(vec![used("a=1 & b<2 & c<3")], &["a", "a b", "a c"]);
}

#[test]
fn what_no_index_helps_gives_none() {
    // Complaint SOAR #242.
    check(vec![used("d!")], &[]);
    check(vec![used("a=1 & d!")], &["a"]);
    check(vec![used("doc=1")], &[]);
    // The primary key finds it (SOAR #254).
    check(vec![used("id=1")], &[]);
    check(vec![used("id=1 & a=2")], &[]);
    check(vec![used("id<1")], &[]);
}

#[test]
fn a_primary_key_suffix_is_left_to_innodb() {
    // Complaint SOAR #195.
    check(vec![used("a=1 & id<5")], &["a"]);
    check(
        vec![with(used("a=1"), |used| used.order = key("id"))],
        &["a"],
    );
    // The other direction behind an ascending column is no suffix.
    check(
        vec![with(used(""), |used| used.order = key("a id-"))],
        &["a id-"],
    );
    let mut isam = table();
    isam.engine = "MyISAM".to_owned();
    assert_eq!(
        found(&isam, vec![used("a=1 & id<5")]),
        BTreeSet::from(["a".to_owned(), "a id".to_owned()])
    );
}

fn join(what: &str, other: &str) -> Join {
    Join {
        what: part(what),
        other: other.to_owned(),
        other_table: None,
        other_column: None,
    }
}

#[test]
fn joins_are_tried_alone_and_with_equalities() {
    let other = with(used(""), |used| {
        used.table = TableName::new("x", "elsewhere");
        used.alias = "o".to_owned();
    });
    let mine = with(used("a=1"), |used| {
        used.joins = vec![join("b", "o"), join("c", "p")];
    });
    let mut shape = shape(mine);
    shape.blocks[0].tables.push(other.clone());
    shape.blocks[0]
        .tables
        .push(with(other, |used| used.alias = "p".to_owned()));
    let found = run(
        &table(),
        &[(0, shape)],
        &Options::default(),
        &Statistics::default(),
    );
    let all: BTreeSet<String> = found.candidates.iter().map(show).collect();
    for expected in ["a", "b", "c", "b a", "a c"] {
        let turned: Vec<&str> = expected.split(' ').rev().collect();
        assert!(
            all.contains(expected) || all.contains(&turned.join(" ")),
            "{expected}: {all:?}"
        );
    }
    // A column of an outer block is one value: the order behind it holds.
    check(
        vec![with(used(""), |used| {
            used.joins = vec![join("b", "outside")];
            used.order = key("c");
        })],
        &["b", "b c", "c"],
    );
}

#[test]
fn each_branch_of_an_or_gets_its_own() {
    check(
        vec![with(used(""), |used| {
            used.ors = vec![vec![
                predicates("a=1"),
                predicates("b=1 & c<2"),
                predicates("s~'x'"),
            ]];
        })],
        &["a", "b", "b c", "s"],
    );
}

#[test]
fn covering_adds_the_other_columns_when_they_are_few_and_short() {
    let reads = |names: &str| {
        with(used("a=1"), |used| {
            used.columns = names.split(' ').map(str::to_owned).collect();
        })
    };
    check(vec![reads("a b id")], &["a", "a b"]);
    check(vec![reads("a b c")], &["a", "a b c"]);
    check(vec![reads("a long_text")], &["a"]);
    check(vec![reads("a doc")], &["a"]);
    check(vec![reads("a wide")], &["a"]);
    // Most of the row.
    let mut narrow = table();
    narrow.columns.truncate(3);
    narrow.data_bytes = 30_000_000;
    let all = with(reads("id a b"), |_| {});
    assert_eq!(found(&narrow, vec![all]), BTreeSet::from(["a".to_owned()]));
}

#[test]
fn long_strings_are_indexed_by_a_prefix_at_the_end() {
    check(vec![used("long_text~'x'")], &["long_text(32)"]);
    check(
        vec![used("a=1 & wide='x'")],
        &["a", "a wide(32)", "wide(32)"],
    );
    // Never for an order.
    check(
        vec![with(used("a=1"), |used| used.order = key("wide"))],
        &["a"],
    );
    let mut statistics = Statistics::default();
    let known = ColumnStatistics {
        average_bytes: Some(90.0),
        prefix: Some(11),
        ..ColumnStatistics::default()
    };
    statistics.insert(table().name, "p1", known);
    let shapes = [(0, shape(used("p1='x' & p2='y'")))];
    let found = run(&table(), &shapes, &Options::default(), &statistics);
    let all: BTreeSet<String> = found.candidates.iter().map(show).collect();
    assert!(all.contains("p2 p1(11)") && all.contains("p2"), "{all:?}");
}
