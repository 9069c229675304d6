//! One query while its costs are found.

use std::collections::BTreeSet;

use super::{Bounds, Known, Question, Scene};
use crate::advisor::graph::{Graph, Set};
use crate::advisor::planner::Plan;
use crate::advisor::trials::signatures;
use crate::model::schema::TableName;

/// A query at work.
pub(super) struct Work<'a> {
    pub(super) question: &'a Question,
    /// Choices on its tables, relevant or not.
    pub(super) near: Set,
    /// Relevant choices that can be hidden.
    pub(super) hideable: Set,
    pub(super) known: Known,
    pub(super) graph: Graph,
}

impl<'a> Work<'a> {
    pub(super) fn of(scene: Scene<'_>, question: &'a Question, bounds: Bounds) -> Self {
        let tables: BTreeSet<&TableName> = question
            .relevant
            .iter()
            .filter_map(|place| scene.choices.get(*place))
            .map(|choice| &choice.table)
            .collect();
        let near = scene.choices.iter().enumerate();
        let near = near.filter(|(_, choice)| tables.contains(&choice.table));
        let near: Set = near.map(|(place, _)| place).collect();
        // An existing index matters as long as it exists, whoever thought of it.
        let hideable: Set = question
            .relevant
            .iter()
            .chain(near.intersection(scene.existing))
            .filter(|place| !scene.kept.contains(place))
            .copied()
            .collect();
        // Everything, then nothing at all; what is there today is asked for by itself.
        let first = [hideable.clone(), Set::new()];
        Self {
            near,
            graph: Graph::new(first, bounds.sets_per_query.max(3)),
            question,
            hideable,
            known: Known::default(),
        }
    }

    /// The new indexes of a set that have the optimizer take another plan than it takes for what
    /// this one uses, although they are not used.
    pub(super) fn informing(
        &mut self,
        set: &Set,
        used: &Set,
        plans: &[Plan],
        scene: Scene<'_>,
    ) -> Set {
        let told = signatures(plans);
        let new: Set = set.difference(scene.existing).copied().collect();
        let is_today_there = self
            .hideable
            .intersection(scene.existing)
            .all(|index| set.contains(index));
        if !is_today_there {
            return Set::new();
        }
        if new.is_subset(used) {
            self.known.alone.entry(used.clone()).or_insert(told);
            return Set::new();
        }
        let is_other = self.known.alone.get(used).is_some_and(|own| *own != told);
        if !is_other || !self.graph.is_alone(set) {
            return Set::new();
        }
        let known = self
            .known
            .informed
            .entry(told)
            .or_insert_with(|| new.clone());
        if new.is_subset(known) {
            known.clone_from(&new);
        }
        known.intersection(&new).copied().collect()
    }

    pub(super) fn exhaustive(&self) -> f64 {
        let subsets = 2_f64.powi(i32::try_from(self.hideable.len()).unwrap_or(i32::MAX));
        self.question.samples.len() as f64 * subsets
    }

    pub(super) fn finish(self) -> Known {
        let mut known = self.known;
        known.costs = self.graph.costs();
        known.is_cut = self.graph.is_cut();
        known.near = self.near;
        known
    }
}
