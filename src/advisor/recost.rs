//! The exact costs of one set of indexes, against what was derived for it.

use super::costs::{Configuration, QueryCosts};
use super::effects;
use super::graph::{Set, offer};
use super::planner::{Plan, Planner};
use super::trials::estimate;
use super::whatif::{Known, Question, Scene};
use crate::server::Error;

/// A cost that was derived otherwise than it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correction {
    /// Which query.
    pub query: usize,
    /// What followed from other sets.
    pub derived: f64,
    /// What the optimizer says.
    pub exact: f64,
}

/// The plans of all samples of every query that can be explained, under exactly this set; none
/// for a query whose samples can't all be explained there. `set` holds everything that is there,
/// kept indexes included.
pub async fn plans<P: Planner + Send>(
    planner: &mut P,
    questions: &[Question],
    known: &[Known],
    set: &Set,
) -> Result<Vec<Vec<Plan>>, Error> {
    planner.show(set).await?;
    let mut all = Vec::new();
    for (question, known) in questions.iter().zip(known) {
        all.push(plans_of(planner, question, known).await?);
    }
    Ok(all)
}

/// The plans of one query with what is visible; none if a sample can't be explained now.
pub async fn plans_of<P: Planner + Send>(
    planner: &mut P,
    question: &Question,
    known: &Known,
) -> Result<Vec<Plan>, Error> {
    let mut plans = Vec::new();
    let samples = known.samples.iter();
    for sample in samples.filter_map(|place| question.samples.get(*place)) {
        match planner.explain(question.schema.as_deref(), sample).await? {
            Ok(plan) => plans.push(plan),
            Err(_) => return Ok(Vec::new()),
        }
    }
    Ok(plans)
}

/// Asks for the plan of every query under exactly this set, and corrects costs that are off by
/// more than `tolerance`, a share; see [`correct`]. `costs` and `known` are in the order of the
/// questions. Afterwards the set is visible.
pub async fn recost<P: Planner + Send>(
    planner: &mut P,
    scene: Scene<'_>,
    questions: &[Question],
    known: &[Known],
    set: &Set,
    costs: &mut [QueryCosts],
    tolerance: f64,
) -> Result<Vec<Correction>, Error> {
    let plans = plans(planner, questions, known, set).await?;
    let mut corrections = Vec::new();
    for (place, (plans, costs)) in plans.iter().zip(costs).enumerate() {
        let here = here(scene, &known[place], set);
        let Some((derived, exact)) = correct(costs, scene, &here, plans, tolerance) else {
            continue;
        };
        corrections.push(Correction {
            query: place,
            derived,
            exact,
        });
    }
    Ok(corrections)
}

/// The part of a set that concerns a query, without what is never hidden.
#[must_use]
pub fn here(scene: Scene<'_>, known: &Known, set: &Set) -> Set {
    let of_query = set.intersection(&known.near);
    of_query
        .filter(|place| !scene.kept.contains(place))
        .copied()
        .collect()
}

/// Corrects the cost of one query under `here`, its part of a set, where its `plans` there cost something else than
/// was derived: a lower cost becomes a configuration of what the plans use. A higher one becomes a
/// floor of everything on its tables that is there, since one of those must have changed the
/// optimizer's mind; without a new index among them, the configurations within are raised. Gives
/// what was derived, and what is.
pub fn correct(
    costs: &mut QueryCosts,
    scene: Scene<'_>,
    here: &Set,
    plans: &[Plan],
    tolerance: f64,
) -> Option<(f64, f64)> {
    if plans.is_empty() {
        return None;
    }
    let exact = estimate(plans);
    let derived = effects::cost(costs, here);
    if (exact - derived).abs() <= tolerance * exact.max(derived) {
        return None;
    }
    let mut used = uses(scene, plans);
    if exact < derived {
        if plans.iter().any(|plan| plan.hides_use) {
            used.clone_from(here);
        }
        offer(&mut costs.configurations, &used, exact);
        // A floor that says otherwise was wrong.
        costs.floors.retain(|floor| {
            floor.cost <= exact || !floor.indexes.iter().all(|index| here.contains(index))
        });
    } else {
        raise(costs, scene, here, exact);
    }
    Some((derived, exact))
}

/// What plans use of what can be hidden.
#[must_use]
pub fn uses(scene: Scene<'_>, plans: &[Plan]) -> Set {
    plans
        .iter()
        .flat_map(|plan| &plan.used)
        .filter(|place| !scene.kept.contains(place))
        .copied()
        .collect()
}

/// Makes `cost` the least cost wherever all of `indexes` are there.
///
/// A floor holds for all larger sets. One without a new index would hold for today's set, whose
/// cost is known; there the configurations that need nothing else are raised instead, which says
/// the same of all sets in which an existing index is missing.
pub fn raise(costs: &mut QueryCosts, scene: Scene<'_>, indexes: &Set, cost: f64) {
    if indexes.is_subset(scene.existing) {
        for within in &mut costs.configurations {
            if within.indexes.iter().all(|index| indexes.contains(index)) {
                within.cost = within.cost.max(cost);
            }
        }
        return;
    }
    let indexes: Vec<usize> = indexes.iter().copied().collect();
    costs.floors.retain(|floor| floor.indexes != indexes);
    costs.floors.push(Configuration { indexes, cost });
}
