//! What a set costs, exactly, and what it costs to change it by one index.

use super::options::{self, is_usable, weight};
use crate::advisor::costs::{Configuration, Problem, QueryCosts};

/// Weighted costs and upkeep of a set; `None` when it breaks a limit, lacks a required index, or
/// leaves a query without a plan.
///
/// Configurations and floors whose cost is no number, or that name an unknown index, do not count.
#[must_use]
pub fn objective(problem: &Problem, chosen: &[usize]) -> Option<f64> {
    let mut is_there = vec![false; problem.indexes.len()];
    for place in chosen {
        *is_there.get_mut(*place)? = true;
    }
    keeps_to_limits(problem, &is_there).then_some(())?;
    let mut sum = 0.0;
    for query in &problem.queries {
        sum += weight(query) * cost(query, &is_there)?;
    }
    for (index, is_there) in problem.indexes.iter().zip(&is_there) {
        if *is_there {
            sum += options::finite(index.upkeep);
        }
    }
    Some(sum)
}

fn keeps_to_limits(problem: &Problem, is_there: &[bool]) -> bool {
    let mut bytes: u64 = 0;
    let mut number: u32 = 0;
    let mut write_cost = 0.0;
    for (index, is_there) in problem.indexes.iter().zip(is_there) {
        if index.is_required && !is_there {
            return false;
        }
        if *is_there && !index.exists {
            bytes = bytes.saturating_add(index.bytes);
            number = number.saturating_add(1);
            write_cost += options::write_cost(index);
        }
    }
    problem.budget_bytes.is_none_or(|budget| bytes <= budget)
        && problem.max_indexes.is_none_or(|most| number <= most)
        && problem.max_write_cost.is_none_or(|most| write_cost <= most)
}

/// What is lost if one index of a set is left out and all else stays, in the unit of the
/// objective, for each of the set; below zero when leaving it out is better, `None` when that
/// breaks a limit, takes away a required index, or the set itself breaks a limit.
#[must_use]
pub fn marginals(problem: &Problem, chosen: &[usize]) -> Vec<Option<f64>> {
    let all = objective(problem, chosen);
    let without = |index: usize| {
        let rest: Vec<_> = chosen
            .iter()
            .copied()
            .filter(|other| *other != index)
            .collect();
        Some(objective(problem, &rest)? - all?)
    };
    chosen.iter().map(|index| without(*index)).collect()
}

/// The cost of one execution of a query with these indexes; `None` without a plan, or above the
/// query's limit.
#[must_use]
pub fn query_cost(query: &QueryCosts, chosen: &[usize]) -> Option<f64> {
    let named = query.configurations.iter().chain(&query.floors);
    let known = named
        .flat_map(|one| &one.indexes)
        .chain(chosen)
        .max()
        .map_or(0, |most| most + 1);
    let mut is_there = vec![false; known];
    for index in chosen {
        is_there[*index] = true;
    }
    cost(query, &is_there)
}

/// The cost of one execution with the indexes that are there; `None` without a plan, or above the
/// query's limit.
fn cost(query: &QueryCosts, is_there: &[bool]) -> Option<f64> {
    let holds = |configuration: &&Configuration| {
        is_usable(&configuration.indexes, configuration.cost, is_there.len())
            && configuration.indexes.iter().all(|index| is_there[*index])
    };
    let least = (query.configurations.iter().filter(holds))
        .min_by(|one, other| one.order(other))?
        .cost;
    let cost = (query.floors.iter().filter(holds)).fold(least, |cost, floor| cost.max(floor.cost));
    query
        .limit
        .is_none_or(|limit| cost <= limit)
        .then_some(cost)
}
