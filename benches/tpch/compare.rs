//! The optimizer's costs on a twin beside those on the full data, for each query with none, each
//! and all of the candidates that can matter to it.

use std::collections::BTreeSet;

use mydex::advisor::material;
use mydex::advisor::planner::{Choice, Planner as _};
use mydex::advisor::session::Session;
use mydex::advisor::twin::{self, TwinOptions};
use mydex::advisor::workload::Sample;
use mydex::model::advice::Tier;
use mydex::model::schema::TableName;
use mydex::sandbox::{self, Sandbox};
use mydex::server;
use tokio_util::sync::CancellationToken;

use super::data::{Lab, SCHEMA};
use super::reference::{self, CANDIDATES, Measured, Reference};
use super::{Failure, say, tiers};

/// Prints the costs. The candidates are made on both servers, and on the full data dropped again.
pub(crate) async fn costs(lab: &mut Lab, reference: &Reference, tier: Tier) -> Result<(), Failure> {
    tiers::drop_candidates(lab).await;
    let options = sandbox::Options {
        buffer_pool_mib: 512,
        ..sandbox::Options::default()
    };
    let server = Sandbox::start(&options, &mut |_| {}).await?;
    let all: Vec<usize> = (0..reference.queries.len()).collect();
    let run = tiers::run(tier, server.endpoint().server("twin"));
    let full = lab.sandbox.endpoint().server("tpch");
    let mut target = server::open(&full, &run.monitor).await?;
    let material = material::read(&mut target, tiers::workload(reference, &all)).await?;
    let mut twin = twin::build(
        &mut target,
        &run.twin,
        &material.catalog,
        &material.workload,
        &material.shapes,
        &TwinOptions::new(tier),
        &mut |_| {},
        &CancellationToken::new(),
    )
    .await?;
    target.close().await;
    for outcome in twin.create(&tiers::candidates(reference)).await {
        outcome?;
    }
    reference::create_candidates(lab).await?;
    let mut sides = [
        Session::open(&full, choices(), &[]).await?,
        Session::open(twin.server(), choices(), &[]).await?,
    ];
    for (query, measured) in material.workload.queries.iter().zip(&reference.queries) {
        say(&query.name);
        let samples = [query.samples[0].clone(), twin.samples(query)[0].clone()];
        of_query(measured, &mut sides, &samples).await?;
        if std::env::var_os("MYDEX_BENCH_TEXTS").is_some() {
            say(&samples[1].sql);
        }
    }
    twin.finish().await?;
    server.stop().await?;
    tiers::drop_candidates(lab).await;
    Ok(())
}

fn choices() -> Vec<Choice> {
    let all = CANDIDATES.iter().map(|(table, name, _)| Choice {
        table: TableName::new(SCHEMA, *table),
        index: (*name).to_owned(),
        is_fixed: false,
    });
    all.collect()
}

/// The costs of one query with none, each and all of its candidates, on the full data and on the
/// twin.
async fn of_query(
    measured: &Measured,
    sides: &mut [Session; 2],
    samples: &[Sample; 2],
) -> Result<(), Failure> {
    let relevant = &measured.relevant;
    let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
    sets.extend(relevant.iter().map(|place| vec![*place]));
    sets.push(relevant.clone());
    for set in sets {
        let visible: BTreeSet<usize> = set.iter().copied().collect();
        let mut plans = Vec::new();
        for (session, sample) in sides.iter_mut().zip(samples) {
            session.show(&visible).await?;
            plans.push(session.explain(Some(SCHEMA), sample).await??);
        }
        let bits: usize = set.iter().map(|place| 1_usize << place).sum();
        let name = match set.as_slice() {
            [place] => CANDIDATES[*place].1,
            [] => "none",
            _ => "all",
        };
        let is_same = plans[0].signature == plans[1].signature;
        say(&format!(
            "  {name:<16} {:>9.3} s  full {:>12.0}  twin {:>12.0}  {}",
            measured.seconds(bits),
            plans[0].cost,
            plans[1].cost,
            if is_same { "same plan" } else { "OTHER PLAN" },
        ));
    }
    Ok(())
}
