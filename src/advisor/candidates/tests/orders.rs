//! Orders, groups and extremes, and what several queries want together.

use super::*;

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
