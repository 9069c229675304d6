//! What a round of the proof learns, written into the table of costs.

use tokio_util::sync::CancellationToken;

use super::calibration::Calibration;
use super::costs::{Problem, Selection};
use super::effects;
use super::planner::{Plan, Planner};
use super::trials::{Trials, estimate, signatures};
use super::verdict::{self, Verdict};
use super::whatif;
use crate::server::Error;

/// Derived costs that are nearer to the exact ones than this share are left as they are.
const CLOSE: f64 = 0.02;
/// A plan that costs so many times as much as today's, by the estimate, is worth to be run: that is
/// how far estimates are off.
const LIKELY: f64 = 2.0;
/// A derived cost that is off by less than this share of the whole workload decides nothing.
const IMMATERIAL: f64 = 1e-4;

impl<P: Planner + Send> Trials<'_, P> {
    /// Corrects the estimates of plans that were not run; what was measured stays.
    pub(super) fn correct(
        &self,
        problem: &mut Problem,
        selection: &Selection,
        plans: &[Vec<Plan>],
    ) -> bool {
        let set = self.set_of(selection);
        let scene = self.case.scene;
        let immaterial = selection.objective.abs() * IMMATERIAL;
        let mut is_changed = false;
        for (query, (plans, costs)) in plans.iter().zip(&mut problem.queries).enumerate() {
            let is_run = matches!(self.done.get(&(query, signatures(plans))), Some(Some(_)));
            if is_run || self.is_same(query, plans) {
                continue;
            }
            let known = &self.case.known[query];
            let here = whatif::here(scene, known, &set);
            // What will be run tells more than its estimate, unless another plan was expected.
            if self.case.limits.executes && whatif::is_foreseen(costs, scene, known, &here, plans) {
                continue;
            }
            // So is what may well be no slower than today's plan.
            let likely = known.today.map_or(0.0, |today| today * LIKELY);
            if self.case.limits.executes && estimate(plans) <= likely {
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
    pub(super) fn untried(&self, problem: &Problem, plans: &[Vec<Plan>]) -> Vec<usize> {
        let mut new: Vec<usize> = plans
            .iter()
            .enumerate()
            .filter(|(query, plans)| {
                !plans.is_empty()
                    && !self.is_same(*query, plans)
                    && !self.done.contains_key(&(*query, signatures(plans)))
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

    /// Writes what was measured into the table of costs, and what follows for other plans. Whether
    /// a plan under this set costs something else than was thought.
    pub(super) fn learn(
        &self,
        problem: &mut Problem,
        selection: &Selection,
        plans: &[Vec<Plan>],
    ) -> bool {
        let is_changed = self.write_back(problem, selection, plans);
        self.calibrate(problem);
        is_changed
    }

    /// The same with the optimizer's estimates for all plans that were not run.
    pub(super) fn hopeful(&self, problem: &Problem) -> Problem {
        let mut hopeful = problem.clone();
        for (query, costs) in hopeful.queries.iter_mut().enumerate() {
            for one in &mut costs.configurations {
                if !self.was_run(query, &one.indexes) && self.is_new(&one.indexes) {
                    one.cost = one.cost.min(one.rank());
                }
            }
        }
        hopeful
    }

    /// The same where plans that were not run are no better than today's, unless none was run.
    pub(super) fn sober(&self, problem: &Problem) -> Problem {
        let mut sober = problem.clone();
        if !self.done.values().any(Option::is_some) {
            return sober;
        }
        for (query, costs) in sober.queries.iter_mut().enumerate() {
            let today = self.case.known[query].today.unwrap_or(0.0);
            for one in &mut costs.configurations {
                if !self.was_run(query, &one.indexes) && self.is_new(&one.indexes) {
                    one.rank = Some(one.rank());
                    one.cost = one.cost.max(today);
                }
            }
        }
        sober
    }

    /// Runs what is new of a choice, and learns from it; false when nothing is.
    pub(super) async fn try_out(
        &mut self,
        problem: &mut Problem,
        choice: &Selection,
        stop: &CancellationToken,
    ) -> Result<bool, Error> {
        let plans = self.plans(choice).await?;
        let new = self.untried(problem, &plans);
        tracing::debug!(?choice, ?new, "hoped");
        if new.is_empty() {
            return Ok(false);
        }
        self.run(choice, &plans, &new, stop).await?;
        self.learn(problem, choice, &plans);
        Ok(true)
    }

    fn is_new(&self, indexes: &[usize]) -> bool {
        let existing = self.case.scene.existing;
        indexes.iter().any(|index| !existing.contains(index))
    }

    /// Whether a plan with just these indexes was run.
    fn was_run(&self, query: usize, indexes: &[usize]) -> bool {
        let trials = self
            .done
            .range((query, Vec::new())..(query + 1, Vec::new()));
        trials
            .into_iter()
            .filter_map(|(_, trial)| trial.as_ref())
            .any(|trial| trial.uses.iter().eq(indexes))
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
            let Some(Some(trial)) = self.done.get(&(query, signatures(plans))) else {
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
        for trial in self.done.values().flatten() {
            if trial.verdict != Verdict::Unknown {
                let (before, after) = &trial.measured;
                let factor = verdict::factor(before, after);
                calibration.learn(trial.fetches, trial.estimated, factor);
            }
        }
        for (query, costs) in problem.queries.iter_mut().enumerate() {
            let known = &self.case.known[query];
            let (Some(today), Some(limit)) = (known.today, costs.limit) else {
                continue;
            };
            for one in &mut costs.configurations {
                if !self.is_new(&one.indexes) || self.was_run(query, &one.indexes) {
                    continue;
                }
                let rank = one.rank();
                let fetches = known.fetching.contains(&one.indexes);
                one.cost = (today * calibration.expect(fetches, rank / today)).min(limit);
                one.rank = Some(rank);
            }
        }
    }
}
