//! One case for each rule.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::advisor::shape::{Block, Join, Op, Predicate, StatementKind, TableUse, Write};
use crate::advisor::statistics::ColumnStatistics;
use crate::model::schema::{Column, ForeignKey};

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

#[test]
fn orders_come_behind_single_values_only() {
    let order = |conditions, order| with(used(conditions), |used| used.order = key(order));
    check(vec![order("a=1", "b")], &["a", "a b", "b"]);
    check(vec![order("a=1", "b- c-")], &["a", "a b c", "b c"]);
    check(vec![order("", "b c-")], &["b c-"]);
    check(vec![order("", "b- c")], &["b c-"]);
    check(vec![order("", "b- c- d")], &["b c d-"]);
    // A column with one value needs no place in the order.
    check(vec![order("a=1", "a b")], &["a", "a b", "b"]);
    // Behind IN the order is lost; with it at the end the rows are filtered in the index.
    check(vec![order("a in 1 2", "b")], &["a", "b", "b a"]);
}

#[test]
fn groups_are_free_in_their_order() {
    let group = |conditions, group| with(used(conditions), |used| used.group = key(group));
    check(vec![group("a=1", "b")], &["a", "a b", "b"]);
    // The other query decides which of both comes first.
    check(vec![group("", "b c"), used("c=1")], &["c", "c b"]);
    check(vec![group("", "b c"), used("b=1")], &["b", "b c"]);
    // Sorted by one of the groups.
    let sorted = with(group("", "b c"), |used| used.order = key("c"));
    check(vec![sorted], &["c", "c b"]);
}

#[test]
fn extremes_stand_behind_equalities() {
    let least = |conditions| with(used(conditions), |used| used.extremes = key("b"));
    check(vec![least("a=1")], &["a", "a b"]);
    check(vec![least("")], &["b"]);
    check(
        vec![with(least(""), |used| used.group = key("c"))],
        &["b", "c", "c b"],
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
fn orders_of_several_queries_merge_to_one_index() {
    check(vec![used("a=1 & b=2"), used("b=1")], &["b", "b a"]);
    check(
        vec![used("a=1 & b=2 & c=3"), used("c=1"), used("c=1 & b=1")],
        &["c", "c b", "c b a"],
    );
    let shapes = [(0, shape(used("a=1 & b=2"))), (1, shape(used("b=1")))];
    let found = run(
        &table(),
        &shapes,
        &Options::default(),
        &Statistics::default(),
    );
    let wide = found
        .candidates
        .iter()
        .find(|one| show(one) == "b a")
        .unwrap();
    let merged = Origin {
        query: Some(1),
        role: Role::Merged,
    };
    assert!(wide.origins.contains(&merged), "{:?}", wide.origins);
}

#[test]
fn ties_go_to_selectivity_and_often_written_columns_come_last() {
    let mut statistics = Statistics::default();
    for (name, distinct) in [("a", 10), ("b", 1_000), ("c", 1_000)] {
        let known = ColumnStatistics {
            distinct: Some(distinct),
            ..ColumnStatistics::default()
        };
        statistics.insert(table().name, name, known);
    }
    let mut update = shape(used("id=1"));
    update.writes.push(Write {
        table: table().name,
        kind: WriteKind::Update,
        columns: BTreeSet::from(["b".to_owned()]),
        rows: None,
    });
    let shapes = [(0, shape(used("a=1 & b=2 & c=3"))), (1, update)];
    let found = run(&table(), &shapes, &Options::default(), &statistics);
    assert_eq!(
        found.candidates.iter().map(show).collect::<Vec<_>>(),
        ["c b a"]
    );
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

#[test]
fn expressions_become_columns_of_their_exact_type() {
    for (condition, full_type, expression) in [
        (
            "lower(s)='x'",
            "varchar(40) COLLATE utf8mb4_0900_ai_ci",
            "lower(`s`)",
        ),
        (
            "UPPER(t.s)='X'",
            "varchar(40) COLLATE utf8mb4_0900_ai_ci",
            "upper(`s`)",
        ),
        ("date(at)='2024-01-01'", "date", "date(`at`)"),
        ("year(at)=2024", "bigint", "year(`at`)"),
        ("a+b=3", "bigint", "(`a` + `b`)"),
        ("a%7=3", "bigint", "(`a` % 7)"),
        ("u+1=3", "bigint unsigned", "(`u` + 1)"),
        (
            "doc->>'$.x'='y'",
            "varchar(255) COLLATE utf8mb4_bin",
            "json_unquote(json_extract(`doc`,'$.x'))",
        ),
        (
            "CAST(doc->>'$.n' AS SIGNED)=5",
            "bigint",
            "cast(json_unquote(json_extract(`doc`,'$.n')) as signed)",
        ),
    ] {
        let found = run(
            &table(),
            &[(0, shape(used(condition)))],
            &Options::default(),
            &Statistics::default(),
        );
        assert_eq!(found.candidates.len(), 1, "{condition}: {:?}", found.notes);
        let candidate = &found.candidates[0];
        let made = candidate.column.as_ref().unwrap();
        assert_eq!(
            (made.full_type.as_str(), made.expression.as_str()),
            (full_type, expression)
        );
        assert!(made.name.starts_with("mydex_"));
        assert_eq!(candidate.lock, LockLevel::None);
        assert_eq!(show(candidate), made.name);
    }
}

#[test]
fn expressions_that_could_change_results_are_left_out() {
    for condition in [
        // Depends on the session's time zone.
        "date(seen)='2024-01-01'",
        // Compared as floating point numbers.
        "doc->>'$.n'=5",
        "year(at)='2024'",
        "u-1=3".trim(),
        "sha2(s)='x'",
        "lower(nowhere)='x'",
        "lower(s)~'x'",
        "doc->>'$[*]'='x'",
    ] {
        check(vec![used(condition)], &[]);
    }
}

#[test]
fn a_table_that_takes_no_columns_gets_a_functional_index() {
    let mut table = table();
    table.indexes.push(Index {
        kind: IndexKind::FullText,
        ..Index::btree("ft", key("long_text"))
    });
    let shapes = [(0, shape(used("doc->>'$.x'='y'")))];
    let found = run(&table, &shapes, &Options::default(), &Statistics::default());
    let candidate = &found.candidates[0];
    assert_eq!(
        show(candidate),
        "(cast(json_unquote(json_extract(`doc`,'$.x')) as char(255)) collate utf8mb4_bin)"
    );
    assert_eq!(candidate.lock, LockLevel::Shared);
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.code == "expression-demand")
    );
}

#[test]
fn an_expression_that_has_a_column_or_an_index_uses_that() {
    let mut with_column = table();
    with_column.columns.push(Column {
        generated: Some(crate::model::schema::Generated {
            expression: "json_unquote(json_extract(`doc`,_utf8mb4\\'$.x\\'))".to_owned(),
            is_stored: false,
        }),
        ..column("x_of_doc", "varchar(40)")
    });
    assert_eq!(
        found(&with_column, vec![used("doc->>'$.x'='y'")]),
        BTreeSet::from(["x_of_doc".to_owned()])
    );
    let mut with_index = table();
    with_index.indexes.push(Index::btree(
        "fx",
        vec![KeyPart {
            what: Part::Expression(
                "cast(json_unquote(json_extract(`doc`,_utf8mb4\\'$.x\\')) as char(64) charset utf8mb4) collate utf8mb4_bin".to_owned(),
            ),
            prefix: None,
            is_descending: false,
        }],
    ));
    assert_eq!(
        found(&with_index, vec![used("doc->>'$.x'='y'")]),
        BTreeSet::new()
    );
}

#[test]
fn arrays_are_typed_by_their_constants() {
    for (condition, expected) in [
        ("doc->'$.tags' has 5", "signed"),
        ("doc->'$.tags' has '[5,6]'", "signed"),
        ("doc->'$.tags' has '[1.5]'", "decimal(30,10)"),
        ("doc->'$.tags' has 'red'", "char(255)"),
        ("doc->'$.tags' has '[\"red\"]'", "char(255)"),
    ] {
        let shapes = [(0, shape(used(condition)))];
        let found = run(
            &table(),
            &shapes,
            &Options::default(),
            &Statistics::default(),
        );
        assert_eq!(found.candidates.len(), 1, "{condition}");
        let candidate = &found.candidates[0];
        assert_eq!(
            show(candidate),
            format!("(cast(json_extract(`doc`,'$.tags') as {expected} array))")
        );
        assert_eq!(candidate.index.kind, IndexKind::MultiValued);
        assert_eq!(candidate.lock, LockLevel::Shared);
        assert!(!candidate.index.is_functional() || candidate.column.is_none());
    }
}

#[test]
fn searches_within_texts_are_advice_only() {
    let shapes = [(0, shape(used("s*")))];
    let found = run(
        &table(),
        &shapes,
        &Options::default(),
        &Statistics::default(),
    );
    assert!(found.candidates.is_empty());
    let note = &found.notes[0];
    assert_eq!(note.code, "text-search");
    assert_eq!(
        note.remedy,
        "ALTER TABLE `x`.`t` ADD FULLTEXT INDEX `ft_s` (`s`), ALGORITHM=INPLACE, LOCK=SHARED"
    );
    assert!(note.message.contains("finds words"));
}

#[test]
fn existing_indexes_are_not_proposed_again() {
    let mut table = table();
    table.indexes.push(Index::btree("one", key("a b")));
    let none = BTreeSet::new();
    assert_eq!(found(&table, vec![used("a=1")]), none);
    assert_eq!(found(&table, vec![used("a=1 & b=2")]), none);
    assert_eq!(found(&table, vec![used("a=1 & b=2 & id<3")]), none);
    assert_eq!(
        found(&table, vec![used("b=2")]),
        BTreeSet::from(["b".to_owned()])
    );
    table.indexes[1].is_visible = false;
    assert_eq!(
        found(&table, vec![used("a=1")]),
        BTreeSet::from(["a".to_owned()])
    );
}

#[test]
fn foreign_keys_without_an_index_get_one() {
    let mut table = table();
    table.engine = "MyISAM".to_owned();
    table.foreign_keys.push(ForeignKey {
        name: "fk".to_owned(),
        columns: vec!["a".to_owned(), "b".to_owned()],
        parent: TableName::new("x", "parent"),
        parent_columns: vec!["a".to_owned(), "b".to_owned()],
    });
    let all = run(&table, &[], &Options::default(), &Statistics::default());
    assert_eq!(all.candidates.iter().map(show).collect::<Vec<_>>(), ["a b"]);
    assert_eq!(all.candidates[0].origins[0].role, Role::ForeignKey);
    table.indexes.push(Index::btree("has", key("a b c")));
    assert_eq!(found(&table, vec![]), BTreeSet::new());
}

#[test]
fn limits_are_kept_and_said() {
    let mut small = table();
    small.rows = 99;
    let shapes = [
        (0, shape(used("a=1"))),
        (1, shape(used("b=1"))),
        (2, shape(used("c=1"))),
    ];
    let all = run(&small, &shapes, &Options::default(), &Statistics::default());
    assert!(all.candidates.is_empty());
    assert_eq!(all.notes[0].code, "small-tables");

    let options = Options {
        max_per_table: 2,
        weights: vec![1.0, 5.0, 3.0],
        ..Options::default()
    };
    let all = run(&table(), &shapes, &options, &Statistics::default());
    assert_eq!(
        all.candidates.iter().map(show).collect::<Vec<_>>(),
        ["b", "c"]
    );
    assert_eq!(all.notes[0].code, "candidates-cut");

    let options = Options {
        max_candidates: 1,
        weights: vec![1.0, 5.0, 3.0],
        ..Options::default()
    };
    let all = run(&table(), &shapes, &options, &Statistics::default());
    assert_eq!(all.candidates.iter().map(show).collect::<Vec<_>>(), ["b"]);

    let mut full = table();
    full.indexes
        .extend((0..64).map(|n| Index::btree(format!("i{n}"), key("e d c b a"))));
    let all = run(&full, &shapes, &Options::default(), &Statistics::default());
    assert!(all.candidates.is_empty());
    assert_eq!(all.notes[0].code, "table-is-full");

    // Not a base table.
    let gone = with(used("a=1"), |used| {
        used.table = TableName::new("x", "some_view");
    });
    check(vec![gone], &[]);
}

#[test]
fn keys_stay_within_the_servers_limits() {
    let mut table = table();
    for n in 0..20 {
        table.columns.push(column(&format!("n{n:02}"), "int"));
    }
    let conditions: Vec<String> = (0..20).map(|n| format!("n{n:02}=1")).collect();
    let all = found(&table, vec![used(&conditions.join(" & "))]);
    assert!(
        all.iter().all(|text| text.split(' ').count() <= 16),
        "{all:?}"
    );
    // Two of 800 bytes fit, and together with a third of 2,000 they would not.
    let strings = used("p1='x' & p2='y' & s='z' & wide='w'");
    for text in found(&table, vec![strings]) {
        assert!(text.split(' ').count() <= 4, "{text}");
    }
}

#[test]
fn names_are_free_and_the_same_on_every_run() {
    let mut table = table();
    table.indexes.push(Index::btree("IDX_A", key("b")));
    let shapes = [
        (0, shape(used("a=1"))),
        (1, shape(with(used(""), |used| used.order = key("c d-")))),
    ];
    let names = |table: &Table| -> Vec<String> {
        run(table, &shapes, &Options::default(), &Statistics::default())
            .candidates
            .into_iter()
            .map(|candidate| candidate.index.name)
            .collect()
    };
    assert_eq!(names(&table), ["idx_a_2", "idx_c_d_desc"]);
    assert_eq!(names(&table), names(&table));
}

#[test]
fn sizes_follow_the_formula() {
    // Measured on MySQL 9.7: an index on an INT of a million rows took 17,350,656 bytes, one on an
    // INT, a BIGINT and a DATETIME 32,063,488.
    let mut table = table();
    table.columns = vec![
        column("id", "int!"),
        column("a", "int"),
        column("b", "bigint"),
        column("e", "datetime"),
    ];
    let near = |parts: &str, measured: f64| {
        let bytes = size(
            &table,
            &Index::btree("i", key(parts)),
            &Statistics::default(),
        );
        let error = (bytes as f64 / measured - 1.0).abs();
        assert!(error < 0.06, "{parts}: {bytes}");
    };
    near("a", 17_350_656.0);
    near("a b e", 32_063_488.0);
    let narrow = Index::btree("i", key("a"));
    let us = write_us_per_row(&table, &narrow, &Statistics::default());
    assert!((3.5..6.0).contains(&us));
    assert!(build_time(&table, 17_000_000) > std::time::Duration::from_millis(500));
}
