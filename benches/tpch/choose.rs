//! How sets are chosen, each way as good as the costs that it goes by.

use std::collections::BTreeSet;

use mydex::advisor::costs::{Configuration, IndexChoice, Problem, QueryCosts};
use mydex::advisor::select::{query_cost, select};

use super::Failure;
use super::reference::{CANDIDATES, Measured, Reference};

/// A plan may be this much slower than today's, as a share of it.
pub(crate) const TOLERANCE: f64 = 0.10;

/// Whose costs the choice goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// The optimizer's costs over the full data.
    Full,
    /// The same; the plans of the chosen set are run, and what they took goes back into the costs
    /// until the set stays.
    FullProven,
}

/// All tiers with their names in the table.
pub(crate) const TIERS: [(Tier, &str); 2] = [
    (Tier::Full, "EXPLAIN, full data"),
    (Tier::FullProven, "EXPLAIN, full data, proven"),
];

/// What a chooser may use.
pub(crate) struct Setting<'a> {
    pub(crate) reference: &'a Reference,
    /// Queries that count, by place.
    pub(crate) counted: &'a [usize],
}

/// The candidates that a tier chooses within a budget of bytes, as bits by their places.
pub(crate) async fn chosen(
    tier: Tier,
    budget: u64,
    setting: &Setting<'_>,
) -> Result<usize, Failure> {
    match tier {
        Tier::Full => by_costs(budget, setting, false),
        Tier::FullProven => by_costs(budget, setting, true),
    }
}

fn by_costs(budget: u64, setting: &Setting<'_>, is_proven: bool) -> Result<usize, Failure> {
    let queries: Vec<&Measured> = setting
        .counted
        .iter()
        .map(|place| &setting.reference.queries[*place])
        .collect();
    let mut problem = Problem {
        indexes: (setting.reference.bytes.iter())
            .map(|bytes| IndexChoice {
                bytes: *bytes,
                ..IndexChoice::default()
            })
            .collect(),
        queries: queries
            .iter()
            .map(|query| costs(query, is_proven))
            .collect(),
        budget_bytes: Some(budget),
        ..Problem::default()
    };
    // Costs are not monotone: an index that a plan does not use can change it. So the chosen set's
    // own costs are looked up, written back, and the choice is made again until it stays.
    for _ in 0..1000 {
        let selection = select(&problem, None, &mut || false)?;
        let set = selection.chosen.iter().map(|index| 1_usize << index).sum();
        let mut is_stable = true;
        for (query, costs) in queries.iter().zip(&mut problem.queries) {
            let expected = query_cost(costs, &selection.chosen).unwrap_or(f64::INFINITY);
            let real = if is_proven {
                query.seconds(set) * unit(query)
            } else {
                query.cost(set)
            };
            if (real - expected).abs() > 1e-9 * expected.abs() {
                is_stable = false;
                write_back(query, costs, set, real);
            }
        }
        if is_stable {
            return Ok(set);
        }
    }
    Err("the choice did not settle".into())
}

/// Cost units per second of a query, from its plan without any index.
fn unit(query: &Measured) -> f64 {
    query.cost(0) / query.seconds(0).max(1e-6)
}

/// The estimated costs; a subset counts when no smaller one is as good.
fn costs(query: &Measured, is_proven: bool) -> QueryCosts {
    let mut configurations: Vec<Configuration> = Vec::new();
    for subset in 0..query.subsets.len() {
        let (_, cost) = query.subsets[subset];
        let is_needed = (0..query.relevant.len())
            .filter(|bit| subset >> bit & 1 == 1)
            .all(|bit| query.subsets[subset & !(1 << bit)].1 > cost);
        if subset == 0 || is_needed {
            configurations.push(Configuration {
                indexes: places(query, subset),
                cost,
                rank: None,
            });
        }
    }
    QueryCosts {
        weight: 1.0 / unit(query),
        limit: is_proven.then(|| configurations[0].cost * (1.0 + TOLERANCE)),
        configurations,
        floors: Vec::new(),
    }
}

fn places(query: &Measured, subset: usize) -> Vec<usize> {
    let bits = query.relevant.iter().enumerate();
    bits.filter(|(bit, _)| subset >> bit & 1 == 1)
        .map(|(_, place)| *place)
        .collect()
}

/// Replaces what was expected of a set by what it is: better is a configuration, worse a floor.
fn write_back(query: &Measured, costs: &mut QueryCosts, set: usize, real: f64) {
    let indexes = places(query, query.project(set));
    let present: BTreeSet<usize> = indexes.iter().copied().collect();
    let holds = |one: &Configuration| one.indexes.iter().all(|index| present.contains(index));
    let own = Configuration {
        indexes: indexes.clone(),
        cost: real,
        rank: None,
    };
    costs
        .floors
        .retain(|floor| !(holds(floor) && floor.cost > real));
    if query_cost(costs, &indexes).is_none_or(|expected| expected > real) {
        costs.configurations.push(own);
    } else {
        costs.floors.push(own);
    }
}

/// The names of a set of candidates.
pub(crate) fn names(set: usize) -> String {
    let all = CANDIDATES.iter().enumerate();
    let names: Vec<&str> = all
        .filter(|(place, _)| set >> place & 1 == 1)
        .map(|(_, (_, name, _))| *name)
        .collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
