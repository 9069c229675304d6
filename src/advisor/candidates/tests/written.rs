//! What becomes of orders: names, sizes, limits, and what is there already.

use super::*;

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
