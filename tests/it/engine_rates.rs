//! Rates that change, users who think and overload, on a real server.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use mydex::model::probe::{Counts, Stage};
use mydex::probes::engine::{EngineConfig, Loop, spawn};
use mydex::probes::operation::EngineProbe;
use mydex::probes::outcome::{RunReport, counts};
use mydex::probes::pack::{ParamRef, Statement};
use mydex::probes::schedule::Spacing;
use mydex::probes::think::Think;
use mydex::probes::value::Value;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _};
use tokio_util::sync::CancellationToken;

use crate::server;

fn probe(sql: &str, params: usize, rate: f64) -> EngineProbe {
    EngineProbe {
        name: "one".into(),
        is_write: false,
        rate,
        slo: None,
        timeout: None,
        transaction: false,
        statements: vec![Statement {
            sql: sql.into(),
            params: (0..params)
                .map(|param| ParamRef { param, row: 0 })
                .collect(),
            returns_rows: sql.starts_with("SELECT"),
        }],
        values: Arc::new(|number, _| Value::UInt(number)),
    }
}

fn options(url: &str) -> MySqlConnectOptions {
    MySqlConnectOptions::from_str(url).unwrap()
}

async fn drive(url: &str, probe: EngineProbe, config: EngineConfig) -> RunReport {
    let (ticks, _receiver) = tokio::sync::mpsc::channel(64);
    let cancel = CancellationToken::new();
    let report = spawn(options(url), vec![probe], config, ticks, &cancel)
        .finish()
        .await
        .unwrap();
    let counts = report.counts();
    assert_eq!(counts.in_flight(), 0, "{counts:?}");
    assert_eq!(counts.failed, 0, "{:?}", report.errors);
    report
}

fn stage(from: f64, to: f64, seconds: u64) -> Stage {
    Stage {
        from,
        to,
        length: Duration::from_secs(seconds),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_stages_count_is_what_the_server_did() {
    let schema = server::schema("engine_stages").await;
    let mut connection = options(&schema.url()).connect().await.unwrap();
    connection
        .execute("CREATE TABLE seen (number BIGINT UNSIGNED PRIMARY KEY)")
        .await
        .unwrap();
    let config = EngineConfig {
        stages: vec![stage(50.0, 50.0, 2), stage(50.0, 250.0, 2)],
        concurrency: 8,
        ..EngineConfig::default()
    };
    let insert = probe("INSERT INTO seen VALUES (?)", 1, 250.0);
    let report = drive(&schema.url(), insert, config).await;
    assert_eq!(report.stages.len(), 2);
    let stages: Vec<Counts> = report
        .stages
        .iter()
        .map(|stage| counts(&stage.total))
        .collect();
    for (counts, expected) in stages.iter().zip([100.0, 300.0]) {
        assert_eq!(counts.in_flight(), 0, "{counts:?}");
        // Five standard deviations of a Poisson count.
        let off = (counts.scheduled as f64 - expected).abs();
        assert!(off < 5.0 * f64::sqrt(expected), "{counts:?}");
    }
    let completed = stages[0].completed + stages[1].completed;
    assert_eq!(completed, report.counts().completed);
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM seen")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(u64::try_from(rows).unwrap(), completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_change_under_way_and_no_operation_is_lost_or_doubled() {
    let schema = server::schema("engine_steered").await;
    let mut connection = options(&schema.url()).connect().await.unwrap();
    connection
        .execute("CREATE TABLE seen (number BIGINT UNSIGNED PRIMARY KEY)")
        .await
        .unwrap();
    let insert = probe("INSERT INTO seen VALUES (?)", 1, 40.0);
    let config = EngineConfig {
        concurrency: 8,
        threads: Some(2),
        ..EngineConfig::default()
    };
    let (ticks, mut windows) = tokio::sync::mpsc::channel(256);
    let cancel = CancellationToken::new();
    let engine = spawn(options(&schema.url()), vec![insert], config, ticks, &cancel);
    let steering = engine.steering();
    // The first window says that it drives.
    windows.recv().await.unwrap();
    for rate in [400.0, 0.0, 5.0, 150.0, 0.5, 80.0] {
        steering.set(&[rate]).unwrap();
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
    assert!(steering.set(&[-1.0]).is_err() && steering.set(&[1.0, 1.0]).is_err());
    engine.stop();
    let report = engine.finish().await.unwrap();
    let counts = report.counts();
    assert_eq!(
        (counts.in_flight(), counts.failed),
        (0, 0),
        "{:?}",
        report.errors
    );
    let mut sum = Counts::default();
    let mut rates = vec![40.0];
    windows.close();
    let mut seen = 40.0;
    while let Some(window) = windows.recv().await {
        assert!(window.window < Duration::from_millis(1_500));
        if window.rates.now[0].to_bits() != f64::to_bits(seen) {
            seen = window.rates.now[0];
            rates.push(seen);
        }
        sum = sum.plus(window.probes[0].counts);
    }
    assert_eq!(rates, [40.0, 400.0, 0.0, 5.0, 150.0, 0.5, 80.0]);
    assert!(sum.scheduled < counts.scheduled && sum.scheduled > counts.scheduled / 2);
    // About 40 + 360 + 4 + 135 + 72 in this time; a busy machine shifts the changes a little.
    assert!((400..900).contains(&counts.scheduled), "{counts:?}");
    let (rows, least, most): (i64, u64, u64) =
        sqlx::query_as("SELECT COUNT(*), MIN(number), MAX(number) FROM seen")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(u64::try_from(rows).unwrap(), counts.completed);
    // Numbers are handed out in order: at the end the last ones can be in flight or unsent.
    assert_eq!(least, 0);
    assert!(most < counts.scheduled, "{most} {counts:?}");
    assert!(steering.set(&[1.0]).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overload_ends_in_time_with_every_operation_accounted_for() {
    let schema = server::schema("engine_overload").await;
    // 4 connections of at least 10 ms do at most 400/s; three times that are asked for.
    let config = EngineConfig {
        duration: Some(Duration::from_secs(4)),
        concurrency: 4,
        ..EngineConfig::default()
    };
    let begin = std::time::Instant::now();
    let report = drive(
        &schema.url(),
        probe("SELECT SLEEP(0.01)", 0, 1_200.0),
        config,
    )
    .await;
    assert!(begin.elapsed() < Duration::from_secs(20));
    let counts = report.counts();
    assert!(counts.completed <= 1_650, "{counts:?}");
    assert!(counts.unsent >= 2 * counts.completed, "{counts:?}");
    assert_eq!(report.is_rate_sustained(), Some(false));
    let one = &report.total.probes[0];
    // Censored waits: every operation that did not fail is in the response.
    assert_eq!(one.response.len(), counts.scheduled);
    assert_eq!(report.total.pool.wait.len(), counts.scheduled);
    assert!(report.total.pool.utilization > 0.9);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_think_ask_less() {
    let schema = server::schema("engine_think").await;
    for spacing in [Spacing::Poisson, Spacing::Uniform] {
        let config = EngineConfig {
            mode: Loop::Closed,
            think: Some(Think {
                mean: Duration::from_millis(100),
                spacing,
            }),
            duration: Some(Duration::from_secs(3)),
            concurrency: 10,
            ..EngineConfig::default()
        };
        let report = drive(&schema.url(), probe("SELECT 1", 0, 1.0), config).await;
        // Ten users who think 100 ms ask at most 100 times a second; how much less depends on how
        // busy this machine is.
        let rate = report.throughput();
        assert!((30.0..125.0).contains(&rate), "{spacing:?}: {rate}");
        assert_eq!(report.think, Some(Duration::from_millis(100)));
        let pool = &report.total.pool;
        assert_eq!((pool.pending_max, pool.wait.max()), (0, 0));
    }
}
