//! Branch and bound over the indexes, the lowest bound first.

use std::collections::BinaryHeap;
use std::rc::Rc;

use super::branch::{Legacy, Open, Past, Seen};
use super::dual::{Ascent, Dual, Effort};
use super::evaluate::objective;
use super::improve::{Ground, Measure};
use super::node::Node;
use super::options::{Fix, Model};
use super::probe::{Probe, probe};
use crate::advisor::costs::{Problem, Selection};

/// A node is given up when its bound is this close to the best set, relatively.
const CLOSE: f64 = 1e-9;
/// What rounding may add to a bound, relatively.
const ROUNDING: f64 = 1e-12;
const ROOT: Effort = Effort {
    rounds: 800,
    step: 0.5,
};
const BELOW: Effort = Effort {
    rounds: 60,
    step: 0.2,
};

pub(super) struct Search<'a> {
    problem: &'a Problem,
    pub(super) model: &'a Model,
    ground: Ground<'a>,
    pub(super) stop: &'a mut dyn FnMut() -> bool,
    pub(super) heap: BinaryHeap<Open>,
    /// The child that is followed down before the heap is asked again.
    pub(super) next: Option<Open>,
    best: Option<(f64, Vec<usize>)>,
    /// Least bound of the nodes that were given up for being close to the best set.
    given_up: f64,
    nodes: u64,
    opened: u64,
    /// What trying out each index, in and out, has shown.
    pub(super) past: Vec<[Past; 2]>,
    /// All zero between uses, with a place for each slot.
    pub(super) scratch: Vec<f32>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        problem: &'a Problem,
        model: &'a Model,
        stop: &'a mut dyn FnMut() -> bool,
    ) -> Self {
        Self {
            problem,
            model,
            ground: Ground::new(model),
            stop,
            heap: BinaryHeap::new(),
            next: None,
            best: None,
            given_up: f64::INFINITY,
            nodes: 0,
            opened: 0,
            scratch: vec![0.0; model.slots],
            past: vec![[Past::default(); 2]; model.fixes.len()],
        }
    }

    /// The best set, or `None` without any; the flag says that the search came to its end.
    pub(super) fn run(mut self, start: Option<&[usize]>) -> (Option<Selection>, bool) {
        if let Some(start) = start {
            self.offer(start.to_vec());
        }
        for measure in [Measure::Gain, Measure::GainPerByte] {
            let fixed = self.model.fixes.iter().map(|fix| *fix == Fix::In).collect();
            let mut set = self.ground.set(fixed);
            self.ground.settle(&mut set, measure);
            self.offer_flags(&set.is_there);
        }
        let legacy = Rc::new(Legacy::none());
        self.open(self.model.least(), self.model.fixes.clone(), &legacy);
        let mut is_over = true;
        while let Some(open) = self.next.take().or_else(|| self.heap.pop()) {
            if open.bound >= self.target() {
                self.given_up = self.given_up.min(open.bound);
                continue;
            }
            if (self.stop)() {
                let lowest = self.heap.peek().map_or(f64::INFINITY, |other| other.bound);
                self.given_up = self.given_up.min(open.bound).min(lowest);
                is_over = false;
                break;
            }
            self.nodes += 1;
            self.visit(open);
        }
        let Some((objective, chosen)) = self.best else {
            return (None, is_over);
        };
        let (objective, chosen) = self.ground.break_ties(self.problem, objective, chosen);
        let given_up = self.given_up.min(objective);
        let bound = given_up - ROUNDING * given_up.abs();
        let bound = if given_up < objective {
            bound
        } else {
            objective
        };
        let selection = Selection {
            chosen,
            objective,
            bound,
            is_proven: is_over,
            nodes: self.nodes,
        };
        (Some(selection), is_over)
    }

    /// Bounds from here on are good enough.
    pub(super) fn target(&self) -> f64 {
        self.best
            .as_ref()
            .map_or(self.ground.ceiling(), |(best, _)| best - CLOSE * best.abs())
    }

    pub(super) fn child(&mut self, bound: f64, fixes: Vec<Fix>, legacy: &Rc<Legacy>) -> Open {
        self.opened += 1;
        Open {
            bound,
            number: self.opened,
            fixes,
            legacy: Rc::clone(legacy),
        }
    }

    pub(super) fn open(&mut self, bound: f64, fixes: Vec<Fix>, legacy: &Rc<Legacy>) {
        let open = self.child(bound, fixes, legacy);
        self.heap.push(open);
    }

    fn offer(&mut self, mut chosen: Vec<usize>) {
        chosen.sort_unstable();
        chosen.dedup();
        let Some(value) = objective(self.problem, &chosen) else {
            return;
        };
        if self.best.as_ref().is_none_or(|(best, _)| value < *best) {
            self.best = Some((value, chosen));
        }
    }

    fn offer_flags(&mut self, is_there: &[bool]) {
        let chosen = is_there
            .iter()
            .enumerate()
            .filter(|(_, is_there)| **is_there);
        self.offer(chosen.map(|(index, _)| index).collect());
    }

    fn visit(&mut self, open: Open) {
        let Open {
            bound,
            mut fixes,
            legacy,
            ..
        } = open;
        let is_root = self.nodes == 1;
        let mut inherited = legacy;
        let mut floor = bound;
        for pass in 0..8 {
            let Ok(node) = Node::build(self.model, &mut fixes) else {
                return;
            };
            if node.slot_variable.is_empty() && node.upkeep.iter().all(|upkeep| *upkeep >= 0.0) {
                let is_there: Vec<_> = fixes.iter().map(|fix| *fix == Fix::In).collect();
                self.offer_flags(&is_there);
                return;
            }
            let mut dual = inherited.dual(&node, &mut self.scratch);
            let effort = if is_root && pass == 0 { ROOT } else { BELOW };
            let target = self.target();
            let mut ascent = Ascent::new(&node);
            ascent.raise(&mut dual, target, effort, self.stop);
            floor = floor.max(dual.bound);
            self.try_sets(&node, &dual, &fixes, is_root);
            if floor >= self.target() {
                self.given_up = self.given_up.min(floor);
                return;
            }
            let probe = probe(&mut ascent, &dual);
            inherited = Rc::new(Legacy::of(&node, &dual));
            let decided = self.decide(&node, &probe, &mut fixes);
            let Some(decided) = decided else { return };
            if decided == 0 || (decided * 10 < node.variables.len() && !is_root) {
                let seen = Seen {
                    node: &node,
                    dual: &dual,
                    probe: &probe,
                };
                self.branch(&seen, &fixes, floor, &inherited);
                return;
            }
        }
        self.open(floor, fixes, &inherited);
    }

    fn try_sets(&mut self, node: &Node, dual: &Dual, fixes: &[Fix], is_root: bool) {
        let wanted: Vec<_> = (node.variables.iter())
            .zip(&dual.x)
            .map(|(index, share)| (*index as usize, *share))
            .collect();
        let mut set = self.ground.round(fixes, &wanted);
        self.ground.settle(&mut set, Measure::Gain);
        self.offer_flags(&set.is_there);
        if is_root {
            self.ground.exchange(&mut set, self.stop);
            self.offer_flags(&set.is_there);
        }
    }

    /// Decides what can't be otherwise in a better set; `None` when there is no better set.
    fn decide(&mut self, node: &Node, probe: &Probe, fixes: &mut [Fix]) -> Option<usize> {
        let target = self.target();
        let mut decided = 0;
        for (variable, index) in node.variables.iter().enumerate() {
            let (if_in, if_out) = (probe.if_in[variable], probe.if_out[variable]);
            if if_in < target && if_out < target {
                continue;
            }
            self.given_up = self.given_up.min(if_in.max(if_out).max(target));
            let fix = &mut fixes[*index as usize];
            if if_in >= target && if_out >= target {
                return None;
            }
            *fix = if if_in >= target { Fix::Out } else { Fix::In };
            decided += 1;
        }
        Some(decided)
    }
}
