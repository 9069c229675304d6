//! Where the search splits, and what is kept of the parts.

use std::cmp::Ordering;
use std::rc::Rc;

use super::dual::{Ascent, Dual, Effort};
use super::node::Node;
use super::options::{Fix, Uses};
use super::probe::Probe;
use super::search::Search;

/// Trying out a decision.
const PEEK: Effort = Effort {
    rounds: 20,
    step: 0.2,
};
/// Indexes that are tried out at most.
const TRIED: usize = 8;
/// After so many tries of an index, what they showed is believed.
const TRIES: u32 = 8;
/// How much of the gap to the lowest bound a node may have used up and still be followed down.
const PLUNGE: f64 = 0.25;

/// Prices that a node leaves to its children, by slots of the whole problem.
#[derive(Debug)]
pub(super) struct Legacy {
    /// Only those above zero.
    prices: Vec<(u32, f32)>,
    side: Uses,
}

impl Legacy {
    pub(super) fn none() -> Self {
        Self {
            prices: Vec::new(),
            side: [0.0; 3],
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a price may be rounded: any price gives a valid bound"
    )]
    pub(super) fn of(node: &Node, dual: &Dual) -> Self {
        let prices = node.slot_number.iter().zip(&dual.prices);
        Self {
            prices: (prices.filter(|(_, price)| **price > 0.0))
                .map(|(slot, price)| (*slot, *price as f32))
                .collect(),
            side: dual.side,
        }
    }

    /// The prices for a node; `scratch` has a place for each slot of the whole problem, all zero.
    pub(super) fn dual(&self, node: &Node, scratch: &mut [f32]) -> Dual {
        for (slot, price) in &self.prices {
            scratch[*slot as usize] = *price;
        }
        let slots = node.slot_number.iter();
        let prices = slots
            .map(|slot| f64::from(scratch[*slot as usize]))
            .collect();
        for (slot, _) in &self.prices {
            scratch[*slot as usize] = 0.0;
        }
        Dual {
            prices,
            side: self.side,
            ..Dual::default()
        }
    }
}

/// A part of the problem that is still to be looked at.
pub(super) struct Open {
    pub(super) bound: f64,
    pub(super) number: u64,
    pub(super) fixes: Vec<Fix>,
    pub(super) legacy: Rc<Legacy>,
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

/// How much a decision raised the bound, for the whole way from one side to the other.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Past {
    sum: f64,
    tries: u32,
}

impl Past {
    fn learn(&mut self, rise: f64) {
        self.sum += rise;
        self.tries += 1;
    }

    fn mean(&self) -> f64 {
        self.sum / f64::from(self.tries.max(1))
    }
}

impl Search<'_> {
    /// Splits on the index whose decision, either way, raises the bound most; the children's bounds
    /// are tried out on the most promising ones.
    pub(super) fn branch(
        &mut self,
        seen: &Seen<'_>,
        fixes: &[Fix],
        floor: f64,
        legacy: &Rc<Legacy>,
    ) {
        let mut candidates = seen.worth(fixes);
        candidates.truncate(TRIED);
        let mut best: Option<(f64, usize, f64, [f64; 2])> = None;
        for (_, variable) in candidates {
            let index = seen.node.variables[variable] as usize;
            let x = seen.dual.x[variable];
            let mut bounds = [seen.probe.if_in[variable], seen.probe.if_out[variable]];
            let mut rises = [0.0; 2];
            for (side, fix) in [Fix::In, Fix::Out].into_iter().enumerate() {
                let way = if side == 0 { 1.0 - x } else { x }.max(0.01);
                let past = &mut self.past[index][side];
                if past.tries < TRIES {
                    let peek = self.peek(fixes, index, fix, legacy);
                    bounds[side] = bounds[side].max(floor).max(peek);
                    let rise = bounds[side].min(self.target()) - floor;
                    self.past[index][side].learn(rise / way);
                    rises[side] = rise;
                } else {
                    rises[side] = (past.mean() * way).max(bounds[side].min(self.target()) - floor);
                }
            }
            let [rise_in, rise_out] = rises.map(|rise| rise.max(1e-9 * floor.abs()));
            let score = rise_in * rise_out;
            if best.is_none_or(|(most, ..)| score > most) {
                best = Some((score, index, x, bounds.map(|bound| bound.max(floor))));
            }
            if bounds.iter().any(|bound| *bound >= self.target()) {
                break;
            }
        }
        let Some((_, index, share, bounds)) = best else {
            self.open(floor, fixes.to_vec(), legacy);
            return;
        };
        let lowest = self.heap.peek().map_or(floor, |open| open.bound.min(floor));
        let sides = [(Fix::In, bounds[0]), (Fix::Out, bounds[1])];
        // The likelier side is followed down at once, as far as it is not much worse than the rest.
        let likelier = usize::from(share < 0.5);
        for (place, (fix, bound)) in sides.into_iter().enumerate() {
            let mut fixes = fixes.to_vec();
            fixes[index] = fix;
            let open = self.child(bound, fixes, legacy);
            if place == likelier && bound <= lowest + (self.target() - lowest) * PLUNGE {
                self.next = Some(open);
            } else {
                self.heap.push(open);
            }
        }
    }

    /// A bound for the case that one more index is decided, with little effort.
    fn peek(&mut self, fixes: &[Fix], index: usize, fix: Fix, legacy: &Legacy) -> f64 {
        let mut fixes = fixes.to_vec();
        fixes[index] = fix;
        let Ok(node) = Node::build(self.model, &mut fixes) else {
            return f64::INFINITY;
        };
        let mut dual = legacy.dual(&node, &mut self.scratch);
        Ascent::new(&node).raise(&mut dual, self.target(), PEEK, self.stop);
        dual.bound
    }
}

/// What is known of a node after its prices are raised.
pub(super) struct Seen<'a> {
    pub(super) node: &'a Node,
    pub(super) dual: &'a Dual,
    pub(super) probe: &'a Probe,
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
            worth.push(((x.min(1.0 - x) + 1e-3) * mass[variable], variable));
        }
        worth.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        worth
    }
}
