//! The exact costs of one set of indexes, against what was derived for it.

use super::costs::{Configuration, QueryCosts};
use super::effects;
use super::graph::Set;
use super::planner::{Plan, Planner};
use super::trials::{estimate, signatures};
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
        let corrected = correct(costs, scene, &known[place], &here, plans, tolerance);
        let Some((derived, exact)) = corrected else {
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

/// Corrects the cost of one query under `here`, its part of a set, where its `plans` there cost
/// something else than was derived; see [`take`]. Gives what was derived, and what is.
pub fn correct(
    costs: &mut QueryCosts,
    scene: Scene<'_>,
    known: &Known,
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
    let mut used = uses(scene, known, here, plans);
    if plans.iter().any(|plan| plan.hides_use) {
        used.clone_from(here);
    }
    take(costs, scene, known, here, &used, (exact, exact));
    Some((derived, exact))
}

/// Notes that the optimizer takes the plan with `used` under `here`, with what it takes it to cost
/// and what it does cost.
///
/// It then precedes all others that can be had there, and so does it elsewhere. Plans without a new
/// index can't: they can be had with every set. That the optimizer takes one of them in place of
/// those that were derived must come from something else that is there: a dearer one becomes a floor of
/// everything that is there, and for a cheaper one those in its way come behind it.
pub fn take(
    costs: &mut QueryCosts,
    scene: Scene<'_>,
    known: &Known,
    here: &Set,
    used: &Set,
    (estimate, cost): (f64, f64),
) {
    let derived = effects::cost(costs, here);
    // A floor that says otherwise was wrong.
    costs
        .floors
        .retain(|floor| floor.cost <= cost || !is_within(&floor.indexes, here));
    let indexes: Vec<usize> = used.iter().copied().collect();
    let place = costs
        .configurations
        .iter()
        .position(|one| one.indexes == indexes);
    let others = costs.configurations.iter().enumerate();
    let first = others
        .filter(|(at, one)| Some(*at) != place && is_within(&one.indexes, here))
        .map(|(_, one)| one.rank())
        .fold(f64::INFINITY, f64::min);
    if !used.is_subset(scene.existing) {
        let own = place.map(|place| costs.configurations.swap_remove(place));
        let rank = own.map_or(estimate, |own| own.rank());
        costs.configurations.push(Configuration {
            indexes,
            cost,
            rank: Some(rank.min(before(first))),
        });
    } else if cost > derived {
        let is_lost = !known.uses_today.is_subset(used);
        raise(costs, scene, if is_lost { used } else { here }, cost);
    } else {
        let own = if let Some(place) = place {
            let own = &mut costs.configurations[place];
            own.rank = Some(own.rank());
            own.cost = own.cost.min(cost);
            own.rank()
        } else {
            costs.configurations.push(Configuration {
                indexes: indexes.clone(),
                cost,
                rank: Some(estimate),
            });
            estimate
        };
        for one in &mut costs.configurations {
            if one.indexes != indexes && one.rank() <= own && is_within(&one.indexes, here) {
                one.rank = Some(after(own));
            }
        }
    }
}

fn is_within(indexes: &[usize], here: &Set) -> bool {
    indexes.iter().all(|index| here.contains(index))
}

/// A rank just ahead of another.
fn before(rank: f64) -> f64 {
    rank * (1.0 - 1e-9)
}

/// A rank just behind another.
fn after(rank: f64) -> f64 {
    rank * (1.0 + 1e-9)
}

/// Whether the plans are those that the table of costs expects under `here`: they use just what its
/// cheapest configuration needs, and no floor is above that. Their estimate may differ all the
/// same, because an index refines the numbers of rows by being there; the work does not.
#[must_use]
pub fn is_foreseen(
    costs: &QueryCosts,
    scene: Scene<'_>,
    known: &Known,
    here: &Set,
    plans: &[Plan],
) -> bool {
    if plans.iter().any(|plan| plan.hides_use) {
        return false;
    }
    let within = costs.configurations.iter();
    within
        .filter(|one| is_within(&one.indexes, here))
        .min_by(|one, other| one.order(other))
        .is_some_and(|best| {
            best.indexes.iter().eq(&uses(scene, known, here, plans))
                && effects::cost(costs, here) <= best.cost
        })
}

/// What plans under `here` need of what can be hidden: what they use. Where they are other plans than
/// those that are taken when nothing else is there, the optimizer was told something by a new index
/// that is there: the one that is known for that. Where none is, it is not guessed: any of them would
/// be blamed, or praised, for what one does.
#[must_use]
pub fn uses(scene: Scene<'_>, known: &Known, here: &Set, plans: &[Plan]) -> Set {
    let mut used: Set = plans
        .iter()
        .flat_map(|plan| &plan.used)
        .filter(|place| !scene.kept.contains(place))
        .copied()
        .collect();
    let new: Set = here.difference(scene.existing).copied().collect();
    let is_less = !known.uses_today.is_subset(here);
    if new.is_subset(&used) || is_less || plans.iter().any(|plan| plan.hides_use) {
        return used;
    }
    let told = signatures(plans);
    if known.alone.get(&used).is_some_and(|own| *own != told)
        && let Some(by) = known.informed.get(&told).filter(|by| by.is_subset(here))
    {
        used.extend(by);
    }
    used
}

/// Makes `cost` the least cost wherever all of `indexes` are there.
///
/// A floor holds for all larger sets. One without a new index would hold for today's set, whose
/// cost is known; there the configurations that need nothing else are raised instead, which says
/// the same of all sets in which an existing index is missing.
fn raise(costs: &mut QueryCosts, scene: Scene<'_>, indexes: &Set, cost: f64) {
    if indexes.is_subset(scene.existing) {
        for within in &mut costs.configurations {
            if is_within(&within.indexes, indexes) {
                within.rank = Some(within.rank());
                within.cost = within.cost.max(cost);
            }
        }
        return;
    }
    let indexes: Vec<usize> = indexes.iter().copied().collect();
    costs.floors.retain(|floor| floor.indexes != indexes);
    costs.floors.push(Configuration {
        indexes,
        cost,
        rank: None,
    });
}
