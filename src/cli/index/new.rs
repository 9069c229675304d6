//! `mydex index new`: a new definition, written from flags.

use super::Folder;
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};

/// Options of `mydex index new`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Table of the index.
    #[arg(long, value_name = "TABLE")]
    pub table: String,

    /// Parts of the index, such as "state, made desc, note(20), (lower(email))".
    #[arg(
        long,
        value_name = "LIST",
        required_unless_present = "drop",
        conflicts_with = "drop"
    )]
    pub columns: Option<String>,

    /// Drop this index of the table; its definition is read from the server.
    #[arg(long, value_name = "INDEX")]
    pub drop: Option<String>,

    /// Name of the index; by default made of table and columns.
    #[arg(long, value_name = "INDEX", conflicts_with = "drop")]
    pub name: Option<String>,

    /// Allow each value once only.
    #[arg(long, conflicts_with = "drop")]
    pub unique: bool,

    /// Why, for whoever reviews it.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Runs `mydex index new`.
#[allow(
    clippy::unused_async,
    reason = "it talks to the server as soon as it is there"
)]
pub async fn run(_context: &Context, _args: &Args) -> Result<Outcome, Error> {
    Err(Error::new(
        "`mydex index new` is not available in this build",
    ))
}
