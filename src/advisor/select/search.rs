//! Branch and bound over the indexes, the lowest bound first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::rc::Rc;

use super::dual::{Ascent, Dual, Effort};
use super::evaluate::objective;
use super::improve::{Ground, Measure};
use super::node::Node;
use super::options::{Fix, Model, Uses};
use super::probe::{Probe, probe};
use crate::advisor::costs::{Problem, Selection};

/// A node is given up when its bound is this close to the best set, relatively.
const CLOSE: f64 = 1e-9;
const ROOT: Effort = Effort {
    rounds: 1500,
    step: 0.5,
};
/// Trying out a decision.
const PEEK: Effort = Effort {
    rounds: 20,
    step: 0.2,
};
const TRIED: usize = 6;
const BELOW: Effort = Effort {
    rounds: 60,
    step: 0.2,
};

/// Prices that a node leaves to its children, by slots of the whole problem.
#[derive(Debug)]
struct Legacy {
    prices: Vec<f32>,
    side: Uses,
}

struct Open {
    bound: f64,
    number: u64,
    fixes: Vec<Fix>,
    legacy: Rc<Legacy>,
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Open {}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .bound
            .total_cmp(&self.bound)
            .then_with(|| other.number.cmp(&self.number))
    }
}

pub(super) struct Search<'a> {
    problem: &'a Problem,
    model: &'a Model,
    ground: Ground<'a>,
    stop: &'a mut dyn FnMut() -> bool,
    heap: BinaryHeap<Open>,
    best: Option<(f64, Vec<usize>)>,
    /// Least bound of the nodes that were given up for being close to the best set.
    given_up: f64,
    nodes: u64,
    opened: u64,
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
            best: None,
            given_up: f64::INFINITY,
            nodes: 0,
            opened: 0,
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
        let legacy = Rc::new(Legacy {
            prices: vec![0.0; self.model.slots],
            side: [0.0; 3],
        });
        self.open(f64::NEG_INFINITY, self.model.fixes.clone(), &legacy);
        let mut is_over = true;
        while let Some(open) = self.heap.pop() {
            if open.bound >= self.target() {
                self.given_up = self.given_up.min(open.bound);
                continue;
            }
            if (self.stop)() {
                self.given_up = self.given_up.min(open.bound);
                is_over = false;
                break;
            }
            self.nodes += 1;
            self.visit(open);
        }
        let (objective, chosen) = match self.best {
            Some(best) => best,
            None => return (None, is_over),
        };
        let bound = self.given_up.min(objective);
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
    fn target(&self) -> f64 {
        self.best
            .as_ref()
            .map_or(self.ground.ceiling(), |(best, _)| best - CLOSE * best.abs())
    }

    fn open(&mut self, bound: f64, fixes: Vec<Fix>, legacy: &Rc<Legacy>) {
        self.opened += 1;
        self.heap.push(Open {
            bound,
            number: self.opened,
            fixes,
            legacy: Rc::clone(legacy),
        });
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
            let mut dual = inherit(&node, &inherited);
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
            inherited = Rc::new(bequeath(self.model, &node, &dual));
            let decided = self.decide(&node, &probe, &mut fixes);
            let Some(decided) = decided else { return };
            if decided == 0 || (decided * 10 < node.variables.len() && !is_root) {
                let seen = Seen {
                    node: &node,
                    dual: &dual,
                    probe: &probe,
                    main_price: 0.0,
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

    /// Splits on the index whose decision, either way, raises the bound most; the children's bounds
    /// are tried out on the most promising ones.
    fn branch(&mut self, seen: &Seen<'_>, fixes: &[Fix], floor: f64, legacy: &Rc<Legacy>) {
        let mut candidates = seen.worth(fixes);
        candidates.truncate(TRIED);
        let mut best: Option<(f64, usize, [f64; 2])> = None;
        for (_, variable) in candidates {
            let index = seen.node.variables[variable] as usize;
            let mut bounds = [seen.probe.if_in[variable], seen.probe.if_out[variable]];
            for (bound, fix) in bounds.iter_mut().zip([Fix::In, Fix::Out]) {
                *bound = bound.max(floor).max(self.peek(fixes, index, fix, legacy));
            }
            let target = self.target();
            let rise = bounds.map(|bound| (bound.min(target) - floor).max(1e-9 * floor.abs()));
            let score = rise[0] * rise[1];
            if best.is_none_or(|(most, _, _)| score > most) {
                best = Some((score, index, bounds));
            }
            if bounds.iter().any(|bound| *bound >= target) {
                break;
            }
        }
        let Some((_, index, bounds)) = best else {
            self.open(floor, fixes.to_vec(), legacy);
            return;
        };
        for (fix, bound) in [Fix::In, Fix::Out].into_iter().zip(bounds) {
            let mut fixes = fixes.to_vec();
            fixes[index] = fix;
            self.open(bound, fixes, legacy);
        }
    }

    /// A bound for the case that one more index is decided, with little effort.
    fn peek(&mut self, fixes: &[Fix], index: usize, fix: Fix, legacy: &Legacy) -> f64 {
        let mut fixes = fixes.to_vec();
        fixes[index] = fix;
        let Ok(node) = Node::build(self.model, &mut fixes) else {
            return f64::INFINITY;
        };
        let mut dual = inherit(&node, legacy);
        Ascent::new(&node).raise(&mut dual, self.target(), PEEK, self.stop);
        dual.bound
    }
}

/// What is known of a node after its prices are raised.
struct Seen<'a> {
    node: &'a Node,
    dual: &'a Dual,
    probe: &'a Probe,
    main_price: f64,
}

impl Seen<'_> {
    /// Undecided variables, those first where a decision moves most.
    fn worth(&self, fixes: &[Fix]) -> Vec<(f64, usize)> {
        let node = self.node;
        let mut mass = node
            .upkeep
            .iter()
            .map(|upkeep| upkeep.abs())
            .collect::<Vec<_>>();
        for (slot, price) in self.dual.prices.iter().enumerate() {
            mass[node.slot_variable[slot] as usize] += price;
        }
        let mut worth = Vec::new();
        for (variable, index) in node.variables.iter().enumerate() {
            if fixes[*index as usize] != Fix::Free {
                continue;
            }
            let x = self.dual.x[variable];
            let price = self.main_price * node.uses[variable][0];
            worth.push(((x.min(1.0 - x) + 1e-3) * (mass[variable] + price), variable));
        }
        worth.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        worth
    }
}

fn inherit(node: &Node, legacy: &Legacy) -> Dual {
    let prices = node
        .slot_number
        .iter()
        .map(|slot| f64::from(legacy.prices[*slot as usize]))
        .collect();
    Dual {
        prices,
        side: legacy.side,
        ..Dual::default()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a price may be rounded: any price is valid"
)]
fn bequeath(model: &Model, node: &Node, dual: &Dual) -> Legacy {
    let mut prices = vec![0.0; model.slots];
    for (slot, price) in node.slot_number.iter().zip(&dual.prices) {
        prices[*slot as usize] = *price as f32;
    }
    Legacy {
        prices,
        side: dual.side,
    }
}
