use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn row(digest: &str, first_seen: i64, calls: u64, rows: u64, us: u64) -> Row {
    Row {
        digest: digest.to_owned(),
        first_seen: at(first_seen),
        sums: Sums {
            calls,
            time_ps: calls * us * 1_000_000,
            rows_examined: calls * rows,
            ..Sums::default()
        },
    }
}

/// Counts at `taken` of a server that started at `started`.
fn counts(taken: i64, started: i64, rows: Vec<Row>) -> Counts {
    let query = Query {
        name: "q".to_owned(),
        fingerprint: "SELECT ?".to_owned(),
        schema: Some("s".to_owned()),
        is_evidence: true,
        rows,
    };
    Counts::new(at(taken), "u".to_owned(), at(started), None, vec![query])
}

fn outcome(before: &Counts, now: &Counts) -> Comparison {
    compare(Action::Create, before, before, now, &Rules::default())
}

#[test]
fn three_outcomes_and_a_loss() {
    // 100 calls before, of 50,000 rows and 20 ms each.
    let before = counts(100, 0, vec![row("a", 1, 100, 50_000, 20_000)]);
    let then = before.queries[0].rows[0].sums;
    let with = |calls: u64, rows: u64, us: u64| {
        let added = row("a", 1, calls, rows, us);
        let sums = then.plus(&added.sums);
        outcome(&before, &counts(200, 0, vec![Row { sums, ..added }]))
    };
    for (calls, rows, us, expected) in [
        (100, 20, 300, Outcome::Gained),
        (100, 50_000, 20_000, Outcome::NotGained),
        (100, 50_000, 45_000, Outcome::Slower),
        (100, 99_000, 25_000, Outcome::Slower),
        // More rows in less time, as where a covering index is merged.
        (100, 99_000, 5_000, Outcome::Gained),
        (29, 20, 300, Outcome::Inconclusive),
        (0, 0, 0, Outcome::Inconclusive),
    ] {
        let found = with(calls, rows, us);
        assert_eq!(found.outcome, expected, "{calls} {rows} {us}: {found:?}");
        assert_eq!(found.window, Duration::from_secs(100));
    }
    assert!(
        with(29, 20, 300).reason.contains("29 of 30 calls"),
        "{:?}",
        with(29, 20, 300)
    );
}

#[test]
fn prepared_and_plain_forms_are_one_query() {
    let before = counts(100, 0, vec![row("a", 1, 100, 50_000, 20_000)]);
    let now = counts(
        200,
        0,
        vec![
            row("a", 1, 100, 50_000, 20_000),
            row("b", 150, 100, 20, 300),
        ],
    );
    let found = outcome(&before, &now);
    assert_eq!(found.outcome, Outcome::Gained);
    assert_eq!(found.queries[0].after.unwrap().calls, 100);
    assert!(found.notes.is_empty(), "{:?}", found.notes);
}

#[test]
fn counts_that_began_anew_are_told_and_used() {
    let before = counts(100, 0, vec![row("a", 1, 100, 50_000, 20_000)]);
    // Truncated: the row was made anew, and counts more than before even.
    let found = outcome(&before, &counts(200, 0, vec![row("a", 150, 400, 20, 300)]));
    assert_eq!(found.outcome, Outcome::Gained);
    assert_eq!(found.queries[0].after.unwrap().calls, 400);
    assert!(found.notes[0].contains("forgot"), "{:?}", found.notes);
    // Restarted.
    let found = outcome(&before, &counts(200, 140, vec![row("a", 150, 40, 20, 300)]));
    assert_eq!(found.outcome, Outcome::Gained);
    assert!(found.notes[0].contains("restarted"), "{:?}", found.notes);
    // Gone.
    let found = outcome(&before, &counts(200, 0, Vec::new()));
    assert_eq!(found.outcome, Outcome::Inconclusive);
    assert!(found.notes[0].contains("forgot"), "{:?}", found.notes);
}

#[test]
fn counts_of_another_server_are_not_compared() {
    let before = counts(100, 0, vec![row("a", 1, 100, 50_000, 20_000)]);
    let mut now = counts(200, 0, vec![row("a", 150, 400, 20, 300)]);
    now.server_uuid = "other".to_owned();
    let found = outcome(&before, &now);
    assert_eq!(found.outcome, Outcome::Inconclusive);
    assert!(found.notes[0].contains("another server"));
}

#[test]
fn a_drop_has_to_leave_everything_as_it_was() {
    let before = counts(100, 0, vec![row("a", 1, 100, 20, 300)]);
    let then = before.queries[0].rows[0].sums;
    for (rows, us, expected) in [
        (20, 310, Outcome::Gained),
        (50_000, 20_000, Outcome::Slower),
    ] {
        let added = row("a", 1, 100, rows, us);
        let sums = then.plus(&added.sums);
        let now = counts(200, 0, vec![Row { sums, ..added }]);
        let found = compare(Action::Drop, &before, &before, &now, &Rules::default());
        assert_eq!(found.outcome, expected);
    }
}

#[test]
fn an_index_that_nothing_reads_is_the_cause_of_nothing() {
    let before = counts(100, 0, vec![row("a", 1, 100, 50_000, 20_000)]);
    let then = before.queries[0].rows[0].sums;
    for us in [5_000, 90_000] {
        let added = row("a", 1, 100, 50_000, us);
        let sums = then.plus(&added.sums);
        let mut now = counts(200, 0, vec![Row { sums, ..added }]);
        assert_ne!(outcome(&before, &now).outcome, Outcome::NotGained);
        now.index_reads = Some(0);
        let found = outcome(&before, &now);
        assert_eq!(found.outcome, Outcome::NotGained);
        assert!(
            found.reason.contains("nothing was read"),
            "{}",
            found.reason
        );
    }
}
