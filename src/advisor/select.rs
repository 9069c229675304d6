//! The set of indexes with the least cost within the limits, proven.

mod dual;
mod evaluate;
mod improve;
mod node;
mod options;
mod probe;
mod search;
#[cfg(test)]
mod tests;

pub use self::evaluate::objective;
use self::options::Model;
use self::search::Search;
use super::costs::{Problem, Selection};

/// Why there is no set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Infeasible {
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
    let (selection, is_over) = Search::new(problem, &model, stop).run(start);
    selection.ok_or(if is_over {
        Infeasible::Limits
    } else {
        Infeasible::Stopped
    })
}
