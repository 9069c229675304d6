//! The collectors against real servers: exact figures, breaks, faults.

use std::time::Duration;

use mydex::collect;
use mydex::config::settings::Monitor;
use mydex::model::digest::DigestGap;
use mydex::model::feed::{Feed, Link};
use mydex::model::interval::{Discontinuity, Interval};
use mydex::model::latency::BucketCounts;
use mydex::model::status::Var;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::server_checks::{admin, own_server, run, settings};
use crate::watch::{Watch, calls_of, fast_limits};

/// `Questions`, `Queries`, timed statements and sessions of an interval.
type Load = (Option<u64>, Option<u64>, Option<u64>, u64);

const NO_LOAD: Load = (Some(0), Some(0), Some(0), 0);

fn load_of(interval: &Interval) -> Load {
    (
        interval.growth(Var::Questions),
        interval.growth(Var::Queries),
        interval.latency.as_ref().map(BucketCounts::total),
        interval.sessions_total,
    )
}

#[tokio::test]
async fn an_idle_server_shows_no_load_of_mydex() {
    let server = own_server(&[]).await;
    let settings = settings(server.endpoint());
    let mut watch = Watch::start(&settings, fast_limits());
    // On a busy machine a connection is still being opened while another polls, and may then be in
    // the first intervals.
    let mut still = 0;
    for _ in 0..20 {
        let interval = watch.interval().await;
        let is_still = load_of(&interval) == NO_LOAD;
        still = if is_still { still + 1 } else { 0 };
        if still == 4 {
            break;
        }
    }
    assert_eq!(still, 4, "all connections are open by now");
    for round in 0..12 {
        let interval = watch.interval().await;
        assert_eq!(load_of(&interval), NO_LOAD, "round {round}");
        assert_eq!(interval.missing, [""; 0]);
        assert!(interval.cost.statements >= 5, "{:?}", interval.cost);
    }
    let digests = watch.digests(|_| true).await;
    assert_eq!(digests.digests, []);
    watch.end().await;
}

#[tokio::test]
async fn figures_are_exact_and_the_first_ones_are_quick() {
    let server = own_server(&[]).await;
    let mut client = admin(&server).await;
    run(&mut client, "CREATE SCHEMA shop").await;
    run(&mut client, "CREATE TABLE shop.items (id INT PRIMARY KEY)").await;
    let settings = settings(server.endpoint());
    let mut watch = Watch::start(&settings, fast_limits());
    watch.interval().await;
    let first = watch.started.elapsed();
    assert!(first < Duration::from_millis(900), "{first:?}");
    watch.digests(|_| true).await;
    for id in 0..50 {
        run(
            &mut client,
            &format!("INSERT INTO shop.items VALUES ({id})"),
        )
        .await;
    }
    let (mut inserts, mut questions, mut timed) = (0, 0, 0);
    while inserts < 50 {
        let news = watch
            .until("figures", |news| match news {
                Feed::Digests(digests) => Some((calls_of(&digests, "INSERT INTO"), 0, 0)),
                Feed::Interval(i) => Some((
                    0,
                    i.growth(Var::Questions).unwrap(),
                    i.latency.as_ref().map_or(0, BucketCounts::total),
                )),
                _ => None,
            })
            .await;
        inserts += news.0;
        questions += news.1;
        timed += news.2;
    }
    assert_eq!((inserts, questions, timed), (50, 50, 50));
    watch.end().await;
}

#[tokio::test]
async fn truncation_is_recognised_and_not_mistaken_for_load() {
    let server = own_server(&[]).await;
    let mut client = admin(&server).await;
    for _ in 0..100 {
        run(&mut client, "SELECT 'before', 1").await;
    }
    let mut watch = Watch::start(&settings(server.endpoint()), fast_limits());
    watch.digests(|_| true).await;
    run(
        &mut client,
        "TRUNCATE TABLE performance_schema.events_statements_summary_by_digest",
    )
    .await;
    for _ in 0..3 {
        run(&mut client, "SELECT 'before', 1").await;
    }
    let interval = watch.digests(|i| i.total.calls > 0).await;
    assert_eq!(interval.gap, Some(DigestGap::Truncated));
    assert!(interval.total.calls <= 5, "{}", interval.total.calls);
    run(&mut client, "SELECT 'before', 1").await;
    let interval = watch.digests(|i| calls_of(i, "SELECT ?") > 0).await;
    assert_eq!(interval.gap, None);
    watch.end().await;
}

#[tokio::test]
async fn lost_digests_are_counted_and_shown_as_a_limit() {
    let server = own_server(&["--performance-schema-digests-size=200"]).await;
    let mut client = admin(&server).await;
    for n in 0..260 {
        run(&mut client, &format!("SELECT 1 AS shape_{n}")).await;
    }
    let mut watch = Watch::start(&settings(server.endpoint()), fast_limits());
    let limits = watch
        .until("limits", |news| match news {
            Feed::Link(Link::Up(facts)) if !facts.limits.is_empty() => Some(facts.limits.clone()),
            _ => None,
        })
        .await;
    assert!(
        limits
            .iter()
            .any(|l| l.contains("lost digests") || l.contains("digest table full")),
        "{limits:?}"
    );
    watch.digests(|_| true).await;
    for n in 0..7 {
        run(&mut client, &format!("SELECT 1 AS late_{n}")).await;
    }
    let interval = watch.digests(|i| i.lost.is_some()).await;
    assert_eq!(interval.capacity, Some(200));
    // mydex's own statements can't be told apart in that row.
    assert!(interval.lost.unwrap().calls >= 7);
    watch.end().await;
}

#[tokio::test]
async fn a_stopped_server_is_waited_for() {
    use rustix::process::{Pid, Signal, kill_process};
    let server = own_server(&[]).await;
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    let mut watch = Watch::start(&settings(server.endpoint()), fast_limits());
    watch.interval().await;
    watch.interval().await;
    kill_process(pid, Signal::STOP).unwrap();
    let stalled = watch
        .until("stall", |news| match news {
            Feed::Link(Link::Stalled(silence)) if silence > Duration::from_secs(2) => Some(silence),
            _ => None,
        })
        .await;
    kill_process(pid, Signal::CONT).unwrap();
    watch
        .until("recovery", |news| {
            matches!(news, Feed::Link(Link::Up(_))).then_some(())
        })
        .await;
    // The poll that was stopped half way is out first if its counters came before the stop.
    let (first, second) = (watch.interval().await, watch.interval().await);
    let window = first.window.max(second.window);
    assert!(window + Duration::from_secs(1) >= stalled, "{window:?}");
    for interval in [first, second] {
        assert_eq!(interval.growth(Var::Questions), Some(0));
    }
    watch.end().await;
}

#[tokio::test]
async fn a_restarted_server_is_found_again_and_what_was_missed_is_said() {
    let account = "CREATE USER watcher@'%' IDENTIFIED BY 'only-for-this-test'";
    let first = own_server(&[]).await;
    let port = first.port();
    let mut client = admin(&first).await;
    run(&mut client, account).await;
    run(&mut client, "GRANT ALL ON *.* TO watcher@'%'").await;
    let mut watched = settings(first.endpoint());
    watched.user = "watcher".into();
    watched.password = Some("only-for-this-test".into());
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut watch = Watch::start(&watched, fast_limits());
    watch.digests(|_| true).await;
    drop(client);
    first.stop().await.unwrap();
    let reason = watch
        .until("loss", |news| match news {
            Feed::Link(Link::Down { reason, .. }) => Some(reason),
            _ => None,
        })
        .await;
    assert!(!reason.contains("only-for-this-test"), "{reason}");

    let options = mydex::sandbox::Options {
        port: Some(port),
        ..mydex::sandbox::Options::default()
    };
    let second = mydex::sandbox::Sandbox::start(&options, &mut crate::server::quiet)
        .await
        .unwrap();
    let mut client = admin(&second).await;
    run(&mut client, account).await;
    run(&mut client, "GRANT ALL ON *.* TO watcher@'%'").await;
    let unseen = watch
        .until("break", |news| match news {
            Feed::Break {
                why: Discontinuity::Restarted { .. },
                unseen,
            } => Some(unseen),
            _ => None,
        })
        .await;
    assert!(unseen > Duration::from_millis(200), "{unseen:?}");
    let digests = watch.digests(|_| true).await;
    assert_eq!(digests.gap, Some(DigestGap::Restarted));
    let interval = watch.interval().await;
    assert!(interval.growth(Var::Questions).unwrap() < 100);
    watch.end().await;
}

#[tokio::test]
async fn hopeless_settings_end_the_collector_with_their_error() {
    let mut wrong = settings(crate::server::shared().await.endpoint());
    wrong.password = Some("not-the-password".into());
    let watch = Watch::start(&wrong, fast_limits());
    let error = watch.task.await.unwrap().unwrap_err();
    assert!(
        matches!(error, mydex::server::Error::WrongPassword { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_full_feed_delays_figures_and_loses_none() {
    let server = own_server(&[]).await;
    let mut client = admin(&server).await;
    let (_requests, request_queue) = mpsc::channel(1);
    // Room for the two states of the connection and the first figures.
    let (sender, mut feed) = mpsc::channel(4);
    let cancel = CancellationToken::new();
    let task = collect::spawn(
        settings(server.endpoint()),
        Monitor {
            interval: Duration::from_millis(100),
            ..fast_limits()
        },
        false,
        request_queue,
        sender,
        cancel.clone(),
    );
    // Nobody reads for a while, and the server works.
    tokio::time::sleep(Duration::from_millis(700)).await;
    for _ in 0..40 {
        run(&mut client, "DO 1").await;
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    let mut questions = 0;
    let reading = async {
        while questions < 41 {
            if let Some(Feed::Interval(interval)) = feed.recv().await {
                questions += interval.growth(Var::Questions).unwrap();
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(3), reading).await;
    assert_eq!(questions, 40);
    cancel.cancel();
    task.await.unwrap().unwrap();
}
