use proptest::prelude::*;

use super::{Infeasible, marginals, objective, query_cost, select, select_without};
use crate::advisor::costs::{Configuration, IndexChoice, Problem, QueryCosts, Selection};

fn configuration(indexes: usize) -> impl Strategy<Value = Configuration> {
    let places = proptest::collection::btree_set(0..indexes, 0..=3);
    let rank = proptest::option::weighted(0.3, 1..60_u32);
    (places, 1..60_u32, rank).prop_map(|(places, cost, rank)| Configuration {
        indexes: places.into_iter().collect(),
        cost: f64::from(cost),
        rank: rank.map(f64::from),
    })
}

fn query(indexes: usize) -> impl Strategy<Value = QueryCosts> {
    (
        0..5_u32,
        proptest::collection::vec(configuration(indexes), 0..8),
        proptest::collection::vec(configuration(indexes), 0..3),
        proptest::option::weighted(0.2, 20..70_u32),
        proptest::bool::weighted(0.95),
    )
        .prop_map(|(weight, mut configurations, floors, limit, has_base)| {
            if has_base {
                configurations.push(Configuration {
                    indexes: Vec::new(),
                    cost: 50.0,
                    rank: None,
                });
            }
            QueryCosts {
                weight: f64::from(weight),
                configurations,
                floors,
                limit: limit.map(f64::from),
            }
        })
}

fn index() -> impl Strategy<Value = IndexChoice> {
    (
        1..40_u64,
        -1..6_i32,
        0..9_u32,
        proptest::bool::weighted(0.2),
        proptest::bool::weighted(0.05),
    )
        .prop_map(
            |(bytes, upkeep, write_cost, exists, is_required)| IndexChoice {
                bytes,
                upkeep: f64::from(upkeep),
                write_cost: f64::from(write_cost),
                exists,
                is_required,
            },
        )
}

fn problem() -> impl Strategy<Value = Problem> {
    (1..=11_usize)
        .prop_flat_map(|indexes| {
            (
                proptest::collection::vec(index(), indexes),
                proptest::collection::vec(query(indexes), 0..9),
                proptest::option::of(0..200_u64),
                proptest::option::weighted(0.3, 0..6_u32),
                proptest::option::weighted(0.3, 0..30_u32),
            )
        })
        .prop_map(
            |(indexes, queries, budget_bytes, max_indexes, max_write_cost)| Problem {
                indexes,
                queries,
                budget_bytes,
                max_indexes,
                max_write_cost: max_write_cost.map(f64::from),
            },
        )
}

fn members(set: u32) -> Vec<usize> {
    (0..32).filter(|place| set >> place & 1 == 1).collect()
}

fn brute_force(problem: &Problem) -> Option<f64> {
    (0..1_u32 << problem.indexes.len())
        .filter_map(|set| objective(problem, &members(set)))
        .min_by(f64::total_cmp)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_optimum_is_that_of_all_sets(problem in problem()) {
        let expected = brute_force(&problem);
        let selection = select(&problem, None, &mut || false).ok();
        prop_assert_eq!(selection.as_ref().map(|selection| selection.objective), expected);
        if let Some(selection) = selection {
            prop_assert!(selection.is_proven);
            prop_assert_eq!(objective(&problem, &selection.chosen), expected);
            prop_assert!(selection.bound <= selection.objective);
            prop_assert!(selection.gap() <= Selection::GAP);
        }
    }

    /// Whenever it is stopped, the set is one that keeps to the limits, and no set is below the bound.
    #[test]
    fn a_stopped_search_tells_what_it_knows(problem in problem(), polls in 0..60_u32) {
        let mut left = polls;
        let mut stop = || {
            let is_over = left == 0;
            left = left.saturating_sub(1);
            is_over
        };
        let expected = brute_force(&problem);
        match select(&problem, None, &mut stop) {
            Ok(selection) => {
                prop_assert_eq!(objective(&problem, &selection.chosen), Some(selection.objective));
                let least = expected.unwrap();
                prop_assert!(selection.bound <= least, "{:e} above {}", selection.bound - least, selection.objective);
                prop_assert!(least <= selection.objective);
                prop_assert!(!selection.is_proven || Some(selection.objective) == expected);
            }
            Err(Infeasible::Stopped) => {}
            Err(_) => prop_assert_eq!(expected, None),
        }
    }

    #[test]
    fn ties_go_to_fewer_indexes_then_bytes_then_lower_places(problem in problem()) {
        let Ok(selection) = select(&problem, None, &mut || false) else { return Ok(()) };
        let bytes = |index: usize| match &problem.indexes[index] {
            index if index.exists => 0,
            index => index.bytes,
        };
        for index in &selection.chosen {
            let mut others = selection.chosen.clone();
            others.retain(|other| other != index);
            prop_assert_ne!(objective(&problem, &others), Some(selection.objective));
            for other in 0..problem.indexes.len() {
                if selection.chosen.contains(&other)
                    || (bytes(other), other) > (bytes(*index), *index)
                {
                    continue;
                }
                others.push(other);
                prop_assert_ne!(objective(&problem, &others), Some(selection.objective));
                others.pop();
            }
        }
    }

    #[test]
    fn a_start_changes_no_optimum(problem in problem(), start in 0..1_u32 << 11) {
        let start = members(start);
        let with = select(&problem, Some(&start), &mut || false);
        let without = select(&problem, None, &mut || false);
        let value = |selection: Result<Selection, _>| selection.map(|selection| selection.objective);
        prop_assert_eq!(value(with), value(without));
    }

    #[test]
    fn the_best_set_without_an_index(problem in problem(), index in 0..11_usize) {
        let mut required = problem.clone();
        let index = index % problem.indexes.len();
        required.indexes[index].is_required = false;
        let expected = (0..1_u32 << problem.indexes.len())
            .filter(|set| set >> index & 1 == 0)
            .filter_map(|set| objective(&required, &members(set)))
            .min_by(f64::total_cmp);
        let found = select_without(&problem, index, None, &mut || false);
        if let Ok(found) = &found {
            prop_assert!(!found.chosen.contains(&index));
        }
        prop_assert_eq!(found.ok().map(|found| found.objective), expected);
    }

    #[test]
    fn the_objective_is_the_sum_of_its_parts(problem in problem(), set in 0..1_u32 << 11) {
        let chosen = members(set & ((1 << problem.indexes.len()) - 1));
        let costs: Option<f64> = (problem.queries.iter())
            .map(|query| Some(query.weight * query_cost(query, &chosen)?))
            .sum();
        let upkeep: f64 = chosen.iter().map(|index| problem.indexes[*index].upkeep).sum();
        if let Some(value) = objective(&problem, &chosen) {
            prop_assert_eq!(costs.map(|costs| costs + upkeep), Some(value));
        }
    }
}

fn two_queries() -> Problem {
    let one = |indexes: &[usize], cost| Configuration {
        indexes: indexes.to_vec(),
        cost,
        rank: None,
    };
    Problem {
        indexes: vec![
            IndexChoice {
                bytes: 10,
                ..IndexChoice::default()
            },
            IndexChoice {
                bytes: 20,
                upkeep: 5.0,
                ..IndexChoice::default()
            },
        ],
        queries: vec![
            QueryCosts {
                weight: 2.0,
                configurations: vec![one(&[], 100.0), one(&[0], 40.0), one(&[0, 1], 10.0)],
                ..QueryCosts::default()
            },
            QueryCosts {
                weight: 1.0,
                configurations: vec![one(&[], 50.0), one(&[1], 30.0)],
                ..QueryCosts::default()
            },
        ],
        ..Problem::default()
    }
}

#[test]
fn marginal_gains_are_what_is_lost_without_one_index() {
    let problem = two_queries();
    let selection = select(&problem, None, &mut || false).unwrap();
    assert_eq!(selection.chosen, [0, 1]);
    assert!((selection.objective - 55.0).abs() < 1e-9);
    assert_eq!(
        marginals(&problem, &selection.chosen),
        [Some(180.0), Some(75.0)]
    );
}

#[test]
fn a_floor_makes_an_index_not_worth_it() {
    let mut problem = two_queries();
    problem.queries[0].floors = vec![Configuration {
        indexes: vec![0, 1],
        cost: 90.0,
        rank: None,
    }];
    let selection = select(&problem, None, &mut || false).unwrap();
    assert_eq!(selection.chosen, [0]);
    assert!((selection.objective - 130.0).abs() < 1e-9);
}

#[test]
fn a_budget_is_kept() {
    let problem = Problem {
        budget_bytes: Some(29),
        ..two_queries()
    };
    assert_eq!(select(&problem, None, &mut || false).unwrap().chosen, [0]);
}

#[test]
fn an_unreachable_limit_names_its_query() {
    let mut problem = two_queries();
    problem.queries[1].limit = Some(29.0);
    let answer = select(&problem, None, &mut || false);
    assert_eq!(answer, Err(Infeasible::Query { query: 1 }));
    problem.queries[1].limit = Some(30.0);
    problem.budget_bytes = Some(19);
    let answer = select(&problem, None, &mut || false);
    assert!(matches!(
        answer,
        Err(Infeasible::Query { query: 1 } | Infeasible::Limits)
    ));
}

#[test]
fn nothing_to_decide_is_decided() {
    let selection = select(&Problem::default(), None, &mut || false).unwrap();
    assert!(selection.is_proven && selection.chosen.is_empty());
    assert!(selection.gap().abs() < 1e-12);
}

#[test]
fn numbers_that_are_none_do_no_harm() {
    let mut problem = two_queries();
    problem.indexes[0].upkeep = f64::NAN;
    problem.queries[0].configurations.push(Configuration {
        indexes: vec![9],
        cost: 1.0,
        rank: None,
    });
    problem.queries[0].configurations.push(Configuration {
        indexes: vec![1],
        cost: f64::NAN,
        rank: None,
    });
    problem.queries[1].weight = f64::NAN;
    assert_eq!(
        select(&problem, None, &mut || false).unwrap().chosen,
        [0, 1]
    );
}
