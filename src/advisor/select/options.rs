//! The problem in the form that the search works on: each query has options, and an option is a
//! cost that holds under literals, "this index is there" or "this index is not there".
//!
//! Floors vanish in this form: a configuration below a floor is an option at the floor's cost, and
//! one option at its own cost for each index of the floor that may be absent. A configuration that
//! the optimizer prefers although it costs more is a floor to those that it is preferred to.

use crate::advisor::costs::{Configuration, IndexChoice, Problem, QueryCosts};

/// Options made from one configuration at most; floors beyond are seen only when all their
/// indexes are decided.
const OPTIONS_PER_CONFIGURATION: usize = 48;

/// `2 * index`, and one more for "is not there".
pub(super) type Literal = u32;

/// Bytes, number and write cost, in this order.
pub(super) type Uses = [f64; 3];

/// What is decided about an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fix {
    Free,
    Out,
    In,
}

/// A cost that holds under all of its literals.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// Of one execution.
    pub(super) cost: f64,
    /// Ascending.
    pub(super) literals: Vec<Literal>,
    /// Where they stand in the query's list of literals.
    pub(super) places: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(super) struct Floor {
    pub(super) cost: f64,
    pub(super) indexes: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) weight: f64,
    pub(super) limit: f64,
    pub(super) choices: Vec<Choice>,
    pub(super) floors: Vec<Floor>,
    /// Indexes whose presence can raise a cost, ascending.
    pub(super) harmful: Vec<usize>,
    /// All literals of its choices, ascending.
    pub(super) literals: Vec<Literal>,
    /// Number of the first of its literals among those of all queries.
    pub(super) first_slot: usize,
}

/// The whole problem.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) upkeep: Vec<f64>,
    pub(super) uses: Vec<Uses>,
    pub(super) caps: Uses,
    pub(super) fixes: Vec<Fix>,
    pub(super) queries: Vec<Query>,
    /// Literals of all queries together.
    pub(super) slots: usize,
}

/// A number as it is stored in the tables of the search.
pub(super) fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(super) fn present(index: usize) -> Literal {
    small(index) * 2
}

pub(super) fn absent(index: usize) -> Literal {
    small(index) * 2 + 1
}

pub(super) fn index_of(literal: Literal) -> usize {
    (literal / 2) as usize
}

pub(super) fn is_absence(literal: Literal) -> bool {
    literal % 2 == 1
}

/// Weights are what they say; a weight that is no number, or negative, weighs nothing.
pub(super) fn weight(query: &QueryCosts) -> f64 {
    query.weight.max(0.0)
}

/// A write cost that is no number, or negative, is none.
pub(super) fn write_cost(index: &IndexChoice) -> f64 {
    finite(index.write_cost).max(0.0)
}

pub(super) fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

impl Model {
    pub(super) fn of(problem: &Problem) -> Self {
        let mut model = Self {
            upkeep: problem
                .indexes
                .iter()
                .map(|index| finite(index.upkeep))
                .collect(),
            uses: problem.indexes.iter().map(uses).collect(),
            caps: caps(problem),
            fixes: problem.indexes.iter().map(|_| Fix::Free).collect(),
            queries: Vec::new(),
            slots: 0,
        };
        for (fix, index) in model.fixes.iter_mut().zip(&problem.indexes) {
            if index.is_required {
                *fix = Fix::In;
            }
        }
        model.leave_out_what_does_not_fit();
        for query in &problem.queries {
            let query = Query::of(query, problem.indexes.len(), &model.fixes, model.slots);
            model.slots += query.literals.len();
            model.queries.push(query);
        }
        model.leave_out_what_serves_nothing();
        model
    }

    /// No set costs less: each query at its best, and all upkeep that saves something.
    pub(super) fn least(&self) -> f64 {
        let best = |query: &Query| {
            query
                .choices
                .first()
                .map_or(0.0, |choice| choice.cost * query.weight)
        };
        let saved = self
            .upkeep
            .iter()
            .map(|upkeep| upkeep.min(0.0))
            .sum::<f64>();
        let required = self.upkeep.iter().zip(&self.fixes);
        let required = required.filter(|(upkeep, fix)| **fix == Fix::In && **upkeep > 0.0);
        self.queries.iter().map(best).sum::<f64>()
            + saved
            + required.map(|(upkeep, _)| upkeep).sum::<f64>()
    }

    fn leave_out_what_does_not_fit(&mut self) {
        let mut left = self.caps;
        for (uses, fix) in self.uses.iter().zip(&self.fixes) {
            if *fix == Fix::In {
                for (left, used) in left.iter_mut().zip(uses) {
                    *left -= used;
                }
            }
        }
        for (uses, fix) in self.uses.iter().zip(&mut self.fixes) {
            let fits = uses
                .iter()
                .zip(left.iter().zip(&self.caps))
                .all(|(used, (left, cap))| *used <= 0.0 || *used <= left + slack(*cap));
            if *fix == Fix::Free && !fits {
                *fix = Fix::Out;
            }
        }
    }

    fn leave_out_what_serves_nothing(&mut self) {
        let mut serves = vec![false; self.fixes.len()];
        for literal in self.queries.iter().flat_map(|query| &query.literals) {
            serves[index_of(*literal)] |= !is_absence(*literal);
        }
        for (place, fix) in self.fixes.iter_mut().enumerate() {
            if *fix == Fix::Free && !serves[place] && self.upkeep[place] >= 0.0 {
                *fix = Fix::Out;
            }
        }
    }
}

/// What rounding may hide in a sum that is compared with a cap.
pub(super) fn slack(cap: f64) -> f64 {
    if cap.is_finite() {
        cap.abs() * 1e-9
    } else {
        0.0
    }
}

fn uses(index: &IndexChoice) -> Uses {
    if index.exists {
        return [0.0; 3];
    }
    [index.bytes as f64, 1.0, write_cost(index)]
}

fn caps(problem: &Problem) -> Uses {
    [
        problem
            .budget_bytes
            .map_or(f64::INFINITY, |bytes| bytes as f64),
        problem.max_indexes.map_or(f64::INFINITY, f64::from),
        problem.max_write_cost.unwrap_or(f64::INFINITY),
    ]
}

impl Query {
    fn of(query: &QueryCosts, indexes: usize, fixes: &[Fix], first_slot: usize) -> Self {
        let limit = query.limit.unwrap_or(f64::INFINITY);
        let mut floors: Vec<_> = query
            .floors
            .iter()
            .filter(|floor| is_usable(&floor.indexes, floor.cost, indexes))
            .filter(|floor| floor.indexes.iter().all(|index| fixes[*index] != Fix::Out))
            .map(|floor| Floor {
                cost: floor.cost,
                indexes: left(&floor.indexes, fixes),
            })
            .collect();
        floors.sort_by(Floor::descending);
        let usable: Vec<&Configuration> = query
            .configurations
            .iter()
            .filter(|one| {
                is_usable(&one.indexes, one.cost, indexes)
                    && one.indexes.iter().all(|index| fixes[*index] != Fix::Out)
            })
            .collect();
        let mut choices = Vec::new();
        let mut harmful: Vec<usize> = floors.iter().flat_map(Floor::indexes).collect();
        for configuration in &usable {
            let mut above = preferred(&usable, configuration, fixes);
            harmful.extend(above.iter().flat_map(Floor::indexes));
            above.extend(floors.iter().cloned());
            above.sort_by(Floor::descending);
            let mut split = Split {
                floors: &above,
                indexes: left(&configuration.indexes, fixes),
                choices: Vec::new(),
            };
            split.floor(0, configuration.cost, &mut Vec::new());
            choices.append(&mut split.choices);
        }
        harmful.sort_unstable();
        harmful.dedup();
        choices.retain(|choice| choice.cost <= limit);
        let weight = weight(query);
        if weight == 0.0 && harmful.is_empty() {
            for choice in &mut choices {
                choice.cost = 0.0;
            }
        }
        keep_best(&mut choices);
        let mut literals: Vec<_> = choices
            .iter()
            .flat_map(|choice| choice.literals.iter().copied())
            .collect();
        literals.sort_unstable();
        literals.dedup();
        for choice in &mut choices {
            choice.places = (choice.literals.iter())
                .map(|literal| small(literals.partition_point(|other| other < literal)))
                .collect();
        }
        Self {
            weight,
            limit,
            choices,
            floors,
            harmful,
            literals,
            first_slot,
        }
    }
}

impl Floor {
    fn indexes(&self) -> impl Iterator<Item = usize> {
        self.indexes.iter().copied()
    }

    fn descending(&self, other: &Self) -> std::cmp::Ordering {
        (other.cost.total_cmp(&self.cost)).then_with(|| self.indexes.cmp(&other.indexes))
    }
}

/// The configurations that the optimizer takes in place of `one`, and that cost more.
fn preferred(all: &[&Configuration], one: &Configuration, fixes: &[Fix]) -> Vec<Floor> {
    all.iter()
        .filter(|other| other.cost > one.cost && other.precedes(one))
        .map(|other| Floor {
            cost: other.cost,
            indexes: left(&other.indexes, fixes),
        })
        .collect()
}

/// A cost that can be reckoned with, of indexes that are known.
pub(super) fn is_usable(wanted: &[usize], cost: f64, indexes: usize) -> bool {
    cost.is_finite() && wanted.iter().all(|index| *index < indexes)
}

fn left(wanted: &[usize], fixes: &[Fix]) -> Vec<usize> {
    let mut left: Vec<_> = wanted
        .iter()
        .copied()
        .filter(|index| fixes[*index] != Fix::In)
        .collect();
    left.sort_unstable();
    left.dedup();
    left
}

/// Splits one configuration along the floors, the highest first.
struct Split<'a> {
    floors: &'a [Floor],
    indexes: Vec<usize>,
    choices: Vec<Choice>,
}

impl Split<'_> {
    fn floor(&mut self, place: usize, cost: f64, without: &mut Vec<usize>) {
        let is_full = self.choices.len() >= OPTIONS_PER_CONFIGURATION;
        let Some(floor) = self
            .floors
            .get(place)
            .filter(|floor| floor.cost > cost && !is_full)
        else {
            self.emit(cost, without);
            return;
        };
        if floor.indexes.iter().any(|index| without.contains(index)) {
            self.floor(place + 1, cost, without);
            return;
        }
        self.emit(floor.cost, without);
        for index in &floor.indexes {
            if !self.indexes.contains(index) {
                without.push(*index);
                self.floor(place + 1, cost, without);
                without.pop();
            }
        }
    }

    fn emit(&mut self, cost: f64, without: &[usize]) {
        let mut literals: Vec<_> = self.indexes.iter().map(|index| present(*index)).collect();
        literals.extend(without.iter().map(|index| absent(*index)));
        literals.sort_unstable();
        self.choices.push(Choice {
            cost,
            literals,
            places: Vec::new(),
        });
    }
}

/// Leaves out choices that another one makes pointless: no dearer and asking for no more.
fn keep_best(choices: &mut Vec<Choice>) {
    choices.sort_by(|a, b| {
        (a.cost.total_cmp(&b.cost))
            .then_with(|| a.literals.len().cmp(&b.literals.len()))
            .then_with(|| a.literals.cmp(&b.literals))
    });
    let mut kept: Vec<Choice> = Vec::with_capacity(choices.len());
    for choice in choices.drain(..) {
        let is_pointless = |better: &Choice| {
            better
                .literals
                .iter()
                .all(|literal| choice.literals.binary_search(literal).is_ok())
        };
        if !kept.iter().any(is_pointless) {
            kept.push(choice);
        }
    }
    *choices = kept;
}
