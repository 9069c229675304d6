//! `mydex report`: documents about a server, for people and for programs.

mod performance;

use super::context::Context;
use super::error::{Error, Outcome};

/// Arguments of `mydex report`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which report.
    #[command(subcommand)]
    pub report: Report,
}

/// The reports.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Report {
    /// Watch a server for a while: load, latencies, statements, waits, service levels, changes.
    Performance(performance::Args),
}

/// Runs the command.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    match &args.report {
        Report::Performance(args) => performance::run(context, args).await,
    }
}
