//! `mydex baseline`: what a workload costs, recorded and checked.

mod beside;
mod check;
mod checked;
mod document;
mod json;
mod record;
mod recording;
mod timed;

use super::context::Context;
use super::error::{Error, Outcome};

pub(super) use beside::beside;

/// Options of `mydex baseline`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run a pack's probes once, in a fixed order, and write what they cost.
    Record(record::Args),
    /// Run them again and compare with a recorded file, counter by counter.
    Check(check::Args),
}

/// Runs `mydex baseline`.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    match args.command {
        Command::Record(args) => record::run(context, &args).await,
        Command::Check(args) => check::run(context, &args).await,
    }
}
