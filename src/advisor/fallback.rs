//! The answer when rounds or time ran out before the choice stayed.

use tokio_util::sync::CancellationToken;

use super::costs::{Problem, Selection};
use super::graph::Set;
use super::planner::{Plan, Planner};
use super::trials::{Trials, signatures};
use super::verdict::Verdict;
use crate::server::Error;

/// Attempts to make a choice harmless by leaving out what made a query slower.
const MENDS: u32 = 8;

impl<P: Planner + Send> Trials<'_, P> {
    /// The best of what can be stood for when rounds or time ran out: the sets that were measured
    /// as a whole, the last choice without what made a query slower, and today's. What was not run
    /// counts as no gain, unless nothing was.
    pub(super) async fn fall_back(
        &mut self,
        problem: &mut Problem,
        mut sets: Vec<Selection>,
        last: Selection,
        stop: &CancellationToken,
    ) -> Result<Selection, Error> {
        self.notes.insert(
            "the choice still changed when rounds or time ran out; the best set so far is given, \
             without what made a query slower"
                .to_owned(),
        );
        self.is_mending = true;
        // What could not be run for want of time can be now.
        self.done.retain(|_, trial| trial.is_some());
        self.before.retain(|_, measured| measured.is_some());
        sets.extend(self.mended(problem, last, stop).await?);
        sets.push(Selection {
            chosen: self.today.iter().copied().collect(),
            ..Selection::default()
        });
        let sober = self.sober(problem);
        let value = |one: &Selection| self.value(&sober, &one.chosen);
        let best = sets
            .into_iter()
            .min_by(|one, other| value(one).total_cmp(&value(other)));
        Ok(best.unwrap_or_default())
    }

    /// A choice without the new indexes that slower plans use, and those that only plans use which
    /// could not be run; `None` if others keep coming up.
    async fn mended(
        &mut self,
        problem: &mut Problem,
        mut selection: Selection,
        stop: &CancellationToken,
    ) -> Result<Option<Selection>, Error> {
        for _ in 0..MENDS {
            let plans = self.plans(&selection).await?;
            let new = self.untried(problem, &plans);
            self.run(&selection, &plans, &new, stop).await?;
            self.learn(problem, &selection, &plans);
            let mut culprits: Set = plans
                .iter()
                .enumerate()
                .filter_map(|(query, plans)| self.done.get(&(query, signatures(plans)))?.as_ref())
                .filter(|trial| matches!(trial.verdict, Verdict::Slower | Verdict::Suspect))
                .flat_map(|trial| trial.uses.difference(self.case.scene.existing))
                .copied()
                .collect();
            culprits.extend(self.unsupported(&selection, &plans));
            if culprits.is_empty() {
                return Ok(Some(selection));
            }
            selection.chosen.retain(|index| !culprits.contains(index));
        }
        Ok(None)
    }

    /// New indexes that only plans use which could not be run; none where nothing was run at all,
    /// so that estimates are all there is.
    fn unsupported(&self, selection: &Selection, plans: &[Vec<Plan>]) -> Set {
        if !self.done.values().any(Option::is_some) {
            return Set::new();
        }
        let set = self.set_of(selection);
        let (mut run, mut not_run) = (Set::new(), Set::new());
        for (query, plans) in plans.iter().enumerate() {
            let is_run = matches!(self.done.get(&(query, signatures(plans))), Some(Some(_)));
            let uses = self.uses(query, plans, &set);
            let new = uses.difference(self.case.scene.existing);
            let of = if is_run { &mut run } else { &mut not_run };
            of.extend(new.copied());
        }
        not_run.difference(&run).copied().collect()
    }
}
