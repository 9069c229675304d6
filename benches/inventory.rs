//! What an inventory of a large server costs it: 2,000 tables with three indexes each beside the
//! primary key, some foreign keys; once with nine in ten tables read through each of their indexes,
//! once with none. Prints the processor time of the server statement by statement, the time and size
//! of the report, and how busy the machine was.
//!
//! `cargo bench --bench inventory`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and ends loudly at what it did not expect"
)]

use std::collections::BTreeMap;
use std::process::Command;
use std::str::FromStr as _;
use std::time::Instant;

use mydex::sandbox::{Options, Sandbox};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

const MYDEX: &str = env!("CARGO_BIN_EXE_mydex");
const TABLES: u32 = 2_000;
const ROUNDS: usize = 9;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut options = Options::default();
    options.extra.extend(
        [
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--performance-schema-events-statements-history-long-size=10000",
            "--table-definition-cache=6000",
            "--table-open-cache=6000",
        ]
        .map(str::to_owned),
    );
    let sandbox = Sandbox::start(&options, &mut |_| {}).await.unwrap();
    let url = sandbox.url();
    let mut connection = connect(&url).await;
    println!("server MySQL {}", sandbox.endpoint().version);
    let schema = "bench";
    fill(&mut connection, schema, 3).await;
    for read in [true, false] {
        if !read {
            connection
                .execute("TRUNCATE performance_schema.table_io_waits_summary_by_index_usage")
                .await
                .unwrap();
        }
        let what = if read {
            "nine in ten indexes read"
        } else {
            "no index read: all can go"
        };
        println!("{what}, load average {}:", load());
        measure(&mut connection, &url, schema).await;
        println!("  load average afterwards {}", load());
    }
    sandbox.stop().await.unwrap();
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

async fn connect(url: &str) -> MySqlConnection {
    let options = MySqlConnectOptions::from_str(url).unwrap();
    MySqlConnection::connect_with(&options).await.unwrap()
}

async fn run(connection: &mut MySqlConnection, sql: String) {
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
}

/// Tables with eight columns; every third refers to the one before it; nine in ten are read by
/// each of their indexes once.
async fn fill(connection: &mut MySqlConnection, schema: &str, secondary: u32) {
    let started = Instant::now();
    run(connection, format!("CREATE DATABASE {schema}")).await;
    for n in 0..TABLES {
        let mut parts = vec![
            "id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, c0 INT NOT NULL, c1 \
             VARCHAR(64), c2 DATETIME, c3 BIGINT, c4 VARCHAR(255), c5 DECIMAL(10, 2), parent \
             BIGINT UNSIGNED"
                .to_owned(),
        ];
        let keys = ["KEY k0 (c0, c1)", "KEY k1 (c1)", "UNIQUE KEY k2 (c2, c0)"];
        let mut made = keys.iter().take(usize::try_from(secondary).unwrap());
        if n % 3 == 1 {
            let parent = n - 1;
            made.next();
            parts.push("KEY parent (parent)".to_owned());
            parts.push(format!(
                "CONSTRAINT f{n} FOREIGN KEY (parent) REFERENCES t{parent:04} (id)"
            ));
        }
        parts.extend(made.map(|key| (*key).to_owned()));
        let columns = parts.join(", ");
        run(
            connection,
            format!("CREATE TABLE {schema}.t{n:04} ({columns})"),
        )
        .await;
    }
    for n in (0..TABLES).filter(|n| n % 10 != 0) {
        let row = format!("INSERT INTO {schema}.t{n:04} (c0, c1, c2) VALUES (1, 'a', NOW())");
        run(connection, row).await;
        for key in ["k0", "k1", "k2", "parent"] {
            let first = match key {
                "k0" => "c0 = 1",
                "k1" => "c1 = 'a'",
                "k2" => "c2 < NOW()",
                _ => "parent IS NULL",
            };
            // A table has some of these keys only.
            let sql = format!("SELECT c3 FROM {schema}.t{n:04} FORCE INDEX ({key}) WHERE {first}");
            let _ = connection.fetch_all(AssertSqlSafe(sql)).await;
        }
    }
    let counted: (i64, i64, i64) = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT COUNT(*), COUNT(IF(SEQ_IN_INDEX = 1, 1, NULL)), \
         COUNT(IF(SEQ_IN_INDEX = 1 AND INDEX_NAME <> 'PRIMARY', 1, NULL)) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = '{schema}'"
    )))
    .fetch_one(connection)
    .await
    .unwrap();
    println!(
        "{schema}: {TABLES} tables, {} indexes, {} of them secondary, {} key parts, made in {:.0?}",
        counted.1,
        counted.2,
        counted.0,
        started.elapsed()
    );
}

/// Statement texts begin with their comment, which tells them from all others.
const OWN: &str = "SQL_TEXT LIKE '%/* mydex:catalog */%' OR SQL_TEXT LIKE '%/* mydex:usage */%' OR \
     SQL_TEXT LIKE '%/* mydex:cost */%' OR SQL_TEXT LIKE '%/* mydex:ledger */%' OR SQL_TEXT LIKE \
     'SET SESSION sql_mode%' OR SQL_TEXT LIKE 'SELECT @@sql_mode%'";

async fn measure(connection: &mut MySqlConnection, url: &str, schema: &str) {
    connection
        .execute(
            "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME IN \
             ('events_statements_history_long', 'events_statements_cpu')",
        )
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut totals = Vec::new();
    let mut by_statement: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let (mut times, mut size) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        connection
            .execute("TRUNCATE performance_schema.events_statements_history_long")
            .await
            .unwrap();
        let path = folder.path().join("report.html");
        let started = Instant::now();
        let status = Command::new(MYDEX)
            .args([
                "report", "index", "--schema", schema, "--format", "html", "-o",
            ])
            .arg(&path)
            .current_dir(folder.path())
            .env("MYDEX_URL", url)
            .env("MYDEX_STATE_DIR", folder.path().join("state"))
            .status()
            .unwrap();
        times.push(started.elapsed().as_secs_f64());
        assert!(status.success());
        size = std::fs::metadata(&path).unwrap().len();
        let rows = connection
            .fetch_all(AssertSqlSafe(format!(
                "SELECT REGEXP_REPLACE(LEFT(SQL_TEXT, 4000), '^.*FROM ([a-z_]+[.][A-Za-z_]+).*$', \
                 '$1', 1, 0, 'n'), CAST(SUM(CPU_TIME) / 1e9 AS DOUBLE) \
                 FROM performance_schema.events_statements_history_long WHERE {OWN} GROUP BY 1"
            )))
            .await
            .unwrap();
        let mut total = 0.0;
        for row in rows {
            let (name, cpu): (String, f64) = (row.get(0), row.get(1));
            let name = name.split(' ').take(3).collect::<Vec<_>>().join(" ");
            by_statement.entry(name).or_default().push(cpu);
            total += cpu;
        }
        totals.push(total);
    }
    println!("  server processor time: {}", spread(&mut totals, "ms"));
    for (name, mut times) in by_statement {
        println!("    {name}: {}", spread(&mut times, "ms"));
    }
    println!(
        "  report as HTML: {}, {:.2} MB",
        spread(&mut times, "s"),
        size as f64 / 1e6
    );
}

fn spread(values: &mut [f64], unit: &str) -> String {
    values.sort_by(f64::total_cmp);
    format!(
        "min {:.2}, median {:.2}, max {:.2} {unit} of {}",
        values[0],
        values[values.len() / 2],
        values[values.len() - 1],
        values.len()
    )
}
