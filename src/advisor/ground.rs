//! What there is to choose from: the candidates, made on the twin, beside the indexes of today.

use std::collections::BTreeSet;

use super::advise::{Error, Report, Run, Step};
use super::assemble::{Entry, EntryFacts};
use super::candidate::Candidate;
use super::candidates::{self, Generated};
use super::costs::{Configuration, Problem, QueryCosts};
use super::material::Material;
use super::planner::Choice;
use super::problem;
use super::twin::Twin;
use super::weights;
use super::whatif::{Explored, Question, Scene};
use super::workload::Workload;
use crate::model::advice::Tier;
use crate::model::finding::{Finding, Severity};
use crate::model::schema::TableName;

/// What there is to choose from.
pub(super) struct Ground {
    pub(super) entries: Vec<Entry>,
    pub(super) choices: Vec<Choice>,
    pub(super) facts: Vec<EntryFacts>,
    pub(super) questions: Vec<Question>,
    pub(super) notes: Vec<Finding>,
    existing: BTreeSet<usize>,
    kept: BTreeSet<usize>,
}

impl Ground {
    /// Finds the candidates and makes them on the twin; `given` stand in their place.
    pub(super) async fn prepare(
        run: &Run,
        material: &Material,
        twin: &mut Twin,
        given: Option<Vec<Candidate>>,
        report: Report<'_>,
    ) -> Result<Self, Error> {
        report(Step::new("looking for candidates"));
        let statistics = twin.statistics(&columns(material)).await?;
        let mut generated = match given {
            Some(candidates) => Generated {
                candidates,
                ..Generated::default()
            },
            None => candidates::generate(
                &material.shapes,
                &material.catalog,
                &statistics,
                &candidates::Options {
                    weights: first_weights(&material.workload),
                    ..candidates::Options::default()
                },
            ),
        };
        let candidates = create(twin, &mut generated, report).await?;
        // Readers of a replica would miss an index in use that is hidden for an answer.
        let keeps_existing = run.options.keeps_existing || run.options.tier == Tier::Replica;
        let mut entries = problem::entries(material, candidates, keeps_existing);
        if !keeps_existing {
            problem::find_stand_ins(material, &mut entries);
        }
        let choices = problem::choices(material, &entries);
        let (existing, kept) = problem::places(&entries, &choices);
        Ok(Self {
            facts: problem::facts(material, &entries, &statistics),
            questions: questions(material, &entries, twin),
            notes: generated.notes,
            entries,
            choices,
            existing,
            kept,
        })
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            choices: &self.choices,
            existing: &self.existing,
            kept: &self.kept,
        }
    }

    pub(super) fn problem(
        &self,
        run: &Run,
        material: &Material,
        explored: &Explored,
        times: Option<&[f64]>,
    ) -> Problem {
        Problem {
            indexes: problem::indexes(
                &self.entries,
                &self.choices,
                &self.facts,
                window(material),
                times.is_some(),
            ),
            queries: weighted(material, explored, times),
            budget_bytes: run.options.limits.budget_bytes,
            max_indexes: run.options.limits.max_indexes,
            max_write_cost: run.options.limits.max_write_cost,
        }
    }
}

/// The columns whose values matter: all that the statements compare, group or sort by.
fn columns(material: &Material) -> Vec<(TableName, String)> {
    let mut columns = BTreeSet::new();
    for (_, shape) in &material.shapes {
        for table in shape.blocks.iter().flat_map(|block| &block.tables) {
            for column in &table.columns {
                columns.insert((table.table.clone(), column.clone()));
            }
        }
    }
    columns.into_iter().collect()
}

fn first_weights(workload: &Workload) -> Vec<f64> {
    workload
        .queries
        .iter()
        .map(|query| query.time.map_or(query.calls, |time| time.as_secs_f64()))
        .collect()
}

/// Makes the candidates on the twin; those that it refuses are said and left out.
async fn create(
    twin: &mut Twin,
    generated: &mut Generated,
    report: Report<'_>,
) -> Result<Vec<Candidate>, Error> {
    let candidates = std::mem::take(&mut generated.candidates);
    report(Step::new(&format!(
        "making {} candidates on the twin",
        candidates.len()
    )));
    let outcomes = twin.create(&candidates).await;
    let mut made = Vec::new();
    for (candidate, outcome) in candidates.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) => made.push(candidate),
            Err(reason) => generated.notes.push(Finding {
                severity: Severity::Note,
                code: "candidate-refused",
                message: format!(
                    "the twin refused the index `{}` on `{}`: {reason}",
                    candidate.index.name, candidate.table
                ),
                remedy: String::new(),
            }),
        }
    }
    Ok(made)
}

fn questions(material: &Material, entries: &[Entry], twin: &Twin) -> Vec<Question> {
    material
        .workload
        .queries
        .iter()
        .zip(problem::relevant(material, entries))
        .map(|(query, relevant)| Question {
            schema: query.schema.clone(),
            samples: twin.samples(query),
            relevant,
        })
        .collect()
}

fn window(material: &Material) -> f64 {
    material
        .workload
        .window
        .map_or(1.0, |window| window.as_secs_f64().max(1e-3))
}

/// The costs with their weights; see [`weights`].
fn weighted(material: &Material, explored: &Explored, times: Option<&[f64]>) -> Vec<QueryCosts> {
    explored
        .queries
        .iter()
        .zip(&material.workload.queries)
        .enumerate()
        .map(|(place, (known, query))| {
            let time = times.and_then(|times| times.get(place)).copied();
            let mut costs = QueryCosts {
                weight: weights::of_query(query.calls, time, known.today.unwrap_or(0.0)),
                ..known.costs.clone()
            };
            if costs.configurations.is_empty() {
                // What can't be explained is told as skipped, and speaks for no set.
                costs.weight = 0.0;
                costs.configurations.push(Configuration::default());
            }
            costs
        })
        .collect()
}
