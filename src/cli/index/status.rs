//! `mydex index status`: each definition and what became of it.

use serde::Serialize;

use super::{Folder, lint, reading};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::indexes::drift::drift;
use crate::indexes::status::states;
use crate::indexes::{files, rules};
use crate::model::advice::Action;
use crate::model::check::{Checked, Found, Spot};
use crate::model::ledger::{DefinitionState, State};
use crate::report::doc::{Block, Document, Table};

/// Options of `mydex index status`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// End with status 1 when a definition is not applied.
    #[arg(long)]
    pub check: bool,
}

/// Runs `mydex index status`.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    reading::entries(&args.folder)?;
    let reading = reading::read(context, &args.folder).await?;
    let folder = &reading.survey.folder;
    let states = states(
        &reading.entries,
        &reading.ledger,
        &reading.catalog,
        &reading.default_schema,
    );
    let mut checked = drift(&reading.sides(), folder, false);
    "index status".clone_into(&mut checked.name);
    if args.check {
        pending(&mut checked, &states, folder);
    }
    let elsewhere = reading.survey.entries.len() - reading.entries.len();
    let document = document(&states, elsewhere, reading.profile);
    let json: Vec<Json> = states.iter().map(json).collect();
    context.emit_checked(&checked, &document, &json)?;
    Ok(if args.check {
        lint::outcome(&checked, false)
    } else {
        Outcome::Fine
    })
}

/// What is not applied breaks a rule, once that is asked for. What was rejected stays so.
fn pending(checked: &mut Checked, states: &[DefinitionState], folder: &str) {
    let is_open = |state: State| !matches!(state, State::Applied | State::Rejected);
    for one in states.iter().filter(|one| is_open(one.state)) {
        let Some(file) = &one.file else { continue };
        checked.found.push(Found {
            rule: &rules::PENDING,
            subject: one.table.to_string(),
            spot: Some(Spot {
                file: files::path_of(folder, file),
                line: 1,
                column: 1,
            }),
            object: Some(format!("{}.{}", one.table, one.index)),
            message: format!("version {} is {}", one.version, one.state.word()),
            remedy: "`mydex index apply --execute` carries it out".to_owned(),
        });
    }
    checked.rules.push(&rules::PENDING);
}

fn document(states: &[DefinitionState], elsewhere: usize, profile: &str) -> Document {
    let mut table = Table::new(
        "Definitions in the order of their numbers; times are UTC",
        &[">Number", "State", "Action", "Table", "Index", "Changed"],
    );
    for one in states {
        table.push([
            one.version.to_string(),
            one.state.word().replace('_', " "),
            action(one.action).to_owned(),
            one.table.to_string(),
            one.index.clone(),
            one.changed.map_or_else(String::new, |at| {
                at.strftime("%Y-%m-%d %H:%M:%S").to_string()
            }),
        ]);
    }
    let mut blocks = Vec::new();
    if states.is_empty() {
        blocks.push(Block::Paragraph(
            "No definition; `mydex advise --write` and `mydex index new` write some.".to_owned(),
        ));
    } else {
        blocks.push(Block::Paragraph(summary(states)));
        blocks.push(Block::Table(table));
    }
    let problems: Vec<String> = states
        .iter()
        .flat_map(|one| {
            let number = one.version;
            one.problems
                .iter()
                .map(move |problem| format!("{number}: {problem}"))
        })
        .collect();
    if !problems.is_empty() {
        blocks.push(Block::Heading("Out of order".to_owned()));
        blocks.push(Block::List(problems));
    }
    let said: Vec<String> = states
        .iter()
        .filter(|one| one.state != State::Applied)
        .filter_map(|one| Some(format!("{}: {}", one.version, one.said.as_ref()?)))
        .collect();
    if !said.is_empty() {
        blocks.push(Block::Heading("What the ledger says".to_owned()));
        blocks.push(Block::List(said));
    }
    if elsewhere > 0 {
        blocks.push(Block::Paragraph(format!(
            "{elsewhere} more for other profiles than `{profile}`."
        )));
    }
    Document {
        title: "mydex index status".to_owned(),
        blocks,
    }
}

/// How many stand where: `3 applied, 1 pending.`
fn summary(states: &[DefinitionState]) -> String {
    let mut counts: Vec<(State, usize)> = Vec::new();
    for one in states {
        match counts.iter_mut().find(|(state, _)| *state == one.state) {
            Some((_, count)) => *count += 1,
            None => counts.push((one.state, 1)),
        }
    }
    counts.sort();
    let counted: Vec<String> = counts
        .into_iter()
        .map(|(state, count)| format!("{count} {}", state.word().replace('_', " ")))
        .collect();
    format!("{}.", counted.join(", "))
}

/// `create` or `drop`.
fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Drop => "drop",
    }
}

/// One definition as JSON.
#[derive(Serialize)]
struct Json {
    version: u32,
    name: String,
    file: Option<String>,
    schema: String,
    table: String,
    index: String,
    action: &'static str,
    state: &'static str,
    changed: Option<String>,
    said: Option<String>,
    problems: Vec<String>,
}

fn json(one: &DefinitionState) -> Json {
    Json {
        version: one.version,
        name: one.name.clone(),
        file: one.file.clone(),
        schema: one.table.schema.clone(),
        table: one.table.name.clone(),
        index: one.index.clone(),
        action: action(one.action),
        state: one.state.word(),
        changed: one.changed.map(|at| at.to_string()),
        said: one.said.clone(),
        problems: one.problems.clone(),
    }
}
