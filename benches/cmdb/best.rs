//! The best of all sets of fifteen candidates for the CMDB workload, by measured times.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sqlx::MySqlConnection;

use super::exhaustive::{Candidate, Lab, Query, Reference};
use super::{Failure, MEGABYTES, OPERATIONS, Row, SEED, Statement, say};

/// Raised when figures of an earlier version may no longer be used.
const VERSION: u32 = 1;

/// Indexes to choose from: the expert's twelve and three more that statements of the pack ask for.
const CANDIDATES: [Candidate; 15] = [
    ("transit_gateway_attachments", "b_resource", "resource_id"),
    (
        "transit_gateway_attachments",
        "b_gateway",
        "transit_gateway_id, created_at",
    ),
    (
        "transit_gateway_attachments",
        "b_owner",
        "resource_owner_account_id, is_cross_account",
    ),
    (
        "transit_gateway_attachments",
        "b_subnets",
        "(CAST(subnet_ids AS CHAR(32) ARRAY))",
    ),
    ("vpcs", "b_environment", "environment, updated_at"),
    ("vpcs", "b_account", "aws_account_id, created_at"),
    ("vpcs", "b_deleted", "deleted_at"),
    (
        "vpcs",
        "b_compliance",
        "(CAST(tags->'$.Compliance' AS CHAR(32) ARRAY))",
    ),
    (
        "vpcs",
        "b_project",
        "(CAST(tags->>'$.Project' AS CHAR(64)) COLLATE utf8mb4_bin)",
    ),
    (
        "vpcs",
        "b_region",
        "region_id, environment, deleted_at, last_synced_at",
    ),
    ("vpcs", "b_cost", "environment, deleted_at, cost_center"),
    ("subnets", "b_source", "source_system, last_synced_at"),
    ("subnets", "b_zone", "availability_zone, subnet_type, name"),
    ("subnets", "b_type", "subnet_type, available_ip_count"),
    ("subnets", "b_vpc", "vpc_id, availability_zone, cidr_block"),
];

/// Measures the candidates, and prints the optimum of each budget and of as many bytes as each set
/// takes, with the set's regret. The candidates stay.
pub(crate) async fn beside(
    connection: &mut MySqlConnection,
    statements: &[Statement],
    scale: f64,
    rows: &[Row],
) -> Result<(), Failure> {
    let queries = queries(statements);
    let weights = weights(statements);
    let file = file(&queries, scale);
    let mut reference = Reference::kept(&file);
    if reference.is_complete(&queries) {
        say(&format!("reference read from {}", file.display()));
    } else {
        let minutes: u64 = match std::env::var("MYDEX_BENCH_MINUTES") {
            Ok(text) => text.parse()?,
            Err(_) => 30,
        };
        let deadline = Instant::now() + Duration::from_secs(minutes * 60);
        let mut lab = Lab {
            connection,
            candidates: &CANDIDATES,
        };
        reference
            .complete(&mut lab, &queries, relevant, &file, deadline)
            .await?;
    }
    let total = |set: usize| {
        let all = reference.queries.iter().zip(&weights);
        all.map(|(query, weight)| query.seconds(set) * weight)
            .sum::<f64>()
    };
    let totals: Vec<(u64, f64)> = (0..1_usize << CANDIDATES.len())
        .map(|set| (reference.bytes(set), total(set)))
        .collect();
    let best = |bytes: u64| {
        let fit = totals
            .iter()
            .enumerate()
            .filter(|(_, (of, _))| *of <= bytes);
        fit.min_by(|one, other| one.1.1.total_cmp(&other.1.1))
            .map_or((0, totals[0].1), |(set, (_, time))| (set, *time))
    };
    let none = totals[0].1;
    for ((_, name, columns), bytes) in CANDIDATES.iter().zip(&reference.bytes) {
        say(&format!(
            "  {name}: ({columns}), {:.1} MB",
            *bytes as f64 / 1e6
        ));
    }
    for megabytes in MEGABYTES.map(Some).into_iter().chain([None]) {
        let (set, time) = best(megabytes.map_or(u64::MAX, |megabytes| megabytes * 1_000_000));
        let within =
            megabytes.map_or_else(String::new, |megabytes| format!(" within {megabytes} MB"));
        say(&format!(
            "optimum{within}: {time:.2} ms/s, {:.2} % of none, {:.1} MB: {}",
            100.0 * time / none,
            reference.bytes(set) as f64 / 1e6,
            names(set)
        ));
    }
    // The share of none is compared, each measured in the same part of the run.
    let today = rows[0].total();
    for row in rows {
        let bytes = format!("{:.0}", row.bytes.max(0.0)).parse()?;
        let (_, time) = best(bytes);
        let share = row.total() / today;
        say(&format!(
            "{:<15} {:>7.2} % of none, optimum in as many bytes {:>7.2} %, regret {:>7.2} %",
            row.name,
            100.0 * share,
            100.0 * time / none,
            100.0 * (share * none / time - 1.0)
        ));
    }
    Ok(())
}

fn names(set: usize) -> String {
    let all = CANDIDATES.iter().enumerate();
    let names: Vec<&str> = all
        .filter(|(place, _)| set >> place & 1 == 1)
        .map(|(_, (_, name, _))| *name)
        .collect();
    names.join(", ")
}

/// Each statement with the values of each operation.
fn queries(statements: &[Statement]) -> Vec<Query> {
    let all = statements.iter().flat_map(|(name, _, samples)| {
        samples.iter().enumerate().map(move |(place, sql)| Query {
            name: format!("{name} {place}"),
            sql: sql.clone(),
        })
    });
    all.collect()
}

/// Milliseconds of the workload's second for each second of a query.
fn weights(statements: &[Statement]) -> Vec<f64> {
    let all = statements
        .iter()
        .flat_map(|(_, rate, samples)| samples.iter().map(move |_| rate / samples.len() as f64));
    all.map(|weight| weight * 1e3).collect()
}

/// Where the figures of the same statements, candidates and data are.
fn file(queries: &[Query], scale: f64) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (VERSION, CANDIDATES, OPERATIONS, SEED, scale.to_bits()).hash(&mut hasher);
    for query in queries {
        (&query.name, &query.sql).hash(&mut hasher);
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    folder.join(format!("advise_cmdb_{:016x}.json", hasher.finish()))
}

/// Candidates on a table of the query whose first column it names; of an expression, all of whose
/// names.
fn relevant(query: &Query) -> Vec<usize> {
    let words: BTreeSet<&str> = query.sql.split(is_between).collect();
    let mut relevant = Vec::new();
    for (place, (table, _, columns)) in CANDIDATES.iter().enumerate() {
        let is_named = if columns.starts_with('(') {
            let inner = columns.split(" AS ").next().unwrap_or_default();
            let names = inner.split(is_between);
            let mut names = names.filter(|name| !name.is_empty() && *name != "CAST");
            names.all(|name| words.contains(name))
        } else {
            columns
                .split(", ")
                .next()
                .is_some_and(|name| words.contains(name))
        };
        if words.contains(table) && is_named {
            relevant.push(place);
        }
    }
    relevant
}

fn is_between(letter: char) -> bool {
    !letter.is_ascii_alphanumeric() && letter != '_'
}
