//! The CMDB workload with the advised indexes, beside those that an expert would write by hand,
//! beside none, and beside the best of all sets of fifteen candidates, on the full data.
//!
//! `cargo bench --bench advise_cmdb` starts a private server, loads the pack at `MYDEX_BENCH_SCALE`
//! (10, a million rows), asks `mydex advise --source probes cmdb` as a user would, with each of
//! several budgets, and measures every statement of the pack with the values of three operations: the
//! shortest of several executions, times the pack's rate. Each set is made by its own DDL and removed
//! by its own undo DDL. Then the candidates are made, and every distinct plan under every subset of
//! them is measured (kept under `target`, and used again). The unit is milliseconds of server time
//! for each second of the workload.
//!
//! `MYDEX_BENCH_MINUTES` (30) is the time limit of the exhaustive part, `MYDEX_BENCH_BUDGETS`
//! (`100 200`) are the budgets of the advised sets in megabytes.

#[path = "cmdb/best.rs"]
mod best;
mod exhaustive;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, ExitCode};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Instant;

use mydex::probes::generate::World;
use mydex::probes::literal;
use mydex::probes::load::{LoadPlan, load};
use mydex::probes::open::open;
use mydex::probes::pack::Pack;
use mydex::probes::params::Params;
use mydex::sandbox::{Options, Sandbox};
use mydex::sql::standin::Parametrized;
use serde_json::Value;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn std::error::Error>;

const SCHEMA: &str = "cmdb";
const SEED: u64 = 1;
/// Operations whose values the statements are measured with.
const OPERATIONS: [u64; 3] = [1, 1_001, 20_011];
/// Budgets of the optimum, in megabytes.
const MEGABYTES: [u64; 4] = [50, 100, 200, 400];
/// Those of the advised sets.
const ADVISED: &str = "100 200";

/// What someone who knows MySQL and has read the probes writes by hand: table, columns.
const EXPERT: [(&str, &str); 12] = [
    ("transit_gateway_attachments", "resource_id"),
    (
        "transit_gateway_attachments",
        "transit_gateway_id, created_at",
    ),
    (
        "transit_gateway_attachments",
        "resource_owner_account_id, is_cross_account",
    ),
    (
        "transit_gateway_attachments",
        "(CAST(subnet_ids AS CHAR(32) ARRAY))",
    ),
    ("vpcs", "environment, updated_at"),
    ("vpcs", "aws_account_id, created_at"),
    ("vpcs", "deleted_at"),
    ("vpcs", "(CAST(tags->'$.Compliance' AS CHAR(32) ARRAY))"),
    ("subnets", "source_system, last_synced_at"),
    ("subnets", "availability_zone, subnet_type, name"),
    ("subnets", "subnet_type, available_ip_count"),
    ("subnets", "vpc_id, availability_zone, cidr_block"),
];

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

async fn run() -> Result<(), Failure> {
    let scale: f64 = match std::env::var("MYDEX_BENCH_SCALE") {
        Ok(text) => text.parse()?,
        Err(_) => 10.0,
    };
    let options = Options {
        buffer_pool_mib: 3_072,
        ..Options::default()
    };
    let sandbox = Sandbox::start(&options, &mut |_| {}).await?;
    let outcome = compare(&sandbox, scale).await;
    sandbox.stop().await?;
    outcome
}

async fn compare(sandbox: &Sandbox, scale: f64) -> Result<(), Failure> {
    let pack = open("cmdb")?;
    let options = MySqlConnectOptions::from_str(&sandbox.url())?;
    let started = Instant::now();
    let plan = LoadPlan {
        database: SCHEMA.to_owned(),
        scale,
        seed: SEED,
        connections: 4,
        batch: 1_000,
        force: false,
        beside_others: false,
    };
    load(
        options.clone(),
        &pack,
        plan,
        |_| {},
        CancellationToken::new(),
    )
    .await?;
    say(&format!(
        "loaded in {:.0} s",
        started.elapsed().as_secs_f64()
    ));
    let mut connection = MySqlConnection::connect_with(&options.database(SCHEMA)).await?;
    for table in &pack.tables {
        run_all(&mut connection, &[format!("ANALYZE TABLE {}", table.name)]).await?;
    }
    let statements = statements(&Arc::new(pack), scale)?;
    let mut sets: Vec<(String, Changes)> = vec![("none".to_owned(), Changes::default())];
    let budgets = std::env::var("MYDEX_BENCH_BUDGETS").unwrap_or_else(|_| ADVISED.to_owned());
    for megabytes in budgets.split_whitespace() {
        let budget = format!("{megabytes}MB");
        let changes = advised(&sandbox.url(), &["--budget", &budget])?;
        sets.push((format!("advised, {budget}"), changes));
    }
    sets.push(("advised".to_owned(), advised(&sandbox.url(), &[])?));
    sets.push(("expert".to_owned(), expert()));
    sets.push(("none, again".to_owned(), Changes::default()));
    let mut rows = Vec::new();
    for (name, changes) in sets {
        let before = index_bytes(&mut connection).await?;
        run_all(&mut connection, &changes.ddl).await?;
        let bytes = index_bytes(&mut connection).await? - before;
        let times = measure(&mut connection, &statements).await?;
        undo(&mut connection, &changes.undo).await?;
        say(&format!(
            "{name}: {:.2} ms/s, {:.1} MB, {} statements",
            times.values().sum::<f64>(),
            bytes / 1e6,
            changes.ddl.len()
        ));
        rows.push(Row { name, times, bytes });
    }
    report(&rows);
    best::beside(&mut connection, &statements, scale, &rows).await
}

/// What makes a set of indexes, and what takes it away.
#[derive(Debug, Clone, Default)]
struct Changes {
    ddl: Vec<String>,
    undo: Vec<String>,
}

/// A measured set.
#[derive(Debug, Clone)]
struct Row {
    name: String,
    /// Milliseconds of each statement for a second of the workload.
    times: BTreeMap<String, f64>,
    bytes: f64,
}

impl Row {
    fn total(&self) -> f64 {
        self.times.values().sum()
    }
}

fn report(rows: &[Row]) {
    let none = rows[0].total();
    for row in rows {
        say(&format!(
            "{:<15} {:>9.2} ms/s {:>7.2} % of none {:>8.1} MB of indexes",
            row.name,
            row.total(),
            100.0 * row.total() / none,
            row.bytes / 1e6
        ));
    }
    say("by statement, ms/s:");
    for (statement, none) in &rows[0].times {
        let others: Vec<String> = rows[1..]
            .iter()
            .map(|row| format!("{:>9.3}", row.times.get(statement).unwrap_or(&f64::NAN)))
            .collect();
        say(&format!("{statement:<30} {none:>9.3} {}", others.join(" ")));
    }
}

/// Name, rate, and texts with values.
type Statement = (String, f64, Vec<String>);

fn statements(pack: &Arc<Pack>, scale: f64) -> Result<Vec<Statement>, Failure> {
    let world = Arc::new(World::generated(Arc::clone(pack), SEED, scale)?);
    let mut statements = Vec::new();
    for probe in &pack.probes {
        let params = Params::new(Arc::clone(&world), probe, 0);
        for (number, statement) in probe.statements.iter().enumerate() {
            let text = Parametrized::of(&statement.sql).ok_or("a statement is not whole")?;
            let samples = OPERATIONS.iter().map(|operation| {
                let literals = params.values(*operation, statement).map(|value| {
                    let mut out = String::new();
                    literal::push(&value, &mut out);
                    out
                });
                text.filled(&literals.collect::<Vec<_>>())
            });
            let name = format!("{}#{}", probe.name, number + 1);
            statements.push((name, probe.rate, samples.collect()));
        }
    }
    Ok(statements)
}

/// Milliseconds of each statement for a second of the workload.
async fn measure(
    connection: &mut MySqlConnection,
    statements: &[Statement],
) -> Result<BTreeMap<String, f64>, Failure> {
    let mut times = BTreeMap::new();
    for (name, rate, samples) in statements {
        let mut sum = 0.0;
        for sample in samples {
            sum += exhaustive::shortest(connection, sample).await? * 1e3;
        }
        times.insert(name.clone(), rate * sum / samples.len() as f64);
    }
    Ok(times)
}

/// The statements of `mydex advise`, and those that undo them.
fn advised(url: &str, limits: &[&str]) -> Result<Changes, Failure> {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args(["advise", "--source", "probes", "cmdb", "--format", "json"])
        .args(limits)
        .env("MYDEX_URL", url)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let advice: Value = serde_json::from_slice(&output.stdout)?;
    say(&format!(
        "advised {} in {:.0} s; effort {}",
        limits.join(" "),
        started.elapsed().as_secs_f64(),
        advice["effort"]
    ));
    let all = advice["recommendations"].as_array();
    let all: Vec<&Value> = all.into_iter().flatten().collect();
    let texts = |of: &'static str| {
        move |one: &&Value| -> Vec<String> {
            let list = one[of].as_array().into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        }
    };
    Ok(Changes {
        ddl: all.iter().flat_map(texts("ddl")).collect(),
        // Backward, since one may stand in for another that a foreign key needs.
        undo: all.iter().rev().flat_map(texts("undo")).collect(),
    })
}

fn expert() -> Changes {
    let name = |place: usize| format!("expert_{place}");
    let ddl = EXPERT.iter().enumerate().map(|(place, (table, columns))| {
        format!("ALTER TABLE {table} ADD INDEX {} ({columns})", name(place))
    });
    let undo = EXPERT
        .iter()
        .enumerate()
        .map(|(place, (table, _))| format!("ALTER TABLE {table} DROP INDEX {}", name(place)));
    Changes {
        ddl: ddl.collect(),
        undo: undo.collect(),
    }
}

async fn run_all(connection: &mut MySqlConnection, statements: &[String]) -> Result<(), Failure> {
    for statement in statements {
        connection
            .execute(AssertSqlSafe(statement.clone()))
            .await
            .map_err(|error| format!("{statement}: {error}"))?;
    }
    Ok(())
}

/// Takes a set away; where the server refuses the algorithm that the advice states, with its own.
async fn undo(connection: &mut MySqlConnection, statements: &[String]) -> Result<(), Failure> {
    for statement in statements {
        if let Err(error) = run_all(connection, std::slice::from_ref(statement)).await {
            say(&format!("undo refused: {error}"));
            let plain = statement.split(", ALGORITHM").next().unwrap_or(statement);
            run_all(connection, &[plain.to_owned()]).await?;
        }
    }
    Ok(())
}

/// Bytes of all secondary indexes.
async fn index_bytes(connection: &mut MySqlConnection) -> Result<f64, Failure> {
    let sql = "SELECT CAST(COALESCE(SUM(stat_value), 0) * 16384 AS DOUBLE) \
               FROM mysql.innodb_index_stats WHERE database_name = 'cmdb' AND stat_name = 'size' \
               AND index_name <> 'PRIMARY'";
    Ok(sqlx::query_scalar(sql).fetch_one(connection).await?)
}
