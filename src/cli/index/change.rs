//! What `apply` and `rollback` share: settings, events as lines, and the report at the end.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::Folder;
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::message;
use crate::config::settings::Server;
use crate::indexes::apply::{self, End, Event, Options, Phase, Preview, Verdict};
use crate::indexes::files::Entry;
use crate::indexes::folder;
use crate::indexes::reconcile::Direction;
use crate::indexes::steps::PlannedStep;
use crate::model::advice::LockLevel;
use crate::model::finding::{Finding, Severity};
use crate::model::{text, units};
use crate::report::doc::{Block, Document, Table};
use crate::server::audit::Audit;
use crate::server::ddl::Algorithm;

/// Longest time that one try for a lock may hold up others.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(1);

/// Shortest: below it nothing but an idle table could be changed.
const MIN_LOCK_WAIT: Duration = Duration::from_millis(50);

/// Limits that both commands take.
#[derive(Debug, Clone, clap::Args)]
pub struct Limits {
    /// How long to go on trying for a lock that others hold.
    #[arg(long, value_name = "TIME", value_parser = crate::cli::probe::duration, default_value = "5m")]
    pub patience: Duration,

    /// How long one try for a lock may hold up others, a second at most.
    #[arg(long, value_name = "TIME", value_parser = lock_wait, default_value = "1s")]
    pub lock_wait: Duration,

    /// A replica that is further behind than this gets no new work.
    #[arg(long, value_name = "TIME", value_parser = crate::cli::probe::duration, default_value = "30s")]
    pub max_lag: Duration,
}

fn lock_wait(text: &str) -> Result<Duration, String> {
    let time = crate::cli::probe::duration(text)?;
    if (MIN_LOCK_WAIT..=MAX_LOCK_WAIT).contains(&time) {
        Ok(time)
    } else {
        Err("expected 50ms to 1s: longer would hold up others".to_owned())
    }
}

impl Limits {
    /// The limits as options of the work.
    pub(super) fn options(&self, context: &Context, soak: Duration) -> Options {
        let settings = context.settings();
        Options {
            soak,
            patience: self.patience,
            lock_wait: self.lock_wait,
            max_lag: self.max_lag,
            read_only: settings.dashboard.read_only,
            ..Options::new(settings.monitor.clone())
        }
    }
}

/// The definitions of the folder, and the schema of those that name none.
pub(super) fn definitions(folder: &Folder, server: &Server) -> Result<(Vec<Entry>, String), Error> {
    let entries = folder::read(&folder.dir).map_err(|error| {
        // Texts of files are somebody else's; they go through the same filter as a server's.
        let text = text::block(&error.to_string()).into_owned();
        Error::new(text).hint("docs/indexes.md describes the files of the folder")
    })?;
    let schema = folder.schema.clone().or_else(|| server.database.clone());
    let needs_one = entries.iter().any(|entry| entry.definition.schema.is_none());
    match schema {
        Some(schema) => Ok((entries, schema)),
        None if !needs_one && !entries.is_empty() => Ok((entries, String::new())),
        None => Err(Error::new("no schema is given for definitions that name none")
            .hint("add `--schema NAME`, or put the database into the server's URL")),
    }
}

/// The schemas whose ledgers hold what the folder is about.
pub(super) fn schemas(entries: &[Entry], schema: &str) -> BTreeSet<String> {
    let named = entries
        .iter()
        .filter_map(|entry| entry.definition.schema.clone());
    let own = (!schema.is_empty()).then(|| schema.to_owned());
    named.chain(own).collect()
}

/// The audit log of this user.
pub(super) fn audit() -> Result<Audit, Error> {
    Audit::of_user().map_err(|error| Error::from_chain(&error))
}

/// An error of the work, with its remedy.
pub(super) fn told(error: &apply::Error) -> Error {
    let shown = text::block(&error.to_string()).into_owned();
    let told = Error::new(shown);
    match error {
        apply::Error::ReadOnly => told.hint(
            "leave out `--read-only`, or set `read_only = false` for this server where it may be changed",
        ),
        apply::Error::Server(source) | apply::Error::Statement { source, .. } => {
            told.hint(source.hint())
        }
        apply::Error::NoTable(_) => told.hint("check `--schema` and the account's privileges"),
        apply::Error::Locked { .. } => told.hint(
            "nothing was changed by this statement; end those sessions or wait for them, or give `--patience` more time",
        ),
        _ => told,
    }
}

/// Shows what happens on standard error, one line each.
pub(super) fn show(event: &Event) {
    let line = match event {
        Event::Waiting {
            schema,
            holder,
            waited,
        } => format!(
            "waiting for `{schema}` for {}: held by {holder}",
            units::duration(*waited)
        ),
        Event::Begun {
            version,
            name,
            direction,
        } => {
            let what = match direction {
                Direction::Up => "applying",
                Direction::Down => "taking back",
            };
            format!("{what} {version:04} {name}")
        }
        Event::Found { finding, .. } => said(finding),
        Event::Step {
            statement,
            phase: Phase::Intended,
            ..
        } => format!("  {statement}"),
        Event::Step { .. } => return,
        Event::Progress { progress, .. } => {
            let stage = progress
                .stage
                .as_deref()
                .unwrap_or("the server's stage instruments are off");
            let waiting = if progress.is_waiting {
                ", waiting for a lock on the table"
            } else {
                ""
            };
            let share = progress.share.map_or_else(String::new, |share| {
                let left = progress.left.map_or_else(String::new, |left| {
                    format!(", about {} left", units::duration(left))
                });
                format!(", {}{left}", units::percent(share))
            });
            format!(
                "  {} so far{waiting}{share} ({stage})",
                units::duration(progress.elapsed)
            )
        }
        Event::Blocked {
            by, attempt, pause, ..
        } => {
            let who = if by.is_empty() {
                "who can't be seen".to_owned()
            } else {
                by.join("; ")
            };
            format!(
                "  no lock at try {attempt}; held by {who}; again in {}",
                units::duration(*pause)
            )
        }
        Event::Judged { verdict, .. } => match verdict {
            Verdict::Accepted(how) => format!("  verified: {how}"),
            Verdict::Rejected(why) => format!("  rejected, and taken back: {why}"),
            Verdict::NotJudged(why) => format!("  not verified: {why}"),
        },
        Event::Settled(settled) => {
            let note = settled
                .note
                .as_deref()
                .map_or_else(String::new, |note| format!("; {note}"));
            format!("  {}{note}", settled.state.word())
        }
    };
    message(&text::inline(&line));
}

fn said(finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Problem => "problem",
        Severity::Warning => "warning",
        Severity::Note | Severity::Ok => "note",
    };
    if finding.remedy.is_empty() {
        return format!("  {word}: {}", finding.message);
    }
    format!("  {word}: {}; {}", finding.message, finding.remedy)
}

/// A run as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    server: String,
    /// `up` or `down`.
    direction: &'static str,
    /// Whether anything could change.
    executed: bool,
    /// `complete`, `interrupted` or `failed`; of a dry run `complete` or `refused`.
    end: &'static str,
    /// What was worked on, or would be.
    versions: Vec<Version>,
    /// What needed nothing.
    skipped: Vec<SkippedVersion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Version {
    version: u32,
    name: String,
    table: String,
    index: String,
    /// Where it stands; of a dry run where it would lead.
    state: &'static str,
    note: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    statements: Vec<Statement>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FoundOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<String>,
}

#[derive(Debug, Serialize)]
struct Statement {
    step: &'static str,
    statement: String,
    algorithm: &'static str,
    lock: &'static str,
    expected_seconds: f64,
    bytes: Option<u64>,
    after_soak: bool,
}

#[derive(Debug, Serialize)]
struct FoundOut {
    severity: &'static str,
    code: &'static str,
    message: String,
    remedy: String,
}

#[derive(Debug, Serialize)]
struct SkippedVersion {
    version: u32,
    name: String,
    state: &'static str,
    reason: String,
}

fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Instant => "INSTANT",
        Algorithm::InPlace => "INPLACE",
        Algorithm::Copy => "COPY",
    }
}

fn lock(level: LockLevel) -> &'static str {
    match level {
        LockLevel::None => "NONE",
        LockLevel::Shared => "SHARED",
        LockLevel::Exclusive => "EXCLUSIVE",
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Problem => "problem",
    }
}

/// Writes what would be done.
pub(super) fn emit_preview(
    context: &Context,
    server: &Server,
    direction: Direction,
    previews: &[Preview],
    soak: Duration,
) -> Result<Outcome, Error> {
    let (work, rest): (Vec<_>, Vec<_>) = previews
        .iter()
        .partition(|preview| preview.course.is_some());
    let is_refused = work.iter().any(|preview| preview.is_refused());
    let what = match direction {
        Direction::Up => "applied",
        Direction::Down => "taken back",
    };
    let mut blocks = vec![Block::Paragraph(match work.len() {
        0 => format!("Nothing is left to be {what}."),
        1 => format!("1 definition would be {what}. Nothing was changed: add `--execute` to do it."),
        n => {
            format!("{n} definitions would be {what}. Nothing was changed: add `--execute` to do it.")
        }
    })];
    for preview in &work {
        describe(&mut blocks, preview, soak);
    }
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
            preview.state.word(),
            course.state.word()
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

fn previewed(preview: &Preview) -> Version {
    let course = preview.course.as_ref();
    Version {
        version: preview.version,
        name: preview.name.clone(),
        table: preview.table.to_string(),
        index: preview.index.clone(),
        state: course.map_or(preview.state, |course| course.state).word(),
        note: course.and_then(|course| course.note.clone()),
        statements: course
            .iter()
            .flat_map(|course| &course.steps)
            .map(|step| Statement {
                step: step.word,
                statement: step.statement.clone(),
                algorithm: algorithm(step.mode.algorithm),
                lock: lock(step.mode.lock),
                expected_seconds: step.time.as_secs_f64(),
                bytes: step.bytes,
                after_soak: step.is_after_soak,
            })
            .collect(),
        findings: preview
            .findings
            .iter()
            .map(|finding| FoundOut {
                severity: severity(finding.severity),
                code: finding.code,
                message: finding.message.clone(),
                remedy: finding.remedy.clone(),
            })
            .collect(),
        conflict: course.and_then(|course| course.conflict.clone()),
    }
}

/// Writes what was done.
pub(super) fn emit_outcome(
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
            settled.state.word().to_owned(),
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
        blocks.push(Block::Paragraph(
            "Interrupted: the next run goes on from here, and `mydex index rollback` takes it back."
                .to_owned(),
        ));
    }
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
        error: error.as_ref().map(|(text, _)| text.clone()),
    };
    context.emit(&document, &report)?;
    ended(outcome)
}

fn settled(settled: &apply::Settled) -> Version {
    Version {
        version: settled.version,
        name: settled.name.clone(),
        table: settled.table.to_string(),
        index: settled.index.clone(),
        state: settled.state.word(),
        note: settled.note.clone(),
        statements: Vec::new(),
        findings: Vec::new(),
        conflict: None,
    }
}

/// The exit status: a rejected index and a refused change are problems found; a failed statement
/// or connection leaves open what is there.
fn ended(outcome: &apply::Outcome) -> Result<Outcome, Error> {
    use crate::model::ledger::State;
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
            let is_rejected = |one: &apply::Settled| one.state == State::Rejected;
            Ok(if outcome.settled.iter().any(is_rejected) {
                Outcome::Problem
            } else {
                Outcome::Fine
            })
        }
    }
}
