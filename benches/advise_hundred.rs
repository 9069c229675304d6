//! How long advice for a hundred digests takes, from the command to the answer.
//!
//! `cargo bench --bench advise_hundred` starts a private server, loads the CMDB pack at
//! `MYDEX_BENCH_SCALE` (1), runs 120 kinds of statements twice each, and asks
//! `mydex advise --schema cmdb --limit 120` with its defaults, starting the twin included. Statements
//! differ in table, form and columns; most columns have few values, so that the optimizer's
//! estimates are put to the test as well.

use std::io::Write as _;
use std::process::{Command, ExitCode};
use std::str::FromStr as _;
use std::time::Instant;

use mydex::probes::load::{LoadPlan, load};
use mydex::probes::open::open;
use mydex::sandbox::{Options, Sandbox};
use serde_json::Value;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn std::error::Error>;

const SCHEMA: &str = "cmdb";
const STATEMENTS: usize = 120;

/// A table, conditions on its columns, and a column to sort by or to give.
type Ground = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const GROUNDS: [Ground; 4] = [
    (
        "vpcs",
        &[
            "environment = 'production'",
            "aws_account_id = '123456789012'",
            "project = 'billing'",
            "cost_center = 'CC-1234'",
            "instance_tenancy = 'default'",
            "source_system = 'terraform'",
        ],
        &["name", "created_at", "updated_at"],
    ),
    (
        "subnets",
        &[
            "availability_zone = 'us-east-1a'",
            "subnet_type = 'private'",
            "source_system = 'manual'",
            "application_tier = 'web'",
            "map_public_ip_on_launch = 1",
            "route_table_id = 'rtb-1'",
        ],
        &["name", "created_at", "last_synced_at"],
    ),
    (
        "transit_gateway_attachments",
        &[
            "resource_id = 'vpc-1'",
            "association_state = 'associated'",
            "is_cross_account = 1",
            "propagation_enabled = 1",
            "resource_owner_account_id = '123456789012'",
        ],
        &["attachment_id", "created_at", "updated_at"],
    ),
    (
        "customer_gateways",
        &[
            "device_vendor = 'Cisco'",
            "device_model = 'ASR'",
            "bgp_asn = 65000",
            "redundancy_group = 'rg-1'",
        ],
        &["created_at", "updated_at"],
    ),
];

fn statements() -> Vec<String> {
    let mut all = Vec::new();
    for (table, conditions, columns) in GROUNDS {
        for (at, one) in conditions.iter().enumerate() {
            for other in &conditions[at..] {
                let both = if one == other {
                    (*one).to_owned()
                } else {
                    format!("{one} AND {other}")
                };
                let grouped = one.split(' ').next().unwrap_or_default();
                all.push(format!("SELECT COUNT(*) FROM {table} WHERE {both}"));
                all.push(format!(
                    "SELECT {grouped}, COUNT(*) FROM {table} WHERE {both} \
                     AND created_at > '2026-01-01' GROUP BY {grouped}"
                ));
                for column in columns {
                    all.push(format!(
                        "SELECT id, {column} FROM {table} WHERE {both} ORDER BY {column} DESC LIMIT 20"
                    ));
                    all.push(format!("SELECT MAX({column}) FROM {table} WHERE {both}"));
                    all.push(format!(
                        "SELECT id, {column} FROM {table} WHERE {both} AND deleted_at IS NULL"
                    ));
                }
            }
        }
    }
    // Evenly from all of them; the step has no divisor in common with the number of forms.
    let step = (all.len() / STATEMENTS).max(1);
    all.into_iter().step_by(step).take(STATEMENTS).collect()
}

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
    let sandbox = Sandbox::start(&Options::default(), &mut |_| {}).await?;
    let outcome = advise(&sandbox).await;
    sandbox.stop().await?;
    outcome
}

async fn advise(sandbox: &Sandbox) -> Result<(), Failure> {
    let scale: f64 = match std::env::var("MYDEX_BENCH_SCALE") {
        Ok(text) => text.parse()?,
        Err(_) => 1.0,
    };
    let options = MySqlConnectOptions::from_str(&sandbox.url())?;
    let plan = LoadPlan {
        database: SCHEMA.to_owned(),
        scale,
        seed: 1,
        connections: 4,
        batch: 1_000,
        force: false,
        beside_others: false,
    };
    let pack = open("cmdb")?;
    let cancel = CancellationToken::new();
    load(options.clone(), &pack, plan, |_| {}, cancel).await?;
    let mut connection = MySqlConnection::connect_with(&options.database(SCHEMA)).await?;
    for statement in statements() {
        for _ in 0..2 {
            connection.execute(AssertSqlSafe(statement.clone())).await?;
        }
    }
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args(["advise", "--schema", SCHEMA, "--format", "json"])
        .args(["--limit", &STATEMENTS.to_string()])
        .env("MYDEX_URL", sandbox.url())
        .output()?;
    let elapsed = started.elapsed();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let advice: Value = serde_json::from_slice(&output.stdout)?;
    let count = |of: &str| advice[of].as_array().map_or(0, Vec::len);
    let effort = &advice["effort"];
    let explains = effort["explains"].as_f64().unwrap_or(f64::NAN);
    let exhaustive = effort["exhaustive_explains"].as_f64().unwrap_or(f64::NAN);
    say(&format!(
        "{} digests judged, {} recommendations, {:.1} s",
        count("queries"),
        count("recommendations"),
        elapsed.as_secs_f64()
    ));
    say(&format!(
        "{explains} plans asked for, {:.6} % of the exhaustive {exhaustive}",
        100.0 * explains / exhaustive
    ));
    say(&format!("optimality {}", advice["optimality"]));
    say(&format!("workload {}", advice["workload"]));
    say(&format!("effort {effort}"));
    for note in advice["notes"].as_array().into_iter().flatten() {
        if note["code"] == "proof" {
            say(&format!("note: {}", note["message"]));
        }
    }
    Ok(())
}
