//! Good sets, quickly: greedy steps and exchanges on the exact costs.

use super::options::{Fix, Model, Query, Uses, index_of, slack};

/// A set with its costs.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) is_there: Vec<bool>,
    costs: Vec<f64>,
    used: Uses,
    pub(super) total: f64,
}

/// What is looked up again and again while sets change.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) model: &'a Model,
    /// Queries that an index has to do with.
    pub(super) queries_of: Vec<Vec<u32>>,
    /// Indexes that a query has to do with.
    pub(super) indexes_of: Vec<Vec<u32>>,
    /// Stands for the cost of a query without a plan within its limit.
    penalty: f64,
}

impl<'a> Ground<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        let mut queries_of = vec![Vec::new(); model.fixes.len()];
        let mut indexes_of = Vec::with_capacity(model.queries.len());
        let mut most = 1.0;
        for (place, query) in model.queries.iter().enumerate() {
            let mut indexes: Vec<_> = (query.literals.iter().map(|literal| index_of(*literal)))
                .chain(query.harmful.iter().copied())
                .collect();
            indexes.sort_unstable();
            indexes.dedup();
            for index in &indexes {
                queries_of[*index].push(super::options::small(place));
            }
            indexes_of.push(indexes.into_iter().map(super::options::small).collect());
            let costs = query.choices.iter().map(|choice| choice.cost);
            let floors = query.floors.iter().map(|floor| floor.cost);
            most += query.weight
                * costs
                    .chain(floors)
                    .fold(0.0, |most, cost| f64::max(most, cost.abs()));
        }
        most += model.upkeep.iter().map(|upkeep| upkeep.abs()).sum::<f64>();
        Self {
            model,
            queries_of,
            indexes_of,
            penalty: most * 16.0,
        }
    }

    /// More than any set can cost that keeps to all limits.
    pub(super) fn ceiling(&self) -> f64 {
        self.penalty
    }

    pub(super) fn set(&self, is_there: Vec<bool>) -> Set {
        let costs: Vec<f64> = self
            .model
            .queries
            .iter()
            .map(|query| self.cost(query, &is_there))
            .collect();
        let mut set = Set {
            total: costs.iter().sum(),
            costs,
            used: [0.0; 3],
            is_there,
        };
        for (index, _) in set
            .is_there
            .iter()
            .enumerate()
            .filter(|(_, is_there)| **is_there)
        {
            set.total += self.model.upkeep[index];
            for (used, more) in set.used.iter_mut().zip(self.model.uses[index]) {
                *used += more;
            }
        }
        set
    }

    fn cost(&self, query: &Query, is_there: &[bool]) -> f64 {
        let holds =
            |literal: &u32| is_there[index_of(*literal)] != super::options::is_absence(*literal);
        let Some(choice) = query
            .choices
            .iter()
            .find(|choice| choice.literals.iter().all(holds))
        else {
            return self.penalty;
        };
        let floor = (query.floors.iter())
            .find(|floor| floor.indexes.iter().all(|index| is_there[*index]))
            .map_or(choice.cost, |floor| floor.cost.max(choice.cost));
        if floor > query.limit {
            self.penalty
        } else {
            floor * query.weight
        }
    }

    /// What the total changes by when one index comes or goes.
    pub(super) fn change(&self, set: &mut Set, index: usize) -> f64 {
        let was_there = set.is_there[index];
        set.is_there[index] = !was_there;
        let mut change = if was_there {
            -self.model.upkeep[index]
        } else {
            self.model.upkeep[index]
        };
        for query in &self.queries_of[index] {
            let query = *query as usize;
            change += self.cost(&self.model.queries[query], &set.is_there) - set.costs[query];
        }
        set.is_there[index] = was_there;
        change
    }

    pub(super) fn flip(&self, set: &mut Set, index: usize) {
        let sign = if set.is_there[index] { -1.0 } else { 1.0 };
        set.is_there[index] = !set.is_there[index];
        set.total += sign * self.model.upkeep[index];
        for (used, more) in set.used.iter_mut().zip(self.model.uses[index]) {
            *used += sign * more;
        }
        for query in &self.queries_of[index] {
            let query = *query as usize;
            let cost = self.cost(&self.model.queries[query], &set.is_there);
            set.total += cost - set.costs[query];
            set.costs[query] = cost;
        }
    }

    pub(super) fn fits(&self, set: &Set, index: usize) -> bool {
        (set.used.iter().zip(self.model.uses[index]))
            .zip(self.model.caps)
            .all(|((used, more), cap)| used + more <= cap + slack(cap))
    }

    /// The decided indexes, then others as far as they fit, the most wanted first.
    pub(super) fn round(&self, fixes: &[Fix], wanted: &[(usize, f64)]) -> Set {
        let mut set = self.set(fixes.iter().map(|fix| *fix == Fix::In).collect());
        let mut order: Vec<_> = wanted.iter().filter(|(_, share)| *share > 0.05).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        for (index, _) in order {
            if !set.is_there[*index] && self.fits(&set, *index) {
                self.flip(&mut set, *index);
            }
        }
        set
    }

    /// Drops what is not worth its upkeep and adds what gains most, until nothing is left to do.
    pub(super) fn settle(&self, set: &mut Set, measure: Measure) {
        self.drop_useless(set);
        let mut changes = vec![None; set.is_there.len()];
        loop {
            let mut best: Option<(f64, usize)> = None;
            for (index, change) in changes.iter_mut().enumerate() {
                let is_open = self.model.fixes[index] == Fix::Free
                    && !set.is_there[index]
                    && self.fits(set, index);
                if !is_open {
                    continue;
                }
                let change = *change.get_or_insert_with(|| self.change(set, index));
                let score = measure.score(change, self.model.uses[index][0]);
                if change < -1e-12 && best.is_none_or(|(least, _)| score < least) {
                    best = Some((score, index));
                }
            }
            let Some((_, index)) = best else { break };
            self.flip(set, index);
            self.forget(&mut changes, index);
        }
        self.drop_useless(set);
    }

    fn forget(&self, changes: &mut [Option<f64>], index: usize) {
        for query in &self.queries_of[index] {
            for near in &self.indexes_of[*query as usize] {
                changes[*near as usize] = None;
            }
        }
    }

    fn drop_useless(&self, set: &mut Set) {
        for index in (0..set.is_there.len()).rev() {
            if set.is_there[index]
                && self.model.fixes[index] != Fix::In
                && self.change(set, index) <= 0.0
            {
                self.flip(set, index);
            }
        }
    }

    /// Takes out each index in turn and settles anew; keeps what is better.
    pub(super) fn exchange(&self, set: &mut Set, stop: &mut dyn FnMut() -> bool) {
        let mut is_better = true;
        while is_better && !stop() {
            is_better = false;
            for index in 0..set.is_there.len() {
                if !set.is_there[index] || self.model.fixes[index] == Fix::In || stop() {
                    continue;
                }
                let mut trial = set.clone();
                self.flip(&mut trial, index);
                self.refill(&mut trial, index);
                if trial.total < set.total - 1e-9 * set.total.abs() {
                    *set = trial;
                    is_better = true;
                }
            }
        }
    }

    /// Fills what one index left free, without taking it again.
    fn refill(&self, set: &mut Set, without: usize) {
        loop {
            let mut best: Option<(f64, usize)> = None;
            for index in 0..set.is_there.len() {
                if index == without
                    || set.is_there[index]
                    || self.model.fixes[index] != Fix::Free
                    || !self.fits(set, index)
                {
                    continue;
                }
                let change = self.change(set, index);
                if change < -1e-12 && best.is_none_or(|(least, _)| change < least) {
                    best = Some((change, index));
                }
            }
            let Some((_, index)) = best else { break };
            self.flip(set, index);
        }
    }
}

/// What greedy steps go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Gain,
    GainPerByte,
}

impl Measure {
    fn score(self, change: f64, bytes: f64) -> f64 {
        match self {
            Self::Gain => change,
            Self::GainPerByte => change / bytes.max(1.0),
        }
    }
}
