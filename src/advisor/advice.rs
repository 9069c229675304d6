//! From what was found on the twin to advice for a person.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::advise::{Judgement, Run};
use super::assemble::{Entry, Judged, QueryFacts};
use super::effects;
use super::effort::TargetCost;
use super::material::Material;
use super::prove::Rejected;
use super::shape::Shape;
use super::weights;
use super::workload::Query;
use crate::model::advice::{
    Advice, Effort, Optimality, QueryEffect, Recommendation, Skipped, TwinSummary, WorkloadSummary,
};
use crate::model::finding::{Finding, Severity};
use crate::model::units;

/// Puts the advice together.
#[must_use]
pub(super) fn advice(
    run: &Run,
    material: &Material,
    found: &Judgement,
    twin: TwinSummary,
    target: &TargetCost,
    elapsed: Duration,
) -> Advice {
    let facts = query_facts(material, found);
    let judged = Judged {
        workload: &material.workload,
        catalog: &material.catalog,
        entries: &found.entries,
        facts: &found.facts,
        problem: &found.problem,
        selection: &found.proof.selection,
        queries: &facts,
        proven: &found.proof.proven,
        is_measured: found.is_measured,
    };
    let (order, queries) = by_weight(found, judged.query_effects());
    let mut recommendations = judged.recommendations();
    for recommendation in &mut recommendations {
        renumber(recommendation, &order);
    }
    let (before, after) = totals(found);
    Advice {
        server: run.server.clone(),
        version: material.catalog.version.clone(),
        workload: WorkloadSummary {
            source: material.workload.source.clone(),
            window: material.workload.window,
            is_measured: found.is_measured,
            is_of_twin: found.is_measured && !material.workload.is_measured(),
            before,
            after,
        },
        twin,
        limits: run.options.limits.clone(),
        recommendations,
        queries,
        skipped: skipped(material, found),
        notes: notes(run, material, found),
        optimality: Optimality {
            gap: found.proof.selection.gap(),
            is_proven: found.proof.selection.is_proven,
            is_interrupted: found.is_interrupted,
            rounds: found.proof.rounds,
        },
        effort: Effort {
            elapsed,
            candidates: found
                .problem
                .indexes
                .iter()
                .filter(|index| !index.exists)
                .count(),
            explains: found.calls.explains,
            exhaustive_explains: found.exhaustive,
            executions: found.calls.executions,
            target_statements: target.statements,
            target_rows: target.rows,
            target_time: target.time,
            target_longest: target.longest,
        },
    }
}

fn query_facts(material: &Material, found: &Judgement) -> Vec<QueryFacts> {
    found
        .proof
        .queries
        .iter()
        .enumerate()
        .map(|(place, proven)| QueryFacts {
            cost: proven.cost,
            measured: proven.measured,
            plans: proven.plans.clone(),
            uses: proven.uses.clone(),
            writes: material
                .shapes
                .iter()
                .any(|(query, shape)| *query == place && !shape.writes.is_empty()),
        })
        .collect()
}

/// What each query weighs today, in the unit of the objective.
fn weight_today(found: &Judgement, place: usize) -> f64 {
    let today = found.known[place].today.unwrap_or(0.0);
    found.problem.queries[place].weight * today
}

/// The queries that could be judged, the heaviest first, and where each went.
fn by_weight(
    found: &Judgement,
    effects: Vec<QueryEffect>,
) -> (Vec<Option<usize>>, Vec<QueryEffect>) {
    let mut places: Vec<usize> = (0..effects.len())
        .filter(|place| found.known[*place].today.is_some())
        .collect();
    places.sort_by(|one, other| {
        weight_today(found, *other)
            .total_cmp(&weight_today(found, *one))
            .then(one.cmp(other))
    });
    let mut order = vec![None; effects.len()];
    for (rank, place) in places.iter().enumerate() {
        order[*place] = Some(rank);
    }
    let mut effects: Vec<Option<QueryEffect>> = effects.into_iter().map(Some).collect();
    let sorted = places
        .iter()
        .filter_map(|place| effects[*place].take())
        .collect();
    (order, sorted)
}

fn renumber(recommendation: &mut Recommendation, order: &[Option<usize>]) {
    recommendation.effects = recommendation
        .effects
        .iter()
        .filter_map(|(query, factor)| Some(((*order.get(*query)?)?, *factor)))
        .collect();
}

/// The workload today and with the chosen set, upkeep of indexes included.
fn totals(found: &Judgement) -> (f64, f64) {
    let existing: BTreeSet<usize> = (0..found.problem.indexes.len())
        .filter(|place| found.problem.indexes[*place].exists)
        .collect();
    let chosen: BTreeSet<usize> = found.proof.selection.chosen.iter().copied().collect();
    let upkeep = |set: &BTreeSet<usize>| -> f64 {
        set.iter()
            .map(|place| found.problem.indexes[*place].upkeep)
            .sum()
    };
    let before: f64 = (0..found.problem.queries.len())
        .map(|place| weight_today(found, place))
        .sum();
    let judged = |costs: &crate::advisor::costs::QueryCosts| {
        let cost = effects::cost(costs, &chosen);
        if cost.is_finite() {
            costs.weight * cost
        } else {
            0.0
        }
    };
    let after: f64 = found.problem.queries.iter().map(judged).sum();
    (before + upkeep(&existing), after + upkeep(&chosen))
}

fn skipped(material: &Material, found: &Judgement) -> Vec<Skipped> {
    let mut skipped = material.workload.skipped.clone();
    for (known, query) in found.known.iter().zip(&material.workload.queries) {
        if known.today.is_none() {
            skipped.push(Skipped {
                text: query.fingerprint.clone(),
                time: query.time,
                reason: known
                    .error
                    .clone()
                    .unwrap_or_else(|| "the work was ended before its turn".to_owned()),
            });
        }
    }
    skipped.sort_by_key(|skipped| std::cmp::Reverse(skipped.time));
    skipped
}

fn notes(run: &Run, material: &Material, found: &Judgement) -> Vec<Finding> {
    let note = |code: &'static str, message: String| Finding {
        severity: Severity::Note,
        code,
        message,
        remedy: String::new(),
    };
    let mut notes = found.notes.clone();
    notes.extend(
        material
            .workload
            .notes
            .iter()
            .map(|text| note("workload", text.clone())),
    );
    notes.extend(material.gaps.iter().map(|text| note("shape", text.clone())));
    notes.extend(
        found
            .proof
            .notes
            .iter()
            .map(|text| note("proof", text.clone())),
    );
    notes.extend(refusals(material, found));
    notes.extend(slower_writes(run, material, found).map(|text| note("upkeep", text)));
    notes
}

/// Statements that are named in a note.
const NAMED: usize = 5;

/// Which statements the upkeep of the changed indexes alone makes slower than is allowed for plans.
fn slower_writes(run: &Run, material: &Material, found: &Judgement) -> Option<String> {
    let mut slower: Vec<(f64, String)> = Vec::new();
    for (place, query) in material.workload.queries.iter().enumerate() {
        let Some((_, shape)) = material.shapes.iter().find(|(of, _)| *of == place) else {
            continue;
        };
        let today = weight_today(found, place);
        if !found.is_measured || query.calls <= 0.0 || today <= 0.0 {
            continue;
        }
        let more = added_upkeep(material, found, query, shape) / 1e6;
        let tolerance = query.tolerance.unwrap_or(run.options.limits.tolerance);
        if more > tolerance * today {
            let one = |seconds: f64| {
                let time = Duration::try_from_secs_f64(seconds / query.calls);
                units::duration(time.unwrap_or_default())
            };
            let text = format!("`{}` {} -> {}", query.name, one(today), one(today + more));
            slower.push((more / today, text));
        }
    }
    slower.sort_by(|one, other| other.0.total_cmp(&one.0));
    let named: Vec<&str> = slower
        .iter()
        .take(NAMED)
        .map(|(_, text)| text.as_str())
        .collect();
    let rest = slower.len().saturating_sub(NAMED);
    (!slower.is_empty()).then(|| {
        format!(
            "the tolerance is for plans; keeping the new indexes up makes each execution slower by estimate, and more than that: {}{}; `--max-write-cost` bounds what all writes take",
            named.join(", "),
            if rest > 0 { format!(" and {rest} more") } else { String::new() }
        )
    })
}

/// Microseconds that the changes add to all executions of a query for the upkeep of indexes.
fn added_upkeep(material: &Material, found: &Judgement, query: &Query, shape: &Shape) -> f64 {
    let chosen: BTreeSet<usize> = found.proof.selection.chosen.iter().copied().collect();
    let of = |place: usize, entry: &Entry| {
        let sign = match (entry, chosen.contains(&place)) {
            (Entry::Candidate(_), true) => 1.0,
            (Entry::Existing { .. }, false) => -1.0,
            _ => return None,
        };
        let table = material.catalog.tables.get(entry.table())?;
        let us = found.facts.get(place)?.write_us_per_row;
        Some(sign * weights::upkeep_us_of(query, shape, table, entry.index(), us))
    };
    let entries = found.entries.iter().enumerate();
    entries.filter_map(|(place, entry)| of(place, entry)).sum()
}

/// Plans that were tempting and slower: for each query the one that tempted most.
fn refusals(material: &Material, found: &Judgement) -> Vec<Finding> {
    let mut most: BTreeMap<usize, (&Rejected, usize)> = BTreeMap::new();
    for rejected in &found.proof.rejected {
        let entry = most.entry(rejected.query).or_insert((rejected, 0));
        entry.1 += 1;
        if promise(rejected) < promise(entry.0) {
            entry.0 = rejected;
        }
    }
    most.into_values()
        .filter_map(|(rejected, times)| {
            let query = material.workload.queries.get(rejected.query)?;
            let indexes: Vec<String> = rejected
                .uses
                .iter()
                .filter_map(|place| found.entries.get(*place))
                .map(|entry| format!("`{}`", entry.index().name))
                .collect();
            let (before, after) = rejected.measured;
            let others = match times - 1 {
                0 => String::new(),
                1 => "; so was another plan of this query".to_owned(),
                n => format!("; so were {n} other plans of this query"),
            };
            Some(Finding {
                severity: Severity::Note,
                code: "regression-refused",
                message: format!(
                    "with {} the optimizer expects `{}` to cost {:.1} % of today, but it took {}{} instead of {}: that was refused{others}",
                    indexes.join(" and "),
                    query.name,
                    100.0 * promise(rejected),
                    if after.is_capped { "over " } else { "" },
                    units::duration(after.time),
                    units::duration(before.time),
                ),
                remedy: String::new(),
            })
        })
        .collect()
}

/// The estimated cost as a share of today's.
fn promise(rejected: &Rejected) -> f64 {
    rejected.estimated.1 / rejected.estimated.0.max(f64::MIN_POSITIVE)
}
