//! The load engine beside sysbench: the same point select over the same kind of connection.
//!
//! `cargo bench --bench engine` starts a private server for itself; `MYDEX_BENCH_URL`, such as
//! `mysql://user:password@host:port/schema?socket=/path`, names another one.
//!
//! Each measurement is a process of its own; mydex and sysbench alternate, so that both see the
//! same minutes of the machine. Without sysbench on the PATH only mydex is measured. Processor
//! time and memory are those of the whole client process, connecting included. The schema must
//! exist; the table `sbtest1` is made in it when it is missing.
//!
//! `MYDEX_BENCH_SECONDS` (5), `MYDEX_BENCH_ROUNDS` (3) and `MYDEX_BENCH_CONNECTIONS`
//! (`1,4,16,64,256,1000`) change the defaults.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark talks to its caller and stops at the first surprise"
)]

use std::process::{Child, Command, Stdio};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mydex::probes::engine::{EngineConfig, Loop, spawn};
use mydex::probes::operation::EngineProbe;
use mydex::probes::pack::{ParamRef, Statement};
use mydex::probes::recorder::{Ending, Operation};
use mydex::probes::stages::Staged;
use mydex::probes::value::Value;
use mydex::sandbox::{Options, Sandbox};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio_util::sync::CancellationToken;

const ROWS: u64 = 10_000;
const CHILD: &str = "MYDEX_BENCH_CHILD";

fn main() {
    let (url, _server) = match std::env::var("MYDEX_BENCH_URL") {
        Ok(url) => (url, None),
        Err(_) => own_server(),
    };
    let options = MySqlConnectOptions::from_str(&url).unwrap();
    if let Ok(child) = std::env::var(CHILD) {
        measure(options, &child);
        return;
    }
    for stages in [1, 20] {
        // The least of five, because other work on the machine can only add to it.
        let costs = (0..5).map(|_| recorder_cost(stages));
        let cost = costs.fold(f64::INFINITY, f64::min);
        println!("recorder: {cost:.0} ns per operation in a run of {stages} stages");
    }
    prepare(&options);
    let seconds: u64 = setting("MYDEX_BENCH_SECONDS", "5").parse().unwrap();
    let rounds: usize = setting("MYDEX_BENCH_ROUNDS", "3").parse().unwrap();
    println!(
        "{:>5} {:>9} {:>10} {:>10} {:>10}",
        "conns", "tool", "ops/s", "us cpu/op", "peak KiB"
    );
    for connections in setting("MYDEX_BENCH_CONNECTIONS", "1,4,16,64,256,1000").split(',') {
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        for _ in 0..rounds {
            let child = format!("{connections},{seconds}");
            let own = std::env::current_exe().unwrap();
            ours.push(watch(
                Command::new(own)
                    .env(CHILD, child)
                    .env("MYDEX_BENCH_URL", &url),
                seconds,
            ));
            if let Some(mut command) = sysbench(&url, &options, connections, seconds) {
                theirs.push(watch(&mut command, seconds));
            }
        }
        let ours = print(connections, "mydex", &ours);
        if !theirs.is_empty() {
            let theirs = print(connections, "sysbench", &theirs);
            println!(
                "{connections:>5} {:>9} {:>10.2} {:>10.2} {:>10.2}",
                "ratio",
                ours.rate / theirs.rate,
                ours.cpu_us / theirs.cpu_us,
                ours.peak_kib / theirs.peak_kib,
            );
        }
    }
}

/// A private server that ends with the returned value, reached over its socket without encryption.
fn own_server() -> (String, Option<Sandbox>) {
    runtime().block_on(async {
        let sandbox = Sandbox::start(&Options::default(), &mut |_| {})
            .await
            .unwrap();
        let url = sandbox.url();
        let mut connection = MySqlConnectOptions::from_str(&url)
            .unwrap()
            .connect()
            .await
            .unwrap();
        connection.execute("CREATE DATABASE bench").await.unwrap();
        let socket = sandbox.socket().display();
        (
            format!("{url}/bench?socket={socket}&ssl-mode=DISABLED"),
            Some(sandbox),
        )
    })
}

fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// What one operation costs in the recorder alone, as a worker records it in a run of `stages`.
fn recorder_cost(stages: u64) -> f64 {
    let ends: Vec<u64> = (1..stages).map(|stage| stage * 100_000).collect();
    let mut recorder = Staged::new(16, ends.into());
    let begin = Instant::now();
    let count = 2_000_000_u64;
    for n in 0..count {
        recorder.at(n).operation(Operation {
            probe: usize::try_from(n % 16).unwrap(),
            intended: n,
            sent: n + 500,
            ended: n + 50_000 + n % 977_777,
            retries: 0,
            ending: Ending::Completed { rows: 1 },
        });
    }
    let nanos = begin.elapsed().as_nanos() as f64 / count as f64;
    assert_eq!(
        std::hint::black_box(&recorder).sum().counts().completed,
        count
    );
    nanos
}

fn prepare(options: &MySqlConnectOptions) {
    runtime().block_on(async {
        let mut connection = options.connect().await.unwrap();
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS sbtest1 (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, \
             k INT NOT NULL DEFAULT 0, c CHAR(120) NOT NULL DEFAULT '', \
             pad CHAR(60) NOT NULL DEFAULT '', KEY k_1 (k));\
             SET SESSION cte_max_recursion_depth = {ROWS};\
             INSERT IGNORE INTO sbtest1 (id, k, c, pad) WITH RECURSIVE n AS \
             (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) \
             SELECT i, i, REPEAT(SHA2(i, 224), 2), SHA2(i, 224) FROM n"
        );
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn mixed(n: u64) -> u64 {
    let n = (n ^ (n >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (n ^ (n >> 29)) % ROWS + 1
}

/// The child: drives the engine and prints the operations per second.
fn measure(options: MySqlConnectOptions, child: &str) {
    let (connections, seconds) = child.split_once(',').unwrap();
    let probe = EngineProbe {
        name: "point-select".into(),
        is_write: false,
        rate: 1.0,
        slo: None,
        timeout: None,
        transaction: false,
        statements: vec![Statement {
            sql: "SELECT c FROM sbtest1 WHERE id=?".into(),
            params: vec![ParamRef { param: 0, row: 0 }],
            returns_rows: true,
        }],
        values: Arc::new(|number, _| Value::UInt(mixed(number))),
    };
    let config = EngineConfig {
        mode: Loop::Closed,
        duration: Some(Duration::from_secs(seconds.parse().unwrap())),
        concurrency: connections.parse().unwrap(),
        threads: std::env::var("MYDEX_BENCH_THREADS")
            .ok()
            .map(|threads| threads.parse().unwrap()),
        ..EngineConfig::default()
    };
    let report = runtime().block_on(async {
        let (ticks, _receiver) = tokio::sync::mpsc::channel(1);
        let cancel = CancellationToken::new();
        spawn(options, vec![probe], config, ticks, &cancel)
            .finish()
            .await
            .unwrap()
    });
    assert_eq!(report.counts().failed, 0, "{:?}", report.errors);
    println!("transactions: ({:.2} per sec.)", report.throughput());
}

fn sysbench(
    url: &str,
    options: &MySqlConnectOptions,
    connections: &str,
    seconds: u64,
) -> Option<Command> {
    Command::new("sysbench")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .ok()?;
    let mut command = Command::new("sysbench");
    command
        .arg("oltp_point_select")
        .arg(format!("--mysql-user={}", options.get_username()))
        .arg(format!("--mysql-db={}", options.get_database()?))
        .arg(format!("--mysql-password={}", password(url)))
        .arg(format!("--table-size={ROWS}"))
        .arg(format!("--threads={connections}"))
        .arg(format!("--time={seconds}"));
    match options.get_socket() {
        Some(socket) => command.arg(format!("--mysql-socket={}", socket.display())),
        None => command
            .arg(format!("--mysql-host={}", options.get_host()))
            .arg(format!("--mysql-port={}", options.get_port())),
    };
    command.arg("run");
    Some(command)
}

fn password(url: &str) -> &str {
    let account = url.split("//").nth(1).unwrap_or_default();
    let account = account.rsplit_once('@').map_or("", |(account, _)| account);
    account.split_once(':').map_or("", |(_, password)| password)
}

#[derive(Debug, Clone, Copy)]
struct Figures {
    rate: f64,
    cpu_us: f64,
    peak_kib: f64,
}

/// Runs a client to its end; processor time is what its end added to that of our children.
fn watch(command: &mut Command, seconds: u64) -> Figures {
    let before = children_cpu();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let peak_kib = peak_of(&mut child);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let rate: f64 = text
        .lines()
        .find(|line| line.trim_start().starts_with("transactions:"))
        .and_then(|line| line.split('(').nth(1)?.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("no rate in {text}"));
    Figures {
        rate,
        cpu_us: (children_cpu() - before) * 1e6 / (rate * seconds as f64),
        peak_kib,
    }
}

fn peak_of(child: &mut Child) -> f64 {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let now = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next())
            .and_then(|kib| kib.parse().ok());
        peak = peak.max(now.unwrap_or(0.0));
        #[allow(
            clippy::disallowed_methods,
            reason = "no runtime here that it could block"
        )]
        std::thread::sleep(Duration::from_millis(50));
    }
    peak
}

/// User and system time of all children that have ended, seconds (`cutime`, `cstime`).
fn children_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[13].parse::<f64>().unwrap() + fields[14].parse::<f64>().unwrap();
    ticks / 100.0
}

/// The median of each figure.
fn print(connections: &str, tool: &str, rounds: &[Figures]) -> Figures {
    let median = |value: fn(&Figures) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let figures = Figures {
        rate: median(|f| f.rate),
        cpu_us: median(|f| f.cpu_us),
        peak_kib: median(|f| f.peak_kib),
    };
    println!(
        "{connections:>5} {tool:>9} {:>10.0} {:>10.1} {:>10.0}",
        figures.rate, figures.cpu_us, figures.peak_kib
    );
    figures
}
