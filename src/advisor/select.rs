//! The set of indexes with the least cost within the limits, proven.

mod branch;
mod dual;
mod evaluate;
mod improve;
mod node;
mod options;
mod probe;
mod search;
#[cfg(test)]
mod tests;
mod ties;

pub use self::evaluate::{marginals, objective, query_cost};
use self::options::Model;
use self::search::Search;
use super::costs::{Problem, Selection};

/// Why there is no set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Infeasible {
    /// No set of indexes brings this query, by its place, within its limit, whatever it takes.
    #[error("no set of indexes keeps query {query} within its limit; loosen it")]
    Query {
        /// Place in [`Problem::queries`].
        query: usize,
    },
    /// No set keeps to the limits.
    #[error("no set of indexes keeps to all limits; loosen one")]
    Limits,
    /// The search was stopped before it found a set.
    #[error("stopped before a set of indexes was found that keeps to all limits")]
    Stopped,
}

/// The set with the least [`objective`]. `start` is a set to begin with, if it keeps to the limits.
/// When `stop` says so, the best set so far is given, with a bound for all others.
///
/// The same problem and start give the same answer, unless stopped.
pub fn select(
    problem: &Problem,
    start: Option<&[usize]>,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Selection, Infeasible> {
    let model = Model::of(problem);
    if let Some(query) = model
        .queries
        .iter()
        .position(|query| query.choices.is_empty())
    {
        return Err(Infeasible::Query { query });
    }
    let (selection, is_over) = Search::new(problem, &model, stop).run(start);
    selection.ok_or(if is_over {
        Infeasible::Limits
    } else {
        Infeasible::Stopped
    })
}

/// The set with the least [`objective`] that does without one index: what would be chosen instead
/// of it. It is left out even if it is required.
pub fn select_without(
    problem: &Problem,
    index: usize,
    start: Option<&[usize]>,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Selection, Infeasible> {
    let mut problem = problem.clone();
    if let Some(choice) = problem.indexes.get_mut(index) {
        // Nothing asks for it any more and it saves nothing, so that it is not taken.
        choice.is_required = false;
        choice.upkeep = choice.upkeep.max(0.0);
    }
    for query in &mut problem.queries {
        query
            .configurations
            .retain(|one| !one.indexes.contains(&index));
        query.floors.retain(|one| !one.indexes.contains(&index));
    }
    select(&problem, start, stop)
}
