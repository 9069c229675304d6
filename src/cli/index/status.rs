//! `mydex index status`: each definition and what became of it.

use super::Folder;
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};

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
#[allow(
    clippy::unused_async,
    reason = "it talks to the server as soon as it is there"
)]
pub async fn run(_context: &Context, _args: &Args) -> Result<Outcome, Error> {
    Err(Error::new(
        "`mydex index status` is not available in this build",
    ))
}
