use proptest::prelude::*;

use super::{objective, select};
use crate::advisor::costs::{Configuration, IndexChoice, Problem, QueryCosts};

fn configuration(indexes: usize) -> impl Strategy<Value = Configuration> {
    let places = proptest::collection::btree_set(0..indexes, 0..=3);
    (places, 1..60_u32).prop_map(|(places, cost)| Configuration {
        indexes: places.into_iter().collect(),
        cost: f64::from(cost),
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
            prop_assert!(selection.gap() <= crate::advisor::costs::Selection::GAP);
        }
    }
}
