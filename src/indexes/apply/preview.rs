//! What would be done, told without a change; and what is looked at before anything is.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Error, Job, Options, Preview, Skipped, facts, forms, observe, waits};
use crate::config::settings::Server;
use crate::indexes::course::{self, Course};
use crate::indexes::ledger::{self, Before, Row};
use crate::indexes::likeness;
use crate::indexes::precheck::{self, Limits, Work};
use crate::indexes::reconcile::{Direction, Memory, Stage, Task};
use crate::indexes::steps;
use crate::model::advice::{Action, LockLevel};
use crate::model::finding::Finding;
use crate::model::ledger::State;
use crate::model::schema::{IndexKind, KeyPart, Table, TableName};
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
        State::Rejected if row.is_hidden_by_guard() && !is_same => {
            Err(Error::Edited { what: "applied" })
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
    let index = &task.index;
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
        forced_copies: course
            .steps
            .iter()
            .filter_map(|step| step.forced_copy.clone())
            .collect(),
        // A plain index over the column of an expression is built while writes go on, if nothing
        // else of the table stands in the way of adding that column.
        is_avoidable: has("build")
            && index.is_functional()
            && index.kind == IndexKind::BTree
            && task.functional.is_empty(),
        missing_columns: if has("build") {
            missing_columns(task, table)
        } else {
            Vec::new()
        },
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
        may_copy: options.may_copy,
    };
    let mut findings = precheck::judge(&facts, table, &work, &limits);
    if has("build") {
        findings.extend(forms::privilege(&facts, task, table));
    }
    Ok(findings)
}

/// Columns that an index is over and the table has not; expressions are left to the server.
fn missing_columns(task: &Task, table: &Table) -> Vec<String> {
    let own = task.column.as_ref().map(|column| column.name.as_str());
    let names = task.index.parts.iter().filter_map(KeyPart::column_name);
    names
        .filter(|name| own.is_none_or(|own| !own.eq_ignore_ascii_case(name)))
        .filter(|name| table.column(name).is_none())
        .map(str::to_owned)
        .collect()
}

/// What would be done for each, one after the other, on tables that change as they would.
pub(super) async fn previews(
    connection: &mut Connection,
    server: &Server,
    options: &Options,
    jobs: Vec<Job>,
) -> Result<Vec<Preview>, Error> {
    let mut tables: BTreeMap<TableName, Table> = BTreeMap::new();
    let mut ledgers: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let mut previews: Vec<Preview> = Vec::new();
    for job in jobs {
        let schema = job.table.schema.as_str();
        if !ledgers.contains_key(schema) {
            let rows = ledger::read(connection, schema).await?;
            ledgers.insert(schema.to_owned(), rows);
        }
        let rows = ledgers.get(schema).map_or(&[][..], Vec::as_slice);
        let row = rows.iter().find(|row| row.version == job.version).cloned();
        let mut preview = Preview {
            version: job.version,
            name: job.name.clone(),
            table: job.table.clone(),
            index: job.definition.index.name.clone(),
            direction: job.direction,
            state: row.as_ref().map_or(State::Pending, |row| row.state),
            course: None,
            back: Vec::new(),
            findings: Vec::new(),
        };
        let is_skipped = match skip(&job, row.as_ref(), options) {
            Ok(None) => false,
            Ok(Some(_)) => true,
            Err(error) => {
                preview.course = Some(refused(&error));
                true
            }
        };
        if !is_skipped {
            let waits = waits::waits_for(&job, row.as_ref(), waits::soaks(rows, &previews));
            preview.course = waits.map(waits::waiting);
        }
        if is_skipped || preview.course.is_some() {
            previews.push(preview);
            continue;
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
    let mut task = match observe::task(job, row, &memory, table, options.soak) {
        Ok(task) => task,
        Err(error) => {
            preview.course = Some(refused(&error));
            return Ok(());
        }
    };
    let presumes = forms::presumed_forms(&mut task, table);
    let seen = likeness::see(&task, &memory, table);
    let before = memory
        .is_fresh
        .then(|| observe::capture(&task, table, seen.twin.as_deref()));
    if let Some(before) = &before {
        memory.had_column = before.column.is_some();
    }
    let as_it_was = table.clone();
    let (course, at_soak) = course::follow(&task, &memory, table, said_bytes(job));
    if !course.steps.is_empty() {
        let facts = (&course, before.as_ref(), None);
        preview.findings = found(connection, server, options, &task, &as_it_was, facts).await?;
    }
    if presumes {
        preview.findings.push(forms::presumed(&task.index.name));
    }
    preview.back = way_back(&task, &memory, &as_it_was, table);
    // Whatever comes next finds the table as it is until the soak is over.
    if let Some(at_soak) = at_soak {
        *table = at_soak;
    }
    preview.course = Some(course);
    Ok(())
}

/// The statements that would take it back again.
fn way_back(task: &Task, memory: &Memory, before: &Table, after: &Table) -> Vec<String> {
    let found = before.index(&task.index.name);
    let task = Task {
        direction: Direction::Down,
        index: found.unwrap_or(&task.index).clone(),
        soak: Duration::ZERO,
        is_judged: false,
        ..task.clone()
    };
    let memory = Memory {
        is_fresh: false,
        stage: Stage::Begun,
        had_index: found.is_some(),
        ..memory.clone()
    };
    let course = course::course(&task, &memory, &mut after.clone(), None);
    course
        .steps
        .into_iter()
        .map(|step| step.statement)
        .collect()
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
