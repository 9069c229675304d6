//! Selection alone: 200 queries, 500 candidates, 20 budgets from 1 % to 95 % of all sizes.
//!
//! `cargo bench --bench select` prints for each seed and budget the time, the nodes, the gap, and
//! how much worse the greedy sets are, and fails when a set is not proven optimal or took over 5 s.
//! `MYDEX_BENCH_SEEDS` (a number, or a range like `3..5`), `MYDEX_BENCH_SECONDS` and
//! `MYDEX_BENCH_VARIANT` change what is run.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mydex::advisor::costs::{Configuration, IndexChoice, Problem, QueryCosts, Selection};
use mydex::advisor::select::{objective, query_cost, select};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

const QUERIES: usize = 200;
const CANDIDATES: usize = 500;
const BUDGETS: usize = 20;

/// What is added to configurations and sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
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

const VARIANTS: [(Variant, &str); 8] = [
    (Variant::Plain, "plain"),
    (Variant::Upkeep, "upkeep"),
    (Variant::Capped, "capped"),
    (Variant::Limits, "limits"),
    (Variant::Floors, "floors"),
    (Variant::Scattered, "scatter"),
    (Variant::Even, "even"),
    (Variant::Random, "random"),
];

struct World {
    random: Pcg64,
    /// Candidates of each table.
    tables: Vec<Vec<usize>>,
    problem: Problem,
}

impl World {
    fn new(seed: u64, variant: Variant) -> Self {
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
        Configuration { indexes, cost }
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
                configurations.push(Configuration { indexes, cost });
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
            }];
            for _ in 0..self.random.random_range(5..=40) {
                let number = self.random.random_range(1..=3);
                let mut indexes = BTreeSet::new();
                for _ in 0..number {
                    indexes.insert(self.skewed(CANDIDATES, 1.3));
                }
                let cost = base * self.random.random_range(0.05..0.95);
                let indexes = indexes.into_iter().collect();
                configurations.push(Configuration { indexes, cost });
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
                    });
                }
            }
        }
    }
}

/// Adds the index with the best score, one after the other, while one fits and gains.
fn greedy(problem: &Problem, score: fn(f64, u64) -> f64) -> Option<f64> {
    let mut queries_of = vec![BTreeSet::new(); problem.indexes.len()];
    for (place, query) in problem.queries.iter().enumerate() {
        for configuration in query.configurations.iter().chain(&query.floors) {
            for index in &configuration.indexes {
                queries_of[*index].insert(place);
            }
        }
    }
    let mut chosen: Vec<usize> = Vec::new();
    let mut value = objective(problem, &chosen)?;
    loop {
        let mut best: Option<(f64, usize)> = None;
        for (index, queries) in queries_of.iter().enumerate() {
            if chosen.contains(&index) {
                continue;
            }
            let Some(gain) = gain(problem, queries, &mut chosen, index) else {
                continue;
            };
            let score = score(gain, problem.indexes[index].bytes);
            if gain > 0.0 && best.is_none_or(|(most, _)| score > most) {
                chosen.push(index);
                if objective(problem, &chosen).is_some() {
                    best = Some((score, index));
                }
                chosen.pop();
            }
        }
        let Some((_, index)) = best else {
            return Some(value);
        };
        chosen.push(index);
        value = objective(problem, &chosen)?;
    }
}

fn gain(
    problem: &Problem,
    queries: &BTreeSet<usize>,
    chosen: &mut Vec<usize>,
    index: usize,
) -> Option<f64> {
    let cost = |chosen: &[usize]| -> Option<f64> {
        let queries = queries.iter().map(|query| &problem.queries[*query]);
        queries
            .map(|query| Some(query.weight * query_cost(query, chosen)?))
            .sum()
    };
    let before = cost(chosen)?;
    chosen.push(index);
    let after = cost(chosen);
    chosen.pop();
    Some(before - after? - problem.indexes[index].upkeep)
}

struct Limits {
    seeds: std::ops::Range<u64>,
    time: Duration,
    variant: Option<String>,
    with_greedy: bool,
}

fn limits() -> Limits {
    let seeds = std::env::var("MYDEX_BENCH_SEEDS").unwrap_or_default();
    let seeds = match seeds.split_once("..") {
        Some((from, to)) => from.parse().unwrap_or(1)..to.parse().unwrap_or(4),
        None => 1..seeds.parse::<u64>().map_or(4, |number| number + 1),
    };
    let seconds = std::env::var("MYDEX_BENCH_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    Limits {
        seeds,
        time: Duration::from_secs(seconds.unwrap_or(5)),
        variant: std::env::var("MYDEX_BENCH_VARIANT").ok(),
        with_greedy: std::env::var_os("MYDEX_BENCH_NO_GREEDY").is_none(),
    }
}

fn main() -> ExitCode {
    let limits = limits();
    let mut failures = 0;
    let mut slowest = Duration::ZERO;
    say("variant seed  budget %   time ms    nodes        gap  greedy by gain  by gain/size");
    for (variant, name) in VARIANTS {
        if limits.variant.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        for seed in limits.seeds.clone() {
            let mut problem = World::new(seed, variant).problem;
            let total: f64 = problem.indexes.iter().map(|index| index.bytes as f64).sum();
            say(&heading(name, seed, &problem));
            for step in 0..BUDGETS {
                let share = 0.01 * 95_f64.powf(step as f64 / (BUDGETS - 1) as f64);
                let budget = format!("{:.0}", total * share);
                problem.budget_bytes = budget.parse().ok();
                let (selection, took) = solve(&problem, limits.time);
                slowest = slowest.max(took);
                let is_fine = selection
                    .as_ref()
                    .is_none_or(|selection| selection.is_proven)
                    && took <= limits.time;
                failures += u32::from(!is_fine);
                say(&format!(
                    "{name:<7} {seed:>4} {:>9.2} {:>9.1} {}{}",
                    share * 100.0,
                    took.as_secs_f64() * 1e3,
                    describe(&problem, selection.as_ref(), limits.with_greedy),
                    if is_fine { "" } else { "  NOT PROVEN IN TIME" },
                ));
            }
        }
    }
    say(&format!(
        "slowest {:.2} s, {failures} failures",
        slowest.as_secs_f64()
    ));
    if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn heading(name: &str, seed: u64, problem: &Problem) -> String {
    let configurations: Vec<_> = problem
        .queries
        .iter()
        .flat_map(|query| &query.configurations)
        .collect();
    let used: BTreeSet<usize> = configurations
        .iter()
        .flat_map(|one| one.indexes.iter().copied())
        .collect();
    format!(
        "{name:<7} {seed:>4} {} queries, {} candidates ({} in some configuration), {} configurations",
        problem.queries.len(),
        problem.indexes.len(),
        used.len(),
        configurations.len(),
    )
}

fn solve(problem: &Problem, time: Duration) -> (Option<Selection>, Duration) {
    let started = Instant::now();
    let selection = select(problem, None, &mut || started.elapsed() > time).ok();
    (selection, started.elapsed())
}

fn describe(problem: &Problem, selection: Option<&Selection>, with_greedy: bool) -> String {
    let Some(selection) = selection else {
        return "   infeasible".to_owned();
    };
    let regret = |value: Option<f64>| {
        value.map_or_else(
            || "-".to_owned(),
            |value| format!("{:.2} %", (value / selection.objective - 1.0) * 100.0),
        )
    };
    let (by_gain, by_ratio) = if with_greedy {
        (
            regret(greedy(problem, |gain, _| gain)),
            regret(greedy(problem, |gain, bytes| gain / bytes.max(1) as f64)),
        )
    } else {
        Default::default()
    };
    format!(
        "{:>8} {:>10.1e} {by_gain:>15} {by_ratio:>13}",
        selection.nodes,
        selection.gap(),
    )
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
