//! `mydex index rollback`: take definitions back.

use std::time::Duration;

use super::Folder;
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::probe;

/// Options of `mydex index rollback`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Change the server; without it the statements are only shown.
    #[arg(long)]
    pub execute: bool,

    /// Take back everything behind this number; 0 takes back all.
    #[arg(long, value_name = "N", conflicts_with = "only")]
    pub to: Option<u32>,

    /// Take back this number alone.
    #[arg(long, value_name = "N")]
    pub only: Option<u32>,

    /// How long an index that is to be dropped stays invisible first.
    #[arg(long, value_name = "TIME", value_parser = probe::duration)]
    pub soak: Option<Duration>,

    /// How long to go on trying for a lock that others hold.
    #[arg(long, value_name = "TIME", value_parser = probe::duration)]
    pub patience: Option<Duration>,
}

/// Runs `mydex index rollback`.
#[allow(
    clippy::unused_async,
    reason = "it talks to the server as soon as it is there"
)]
pub async fn run(_context: &Context, _args: &Args) -> Result<Outcome, Error> {
    Err(Error::new(
        "`mydex index rollback` is not available in this build",
    ))
}
