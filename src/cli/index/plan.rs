//! `mydex index plan`: the statements that would be sent, with what each takes; sends none.

use std::time::Duration;

use serde::Serialize;

use super::{Folder, change, reading};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::indexes::apply::{self, Change, Options, Preview};
use crate::indexes::course::PlannedStep;
use crate::indexes::{files, rules};
use crate::model::advice::LockLevel;
use crate::model::check::{Checked, Found, Rule, Spot};
use crate::model::finding::Severity;
use crate::model::units;
use crate::report::doc::{Block, Document, Table};
use crate::server::ddl::Algorithm;

/// Options of `mydex index plan`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,
}

/// Runs `mydex index plan`.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    reading::entries(&args.folder)?;
    let reading = reading::read(context, &args.folder).await?;
    let schema = reading.default_schema.as_str();
    let entries = reading.entries.iter();
    let changes: Vec<Change> = entries
        .filter(|entry| entry.is_for(reading.profile))
        .map(|entry| Change { entry, schema })
        .collect();
    let options = Options::new(context.settings().monitor.clone());
    let mut previews = apply::preview(context.server()?, &changes, &options)
        .await
        .map_err(|error| change::told(&error))?;
    previews.retain(is_open);
    let folder = &reading.survey.folder;
    let checked = checked(&previews, &reading.entries, folder);
    let outcome = if previews.iter().any(Preview::is_refused) {
        Outcome::Problem
    } else {
        Outcome::Fine
    };
    let json: Vec<Json> = previews.iter().map(json).collect();
    context.emit_checked(&checked, &document(&previews), &json)?;
    Ok(outcome)
}

/// Whether there is anything to do, or anything in the way.
fn is_open(preview: &Preview) -> bool {
    preview.is_refused()
        || preview
            .course
            .as_ref()
            .is_some_and(|course| !course.steps.is_empty() || course.note.is_some())
}

fn steps(preview: &Preview) -> &[PlannedStep] {
    preview
        .course
        .as_ref()
        .map_or(&[][..], |course| &course.steps)
}

/// What stands in the way, each with its remedy.
fn obstacles(preview: &Preview) -> Vec<(String, String)> {
    let found = preview.findings.iter();
    let found = found.filter(|finding| finding.severity >= Severity::Problem);
    let conflict = preview
        .course
        .iter()
        .filter_map(|course| course.conflict.clone());
    found
        .map(|finding| (finding.message.clone(), finding.remedy.clone()))
        .chain(conflict.map(|what| (what, String::new())))
        .collect()
}

/// The plan as findings: a note for each definition at its file, a problem for each obstacle.
fn checked(previews: &[Preview], entries: &[files::Entry], folder: &str) -> Checked {
    let mut checked = Checked {
        name: "index plan".to_owned(),
        rules: vec![&rules::PLANNED, &rules::REFUSED],
        ..Checked::default()
    };
    for preview in previews {
        let entry = entries
            .iter()
            .find(|entry| entry.version == preview.version && entry.name == preview.name);
        let path = entry.map_or_else(
            || preview.table.to_string(),
            |entry| files::path_of(folder, &entry.file),
        );
        let new = |rule: &'static Rule, message: String, remedy: String| Found {
            rule,
            subject: path.clone(),
            spot: entry.map(|_| Spot {
                file: path.clone(),
                line: 1,
                column: 1,
            }),
            object: Some(format!("{}.{}", preview.table, preview.index)),
            message,
            remedy,
        };
        let told: Vec<String> = steps(preview)
            .iter()
            .map(|step| format!("{} ({})", step.statement, takes(step)))
            .collect();
        if !told.is_empty() {
            checked
                .found
                .push(new(&rules::PLANNED, told.join("; "), String::new()));
        }
        for (what, remedy) in obstacles(preview) {
            checked.found.push(new(&rules::REFUSED, what, remedy));
        }
        checked.subjects.push(path);
    }
    checked
}

/// `LOCK=NONE, INPLACE, about 2.1s, 12MiB, after the soak`.
fn takes(step: &PlannedStep) -> String {
    let mut words = vec![
        format!("LOCK={}", lock(step.mode.lock)),
        algorithm(step.mode.algorithm).to_owned(),
    ];
    if step.time > Duration::ZERO {
        words.push(format!("about {}", units::duration(step.time)));
    }
    if let Some(bytes) = step.bytes {
        words.push(units::bytes(bytes));
    }
    if step.is_after_soak {
        words.push("after the soak".to_owned());
    }
    words.join(", ")
}

fn lock(lock: LockLevel) -> &'static str {
    match lock {
        LockLevel::None => "NONE",
        LockLevel::Shared => "SHARED",
        LockLevel::Exclusive => "EXCLUSIVE",
    }
}

fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Instant => "INSTANT",
        Algorithm::InPlace => "INPLACE",
        Algorithm::Copy => "COPY",
    }
}

fn document(previews: &[Preview]) -> Document {
    let mut blocks = Vec::new();
    let mut schemas: Vec<&str> = Vec::new();
    for preview in previews {
        let schema = preview.table.schema.as_str();
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }
    if schemas.is_empty() {
        let text = "Nothing to do: every definition is applied.".to_owned();
        blocks.push(Block::Paragraph(text));
    }
    for schema in schemas {
        blocks.push(Block::Heading(format!("Schema {schema}")));
        let own = || previews.iter().filter(|one| one.table.schema == schema);
        blocks.push(Block::Table(table(own())));
        for preview in own() {
            blocks.extend(details(preview));
        }
    }
    Document {
        title: "mydex index plan".to_owned(),
        blocks,
    }
}

/// All statements in order, with what each takes.
fn table<'a>(previews: impl Iterator<Item = &'a Preview>) -> Table {
    let mut table = Table::new(
        "Statements in order, with estimates; nothing was sent",
        &[
            ">Number",
            "Table",
            "Index",
            "Step",
            "Lock",
            "Algorithm",
            ">Time",
            ">Size",
        ],
    );
    for preview in previews {
        for step in steps(preview) {
            let word = step.word.replace('_', " ");
            table.push([
                preview.version.to_string(),
                preview.table.name.clone(),
                preview.index.clone(),
                if step.is_after_soak {
                    format!("{word}, after the soak")
                } else {
                    word
                },
                lock(step.mode.lock).to_owned(),
                algorithm(step.mode.algorithm).to_owned(),
                if step.time > Duration::ZERO {
                    units::duration(step.time)
                } else {
                    String::new()
                },
                step.bytes.map_or_else(String::new, units::bytes),
            ]);
        }
    }
    table
}

/// One definition: its statements, what is to be known, and what stands in the way.
fn details(preview: &Preview) -> Vec<Block> {
    let title = format!("{:04} {}", preview.version, preview.name);
    let mut blocks = vec![Block::Subheading(title)];
    let statements: Vec<String> = steps(preview)
        .iter()
        .map(|step| format!("{};", step.statement))
        .collect();
    if !statements.is_empty() {
        blocks.push(Block::Code {
            language: "sql",
            text: statements.join("\n"),
        });
    }
    if let Some(note) = preview.course.as_ref().and_then(|one| one.note.clone()) {
        blocks.push(Block::Paragraph(note));
    }
    let conflict = preview
        .course
        .as_ref()
        .and_then(|course| course.conflict.clone());
    if let Some(conflict) = conflict {
        blocks.push(Block::Paragraph(format!("In the way: {conflict}.")));
    }
    if !preview.findings.is_empty() {
        blocks.push(Block::Findings(preview.findings.clone()));
    }
    blocks
}

/// One definition as JSON.
#[derive(Serialize)]
struct Json {
    version: u32,
    name: String,
    schema: String,
    table: String,
    index: String,
    state: &'static str,
    statements: Vec<JsonStep>,
    note: Option<String>,
    obstacles: Vec<String>,
}

/// One statement as JSON.
#[derive(Serialize)]
struct JsonStep {
    step: &'static str,
    statement: String,
    lock: &'static str,
    algorithm: &'static str,
    seconds: f64,
    bytes: Option<u64>,
    after_soak: bool,
}

fn json(preview: &Preview) -> Json {
    let of_step = |step: &PlannedStep| JsonStep {
        step: step.word,
        statement: step.statement.clone(),
        lock: lock(step.mode.lock),
        algorithm: algorithm(step.mode.algorithm),
        seconds: step.time.as_secs_f64(),
        bytes: step.bytes,
        after_soak: step.is_after_soak,
    };
    Json {
        version: preview.version,
        name: preview.name.clone(),
        schema: preview.table.schema.clone(),
        table: preview.table.name.clone(),
        index: preview.index.clone(),
        state: preview.state.word(),
        statements: steps(preview).iter().map(of_step).collect(),
        note: preview.course.as_ref().and_then(|one| one.note.clone()),
        obstacles: obstacles(preview)
            .into_iter()
            .map(|(what, _)| what)
            .collect(),
    }
}
