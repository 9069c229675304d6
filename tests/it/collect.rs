//! The collectors against real servers: exact figures, breaks, faults.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mydex::collect;
use mydex::config::settings::{Monitor, Server};
use mydex::model::digest::{DigestDetail, DigestGap, DigestInterval, DigestKey, Plan};
use mydex::model::feed::{Feed, Link, Request};
use mydex::model::interval::{Discontinuity, Interval};
use mydex::model::latency::BucketCounts;
use mydex::model::status::Var;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::server_checks::{admin, limits, own_server, run, settings};

/// A collector that runs, and what it says.
struct Watch {
    feed: mpsc::Receiver<Feed>,
    requests: mpsc::Sender<Request>,
    cancel: CancellationToken,
    task: JoinHandle<Result<(), mydex::server::Error>>,
    started: Instant,
}

fn fast_limits() -> Monitor {
    Monitor {
        interval: Duration::from_millis(200),
        // The tests look at figures, not at the budget.
        overhead_budget: 0.5,
        ..limits()
    }
}

impl Watch {
    fn start(server: &Server, monitor: Monitor) -> Self {
        let (requests, request_queue) = mpsc::channel(16);
        let (sender, feed) = mpsc::channel(64);
        let cancel = CancellationToken::new();
        let task = collect::spawn(
            server.clone(),
            monitor,
            false,
            request_queue,
            sender,
            cancel.clone(),
        );
        Self {
            feed,
            requests,
            cancel,
            task,
            started: Instant::now(),
        }
    }

    /// Waits for news that `pick` takes.
    async fn until<T>(&mut self, what: &str, mut pick: impl FnMut(Feed) -> Option<T>) -> T {
        let mut passed = Vec::new();
        let waiting = async {
            while let Some(news) = self.feed.recv().await {
                passed.push(format!("{news:.40?}").chars().take(90).collect::<String>());
                if let Some(found) = pick(news) {
                    return Some(found);
                }
            }
            None
        };
        match tokio::time::timeout(Duration::from_secs(20), waiting).await {
            Ok(Some(found)) => found,
            _ => panic!("no {what}; instead {passed:#?}"),
        }
    }

    async fn interval(&mut self) -> Arc<Interval> {
        self.until("interval", |news| match news {
            Feed::Interval(interval) => Some(interval),
            _ => None,
        })
        .await
    }

    async fn digests(&mut self, pick: impl Fn(&DigestInterval) -> bool) -> Arc<DigestInterval> {
        self.until("digests", |news| match news {
            Feed::Digests(interval) if pick(&interval) => Some(interval),
            _ => None,
        })
        .await
    }

    async fn detail(&mut self, key: &DigestKey) -> Result<Arc<DigestDetail>, String> {
        let request = Request::Detail(key.clone());
        self.requests.send(request).await.unwrap();
        self.until("detail", |news| match news {
            Feed::Detail { key: of, result } if of == *key => Some(result),
            _ => None,
        })
        .await
    }

    async fn end(self) {
        self.cancel.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(5), self.task).await;
        ended.expect("it ends when told to").unwrap().unwrap();
    }
}

fn calls_of(interval: &DigestInterval, text: &str) -> u64 {
    let digests = interval.digests.iter();
    digests
        .filter(|d| d.text.as_deref().is_some_and(|t| t.contains(text)))
        .map(|d| d.counters.calls)
        .sum()
}

#[tokio::test]
async fn an_idle_server_shows_no_load_of_mydex() {
    let server = own_server(&[]).await;
    let settings = settings(server.endpoint());
    let mut watch = Watch::start(&settings, fast_limits());
    // The first intervals have the connections' own beginnings in them, which count as well.
    for round in 0..12 {
        let interval = watch.interval().await;
        assert_eq!(interval.growth(Var::Questions), Some(0), "round {round}");
        assert_eq!(interval.growth(Var::Queries), Some(0), "round {round}");
        let latency = interval.latency.as_ref().map(BucketCounts::total);
        assert_eq!(latency, Some(0), "round {round}");
        assert_eq!(interval.sessions_total, 0, "round {round}");
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
async fn details_have_text_sample_latency_and_plan() {
    let server = own_server(&[]).await;
    let mut client = admin(&server).await;
    run(&mut client, "CREATE SCHEMA `we``ird; name`").await;
    run(&mut client, "USE `we``ird; name`").await;
    run(&mut client, "CREATE TABLE t (a INT PRIMARY KEY, b INT)").await;
    let mut watch = Watch::start(&settings(server.endpoint()), fast_limits());
    watch.digests(|_| true).await;
    for (sql, mark, expected) in [
        ("SELECT b FROM t WHERE a = 5", "SELECT `b`", "tree"),
        ("UPDATE t SET b = 1 WHERE b = 2", "UPDATE", "tree"),
        ("SELECT 1; SELECT 2 AS two", "`two`", "tree"),
        ("SELECT 1 AS `\u{1b}[31mred`", "red", "tree"),
        ("SET @x = 1", "SET @", "SET statements have no plan"),
    ] {
        run(&mut client, sql).await;
        let interval = watch.digests(|i| calls_of(i, mark) > 0).await;
        let digest = interval
            .digests
            .iter()
            .find(|d| d.text.as_deref().is_some_and(|t| t.contains(mark)))
            .unwrap();
        assert!(digest.is_new);
        let detail = watch.detail(&digest.key).await.unwrap();
        assert_eq!(detail.counters.calls, 1, "{sql}");
        assert_eq!(detail.latency.total(), 1, "{sql}");
        assert!(!detail.sample.as_ref().unwrap().is_truncated);
        match &detail.plan {
            Plan::Tree(tree) => {
                assert_eq!(expected, "tree", "{sql}: {tree}");
                assert!(tree.starts_with("->") || tree.starts_with('<'), "{tree}");
            }
            Plan::Unavailable(reason) => assert!(reason.contains(expected), "{sql}: {reason}"),
        }
    }
    // The plan of the update changed nothing, and neither did reading all of this.
    let gone = DigestKey {
        schema: None,
        digest: Some("ab".repeat(32).into()),
    };
    let refused = watch.detail(&gone).await.unwrap_err();
    assert!(refused.contains("no longer has this digest"), "{refused}");
    watch.end().await;
}

#[tokio::test]
async fn long_samples_are_known_to_be_cut() {
    let server = own_server(&[]).await;
    let mut client = admin(&server).await;
    let mut watch = Watch::start(&settings(server.endpoint()), fast_limits());
    watch.digests(|_| true).await;
    run(
        &mut client,
        &format!("SELECT '{}' AS long_one", "x".repeat(3_000)),
    )
    .await;
    let interval = watch.digests(|i| i.total.calls > 0).await;
    let detail = watch.detail(&interval.digests[0].key).await.unwrap();
    assert!(detail.sample.as_ref().unwrap().is_truncated);
    let Plan::Unavailable(reason) = &detail.plan else {
        panic!("a cut statement was explained");
    };
    assert!(
        reason.contains("performance_schema_max_sql_text_length"),
        "{reason}"
    );
    watch.end().await;
}

#[tokio::test]
async fn a_plan_behind_a_lock_does_not_stop_the_polls() {
    let server = own_server(&[]).await;
    let mut client = admin(&server).await;
    run(&mut client, "CREATE SCHEMA s").await;
    run(&mut client, "CREATE TABLE s.t (a INT PRIMARY KEY)").await;
    let mut watch = Watch::start(&settings(server.endpoint()), fast_limits());
    watch.digests(|_| true).await;
    run(&mut client, "SELECT a FROM s.t WHERE a = 1").await;
    let interval = watch.digests(|i| calls_of(i, "SELECT `a`") > 0).await;
    let key = interval.digests[0].key.clone();
    run(&mut client, "LOCK TABLES s.t WRITE").await;
    watch.requests.send(Request::Detail(key)).await.unwrap();
    let asked = Instant::now();
    let mut polls = 0;
    let result = watch
        .until("detail", |news| match news {
            Feed::Detail { result, .. } => Some(result),
            Feed::Interval(_) => {
                polls += 1;
                None
            }
            _ => None,
        })
        .await;
    let Plan::Unavailable(reason) = &result.unwrap().plan else {
        panic!("a locked table was explained");
    };
    assert!(reason.contains("metadata lock"), "{reason}");
    assert!(
        asked.elapsed() < Duration::from_secs(4),
        "{:?}",
        asked.elapsed()
    );
    assert!(polls >= 5, "{polls}");
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

#[tokio::test]
async fn a_plan_that_hangs_is_ended_from_the_other_connection() {
    let server = own_server(&[]).await;
    let mut client = admin(&server).await;
    run(&mut client, "CREATE SCHEMA s").await;
    run(&mut client, "CREATE TABLE s.t (a INT PRIMARY KEY)").await;
    let patient = Monitor {
        lock_wait_timeout: Duration::from_mins(1),
        ..fast_limits()
    };
    let mut watch = Watch::start(&settings(server.endpoint()), patient);
    watch.digests(|_| true).await;
    run(&mut client, "SELECT a FROM s.t WHERE a = 1").await;
    let interval = watch.digests(|i| calls_of(i, "SELECT `a`") > 0).await;
    let key = interval.digests[0].key.clone();
    run(&mut client, "LOCK TABLES s.t WRITE").await;
    let mut other = admin(&server).await;
    let hanging = "SELECT COUNT(*) FROM performance_schema.threads \
                   WHERE PROCESSLIST_STATE LIKE 'Waiting for table metadata lock%'";
    let seen = async {
        let mut most = 0_i64;
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = sqlx::query_scalar(hanging).fetch_one(&mut other).await;
            most = most.max(now.unwrap());
        }
        most
    };
    let (detail, most) = tokio::join!(watch.detail(&key), seen);
    let detail = detail.unwrap();
    assert!(matches!(&detail.plan, Plan::Unavailable(reason) if reason.contains("no plan within")));
    assert_eq!(most, 1, "the plan waited for the lock");
    // While the lock is still held, and long before its wait would end by itself.
    let mut left = most;
    for _ in 0..100 {
        left = sqlx::query_scalar(hanging)
            .fetch_one(&mut other)
            .await
            .unwrap();
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(left, 0);
    run(&mut client, "UNLOCK TABLES").await;
    let detail = watch.detail(&key).await.unwrap();
    assert!(matches!(&detail.plan, Plan::Tree(_)), "{:?}", detail.plan);
    watch.end().await;
}

#[tokio::test]
async fn prepared_statements_have_plans_with_values_of_the_tables() {
    let server = own_server(&[]).await;
    let mut client = admin(&server).await;
    run(&mut client, "CREATE SCHEMA s").await;
    run(&mut client, "USE s").await;
    run(
        &mut client,
        "CREATE TABLE t (id BINARY(4) PRIMARY KEY, name VARCHAR(20), n INT, KEY (n))",
    )
    .await;
    run(
        &mut client,
        "INSERT INTO t VALUES (X'00ff0001', 'it''s', 7), (X'00ff0002', 'b', 8)",
    )
    .await;
    let mut watch = Watch::start(&settings(server.endpoint()), fast_limits());
    watch.digests(|_| true).await;
    for (sql, mark, expected) in [
        (
            "SELECT x.name AS byn FROM t x WHERE x.n = ? AND name <> ? LIMIT ?",
            "`byn`",
            "using n (n = 7)",
        ),
        (
            "SELECT name AS byid FROM s.t WHERE id = ?",
            "`byid`",
            "Rows fetched before execution",
        ),
    ] {
        let mut query = sqlx::query(sql).bind("1");
        if sql.contains("LIMIT") {
            query = query.bind("x").bind(5);
        }
        query.fetch_all(&mut client).await.unwrap();
        let interval = watch.digests(|i| calls_of(i, mark) > 0).await;
        let digest = interval
            .digests
            .iter()
            .rfind(|d| d.text.as_deref().is_some_and(|t| t.contains(mark)))
            .unwrap();
        let detail = watch.detail(&digest.key).await.unwrap();
        let Plan::Tree(tree) = &detail.plan else {
            panic!("{sql}: {:?}", detail.plan);
        };
        assert!(tree.contains(expected), "{sql}: {tree}");
        assert!(tree.contains("does not keep the parameters"), "{tree}");
    }
    watch.end().await;
}
