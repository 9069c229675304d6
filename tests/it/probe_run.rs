//! `mydex probe run` as it is called, with a pack whose limits are known.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::server::{self, Schema};

/// A pack with one probe that takes 20 ms on the server, so that a connection does at most 50 a
/// second whatever the machine.
fn pack(folder: &Path) -> &Path {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "pack.toml",
        "name = \"sleepers\"\ndescription = \"Known times\"\nversion = 1\n",
    );
    write(
        "schema.sql",
        "CREATE TABLE item (id INT UNSIGNED NOT NULL PRIMARY KEY);\n",
    );
    write(
        "data.toml",
        "now = 2026-11-01T00:00:00Z\n[[table]]\nname = \"item\"\nrows = 10\n\
         [table.columns]\nid = { kind = \"sequence\", start = 1, step = 1 }\n",
    );
    write(
        "probes/sleep.toml",
        "[[probe]]\nname = \"sleep\"\ndescription = \"Takes 20 ms\"\nkind = \"read\"\nrate = 20\n\
         weight = 1\nslo = { quantile = 0.95, limit = \"400ms\" }\n\
         sql = \"SELECT id, SLEEP(0.02) FROM item WHERE id = :id\"\n\
         [probe.params]\nid = { from = \"item.id\" }\n",
    );
    folder
}

async fn loaded(name: &str) -> (Schema, tempfile::TempDir) {
    let schema = server::schema(name).await;
    let folder = tempfile::tempdir().unwrap();
    let output = mydex(&schema, pack(folder.path()), "load", &[]);
    assert!(output.status.success(), "{output:?}");
    (schema, folder)
}

fn mydex(schema: &Schema, pack: &Path, command: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args(["--url", &schema.url(), "probe", command])
        .arg(pack)
        .args(["--database", schema.name()])
        .args(arguments)
        .current_dir(pack)
        .env_remove("MYDEX_URL")
        .output()
        .unwrap()
}

fn run(schema: &Schema, pack: &Path, arguments: &[&str]) -> (Value, i32) {
    let output = mydex(
        schema,
        pack,
        "run",
        &[arguments, &["--format", "json"]].concat(),
    );
    let messages = String::from_utf8_lossy(&output.stderr);
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {messages}"));
    (json, output.status.code().unwrap())
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_from_flags_and_configuration_are_reported_each() {
    let (schema, folder) = loaded("run_stages").await;
    let stages = ["--stage", "20/s:1s", "--stage", "20..60/s:1s"];
    let common = ["--warmup", "0s", "--concurrency", "8"];
    let (json, _) = run(&schema, folder.path(), &[&stages[..], &common].concat());
    std::fs::write(
        folder.path().join("monitor.toml"),
        "[load]\nstages = \"20/s:1s, 20..60/s:1s\"\n",
    )
    .unwrap();
    let (configured, _) = run(&schema, folder.path(), &common);
    for json in [json, configured] {
        let stages = json["stages"].as_array().unwrap();
        let names: Vec<_> = stages.iter().map(|stage| &stage["stage"]).collect();
        assert_eq!(names, ["20/s:1s", "20..60/s:1s"]);
        let scheduled = |value: &Value| value["counts"]["scheduled"].as_u64().unwrap();
        let sum: u64 = stages.iter().map(scheduled).sum();
        assert_eq!(sum, scheduled(&json));
        assert!((number(&stages[1]["target_rate"]) - 40.0).abs() < 0.01);
        assert!((number(&json["measured_seconds"]) - 2.0).abs() < 0.05);
    }
    // A rate of its own is asked for instead.
    let (json, _) = run(
        &schema,
        folder.path(),
        &[&["--rate", "10", "--duration", "1s"][..], &common].concat(),
    );
    assert_eq!(json["stages"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_capacity_is_never_more_than_the_server_can_do() {
    let (schema, folder) = loaded("run_capacity").await;
    let arguments = [
        "--find-capacity",
        "--rate",
        "30",
        "--concurrency",
        "2",
        "--duration",
        "1s",
        "--warmup",
        "200ms",
    ];
    let (json, status) = run(&schema, folder.path(), &arguments);
    // Two connections of 20 ms do 100/s; in one second some may be left in flight.
    let steps = json["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .all(|step| number(&step["throughput"]) <= 104.0)
    );
    let highest = json["highest_rate"].as_f64();
    if let Some(highest) = highest {
        assert!(highest < 115.0, "{json}");
        assert!(number(&json["first_failed_rate"]) > highest);
    }
    assert_eq!(status, i32::from(highest.is_none()));
    let limit = json["limit"].as_str().unwrap();
    assert!(["objective", "client"].contains(&limit), "{json}");
    let broken: Vec<_> = json["broke"].as_array().unwrap().iter().collect();
    assert!(!broken.is_empty(), "{json}");
    let text = mydex(
        &schema,
        folder.path(),
        "run",
        &[
            "--find-capacity",
            "--max-rate",
            "5",
            "--rate",
            "5",
            "--duration",
            "500ms",
            "--warmup",
            "0s",
        ],
    );
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("Highest rate that met every objective"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recommended_pool_is_run_and_does_what_it_promised() {
    let (schema, folder) = loaded("run_sizing").await;
    let arguments = [
        "--recommend-pool=25ms",
        "--rate",
        "60",
        "--concurrency",
        "1",
        "--duration",
        "3s",
        "--warmup",
        "0s",
    ];
    let (json, _) = run(&schema, folder.path(), &arguments);
    let runs = json["runs"].as_array().unwrap();
    assert!(runs.len() >= 2, "{json}");
    // 60/s of at least 20 ms keep more than one connection busy, so that the line grows.
    assert!(number(&runs[0]["wait_p95"]) > 0.2, "{json}");
    assert!(number(&runs[0]["recommends"]["busy_mean"]) > 1.0);
    let recommended = runs[0]["recommends"]["connections"].as_u64().unwrap();
    assert!((2..40).contains(&recommended), "{json}");
    assert_eq!(runs[1]["connections"].as_u64(), Some(recommended));
    assert!(
        number(&runs[1]["wait_p95"]) < number(&runs[0]["wait_p95"]) / 4.0,
        "{json}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_has_its_names_in_every_format() {
    let (schema, folder) = loaded("run_names").await;
    let arguments = [
        "--rate",
        "20",
        "--duration",
        "1s",
        "--warmup",
        "0s",
        "--concurrency",
        "4",
    ];
    let (json, _) = run(&schema, folder.path(), &arguments);
    let metrics = json["pool"]["metrics"].as_object().unwrap();
    let names = [
        "db.client.connection.count",
        "db.client.connection.idle.max",
        "db.client.connection.idle.min",
        "db.client.connection.max",
        "db.client.connection.pending_requests",
        "db.client.connection.timeouts",
        "db.client.connection.create_time",
        "db.client.connection.wait_time",
        "db.client.connection.use_time",
    ];
    assert_eq!(metrics.keys().collect::<Vec<_>>(), names);
    assert_eq!(metrics["db.client.connection.max"], 4);
    let state = &metrics["db.client.connection.count"];
    assert_eq!(
        (state["used"].as_u64(), state["idle"].as_u64()),
        (Some(0), Some(4))
    );
    let used = &metrics["db.client.connection.use_time"];
    assert_eq!(used["count"], json["pool"]["acquired"]);
    assert!(number(&used["p50"]) >= 0.02);
    for format in ["text", "md"] {
        let output = mydex(
            &schema,
            folder.path(),
            "run",
            &[&arguments[..], &["--format", format]].concat(),
        );
        // Markdown escapes the underscores of the names.
        let text = String::from_utf8(output.stdout).unwrap().replace('\\', "");
        for name in names {
            assert!(text.contains(name), "{format} has no {name}: {text}");
        }
    }
}
