//! `mydex index adopt`: definitions for indexes that exist already.

use super::Folder;
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};

/// Options of `mydex index adopt`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Only indexes of these tables.
    #[arg(long = "table", value_name = "TABLE")]
    pub tables: Vec<String>,

    /// Write the files and mark them as applied in the ledger.
    #[arg(long)]
    pub execute: bool,
}

/// Runs `mydex index adopt`.
#[allow(
    clippy::unused_async,
    reason = "it talks to the server as soon as it is there"
)]
pub async fn run(_context: &Context, _args: &Args) -> Result<Outcome, Error> {
    Err(Error::new(
        "`mydex index adopt` is not available in this build",
    ))
}
