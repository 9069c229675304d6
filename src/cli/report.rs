//! `mydex report`: documents about a server, for people and for programs.

mod index;
mod performance;
mod schema;
mod shared;

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
    /// Every index with size, use and verdict: what can go, what is missing, and the statements.
    Index(index::Args),
    /// Every table, column, key and relationship, with sizes and a diagram.
    Schema(schema::Args),
}

/// Runs the command.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    match &args.report {
        Report::Performance(args) => performance::run(context, args).await,
        Report::Index(args) => index::run(context, args).await,
        Report::Schema(args) => schema::run(context, args).await,
    }
}
