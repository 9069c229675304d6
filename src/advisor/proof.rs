//! The end of the proof: the plans of the chosen set, and what executions say for each change.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::costs::Selection;
use super::graph::Set;
use super::planner::{Plan, Planner};
use super::prove::{Proof, Proven};
use super::trials::{Trials, estimate, signatures};
use super::verdict;
use crate::server::Error;

impl<P: Planner + Send> Trials<'_, P> {
    pub(super) async fn finish(
        mut self,
        selection: Selection,
        rounds: u32,
        is_stable: bool,
        stop: &CancellationToken,
    ) -> Result<Proof, Error> {
        if self.is_out_of_time {
            self.notes.insert(format!(
                "time for the proof ran out after {}; plans that were not run are estimates",
                crate::model::units::duration(self.begun.elapsed())
            ));
        }
        let plans = self.plans(&selection).await?;
        let mut queries = self.results(&plans, &self.set_of(&selection));
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

    fn results(&self, plans: &[Vec<Plan>], set: &Set) -> Vec<Proven> {
        plans
            .iter()
            .enumerate()
            .map(|(query, plans)| {
                let is_same_plan = self.is_same(query, plans);
                let trial = match self.done.get(&(query, signatures(plans))) {
                    Some(Some(trial)) if !is_same_plan => Some(trial),
                    _ => None,
                };
                Proven {
                    measured: trial.map(|trial| trial.measured),
                    plans: None,
                    cost: (estimate(&self.base[query]), estimate(plans)),
                    uses: self.uses(query, plans, set),
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
            let all: Vec<&Proven> = users.map(|(_, query)| query).collect();
            let is_proven = !all.is_empty() && !all.iter().any(|query| query.is_unmeasured);
            proven.insert(*index, is_proven);
        }
        proven
    }
}
