//! A run for people, and its exit status.

use std::time::Duration;

use super::json::{Report, SkippedVersion, algorithm, lock, previewed, settled};
use super::{in_words, told};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::index::judging::Trials;
use crate::cli::message;
use crate::config::settings::Server;
use crate::indexes::apply::{self, End, Preview};
use crate::indexes::course::PlannedStep;
use crate::indexes::reconcile::Direction;
use crate::model::finding::{Finding, Severity};
use crate::model::ledger::State;
use crate::model::units;
use crate::report::doc::{Block, Document, Table};

/// Writes what would be done.
pub(in crate::cli::index) fn emit_preview(
    context: &Context,
    server: &Server,
    direction: Direction,
    (previews, trials): (&[Preview], Option<&Trials>),
    soak: Duration,
) -> Result<Outcome, Error> {
    let (work, rest): (Vec<_>, Vec<_>) = previews
        .iter()
        .partition(|preview| preview.course.is_some());
    let is_refused =
        work.iter().any(|preview| preview.is_refused()) || trials.is_some_and(Trials::is_refused);
    let what = match direction {
        Direction::Up => "applied",
        Direction::Down => "taken back",
    };
    let mut blocks = vec![Block::Paragraph(match work.len() {
        0 => format!("Nothing is left to be {what}."),
        1 => {
            format!("1 definition would be {what}. Nothing was changed: add `--execute` to do it.")
        }
        n => {
            format!(
                "{n} definitions would be {what}. Nothing was changed: add `--execute` to do it."
            )
        }
    })];
    for preview in &work {
        describe(&mut blocks, preview, soak);
    }
    blocks.extend(trials.map(Trials::blocks).into_iter().flatten());
    let document = Document {
        title: format!("Dry run on {}", server.name),
        blocks,
    };
    let report = Report {
        server: server.name.clone(),
        direction: direction.word(),
        executed: false,
        end: if is_refused { "refused" } else { "complete" },
        versions: work.iter().map(|preview| previewed(preview)).collect(),
        skipped: rest
            .iter()
            .map(|preview| SkippedVersion {
                version: preview.version,
                name: preview.name.clone(),
                state: preview.state.word(),
                reason: format!("{} already", preview.state.word()),
            })
            .collect(),
        trials: trials.map(Trials::json),
        error: None,
    };
    context.emit(&document, &report)?;
    Ok(if is_refused {
        Outcome::Problem
    } else {
        Outcome::Fine
    })
}

fn describe(blocks: &mut Vec<Block>, preview: &Preview, soak: Duration) {
    blocks.push(Block::Subheading(format!(
        "{:04} {}: `{}` of `{}`",
        preview.version, preview.name, preview.index, preview.table
    )));
    let Some(course) = &preview.course else {
        return;
    };
    if !course.steps.is_empty() {
        let mut table = Table::new(
            "Statements in order; times and sizes are estimates",
            &["step", "algorithm", "lock", ">time", ">size", "when"],
        );
        for step in &course.steps {
            table.push(cells(step, soak));
        }
        blocks.push(Block::Table(table));
        let statements: Vec<String> = course
            .steps
            .iter()
            .map(|step| format!("{};", step.statement))
            .collect();
        blocks.push(Block::Code {
            language: "sql",
            text: statements.join("\n"),
        });
    }
    if course.is_judged {
        blocks.push(Block::Paragraph(
            "The index is built invisible and becomes visible after it was verified; it is dropped \
             again when it does not keep its promise."
                .to_owned(),
        ));
    }
    if let Some(conflict) = &course.conflict {
        blocks.push(Block::Findings(vec![Finding {
            severity: Severity::Problem,
            code: "conflict",
            message: conflict.clone(),
            remedy: String::new(),
        }]));
    } else {
        let note = course
            .note
            .as_deref()
            .map_or_else(String::new, |note| format!(": {note}"));
        blocks.push(Block::Paragraph(format!(
            "Now {}, then {}{note}.",
            in_words(preview.state),
            in_words(course.state)
        )));
    }
    if !preview.findings.is_empty() {
        blocks.push(Block::Findings(preview.findings.clone()));
    }
}

fn cells(step: &PlannedStep, soak: Duration) -> [String; 6] {
    let time = if step.time.is_zero() {
        "at once".to_owned()
    } else {
        units::duration(step.time)
    };
    [
        step.word.replace('_', " "),
        algorithm(step.mode.algorithm).to_owned(),
        lock(step.mode.lock).to_owned(),
        time,
        step.bytes.map_or_else(String::new, units::bytes),
        if step.is_after_soak {
            format!("after {} of soak", units::duration(soak))
        } else {
            "now".to_owned()
        },
    ]
}

/// What was done, for people.
fn done(outcome: &apply::Outcome, direction: Direction) -> Vec<Block> {
    let mut table = Table::new(
        "Definitions in the order of the work",
        &[">number", "name", "table", "index", "state", "note"],
    );
    for settled in &outcome.settled {
        table.push([
            format!("{:04}", settled.version),
            settled.name.clone(),
            settled.table.to_string(),
            settled.index.clone(),
            in_words(settled.state),
            settled.note.clone().unwrap_or_default(),
        ]);
    }
    let mut blocks = Vec::new();
    if outcome.settled.is_empty() {
        blocks.push(Block::Paragraph("Nothing was changed.".to_owned()));
    } else {
        blocks.push(Block::Table(table));
    }
    if !outcome.skipped.is_empty() {
        let lines = outcome
            .skipped
            .iter()
            .map(|one| format!("{:04} {}: {}", one.version, one.name, one.reason));
        blocks.push(Block::List(lines.collect()));
    }
    if outcome.end.is_interrupted() {
        let text = match direction {
            Direction::Up => {
                "Interrupted: the next run goes on from here, and `mydex index rollback` takes it \
                 back."
            }
            Direction::Down => {
                "Interrupted: the next rollback goes on from here, and `mydex index apply` puts it \
                 back."
            }
        };
        blocks.push(Block::Paragraph(text.to_owned()));
    }
    blocks
}

/// Writes what was done.
pub(in crate::cli::index) fn emit_outcome(
    context: &Context,
    server: &Server,
    direction: Direction,
    outcome: &apply::Outcome,
) -> Result<Outcome, Error> {
    let end = match &outcome.end {
        End::Complete => "complete",
        End::Interrupted => "interrupted",
        End::Failed { .. } => "failed",
    };
    let blocks = done(outcome, direction);
    let document = Document {
        title: match direction {
            Direction::Up => format!("Definitions applied to {}", server.name),
            Direction::Down => format!("Definitions taken back from {}", server.name),
        },
        blocks,
    };
    let error = match &outcome.end {
        End::Failed {
            version,
            name,
            error,
        } => Some((format!("{version:04} {name}: {error}"), error)),
        _ => None,
    };
    let report = Report {
        server: server.name.clone(),
        direction: direction.word(),
        executed: true,
        end,
        versions: outcome.settled.iter().map(settled).collect(),
        skipped: outcome
            .skipped
            .iter()
            .map(|one| SkippedVersion {
                version: one.version,
                name: one.name.clone(),
                state: one.state.word(),
                reason: one.reason.clone(),
            })
            .collect(),
        trials: None,
        error: error.as_ref().map(|(text, _)| text.clone()),
    };
    context.emit(&document, &report)?;
    ended(outcome)
}

/// The exit status: a rejected index and a refused change are problems found; a failed statement
/// or connection leaves open what is there.
fn ended(outcome: &apply::Outcome) -> Result<Outcome, Error> {
    match &outcome.end {
        End::Interrupted => Ok(Outcome::Interrupted),
        End::Failed {
            version,
            name,
            error,
        } => {
            let told = told(error).in_front(&format!("{version:04} {name}: "));
            let is_problem = matches!(
                error,
                apply::Error::Conflict(_) | apply::Error::Refused(_) | apply::Error::Edited { .. }
            );
            if is_problem {
                message(&told.to_string());
                return Ok(Outcome::Problem);
            }
            Err(told)
        }
        End::Complete => {
            let is_open = |one: &&apply::Settled| one.state == State::Staged;
            if let Some(open) = outcome.settled.iter().find(is_open) {
                return Err(Error::new(format!(
                    "{:04} {} is built and stays invisible, because it could not be judged",
                    open.version, open.name
                ))
                .hint(
                    "apply it again with `--execute-queries`, or with `--trust-estimates` to show \
                     it on its estimate; `mydex index rollback` drops it",
                ));
            }
            let is_rejected = |one: &apply::Settled| one.state == State::Rejected;
            Ok(if outcome.settled.iter().any(is_rejected) {
                Outcome::Problem
            } else {
                Outcome::Fine
            })
        }
    }
}
