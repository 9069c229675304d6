//! The desk with readings and changes that do as they are told.

use jiff::Timestamp;

use tokio::time::Instant;

use super::*;
use crate::cli::dashboard::apart::bench::Bench;
use crate::cli::error::Error;
use crate::model::inventory::Inventory;
use crate::model::schema::{Index, KeyPart, TableName};

fn board() -> IndexBoard {
    IndexBoard {
        inventory: Inventory {
            server: "db1:3306".to_owned(),
            version: "9.7.4".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            window: None,
            tables: Vec::new(),
            indexes: Vec::new(),
            definitions: Vec::new(),
            notes: Vec::new(),
        },
        definitions: std::collections::BTreeMap::new(),
        visibility: Vec::new(),
        took: Duration::from_millis(3),
    }
}

fn change() -> IndexChange {
    IndexChange::Hide {
        table: TableName::new("cmdb", "vpcs"),
        index: Index::btree("ix_region", vec![KeyPart::column("region")]),
    }
}

fn desk_with(hands: Hands, room: usize) -> Bench {
    let is_progress = |news: &Feed| matches!(news, Feed::Index(IndexNews::Working { .. }));
    Bench::new(room, is_progress, |wishes, collectors, feed, cancel| {
        serve(wishes, collectors, feed, hands, cancel)
    })
}

/// Reads at once, and changes until it is told to stop.
fn patient() -> Hands {
    Hands {
        read: Arc::new(|| Box::pin(async { Ok(board()) })),
        make: Arc::new(|_, progress, cancel| {
            Box::pin(async move {
                progress.report(Step {
                    what: "building".to_owned(),
                    share: Some(0.5),
                    left: Some(Duration::from_secs(9)),
                });
                cancel.cancelled().await;
                Ok("left where it is".to_owned())
            })
        }),
    }
}

#[tokio::test]
async fn a_reading_answers_and_a_failure_tells_why() {
    let mut bench = desk_with(patient(), 8);
    bench.ask_index(IndexRequest::Read).await;
    let Feed::Index(IndexNews::Read(read)) = bench.outcome().await else {
        panic!();
    };
    assert_eq!(*read, board());
    let hands = Hands {
        read: Arc::new(|| {
            Box::pin(async { Err(Error::new("access denied").hint("grant SELECT")) })
        }),
        ..patient()
    };
    let mut bench = desk_with(hands, 8);
    bench.ask_index(IndexRequest::Read).await;
    let Feed::Index(IndexNews::Unread(reason)) = bench.outcome().await else {
        panic!();
    };
    assert_eq!(reason, "access denied; grant SELECT");
}

#[tokio::test]
async fn a_change_tells_its_progress_and_stops_when_asked() {
    let mut bench = desk_with(patient(), 8);
    bench.ask_index(IndexRequest::Change(change())).await;
    let Feed::Index(IndexNews::Working {
        step, share, left, ..
    }) = bench.hear().await
    else {
        panic!();
    };
    assert_eq!((step.as_str(), share), ("building", Some(0.5)));
    assert_eq!(left, Some(Duration::from_secs(9)));
    // A reading goes on beside it; a second change does not.
    bench.ask_index(IndexRequest::Read).await;
    assert!(matches!(
        bench.outcome().await,
        Feed::Index(IndexNews::Read(_))
    ));
    bench.ask_index(IndexRequest::Change(change())).await;
    let Feed::Index(IndexNews::Ended { result, .. }) = bench.outcome().await else {
        panic!();
    };
    assert_eq!(
        result,
        Err("one change at a time: hide ix_region on cmdb.vpcs is under way".to_owned())
    );
    bench.ask_index(IndexRequest::Stop).await;
    let Feed::Index(IndexNews::Ended {
        result,
        change: ended,
    }) = bench.outcome().await
    else {
        panic!();
    };
    assert_eq!(result, Ok("left where it is".to_owned()));
    assert_eq!(ended, change());
    bench.ask_index(IndexRequest::Stop).await;
}

#[tokio::test]
async fn the_end_of_the_dashboard_stops_a_change_and_waits_for_it() {
    let (tell, heard) = std::sync::mpsc::channel();
    let hands = Hands {
        make: Arc::new(move |_, _, cancel| {
            let tell = tell.clone();
            Box::pin(async move {
                cancel.cancelled().await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                tell.send("given back").unwrap();
                Ok(String::new())
            })
        }),
        ..patient()
    };
    let bench = desk_with(hands, 8);
    bench.ask_index(IndexRequest::Change(change())).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    bench.cancel.cancel();
    bench.desk.await.unwrap();
    assert_eq!(heard.try_recv(), Ok("given back"));
}

#[tokio::test]
async fn what_is_for_others_goes_on_and_work_that_computes_holds_nothing() {
    let hands = Hands {
        read: Arc::new(|| {
            Box::pin(async {
                let begun = std::time::Instant::now();
                while begun.elapsed() < Duration::from_millis(400) {
                    std::hint::spin_loop();
                }
                Ok(board())
            })
        }),
        ..patient()
    };
    let mut bench = desk_with(hands, 8);
    bench.ask_index(IndexRequest::Read).await;
    let begun = Instant::now();
    bench.requests.send(Request::RefreshNow).await.unwrap();
    assert_eq!(bench.collectors.recv().await, Some(Request::RefreshNow));
    assert!(
        begun.elapsed() < Duration::from_millis(300),
        "{:?}",
        begun.elapsed()
    );
    assert!(matches!(
        bench.outcome().await,
        Feed::Index(IndexNews::Read(_))
    ));
    // Collectors that take nothing lose a request, and the screen says so.
    for _ in 0..3 {
        bench.requests.send(Request::RefreshNow).await.unwrap();
    }
    let Feed::Notice(text) = bench.outcome().await else {
        panic!();
    };
    assert!(text.contains("busy"), "{text}");
}
