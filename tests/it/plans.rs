//! Details of a digest against real servers: its sample, its latencies, its plan.

use std::time::{Duration, Instant};

use mydex::config::settings::Monitor;
use mydex::model::digest::{DigestKey, Plan};
use mydex::model::feed::{Feed, Request};

use crate::server_checks::{admin, own_server, run, settings};
use crate::watch::{Watch, calls_of, fast_limits};

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
