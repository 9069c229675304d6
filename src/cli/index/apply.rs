//! `mydex index apply`: carry out the definitions that are pending.

use std::time::Duration;

use super::Folder;
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::probe;

/// Options of `mydex index apply`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Change the server; without it the statements are only shown and tried on the twin.
    #[arg(long)]
    pub execute: bool,

    /// Apply up to this number.
    #[arg(long, value_name = "N", conflicts_with = "only")]
    pub to: Option<u32>,

    /// Apply this number alone.
    #[arg(long, value_name = "N")]
    pub only: Option<u32>,

    /// How long an index that is to be dropped stays invisible first.
    #[arg(long, value_name = "TIME", value_parser = probe::duration)]
    pub soak: Option<Duration>,

    /// How long to go on trying for a lock that others hold.
    #[arg(long, value_name = "TIME", value_parser = probe::duration)]
    pub patience: Option<Duration>,
}

/// Runs `mydex index apply`.
#[allow(
    clippy::unused_async,
    reason = "it talks to the server as soon as it is there"
)]
pub async fn run(_context: &Context, _args: &Args) -> Result<Outcome, Error> {
    Err(Error::new(
        "`mydex index apply` is not available in this build",
    ))
}
