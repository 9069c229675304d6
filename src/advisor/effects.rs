//! What each chosen index contributes by itself, and why its nearest rivals lost. Pure arithmetic
//! over the table of costs.

use std::collections::BTreeSet;

use super::costs::{Problem, QueryCosts};

/// The cost of one execution under a set of indexes.
#[must_use]
pub fn cost(query: &QueryCosts, chosen: &BTreeSet<usize>) -> f64 {
    let within = |indexes: &[usize]| indexes.iter().all(|index| chosen.contains(index));
    let best = query
        .configurations
        .iter()
        .filter(|configuration| within(&configuration.indexes))
        .min_by(|one, other| one.order(other))
        .map_or(f64::INFINITY, |configuration| configuration.cost);
    query
        .floors
        .iter()
        .filter(|floor| within(&floor.indexes))
        .map(|floor| floor.cost)
        .fold(best, f64::max)
}

/// Weighted costs and upkeep of a set: what the selection minimizes.
#[must_use]
pub fn value(problem: &Problem, chosen: &BTreeSet<usize>) -> f64 {
    let queries: f64 = problem
        .queries
        .iter()
        .map(|query| query.weight * cost(query, chosen))
        .sum();
    let upkeep: f64 = chosen
        .iter()
        .filter_map(|index| problem.indexes.get(*index))
        .map(|index| index.upkeep)
        .sum();
    queries + upkeep
}

/// What one change of the chosen set does by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// What is lost, in the unit of the objective, if this change is left out.
    pub marginal: f64,
    /// The other changes, by place, that only pay beside it and are left out with it.
    pub beside: Vec<usize>,
    /// Queries whose cost it changes, with the factor: 0.1 is ten times cheaper.
    pub effects: Vec<(usize, f64)>,
}

/// Cost factors nearer to one than this are not told.
const NEGLIGIBLE: f64 = 0.005;

/// The contribution of a change: `chosen` against what is left without it, and without the changes
/// that go with it.
#[must_use]
pub fn contribution(
    problem: &Problem,
    (without, beside): (&BTreeSet<usize>, Vec<usize>),
    chosen: &BTreeSet<usize>,
) -> Contribution {
    let mut effects: Vec<(usize, f64)> = problem
        .queries
        .iter()
        .enumerate()
        .filter_map(|(query, costs)| {
            let (before, after) = (cost(costs, without), cost(costs, chosen));
            let factor = if before > 0.0 { after / before } else { 1.0 };
            ((factor - 1.0).abs() > NEGLIGIBLE).then_some((query, factor))
        })
        .collect();
    effects.sort_by(|one, other| one.1.total_cmp(&other.1));
    Contribution {
        marginal: value(problem, without) - value(problem, chosen),
        beside,
        effects,
    }
}

/// An index that could stand in place of a chosen one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rival {
    /// Its place.
    pub place: usize,
    /// How much more the objective would be, in its unit.
    pub worse: f64,
    /// It would not fit the budget.
    pub breaks_budget: bool,
}

/// The `most` best of `sets`, each with the place of its rival, best first.
#[must_use]
pub fn rivals(
    problem: &Problem,
    chosen: &BTreeSet<usize>,
    sets: impl IntoIterator<Item = (usize, BTreeSet<usize>)>,
    most: usize,
) -> Vec<Rival> {
    let now = value(problem, chosen);
    let new_bytes = |set: &BTreeSet<usize>| -> u64 {
        set.iter()
            .filter_map(|index| problem.indexes.get(*index))
            .filter(|index| !index.exists)
            .map(|index| index.bytes)
            .sum()
    };
    let mut found: Vec<Rival> = sets
        .into_iter()
        .map(|(place, set)| Rival {
            place,
            worse: value(problem, &set) - now,
            breaks_budget: problem
                .budget_bytes
                .is_some_and(|budget| new_bytes(&set) > budget),
        })
        .collect();
    found.sort_by(|one, other| {
        one.worse
            .total_cmp(&other.worse)
            .then(one.place.cmp(&other.place))
    });
    found.truncate(most);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::costs::{Configuration, IndexChoice};

    fn query(weight: f64, costs: &[(&[usize], f64)]) -> QueryCosts {
        QueryCosts {
            weight,
            configurations: costs
                .iter()
                .map(|(indexes, cost)| Configuration {
                    indexes: indexes.to_vec(),
                    cost: *cost,
                    rank: None,
                })
                .collect(),
            ..QueryCosts::default()
        }
    }

    fn problem() -> Problem {
        Problem {
            indexes: vec![
                IndexChoice {
                    bytes: 10,
                    upkeep: 1.0,
                    ..IndexChoice::default()
                };
                3
            ],
            queries: vec![
                query(2.0, &[(&[], 100.0), (&[0], 10.0), (&[1], 20.0)]),
                query(1.0, &[(&[], 50.0), (&[0, 2], 5.0)]),
            ],
            ..Problem::default()
        }
    }

    #[test]
    fn a_contribution_is_what_is_lost_without_it() {
        let problem = problem();
        let chosen = BTreeSet::from([0, 2]);
        assert!((value(&problem, &chosen) - 27.0).abs() < 1e-9);
        let first = contribution(&problem, (&BTreeSet::from([2]), vec![]), &chosen);
        // Without it both queries fall back: 200 + 50 + 1 of upkeep.
        assert!((first.marginal - 224.0).abs() < 1e-9);
        assert_eq!(first.effects, [(0, 0.1), (1, 0.1)]);
        let second = contribution(&problem, (&BTreeSet::from([0]), vec![]), &chosen);
        assert!((second.marginal - 44.0).abs() < 1e-9);
        assert_eq!(second.effects, [(1, 0.1)]);
    }

    #[test]
    fn rivals_are_judged_in_place_of_the_chosen() {
        let problem = problem();
        let chosen = BTreeSet::from([0]);
        let sets = [1, 2].map(|rival| (rival, BTreeSet::from([rival])));
        let rivals = rivals(&problem, &chosen, sets, 5);
        assert_eq!(rivals[0].place, 1);
        assert!((rivals[0].worse - 20.0).abs() < 1e-9);
        assert_eq!(rivals[1].place, 2);
    }

    #[test]
    fn the_plan_that_the_optimizer_takes_counts_and_not_the_cheapest() {
        let mut query = query(1.0, &[(&[], 100.0), (&[0], 300.0), (&[1], 20.0)]);
        query.configurations[1].rank = Some(10.0);
        assert!((cost(&query, &BTreeSet::from([1])) - 20.0).abs() < 1e-9);
        assert!((cost(&query, &BTreeSet::from([0, 1])) - 300.0).abs() < 1e-9);
    }

    #[test]
    fn floors_hold_where_their_indexes_are() {
        let mut query = query(1.0, &[(&[], 100.0), (&[0], 1.0)]);
        query.floors.push(Configuration {
            indexes: vec![0],
            cost: 150.0,
            rank: None,
        });
        assert!((cost(&query, &BTreeSet::from([0])) - 150.0).abs() < 1e-9);
        assert!((cost(&query, &BTreeSet::new()) - 100.0).abs() < 1e-9);
    }
}
