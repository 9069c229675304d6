//! From statements as they were found to a workload: one query for each normalized text and
//! schema, prepared and plain forms together, every sample explainable and without parameters.

use std::collections::HashMap;
use std::time::Duration;

use super::Found;
use crate::advisor::workload::{Query, Sample, Workload};
use crate::model::advice::Skipped;
use crate::server::parameters::{self, Rows};
use crate::server::{Connection, Error};
use crate::sql::explainable::{explainable, without_prepared};

/// Samples that are kept of one query.
pub const SAMPLES: usize = 3;

/// Rows from which the constants of a prepared statement are taken, one after another.
const BEHIND: [u32; SAMPLES] = [0, 97, 997];

/// How the statements are taken.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// Schema of statements that name none.
    pub schema: Option<String>,
    /// No row of the server may be read, not even for the constants of a prepared statement.
    pub is_dataless: bool,
}

/// Makes `found` a part of `workload`. Statements that have no plan (`SET`, `COMMIT`, DDL) are
/// counted and not told one by one.
pub async fn gather(
    connection: &mut Connection,
    found: Vec<Found>,
    rules: &Rules,
    workload: &mut Workload,
) -> Result<(), Error> {
    let mut others = (0_u64, Duration::ZERO);
    let mut places: HashMap<(Option<String>, String), usize> = HashMap::new();
    for mut found in found {
        let text = without_prepared(&found.fingerprint).to_owned();
        if !has_plan(&text) {
            others.0 += 1;
            others.1 += found.time.unwrap_or_default();
            continue;
        }
        found.fingerprint = text;
        if found.schema.is_none() {
            found.schema.clone_from(&rules.schema);
        }
        let samples = match samples(connection, &found, rules).await? {
            Ok(samples) => samples,
            Err(reason) => {
                workload.skipped.push(Skipped {
                    text: found.fingerprint,
                    time: found.time,
                    reason,
                });
                continue;
            }
        };
        let key = (found.schema.clone(), found.fingerprint.clone());
        if let Some(&place) = places.get(&key) {
            merge(&mut workload.queries[place], &found, samples);
        } else {
            places.insert(key, workload.queries.len());
            workload.queries.push(query(found, samples));
        }
    }
    if others.0 > 0 {
        workload.notes.push(format!(
            "{} kinds of statements have no plan (SET, COMMIT, DDL and the like), {} in all",
            others.0,
            crate::model::units::duration(others.1)
        ));
    }
    Ok(())
}

/// The samples that can be used, or why there is none.
async fn samples(
    connection: &mut Connection,
    found: &Found,
    rules: &Rules,
) -> Result<Result<Vec<Sample>, String>, Error> {
    if let Some(reason) = found.cut {
        return Ok(Err(reason.to_owned()));
    }
    let mut taken: Vec<Sample> = Vec::new();
    let mut reason = "the server kept no statement of it with its constants".to_owned();
    for text in &found.samples {
        let statement = match explainable(text) {
            Ok(statement) => statement,
            Err(refused) => {
                reason = refused;
                continue;
            }
        };
        if !statement.has_parameters {
            push(&mut taken, statement.sql, false);
        } else if taken.iter().all(|sample| sample.is_made_up) {
            for rows in stand_ins(rules) {
                let schema = found.schema.as_deref();
                let filled = parameters::fill(connection, schema, &statement.sql, rows).await?;
                if let Some(sql) = filled {
                    push(&mut taken, sql, true);
                }
            }
        }
        if taken.len() >= SAMPLES {
            break;
        }
    }
    // Real constants are better than any that were made up.
    if taken.iter().any(|sample| !sample.is_made_up) {
        taken.retain(|sample| !sample.is_made_up);
    }
    taken.truncate(SAMPLES);
    Ok(if taken.is_empty() {
        Err(reason)
    } else {
        Ok(taken)
    })
}

fn stand_ins(rules: &Rules) -> Vec<Rows> {
    if rules.is_dataless {
        return vec![Rows::Unread];
    }
    BEHIND.into_iter().map(Rows::Behind).collect()
}

fn push(taken: &mut Vec<Sample>, sql: String, is_made_up: bool) {
    if !taken.iter().any(|sample| sample.sql == sql) {
        taken.push(Sample { sql, is_made_up });
    }
}

/// Whether statements of this normalized text have a plan.
fn has_plan(text: &str) -> bool {
    let text = text.trim_start_matches(['(', ' ']);
    let word: String = text
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_uppercase();
    matches!(
        word.as_str(),
        "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "WITH" | "TABLE"
    )
}

fn query(found: Found, samples: Vec<Sample>) -> Query {
    Query {
        name: found.name,
        fingerprint: found.fingerprint,
        schema: found.schema,
        samples,
        calls: found.calls,
        time: found.time,
        rows_examined: found.rows_examined,
        rows_sent: found.rows_sent,
        rows_affected: found.rows_affected,
        tolerance: found.tolerance,
    }
}

/// Adds a second form of the same query, such as the prepared one.
fn merge(query: &mut Query, found: &Found, samples: Vec<Sample>) {
    query.calls += found.calls;
    query.time = match (query.time, found.time) {
        (Some(one), Some(other)) => Some(one + other),
        _ => None,
    };
    query.rows_examined = sum(query.rows_examined, found.rows_examined);
    query.rows_sent = sum(query.rows_sent, found.rows_sent);
    query.rows_affected = sum(query.rows_affected, found.rows_affected);
    query.tolerance = query.tolerance.or(found.tolerance);
    let has_real = |samples: &[Sample]| samples.iter().any(|sample| !sample.is_made_up);
    if has_real(&samples) && !has_real(&query.samples) {
        query.samples = samples;
        return;
    }
    if has_real(&samples) == has_real(&query.samples) {
        for sample in samples {
            if query.samples.len() < SAMPLES {
                push(&mut query.samples, sample.sql, sample.is_made_up);
            }
        }
    }
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one?.saturating_add(other?))
}
