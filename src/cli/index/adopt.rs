//! `mydex index adopt`: definitions for indexes that exist already.

use serde::Serialize;

use super::{Folder, change, reading};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::message;
use crate::indexes::adopt::definitions;
use crate::indexes::apply::{self, Change, End, Options, Unjudged};
use crate::indexes::definition::Definition;
use crate::indexes::facets::columns;
use crate::indexes::files::{self, Entry, Planned};
use crate::indexes::folder::{self, Written};
use crate::report::doc::{Block, Document, Table};

/// Why an adopted index is there, unless the user says more.
const REASON: &str = "adopted: it was there before its definition";

/// Options of `mydex index adopt`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Only indexes of these tables.
    #[arg(long = "table", value_name = "TABLE")]
    pub tables: Vec<String>,

    /// Why they are there, for whoever reviews it.
    #[arg(long, value_name = "TEXT", default_value = REASON)]
    pub reason: String,

    /// Write the files and record them as applied in the ledger.
    #[arg(long)]
    pub execute: bool,
}

/// Runs `mydex index adopt`.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let entries = reading::entries(&args.folder)?;
    let reading = reading::read(context, &args.folder).await?;
    // All files count: another profile's definition is a definition.
    let mut sides = reading.sides();
    sides.entries = &entries;
    let found = definitions(&sides, &args.tables, &args.reason);
    let planned =
        files::plan_by_name(&entries, &found).map_err(|error| Error::from_chain(&error))?;
    let json: Vec<Json> = found
        .iter()
        .zip(&planned)
        .map(|(definition, planned)| json(definition, planned, &reading.default_schema))
        .collect();
    let outcome = if args.execute && !found.is_empty() {
        adopt(context, args, &found, &reading.default_schema).await?
    } else {
        Outcome::Fine
    };
    context.emit(&document(&json, args.execute), &json)?;
    Ok(outcome)
}

/// Writes the files, and lets `apply` find that they are carried out already: it compares each
/// with the database, changes nothing there, and records it.
async fn adopt(
    context: &Context,
    args: &Args,
    found: &[Definition],
    default_schema: &str,
) -> Result<Outcome, Error> {
    let server = context.server()?;
    let options = Options {
        read_only: context.settings().dashboard.read_only,
        ..Options::new(context.settings().monitor.clone())
    };
    if options.read_only || server.read_only {
        return Err(change::told(&apply::Error::ReadOnly));
    }
    let audit = change::audit()?;
    let written =
        folder::write_by_name(&args.folder.dir, found).map_err(|e| Error::from_chain(&e))?;
    let mut new = Vec::new();
    for one in &written {
        if let Written::New(path) = one {
            message(&format!("wrote {}", path.display()));
            new.extend(path.file_name().map(|name| name.to_string_lossy()));
        }
    }
    let entries = reading::entries(&args.folder)?;
    let is_new = |entry: &&Entry| new.iter().any(|file| *file == entry.file);
    let changes: Vec<Change> = entries
        .iter()
        .filter(is_new)
        .map(|entry| Change {
            entry,
            schema: default_schema,
        })
        .collect();
    let done = apply::apply(
        server,
        &audit,
        &changes,
        &options,
        &Unjudged,
        &mut |_| {},
        &context.cancel,
    )
    .await;
    let later = "the files stay; `mydex index apply --execute` records them";
    match done
        .map_err(|error| Error::from_chain(&error).hint(later))?
        .end
    {
        End::Complete => Ok(Outcome::Fine),
        End::Interrupted => Ok(Outcome::Interrupted),
        End::Failed {
            version,
            name,
            error,
        } => Err(change::told(&error)
            .in_front(&format!("{version:04}_{name}: "))
            .or_hint(later)),
    }
}

fn document(all: &[Json], executed: bool) -> Document {
    let mut table = Table::new(
        "Indexes without a definition until now",
        &["File", "Table", "Index", "Columns"],
    );
    for one in all {
        table.push([
            one.file.clone(),
            format!("{}.{}", one.schema, one.table),
            one.index.clone(),
            one.columns.clone(),
        ]);
    }
    let blocks = match (all.is_empty(), executed) {
        (true, _) => vec![Block::Paragraph("Every index has a definition.".to_owned())],
        (false, true) => vec![Block::Table(table)],
        (false, false) => vec![
            Block::Table(table),
            Block::Paragraph(
                "Nothing was written; `--execute` writes the files and records them as applied."
                    .to_owned(),
            ),
        ],
    };
    Document {
        title: "mydex index adopt".to_owned(),
        blocks,
    }
}

/// One index as JSON.
#[derive(Serialize)]
struct Json {
    file: String,
    schema: String,
    table: String,
    index: String,
    columns: String,
}

fn json(definition: &Definition, planned: &Planned, default_schema: &str) -> Json {
    let (Planned::New { file, .. } | Planned::Stated { file }) = planned;
    let table = definition.table_name(default_schema);
    Json {
        file: file.clone(),
        schema: table.schema,
        table: table.name,
        index: definition.index.name.clone(),
        columns: columns(&definition.index.parts),
    }
}
