//! Ctrl-C while the advisor works: the best answer so far or none, and nothing left behind.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::advise::{definition, shop};
use crate::server::Schema;

/// Ends loudly before the run of the tests would.
const PATIENCE: Duration = Duration::from_mins(4);

/// Many queries of many kinds, so that every phase takes its time.
fn workload() -> String {
    let mut text = String::new();
    let columns = ["customer", "state", "made", "cents", "note"];
    for (place, first) in columns.iter().enumerate() {
        for second in columns.iter().filter(|other| *other != first) {
            for limit in [1, 10, 100] {
                // Writing to a String cannot fail.
                let _ = writeln!(
                    text,
                    "SELECT o.id, c.email FROM orders o JOIN customers c ON c.id = o.customer \
                     WHERE o.{first} = '{place}' ORDER BY o.{second} DESC LIMIT {limit};"
                );
            }
        }
    }
    text
}

fn start(schema: &Schema, folder: &Path) -> Child {
    fs::write(folder.join("work.sql"), workload()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args(["advise", "--source", "sql", "work.sql", "--format", "json"])
        .current_dir(folder)
        .env("MYDEX_URL", schema.url())
        .env("MYDEX_STATE_DIR", folder.join("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a run gave that was interrupted once it said `phase`: its exit status and its output.
fn interrupted_at(schema: &Schema, folder: &Path, phase: &str) -> (Option<i32>, String) {
    let mut child = start(schema, folder);
    let mut said = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    while !said.lines().any(|line| line.starts_with(phase)) {
        let read = lines.read_line(&mut said).unwrap();
        assert!(read > 0, "it ended before it said `{phase}`: {said}");
    }
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).unwrap();
    let sent = Instant::now();
    let reader = std::thread::spawn(move || {
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        rest
    });
    let mut output = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut output).unwrap();
    let status = child.wait().unwrap();
    let took = sent.elapsed();
    let rest = reader.join().unwrap();
    assert!(took < PATIENCE, "{phase}: {took:?}\n{rest}");
    (status.code(), output)
}

/// Programs that were started with a path in `folder`.
fn programs_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&folder))
        .collect()
}

async fn leaves_nothing(folder: &Path, phase: &str) {
    let state = folder.join("state");
    // The watchdog of a server that is ended may need a moment.
    let begun = Instant::now();
    loop {
        let programs = programs_of(&state);
        let left = folders(&state.join("sandbox/owned"));
        if programs.is_empty() && left.is_empty() {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{phase} left {programs:?} and {left:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Folders of servers.
fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_dir()).collect()
}

#[tokio::test]
async fn an_interrupted_run_gives_what_it_has_and_leaves_nothing() {
    let schema = shop("advise_interrupted").await;
    let pool = schema.pool().await;
    let before = definition(&pool).await;
    for (phase, has_answer) in [
        ("reading the workload", Some(false)),
        ("starting the twin", Some(false)),
        ("filling the twin", Some(false)),
        ("making histograms", Some(false)),
        ("asking the optimizer", Some(true)),
        ("running", Some(true)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (status, output) = interrupted_at(&schema, folder.path(), phase);
        assert_eq!(status, Some(130), "{phase}: {output}");
        if let Some(has_answer) = has_answer {
            assert_eq!(!output.is_empty(), has_answer, "{phase}: {output}");
        }
        if !output.is_empty() {
            let advice: Value = serde_json::from_str(&output).unwrap();
            assert_eq!(advice["optimality"]["is_interrupted"], true, "{phase}");
        }
        leaves_nothing(folder.path(), phase).await;
        assert_eq!(definition(&pool).await, before, "{phase}");
    }
    let schemas: Vec<(String,)> = sqlx::query_as(
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'mydex%'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(schemas.is_empty(), "{schemas:?}");
}
