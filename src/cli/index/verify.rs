//! `mydex index verify`: the queries that a definition names, before and after it.

use super::Folder;
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};

/// Options of `mydex index verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Verify this number alone.
    #[arg(long, value_name = "N")]
    pub only: Option<u32>,

    /// Hide an index again when the gain did not come.
    #[arg(long)]
    pub auto_rollback: bool,
}

/// Runs `mydex index verify`.
#[allow(
    clippy::unused_async,
    reason = "it talks to the server as soon as it is there"
)]
pub async fn run(_context: &Context, _args: &Args) -> Result<Outcome, Error> {
    Err(Error::new(
        "`mydex index verify` is not available in this build",
    ))
}
