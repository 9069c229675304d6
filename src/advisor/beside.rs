//! What is left when one change is not made: changes that only pay beside it are not made either.
//! Pure arithmetic over the table of costs.

use std::collections::BTreeSet;

use super::costs::Problem;
use super::effects::cost;

/// A gain smaller than this share of all that the affected queries cost is rounding.
const ROUNDING: f64 = 1e-9;

/// Which queries each index could matter to.
#[derive(Debug)]
pub struct Mentions(Vec<BTreeSet<usize>>);

impl Mentions {
    /// Those of all indexes of `problem`.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let mut all = vec![BTreeSet::new(); problem.indexes.len()];
        for (query, costs) in problem.queries.iter().enumerate() {
            let named = costs.configurations.iter().chain(&costs.floors);
            for index in named.flat_map(|one| &one.indexes) {
                if let Some(queries) = all.get_mut(*index) {
                    queries.insert(query);
                }
            }
        }
        Self(all)
    }

    /// What the objective falls by from one set to the other, in its unit, and the cost that it
    /// fell from. Only queries to which the change could matter are asked.
    fn saved(&self, problem: &Problem, from: &BTreeSet<usize>, to: &BTreeSet<usize>) -> (f64, f64) {
        let mut queries = BTreeSet::new();
        let (mut saved, mut whole) = (0.0, 0.0);
        for index in from.symmetric_difference(to) {
            queries.extend(self.0.get(*index).into_iter().flatten().copied());
            let upkeep = problem.indexes.get(*index).map_or(0.0, |one| one.upkeep);
            saved += if from.contains(index) {
                upkeep
            } else {
                -upkeep
            };
            whole += upkeep;
        }
        for query in queries
            .iter()
            .filter_map(|query| problem.queries.get(*query))
        {
            let before = query.weight * cost(query, from);
            saved += before - query.weight * cost(query, to);
            whole += before;
        }
        (saved, whole)
    }
}

/// From `set`, takes back one of `changes` after the other, that which saves most first, as long as
/// one saves anything. `undone` gives a set without one change. Gives what is left, and the changes
/// that were taken back.
pub fn retreat(
    problem: &Problem,
    mentions: &Mentions,
    mut set: BTreeSet<usize>,
    changes: &[usize],
    undone: impl Fn(usize, &BTreeSet<usize>) -> BTreeSet<usize>,
) -> (BTreeSet<usize>, Vec<usize>) {
    let mut taken = Vec::new();
    loop {
        let best = changes
            .iter()
            .filter(|change| !taken.contains(*change))
            .filter_map(|change| {
                let to = undone(*change, &set);
                let (saved, whole) = mentions.saved(problem, &set, &to);
                (saved > ROUNDING * whole).then_some((saved, *change, to))
            })
            .max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)));
        let Some((_, change, to)) = best else {
            return (set, taken);
        };
        taken.push(change);
        set = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::costs::{Configuration, IndexChoice, QueryCosts};
    use crate::advisor::effects::value;

    /// One query that two indexes make fast together, and slow where only the second is there; and
    /// one that the third helps by itself.
    fn problem() -> Problem {
        let configuration = |(indexes, cost, rank): (&[usize], f64, f64)| Configuration {
            indexes: indexes.to_vec(),
            cost,
            rank: Some(rank),
        };
        let query = |configurations: &[(&[usize], f64, f64)]| QueryCosts {
            weight: 1.0,
            configurations: configurations.iter().copied().map(configuration).collect(),
            ..QueryCosts::default()
        };
        Problem {
            indexes: vec![
                IndexChoice {
                    upkeep: 1.0,
                    ..IndexChoice::default()
                };
                3
            ],
            queries: vec![
                query(&[
                    (&[], 100.0, 100.0),
                    (&[1], 8_000.0, 50.0),
                    (&[0, 1], 1.0, 1.0),
                ]),
                query(&[(&[], 50.0, 50.0), (&[2], 5.0, 5.0)]),
            ],
            ..Problem::default()
        }
    }

    fn without(change: usize, set: &BTreeSet<usize>) -> BTreeSet<usize> {
        set.iter().copied().filter(|one| *one != change).collect()
    }

    #[test]
    fn what_only_pays_beside_another_goes_with_it() {
        let problem = problem();
        let mentions = Mentions::of(&problem);
        let start = BTreeSet::from([1, 2]);
        let (left, taken) = retreat(&problem, &mentions, start, &[1, 2], without);
        assert_eq!((left.clone(), taken), (BTreeSet::from([2]), vec![1]));
        // No more is lost than the two gained: 100 + 5 + 1 against 1 + 5 + 3.
        let lost = value(&problem, &left) - value(&problem, &BTreeSet::from([0, 1, 2]));
        assert!((lost - 97.0).abs() < 1e-9, "{lost}");
    }

    #[test]
    fn what_pays_by_itself_stays() {
        let problem = problem();
        let start = BTreeSet::from([0, 1]);
        let (left, taken) = retreat(
            &problem,
            &Mentions::of(&problem),
            start.clone(),
            &[0, 1],
            without,
        );
        assert_eq!((left, taken), (start, vec![]));
    }

    #[test]
    fn the_saving_of_the_affected_queries_is_that_of_all() {
        let problem = problem();
        let mentions = Mentions::of(&problem);
        let sets: Vec<BTreeSet<usize>> = (0..8_usize)
            .map(|bits| (0..3).filter(|bit| bits & (1 << bit) != 0).collect())
            .collect();
        for from in &sets {
            for to in &sets {
                let (saved, _) = mentions.saved(&problem, from, to);
                let whole = value(&problem, from) - value(&problem, to);
                assert!((saved - whole).abs() < 1e-9, "{from:?} {to:?}");
            }
        }
    }
}
