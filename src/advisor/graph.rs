//! The index benefit graph of one query: few plans that tell the cost under every set of indexes.
//!
//! A plan found with the indexes V visible uses only some of them, U. Under any set between U and
//! V it is the best plan still, so that only the sets V without one u of U have to be asked for
//! next. What is asked for depends on what was answered: [`Graph::next_set`] and [`Graph::answer`].

use std::collections::{BTreeSet, VecDeque};

use super::costs::{Configuration, QueryCosts};

/// A set of choices, by place.
pub type Set = BTreeSet<usize>;

/// Sets that one graph looks at, whether it asks for them or derives them.
const SETS: usize = 10_000;

/// Plans with more indexes than this are not looked at by themselves.
pub const ALONE: usize = 2;

/// The graph of one query.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    waiting: VecDeque<Set>,
    /// Sets that are asked for although their plan follows.
    alone: BTreeSet<Set>,
    /// Sets that have waited once.
    seen: BTreeSet<Set>,
    asked: usize,
    /// Asked for most; what is left over then is in [`Graph::is_cut`].
    most: usize,
    is_cut: bool,
}

/// A plan for what was visible.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What could be hidden and was visible.
    pub visible: Set,
    /// What the plan needs of it.
    pub used: Set,
    /// Cost of one execution.
    pub cost: f64,
}

impl Graph {
    /// A graph that asks for `first` sets in this order, and for at most `most` sets in all.
    #[must_use]
    pub fn new(first: impl IntoIterator<Item = Set>, most: usize) -> Self {
        let waiting: VecDeque<Set> = first.into_iter().collect();
        Self {
            seen: waiting.iter().cloned().collect(),
            waiting,
            most,
            ..Self::default()
        }
    }

    /// The next set to ask for, one whose answer does not follow from earlier ones.
    pub fn next_set(&mut self) -> Option<Set> {
        while let Some(set) = self.waiting.pop_front() {
            if self.follows(&set) {
                continue;
            }
            if self.asked >= self.most {
                self.is_cut = true;
                self.waiting.clear();
                return None;
            }
            self.asked += 1;
            return Some(set);
        }
        None
    }

    /// Whether the plan under `set` follows from earlier answers; if so, it is taken from there.
    pub fn follows(&mut self, set: &Set) -> bool {
        if self.is_alone(set) {
            return false;
        }
        let Some(used) = self.derived(set).map(|node| node.used.clone()) else {
            return false;
        };
        // The same plan: what would be hidden from it next may still be new.
        self.descend(set, &used);
        true
    }

    /// Has the indexes of plans asked for once more, `number` together, with nothing else visible
    /// but `base`: each of those that were used, the pairs that were, and those with one of
    /// `informing`. What is there refines the numbers of rows even where it is not used, so that a
    /// plan that was only seen among many can seem dearer than it is, or dearer than doing without
    /// its indexes.
    pub fn look_alone(&mut self, base: &Set, number: usize, informing: &Set) {
        let mut used: BTreeSet<Set> = BTreeSet::new();
        for node in &self.nodes {
            let new: Set = node.used.difference(base).copied().collect();
            for index in &new {
                if number == 1 {
                    used.insert(Set::from([*index]));
                } else {
                    let others = informing.iter().filter(|other| *other != index);
                    used.extend(others.map(|other| Set::from([*index, *other])));
                }
            }
            if new.len() == number {
                used.insert(new);
            }
        }
        for set in used {
            let with: Set = set.union(base).copied().collect();
            let is_known = |node: &Node| node.visible == with && set.is_subset(&node.used);
            if !self.nodes.iter().any(is_known) && self.alone.insert(with.clone()) {
                self.seen.insert(with.clone());
                self.waiting.push_back(with);
            }
        }
    }

    /// Whether [`Graph::look_alone`] has this set asked for.
    #[must_use]
    pub fn is_alone(&self, set: &Set) -> bool {
        self.alone.contains(set)
    }

    /// Asks for nothing any more.
    pub fn stop(&mut self) {
        self.waiting.clear();
    }

    /// Notes the plan of a set that [`Graph::next_set`] gave.
    pub fn answer(&mut self, node: Node) {
        self.descend(&node.visible.clone(), &node.used.clone());
        self.nodes.push(node);
    }

    fn descend(&mut self, visible: &Set, used: &Set) {
        for hidden in used {
            let mut next = visible.clone();
            next.remove(hidden);
            if self.seen.len() >= SETS {
                self.is_cut = true;
                return;
            }
            if self.seen.insert(next.clone()) {
                self.waiting.push_back(next);
            }
        }
    }

    /// The plan of an earlier answer that must be the plan under `set` too.
    #[must_use]
    pub fn derived(&self, set: &Set) -> Option<&Node> {
        self.nodes
            .iter()
            .find(|node| node.used.is_subset(set) && set.is_subset(&node.visible))
    }

    /// Whether sets were left out because enough had been asked for.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The plans so far.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The plans as a row of the table of costs: for each set of used indexes the cheapest, without
    /// those that need more indexes than another that costs no more.
    #[must_use]
    pub fn costs(&self) -> QueryCosts {
        let mut costs = QueryCosts {
            weight: 1.0,
            ..QueryCosts::default()
        };
        for node in &self.nodes {
            offer(&mut costs.configurations, &node.used, node.cost);
        }
        costs
    }
}

/// Adds a configuration unless one with fewer indexes is as good, and removes those that it beats.
pub fn offer(configurations: &mut Vec<Configuration>, used: &Set, cost: f64) {
    let is_within = |less: &[usize], more: &Set| less.iter().all(|index| more.contains(index));
    if configurations
        .iter()
        .any(|other| other.cost <= cost && is_within(&other.indexes, used))
    {
        return;
    }
    configurations.retain(|other| {
        let wider = used.iter().all(|index| other.indexes.contains(index));
        !(wider && cost <= other.cost)
    });
    configurations.push(Configuration {
        indexes: used.iter().copied().collect(),
        cost,
        rank: None,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::effects;
    use proptest::prelude::*;

    /// A made-up optimizer: the cheapest configuration that is visible, the first of equals.
    fn optimize(plans: &[(Set, f64)], visible: &Set) -> Node {
        let (used, cost) = plans
            .iter()
            .filter(|(used, _)| used.is_subset(visible))
            .min_by(|one, other| one.1.total_cmp(&other.1))
            .unwrap();
        Node {
            visible: visible.clone(),
            used: used.clone(),
            cost: *cost,
        }
    }

    proptest! {
        #[test]
        fn every_subset_has_its_cost_from_few_answers(
            plans in proptest::collection::vec((proptest::collection::btree_set(0_usize..8, 0..3), 1_u32..1000), 0..12)
        ) {
            let mut all: Vec<(Set, f64)> = vec![(Set::new(), 1000.0)];
            all.extend(plans.into_iter().map(|(used, cost)| (used, f64::from(cost))));
            let everything: Set = (0..8).collect();
            let mut graph = Graph::new([everything, Set::new()], 1000);
            while let Some(set) = graph.next_set() {
                let node = optimize(&all, &set);
                graph.answer(node);
            }
            prop_assert!(!graph.is_cut());
            let costs = graph.costs();
            for bits in 0_u32..256 {
                let set: Set = (0..8).filter(|i| bits >> i & 1 == 1).collect();
                let exact = optimize(&all, &set).cost;
                let known = effects::cost(&costs, &set);
                prop_assert!((exact - known).abs() < 1e-9, "{set:?}: {exact} {known}");
            }
        }
    }

    #[test]
    fn what_seems_dear_among_others_is_asked_for_alone() {
        // The second index is never used, and makes all estimates half as high again.
        let plans = [(Set::new(), 100.0), (Set::from([0]), 80.0)];
        let answer = |set: &Set| {
            let mut node = optimize(&plans, set);
            node.cost *= if set.contains(&1) { 1.5 } else { 1.0 };
            node
        };
        let mut graph = Graph::new([Set::from([0, 1]), Set::new()], 48);
        let ask_all = |graph: &mut Graph| {
            while let Some(set) = graph.next_set() {
                graph.answer(answer(&set));
            }
        };
        ask_all(&mut graph);
        let cost = |graph: &Graph| effects::cost(&graph.costs(), &Set::from([0]));
        assert!((cost(&graph) - 100.0).abs() < 1e-9);
        graph.look_alone(&Set::new(), 1, &Set::new());
        ask_all(&mut graph);
        assert!((cost(&graph) - 80.0).abs() < 1e-9);
        // Once is enough.
        graph.look_alone(&Set::new(), 1, &Set::new());
        assert_eq!(graph.next_set(), None);
    }

    #[test]
    fn a_bound_on_the_questions_is_kept_and_said() {
        let all: Vec<(Set, f64)> = (0..8_u32)
            .map(|i| (Set::from([i as usize]), f64::from(i)))
            .chain([(Set::new(), 100.0)])
            .collect();
        let mut graph = Graph::new([(0..8).collect(), Set::new()], 4);
        while let Some(set) = graph.next_set() {
            let node = optimize(&all, &set);
            graph.answer(node);
        }
        assert_eq!(graph.nodes().len(), 4);
        assert!(graph.is_cut());
        let costs = graph.costs();
        assert!((effects::cost(&costs, &Set::new()) - 100.0).abs() < 1e-9);
        assert!((effects::cost(&costs, &Set::from([1])) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn beaten_configurations_are_left_out() {
        let mut list = Vec::new();
        offer(&mut list, &Set::from([1, 2]), 10.0);
        offer(&mut list, &Set::from([1]), 9.0);
        offer(&mut list, &Set::from([1, 3]), 9.5);
        offer(&mut list, &Set::from([3]), 5.0);
        let left: Vec<_> = list.iter().map(|one| one.indexes.clone()).collect();
        assert_eq!(left, [vec![1], vec![3]]);
    }
}
