//! What is on record when a record can't be written.

use super::*;

/// Puts a folder where the audit log is, so that nothing more can be written there.
fn spoil(audit: &Audit) {
    std::fs::remove_file(audit.path()).unwrap();
    std::fs::create_dir(audit.path()).unwrap();
}

#[tokio::test]
async fn a_change_whose_end_is_not_audited_is_not_denied() {
    let mut bench = Bench::staged("unaudited", &stage::FOLDER[..1]).await;
    let without = bench.print().await;
    let (never, limits) = (CancellationToken::new(), options());
    let audit = bench.audit();
    let mut watch = |event: Event| {
        if let Event::Step {
            word: "build",
            phase: apply::Phase::Ended,
            ..
        } = event
        {
            spoil(&audit);
        }
    };
    let outcome = bench.up_with(&limits, &Unjudged, &mut watch, &never).await;
    let outcome = outcome.unwrap();
    let End::Failed { error, .. } = &outcome.end else {
        panic!("{outcome:?}");
    };
    assert!(matches!(error, Error::Unrecorded { .. }), "{error}");
    assert!(error.to_string().contains("was carried out"), "{error}");
    let mut link = bench.link().await;
    let steps = ledger::steps(&mut link, bench.schema.name()).await.unwrap();
    assert_eq!(steps.last().unwrap().outcome.as_deref(), Some("done"));
    assert!(bench.print().await.contains("state_made"));
    // Where not even the intent can be written, nothing is sent.
    let with = bench.print().await;
    let outcome = bench.up_with(&limits, &Unjudged, &mut |_| {}, &never).await;
    let outcome = outcome.unwrap();
    let End::Failed { error, .. } = &outcome.end else {
        panic!("{outcome:?}");
    };
    assert!(error.to_string().contains("nothing was sent"), "{error}");
    assert_eq!(bench.print().await, with);
    // With room again, the next run goes on.
    std::fs::remove_dir(audit.path()).unwrap();
    bench.up().await;
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, without);
}
