//! What deciding one index would do to the bound, from prices that are there already.

use super::dual::{Answer, Ascent, Dual};

/// Lower bounds when a variable is decided.
#[derive(Debug, Clone, Default)]
pub(super) struct Probe {
    pub(super) if_out: Vec<f64>,
    pub(super) if_in: Vec<f64>,
}

/// Bounds for each variable; the dual's prices stay.
///
/// When a variable is decided, its prices may be dropped on the side where it is there, and
/// the choices that need it fall away on the other; both raise the bound further than its reduced
/// price alone.
pub(super) fn probe(ascent: &mut Ascent<'_>, dual: &Dual) -> Probe {
    let node = ascent.node;
    let main = ascent.main;
    let answer = ascent.ask(&dual.prices, &dual.side);
    let mut probe = own_prices(node, main, answer);
    let mut with = vec![f64::INFINITY; dual.prices.len()];
    let mut values = Vec::new();
    for query in 0..node.queries.len() - 1 {
        let choices = node.choices_of(query);
        values.clear();
        for choice in choices.clone() {
            let slots = node.slots_of(choice);
            let value = node.costs[choice]
                + slots
                    .iter()
                    .map(|slot| dual.prices[*slot as usize])
                    .sum::<f64>();
            values.push(value);
            for slot in slots {
                let with = &mut with[*slot as usize];
                *with = with.min(value);
            }
        }
        let pick = answer.picks[query] as usize;
        let least = values[pick - choices.start];
        for choice in choices.clone() {
            for slot in node.slots_of(choice) {
                let slot = *slot as usize;
                if with[slot].is_infinite() {
                    continue;
                }
                let rise = (with[slot] - least).min(dual.prices[slot]);
                with[slot] = f64::INFINITY;
                probe.raise(node.slot_variable[slot], !node.slot_absent[slot], rise);
            }
        }
        for slot in node.slots_of(pick) {
            let without = (choices.clone().zip(&values))
                .filter(|(choice, _)| !node.slots_of(*choice).contains(slot))
                .fold(f64::INFINITY, |least, (_, value)| least.min(*value));
            let slot = *slot as usize;
            probe.raise(
                node.slot_variable[slot],
                node.slot_absent[slot],
                without - least,
            );
        }
    }
    probe
}

fn own_prices(node: &super::node::Node, main: Option<usize>, answer: &Answer) -> Probe {
    let mut probe = Probe::default();
    for (reduced, uses) in answer.reduced.iter().zip(&node.uses) {
        let price = reduced + main.map_or(0.0, |cap| answer.main_price * uses[cap]);
        probe.if_in.push(answer.value + price.max(0.0));
        probe.if_out.push(answer.value + (-price).max(0.0));
    }
    probe
}

impl Probe {
    fn raise(&mut self, variable: u32, is_in: bool, by: f64) {
        let side = if is_in {
            &mut self.if_in
        } else {
            &mut self.if_out
        };
        side[variable as usize] += by;
    }
}
