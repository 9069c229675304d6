//! Running plans: each one once, today's and the new one side by side, within bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::costs::Selection;
use super::graph::Set;
use super::planner::{Plan, Planner};
use super::prove::{Case, Rejected};
use super::verdict::{self, Pairs, Verdict};
use super::whatif;
use crate::model::advice::Measured;
use crate::server::Error;

/// A plan that takes so many times as long as today's need not be waited for.
const HOPELESS: u32 = 3;
/// What is waited beyond that, since short times vary.
const GRACE: Duration = Duration::from_millis(100);

/// The result of running one plan.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trial {
    pub(super) uses: Set,
    /// Estimated cost, as a factor of today's.
    pub(super) estimated: f64,
    /// Its plan fetches rows through an index.
    pub(super) fetches: bool,
    pub(super) measured: (Measured, Measured),
    pub(super) verdict: Verdict,
}

/// A query and the signatures of its samples' plans.
pub(super) type Key = (usize, Vec<String>);

pub(super) struct Trials<'a, P> {
    pub(super) planner: &'a mut P,
    pub(super) case: Case<'a>,
    pub(super) today: Set,
    pub(super) base: Vec<Vec<Plan>>,
    pub(super) asked: BTreeMap<(usize, Set), Vec<Plan>>,
    pub(super) before: BTreeMap<(usize, usize), Option<Measured>>,
    pub(super) done: BTreeMap<Key, Option<Trial>>,
    pub(super) rejected: Vec<Rejected>,
    pub(super) notes: BTreeSet<String>,
    pub(super) begun: Instant,
    pub(super) is_out_of_time: bool,
    /// What is run now is for the answer: the time that was kept for it may be used.
    pub(super) is_mending: bool,
}

pub(super) fn signatures(plans: &[Plan]) -> Vec<String> {
    plans.iter().map(|plan| plan.signature.clone()).collect()
}

/// The average estimate of a query's plans.
pub(super) fn estimate(plans: &[Plan]) -> f64 {
    plans.iter().map(|plan| plan.cost).sum::<f64>() / plans.len().max(1) as f64
}

impl<'a, P: Planner + Send> Trials<'a, P> {
    pub(super) fn of(planner: &'a mut P, case: Case<'a>, today: Set, base: Vec<Vec<Plan>>) -> Self {
        Self {
            planner,
            case,
            today,
            base,
            asked: BTreeMap::new(),
            before: BTreeMap::new(),
            done: BTreeMap::new(),
            rejected: Vec::new(),
            notes: BTreeSet::new(),
            begun: Instant::now(),
            is_out_of_time: false,
            is_mending: false,
        }
    }

    pub(super) fn set_of(&self, selection: &Selection) -> Set {
        let chosen = selection.chosen.iter().copied();
        chosen.chain(self.case.scene.kept.iter().copied()).collect()
    }

    /// The plans of all queries under a set; those that were asked for with the same indexes on
    /// the query's tables are remembered.
    pub(super) async fn plans(&mut self, selection: &Selection) -> Result<Vec<Vec<Plan>>, Error> {
        let set = self.set_of(selection);
        let keys: Vec<(usize, Set)> = self
            .case
            .known
            .iter()
            .enumerate()
            .map(|(query, known)| (query, whatif::here(self.case.scene, known, &set)))
            .collect();
        if keys.iter().any(|key| !self.asked.contains_key(key)) {
            self.planner.show(&set).await?;
        }
        for key in keys
            .iter()
            .filter(|key| !self.asked.contains_key(key))
            .cloned()
            .collect::<Vec<_>>()
        {
            let (question, known) = (&self.case.questions[key.0], &self.case.known[key.0]);
            let plans = whatif::plans_of(self.planner, question, known).await?;
            self.asked.insert(key, plans);
        }
        Ok(keys
            .iter()
            .map(|key| self.asked.get(key).cloned().unwrap_or_default())
            .collect())
    }

    pub(super) fn is_same(&self, query: usize, plans: &[Plan]) -> bool {
        signatures(&self.base[query]) == signatures(plans)
    }

    /// What the plans of a query under a set need of it.
    pub(super) fn uses(&self, query: usize, plans: &[Plan], set: &Set) -> Set {
        let (scene, known) = (self.case.scene, &self.case.known[query]);
        whatif::uses(scene, known, &whatif::here(scene, known, set), plans)
    }

    /// Runs the new plans: all of today first, then all of the set, then pairs for suspicions.
    pub(super) async fn run(
        &mut self,
        selection: &Selection,
        plans: &[Vec<Plan>],
        new: &[usize],
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let set = self.set_of(selection);
        if new.iter().any(|query| self.lacks_before(*query)) {
            let today = self.today.clone();
            self.planner.show(&today).await?;
            for query in new {
                if stop.is_cancelled() {
                    return Ok(());
                }
                self.measure_before(*query).await?;
            }
        }
        self.planner.show(&set).await?;
        let mut suspects = Vec::new();
        for query in new {
            if stop.is_cancelled() {
                return Ok(());
            }
            let plans = &plans[*query];
            let pair = match self.before(*query) {
                Some(before) => self.measure_after(*query, plans, before).await?,
                None => None,
            };
            let Some(pair) = pair else {
                self.done.insert((*query, signatures(plans)), None);
                continue;
            };
            let pairs = Pairs(vec![pair]);
            if pairs.judge(self.case.tolerance[*query]) == Verdict::Suspect {
                suspects.push((*query, pairs));
            } else {
                self.settle(*query, plans, &set, &pairs);
            }
        }
        while !suspects.is_empty() && !stop.is_cancelled() {
            suspects = self.suspect(suspects, plans, &set, stop).await?;
        }
        Ok(())
    }

    /// One more pair of each suspect, today's plans first; gives those that are not settled yet.
    async fn suspect(
        &mut self,
        suspects: Vec<(usize, Pairs)>,
        plans: &[Vec<Plan>],
        set: &Set,
        stop: &CancellationToken,
    ) -> Result<Vec<(usize, Pairs)>, Error> {
        let today = self.today.clone();
        self.planner.show(&today).await?;
        for (query, _) in &suspects {
            if stop.is_cancelled() {
                return Ok(Vec::new());
            }
            self.before.retain(|(of, _), _| of != query);
            self.measure_before(*query).await?;
        }
        self.planner.show(set).await?;
        let mut left = Vec::new();
        for (query, mut pairs) in suspects {
            if stop.is_cancelled() {
                return Ok(Vec::new());
            }
            let pair = match self.before(query) {
                Some(before) => self.measure_after(query, &plans[query], before).await?,
                None => None,
            };
            let is_over = pair.is_none();
            pairs.0.extend(pair);
            if !is_over && pairs.judge(self.case.tolerance[query]) == Verdict::Suspect {
                left.push((query, pairs));
            } else {
                self.settle(query, &plans[query], set, &pairs);
            }
        }
        Ok(left)
    }

    fn settle(&mut self, query: usize, plans: &[Plan], set: &Set, pairs: &Pairs) {
        let Some(measured) = pairs.best() else { return };
        let verdict = pairs.judge(self.case.tolerance[query]);
        let uses = self.uses(query, plans, set);
        let estimated = estimate(plans) / estimate(&self.base[query]);
        let factor = verdict::factor(&measured.0, &measured.1);
        tracing::debug!(query, ?uses, estimated, factor, ?verdict, "run");
        if verdict == Verdict::Slower {
            self.rejected.push(Rejected {
                query,
                uses: uses.clone(),
                estimated: (estimate(&self.base[query]), estimate(plans)),
                measured,
            });
        }
        self.done.insert(
            (query, signatures(plans)),
            Some(Trial {
                estimated,
                fetches: plans.iter().any(|plan| plan.fetches),
                uses,
                measured,
                verdict,
            }),
        );
    }

    /// Today's time of a query, over all of its samples.
    fn before(&self, query: usize) -> Option<Measured> {
        let samples = self.case.known[query].samples.iter();
        let all: Option<Vec<Measured>> = samples
            .map(|sample| self.before.get(&(query, *sample)).copied().flatten())
            .collect();
        verdict::average(&all?)
    }

    /// Whether today's time of a sample was not even tried.
    fn lacks_before(&self, query: usize) -> bool {
        let mut samples = self.case.known[query].samples.iter();
        samples.any(|sample| !self.before.contains_key(&(query, *sample)))
    }

    async fn measure_before(&mut self, query: usize) -> Result<(), Error> {
        for sample in &self.case.known[query].samples {
            if !self.before.contains_key(&(query, *sample)) {
                let limit = self.case.limits.execution;
                let measured = self.measure(query, *sample, limit).await?;
                self.before.insert((query, *sample), measured);
            }
        }
        Ok(())
    }

    async fn measure_after(
        &mut self,
        query: usize,
        plans: &[Plan],
        before: Measured,
    ) -> Result<Option<(Measured, Measured)>, Error> {
        let mut all = Vec::new();
        let mut before = before;
        for (at, sample) in self.case.known[query].samples.iter().enumerate() {
            let then = self.before.get(&(query, *sample)).copied().flatten();
            let (Some(then), Some(plan)) = (then, plans.get(at)) else {
                return Ok(None);
            };
            let base = self.base[query].get(at);
            if base.is_some_and(|base| base.signature == plan.signature) {
                all.push(then);
                continue;
            }
            let patience = then.time * HOPELESS + GRACE;
            let longest = self.case.limits.execution;
            let limit = if then.is_capped {
                longest
            } else {
                patience.min(longest)
            };
            match self.measure(query, *sample, limit).await? {
                Some(measured) => {
                    // One that did not end, and does today, is not made up for by the others.
                    before.is_capped &= !measured.is_capped || then.is_capped;
                    all.push(measured);
                }
                None => return Ok(None),
            }
        }
        Ok(verdict::average(&all).map(|after| (before, after)))
    }

    /// Time for the whole proof: what the plans of today take is only known here. A quarter of it is
    /// kept for making sure of the answer.
    fn patience(&self) -> Duration {
        let today: Duration = self.before.values().flatten().map(|one| one.time).sum();
        let most = self.case.limits.total * 6;
        let all = (self.case.limits.total + today * 8).min(most);
        if self.is_mending { all } else { all * 3 / 4 }
    }

    /// Whether so much of that time is gone that the rest is for what is still needed.
    pub(super) fn is_late(&self) -> bool {
        self.begun.elapsed() * 3 >= self.patience() * 2
    }

    /// Runs one sample with what is visible; `None` if it can't be run or time is up.
    async fn measure(
        &mut self,
        query: usize,
        sample: usize,
        limit: Duration,
    ) -> Result<Option<Measured>, Error> {
        if self.begun.elapsed() >= self.patience() {
            self.is_out_of_time = true;
            return Ok(None);
        }
        let question = &self.case.questions[query];
        let schema = question.schema.as_deref();
        let measured = self
            .planner
            .measure(schema, &question.samples[sample], limit)
            .await?;
        match measured {
            Ok(measured) => Ok(Some(measured)),
            Err(reason) => {
                self.notes
                    .insert(format!("a query could not be run: {reason}"));
                Ok(None)
            }
        }
    }
}
