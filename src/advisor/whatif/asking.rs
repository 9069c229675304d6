//! Asking for the plans of queries, and showing and hiding for it as little as possible.

use tokio_util::sync::CancellationToken;

use super::{Scene, Work, plans_of};
use crate::advisor::graph::{Node, Set};
use crate::advisor::planner::{Plan, Planner};
use crate::advisor::together::Group;
use crate::advisor::trials::signatures;
use crate::server::Error;

/// Asks, and remembers what is visible.
pub(super) struct Asking<'a, P> {
    pub(super) planner: &'a mut P,
    pub(super) scene: Scene<'a>,
    pub(super) visible: Set,
}

impl<P: Planner + Send> Asking<'_, P> {
    /// Makes visible and hides what all asks of a group want.
    pub(super) async fn show_for(&mut self, group: &Group) -> Result<(), Error> {
        let mut visible: Set = self.visible.difference(&group.hidden).copied().collect();
        visible.extend(&group.shown);
        if visible != self.visible {
            self.planner.show(&visible).await?;
            self.visible = visible;
        }
        Ok(())
    }

    /// Makes `set` visible, and hides what else could serve the query. What can't serve it stays as
    /// it is, because showing and hiding costs more than a plan.
    async fn show(&mut self, work: &Work<'_>, set: &Set) -> Result<(), Error> {
        let mut visible = self.visible.clone();
        visible.retain(|place| !work.hideable.contains(place));
        self.make_visible(visible, work, set).await
    }

    /// Makes exactly `set` and what is never hidden visible on the query's tables.
    async fn show_exactly(&mut self, work: &Work<'_>, set: &Set) -> Result<(), Error> {
        let visible = self.visible.difference(&work.near).copied().collect();
        self.make_visible(visible, work, set).await
    }

    async fn make_visible(
        &mut self,
        mut visible: Set,
        work: &Work<'_>,
        set: &Set,
    ) -> Result<(), Error> {
        visible.extend(set);
        visible.extend(work.near.intersection(self.scene.kept));
        if visible != self.visible {
            self.planner.show(&visible).await?;
            self.visible = visible;
        }
        Ok(())
    }

    /// The plans of today, and which samples have one.
    pub(super) async fn today(
        &mut self,
        works: &mut [Work<'_>],
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        self.planner.show(&self.visible).await?;
        for work in works {
            if stop.is_cancelled() {
                work.known.error = Some("interrupted before its first plan".to_owned());
                continue;
            }
            let (mut plans, mut error) = (Vec::new(), None);
            for (place, sample) in work.question.samples.iter().enumerate() {
                let schema = work.question.schema.as_deref();
                match self.planner.explain(schema, sample).await? {
                    Ok(plan) => {
                        plans.push(plan);
                        work.known.samples.push(place);
                    }
                    Err(reason) => error = Some(reason),
                }
            }
            work.known.error = error;
            if plans.is_empty() {
                work.graph.stop();
                continue;
            }
            let set: Set = work
                .hideable
                .intersection(self.scene.existing)
                .copied()
                .collect();
            if let Some(node) = self.node(work, &set, &plans).await? {
                let told = signatures(&plans);
                work.known.alone.insert(node.used.clone(), told);
                work.known.note(&node.used, &plans);
                work.known.today = Some(node.cost);
                work.known.uses_today.clone_from(&node.used);
                work.graph.answer(node);
                // Asking what a plan needs has hidden some.
                self.show_today().await?;
            }
        }
        Ok(())
    }

    async fn show_today(&mut self) -> Result<(), Error> {
        let today = self.scene.today();
        if today != self.visible {
            self.planner.show(&today).await?;
            self.visible = today;
        }
        Ok(())
    }

    /// Finds the plan of a query under a set, unless it follows by now.
    pub(super) async fn answer(&mut self, work: &mut Work<'_>, set: Set) -> Result<(), Error> {
        if work.graph.follows(&set) {
            return Ok(());
        }
        self.show(work, &set).await?;
        let Some(mut plans) = self.plans(work).await? else {
            return Ok(());
        };
        let is_meant = |place: &usize| set.contains(place) || self.scene.kept.contains(place);
        if !plans.iter().flat_map(|plan| &plan.used).all(is_meant) {
            // An index that was thought to be of no use to it, as one that is read from end to end.
            self.show_exactly(work, &set).await?;
            let Some(again) = self.plans(work).await? else {
                return Ok(());
            };
            plans = again;
        }
        if let Some(mut node) = self.node(work, &set, &plans).await? {
            let more = work.informing(&set, &node.used, &plans, self.scene);
            node.used.extend(more);
            work.known.note(&node.used, &plans);
            work.graph.answer(node);
        }
        Ok(())
    }

    /// The plans of all samples with what is visible; `None` where one has none, such as for a hint
    /// that names a hidden index: this set can't be.
    async fn plans(&mut self, work: &Work<'_>) -> Result<Option<Vec<Plan>>, Error> {
        let plans = plans_of(self.planner, work.question, &work.known).await?;
        Ok(Some(plans).filter(|plans| !plans.is_empty()))
    }

    /// The plans of all samples as one.
    async fn node(
        &mut self,
        work: &Work<'_>,
        set: &Set,
        plans: &[Plan],
    ) -> Result<Option<Node>, Error> {
        if plans.is_empty() {
            return Ok(None);
        }
        let mut used = Set::new();
        for (plan, place) in plans.iter().zip(&work.known.samples) {
            if plan.hides_use {
                used.extend(self.needed(work, set, *place, plan).await?);
            } else {
                used.extend(plan.used.intersection(&work.hideable));
            }
        }
        let cost = plans.iter().map(|plan| plan.cost).sum::<f64>() / plans.len() as f64;
        Ok(Some(Node {
            visible: set.clone(),
            used,
            cost,
        }))
    }

    /// Which indexes a plan that hides its use needs: the least set, found by halving, with which
    /// the plan stays as it is.
    async fn needed(
        &mut self,
        work: &Work<'_>,
        set: &Set,
        sample: usize,
        plan: &Plan,
    ) -> Result<Set, Error> {
        let mut needed = Set::new();
        let mut rest: Vec<usize> = set.iter().copied().collect();
        while !self.stays(work, &needed, sample, plan).await? {
            // The shortest beginning of the rest that suffices ends with one that is needed.
            let (mut low, mut high) = (0, rest.len());
            while low + 1 < high {
                let middle = usize::midpoint(low, high);
                let mut tried = needed.clone();
                tried.extend(&rest[..middle]);
                if self.stays(work, &tried, sample, plan).await? {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            let Some(last) = rest.get(high.saturating_sub(1)).copied() else {
                break;
            };
            needed.insert(last);
            rest.truncate(high - 1);
        }
        Ok(needed)
    }

    async fn stays(
        &mut self,
        work: &Work<'_>,
        set: &Set,
        sample: usize,
        plan: &Plan,
    ) -> Result<bool, Error> {
        self.show(work, set).await?;
        let schema = work.question.schema.as_deref();
        let answer = self
            .planner
            .explain(schema, &work.question.samples[sample])
            .await?;
        Ok(answer.is_ok_and(|other| other.hides_use && other.cost <= plan.cost))
    }
}
