//! `mydex digest` next to `pt-query-digest` on the same slow log, as processes: time, memory,
//! classes and totals.
//!
//! `cargo bench --bench digest` writes a log of 80 MB that is the same on every machine. It needs
//! `pt-query-digest` for the comparison (Debian's percona-toolkit) and says so where it is missing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and ends loudly at what it did not expect"
)]

#[path = "digest/generate.rs"]
mod generate;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mydex::sql::fingerprint::Fingerprinter;
use serde_json::Value;

const BYTES: usize = 80_000_000;
/// Runs of mydex, of which the median counts.
const RUNS: usize = 5;

/// What a class adds up to: calls, time in microseconds, rows examined, rows sent.
type Totals = BTreeMap<u64, [u64; 4]>;

struct Run {
    elapsed: Duration,
    /// Kilobytes.
    memory: u64,
    output: Value,
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("slow.log");
    let mut out = BufWriter::new(File::create(&log).unwrap());
    let entries = generate::generate(&mut out, BYTES).unwrap();
    drop(out);
    let size = log.metadata().unwrap().len();
    println!("log: {entries} entries, {:.1} MB", size as f64 / 1e6);
    let mut runs: Vec<Run> = (0..RUNS).map(|_| mydex(folder.path(), &log)).collect();
    runs.sort_by_key(|run| run.elapsed);
    let memory = runs.iter().map(|run| run.memory).max().unwrap();
    let ours = runs.swap_remove(RUNS / 2);
    let seconds = ours.elapsed.as_secs_f64();
    println!(
        "mydex: {seconds:.2} s (median of {RUNS}), {:.0} MB/s, {:.1} MB of memory",
        size as f64 / 1e6 / seconds,
        memory as f64 / 1e3,
    );
    let our_totals = our_totals(&ours.output);
    println!("mydex: {} classes", our_totals.len());
    if Command::new("pt-query-digest")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("pt-query-digest is not installed (Debian: percona-toolkit): nothing is compared");
        return;
    }
    let theirs = percona(folder.path(), &log);
    println!(
        "pt-query-digest: {:.2} s, {:.1} MB of memory; mydex is {:.0} times as fast",
        theirs.elapsed.as_secs_f64(),
        theirs.memory as f64 / 1e3,
        theirs.elapsed.as_secs_f64() / seconds,
    );
    compare(&our_totals, &theirs.output);
}

/// Runs a program under a shell that waits for it alone, and reads the kernel's account of it.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Run {
    let output = folder.join("output.json");
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(File::create(&output).unwrap())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    let ended = loop {
        // The peak only grows; the last reading before the end is at most a few milliseconds old.
        if let Ok(text) = std::fs::read_to_string(&status) {
            let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
            memory = memory.max(peak.unwrap_or(0));
        }
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        let pause = Duration::from_millis(2);
        std::thread::park_timeout(pause);
    };
    let elapsed = started.elapsed();
    assert!(ended.success(), "{program} failed");
    Run {
        elapsed,
        memory,
        output: serde_json::from_reader(File::open(&output).unwrap()).unwrap(),
    }
}

fn mydex(folder: &Path, log: &Path) -> Run {
    let log = log.to_str().unwrap();
    let arguments = ["digest", log, "--limit", "100%", "--format", "json"];
    run(folder, env!("CARGO_BIN_EXE_mydex"), &arguments)
}

fn percona(folder: &Path, log: &Path) -> Run {
    let log = log.to_str().unwrap();
    // Without its check for a newer version of itself, which would ask the network.
    let arguments = [
        "--no-version-check",
        "--limit",
        "100%",
        "--output",
        "json",
        log,
    ];
    run(folder, "pt-query-digest", &arguments)
}

fn our_totals(output: &Value) -> Totals {
    let number = |class: &Value, key: &str| class[key].as_u64().unwrap();
    let classes = output["classes"].as_array().unwrap().iter();
    classes
        .map(|class| {
            let hash = u64::from_str_radix(class["hash"].as_str().unwrap(), 16).unwrap();
            let keys = ["calls", "time_us", "rows_examined", "rows_sent"];
            (hash, keys.map(|key| number(class, key)))
        })
        .collect()
}

/// Their classes are told by our fingerprint of their example. They put an insert of one row and
/// one of several into one class, which the server's own digest keeps apart; so ours are merged by
/// the fingerprint of the several rows cut to one before the totals are compared.
fn compare(ours: &Totals, theirs: &Value) {
    let mut prints = Fingerprinter::new();
    let (mut same, mut merged, mut other) = (0, 0, Vec::new());
    let classes = theirs["classes"].as_array().unwrap();
    for class in classes {
        let metrics = &class["metrics"];
        let whole = |value: &Value| match value {
            Value::String(text) => text.parse::<f64>().unwrap(),
            value => value.as_f64().unwrap(),
        };
        let wanted = [
            class["query_count"].as_f64().unwrap(),
            whole(&metrics["Query_time"]["sum"]) * 1e6,
            whole(&metrics["Rows_examined"]["sum"]),
            whole(&metrics["Rows_sent"]["sum"]),
        ];
        let example = class["example"]["query"].as_str().unwrap();
        let found = ours.get(&prints.hash(example.as_bytes()));
        if found.is_some_and(|found| is_same(found, wanted)) {
            same += 1;
            continue;
        }
        let both = [1, 2].map(|rows| prints.hash(with_rows(example, rows).as_bytes()));
        let sum = both
            .iter()
            .filter_map(|hash| ours.get(hash))
            .fold([0; 4], |sum, class| {
                [0, 1, 2, 3].map(|i: usize| sum[i] + class[i])
            });
        if is_same(&sum, wanted) {
            merged += 1;
        } else {
            other.push(format!(
                "{example}\n  theirs {wanted:?}, ours {found:?}, summed {sum:?}"
            ));
        }
    }
    println!(
        "{} classes of theirs: {same} with the same calls, time, rows examined and rows sent; \
         {merged} that hold two of ours (inserts of one and of several rows) with the same sums; {} \
         that differ",
        classes.len(),
        other.len()
    );
    for line in other.iter().take(5) {
        println!("{line}");
    }
    assert!(other.is_empty(), "classes or totals differ");
    assert_eq!(
        same + 2 * merged,
        ours.len(),
        "classes of ours that theirs do not cover"
    );
}

fn is_same(ours: &[u64; 4], theirs: [f64; 4]) -> bool {
    // Times come as decimal text of summed floating-point numbers: equal to a microsecond a call.
    let slack = [0.0, ours[0] as f64, 0.0, 0.0];
    (0..4).all(|i| (ours[i] as f64 - theirs[i]).abs() <= slack[i])
}

/// An insert with its first row only, so many times.
fn with_rows(insert: &str, rows: usize) -> String {
    let Some((head, tail)) = insert.split_once(" VALUES ") else {
        return insert.to_owned();
    };
    let first = tail
        .split("), (")
        .next()
        .unwrap_or(tail)
        .trim_end_matches(')')
        .to_owned()
        + ")";
    format!("{head} VALUES {}", vec![first; rows].join(", "))
}
