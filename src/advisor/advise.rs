//! One run of the advisor, from a workload to advice.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::assemble::{Entry, EntryFacts, Judged, QueryFacts};
use super::candidate::Candidate;
use super::candidates::{self, size};
use super::costs::{IndexChoice, Problem, QueryCosts, Selection};
use super::effort::{self, TargetCost};
use super::existing::Fate;
use super::material::{self, Material};
use super::planner::{Calls, Choice, Planner as _};
use super::prove::{self, Proof};
use super::select;
use super::session::Session;
use super::twin::{self, Twin};
use super::weights;
use super::whatif::{self, Asked};
use super::workload::Workload;
use crate::config::settings::{Monitor, Server};
use crate::model::advice::{
    Advice, Effort, Limits, Optimality, Tier, TwinSummary, WorkloadSummary,
};
use crate::model::finding::{Finding, Severity};
use crate::model::schema::{Catalog, Table};
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
    let options = twin::TwinOptions {
        tier: run.options.tier,
        max_rows: run.options.sample_rows,
        ..twin::TwinOptions::default()
    };
    let Some(mut twin) = twin::build(
        target,
        &run.twin,
        &material.catalog,
        &material.workload,
        &material.shapes,
        &options,
        &mut |progress| report(building(&progress)),
        cancel,
    )
    .await?
    else {
        return Ok(None);
    };
    let judged = judge(run, &material, &mut twin, report, cancel).await;
    let finished = twin.finish().await;
    let Some(found) = judged? else {
        return Ok(None);
    };
    finished?;
    let cost = effort::target_cost(target).await?;
    Ok(Some(advice(run, &material, found, &cost, started.elapsed())))
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
struct Judgement {
    entries: Vec<Entry>,
    facts: Vec<EntryFacts>,
    problem: Problem,
    selection: Selection,
    queries: Vec<QueryFacts>,
    notes: Vec<Finding>,
    failed: Vec<(usize, String)>,
    calls: Calls,
    exhaustive: f64,
    rounds: u32,
    is_interrupted: bool,
    is_measured: bool,
    twin: TwinSummary,
}

/// Candidates, their costs, the best set, and its proof.
async fn judge(
    run: &Run,
    material: &Material,
    twin: &mut Twin,
    report: Report<'_>,
    cancel: &CancellationToken,
) -> Result<Option<Judgement>, Error> {
    report(Step::new("looking for candidates"));
    let statistics = twin.statistics(&columns(material)).await?;
    let weights: Vec<f64> = material
        .workload
        .queries
        .iter()
        .map(|query| query.time.map_or(query.calls, |time| time.as_secs_f64()))
        .collect();
    let generated = candidates::generate(
        &material.shapes,
        &material.catalog,
        &statistics,
        &candidates::Options {
            weights,
            ..candidates::Options::default()
        },
    );
    let mut notes = generated.notes;
    let candidates = create(twin, generated.candidates, &mut notes, report, cancel).await?;
    let entries = problem::entries(material, candidates, run.options.keeps_existing);
    let choices = problem::choices(material, &entries);
    let facts = problem::facts(material, &entries, &statistics);
    let mut session = Session::open(twin.server(), choices.clone(), twin.variables()).await?;
    let questions: Vec<Question> = material
        .workload
        .queries
        .iter()
        .zip(problem::relevant(material, &entries))
        .map(|(query, relevant)| Question {
            schema: query.schema.clone(),
            samples: twin.samples(query),
            relevant,
        })
        .collect();
    let existing = existing_places(&entries);
    let kept = kept_places(&entries, &choices);
    let scene = Scene {
        choices: &choices,
        existing: &existing,
        kept: &kept,
    };
    report(Step::new("asking the optimizer"));
    let explored = whatif::explore(
        &mut session,
        scene,
        &questions,
        whatif::Bounds::default(),
        &mut |progress| {
            let all = progress.asked + progress.waiting;
            report(Step {
                what: "asking the optimizer".to_owned(),
                share: Some(progress.asked as f64 / all.max(1) as f64),
            });
        },
        cancel,
    )
    .await?;
    todo!()
}
