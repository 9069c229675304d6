//! What would be done, told without a change; and what is looked at before anything is.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Error, Job, Options, Preview, Skipped, facts, forms, observe, waits};
use crate::config::settings::Server;
use crate::indexes::course::Course;
use crate::indexes::ledger::{self, Before, Row};
use crate::indexes::precheck::{self, Limits, Work, Writers};
use crate::indexes::reconcile::{Direction, Task};
use crate::indexes::steps;
use crate::indexes::ways::{self, Look};
use crate::model::advice::LockLevel;
use crate::model::finding::Finding;
use crate::model::ledger::State;
use crate::model::schema::{IndexKind, KeyPart, Table, TableName};
use crate::server::Connection;

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
        writers: writers(task, course),
        forced_copies: course
            .steps
            .iter()
            .filter_map(|step| step.forced_copy.clone())
            .collect(),
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

/// What writers do meanwhile.
fn writers(task: &Task, course: &Course) -> Writers {
    let mut locks = course.steps.iter().map(|step| step.mode.lock);
    if locks.all(|lock| lock == LockLevel::None) {
        return Writers::GoOn;
    }
    let builds = course.steps.iter().any(|step| step.word == "build");
    let index = &task.index;
    // A plain index over the column of an expression is built while writes go on, if nothing else
    // of the table stands in the way of adding that column.
    let is_avoidable = builds
        && index.is_functional()
        && index.kind == IndexKind::BTree
        && task.functional.is_empty();
    if is_avoidable {
        Writers::WaitNeedlessly
    } else {
        Writers::Wait
    }
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
    let mut hidden_for = None;
    if let Some(row) = row.filter(|row| row.hidden.is_some()) {
        let schema = &row.table.schema;
        hidden_for = ledger::hidden_for(connection, schema, row.version).await?;
    }
    let look = Look {
        definition: &job.definition,
        direction: job.direction,
        row,
        hidden_for,
        soak: options.soak,
    };
    let ahead = match ways::ahead(&look, table) {
        Ok(ahead) => ahead,
        Err(error) => {
            preview.course = Some(refused(&error.into()));
            return Ok(());
        }
    };
    if !ahead.course.steps.is_empty() {
        let facts = (&ahead.course, ahead.before.as_ref(), None);
        let (task, from) = (&ahead.task, &ahead.from);
        preview.findings = found(connection, server, options, task, from, facts).await?;
    }
    if ahead.presumes {
        let index = &ahead.task.index.name;
        preview.findings.push(forms::presumed(index));
    }
    let back = ahead.way_back(Duration::ZERO).steps.into_iter();
    preview.back = back.map(|step| step.statement).collect();
    preview.course = Some(ahead.course);
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
