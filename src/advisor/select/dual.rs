//! A lower bound for a node: the links between queries and indexes are priced, and the prices are
//! raised by the volume algorithm (Barahona and Anbil).
//!
//! With prices given, each query takes its cheapest choice by itself and the indexes are a
//! knapsack; the sum of both is below every solution.

use super::node::Node;
use super::options::Uses;

/// Prices and what they lead to, averaged over the rounds.
#[derive(Debug, Clone, Default)]
pub(super) struct Dual {
    /// Price of each slot.
    pub(super) prices: Vec<f64>,
    /// Price of each cap other than the main one, by the scaled unit.
    pub(super) side: Uses,
    /// Share of each slot's use.
    pub(super) shares: Vec<f64>,
    /// Share of each variable.
    pub(super) x: Vec<f64>,
    /// The best bound.
    pub(super) bound: f64,
}

/// How long prices are raised.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    pub(super) rounds: usize,
    /// First length of a step, as a share of the way to the target.
    pub(super) step: f64,
}

/// One answer to given prices.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) value: f64,
    /// Price of each variable, caps other than the main one included.
    pub(super) reduced: Vec<f64>,
    pub(super) x: Vec<f64>,
    /// Choice of each query.
    pub(super) picks: Vec<u32>,
    /// Price of the main cap's unit.
    pub(super) main_price: f64,
    order: Vec<u32>,
}

/// The cap that is kept as it is, while the others are priced.
pub(super) fn main_cap(node: &Node) -> Option<usize> {
    node.caps.iter().position(|cap| cap.is_finite())
}

/// Mean use of each cap, so that prices of caps are of the size of prices of indexes.
fn scales(node: &Node) -> Uses {
    let mut scales = [0.0; 3];
    for uses in &node.uses {
        for (scale, used) in scales.iter_mut().zip(uses) {
            *scale += used / node.uses.len() as f64;
        }
    }
    scales.map(|scale| if scale > 0.0 { scale } else { 1.0 })
}

pub(super) struct Ascent<'a> {
    pub(super) node: &'a Node,
    pub(super) main: Option<usize>,
    scales: Uses,
    answer: Answer,
}

impl<'a> Ascent<'a> {
    pub(super) fn new(node: &'a Node) -> Self {
        Self {
            node,
            main: main_cap(node),
            scales: scales(node),
            answer: Answer::default(),
        }
    }

    /// The answer to these prices.
    pub(super) fn ask(&mut self, prices: &[f64], side: &Uses) -> &Answer {
        let node = self.node;
        let answer = &mut self.answer;
        answer.value = node.constant;
        answer.reduced.clone_from(&node.upkeep);
        for cap in 0..3 {
            if side[cap] > 0.0 && Some(cap) != self.main && node.caps[cap].is_finite() {
                let price = side[cap] / self.scales[cap];
                answer.value -= price * node.caps[cap];
                for (reduced, uses) in answer.reduced.iter_mut().zip(&node.uses) {
                    *reduced += price * uses[cap];
                }
            }
        }
        for (slot, price) in prices.iter().enumerate() {
            let variable = node.slot_variable[slot] as usize;
            if node.slot_absent[slot] {
                answer.reduced[variable] += price;
                answer.value -= price;
            } else {
                answer.reduced[variable] -= price;
            }
        }
        answer.picks.clear();
        for query in 0..node.queries.len() - 1 {
            let mut least = f64::INFINITY;
            let mut pick = 0;
            for choice in node.choices_of(query) {
                let mut cost = node.costs[choice];
                for slot in node.slots_of(choice) {
                    cost += prices[*slot as usize];
                }
                if cost < least {
                    least = cost;
                    pick = choice;
                }
            }
            answer.value += least;
            answer.picks.push(super::options::small(pick));
        }
        answer.fill(node, self.main);
        answer
    }

    /// Raises the prices. `target` is what the bound is wanted to reach.
    pub(super) fn raise(
        &mut self,
        dual: &mut Dual,
        target: f64,
        effort: Effort,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        let slots = self.node.slot_variable.len();
        let fresh = dual.x.len() != self.node.variables.len();
        dual.bound = self.ask(&dual.prices, &dual.side).value;
        if fresh {
            dual.x.clone_from(&self.answer.x);
            dual.shares.clear();
            dual.shares.resize(slots, 0.0);
            for choice in &self.answer.picks {
                for slot in self.node.slots_of(*choice as usize) {
                    dual.shares[*slot as usize] = 1.0;
                }
            }
        }
        let mut round = Round::new(slots, effort.step);
        for number in 0..effort.rounds {
            if dual.bound >= target || (number % 16 == 0 && stop()) {
                return dual.bound < target;
            }
            if !self.step(dual, target, &mut round) {
                break;
            }
        }
        false
    }

    fn step(&mut self, dual: &mut Dual, target: f64, round: &mut Round) -> bool {
        let node = self.node;
        let mut norm = 0.0;
        for slot in 0..dual.prices.len() {
            let mut way = dual.shares[slot] - self.held(&dual.x, slot);
            if way < 0.0 && dual.prices[slot] <= 0.0 {
                way = 0.0;
            }
            round.way[slot] = way;
            norm += way * way;
        }
        let side_way = self.side_way(&dual.x, &dual.side);
        norm += side_way.iter().map(|way| way * way).sum::<f64>();
        if norm <= 1e-18 {
            return false;
        }
        let length = round.step * (target - dual.bound) / norm;
        for (trial, (price, way)) in round
            .trial
            .iter_mut()
            .zip(dual.prices.iter().zip(&round.way))
        {
            *trial = (price + length * way).max(0.0);
        }
        let mut side = dual.side;
        for (price, way) in side.iter_mut().zip(side_way) {
            *price = (*price + length * way).max(0.0);
        }
        self.ask(&round.trial, &side);
        round.picked.fill(0.0);
        for choice in &self.answer.picks {
            for slot in node.slots_of(*choice as usize) {
                round.picked[*slot as usize] = 1.0;
            }
        }
        let share = self.average(dual, round);
        round.learn(share, self.answer.value > dual.bound);
        if self.answer.value > dual.bound {
            round.gain(dual.bound, self.answer.value);
            dual.bound = self.answer.value;
            std::mem::swap(&mut dual.prices, &mut round.trial);
            dual.side = side;
        }
        true
    }

    /// Mixes the last answer into the averages; gives whether the last direction agrees with the
    /// new one.
    fn average(&self, dual: &mut Dual, round: &mut Round) -> f64 {
        let (mut old_new, mut old_old, mut new_new) = (0.0, 0.0, 0.0);
        for slot in 0..dual.prices.len() {
            let new = round.picked[slot] - self.held(&self.answer.x, slot);
            let old = round.way[slot];
            let new = if new < 0.0 && round.trial[slot] <= 0.0 {
                0.0
            } else {
                new
            };
            old_new += old * new;
            old_old += old * old;
            new_new += new * new;
        }
        let spread = old_old - 2.0 * old_new + new_new;
        let best = if spread > 0.0 {
            (old_old - old_new) / spread
        } else {
            round.most
        };
        let share = best.clamp(round.most / 10.0, round.most);
        for (average, new) in dual.x.iter_mut().zip(&self.answer.x) {
            *average += share * (new - *average);
        }
        for (average, new) in dual.shares.iter_mut().zip(&round.picked) {
            *average += share * (new - *average);
        }
        old_new
    }

    /// How much of a slot's literal holds.
    fn held(&self, x: &[f64], slot: usize) -> f64 {
        let x = x[self.node.slot_variable[slot] as usize];
        if self.node.slot_absent[slot] {
            1.0 - x
        } else {
            x
        }
    }

    fn side_way(&self, x: &[f64], side: &Uses) -> Uses {
        let mut ways = [0.0; 3];
        for (cap, way) in ways.iter_mut().enumerate() {
            if Some(cap) == self.main || !self.node.caps[cap].is_finite() {
                continue;
            }
            let used: f64 = x
                .iter()
                .zip(&self.node.uses)
                .map(|(x, uses)| x * uses[cap])
                .sum();
            *way = (used - self.node.caps[cap]) / self.scales[cap];
            if *way < 0.0 && side[cap] <= 0.0 {
                *way = 0.0;
            }
        }
        ways
    }
}

impl Answer {
    /// The knapsack of the main cap, where one index may be taken in part.
    fn fill(&mut self, node: &Node, main: Option<usize>) {
        self.x.clear();
        self.x.resize(self.reduced.len(), 0.0);
        self.order.clear();
        self.main_price = 0.0;
        let mut left = main.map_or(f64::INFINITY, |cap| node.caps[cap]);
        let used = |variable: usize| main.map_or(0.0, |cap| node.uses[variable][cap]);
        for (variable, price) in self.reduced.iter().enumerate() {
            if *price >= 0.0 {
                continue;
            }
            if used(variable) > 0.0 {
                self.order.push(super::options::small(variable));
            } else {
                self.x[variable] = 1.0;
                self.value += price;
            }
        }
        let worth = |variable: &u32| self.reduced[*variable as usize] / used(*variable as usize);
        self.order
            .sort_unstable_by(|a, b| worth(a).total_cmp(&worth(b)).then(a.cmp(b)));
        for variable in &self.order {
            let variable = *variable as usize;
            let share = (left / used(variable)).min(1.0);
            self.x[variable] = share;
            self.value += share * self.reduced[variable];
            left -= share * used(variable);
            if share < 1.0 {
                self.main_price = -self.reduced[variable] / used(variable);
                break;
            }
        }
    }
}

/// What a run of rounds learns on its way.
struct Round {
    step: f64,
    most: f64,
    idle: usize,
    since: usize,
    gained: f64,
    way: Vec<f64>,
    trial: Vec<f64>,
    picked: Vec<f64>,
}

impl Round {
    fn new(slots: usize, step: f64) -> Self {
        Self {
            step,
            most: 0.1,
            idle: 0,
            since: 0,
            gained: 0.0,
            way: vec![0.0; slots],
            trial: vec![0.0; slots],
            picked: vec![0.0; slots],
        }
    }

    fn learn(&mut self, agreement: f64, is_better: bool) {
        self.since += 1;
        if is_better {
            self.idle = 0;
            if agreement >= 0.0 {
                self.step = (self.step * 1.1).min(2.0);
            }
        } else {
            self.idle += 1;
            if self.idle >= 10 {
                self.idle = 0;
                self.step = (self.step * 0.66).max(1e-4);
            }
        }
        if self.since >= 100 {
            if self.gained < 0.01 {
                self.most = (self.most * 0.5).max(1e-3);
            }
            self.since = 0;
            self.gained = 0.0;
        }
    }

    fn gain(&mut self, before: f64, after: f64) {
        self.gained += (after - before) / after.abs().max(1e-12);
    }
}
