//! `mydex index plan`: the statements that would be sent.

use super::Folder;
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};

/// Options of `mydex index plan`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,
}

/// Runs `mydex index plan`.
#[allow(
    clippy::unused_async,
    reason = "it talks to the server as soon as it is there"
)]
pub async fn run(_context: &Context, _args: &Args) -> Result<Outcome, Error> {
    Err(Error::new(
        "`mydex index plan` is not available in this build",
    ))
}
