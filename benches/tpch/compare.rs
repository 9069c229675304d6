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
use super::reference::{CANDIDATES, Reference};
use super::{Failure, say, tiers};

/// Prints the costs. The candidates are made on both servers, and on the full data dropped again.
pub(crate) async fn costs(lab: &mut Lab, reference: &Reference, tier: Tier) -> Result<(), Failure> {
    tiers::drop_candidates(lab).await;
    let twin_server = Sandbox::start(
        &sandbox::Options {
            buffer_pool_mib: 512,
            ..sandbox::Options::default()
        },
        &mut |_| {},
    )
    .await?;
    let all: Vec<usize> = (0..reference.queries.len()).collect();
    let run = tiers::run(tier, twin_server.endpoint().server("twin"));
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
    super::reference::create_candidates(lab).await?;
    let choices: Vec<Choice> = CANDIDATES
        .iter()
        .map(|(table, name, _)| Choice {
            table: TableName::new(SCHEMA, *table),
            index: (*name).to_owned(),
            is_fixed: false,
        })
        .collect();
    let mut there = Session::open(&full, choices.clone(), &[]).await?;
    let mut here = Session::open(twin.server(), choices, &[]).await?;
    for (query, measured) in material.workload.queries.iter().zip(&reference.queries) {
        let relevant = &measured.relevant;
        let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
        sets.extend(relevant.iter().map(|place| vec![*place]));
        sets.push(relevant.clone());
        let samples = twin.samples(query);
        say(&query.name.to_string());
        for set in sets {
            let visible: BTreeSet<usize> = set.iter().copied().collect();
            let mut figures = Vec::new();
            for (session, sample) in [(&mut there, &query.samples[0]), (&mut here, &samples[0])] {
                session.show(&visible).await?;
                figures.push(asked(session, sample).await?);
            }
            let bits: usize = set.iter().map(|place| 1_usize << place).sum();
            let names: Vec<&str> = set.iter().map(|place| CANDIDATES[*place].1).collect();
            say(&format!(
                "  {:<44} {:>9.3} s  full {:>12.0}  twin {:>12.0}  {}",
                if names.len() > 1 {
                    "all".to_owned()
                } else {
                    names.join(" ")
                },
                measured.seconds(bits),
                figures[0].0,
                figures[1].0,
                if figures[0].1 == figures[1].1 {
                    "same plan"
                } else {
                    "OTHER PLAN"
                },
            ));
        }
        if std::env::var_os("MYDEX_BENCH_TEXTS").is_some() {
            say(&samples[0].sql);
        }
    }
    if let Ok(file) = std::env::var("MYDEX_BENCH_HOLD") {
        say(&format!(
            "full {} twin {}",
            lab.sandbox.url(),
            twin_server.url()
        ));
        while !std::path::Path::new(&file).exists() {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }
    twin.finish().await?;
    twin_server.stop().await?;
    tiers::drop_candidates(lab).await;
    Ok(())
}

async fn asked(session: &mut Session, sample: &Sample) -> Result<(f64, String), Failure> {
    let plan = session.explain(Some(SCHEMA), sample).await??;
    Ok((plan.cost, plan.signature))
}
