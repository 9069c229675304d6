//! What is left of the problem after some indexes are decided, in flat tables.

use super::options::{Fix, Model, Query, Uses, index_of, is_absence, small};

const NONE: u32 = u32::MAX;

/// The undecided part: variables are the free indexes, slots the literals of each query.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Cost of what is decided.
    pub(super) constant: f64,
    /// Indexes of the variables.
    pub(super) variables: Vec<u32>,
    pub(super) upkeep: Vec<f64>,
    pub(super) uses: Vec<Uses>,
    /// What is left of the caps.
    pub(super) caps: Uses,
    /// First choice of each query, and the end.
    pub(super) queries: Vec<u32>,
    /// Weighted.
    pub(super) costs: Vec<f64>,
    /// First entry in `entries` of each choice, and the end.
    pub(super) choices: Vec<u32>,
    /// Slots of the choices.
    pub(super) entries: Vec<u32>,
    /// Variable of each slot.
    pub(super) slot_variable: Vec<u32>,
    /// The slot asks for the absence of its variable.
    pub(super) slot_absent: Vec<bool>,
    /// Number of the slot in the whole problem.
    pub(super) slot_number: Vec<u32>,
}

/// Why there is no node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Impossible;

impl Node {
    /// Decides what follows from what is decided, and builds the rest.
    pub(super) fn build(model: &Model, fixes: &mut [Fix]) -> Result<Self, Impossible> {
        loop {
            let mut builder = Builder::new(model, fixes)?;
            for query in &model.queries {
                builder.query(query)?;
            }
            let forced = builder.forced();
            if forced.is_empty() {
                return Ok(builder.node);
            }
            for (index, fix) in forced {
                if fixes[index] != Fix::Free && fixes[index] != fix {
                    return Err(Impossible);
                }
                fixes[index] = fix;
            }
        }
    }

    pub(super) fn slots_of(&self, choice: usize) -> &[u32] {
        &self.entries[self.choices[choice] as usize..self.choices[choice + 1] as usize]
    }

    pub(super) fn choices_of(&self, query: usize) -> std::ops::Range<usize> {
        self.queries[query] as usize..self.queries[query + 1] as usize
    }
}

struct Builder<'a> {
    model: &'a Model,
    fixes: &'a [Fix],
    node: Node,
    variable_of: Vec<u32>,
    /// Literals that hold in every choice of some query.
    needed: Vec<(usize, Fix)>,
    /// Slot of each literal of the query at hand, and how many choices have it.
    slot_of: Vec<(u32, u32)>,
}

impl<'a> Builder<'a> {
    fn new(model: &'a Model, fixes: &'a [Fix]) -> Result<Self, Impossible> {
        let mut node = Node {
            caps: model.caps,
            ..Node::default()
        };
        let mut variable_of = vec![NONE; fixes.len()];
        for (index, fix) in fixes.iter().enumerate() {
            match fix {
                Fix::Out => {}
                Fix::In => {
                    node.constant += model.upkeep[index];
                    for (cap, used) in node.caps.iter_mut().zip(model.uses[index]) {
                        *cap -= used;
                    }
                }
                Fix::Free => {
                    variable_of[index] = small(node.variables.len());
                    node.variables.push(small(index));
                    node.upkeep.push(model.upkeep[index]);
                    node.uses.push(model.uses[index]);
                }
            }
        }
        for (left, cap) in node.caps.iter_mut().zip(model.caps) {
            *left += super::options::slack(cap);
            if *left < 0.0 {
                return Err(Impossible);
            }
        }
        node.queries.push(0);
        node.choices.push(0);
        Ok(Self {
            model,
            fixes,
            node,
            variable_of,
            needed: Vec::new(),
            slot_of: Vec::new(),
        })
    }

    fn query(&mut self, query: &Query) -> Result<(), Impossible> {
        let fixes = self.fixes;
        let floor = (query.floors.iter())
            .filter(|floor| floor.indexes.iter().all(|index| fixes[*index] == Fix::In))
            .fold(f64::NEG_INFINITY, |highest, floor| highest.max(floor.cost));
        if floor > query.limit {
            return Err(Impossible);
        }
        let node = &mut self.node;
        let first = node.costs.len();
        self.slot_of.clear();
        self.slot_of.resize(query.literals.len(), (NONE, 0));
        let mut last = f64::INFINITY;
        for choice in &query.choices {
            // Choices are in the order of their costs: none behind a free one can be better.
            let cost = choice.cost.max(floor);
            if cost >= last {
                continue;
            }
            let holds = |literal: &u32| match fixes[index_of(*literal)] {
                Fix::Free => true,
                Fix::In => !is_absence(*literal),
                Fix::Out => is_absence(*literal),
            };
            if !choice.literals.iter().all(holds) {
                continue;
            }
            let before = node.entries.len();
            for (literal, place) in choice.literals.iter().zip(&choice.places) {
                let variable = self.variable_of[index_of(*literal)];
                if variable == NONE {
                    continue;
                }
                let (slot, count) = &mut self.slot_of[*place as usize];
                if *slot == NONE {
                    *slot = small(node.slot_variable.len());
                    node.slot_variable.push(variable);
                    node.slot_absent.push(is_absence(*literal));
                    node.slot_number.push(small(query.first_slot) + place);
                }
                *count += 1;
                node.entries.push(*slot);
            }
            if node.entries.len() == before {
                last = cost;
            }
            node.costs.push(cost * query.weight);
            node.choices.push(small(node.entries.len()));
        }
        let number = node.costs.len() - first;
        if number == 0 {
            return Err(Impossible);
        }
        for (place, (_, count)) in self.slot_of.iter().enumerate() {
            if *count as usize == number {
                let literal = query.literals[place];
                let fix = if is_absence(literal) {
                    Fix::Out
                } else {
                    Fix::In
                };
                self.needed.push((index_of(literal), fix));
            }
        }
        if number == 1 {
            node.constant += node.costs[first];
            node.costs.pop();
            node.choices.pop();
        } else {
            node.queries.push(small(node.costs.len()));
        }
        Ok(())
    }

    /// What is decided by what is decided already.
    fn forced(&mut self) -> Vec<(usize, Fix)> {
        let mut forced = std::mem::take(&mut self.needed);
        let node = &self.node;
        let mut helps = vec![false; node.variables.len()];
        let mut harms = vec![false; node.variables.len()];
        for (variable, absent) in node.slot_variable.iter().zip(&node.slot_absent) {
            let marks = if *absent { &mut harms } else { &mut helps };
            marks[*variable as usize] = true;
        }
        for (variable, index) in node.variables.iter().enumerate() {
            let index = *index as usize;
            let fits = (node.uses[variable].iter().zip(node.caps)).all(|(used, cap)| *used <= cap);
            let upkeep = node.upkeep[variable];
            if !fits || (!helps[variable] && upkeep >= 0.0) {
                forced.push((index, Fix::Out));
            } else if upkeep <= 0.0
                && !harms[variable]
                && node.uses[variable].iter().all(|used| *used == 0.0)
                && !self.is_harmful(index)
            {
                forced.push((index, Fix::In));
            }
        }
        forced
    }

    fn is_harmful(&self, index: usize) -> bool {
        let mut queries = self.model.queries.iter();
        queries.any(|query| query.harmful.binary_search(&index).is_ok())
    }
}
