//! Baselines by counters: false alarms, and regressions that have to be caught.
//!
//! `cargo bench --bench baseline [-- PART…]` starts a private server and runs the parts `aa`,
//! `cmdb`, `corpus`, `simulated` and `steps`, or those that are named:
//!
//! - `aa`: `mydex baseline check` as a process, `MYDEX_BENCH_CHECKS` (300) times against the same
//!   file over the same data, while other connections write, sort and read in another schema. Each
//!   status other than 0 is an alarm.
//! - `cmdb`: each index of the CMDB schema dropped, checked, and made again; then one more row for
//!   each call of each probe.
//! - `corpus`: `MYDEX_BENCH_SCHEMAS` (90) generated schemas, each with an index of another form and
//!   a query that uses it: checked as it is, without the index, and with one more row for each call.
//! - `simulated`: how many steps and drifts are found in simulated histories, by their noise; it
//!   takes minutes.
//! - `steps`: recorded runs of `MYDEX_BENCH_RUNS` (a folder of files with times) in
//!   `MYDEX_BENCH_HISTORIES` (100) random orders, with a step of 10 % in the times of one probe, and
//!   without; left out where the folder is not given.
//!
//! `MYDEX_BENCH_OPERATIONS` (2) operations of each probe are run in `aa` and `cmdb`, over the CMDB
//! pack of scale `MYDEX_BENCH_SCALE` (0.1).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench ends loudly at what it did not expect"
)]

#[path = "baseline/cmdb.rs"]
mod cmdb;
#[path = "baseline/corpus.rs"]
mod corpus;
#[path = "baseline/forms.rs"]
mod forms;
#[path = "../src/baseline/history/simulated.rs"]
mod simulated;
#[path = "baseline/steps.rs"]
mod steps;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::time::{Duration, Instant};

use mydex::baseline::history::{ALPHA, course};
use mydex::config::settings::{Server, Tls, TlsMode};
use mydex::sandbox::{Options, Sandbox};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|one| one != "--bench")
        .collect();
    let is_asked = |part: &str| asked.is_empty() || asked.iter().any(|one| one == part);
    runtime.block_on(async {
        if is_asked("simulated") {
            for row in simulated::table() {
                say(&row);
            }
        }
        if is_asked("steps") {
            steps::run();
        }
        if !["aa", "cmdb", "corpus"].into_iter().any(is_asked) {
            return;
        }
        let sandbox = Sandbox::start(&Options::default(), &mut |_| {})
            .await
            .unwrap();
        let endpoint = sandbox.endpoint();
        let place = Place {
            url: endpoint.url(),
            port: endpoint.port,
        };
        if is_asked("corpus") {
            corpus::run(&place).await;
        }
        if is_asked("cmdb") || is_asked("aa") {
            let shop = cmdb::Recorded::new(&place);
            if is_asked("cmdb") {
                shop.mutations().await;
            }
            if is_asked("aa") {
                alarms(&shop);
            }
        }
        sandbox.stop().await.unwrap();
    });
    ExitCode::SUCCESS
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A whole number from the environment.
fn told(name: &str, otherwise: usize) -> usize {
    let told = std::env::var(name).ok();
    told.map_or(otherwise, |text| text.parse().unwrap())
}

/// Where the server is.
#[derive(Debug, Clone)]
struct Place {
    url: String,
    port: u16,
}

impl Place {
    fn server(&self) -> Server {
        let (_, rest) = self.url.split_once("root:").unwrap();
        let (password, _) = rest.split_once('@').unwrap();
        Server {
            name: "bench".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: self.port,
            socket: None,
            user: "root".to_owned(),
            password: Some(password.to_owned().into()),
            database: None,
            tls: Tls {
                mode: TlsMode::Preferred,
                ca: None,
            },
            read_only: false,
        }
    }

    async fn connect(&self) -> MySqlConnection {
        mydex::server::options(&self.server())
            .connect()
            .await
            .unwrap()
    }

    fn mydex(&self, folder: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mydex"))
            .args(arguments)
            .current_dir(folder)
            .env("MYDEX_URL", &self.url)
            .env("MYDEX_STATE_DIR", folder.join("state"))
            .output()
            .unwrap()
    }
}

async fn run_sql(sql: &mut MySqlConnection, text: String) {
    let shown = text.clone();
    if let Err(error) = sql.execute(AssertSqlSafe(text)).await {
        panic!("{error}: {shown}");
    }
}

/// Checks the same file again and again beside other work.
fn alarms(shop: &cmdb::Recorded) {
    let checks = told("MYDEX_BENCH_CHECKS", 300);
    let noise: Vec<_> = (0..2)
        .map(|number| tokio::spawn(disturb(shop.place().clone(), number)))
        .collect();
    let (mut alarms, mut others) = (0, 0);
    let mut times = Vec::new();
    for check in 1..=checks {
        let start = Instant::now();
        let output = shop.check(&[]);
        times.push(start.elapsed());
        if output.status.code() != Some(0) {
            let is_error = output.status.code() == Some(2);
            (alarms, others) = (
                alarms + usize::from(!is_error),
                others + usize::from(is_error),
            );
            say(&format!(
                "check {check} ended with {:?}: {}{}",
                output.status.code(),
                String::from_utf8_lossy(&output.stderr),
                String::from_utf8_lossy(&output.stdout)
            ));
        }
    }
    for task in noise {
        task.abort();
    }
    times.sort();
    say(&format!(
        "aa: {alarms} alarms and {others} other ends in {checks} checks of {} counters; a check \
         takes {:.2?} at the median, {:.2?} at most",
        shop.counters(),
        times[times.len() / 2],
        times[times.len() - 1]
    ));
}

/// Writes, sorts and reads in a schema of its own, without an end.
async fn disturb(place: Place, number: usize) {
    let mut sql = place.connect().await;
    let schema = format!("noise_{number}");
    for text in [
        format!("CREATE DATABASE IF NOT EXISTS {schema}"),
        format!("USE {schema}"),
        "CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, s VARCHAR(80))"
            .to_owned(),
    ] {
        run_sql(&mut sql, text).await;
    }
    loop {
        for text in [
            "INSERT INTO t (a, s) SELECT RAND() * 1000, REPEAT(HEX(RAND() * 1e9), 5) FROM \
             information_schema.COLLATIONS LIMIT 200",
            "SELECT COUNT(DISTINCT x.s) FROM t x JOIN t y ON y.a = x.a",
            "SELECT s FROM t ORDER BY s DESC LIMIT 50",
            "DELETE FROM t WHERE id < (SELECT m - 2000 FROM (SELECT MAX(id) AS m FROM t) q)",
        ] {
            run_sql(&mut sql, text.to_owned()).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
