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

use super::costs::{Problem, Selection};
use super::effects;
use super::graph::Set;
use super::planner::{Plan, Planner};
use super::trials::{Trial, Trials, signatures};
use super::verdict::Verdict;
use super::whatif::{self, Known, Question, Scene};
use crate::model::advice::Measured;
use crate::server::Error;

/// Corrections of derived costs in one round at most where plans are run, which tells more, and
/// where they are not.
const CORRECTIONS: (u32, u32) = (2, 8);
/// Choices by estimates alone that are tried before the last word.
const CHANCES: u32 = 4;

/// Bounds of the proof.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Of one execution.
    pub execution: Duration,
    /// Of the whole proof, besides eight times what today's plans take; one execution may go beyond
    /// it.
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
            total: Duration::from_secs(15),
            rounds: 40,
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
    /// What each new index has to earn besides its upkeep, in the unit of the objective. What
    /// chooses knows it as well.
    pub toll: f64,
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

impl Effort {
    /// Only where nothing is left to be measured is it worth while to prove the optimum.
    fn when(is_more_to_come: bool) -> Self {
        if is_more_to_come {
            Self::Quick
        } else {
            Self::Thorough
        }
    }
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
    let mut trials = Trials::of(planner, case, today, base);
    let start: Vec<usize> = trials.today.iter().copied().collect();
    let mut selection = solve(problem, Some(&start), trials.effort().0).map_err(Failure::Choice)?;
    let mut rounds = 0;
    let mut sound: Vec<Selection> = Vec::new();
    let mut chances = CHANCES;
    // Choices under which every plan had been run already.
    let mut seen: BTreeSet<Vec<usize>> = BTreeSet::new();
    let is_stable = loop {
        let plans = trials
            .agree(problem, &mut selection, &mut solve, stop)
            .await?;
        let new = trials.untried(problem, &plans);
        if stop.is_cancelled() {
            if !trials.done.is_empty() {
                selection = trials.fall_back(problem, sound, selection, stop).await?;
            }
            break false;
        }
        watch(rounds, new.len());
        if !case.limits.executes {
            break true;
        }
        trials.run(&selection, &plans, &new, stop).await?;
        let is_changed = trials.learn(problem, &selection, &plans) || !new.is_empty();
        if trials.is_sound(&plans) {
            sound.push(selection.clone());
        }
        let is_over = !is_changed && !trials.is_out_of_time && selection.is_proven;
        if is_over {
            if chances == 0 || trials.is_late() {
                break true;
            }
            chances -= 1;
            let has_tried = trials.try_hopeful(problem, &selection, &mut solve, stop);
            if !has_tried.await? {
                break true;
            }
        }
        let effort = Effort::when(is_changed || is_over || trials.is_out_of_time);
        rounds += 1;
        let next = solve(problem, Some(&selection.chosen), effort).map_err(Failure::Choice)?;
        if effort == Effort::Thorough && next.chosen == selection.chosen {
            selection = next;
            break true;
        }
        // The same again, with nothing run in between, goes on for ever.
        let is_cycle = new.is_empty() && !is_over && !seen.insert(selection.chosen.clone());
        selection = next;
        if is_cycle || rounds >= case.limits.rounds || trials.is_out_of_time {
            selection = trials.fall_back(problem, sound, selection, stop).await?;
            break false;
        }
    };
    let plans = trials.plans(&selection).await?;
    if !is_stable || (case.limits.executes && !trials.are_run(&plans)) {
        selection = trials.unproven(problem, selection, &mut solve);
    }
    trials
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

impl<P: Planner + Send> Trials<'_, P> {
    /// How hard to choose while more is to come, and how often to correct what was derived.
    fn effort(&self) -> (Effort, u32) {
        if self.case.limits.executes {
            (Effort::Quick, CORRECTIONS.0)
        } else {
            (Effort::Thorough, CORRECTIONS.1)
        }
    }

    /// What was learned of others may do a plan wrong: the best of those that were not run are run
    /// as well, before they are given up. False when there are none.
    async fn try_hopeful<E, S>(
        &mut self,
        problem: &mut Problem,
        selection: &Selection,
        solve: &mut S,
        stop: &CancellationToken,
    ) -> Result<bool, Failure<E>>
    where
        S: FnMut(&Problem, Option<&[usize]>, Effort) -> Result<Selection, E>,
    {
        let hopeful = self.hopeful(problem);
        let hoped =
            solve(&hopeful, Some(&selection.chosen), Effort::Quick).map_err(Failure::Choice)?;
        Ok(self.try_out(problem, &hoped, stop).await?)
    }

    /// The plans of a choice, which is made again as long as they are not those that were derived.
    async fn agree<E, S>(
        &mut self,
        problem: &mut Problem,
        selection: &mut Selection,
        solve: &mut S,
        stop: &CancellationToken,
    ) -> Result<Vec<Vec<Plan>>, Failure<E>>
    where
        S: FnMut(&Problem, Option<&[usize]>, Effort) -> Result<Selection, E>,
    {
        let (effort, corrections) = self.effort();
        let mut plans = self.plans(selection).await?;
        for _ in 0..corrections {
            if !self.correct(problem, selection, &plans) || stop.is_cancelled() {
                break;
            }
            *selection =
                solve(problem, Some(&selection.chosen), effort).map_err(Failure::Choice)?;
            plans = self.plans(selection).await?;
        }
        Ok(plans)
    }

    /// Whether every plan was run, and none is slower.
    fn is_sound(&self, plans: &[Vec<Plan>]) -> bool {
        let is_accepted = |trial: &Trial| matches!(trial.verdict, Verdict::Fine | Verdict::Unknown);
        self.all_were(plans, is_accepted)
    }

    /// Whether every plan was run.
    fn are_run(&self, plans: &[Vec<Plan>]) -> bool {
        self.all_were(plans, |_| true)
    }

    /// Whether every plan that is not today's was run, with a result that `is_right`.
    fn all_were(&self, plans: &[Vec<Plan>], is_right: impl Fn(&Trial) -> bool) -> bool {
        plans.iter().enumerate().all(|(query, plans)| {
            plans.is_empty()
                || self.is_same(query, plans)
                || matches!(
                    self.done.get(&(query, signatures(plans))),
                    Some(Some(trial)) if is_right(trial)
                )
        })
    }

    /// The objective of a set as it is chosen by.
    pub(super) fn value(&self, problem: &Problem, chosen: &[usize]) -> f64 {
        let set: Set = chosen.iter().copied().collect();
        let new = set.difference(&self.today).count();
        effects::value(problem, &set) + self.case.toll * new as f64
    }

    /// A choice that was not measured as a whole, or not to the end of the search. No set can be
    /// below its bound unless a plan that was not run is faster than both its estimate and what
    /// the others make of that.
    fn unproven<E, S>(&self, problem: &Problem, selection: Selection, solve: &mut S) -> Selection
    where
        S: FnMut(&Problem, Option<&[usize]>, Effort) -> Result<Selection, E>,
    {
        let objective = self.value(problem, &selection.chosen);
        let hopeful = self.hopeful(problem);
        let best = solve(&hopeful, Some(&selection.chosen), Effort::Quick);
        Selection {
            objective,
            bound: best.map_or(f64::NEG_INFINITY, |best| best.bound.min(objective)),
            is_proven: false,
            ..selection
        }
    }
}
