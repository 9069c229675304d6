//! Of sets that cost the same: fewer indexes, then fewer bytes, then lower places.

use super::evaluate::objective;
use super::improve::{Ground, Set};
use super::options::Fix;
use crate::advisor::costs::Problem;

/// What rounding makes of equal sums.
const SAME: f64 = 1e-12;

impl Ground<'_> {
    /// Drops indexes and exchanges one for another while the cost stays. This is a search near the
    /// set, one index at a time: it does not find a set that costs the same and differs in more.
    pub(super) fn break_ties(
        &self,
        problem: &Problem,
        value: f64,
        chosen: Vec<usize>,
    ) -> (f64, Vec<usize>) {
        let mut is_there = vec![false; self.model.fixes.len()];
        for index in &chosen {
            is_there[*index] = true;
        }
        let most = value + SAME * value.abs();
        let mut best = Tied {
            value,
            chosen,
            most,
        };
        let mut set = self.set(is_there);
        while self.drop_one(problem, &mut set, &mut best)
            || self.exchange_one(problem, &mut set, &mut best)
        {}
        (best.value, best.chosen)
    }

    fn drop_one(&self, problem: &Problem, set: &mut Set, best: &mut Tied) -> bool {
        for index in best.chosen.clone().into_iter().rev() {
            if self.model.fixes[index] == Fix::In || self.change(set, index) > best.room() {
                continue;
            }
            self.flip(set, index);
            if best.take(problem, set) {
                return true;
            }
            self.flip(set, index);
        }
        false
    }

    fn exchange_one(&self, problem: &Problem, set: &mut Set, best: &mut Tied) -> bool {
        let rank = |index: usize| (self.model.uses[index][0], index);
        let free = |index: &usize| self.model.fixes[*index] == Fix::Free;
        let others: Vec<_> = (0..set.is_there.len())
            .filter(|index| free(index) && !set.is_there[*index])
            .collect();
        let gains: Vec<_> = others
            .iter()
            .map(|other| self.change(set, *other))
            .collect();
        for index in best.chosen.clone().into_iter().rev().filter(free) {
            let loss = self.change(set, index);
            let near = self.near(index);
            self.flip(set, index);
            for (other, gain) in others.iter().zip(&gains) {
                if rank(*other) >= rank(index) {
                    continue;
                }
                // What no query has to do with together adds up.
                let gain = if near[*other] {
                    self.change(set, *other)
                } else {
                    *gain
                };
                if loss + gain > best.room() {
                    continue;
                }
                self.flip(set, *other);
                if best.take(problem, set) {
                    return true;
                }
                self.flip(set, *other);
            }
            self.flip(set, index);
        }
        false
    }

    /// Which indexes some query has to do with besides this one.
    fn near(&self, index: usize) -> Vec<bool> {
        let mut near = vec![false; self.model.fixes.len()];
        for query in &self.queries_of[index] {
            for other in &self.indexes_of[*query as usize] {
                near[*other as usize] = true;
            }
        }
        near
    }
}

struct Tied {
    value: f64,
    chosen: Vec<usize>,
    /// Costs up to here are the same.
    most: f64,
}

impl Tied {
    /// A change up to here, before rounding, is worth an exact look.
    fn room(&self) -> f64 {
        1e-9 * self.most.abs()
    }

    fn take(&mut self, problem: &Problem, set: &Set) -> bool {
        let members = set
            .is_there
            .iter()
            .enumerate()
            .filter(|(_, is_there)| **is_there);
        let chosen: Vec<_> = members.map(|(index, _)| index).collect();
        let Some(value) = objective(problem, &chosen).filter(|value| *value <= self.most) else {
            return false;
        };
        self.value = value;
        self.chosen = chosen;
        true
    }
}
