//! Others who work at the same time, and a person who has enough.

use super::*;

#[tokio::test]
async fn of_four_appliers_exactly_one_works() {
    let bench = Bench::staged("race", &stage::FOLDER[..2]).await;
    let never = CancellationToken::new();
    for _ in 0..3 {
        let limits = options();
        let mut quiet = [|_: Event| {}; 4];
        let [one, two, three, four] = &mut quiet;
        let outcomes = tokio::join!(
            bench.up_with(&limits, &Unjudged, one, &never),
            bench.up_with(&limits, &Unjudged, two, &never),
            bench.up_with(&limits, &Unjudged, three, &never),
            bench.up_with(&limits, &Unjudged, four, &never),
        );
        let outcomes = [outcomes.0, outcomes.1, outcomes.2, outcomes.3];
        let worked = outcomes
            .into_iter()
            .map(|outcome| complete(outcome.unwrap()).settled.len())
            .collect::<Vec<_>>();
        assert_eq!(worked.iter().sum::<usize>(), 2, "{worked:?}");
        assert_eq!(worked.iter().filter(|count| **count > 0).count(), 1);
        bench.down(Range::Behind(0)).await;
    }
    // One that has no patience says who holds the lock.
    let mut holder = server::connect(&bench.schema.url()).await;
    let sql = format!("SELECT GET_LOCK('mydex:{}', 0)", bench.schema.name());
    stage::run(&mut holder, &sql).await;
    let hasty = Options {
        patience: Duration::from_millis(500),
        ..options()
    };
    let outcome = bench.up_with(&hasty, &Unjudged, &mut |_| {}, &never).await;
    let error = outcome.unwrap_err();
    assert!(matches!(&error, Error::Busy { .. }), "{error}");
    assert!(error.to_string().contains("root@"), "{error}");
}

#[tokio::test]
async fn nobody_waits_longer_than_one_try_behind_an_open_transaction() {
    let bench = Bench::staged("bystander", &stage::FOLDER[..1]).await;
    let mut open = server::connect(&bench.schema.url()).await;
    stage::run(&mut open, "START TRANSACTION; SELECT COUNT(*) FROM orders").await;
    let patient = Options {
        lock_wait: Duration::from_millis(300),
        ..options()
    };
    let never = CancellationToken::new();
    let blocked = Mutex::new(Vec::new());
    let mut watch = |event: Event| {
        if let Event::Blocked { by, .. } = event {
            blocked.lock().unwrap().push(by);
        }
    };
    let mut bystander = server::connect(&bench.schema.url()).await;
    let looks = async {
        let begun = Instant::now();
        let mut longest = Duration::ZERO;
        // Until the change has waited twice, however slow this machine is.
        while blocked.lock().unwrap().len() < 2 && begun.elapsed() < Duration::from_secs(100) {
            let asked = Instant::now();
            stage::run(&mut bystander, "SELECT COUNT(*) FROM orders").await;
            longest = longest.max(asked.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stage::run(&mut open, "COMMIT").await;
        longest
    };
    let (outcome, longest) = tokio::join!(
        bench.up_with(&patient, &Unjudged, &mut watch, &never),
        looks
    );
    complete(outcome.unwrap());
    let blocked = blocked.into_inner().unwrap();
    assert!(!blocked.is_empty(), "the transaction blocked nothing");
    assert!(blocked[0][0].contains("in a transaction"), "{blocked:?}");
    // Generous, because other tests run beside this one.
    assert!(longest < Duration::from_secs(5), "{longest:?}");
}

#[tokio::test]
async fn whoever_asks_to_stop_leaves_a_state_that_is_known() {
    let mut bench = Bench::staged("cancel", &stage::FOLDER[..1]).await;
    let without = bench.print().await;
    let mut open = server::connect(&bench.schema.url()).await;
    stage::run(&mut open, "START TRANSACTION; SELECT COUNT(*) FROM orders").await;
    // While the statement waits for its lock, somebody presses Ctrl-C.
    let cancel = CancellationToken::new();
    let press = cancel.clone();
    let mut watch = move |event: Event| {
        if let Event::Step {
            word: "build",
            phase: apply::Phase::Intended,
            ..
        } = event
        {
            let press = press.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                press.cancel();
            });
        }
    };
    let begun = Instant::now();
    let outcome = bench
        .up_with(&options(), &Unjudged, &mut watch, &cancel)
        .await
        .unwrap();
    assert!(outcome.end.is_interrupted(), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    stage::run(&mut open, "COMMIT").await;
    assert_eq!(bench.states().await, [State::Unfinished]);
    assert_eq!(
        bench.ledger().await[0].error.as_deref(),
        Some("interrupted")
    );
    assert_eq!(bench.print().await, without);
    bench.up().await;
    assert_eq!(bench.states().await, [State::Applied]);
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, without);
}
