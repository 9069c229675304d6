//! The greedy answers that selection is compared with.

use std::collections::BTreeSet;

use mydex::advisor::costs::Problem;
use mydex::advisor::select::{objective, query_cost};

/// Adds the index with the best score, one after the other, while one fits and gains.
pub(crate) fn greedy(problem: &Problem, score: fn(f64, u64) -> f64) -> Option<f64> {
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
