//! The proof: the plans of the chosen set are run and compared with those of today; what was
//! measured is written into the table of costs, and the set is chosen again until it stays.
//!
//! A round chooses a set, asks for the exact plan of every query under it, corrects what had been
//! derived otherwise, and chooses again until nothing is corrected. Then every plan that differs
//! from today's and was never run is run. A plan that is slower than the query's tolerance allows
//! becomes a floor above the query's limit, so that no later round can choose it. Every round that
//! goes on has measured a plan or corrected a cost; rounds and time are bounded all the same.
//!
//! How two measurements are compared, and how a time becomes a cost, is in [`super::verdict`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::calibration::Calibration;
use super::costs::{Problem, Selection};
use super::effects;
use super::graph::Set;
use super::planner::{Plan, Planner};
use super::trials::{Bench, estimate, signatures};
use super::verdict::{self, Verdict};
use super::whatif::{self, Known, Question, Scene};
use crate::model::advice::Measured;
use crate::server::Error;

/// Derived costs that are nearer to the exact ones than this share are left as they are.
const CLOSE: f64 = 0.02;
/// Corrections of derived costs in one round at most where plans are run, which tells more, and
/// where they are not.
const CORRECTIONS: (u32, u32) = (2, 8);
/// A derived cost that is off by less than this share of the whole workload decides nothing.
const IMMATERIAL: f64 = 1e-4;

/// Bounds of the proof.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Of one execution.
    pub execution: Duration,
    /// Of all executions together.
    pub total: Duration,
    /// Rounds of measuring and choosing again.
    pub rounds: u32,
    /// Plans are executed; otherwise the estimates of the chosen set are corrected and trusted.
    pub executes: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            execution: Duration::from_secs(10),
            total: Duration::from_mins(1),
            rounds: 12,
            executes: true,
        }
    }
}

/// What is to be proven.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The indexes.
    pub scene: Scene<'a>,
    /// The queries, in the order of the problem's.
    pub questions: &'a [Question],
    /// What is known of them.
    pub known: &'a [Known],
    /// How much slower each may get, as a share: 0.1 is ten percent.
    pub tolerance: &'a [f64],
    /// Bounds.
    pub limits: Limits,
}

/// Why there is no proof.
#[derive(Debug)]
pub enum Failure<E> {
    /// The twin failed.
    Server(Error),
    /// No set could be chosen.
    Choice(E),
}

impl<E> From<Error> for Failure<E> {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// The set.
    pub selection: Selection,
    /// In the order of the questions.
    pub queries: Vec<Proven>,
    /// Indexes that are added or left out, and whether executions support that.
    pub proven: BTreeMap<usize, bool>,
    /// Plans that the optimizer would have taken and that were slower.
    pub rejected: Vec<Rejected>,
    /// Rounds of measuring.
    pub rounds: u32,
    /// The last choice was measured as a whole and nothing changed any more.
    pub is_stable: bool,
    /// It was cancelled.
    pub is_interrupted: bool,
    /// What could not be done, each one sentence.
    pub notes: Vec<String>,
}

/// One query under the chosen set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Proven {
    /// Before and after, where the plan changes and was run.
    pub measured: Option<(Measured, Measured)>,
    /// `EXPLAIN FORMAT=TREE` of its first sample before and after.
    pub plans: Option<(String, String)>,
    /// Estimated cost before and after.
    pub cost: (f64, f64),
    /// What its plan uses of the indexes that can be hidden.
    pub uses: Set,
    /// The plan stays as it is.
    pub is_same_plan: bool,
    /// The plan changes and could not be run.
    pub is_unmeasured: bool,
}

/// A plan that was refused because it is slower than it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// Which query.
    pub query: usize,
    /// What the plan uses.
    pub uses: Set,
    /// Estimated cost today and with it.
    pub estimated: (f64, f64),
    /// Measured today and with it.
    pub measured: (Measured, Measured),
}

/// How much time a choice is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// More will be measured, whatever is chosen.
    Quick,
    /// It is to be the answer.
    Thorough,
}

/// Chooses, measures, and chooses again until the set stays. `problem` keeps what was measured.
/// `solve` is given the problem, a set to start from, and how hard to try. Afterwards the indexes of today are
/// visible.
pub async fn prove<P, E, S>(
    planner: &mut P,
    case: Case<'_>,
    problem: &mut Problem,
    mut solve: S,
    watch: &mut (dyn FnMut(u32, usize) + Send),
    stop: &CancellationToken,
) -> Result<Proof, Failure<E>>
where
    P: Planner + Send,
    S: FnMut(&Problem, Option<&[usize]>, Effort) -> Result<Selection, E>,
{
    set_limits(problem, case);
    let today: Set = case
        .scene
        .existing
        .union(case.scene.kept)
        .copied()
        .collect();
    let base = whatif::plans(planner, case.questions, case.known, &today).await?;
    let mut bench = Bench::of(planner, case, today, base);
    let (corrections, meanwhile) = if case.limits.executes {
        (CORRECTIONS.0, Effort::Quick)
    } else {
        (CORRECTIONS.1, Effort::Thorough)
    };
    let mut selection = solve(problem, None, meanwhile).map_err(Failure::Choice)?;
    let mut rounds = 0;
    let mut sound: Vec<Selection> = Vec::new();
    let is_stable = loop {
        let mut plans = bench.plans(&selection).await?;
        for _ in 0..corrections {
            if !bench.correct(problem, &selection, &plans) || stop.is_cancelled() {
                break;
            }
            selection =
                solve(problem, Some(&selection.chosen), meanwhile).map_err(Failure::Choice)?;
            plans = bench.plans(&selection).await?;
        }
        let new = bench.untried(problem, &plans);
        watch(rounds, new.len());
        if stop.is_cancelled() {
            break false;
        }
        if !case.limits.executes {
            break true;
        }
        bench.run(&selection, &plans, &new, stop).await?;
        let is_changed = bench.write_back(problem, &selection, &plans);
        if !new.is_empty() {
            bench.calibrate(problem);
        }
        if bench.is_sound(&plans) {
            sound.push(selection.clone());
        }
        let effort = if is_changed || !new.is_empty() {
            Effort::Quick
        } else if bench.is_out_of_time {
            break false;
        } else if selection.is_proven {
            break true;
        } else {
            // Nothing is left to be measured; only now is it worth while to prove the optimum.
            Effort::Thorough
        };
        rounds += 1;
        let next = solve(problem, Some(&selection.chosen), effort).map_err(Failure::Choice)?;
        if effort == Effort::Thorough && next.chosen == selection.chosen {
            selection = next;
            break true;
        }
        if rounds >= case.limits.rounds {
            selection = bench.fall_back(problem, sound, &next);
            break false;
        }
        selection = next;
    };
    bench
        .finish(selection, rounds, is_stable, stop)
        .await
        .map_err(Failure::Server)
}

/// No query may cost more than its tolerance allows.
fn set_limits(problem: &mut Problem, case: Case<'_>) {
    let known = case.known.iter().zip(case.tolerance);
    for (query, (known, tolerance)) in problem.queries.iter_mut().zip(known) {
        query.limit = known.today.map(|today| today * (1.0 + tolerance));
    }
}

impl<P: Planner + Send> Bench<'_, P> {
    /// Corrects the estimates of plans that were not run; what was measured stays.
    fn correct(&self, problem: &mut Problem, selection: &Selection, plans: &[Vec<Plan>]) -> bool {
        let set = self.set_of(selection);
        let scene = self.case.scene;
        let immaterial = selection.objective.abs() * IMMATERIAL;
        let mut is_changed = false;
        for (query, (plans, costs)) in plans.iter().zip(&mut problem.queries).enumerate() {
            let is_run = matches!(self.trials.get(&(query, signatures(plans))), Some(Some(_)));
            if is_run || self.is_same(query, plans) {
                continue;
            }
            let known = &self.case.known[query];
            let here = whatif::here(scene, known, &set);
            // What will be run tells more than its estimate, unless another plan was expected.
            if self.case.limits.executes && whatif::is_foreseen(costs, scene, &here, plans) {
                continue;
            }
            let off = (estimate(plans) - effects::cost(costs, &here)).abs() * costs.weight;
            if off > immaterial {
                let corrected = whatif::correct(costs, scene, known, &here, plans, CLOSE);
                is_changed |= corrected.is_some();
            }
        }
        is_changed
    }

    /// Queries whose plan changes and was never run, the heaviest first.
    fn untried(&self, problem: &Problem, plans: &[Vec<Plan>]) -> Vec<usize> {
        let mut new: Vec<usize> = plans
            .iter()
            .enumerate()
            .filter(|(query, plans)| {
                !plans.is_empty()
                    && !self.is_same(*query, plans)
                    && !self.trials.contains_key(&(*query, signatures(plans)))
            })
            .map(|(query, _)| query)
            .collect();
        let weight = |query: &usize| {
            let today = self.case.known[*query].today.unwrap_or(0.0);
            problem
                .queries
                .get(*query)
                .map_or(0.0, |costs| costs.weight * today)
        };
        new.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
        new
    }

    /// Writes what is known of the plans under this set into the table of costs.
    fn write_back(
        &self,
        problem: &mut Problem,
        selection: &Selection,
        plans: &[Vec<Plan>],
    ) -> bool {
        let set = self.set_of(selection);
        let mut is_changed = false;
        for (query, (plans, costs)) in plans.iter().zip(&mut problem.queries).enumerate() {
            let Some(Some(trial)) = self.trials.get(&(query, signatures(plans))) else {
                continue;
            };
            let known = &self.case.known[query];
            let (Some(today), Some(limit)) = (known.today, costs.limit) else {
                continue;
            };
            let (before, after) = &trial.measured;
            let cost = verdict::cost(today, limit, trial.verdict, before, after);
            let here = whatif::here(self.case.scene, known, &set);
            let was = effects::cost(costs, &here);
            if (cost - was).abs() <= 0.001 * cost.max(was) {
                continue;
            }
            is_changed = true;
            let figures = (estimate(plans), cost);
            whatif::take(costs, self.case.scene, known, &here, &trial.uses, figures);
        }
        is_changed
    }

    /// Judges the plans that were not run by those that were: what they are expected to cost
    /// changes, and not when the optimizer takes them. None becomes a reason to do without an
    /// index, since it was not run.
    fn calibrate(&self, problem: &mut Problem) {
        let mut calibration = Calibration::default();
        let mut run = BTreeSet::new();
        for ((query, _), trial) in &self.trials {
            let Some(trial) = trial else { continue };
            run.insert((*query, trial.uses.iter().copied().collect::<Vec<_>>()));
            if trial.verdict != Verdict::Unknown {
                let (before, after) = &trial.measured;
                let factor = verdict::factor(before, after);
                calibration.learn(trial.fetches, trial.estimated, factor);
            }
        }
        let existing = self.case.scene.existing;
        for (query, costs) in problem.queries.iter_mut().enumerate() {
            let known = &self.case.known[query];
            let (Some(today), Some(limit)) = (known.today, costs.limit) else {
                continue;
            };
            for one in &mut costs.configurations {
                let is_new = one.indexes.iter().any(|index| !existing.contains(index));
                if !is_new || run.contains(&(query, one.indexes.clone())) {
                    continue;
                }
                let rank = one.rank();
                let fetches = known.fetching.contains(&one.indexes);
                one.cost = (today * calibration.expect(fetches, rank / today)).min(limit);
                one.rank = Some(rank);
            }
        }
    }

    /// Whether every plan was run, and none is slower.
    fn is_sound(&self, plans: &[Vec<Plan>]) -> bool {
        plans.iter().enumerate().all(|(query, plans)| {
            plans.is_empty()
                || self.is_same(query, plans)
                || matches!(
                    self.trials.get(&(query, signatures(plans))),
                    Some(Some(trial)) if trial.verdict != Verdict::Slower
                )
        })
    }

    /// The best set that was measured as a whole, when rounds ran out; today's if there is none.
    fn fall_back(
        &mut self,
        problem: &Problem,
        sound: Vec<Selection>,
        last: &Selection,
    ) -> Selection {
        let value =
            |one: &Selection| effects::value(problem, &one.chosen.iter().copied().collect());
        self.notes.insert(
            "the choice still changed after the last round; the best set that was measured as a \
             whole is given"
                .to_owned(),
        );
        let best = sound
            .into_iter()
            .min_by(|one, other| value(one).total_cmp(&value(other)))
            .unwrap_or_else(|| Selection {
                chosen: self.today.iter().copied().collect(),
                ..Selection::default()
            });
        let objective = value(&best);
        Selection {
            objective,
            bound: last.bound.min(objective),
            is_proven: false,
            ..best
        }
    }

    async fn finish(
        mut self,
        selection: Selection,
        rounds: u32,
        is_stable: bool,
        stop: &CancellationToken,
    ) -> Result<Proof, Error> {
        if self.is_out_of_time {
            self.notes.insert(format!(
                "time for executions ran out after {}; plans that were not run are estimates",
                crate::model::units::duration(self.spent)
            ));
        }
        let plans = self.plans(&selection).await?;
        let mut queries = self.results(&plans);
        self.trees(&plans, &selection, &mut queries, stop).await?;
        let proven = self.supported(&selection, &queries);
        let today = self.today.clone();
        self.planner.show(&today).await?;
        Ok(Proof {
            selection,
            queries,
            proven,
            rejected: self.rejected,
            rounds,
            is_stable,
            is_interrupted: stop.is_cancelled(),
            notes: self.notes.into_iter().collect(),
        })
    }

    fn results(&self, plans: &[Vec<Plan>]) -> Vec<Proven> {
        plans
            .iter()
            .enumerate()
            .map(|(query, plans)| {
                let is_same_plan = self.is_same(query, plans);
                let trial = match self.trials.get(&(query, signatures(plans))) {
                    Some(Some(trial)) if !is_same_plan => Some(trial),
                    _ => None,
                };
                Proven {
                    measured: trial.map(|trial| trial.measured),
                    plans: None,
                    cost: (estimate(&self.base[query]), estimate(plans)),
                    uses: whatif::uses(self.case.scene, plans),
                    is_same_plan,
                    is_unmeasured: !is_same_plan && trial.is_none(),
                }
            })
            .collect()
    }

    /// The plans as trees, first all of the chosen set, then all of today.
    async fn trees(
        &mut self,
        plans: &[Vec<Plan>],
        selection: &Selection,
        queries: &mut [Proven],
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let sets = [self.set_of(selection), self.today.clone()];
        let mut texts: Vec<Vec<Option<String>>> = Vec::new();
        for set in &sets {
            self.planner.show(set).await?;
            let mut of_set = Vec::new();
            for (query, question) in self.case.questions.iter().enumerate() {
                let sample = self.case.known[query].samples.first();
                let text = match sample.and_then(|place| question.samples.get(*place)) {
                    Some(sample) if !stop.is_cancelled() && !plans[query].is_empty() => self
                        .planner
                        .tree(question.schema.as_deref(), sample)
                        .await?
                        .ok(),
                    _ => None,
                };
                of_set.push(text);
            }
            texts.push(of_set);
        }
        for (place, query) in queries.iter_mut().enumerate() {
            let text = |which: usize| {
                texts
                    .get(which)
                    .and_then(|all| all.get(place).cloned().flatten())
            };
            query.plans = text(1).zip(text(0));
        }
        Ok(())
    }

    /// Which changes executions support: a new index that a faster plan uses, and the absence of
    /// an existing one whose queries were run without it and are not slower.
    fn supported(&self, selection: &Selection, queries: &[Proven]) -> BTreeMap<usize, bool> {
        let set = self.set_of(selection);
        let mut proven = BTreeMap::new();
        for index in set.difference(&self.today) {
            let users = queries.iter().filter(|query| query.uses.contains(index));
            let helps = |query: &Proven| {
                query
                    .measured
                    .is_some_and(|(before, after)| verdict::factor(&before, &after) < 1.0)
            };
            let mut users = users.peekable();
            let is_used = users.peek().is_some();
            let all: Vec<&Proven> = users.collect();
            let is_proven = is_used
                && all.iter().any(|query| helps(query))
                && !all.iter().any(|query| query.is_unmeasured);
            proven.insert(*index, is_proven);
        }
        for index in self.today.difference(&set) {
            let users = queries.iter().enumerate().filter(|(query, _)| {
                self.base[*query]
                    .iter()
                    .any(|plan| plan.used.contains(index))
            });
            let is_proven = users.into_iter().all(|(_, query)| !query.is_unmeasured);
            proven.insert(*index, is_proven);
        }
        proven
    }
}
