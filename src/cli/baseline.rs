//! `mydex baseline`: what a workload costs, recorded, checked, and followed from run to run.

mod beside;
mod check;
mod checked;
mod compare;
mod document;
mod json;
mod record;
mod recording;

mod selftest;
mod show;
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
    /// Show what a file holds, or with `--history` what became of the workload from file to file.
    Show(show::Args),
    /// Run the same operations on two sides in turns, and judge the second by the first.
    Compare(Box<compare::Args>),
    /// Compare a server with itself, again and again: how often does that raise a false alarm here?
    Selftest(selftest::Args),
}

/// Runs `mydex baseline`.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    match args.command {
        Command::Record(args) => record::run(context, &args).await,
        Command::Check(args) => check::run(context, &args).await,
        Command::Show(args) => show::run(context, &args),
        Command::Compare(args) => compare::run(context, &args).await,
        Command::Selftest(args) => selftest::run(context, &args).await,
    }
}
