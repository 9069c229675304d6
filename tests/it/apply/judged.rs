//! What a judge says decides what becomes of an index.

use super::*;

/// A judge with one answer.
struct Says(Verdict);

impl Judge for Says {
    fn judge<'a>(
        &'a self,
        connection: &'a mut Connection,
        definition: &'a Definition,
        default_schema: &'a str,
    ) -> Judging<'a> {
        Box::pin(async move {
            use mydex::server::cells::Cells as _;
            // The index is there, and invisible, when it is judged.
            let sql = format!(
                "SELECT IS_VISIBLE FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = '{}' \
                 AND INDEX_NAME = '{}'",
                default_schema, definition.index.name
            );
            let row = connection.first("the index", &sql).await.unwrap().unwrap();
            assert_eq!(row.text(0).as_deref(), Some("NO"));
            self.0.clone()
        })
    }
}

#[tokio::test]
async fn an_index_that_is_rejected_goes_and_is_not_tried_again() {
    let mut bench = Bench::staged("rejected", &stage::FOLDER[..1]).await;
    let without = bench.print().await;
    let never = CancellationToken::new();
    let no = Says(Verdict::Rejected("it reads as much as before".to_owned()));
    let outcome = bench.up_with(&options(), &no, &mut |_| {}, &never).await;
    let outcome = complete(outcome.unwrap());
    assert_eq!(outcome.settled[0].state, State::Rejected);
    assert_eq!(bench.print().await, without);
    let row = &bench.ledger().await[0];
    assert_eq!(row.state, State::Rejected);
    assert!(row.note.as_deref().unwrap().contains("as much as before"));
    let again = bench.up().await;
    assert_eq!(again.settled, []);
    assert_eq!(bench.print().await, without);
    // Named alone, it is tried again.
    let yes = Says(Verdict::Accepted("it reads a tenth".to_owned()));
    let retry = Options {
        retries_rejected: true,
        ..options()
    };
    let outcome = bench.up_with(&retry, &yes, &mut |_| {}, &never).await;
    assert_eq!(complete(outcome.unwrap()).settled[0].state, State::Applied);
    assert!(bench.print().await.contains("state_made"));
}

#[tokio::test]
async fn a_drop_soaks_first_and_is_undone_at_once() {
    let mut bench = Bench::staged("soak", &stage::FOLDER[3..4]).await;
    let before = bench.print().await;
    let never = CancellationToken::new();
    let soaking = Options {
        soak: Duration::from_hours(1),
        ..options()
    };
    let outcome = bench
        .up_with(&soaking, &Unjudged, &mut |_| {}, &never)
        .await;
    assert_eq!(complete(outcome.unwrap()).settled[0].state, State::Soaking);
    let hidden = bench.print().await;
    assert!(hidden.contains("old_made") && hidden.contains("INVISIBLE"));
    let begun = Instant::now();
    bench.down(Range::Behind(0)).await;
    let took = begun.elapsed();
    assert_eq!(bench.print().await, before);
    // The bench has the figure; here other tests run beside it.
    assert!(took < Duration::from_secs(20), "the undo took {took:?}");
    // Once more, and it goes after the soak, not before.
    for expected in [State::Soaking, State::Soaking, State::Applied] {
        if expected == State::Applied {
            let sql = "UPDATE mydex_ledger SET hidden = hidden - INTERVAL 61 MINUTE";
            stage::run(&mut bench.sql, sql).await;
        }
        let outcome = bench
            .up_with(&soaking, &Unjudged, &mut |_| {}, &never)
            .await;
        assert_eq!(complete(outcome.unwrap()).settled[0].state, expected);
    }
    assert!(!bench.print().await.contains("old_made"));
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, before);
}
