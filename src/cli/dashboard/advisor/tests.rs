//! The desk with runs that do as they are told.

use tokio::time::Instant;

use super::*;
use crate::cli::dashboard::apart::REPORT;
use crate::cli::dashboard::apart::bench::Bench;
use crate::model::advice::{Effort, Limits, Optimality, Tier, TwinSummary, WorkloadSummary};

fn advice(is_interrupted: bool) -> Advice {
    Advice {
        server: "db1:3306".to_owned(),
        version: "9.7.4".to_owned(),
        workload: WorkloadSummary {
            source: "digests".to_owned(),
            window: None,
            is_measured: false,
            is_of_twin: false,
            before: 1.0,
            after: 1.0,
        },
        twin: TwinSummary {
            tier: Tier::Sample,
            version: "9.7.4".to_owned(),
            rows: (0, 0),
            limits: Vec::new(),
        },
        limits: Limits::default(),
        recommendations: Vec::new(),
        queries: Vec::new(),
        skipped: Vec::new(),
        notes: Vec::new(),
        optimality: Optimality {
            gap: 0.0,
            is_proven: !is_interrupted,
            is_interrupted,
            rounds: 1,
        },
        effort: Effort::default(),
    }
}

fn desk_with(hands: Hands, room: usize) -> Bench {
    let is_progress = |news: &Feed| matches!(news, Feed::Advisor(AdvisorNews::Working { .. }));
    Bench::new(room, is_progress, |wishes, collectors, feed, cancel| {
        serve(wishes, collectors, feed, hands, cancel)
    })
}

fn hands(
    advise: impl Fn(Option<DigestKey>, Progress, CancellationToken) -> Run + Send + Sync + 'static,
) -> Hands {
    Hands {
        advise: Arc::new(advise),
        write: Arc::new(|_, n| match n {
            0 => Ok(PathBuf::from("indexes/0001_a.toml")),
            _ => Err(Error::new("folder `indexes` is read-only").hint("make it writable")),
        }),
    }
}

/// Works until it is told to stop.
fn patient() -> Hands {
    hands(|_, progress, cancel| {
        Box::pin(async move {
            progress.report("asking the optimizer", Some(0.5));
            cancel.cancelled().await;
            Ok(advice(true))
        })
    })
}

#[tokio::test]
async fn a_run_tells_its_progress_and_ends_with_its_best_answer_when_stopped() {
    let mut bench = desk_with(patient(), 8);
    bench.ask_advisor(AdvisorRequest::Advise(None)).await;
    let Feed::Advisor(AdvisorNews::Working { step, share }) = bench.hear().await else {
        panic!("no progress");
    };
    assert_eq!((step.as_str(), share), ("asking the optimizer", Some(0.5)));
    bench.ask_advisor(AdvisorRequest::Advise(None)).await;
    let Feed::Notice(refusal) = bench.outcome().await else {
        panic!("a second run was not refused");
    };
    assert!(refusal.contains("at work already"), "{refusal}");
    bench.ask_advisor(AdvisorRequest::Stop).await;
    let Feed::Advisor(AdvisorNews::Done(done)) = bench.outcome().await else {
        panic!("no advice");
    };
    assert!(done.optimality.is_interrupted);
    // The next run is a new one.
    bench.ask_advisor(AdvisorRequest::Advise(None)).await;
    assert!(matches!(
        bench.hear().await,
        Feed::Advisor(AdvisorNews::Working { .. })
    ));
    bench.cancel.cancel();
    bench.desk.await.unwrap();
}

#[tokio::test]
async fn a_failed_run_tells_why_and_what_to_do() {
    let mut bench = desk_with(
        hands(|_, _, _| {
            Box::pin(std::future::ready(Err(
                Error::new("no `mysqld` found").hint("install one with `mydex sandbox install`")
            )))
        }),
        8,
    );
    bench.ask_advisor(AdvisorRequest::Advise(None)).await;
    let Feed::Advisor(AdvisorNews::Failed(reason)) = bench.outcome().await else {
        panic!("no failure");
    };
    assert_eq!(
        reason,
        "no `mysqld` found; install one with `mydex sandbox install`"
    );
}

#[tokio::test]
async fn a_run_that_computes_holds_nobody() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let mut bench = desk_with(
        hands(move |_, _, _| {
            // Blocks its thread, as a long computation does.
            let _ = wait.lock().unwrap().recv();
            Box::pin(std::future::ready(Ok(advice(false))))
        }),
        8,
    );
    bench.ask_advisor(AdvisorRequest::Advise(None)).await;
    // This test's runtime has one thread: were the run on it, nothing more would be handed on.
    for _ in 0..20 {
        bench.requests.send(Request::RefreshNow).await.unwrap();
        assert_eq!(bench.collectors.recv().await, Some(Request::RefreshNow));
    }
    go.send(()).unwrap();
    assert!(matches!(
        bench.outcome().await,
        Feed::Advisor(AdvisorNews::Done(_))
    ));
}

#[tokio::test]
async fn progress_never_floods_the_feed() {
    let mut bench = desk_with(
        hands(|_, progress, _| {
            Box::pin(async move {
                for n in 0..20_000_u32 {
                    progress.report(format!("step {n}"), None);
                    if n % 100 == 0 {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
                Ok(advice(false))
            })
        }),
        4,
    );
    let started = Instant::now();
    bench.ask_advisor(AdvisorRequest::Advise(None)).await;
    let mut reports = 0_u128;
    loop {
        match bench.hear().await {
            Feed::Advisor(AdvisorNews::Working { .. }) => reports += 1,
            Feed::Advisor(AdvisorNews::Done(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    let most = started.elapsed().as_millis() / REPORT.as_millis() + 1;
    assert!((1..=most).contains(&reports), "{reports} of at most {most}");
}

#[tokio::test]
async fn definitions_are_written_and_refusals_told() {
    let mut bench = desk_with(patient(), 8);
    let about = Arc::new(advice(false));
    let mut answers = Vec::new();
    for recommendation in 0..2 {
        bench
            .ask_advisor(AdvisorRequest::WriteDefinition {
                advice: Arc::clone(&about),
                recommendation,
            })
            .await;
        let Feed::Advisor(AdvisorNews::Written {
            advice,
            recommendation,
            result,
        }) = bench.hear().await
        else {
            panic!("no answer");
        };
        assert!(Arc::ptr_eq(&advice, &about));
        answers.push((recommendation, result));
    }
    assert_eq!(
        answers,
        [
            (0, Ok("indexes/0001_a.toml".to_owned())),
            (
                1,
                Err("folder `indexes` is read-only; make it writable".to_owned())
            ),
        ]
    );
}

#[tokio::test]
async fn full_collectors_are_told_and_do_not_hold_the_advisor() {
    let mut bench = desk_with(patient(), 8);
    for _ in 0..3 {
        bench.requests.send(Request::RefreshNow).await.unwrap();
    }
    let Feed::Notice(text) = bench.hear().await else {
        panic!("nothing was said");
    };
    assert!(text.contains("busy"), "{text}");
    bench.ask_advisor(AdvisorRequest::Advise(None)).await;
    assert!(matches!(
        bench.hear().await,
        Feed::Advisor(AdvisorNews::Working { .. })
    ));
}

#[tokio::test]
async fn the_end_of_the_dashboard_ends_a_run_that_does_not_listen() {
    struct Held(Arc<std::sync::atomic::AtomicBool>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    }
    let given_back = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = Arc::clone(&given_back);
    let mut bench = desk_with(
        hands(move |_, progress, _| {
            let held = Held(Arc::clone(&flag));
            Box::pin(async move {
                progress.report("deaf", None);
                std::future::pending::<()>().await;
                drop(held);
                Ok(advice(false))
            })
        }),
        8,
    );
    bench.ask_advisor(AdvisorRequest::Advise(None)).await;
    bench.hear().await;
    let Bench {
        requests,
        feed,
        desk,
        ..
    } = bench;
    // The screen is gone.
    drop((requests, feed));
    let limit = GRACE * 2;
    tokio::time::timeout(limit, desk).await.unwrap().unwrap();
    assert!(given_back.load(std::sync::atomic::Ordering::SeqCst));
}
