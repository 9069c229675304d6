//! `mydex probe`: workload packs.

mod capacity;
mod drive;
pub mod list;
pub mod load;
pub mod run;
mod sizing;
pub(super) mod summary;

use std::time::Duration;

use super::context::Context;
use super::error::{Error, Outcome};
use crate::config::{kind, value};
use crate::model::probe::Stage;
use crate::model::text;
use crate::probes::open::{OpenError, open};
use crate::probes::pack::{Pack, fields};

/// Options of `mydex probe`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the workload packs, or the tables and probes of one.
    List(list::Args),
    /// Create a pack's schema and fill it with data; the same command goes on where it was ended.
    Load(load::Args),
    /// Drive a pack's load and print latency histograms and pool utilization.
    Run(run::Args),
}

/// Runs `mydex probe`.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    match args.command {
        Command::List(args) => list::run(context, &args),
        Command::Load(args) => load::run(context, &args).await,
        Command::Run(args) => run::run(context, args).await,
    }
}

/// A time with its unit, for arguments.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    fields::duration(text)
        .ok_or_else(|| "expected a number with a unit, such as 500ms, 30s or 5m".to_owned())
}

/// A stage of a load, for arguments.
pub(super) fn stage(text: &str) -> Result<Stage, String> {
    value::read_stage(text)
        .filter(kind::is_stage)
        .ok_or_else(|| {
            "expected a rate and a time, such as 100/s:30s, or 100..500/s:1m for a rate that \
             moves evenly; at most 1000000/s and 24h"
                .to_owned()
        })
}

/// Opens a pack, with what is wrong in it as the error's lines.
pub(super) fn pack(name: &str) -> Result<Pack, Error> {
    open(name).map_err(|error| match &error {
        // A pack's text is somebody else's; it goes through the same filter as a server's.
        OpenError::Mistakes { .. } => Error::new(text::block(&error.to_string()).into_owned())
            .hint("docs/packs.md describes the files of a pack"),
        OpenError::Unknown { .. } => Error::from_chain(&error).hint(
            "`mydex probe list` shows what is shipped; a pack of your own is given as the path \
                 of its folder",
        ),
        _ => Error::from_chain(&error),
    })
}
