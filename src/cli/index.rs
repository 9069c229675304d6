//! `mydex index`: the folder of index definitions, against the ledger and the database.

pub mod adopt;
pub mod apply;
pub mod change;
pub mod drift;
pub mod judging;
pub mod lint;
pub mod new;
pub mod plan;
pub mod plans;
mod reading;
pub mod rollback;
pub mod status;
pub mod verify;

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use super::context::Context;
use super::error::{Error, Outcome};

/// Folder of the definitions, unless the user says otherwise.
pub const FOLDER: &str = "indexes";

/// Options of `mydex index`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a new definition with the next free number.
    New(new::Args),
    /// Check the definitions, alone or against a server: all mistakes at once.
    Lint(lint::Args),
    /// Each definition and what became of it.
    Status(status::Args),
    /// The statements that would be sent, with lock, duration and size; sends none.
    Plan(plan::Args),
    /// Files against ledger against database, in both directions, with remedies.
    Drift(drift::Args),
    /// Write definitions for indexes that exist already.
    Adopt(adopt::Args),
    /// Carry out the definitions that are pending; without `--execute` only show what would happen.
    Apply(apply::Args),
    /// Take definitions back, the last one first; without `--execute` only show what would happen.
    Rollback(rollback::Args),
    /// Compare the queries that a definition names before and after it.
    Verify(verify::Args),
}

/// Which definitions, and which schema.
#[derive(Debug, Clone, clap::Args)]
pub struct Folder {
    /// Folder of the definitions.
    #[arg(long, value_name = "DIR", default_value = FOLDER, value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,

    /// Schema of definitions that name none; by default the database of the server's URL.
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
}

/// Runs `mydex index`.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    match args.command {
        Command::New(args) => new::run(context, &args).await,
        Command::Lint(args) => lint::run(context, &args).await,
        Command::Status(args) => status::run(context, &args).await,
        Command::Plan(args) => plan::run(context, &args).await,
        Command::Drift(args) => drift::run(context, &args).await,
        Command::Adopt(args) => adopt::run(context, &args).await,
        Command::Apply(args) => apply::run(context, &args).await,
        Command::Rollback(args) => rollback::run(context, &args).await,
        Command::Verify(args) => verify::run(context, &args).await,
    }
}
