//! `mydex index drift`: files against ledger against database.

use super::{Folder, lint, reading};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::indexes::drift::drift;
use crate::report::checked;

/// Options of `mydex index drift`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Leave out indexes that neither the folder nor the ledger knows.
    #[arg(long)]
    pub known_only: bool,
}

/// Runs `mydex index drift`.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    reading::entries(&args.folder)?;
    let reading = reading::read(context, &args.folder).await?;
    let folder = &reading.survey.folder;
    let mut checked = drift(&reading.sides(), folder, !args.known_only);
    checked.notes.extend(reading.notes.iter().cloned());
    context.emit_checked(
        &checked,
        &checked::document(&checked),
        &checked::json(&checked),
    )?;
    Ok(lint::outcome(&checked, true))
}
