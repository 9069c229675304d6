//! Problems of selection, made from a seed.

use std::collections::BTreeSet;

use mydex::advisor::costs::{Configuration, IndexChoice, Problem, QueryCosts};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

/// Queries of a problem.
const QUERIES: usize = 200;
/// Candidates of a problem.
const CANDIDATES: usize = 500;

/// What is added to configurations and sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Only a budget.
    Plain,
    /// Every index has its upkeep.
    Upkeep,
    /// At most a number of indexes, and a write cost, besides the budget.
    Capped,
    /// Every third query must not get worse than a share of its first cost.
    Limits,
    /// Some plans were measured to be worse than their estimates; some indexes exist.
    Floors,
    /// Configurations of any candidates, without tables, up to 40 for every query, with upkeep.
    Scattered,
    /// As plain, with queries of like cost and candidates of like size: no few of them decide.
    Even,
    /// Configurations of any candidates at any cost.
    Random,
}

/// All of them, with their names.
pub(crate) const VARIANTS: [(Variant, &str); 8] = [
    (Variant::Plain, "plain"),
    (Variant::Upkeep, "upkeep"),
    (Variant::Capped, "capped"),
    (Variant::Limits, "limits"),
    (Variant::Floors, "floors"),
    (Variant::Scattered, "scatter"),
    (Variant::Even, "even"),
    (Variant::Random, "random"),
];

/// A problem in the making.
pub(crate) struct World {
    random: Pcg64,
    /// Candidates of each table.
    tables: Vec<Vec<usize>>,
    /// What is to be solved.
    pub(crate) problem: Problem,
}

impl World {
    /// The problem of this seed; its budget is not set.
    pub(crate) fn new(seed: u64, variant: Variant) -> Self {
        let mut world = Self {
            random: Pcg64::seed_from_u64(seed),
            tables: vec![Vec::new(); 40],
            problem: Problem::default(),
        };
        for place in 0..CANDIDATES {
            let table = world.skewed(40, 1.4);
            world.tables[table].push(place);
            let bytes = world.log_uniform(1e6, 1e10).round();
            world.problem.indexes.push(IndexChoice {
                bytes: format!("{bytes:.0}").parse().expect("a whole number"),
                ..IndexChoice::default()
            });
        }
        world.tables.retain(|table| !table.is_empty());
        if variant == Variant::Even {
            for index in &mut world.problem.indexes {
                index.bytes = world.random.random_range(100_000_000..400_000_000);
            }
        }
        for _ in 0..QUERIES {
            let query = world.query(variant == Variant::Even);
            world.problem.queries.push(query);
        }
        world.add(variant);
        world
    }

    /// A number below `bound`, small ones more often.
    fn skewed(&mut self, bound: usize, skew: f64) -> usize {
        let share: f64 = self.random.random_range(0.0..1.0_f64).powf(skew);
        (0..bound)
            .rfind(|place| *place as f64 <= share * bound as f64)
            .unwrap_or(0)
    }

    fn log_uniform(&mut self, least: f64, most: f64) -> f64 {
        self.random.random_range(least.ln()..most.ln()).exp()
    }

    fn query(&mut self, is_even: bool) -> QueryCosts {
        let most = if is_even { 20.0 } else { 1e5 };
        let base = self.log_uniform(10.0, most);
        let mut joined = Vec::new();
        for _ in 0..self.random.random_range(1..=3) {
            let table = self.skewed(self.tables.len(), 1.3);
            if !joined.contains(&table) {
                joined.push(table);
            }
        }
        // Per table a few candidates; a bigger one, which covers more, tends to gain more.
        let mut gains: Vec<Vec<(usize, f64)>> = Vec::new();
        for table in &joined {
            let members = self.tables[*table].clone();
            let mut some: Vec<(usize, f64)> = Vec::new();
            for _ in 0..self.random.random_range(2..=7) {
                let index = members[self.skewed(members.len(), 2.0)];
                let size = (self.problem.indexes[index].bytes as f64 / 1e6).ln() / 10.0;
                let gain = (self.random.random_range(0.0..0.8_f64) + 0.2 * size).min(0.97);
                if some.iter().all(|(other, _)| *other != index) {
                    some.push((index, gain));
                }
            }
            gains.push(some);
        }
        let mut configurations = vec![Configuration {
            indexes: Vec::new(),
            cost: base,
            rank: None,
        }];
        let wanted = self.random.random_range(5..=40);
        for _ in 0..wanted * 3 {
            if configurations.len() > wanted {
                break;
            }
            let configuration = self.configuration(base, &gains);
            if configurations
                .iter()
                .all(|other| other.indexes != configuration.indexes)
            {
                configurations.push(configuration);
            }
        }
        QueryCosts {
            weight: self.log_uniform(1.0, if is_even { 2.0 } else { 100.0 }),
            configurations,
            ..QueryCosts::default()
        }
    }

    /// One to three indexes; together on different tables they gain more than each by itself, on
    /// the same table hardly more than the better one.
    fn configuration(&mut self, base: f64, gains: &[Vec<(usize, f64)>]) -> Configuration {
        let number = self.random.random_range(1..=3);
        let mut taken: Vec<(usize, usize, f64)> = Vec::new();
        for _ in 0..number {
            let table = self.random.random_range(0..gains.len());
            let (index, gain) = gains[table][self.random.random_range(0..gains[table].len())];
            if taken.iter().all(|(_, other, _)| *other != index) {
                taken.push((table, index, gain));
            }
        }
        let mut cost = base;
        for table in 0..gains.len() {
            let on_table = taken.iter().filter(|(other, _, _)| *other == table);
            let mut kept: Vec<f64> = on_table.map(|(_, _, gain)| *gain).collect();
            kept.sort_by(f64::total_cmp);
            let best = kept.pop().unwrap_or(0.0);
            let more: f64 = kept.iter().sum::<f64>() * 0.15;
            // Alone in a join, an index shows a part of its gain only.
            let alone = if taken.len() == 1 && gains.len() > 1 {
                0.5
            } else {
                1.0
            };
            cost *= 1.0 - (best + more).min(0.985) * alone;
        }
        cost *= self.random.random_range(0.95..1.05);
        let mut indexes: Vec<usize> = taken.iter().map(|(_, index, _)| *index).collect();
        indexes.sort_unstable();
        Configuration {
            indexes,
            cost,
            rank: None,
        }
    }

    fn add(&mut self, variant: Variant) {
        match variant {
            Variant::Plain | Variant::Even => {}
            Variant::Upkeep => self.add_upkeep(),
            Variant::Capped => self.add_caps(),
            Variant::Limits => {
                for query in self.problem.queries.iter_mut().step_by(3) {
                    let base = query.configurations[0].cost;
                    let best = query.configurations.iter().map(|one| one.cost);
                    let best = best.fold(base, f64::min);
                    query.limit = Some(base - 0.1 * (base - best));
                }
            }
            Variant::Floors => self.add_floors(),
            Variant::Random => self.randomize(),
            Variant::Scattered => {
                self.scatter();
                self.add_upkeep();
            }
        }
    }

    fn scatter(&mut self) {
        for place in 0..QUERIES {
            let pool: Vec<(usize, f64)> = (0..self.random.random_range(6..25))
                .map(|_| {
                    (
                        self.skewed(CANDIDATES, 1.5),
                        self.random.random_range(0.1..0.6),
                    )
                })
                .collect();
            let base = self.problem.queries[place].configurations[0].cost;
            let mut configurations = vec![Configuration {
                indexes: Vec::new(),
                cost: base,
                rank: None,
            }];
            for _ in 0..40 {
                let mut cost = base;
                let mut indexes = BTreeSet::new();
                for number in 0..self.random.random_range(1..=3) {
                    let (index, gain) = pool[self.random.random_range(0..pool.len())];
                    if indexes.insert(index) {
                        cost *= 1.0 - gain * (1.0 + 0.2 * f64::from(number));
                    }
                }
                cost *= self.random.random_range(0.9..1.1);
                let indexes = indexes.into_iter().collect();
                configurations.push(Configuration {
                    indexes,
                    cost,
                    rank: None,
                });
            }
            self.problem.queries[place].configurations = configurations;
        }
    }

    fn randomize(&mut self) {
        for place in 0..QUERIES {
            let base = self.log_uniform(100.0, 1e4);
            let mut configurations = vec![Configuration {
                indexes: Vec::new(),
                cost: base,
                rank: None,
            }];
            for _ in 0..self.random.random_range(5..=40) {
                let number = self.random.random_range(1..=3);
                let mut indexes = BTreeSet::new();
                for _ in 0..number {
                    indexes.insert(self.skewed(CANDIDATES, 1.3));
                }
                let cost = base * self.random.random_range(0.05..0.95);
                let indexes = indexes.into_iter().collect();
                configurations.push(Configuration {
                    indexes,
                    cost,
                    rank: None,
                });
            }
            self.problem.queries[place].configurations = configurations;
            self.problem.queries[place].weight = self.log_uniform(1.0, 10.0);
        }
    }

    fn add_upkeep(&mut self) {
        let total: f64 = (self.problem.queries.iter())
            .map(|query| query.weight * query.configurations[0].cost)
            .sum();
        for place in 0..CANDIDATES {
            let share = self.log_uniform(1e-6, 1e-3);
            self.problem.indexes[place].upkeep = total * share;
        }
    }

    fn add_caps(&mut self) {
        self.problem.max_indexes = Some(25);
        let mut sum = 0.0;
        for place in 0..CANDIDATES {
            let cost = self.log_uniform(1.0, 20.0);
            self.problem.indexes[place].write_cost = cost;
            sum += cost;
        }
        self.problem.max_write_cost = Some(sum * 0.03);
    }

    fn add_floors(&mut self) {
        for place in 0..CANDIDATES {
            self.problem.indexes[place].exists = self.random.random_bool(0.1);
        }
        for place in 0..QUERIES {
            let configurations = self.problem.queries[place].configurations.clone();
            let base = configurations[0].cost;
            for configuration in &configurations[1..] {
                if self.random.random_bool(0.1) {
                    let worse = self.random.random_range(0.3..2.0);
                    self.problem.queries[place].floors.push(Configuration {
                        indexes: configuration.indexes.clone(),
                        cost: base * worse,
                        rank: None,
                    });
                }
            }
        }
    }
}
