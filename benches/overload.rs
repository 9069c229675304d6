//! The load engine at its limits, as `mydex probe run` is called: three times the capacity, a
//! thousand operations at once, ten thousand events a minute.
//!
//! `cargo bench --bench overload` starts a private server for itself; `MYDEX_BENCH_URL`, such as
//! `mysql://user:password@host:port`, names another one, on which the schemas `mydex_bench_cmdb`
//! and `mydex_bench_sleepers` are made. `MYDEX_BENCH_SECONDS` (30 for the overload, 60 for the
//! others) shortens the runs. Memory and time to the end are those of the client process.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark talks to its caller and stops at the first surprise"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mydex::sandbox::{Options, Sandbox};
use serde_json::Value;

const CMDB: &str = "mydex_bench_cmdb";
const SLEEPERS: &str = "mydex_bench_sleepers";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (url, server) = if let Ok(url) = std::env::var("MYDEX_BENCH_URL") {
        (url, None)
    } else {
        let options = Options {
            buffer_pool_mib: 512,
            ..Options::default()
        };
        let server = runtime
            .block_on(Sandbox::start(&options, &mut |_| {}))
            .unwrap();
        (server.url(), Some(server))
    };
    let folder = tempfile::tempdir().unwrap();
    let sleepers = sleepers(folder.path());
    let bench = Bench { url };
    bench.load("cmdb", CMDB);
    bench.load(sleepers.to_str().unwrap(), SLEEPERS);
    println!("load average before: {}", load_average());
    bench.overload(seconds(30));
    bench.thousand(sleepers.to_str().unwrap(), seconds(60));
    bench.events(seconds(60));
    println!("load average after: {}", load_average());
    if let Some(server) = server {
        runtime.block_on(server.stop()).unwrap();
    }
}

fn seconds(otherwise: u64) -> u64 {
    std::env::var("MYDEX_BENCH_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// A pack whose only operation keeps its connection for half a second and the server for nothing.
fn sleepers(folder: &Path) -> PathBuf {
    let pack = folder.join("sleepers");
    std::fs::create_dir_all(pack.join("probes")).unwrap();
    for (name, text) in [
        (
            "pack.toml",
            "name = \"sleepers\"\ndescription = \"Known times\"\nversion = 1\n",
        ),
        (
            "schema.sql",
            "CREATE TABLE item (id INT UNSIGNED NOT NULL PRIMARY KEY);\n",
        ),
        (
            "data.toml",
            "now = 2026-11-01T00:00:00Z\n[[table]]\nname = \"item\"\nrows = 10\n\
             [table.columns]\nid = { kind = \"sequence\", start = 1, step = 1 }\n",
        ),
        (
            "probes/sleep.toml",
            "[[probe]]\nname = \"sleep\"\ndescription = \"Takes half a second\"\nkind = \"read\"\n\
             rate = 10\nweight = 1\nslo = { quantile = 0.95, limit = \"10s\" }\n\
             sql = \"SELECT id, SLEEP(0.5) FROM item WHERE id = :id\"\n\
             [probe.params]\nid = { from = \"item.id\" }\n",
        ),
    ] {
        std::fs::write(pack.join(name), text).unwrap();
    }
    pack
}

struct Bench {
    url: String,
}

/// A run as its caller sees it.
struct Run {
    json: Value,
    status: i32,
    took: Duration,
    /// Peak memory at a third of the time, and at the end, KiB.
    peak_early: u64,
    peak: u64,
}

impl Bench {
    fn command(&self, command: &str, pack: &str, database: &str) -> Command {
        let mut mydex = Command::new(env!("CARGO_BIN_EXE_mydex"));
        mydex
            .args(["--url", &self.url, "probe", command, pack])
            .args(["--database", database])
            .current_dir(std::env::temp_dir());
        mydex
    }

    fn load(&self, pack: &str, database: &str) {
        let mut load = self.command("load", pack, database);
        let output = load.args(["--scale", "0.1"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Runs to the end; `expected` is how long it should take at least.
    fn run(&self, pack: &str, database: &str, arguments: &[String], expected: u64) -> Run {
        let begin = Instant::now();
        let mut child = self
            .command("run", pack, database)
            .args(arguments)
            .args(["--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let path = format!("/proc/{}/status", child.id());
        let mut stdout = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut stdout, &mut text).unwrap();
            text
        });
        let (mut peak_early, mut peak) = (0, 0);
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            peak = peak.max(memory(&path));
            if begin.elapsed() < Duration::from_secs(expected / 3) {
                peak_early = peak;
            }
            #[allow(
                clippy::disallowed_methods,
                reason = "no runtime here that it could block"
            )]
            std::thread::sleep(Duration::from_millis(50));
        };
        let text = reader.join().unwrap();
        Run {
            json: serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")),
            status: status.code().unwrap(),
            took: begin.elapsed(),
            peak_early,
            peak,
        }
    }

    fn overload(&self, seconds: u64) {
        let common = ["--probe", "vpc-by-id", "--concurrency", "16"];
        let closed = words(&common, &["--closed", "--duration", "5s"]);
        let closed = self.run("cmdb", CMDB, &closed, 5);
        let capacity = closed.json["throughput"].as_f64().unwrap();
        let rate = (3.0 * capacity).round();
        let duration = format!("{seconds}s");
        let open = words(
            &common,
            &["--rate", &rate.to_string(), "--duration", &duration],
        );
        let run = self.run("cmdb", CMDB, &open, seconds);
        println!("overload: closed loop {capacity:.0}/s, then {rate}/s for {seconds} s");
        report(&run);
        let counts = &run.json["counts"];
        let sum: u64 = ["completed", "failed", "timed_out", "unsent"]
            .iter()
            .map(|name| counts[name].as_u64().unwrap())
            .sum();
        assert_eq!(counts["scheduled"].as_u64(), Some(sum), "{counts}");
        assert_eq!(run.json["is_rate_sustained"], Value::Bool(false));
    }

    fn thousand(&self, sleepers: &str, seconds: u64) {
        let duration = format!("{seconds}s");
        let common = ["--concurrency", "1000", "--duration", &duration];
        let open = words(&common, &["--rate", "2050"]);
        let run = self.run(sleepers, SLEEPERS, &open, seconds);
        println!("1,000 connections, operations of 0.5 s, 2,050/s for {seconds} s");
        report(&run);
        let closed = words(&common, &["--closed", "--probe", "vpc-by-id"]);
        let run = self.run("cmdb", CMDB, &closed, seconds);
        println!("1,000 connections, closed loop of point look-ups for {seconds} s");
        report(&run);
    }

    fn events(&self, seconds: u64) {
        let duration = format!("{seconds}s");
        let run = words(&["--rate", "200"], &["--duration", &duration]);
        let run = self.run("cmdb", CMDB, &run, seconds);
        println!("12,000 operations a minute of the CMDB's mix for {seconds} s");
        report(&run);
    }
}

fn words(first: &[&str], second: &[&str]) -> Vec<String> {
    first
        .iter()
        .chain(second)
        .map(|&word| word.to_owned())
        .collect()
}

fn memory(path: &str) -> u64 {
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    peak.and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

fn report(run: &Run) {
    let json = &run.json;
    let milli = |value: &Value| value.as_f64().map_or(0.0, |seconds| seconds * 1e3);
    let counts = &json["counts"];
    println!(
        "  exit {} after {:.1} s; peak memory {} KiB after a third, {} KiB at the end",
        run.status,
        run.took.as_secs_f64(),
        run.peak_early,
        run.peak
    );
    println!(
        "  scheduled {} = {} completed + {} failed + {} timed out + {} unsent; {:.0}/s; sustained {}",
        counts["scheduled"],
        counts["completed"],
        counts["failed"],
        counts["timed_out"],
        counts["unsent"],
        json["throughput"].as_f64().unwrap_or(0.0),
        json["is_rate_sustained"],
    );
    let pool = &json["pool"];
    println!(
        "  pool: {:.1} % used, waiting {:.0} on average, wait p50 {:.1} p95 {:.1} ms, use p50 {:.1} \
         p95 {:.1} ms",
        pool["utilization"].as_f64().unwrap_or(0.0) * 100.0,
        pool["pending_mean"].as_f64().unwrap_or(0.0),
        milli(&pool["wait"]["p50"]),
        milli(&pool["wait"]["p95"]),
        milli(&pool["usage"]["p50"]),
        milli(&pool["usage"]["p95"]),
    );
    println!(
        "  lateness p50 {:.3} p99 {:.3} ms, client {:.1} % of a processor, client-limited {}, \
         bottleneck {}",
        milli(&json["lateness"]["p50"]),
        milli(&json["lateness"]["p99"]),
        json["client_cpu"].as_f64().unwrap_or(0.0) * 100.0,
        json["is_client_limited"],
        json["bottleneck"],
    );
    println!(
        "  response p50 {:.1} p95 {:.1} p99 {:.1} ms",
        milli(&json["response"]["p50"]),
        milli(&json["response"]["p95"]),
        milli(&json["response"]["p99"]),
    );
    for probe in json["probes"].as_array().into_iter().flatten() {
        let (response, limit) = (&probe["response"], &probe["objective"]);
        println!(
            "  {:<28} response p50 {:>8.1} p95 {:>8.1} p99 {:>8.1} ms of {:>6} (objective {} ms)",
            probe["name"].as_str().unwrap_or_default(),
            milli(&response["p50"]),
            milli(&response["p95"]),
            milli(&response["p99"]),
            response["count"],
            milli(&limit["limit"]),
        );
    }
}
