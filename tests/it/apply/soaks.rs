//! An index that soaks: hidden for the whole time, and in nobody's way.

use super::*;

fn soaking() -> Options {
    Options {
        soak: Duration::from_hours(1),
        ..options()
    }
}

/// Lets so much time pass for everything that soaks.
async fn passes(bench: &mut Bench, minutes: u32) {
    let sql = format!("UPDATE mydex_ledger SET hidden = hidden - INTERVAL {minutes} MINUTE");
    stage::run(&mut bench.sql, &sql).await;
}

async fn soak(bench: &Bench) -> Outcome {
    let never = CancellationToken::new();
    let outcome = bench
        .up_with(&soaking(), &Unjudged, &mut |_| {}, &never)
        .await;
    complete(outcome.unwrap())
}

const DROP_DUPLICATE: (&str, &str) = (
    "0001_duplicate.toml",
    "table = \"places\"\naction = \"drop\"\nindex = \"b_dup\"\ncolumns = [\"number\"]\n",
);

#[tokio::test]
async fn a_duplicate_that_soaks_is_shown_again() {
    let mut bench = Bench::staged("duplicate", &[DROP_DUPLICATE]).await;
    let twins = "ALTER TABLE places ADD INDEX a_own (number), ADD INDEX b_dup (number)";
    stage::run(&mut bench.sql, twins).await;
    let before = bench.print().await;
    assert_eq!(soak(&bench).await.settled[0].state, State::Soaking);
    assert!(bench.print().await.contains("INVISIBLE"));
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, before);
    // One that was not there is not made by taking its drop back.
    stage::run(&mut bench.sql, "ALTER TABLE places DROP INDEX b_dup").await;
    let before = bench.print().await;
    bench.up().await;
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, before);
}

#[tokio::test]
async fn an_index_that_was_seen_in_between_soaks_anew() {
    let mut bench = Bench::staged("seen", &stage::FOLDER[3..4]).await;
    let before = bench.print().await;
    assert_eq!(soak(&bench).await.settled[0].state, State::Soaking);
    passes(&mut bench, 61).await;
    stage::run(
        &mut bench.sql,
        "ALTER TABLE orders ALTER INDEX old_made VISIBLE",
    )
    .await;
    // It is hidden again, and nothing more.
    assert_eq!(soak(&bench).await.settled[0].state, State::Soaking);
    let hidden = bench.print().await;
    assert!(
        hidden.contains("old_made") && hidden.contains("INVISIBLE"),
        "{hidden}"
    );
    // Shown by hand with mydex, it says so in the ledger.
    passes(&mut bench, 61).await;
    let table = mydex::model::schema::TableName::new(bench.schema.name(), "orders");
    let never = CancellationToken::new();
    let mut quiet = |_: Event| {};
    for visible in [true, false] {
        let wanted = Visibility {
            table: &table,
            index: "old_made",
            visible,
        };
        let audit = bench.audit();
        let limits = options();
        let done = apply::set_visible(&bench.server, &audit, wanted, &limits, &mut quiet, &never);
        assert!(done.await.unwrap());
        let row = bench.ledger().await.remove(0);
        assert_eq!(row.hidden.is_none(), visible, "{row:?}");
        let mut link = bench.link().await;
        let steps = ledger::steps(&mut link, bench.schema.name()).await.unwrap();
        let last = steps.last().unwrap();
        assert_eq!(last.step, if visible { "show" } else { "hide" });
        assert_eq!((last.version, last.outcome.as_deref()), (4, Some("done")));
    }
    assert_eq!(soak(&bench).await.settled[0].state, State::Soaking);
    assert!(bench.print().await.contains("old_made"));
    passes(&mut bench, 61).await;
    assert_eq!(soak(&bench).await.settled[0].state, State::Applied);
    assert!(!bench.print().await.contains("old_made"));
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, before);
}

const WIDER: (&str, &str) = (
    "0005_wider.toml",
    "table = \"orders\"\naction = \"create\"\nindex = \"OLD_made\"\n\
     columns = [\"made\", \"amount\"]\n",
);

const BEHIND: (&str, &str) = (
    "0006_behind.toml",
    "table = \"places\"\naction = \"create\"\nindex = \"behind\"\ncolumns = [\"number\"]\n",
);

#[tokio::test]
async fn an_index_waits_for_the_soak_of_the_one_whose_name_it_takes() {
    let folder = [stage::FOLDER[3], WIDER, BEHIND];
    let mut bench = Bench::staged("waits", &folder).await;
    let before = bench.print().await;
    for is_begun in [false, true] {
        let changes: Vec<Change<'_>> = bench
            .entries
            .iter()
            .map(|entry| Change {
                entry,
                schema: bench.schema.name(),
            })
            .collect();
        let told = apply::preview(&bench.server, &changes, &soaking())
            .await
            .unwrap();
        let notes: Vec<_> = told
            .iter()
            .map(|one| {
                assert!(!one.is_refused(), "{one:?}");
                one.course.as_ref().and_then(|course| course.note.clone())
            })
            .collect();
        if !is_begun {
            assert!(notes[1].as_ref().unwrap().contains("0004"), "{notes:?}");
        }
        let outcome = soak(&bench).await;
        assert_eq!(outcome.settled[0].state, State::Soaking);
        let waits: Vec<_> = outcome.skipped.iter().map(|one| one.version).collect();
        // What comes behind it does not wait.
        assert_eq!(waits, if is_begun { vec![5, 6] } else { vec![5] });
        assert!(
            outcome.skipped[0].reason.contains("it waits"),
            "{outcome:?}"
        );
    }
    passes(&mut bench, 61).await;
    let outcome = soak(&bench).await;
    let states: Vec<_> = outcome.settled.iter().map(|one| one.state).collect();
    assert_eq!(states, [State::Applied; 2], "{outcome:?}");
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, before);
}
