//! A period of a real server under a known load, and the command that reports it.

use std::time::Duration;

use assert_cmd::Command;
use mydex::collect::observe::{Period, observe};
use mydex::model::performance::Measure;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio_util::sync::CancellationToken;

use crate::server;
use crate::server_checks::{limits, own_server, settings};

const PERIOD: Period = Period {
    duration: Duration::from_secs(8),
    interval: Duration::from_millis(500),
    histograms: 50,
};

/// Runs one statement again and again until the token is cancelled; gives how often.
async fn load(url: String, sql: String, stop: CancellationToken) -> u64 {
    let mut connection = server::connect(&url).await;
    let mut calls = 0;
    while !stop.is_cancelled() {
        sqlx::query(AssertSqlSafe(sql.clone()))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        calls += 1;
    }
    connection.close().await.unwrap();
    calls
}

#[tokio::test]
async fn a_period_has_every_statement_its_latency_and_its_course() {
    // Other tests have mydex's statements on the shared server.
    let own = own_server(&[]).await;
    let stop = CancellationToken::new();
    let sql = "SELECT SLEEP(0.01) AS observed_by_the_performance_test".to_owned();
    let running = tokio::spawn(load(own.url(), sql, stop.clone()));
    let target = settings(own.endpoint());
    let mut told = Vec::new();
    let seen = observe(
        &target,
        &limits(),
        PERIOD,
        &CancellationToken::new(),
        &mut |passed| told.push(passed),
    )
    .await
    .unwrap();
    stop.cancel();
    let all_calls = running.await.unwrap();
    // A machine that is busy has fewer polls than were due; each of them is a point.
    assert_eq!(u64::try_from(seen.points.len()).unwrap(), seen.polls.0);
    assert!(
        seen.polls.0 >= 2 && seen.polls.0 <= seen.polls.1,
        "{:?}",
        seen.polls
    );
    assert!(told.is_sorted());
    assert!(seen.interval.window >= PERIOD.duration);
    let summary = seen.summary(500);
    let statement = summary
        .statements
        .iter()
        .find(|one| {
            let text = one.text.as_deref().unwrap_or_default();
            text.contains("observed_by_the_performance_test")
        })
        .unwrap();
    assert!(
        statement.calls > 10 && statement.calls <= all_calls,
        "{statement:?}"
    );
    assert!(
        statement.average() >= Duration::from_millis(10),
        "{statement:?}"
    );
    // One session did nothing else.
    let load = statement.load(seen.digests.as_ref().unwrap().window);
    assert!((0.05..=1.2).contains(&load), "{load}");
    let histogram = seen
        .histograms
        .iter()
        .find(|one| one.key == statement.key)
        .unwrap();
    assert!(histogram.window < seen.interval.window);
    assert!(histogram.latency.total() > 0 && histogram.latency.total() <= statement.calls);
    assert!(histogram.latency.quantile(0.5).unwrap() >= Duration::from_millis(10));
    assert!(summary.figure(Measure::Queries).unwrap() > 1.0);
    assert!(summary.figure(Measure::P50).is_some());
    assert!(seen.waits.is_some());
    // mydex's own statements are in no list.
    let is_own =
        |text: &str| text.contains("events_waits_summary") || text.contains("GLOBAL STATUS");
    assert!(
        !summary
            .statements
            .iter()
            .any(|s| s.text.as_deref().is_some_and(is_own))
    );
    own.stop().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_period_is_a_shorter_one() {
    let target = settings(server::shared().await.endpoint());
    let stop = CancellationToken::new();
    let later = stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        later.cancel();
    });
    let period = Period {
        duration: Duration::from_mins(10),
        ..PERIOD
    };
    let seen = observe(&target, &limits(), period, &stop, &mut |_| {})
        .await
        .unwrap();
    assert!(seen.interval.window < Duration::from_mins(1));
    assert!(!seen.points.is_empty());
}

#[tokio::test]
async fn the_command_writes_a_report_and_compares_with_it() {
    let schema = server::schema("reported").await;
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("first.json");
    let run_with = |arguments: &[&str], wanted: Option<&str>, expected: i32| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mydex"));
        if let Some(wanted) = wanted {
            command.env("MYDEX_SLO_EVENTS_PER_MINUTE", wanted);
        }
        command
            .args([
                "report",
                "performance",
                "--duration",
                "2s",
                "--interval",
                "500ms",
            ])
            .args(arguments)
            .current_dir(folder.path())
            .env("MYDEX_URL", schema.url())
            .env("MYDEX_STATE_DIR", folder.path());
        let output = command.output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(expected), "{message}");
        String::from_utf8(output.stdout).unwrap()
    };
    // Nobody set a level, so that none decides; a server is not bad for want of work.
    let run = |arguments: &[&str]| run_with(arguments, None, 0);
    run_with(&[], Some("100000000"), 1);
    run(&["--format", "json", "-o", first.to_str().unwrap()]);
    let written = std::fs::read_to_string(&first).unwrap();
    let json = server::published("performance.json", &written);
    assert_eq!(json["schema_version"], 1);
    let connections = &json["connections"];
    assert!(
        connections["open"]["max"].as_u64() >= Some(1),
        "{connections}"
    );
    assert!(
        connections["most_since_start"].as_u64() >= Some(1),
        "{connections}"
    );
    assert!(json["points"].as_array().unwrap().len() >= 2);
    let text = run(&["--against", first.to_str().unwrap()]);
    assert!(
        text.contains("What changed") && text.contains("Service levels"),
        "{text}"
    );
    let page = run(&["--format", "html"]);
    assert!(page.starts_with("<!DOCTYPE html>") && !page.contains("<script"));
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "{}").unwrap();
    Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args([
            "report",
            "performance",
            "--against",
            broken.to_str().unwrap(),
        ])
        .env("MYDEX_URL", schema.url())
        .assert()
        .code(2);
}
