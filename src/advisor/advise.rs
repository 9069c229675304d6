//! One run of the advisor, from a workload to advice.

use std::collections::BTreeSet;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::assemble::{Entry, EntryFacts};
use super::bench::Bench;
use super::candidate::Candidate;
use super::costs::Problem;
use super::ground::Ground;
use super::material::{self, Material};
use super::planner::Calls;
use super::prove::Proof;
use super::twin::{self, Twin, TwinOptions};
use super::whatif::Known;
use super::workload::Workload;
use super::{advice, effort, select};
use crate::config::settings::{Monitor, Server};
use crate::model::advice::{Advice, Limits, Tier, TwinSummary};
use crate::model::finding::Finding;
use crate::server::{self, Connection};

/// What a run needs besides the workload.
#[derive(Debug, Clone)]
pub struct Run {
    /// Name of the server that the advice is for.
    pub server: String,
    /// The server that stands for it.
    pub twin: Server,
    /// Limits of connections.
    pub monitor: Monitor,
    /// What the user asked for.
    pub options: Options,
}

/// What the user asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How candidates are judged.
    pub tier: Tier,
    /// Limits of the chosen set.
    pub limits: Limits,
    /// Rows that are sampled at most.
    pub sample_rows: u64,
    /// Plans of the chosen set are executed.
    pub with_proof: bool,
    /// Existing indexes stay as they are.
    pub keeps_existing: bool,
    /// A new index has to gain this share of the workload by itself, 0 to 1.
    pub min_gain: f64,
}

/// What is being done.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// A phrase.
    pub what: String,
    /// How far it is, 0 to 1, where that can be told.
    pub share: Option<f64>,
}

impl Step {
    /// A step that is so far, 0 to 1.
    #[must_use]
    pub fn at(what: &str, share: f64) -> Self {
        Self {
            what: what.to_owned(),
            share: Some(share),
        }
    }

    /// A step that does not tell how far it is.
    #[must_use]
    pub fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            share: None,
        }
    }
}

/// Who is told about the steps.
pub type Report<'a> = &'a mut (dyn FnMut(Step) + Send);

/// Why there is no advice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The target or the twin.
    #[error(transparent)]
    Server(#[from] server::Error),
    /// The twin could not be built.
    #[error(transparent)]
    Twin(#[from] twin::Error),
    /// Nothing to judge.
    #[error("the workload holds no statement that can be judged{0}")]
    Empty(String),
    /// No set keeps to the limits.
    #[error(transparent)]
    Limits(#[from] select::Infeasible),
}

/// Runs the advisor. `None` when it was cancelled before there was any answer.
pub async fn advise(
    target: &mut Connection,
    run: &Run,
    workload: Workload,
    report: Report<'_>,
    cancel: &CancellationToken,
) -> Result<Option<Advice>, Error> {
    let started = Instant::now();
    report(Step::new("reading the schema"));
    let material = material::read(target, workload).await?;
    if material.workload.queries.is_empty() {
        return Err(Error::Empty(first_reason(&material)));
    }
    if cancel.is_cancelled() {
        return Ok(None);
    }
    let options = twin_options(run);
    let built = twin::build(
        target,
        &run.twin,
        &material.catalog,
        &material.workload,
        &material.shapes,
        &options,
        &mut |progress| {
            report(Step {
                what: progress.step,
                share: progress.share,
            });
        },
        cancel,
    )
    .await;
    let mut twin = match built {
        Err(twin::Error::Interrupted) => return Ok(None),
        built => built?,
    };
    let judged = judge(run, &material, &mut twin, report, cancel).await;
    let summary = summary(run, &mut twin).await;
    let finished = twin.finish().await;
    let found = match judged {
        Err(Error::Twin(twin::Error::Interrupted)) => None,
        judged => judged?,
    };
    // What is left on a replica is told, interrupted or not; a private server is ended anyhow.
    match finished {
        Err(error) if run.options.tier != Tier::Replica => {
            tracing::warn!(%error, "the twin was not cleared");
        }
        finished => finished?,
    }
    let Some(found) = found else {
        return Ok(None);
    };
    let cost = effort::target_cost(target).await;
    let elapsed = started.elapsed();
    Ok(Some(advice::advice(
        run, &material, &found, summary?, &cost, elapsed,
    )))
}

/// What a run would read of the target's rows, without reading any.
pub async fn plan(
    target: &mut Connection,
    run: &Run,
    workload: Workload,
) -> Result<twin::Plan, Error> {
    let material = material::read(target, workload).await?;
    Ok(twin::plan(
        &material.catalog,
        &material.shapes,
        &twin_options(run),
    ))
}

fn twin_options(run: &Run) -> TwinOptions {
    TwinOptions {
        max_rows: run.options.sample_rows,
        statement_timeout: run.monitor.statement_timeout,
        ..TwinOptions::new(run.options.tier)
    }
}

async fn summary(run: &Run, twin: &mut Twin) -> Result<TwinSummary, Error> {
    Ok(TwinSummary {
        tier: run.options.tier,
        version: twin.version().await?,
        rows: twin.rows(),
        limits: twin.limits().to_vec(),
    })
}

fn first_reason(material: &Material) -> String {
    material
        .workload
        .skipped
        .first()
        .map(|skipped| format!(": {}", skipped.reason))
        .unwrap_or_default()
}

/// What was found on the twin.
pub(super) struct Judgement {
    pub(super) entries: Vec<Entry>,
    pub(super) facts: Vec<EntryFacts>,
    pub(super) problem: Problem,
    pub(super) proof: Proof,
    pub(super) known: Vec<Known>,
    pub(super) notes: Vec<Finding>,
    pub(super) calls: Calls,
    pub(super) exhaustive: f64,
    pub(super) is_interrupted: bool,
    /// The objective is in seconds.
    pub(super) is_measured: bool,
}

/// Candidates, their costs, the best set, and its proof.
async fn judge(
    run: &Run,
    material: &Material,
    twin: &mut Twin,
    report: Report<'_>,
    cancel: &CancellationToken,
) -> Result<Option<Judgement>, Error> {
    let ground = Ground::prepare(run, material, twin, None, report).await?;
    if cancel.is_cancelled() {
        return Ok(None);
    }
    let mut bench = Bench::open(run, material, &ground, twin, report, cancel).await?;
    let explored = bench.explore().await?;
    let times = bench.times(&explored).await?;
    let mut problem = ground.problem(run, material, &explored, times.as_deref());
    let proof = bench.prove(&explored, &mut problem).await?;
    Ok(Some(Judgement {
        calls: bench.calls(),
        exhaustive: explored.exhaustive,
        is_interrupted: explored.is_interrupted || proof.is_interrupted,
        known: explored.queries,
        notes: ground.notes,
        entries: ground.entries,
        facts: ground.facts,
        problem,
        proof,
        is_measured: times.is_some(),
    }))
}

/// The names of those of the `given` indexes that are chosen under each of several budgets, in
/// bytes. All that comes before the choice is done once.
pub async fn sweep(
    target: &mut Connection,
    run: &Run,
    workload: Workload,
    given: Vec<Candidate>,
    budgets: &[u64],
    report: Report<'_>,
) -> Result<Vec<BTreeSet<String>>, Error> {
    let cancel = CancellationToken::new();
    let material = material::read(target, workload).await?;
    let mut twin = twin::build(
        target,
        &run.twin,
        &material.catalog,
        &material.workload,
        &material.shapes,
        &twin_options(run),
        &mut |progress| {
            report(Step {
                what: progress.step,
                share: progress.share,
            });
        },
        &cancel,
    )
    .await?;
    let ground = Ground::prepare(run, &material, &mut twin, Some(given), report).await?;
    let mut bench = Bench::open(run, &material, &ground, &twin, report, &cancel).await?;
    let explored = bench.explore().await?;
    let times = bench.times(&explored).await?;
    let mut chosen = Vec::new();
    for budget in budgets {
        let mut problem = ground.problem(run, &material, &explored, times.as_deref());
        problem.budget_bytes = Some(*budget);
        let proof = bench.prove(&explored, &mut problem).await?;
        let names = proof.selection.chosen.iter().filter_map(|place| {
            let entry = ground.entries.get(*place)?;
            matches!(entry, Entry::Candidate(_)).then(|| entry.index().name.clone())
        });
        chosen.push(names.collect());
    }
    drop(bench);
    twin.finish().await?;
    Ok(chosen)
}
