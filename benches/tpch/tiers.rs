//! The advisor itself, held to the same candidates: what it chooses at each of its tiers.

use std::collections::BTreeSet;
use std::time::Duration;

use mydex::advisor::advise::{Options, Run, sweep};
use mydex::advisor::candidate::{Candidate, Origin, Role};
use mydex::advisor::workload::{Query, Sample, Workload};
use mydex::config::settings::{Monitor, Server};
use mydex::model::advice::{Limits, LockLevel, Tier};
use mydex::model::schema::{Index, KeyPart, TableName};
use mydex::sandbox::{self, Sandbox};
use mydex::server;

use super::data::{Lab, SCHEMA};
use super::reference::{self, CANDIDATES, Reference};
use super::{Failure, MEGABYTES, say};

/// The advisor's tiers with their names in the table.
const TIERS: [(&str, Tier, &str); 2] = [
    ("t1", Tier::Sample, "advisor, T1 (sample)"),
    ("t0", Tier::Dataless, "advisor, T0 (no data)"),
];

/// The sets that the advisor chooses at each tier, by budget. Weights are the measured times
/// without any candidate, as digests would give them.
pub(crate) async fn chosen(
    lab: &mut Lab,
    reference: &Reference,
    counted: &[usize],
    asked: &str,
) -> Result<Vec<(&'static str, Vec<usize>)>, Failure> {
    drop_candidates(lab).await;
    let mut rows = Vec::new();
    for (short, tier, name) in TIERS {
        if !asked.contains(short) {
            continue;
        }
        let started = std::time::Instant::now();
        let twin = Sandbox::start(
            &sandbox::Options {
                buffer_pool_mib: 512,
                ..sandbox::Options::default()
            },
            &mut |_| {},
        )
        .await?;
        let run = run(tier, twin.endpoint().server("twin"));
        let mut target = server::open(&lab.sandbox.endpoint().server("tpch"), &run.monitor).await?;
        let budgets: Vec<u64> = MEGABYTES
            .iter()
            .map(|megabytes| megabytes * 1_000_000)
            .collect();
        let names = sweep(
            &mut target,
            &run,
            workload(reference, counted),
            candidates(reference),
            &budgets,
            &mut |_| {},
        )
        .await?;
        target.close().await;
        twin.stop().await?;
        say(&format!("{name}: {:.0} s", started.elapsed().as_secs_f64()));
        rows.push((name, names.iter().map(bits).collect()));
    }
    Ok(rows)
}

/// The advisor is asked about tables without them.
pub(crate) async fn drop_candidates(lab: &mut Lab) {
    for (table, name, _) in CANDIDATES {
        // They are there only when the reference was measured in this run.
        let _ = lab
            .run(&format!("ALTER TABLE {table} DROP INDEX {name}"))
            .await;
    }
}

fn bits(names: &BTreeSet<String>) -> usize {
    CANDIDATES
        .iter()
        .enumerate()
        .filter(|(_, (_, name, _))| names.contains(*name))
        .map(|(place, _)| 1 << place)
        .sum()
}

pub(crate) fn workload(reference: &Reference, counted: &[usize]) -> Workload {
    let texts = reference::queries();
    let queries = counted.iter().map(|place| {
        let (text, measured) = (&texts[*place], &reference.queries[*place]);
        Query {
            name: text.name.clone(),
            fingerprint: text.name.clone(),
            schema: Some(SCHEMA.to_owned()),
            samples: vec![Sample {
                sql: text.sql.clone(),
                is_made_up: false,
            }],
            calls: 1.0,
            time: Duration::try_from_secs_f64(measured.seconds(0)).ok(),
            rows_examined: None,
            rows_sent: None,
            rows_affected: None,
            tolerance: None,
        }
    });
    Workload {
        source: "TPC-H".to_owned(),
        queries: queries.collect(),
        ..Workload::default()
    }
}

pub(crate) fn candidates(reference: &Reference) -> Vec<Candidate> {
    CANDIDATES
        .iter()
        .zip(&reference.bytes)
        .map(|((table, name, columns), bytes)| Candidate {
            table: TableName::new(SCHEMA, *table),
            index: Index::btree(*name, columns.split(", ").map(KeyPart::column).collect()),
            column: None,
            origins: vec![Origin {
                query: None,
                role: Role::Filter,
            }],
            bytes: *bytes,
            lock: LockLevel::None,
        })
        .collect()
}

pub(crate) fn run(tier: Tier, twin: Server) -> Run {
    Run {
        server: "tpch".to_owned(),
        twin,
        monitor: Monitor {
            interval: Duration::from_secs(1),
            overhead_budget: 0.01,
            statement_timeout: Duration::from_secs(5),
            lock_wait_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(5),
        },
        options: Options {
            tier,
            limits: Limits {
                tolerance: super::choose::TOLERANCE,
                ..Limits::default()
            },
            sample_rows: 200_000,
            with_proof: tier != Tier::Dataless,
            keeps_existing: true,
            min_gain: 0.0,
        },
    }
}
