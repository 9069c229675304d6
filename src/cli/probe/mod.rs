//! `mydex probe`: workload packs and their load.

pub mod run;
mod summary;

use super::context::Context;
use super::error::{Error, Outcome};

/// Arguments of `mydex probe`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of `mydex probe`.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Drive a pack's load and print latency histograms and pool utilization.
    Run(run::Args),
}

/// Runs one of them.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    match args.command {
        Command::Run(args) => run::run(context, args).await,
    }
}
