//! Rows per second of the loader beside `LOAD DATA LOCAL INFILE` of the same rows.
//!
//! `cargo bench --bench load` starts a private server for itself and uses its `mysql` client;
//! `MYDEX_BENCH_URL` names another server, with `local_infile` on, and `MYDEX_BENCH_CLIENT` the
//! client. The rows are
//! written to files before the clock starts; both sides keep foreign and unique keys checked.
//! `MYDEX_BENCH_SCALE` and `MYDEX_BENCH_ROUNDS` change size and repetitions.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mydex::probes::generate::World;
use mydex::probes::load::{LoadPlan, insert, load};
use mydex::probes::open::open;
use mydex::probes::pack::{Pack, check_data};
use mydex::sandbox::{Options, Sandbox};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection};
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn std::error::Error>;

const SCHEMA: &str = "mydex_bench_load";

#[tokio::main]
async fn main() -> ExitCode {
    match start().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn start() -> Result<(), Failure> {
    if let Ok(url) = std::env::var("MYDEX_BENCH_URL") {
        let client = std::env::var("MYDEX_BENCH_CLIENT").unwrap_or_else(|_| "mysql".to_owned());
        return run(&url, &[client.into()]).await;
    }
    let options = Options {
        local_infile: true,
        buffer_pool_mib: 512,
        ..Options::default()
    };
    let sandbox = Sandbox::start(&options, &mut |_| {}).await?;
    let client = sandbox
        .endpoint()
        .client
        .clone()
        .ok_or("the server came without a client")?;
    let result = run(&sandbox.url(), &client).await;
    sandbox.stop().await?;
    result
}

fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn setting<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

async fn run(url: &str, client: &[PathBuf]) -> Result<(), Failure> {
    let pack = open("cmdb")?;
    let scale: f64 = setting("MYDEX_BENCH_SCALE", 1.0);
    let world = World::generated(Arc::new(pack.clone()), 1, scale)?;
    let rows: u64 = (0..pack.tables.len()).map(|table| world.rows(table)).sum();
    let folder = tempfile::tempdir()?;
    let started = Instant::now();
    for (index, table) in pack.tables.iter().enumerate() {
        let text = insert::fields(&world, index, 0..world.rows(index));
        std::fs::write(folder.path().join(&*table.name), text)?;
    }
    say(&format!(
        "{rows} rows; computing and writing them to files took {:.2} s",
        started.elapsed().as_secs_f64()
    ));
    let options = MySqlConnectOptions::from_str(url)?;
    let mut control = MySqlConnection::connect_with(&options).await?;
    for round in 1..=setting("MYDEX_BENCH_ROUNDS", 3) {
        let infile = load_data(&mut control, (url, client), &world, folder.path()).await?;
        let one = loader(&mut control, &options, &pack, scale, 1).await?;
        let four = loader(&mut control, &options, &pack, scale, 4).await?;
        let rate = |time: Duration| rows as f64 / time.as_secs_f64();
        say(&format!(
            "round {round}: LOAD DATA {:.0} rows/s; loader with 1 connection {:.0} ({:.2} of it), \
             with 4 {:.0} ({:.2} of it)",
            rate(infile),
            rate(one),
            rate(one) / rate(infile),
            rate(four),
            rate(four) / rate(infile),
        ));
    }
    control
        .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {SCHEMA}")))
        .await?;
    Ok(())
}

/// The loader into a new schema, its writing of rows alone on the clock.
async fn loader(
    control: &mut MySqlConnection,
    options: &MySqlConnectOptions,
    pack: &Pack,
    scale: f64,
    connections: u32,
) -> Result<Duration, Failure> {
    control
        .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {SCHEMA}")))
        .await?;
    let plan = LoadPlan {
        database: SCHEMA.to_owned(),
        scale,
        seed: 1,
        connections,
        batch: 1_000,
        force: false,
        beside_others: false,
    };
    let report = load(
        options.clone(),
        pack,
        plan,
        |_| {},
        CancellationToken::new(),
    )
    .await?;
    Ok(report.elapsed)
}

/// `LOAD DATA LOCAL INFILE` of the same rows, one table after the other in one session.
async fn load_data(
    control: &mut MySqlConnection,
    (url, client): (&str, &[PathBuf]),
    world: &World,
    folder: &std::path::Path,
) -> Result<Duration, Failure> {
    control
        .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {SCHEMA}")))
        .await?;
    control
        .execute(AssertSqlSafe(format!("CREATE DATABASE {SCHEMA}")))
        .await?;
    control
        .execute(AssertSqlSafe(format!("USE {SCHEMA}")))
        .await?;
    let pack = world.pack();
    let order = check_data::load_order(&pack.tables).unwrap_or_default();
    let mut script = String::from("SET NAMES utf8mb4; SET time_zone = '+00:00';\n");
    for index in order {
        let table = &pack.tables[index];
        control.execute(AssertSqlSafe(table.create.clone())).await?;
        let columns: Vec<&str> = world
            .written_columns(index)
            .into_iter()
            .map(|column| &*table.columns[column].name)
            .collect();
        writeln!(
            script,
            "LOAD DATA LOCAL INFILE '{}' INTO TABLE {} CHARACTER SET utf8mb4 ({});",
            folder.join(&*table.name).display(),
            table.name,
            columns.join(", ")
        )?;
    }
    let options = MySqlConnectOptions::from_str(url)?;
    let password = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('@'))
        .and_then(|(account, _)| account.split_once(':'))
        .map_or("", |(_, password)| password);
    let started = Instant::now();
    let status = Command::new(&client[0])
        .args(&client[1..])
        .args(["--local-infile=1", "--protocol=TCP"])
        .arg(format!("--host={}", options.get_host()))
        .arg(format!("--port={}", options.get_port()))
        .arg(format!("--user={}", options.get_username()))
        .env("MYSQL_PWD", password)
        .arg(format!("--database={SCHEMA}"))
        .arg(format!("--execute={script}"))
        .status()?;
    let elapsed = started.elapsed();
    if !status.success() {
        return Err(format!("the mysql client ended with {status}").into());
    }
    Ok(elapsed)
}
