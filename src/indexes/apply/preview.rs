//! What would be done, told without a change; and what is looked at before anything is.

use std::collections::BTreeMap;

use super::{Error, Job, Options, Preview, Skipped, facts, observe};
use crate::config::settings::Server;
use crate::indexes::course::{self, Course};
use crate::indexes::ledger::{self, Before, Row};
use crate::indexes::likeness;
use crate::indexes::precheck::{self, Limits, Work};
use crate::indexes::reconcile::{Direction, Task};
use crate::indexes::steps;
use crate::model::advice::{Action, LockLevel};
use crate::model::finding::Finding;
use crate::model::ledger::State;
use crate::model::schema::{Table, TableName};
use crate::server::Connection;

/// The size that the evidence tells.
pub(super) fn said_bytes(job: &Job) -> Option<u64> {
    let evidence = job.definition.evidence.as_ref()?;
    evidence
        .bytes
        .filter(|_| job.definition.action == Action::Create)
}

/// Whether nothing is to be done; an error when what is asked contradicts what was done.
pub(super) fn skip(
    job: &Job,
    row: Option<&Row>,
    options: &Options,
) -> Result<Option<Skipped>, Error> {
    let Some(row) = row else {
        return Ok(None);
    };
    let skipped = |reason: &str| {
        Ok(Some(Skipped {
            version: job.version,
            name: job.name.clone(),
            state: row.state,
            reason: reason.to_owned(),
        }))
    };
    if job.direction == Direction::Down {
        return Ok(None);
    }
    let is_same = row.checksum == job.definition.checksum();
    match row.state {
        State::Applied if is_same => skipped("applied already"),
        State::Applied => Err(Error::Edited { what: "applied" }),
        State::Rejected if is_same && !options.retries_rejected => {
            skipped("rejected before; name it with `--only` to try again")
        }
        State::Unfinished | State::Staged | State::Soaking if !is_same => {
            Err(Error::Edited { what: "begun" })
        }
        _ => Ok(None),
    }
}

/// What the prechecks say.
pub(super) async fn found(
    side: &mut Connection,
    server: &Server,
    options: &Options,
    task: &Task,
    table: &Table,
    (course, before, own): (&Course, Option<&Before>, Option<u64>),
) -> Result<Vec<Finding>, Error> {
    let has = |word: &str| course.steps.iter().any(|step| step.word == word);
    let work = Work {
        builds: has("build"),
        changes_columns: has("add_column") || has("drop_column"),
        drops: has("drop_index"),
        bytes: course
            .steps
            .iter()
            .filter_map(|step| step.bytes)
            .max()
            .unwrap_or(0),
        time: course
            .steps
            .iter()
            .map(|step| step.time)
            .max()
            .unwrap_or_default(),
        lock: course
            .steps
            .iter()
            .map(|step| step.mode.lock)
            .max()
            .unwrap_or(LockLevel::None),
    };
    let mut facts = facts::read(side, server, options, &table.name, own, &work).await?;
    if work.drops {
        let children = observe::children(side, &table.name).await?;
        facts.needed = steps::needed_by(table, &task.index, &children);
    }
    facts.not_restorable = before.and_then(|before| observe::not_restorable(task, before));
    let limits = Limits {
        max_lag: options.max_lag,
        long_transaction: options.long_transaction,
    };
    Ok(precheck::judge(&facts, table, &work, &limits))
}

/// What would be done for each, one after the other, on tables that change as they would.
pub(super) async fn previews(
    connection: &mut Connection,
    server: &Server,
    options: &Options,
    jobs: Vec<Job>,
) -> Result<Vec<Preview>, Error> {
    let mut tables: BTreeMap<TableName, Table> = BTreeMap::new();
    let mut previews = Vec::new();
    for job in jobs {
        let schema = job.table.schema.as_str();
        let row = ledger::one(connection, schema, job.version).await?;
        let mut preview = Preview {
            version: job.version,
            name: job.name.clone(),
            table: job.table.clone(),
            index: job.definition.index.name.clone(),
            direction: job.direction,
            state: row.as_ref().map_or(State::Pending, |row| row.state),
            course: None,
            findings: Vec::new(),
        };
        match skip(&job, row.as_ref(), options) {
            Ok(None) => {}
            Ok(Some(_)) => {
                previews.push(preview);
                continue;
            }
            Err(error) => {
                preview.course = Some(refused(&error));
                previews.push(preview);
                continue;
            }
        }
        if !tables.contains_key(&job.table) {
            match observe::table(connection, &job.table).await {
                Ok(table) => {
                    tables.insert(job.table.clone(), table);
                }
                Err(error @ Error::NoTable(_)) => {
                    preview.course = Some(refused(&error));
                    previews.push(preview);
                    continue;
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(table) = tables.get_mut(&job.table) {
            look_ahead(
                connection,
                server,
                options,
                &job,
                row.as_ref(),
                table,
                &mut preview,
            )
            .await?;
        }
        previews.push(preview);
    }
    Ok(previews)
}

async fn look_ahead(
    connection: &mut Connection,
    server: &Server,
    options: &Options,
    job: &Job,
    row: Option<&Row>,
    table: &mut Table,
    preview: &mut Preview,
) -> Result<(), Error> {
    let mut memory = observe::memory(row, job.direction);
    if let Some(row) = row.filter(|row| row.hidden.is_some()) {
        let schema = &row.table.schema;
        memory.hidden_for = ledger::hidden_for(connection, schema, row.version).await?;
    }
    let task = match observe::task(job, row, &memory, table, options.soak) {
        Ok(task) => task,
        Err(error) => {
            preview.course = Some(refused(&error));
            return Ok(());
        }
    };
    let seen = likeness::see(&task, &memory, table);
    let before = memory
        .is_fresh
        .then(|| observe::capture(&task, table, seen.twin.as_deref()));
    if let Some(before) = &before {
        memory.had_column = before.column.is_some();
    }
    let as_it_was = table.clone();
    let course = course::course(&task, &memory, table, said_bytes(job));
    if !course.steps.is_empty() {
        let facts = (&course, before.as_ref(), None);
        preview.findings = found(connection, server, options, &task, &as_it_was, facts).await?;
    }
    preview.course = Some(course);
    Ok(())
}

fn refused(error: &Error) -> Course {
    Course {
        steps: Vec::new(),
        state: State::Unfinished,
        note: None,
        conflict: Some(error.to_string()),
        is_judged: false,
    }
}
