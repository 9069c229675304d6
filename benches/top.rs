//! What the dashboard costs: time to the first frame and to the first data, processor time and
//! memory of client and server beside a full digest table, and the time from a key to its frame
//! while the server is stopped.
//!
//! `cargo bench --bench top` measures mydex; with a `dolphie` on the `PATH` or in
//! `MYDEX_BENCH_DOLPHIE` the steady state of dolphie is measured in the same run.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and ends loudly at what it did not expect"
)]

#[path = "../tests/it/pty.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
#[allow(unreachable_pub, reason = "the tests need it crate-wide")]
mod pty;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use mydex::sandbox::{Options, Sandbox};
use rustix::process::{Pid, Signal, kill_process};
use secrecy::ExposeSecret as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use pty::Terminal;

const MYDEX: &str = env!("CARGO_BIN_EXE_mydex");
const DIGESTS: u32 = 9_900;
const STARTS: usize = 15;
const SETTLE: Duration = Duration::from_secs(15);
const WINDOW: Duration = Duration::from_secs(40);
const KEYS: usize = 300;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut options = Options::default();
    options
        .extra
        .push("--performance-schema-digests-size=10000".to_owned());
    let sandbox = Sandbox::start(&options, &mut |_| {})
        .await
        .expect("a server");
    let digests = fill_digests(&sandbox.url()).await;
    println!(
        "server MySQL {}, {digests} digests in its table",
        sandbox.endpoint().version
    );
    let state = tempfile::tempdir().expect("a folder");
    starts(&sandbox, state.path().as_os_str());
    steady(&sandbox, state.path().as_os_str());
    frozen(&sandbox, state.path().as_os_str());
    sandbox.stop().await.expect("an orderly end");
}

async fn fill_digests(url: &str) -> u32 {
    let options = MySqlConnectOptions::from_str(url).expect("a URL");
    let mut connection = MySqlConnection::connect_with(&options)
        .await
        .expect("a connection");
    for n in 0..DIGESTS {
        // Names are part of a digest, so each alias makes a statement of its own.
        let statement = format!("SELECT {n} AS name_of_a_column_{n}, 'x' AS another_{n}");
        connection
            .execute(AssertSqlSafe(statement))
            .await
            .expect("a statement");
    }
    let (rows,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM performance_schema.events_statements_summary_by_digest",
    )
    .fetch_one(&mut connection)
    .await
    .expect("a count");
    u32::try_from(rows).expect("a small count")
}

fn top(sandbox: &Sandbox, state: &OsStr, trace: Option<&str>) -> Terminal {
    let url = sandbox.url();
    let mut environment = vec![
        ("MYDEX_URL", url.as_str()),
        ("MYDEX_STATE_DIR", state.to_str().expect("UTF-8")),
    ];
    environment.extend(trace.map(|path| ("MYDEX_TRACE_FRAMES", path)));
    Terminal::start(
        40,
        140,
        OsStr::new(MYDEX),
        &["top", "--interval", "1s"],
        &environment,
    )
}

fn starts(sandbox: &Sandbox, state: &OsStr) {
    let (mut frames, mut data) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let start = Instant::now();
        let mut terminal = top(sandbox, state, None);
        terminal.wait_for("frame", PATIENCE, |screen| screen.contains("Overview"));
        frames.push(start.elapsed());
        terminal.wait_for("data", PATIENCE, |screen| {
            screen.contains("of 1200") && screen.contains("queries/s")
        });
        data.push(start.elapsed());
        terminal.send("q");
        terminal.wait_exit(PATIENCE);
    }
    report("process start to first frame", &mut frames);
    report("process start to first data", &mut data);
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    println!(
        "{what}: min {:.1?}, median {:.1?}, max {:.1?} of {}",
        times[0],
        times[times.len() / 2],
        times[times.len() - 1],
        times.len()
    );
}

fn steady(sandbox: &Sandbox, state: &OsStr) {
    let server = sandbox.pid();
    let idle = share(server, || pause(WINDOW));
    println!("server alone: {:.2} % of a core", idle * 100.0);
    let terminal = top(sandbox, state, None);
    terminal.wait_for("data", PATIENCE, |screen| screen.contains("of 1200"));
    observe("mydex top, Overview, 1 s", &terminal, server, idle);
    drop(terminal);
    let dolphie = std::env::var_os("MYDEX_BENCH_DOLPHIE").or_else(|| on_path("dolphie"));
    let Some(dolphie) = dolphie else {
        println!("dolphie: not on the PATH, not measured");
        return;
    };
    let option_file = option_file(sandbox, state);
    for (what, panels) in [
        ("dolphie, default panels, 1 s", "dashboard,processlist"),
        (
            "dolphie, with statements, 1 s",
            "dashboard,statements_summary",
        ),
    ] {
        let port = sandbox.port().to_string();
        let arguments = [
            "--mycnf-file",
            &option_file,
            "--host",
            "127.0.0.1",
            "--port",
            &port,
            "--refresh-interval",
            "1",
            "--panels",
            panels,
            "--ssl-mode",
            "REQUIRED",
        ];
        let home = state.to_str().expect("UTF-8");
        let terminal = Terminal::start(40, 140, &dolphie, &arguments, &[("HOME", home)]);
        pause(Duration::from_secs(5));
        observe(what, &terminal, server, idle);
        println!(
            "{}",
            terminal
                .screen()
                .lines()
                .take(4)
                .collect::<Vec<_>>()
                .join("\n")
        );
    }
}

/// Account and password for dolphie, where the process list does not show them.
fn option_file(sandbox: &Sandbox, state: &OsStr) -> String {
    let endpoint = sandbox.endpoint();
    let path = std::path::Path::new(state).join("client.cnf");
    let password = endpoint.password.expose_secret();
    fs::write(
        &path,
        format!("[client]\nuser={}\npassword={password}\n", endpoint.user),
    )
    .expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}

fn on_path(program: &str) -> Option<OsString> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .map(Into::into)
}

fn observe(what: &str, terminal: &Terminal, server: u32, idle: f64) {
    pause(SETTLE);
    let client = u32::try_from(terminal.pid().as_raw_nonzero().get()).expect("a process id");
    let before = processor_time(client);
    let server_share = share(server, || pause(WINDOW));
    let client_share =
        processor_time(client).saturating_sub(before).as_secs_f64() / WINDOW.as_secs_f64();
    println!(
        "{what}: client {:.2} % of a core, RSS {:.1} MB (peak {:.1}); server {:.2} % of a core more than alone",
        client_share * 100.0,
        memory(client, "VmRSS"),
        memory(client, "VmHWM"),
        (server_share - idle) * 100.0
    );
}

fn share(pid: u32, during: impl FnOnce()) -> f64 {
    let (start, before) = (Instant::now(), processor_time(pid));
    during();
    processor_time(pid).saturating_sub(before).as_secs_f64() / start.elapsed().as_secs_f64()
}

/// User and system time of a process, threads that have ended included: fields 14 and 15 of
/// `/proc/<pid>/stat`, in clock ticks.
fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a running process");
    let (_, fields) = stat.rsplit_once(')').expect("a command name");
    let ticks: u64 = fields
        .split(' ')
        .skip(12)
        .take(2)
        .filter_map(|n| n.parse::<u64>().ok())
        .sum();
    Duration::from_secs(ticks)
        / u32::try_from(rustix::param::clock_ticks_per_second()).expect("ticks")
}

fn memory(pid: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .expect("the field");
    let kib: f64 = line
        .split_whitespace()
        .nth(1)
        .expect("a value")
        .parse()
        .expect("a number");
    kib * 1024.0 / 1e6
}

fn frozen(sandbox: &Sandbox, state: &OsStr) {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("frames");
    let mut terminal = top(sandbox, state, trace.to_str());
    terminal.wait_for("data", PATIENCE, |screen| screen.contains("of 1200"));
    let server = Pid::from_raw(i32::try_from(sandbox.pid()).expect("a process id")).expect("a pid");
    kill_process(server, Signal::STOP).expect("a stopped server");
    pause(Duration::from_secs(3));
    for key in ["2", "j", "1", "3", "k", "7", "?", "\x1b"]
        .iter()
        .cycle()
        .take(KEYS)
    {
        terminal.send(key);
        pause(Duration::from_millis(90));
    }
    kill_process(server, Signal::CONT).expect("a running server");
    terminal.wait_for("life", PATIENCE, |screen| screen.contains("live"));
    terminal.send("q");
    terminal.wait_exit(PATIENCE);
    let text = fs::read_to_string(trace).expect("a trace");
    let mut times: Vec<u64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    times.sort_unstable();
    let at = |q: usize| times[(times.len() * q / 100).min(times.len() - 1)] as f64 / 1e3;
    println!(
        "key to frame beside a server stopped for {} s: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms of {}",
        3 + KEYS * 90 / 1000,
        at(50),
        at(99),
        at(100),
        times.len()
    );
}

#[allow(
    clippy::disallowed_methods,
    reason = "the measured process is another one"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
