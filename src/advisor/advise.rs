//! One run of the advisor, from a workload to advice.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::advice;
use super::assemble::{Entry, EntryFacts};
use super::candidate::Candidate;
use super::candidates::{self, Generated};
use super::costs::{Configuration, Problem, QueryCosts};
use super::material::{self, Material};
use super::planner::{Calls, Choice, Planner as _};
use super::problem;
use super::prove::{self, Case, Proof};
use super::select;
use super::session::Session;
use super::twin::{self, Twin, TwinOptions};
use super::weights;
use super::whatif::{self, Explored, Known, Question, Scene};
use super::workload::Workload;
use super::{effects, effort};
use crate::config::settings::{Monitor, Server};
use crate::model::advice::{Advice, Limits, Tier, TwinSummary};
use crate::model::finding::{Finding, Severity};
use crate::model::schema::TableName;
use crate::server::{self, Connection};

/// One execution on the twin is ended after this.
const EXECUTION: Duration = Duration::from_secs(10);

/// Choosing ends with the best set so far after this, while more is to be measured and at the end.
const SELECTION: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

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
    // What is left on a replica is told, interrupted or not.
    finished?;
    let Some(found) = found else {
        return Ok(None);
    };
    let cost = effort::target_cost(target).await?;
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

/// What there is to choose from.
struct Ground {
    entries: Vec<Entry>,
    choices: Vec<Choice>,
    facts: Vec<EntryFacts>,
    questions: Vec<Question>,
    notes: Vec<Finding>,
    existing: BTreeSet<usize>,
    kept: BTreeSet<usize>,
}

impl Ground {
    /// Finds the candidates and makes them on the twin; `given` stand in their place.
    async fn prepare(
        run: &Run,
        material: &Material,
        twin: &mut Twin,
        given: Option<Vec<Candidate>>,
        report: Report<'_>,
    ) -> Result<Self, Error> {
        report(Step::new("looking for candidates"));
        let statistics = twin.statistics(&columns(material)).await?;
        let mut generated = match given {
            Some(candidates) => Generated {
                candidates,
                ..Generated::default()
            },
            None => candidates::generate(
                &material.shapes,
                &material.catalog,
                &statistics,
                &candidates::Options {
                    weights: first_weights(&material.workload),
                    ..candidates::Options::default()
                },
            ),
        };
        let candidates = create(twin, &mut generated, report).await?;
        let mut entries = problem::entries(material, candidates, run.options.keeps_existing);
        // Readers of a replica would miss an index in use that is hidden for an answer.
        if !run.options.keeps_existing && run.options.tier != Tier::Replica {
            problem::find_stand_ins(material, &mut entries);
        }
        let choices = problem::choices(material, &entries);
        let (existing, kept) = problem::places(&entries, &choices);
        Ok(Self {
            facts: problem::facts(material, &entries, &statistics),
            questions: questions(material, &entries, twin),
            notes: generated.notes,
            entries,
            choices,
            existing,
            kept,
        })
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            choices: &self.choices,
            existing: &self.existing,
            kept: &self.kept,
        }
    }

    fn problem(
        &self,
        run: &Run,
        material: &Material,
        explored: &Explored,
        times: Option<&[f64]>,
    ) -> Problem {
        Problem {
            indexes: problem::indexes(
                &self.entries,
                &self.choices,
                &self.facts,
                window(material),
                times.is_some(),
            ),
            queries: weighted(material, explored, times),
            budget_bytes: run.options.limits.budget_bytes,
            max_indexes: run.options.limits.max_indexes,
            max_write_cost: run.options.limits.max_write_cost,
        }
    }
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
    let mut bench = Bench {
        run,
        material,
        ground: &ground,
        session: session(twin, &ground).await?,
        report,
        cancel,
    };
    let explored = bench.explore().await?;
    let times = bench.times(&explored).await?;
    let mut problem = ground.problem(run, material, &explored, times.as_deref());
    let proof = bench.prove(&explored, &mut problem).await?;
    Ok(Some(Judgement {
        calls: bench.session.calls(),
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
    let mut bench = Bench {
        run,
        material: &material,
        ground: &ground,
        session: session(&twin, &ground).await?,
        report,
        cancel: &cancel,
    };
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

/// Asks the twin about the choices of this ground.
async fn session(twin: &Twin, ground: &Ground) -> Result<Session, Error> {
    let mut session = Session::open(twin.server(), ground.choices.clone(), &[]).await?;
    let samples = ground.questions.iter();
    session.expect(samples.map(|question| question.samples.len()).sum());
    Ok(session)
}

/// Everything that asks the twin.
struct Bench<'a> {
    run: &'a Run,
    material: &'a Material,
    ground: &'a Ground,
    session: Session,
    report: Report<'a>,
    cancel: &'a CancellationToken,
}

impl Bench<'_> {
    async fn explore(&mut self) -> Result<Explored, Error> {
        const WHAT: &str = "asking the optimizer";
        (self.report)(Step::new(WHAT));
        let report = &mut *self.report;
        let explored = whatif::explore(
            &mut self.session,
            self.ground.scene(),
            &self.ground.questions,
            whatif::Bounds::default(),
            &mut |progress| {
                let all = (progress.asked + progress.waiting).max(1);
                report(Step::at(WHAT, progress.asked as f64 / all as f64));
            },
            self.cancel,
        )
        .await?;
        Ok(explored)
    }

    /// Total times of the queries in seconds: as the source measured them, else calls times the
    /// time on the twin; nothing where neither can be had.
    async fn times(&mut self, explored: &Explored) -> Result<Option<Vec<f64>>, Error> {
        let queries = &self.material.workload.queries;
        if self.material.workload.is_measured() {
            let times = queries.iter().filter_map(|query| query.time);
            return Ok(Some(times.map(|time| time.as_secs_f64()).collect()));
        }
        if !self.run.options.with_proof {
            return Ok(None);
        }
        let mut times = Vec::new();
        for (place, (query, known)) in queries.iter().zip(&explored.queries).enumerate() {
            (self.report)(Step::at(
                "running the workload as it is today",
                place as f64 / queries.len() as f64,
            ));
            let question = &self.ground.questions[place];
            let mut seconds = Vec::new();
            for sample in known
                .samples
                .iter()
                .filter_map(|at| question.samples.get(*at))
            {
                if self.cancel.is_cancelled() {
                    return Ok(None);
                }
                let measured = self
                    .session
                    .measure(question.schema.as_deref(), sample, EXECUTION)
                    .await?;
                seconds.extend(measured.ok().map(|measured| measured.time.as_secs_f64()));
            }
            let average = seconds.iter().sum::<f64>() / seconds.len().max(1) as f64;
            times.push(query.calls * average);
        }
        Ok(Some(times))
    }

    /// Chooses the set, and measures its plans where the user did not forbid it.
    async fn prove(&mut self, explored: &Explored, problem: &mut Problem) -> Result<Proof, Error> {
        let limits = &self.run.options.limits;
        let tolerance: Vec<f64> = self
            .material
            .workload
            .queries
            .iter()
            .map(|query| query.tolerance.unwrap_or(limits.tolerance))
            .collect();
        let case = Case {
            scene: self.ground.scene(),
            questions: &self.ground.questions,
            known: &explored.queries,
            tolerance: &tolerance,
            limits: prove::Limits {
                execution: EXECUTION,
                executes: self.run.options.with_proof,
                ..prove::Limits::default()
            },
        };
        let (report, cancel) = (&mut *self.report, self.cancel);
        report(Step::new("choosing the best set"));
        let min_gain = self.run.options.min_gain;
        let demands = problem::demands(&self.ground.entries);
        let proof = prove::prove(
            &mut self.session,
            case,
            problem,
            |problem, start, effort| {
                let begun = Instant::now();
                let patience = match effort {
                    prove::Effort::Quick => SELECTION.0,
                    prove::Effort::Thorough => SELECTION.1,
                };
                let demanding = demanding(problem, min_gain, &demands);
                let selection = select::select(&demanding, start, &mut || {
                    cancel.is_cancelled() || begun.elapsed() > patience
                });
                tracing::debug!(elapsed = ?begun.elapsed(), selection = ?selection, "chosen");
                selection
            },
            &mut |round, plans| {
                report(Step::new(&format!(
                    "running {plans} changed plans, round {}",
                    round + 1
                )));
            },
            cancel,
        )
        .await;
        proof.map_err(|failure| match failure {
            prove::Failure::Server(error) => Error::Server(error),
            prove::Failure::Choice(error) => Error::Limits(error),
        })
    }
}

/// The same problem in which a new index has to earn `min_gain` of what the workload costs when
/// nothing is chosen, so that no index is advised for next to nothing, and in which today's indexes
/// are a set that keeps to the limits. `demands` hold besides.
fn demanding(problem: &Problem, min_gain: f64, demands: &[QueryCosts]) -> Problem {
    let mut demanding = problem.clone();
    let existing: BTreeSet<usize> = (0..problem.indexes.len())
        .filter(|place| problem.indexes[*place].exists)
        .collect();
    let today: f64 = problem
        .queries
        .iter()
        .map(|query| query.weight * effects::cost(query, &existing))
        .filter(|cost| cost.is_finite())
        .sum();
    for index in demanding.indexes.iter_mut().filter(|index| !index.exists) {
        index.upkeep += today * min_gain;
    }
    for query in &mut demanding.queries {
        // An estimate can move by itself, when statistics are taken anew. What no index is to
        // blame for forbids no set, and what is there today keeps every limit.
        query.floors.retain(|floor| !floor.indexes.is_empty());
        let today = effects::cost(query, &existing);
        query.limit = query.limit.map(|limit| limit.max(today * (1.0 + 1e-9)));
    }
    demanding.queries.extend_from_slice(demands);
    demanding
}

/// The columns whose values matter: all that the statements compare, group or sort by.
fn columns(material: &Material) -> Vec<(TableName, String)> {
    let mut columns = BTreeSet::new();
    for (_, shape) in &material.shapes {
        for table in shape.blocks.iter().flat_map(|block| &block.tables) {
            for column in &table.columns {
                columns.insert((table.table.clone(), column.clone()));
            }
        }
    }
    columns.into_iter().collect()
}

fn first_weights(workload: &Workload) -> Vec<f64> {
    workload
        .queries
        .iter()
        .map(|query| query.time.map_or(query.calls, |time| time.as_secs_f64()))
        .collect()
}

/// Makes the candidates on the twin; those that it refuses are said and left out.
async fn create(
    twin: &mut Twin,
    generated: &mut Generated,
    report: Report<'_>,
) -> Result<Vec<Candidate>, Error> {
    let candidates = std::mem::take(&mut generated.candidates);
    report(Step::new(&format!(
        "making {} candidates on the twin",
        candidates.len()
    )));
    let outcomes = twin.create(&candidates).await;
    let mut made = Vec::new();
    for (candidate, outcome) in candidates.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) => made.push(candidate),
            Err(reason) => generated.notes.push(Finding {
                severity: Severity::Note,
                code: "candidate-refused",
                message: format!(
                    "the twin refused the index `{}` on `{}`: {reason}",
                    candidate.index.name, candidate.table
                ),
                remedy: String::new(),
            }),
        }
    }
    Ok(made)
}

fn questions(material: &Material, entries: &[Entry], twin: &Twin) -> Vec<Question> {
    material
        .workload
        .queries
        .iter()
        .zip(problem::relevant(material, entries))
        .map(|(query, relevant)| Question {
            schema: query.schema.clone(),
            samples: twin.samples(query),
            relevant,
        })
        .collect()
}

fn window(material: &Material) -> f64 {
    material
        .workload
        .window
        .map_or(1.0, |window| window.as_secs_f64().max(1e-3))
}

/// The costs with their weights; see [`weights`].
fn weighted(material: &Material, explored: &Explored, times: Option<&[f64]>) -> Vec<QueryCosts> {
    explored
        .queries
        .iter()
        .zip(&material.workload.queries)
        .enumerate()
        .map(|(place, (known, query))| {
            let time = times.and_then(|times| times.get(place)).copied();
            let mut costs = QueryCosts {
                weight: weights::of_query(query.calls, time, known.today.unwrap_or(0.0)),
                ..known.costs.clone()
            };
            if costs.configurations.is_empty() {
                // What can't be explained is told as skipped, and speaks for no set.
                costs.weight = 0.0;
                costs.configurations.push(Configuration::default());
            }
            costs
        })
        .collect()
}
