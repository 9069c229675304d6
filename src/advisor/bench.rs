//! Everything that asks the twin: costs, times, and the proof of the chosen set.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::advise::{Error, Report, Run, Step};
use super::costs::{Problem, QueryCosts};
use super::effects;
use super::ground::Ground;
use super::material::Material;
use super::planner::{Calls, Planner as _};
use super::problem;
use super::prove::{self, Case, Proof};
use super::select;
use super::session::Session;
use super::twin::Twin;
use super::weights;
use super::whatif::{self, Explored};
use super::workload::Query;
use crate::model::advice::Tier;
use crate::model::schema::Table;

/// One execution on the twin is ended after this.
const EXECUTION: Duration = Duration::from_secs(10);

/// Choosing ends with the best set so far after this, while more is to be measured and at the end.
const SELECTION: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// Everything that asks the twin.
pub(super) struct Bench<'a> {
    run: &'a Run,
    material: &'a Material,
    ground: &'a Ground,
    session: Session,
    report: Report<'a>,
    cancel: &'a CancellationToken,
}

impl<'a> Bench<'a> {
    pub(super) async fn open(
        run: &'a Run,
        material: &'a Material,
        ground: &'a Ground,
        twin: &Twin,
        report: Report<'a>,
        cancel: &'a CancellationToken,
    ) -> Result<Self, Error> {
        let mut session = Session::open(twin.server(), ground.choices.clone(), &[]).await?;
        let samples = ground.questions.iter();
        session.expect(samples.map(|question| question.samples.len()).sum());
        if run.options.tier == Tier::Replica {
            session.share().await?;
        } else {
            // All of its data is in memory.
            session.count_processor_time().await?;
        }
        let takes_nothing_back = |table: &&Table| !table.engine.eq_ignore_ascii_case("InnoDB");
        let tables = material.catalog.tables.values().filter(takes_nothing_back);
        session.spare(tables.map(|table| table.name.clone()).collect());
        Ok(Self {
            run,
            material,
            ground,
            session,
            report,
            cancel,
        })
    }

    /// What the twin was asked.
    pub(super) fn calls(&self) -> Calls {
        self.session.calls()
    }

    pub(super) async fn explore(&mut self) -> Result<Explored, Error> {
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
    pub(super) async fn times(&mut self, explored: &Explored) -> Result<Option<Vec<f64>>, Error> {
        let queries = &self.material.workload.queries;
        if self.material.workload.is_measured() {
            let times = queries.iter().filter_map(|query| query.time);
            return Ok(Some(times.map(|time| time.as_secs_f64()).collect()));
        }
        if !self.run.options.with_proof {
            return Ok(None);
        }
        let mut times: Vec<Option<f64>> = Vec::new();
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
            times.push((!seconds.is_empty()).then_some(query.calls * average));
        }
        Ok(Some(filled(&times, queries, explored)))
    }

    /// Chooses the set, and measures its plans where the user did not forbid it.
    pub(super) async fn prove(
        &mut self,
        explored: &Explored,
        problem: &mut Problem,
    ) -> Result<Proof, Error> {
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
            toll: today(problem) * self.run.options.min_gain,
            limits: prove::Limits {
                execution: EXECUTION,
                executes: self.run.options.with_proof,
                ..prove::Limits::default()
            },
        };
        let (report, cancel) = (&mut *self.report, self.cancel);
        report(Step::new("choosing the best set"));
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
                let demanding = demanding(problem, case.toll, &demands);
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

/// The times, and for queries that could not be run what their costs stand for among the others.
fn filled(times: &[Option<f64>], queries: &[Query], explored: &Explored) -> Vec<f64> {
    let costs: Vec<f64> = queries
        .iter()
        .zip(&explored.queries)
        .map(|(query, known)| query.calls * known.today.unwrap_or(0.0))
        .collect();
    let known = times
        .iter()
        .zip(&costs)
        .filter_map(|(time, cost)| Some(((*time)?, *cost)));
    let (seconds, units) = known.fold((0.0, 0.0), |(time, cost), one| (time + one.0, cost + one.1));
    let per_unit = if units > 0.0 {
        seconds / units
    } else {
        weights::SECONDS_PER_UNIT
    };
    times
        .iter()
        .zip(costs)
        .map(|(time, cost)| time.unwrap_or(cost * per_unit))
        .collect()
}

/// What the workload costs with what exists.
fn today(problem: &Problem) -> f64 {
    let existing = existing(problem);
    let queries = problem.queries.iter();
    queries
        .map(|query| query.weight * effects::cost(query, &existing))
        .filter(|cost| cost.is_finite())
        .sum()
}

fn existing(problem: &Problem) -> BTreeSet<usize> {
    let indexes = problem.indexes.iter().enumerate();
    indexes
        .filter(|(_, index)| index.exists)
        .map(|(place, _)| place)
        .collect()
}

/// The same problem in which a new index has to earn `toll`, so that no index is advised for next
/// to nothing, and in which today's indexes are a set that keeps to the limits. `demands` hold
/// besides.
fn demanding(problem: &Problem, toll: f64, demands: &[QueryCosts]) -> Problem {
    let mut demanding = problem.clone();
    let existing = existing(problem);
    for index in demanding.indexes.iter_mut().filter(|index| !index.exists) {
        index.upkeep += toll;
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
