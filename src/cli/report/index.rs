//! `mydex report index`: the index report.

mod advice;
mod json;
mod proposals;

use std::path::PathBuf;

use clap::ValueHint;

use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::inventory::{self, told};
use crate::indexes::folder;
use crate::report::index::{Subject, document};
use crate::server::open;

/// Arguments of `mydex report index`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Schema to report on; may be repeated. By default the URL's database, else every schema.
    #[arg(long = "schema", value_name = "NAME")]
    pub schemas: Vec<String>,

    /// Folder of the definitions.
    #[arg(long, value_name = "DIR", default_value = "indexes", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,

    /// Advice to include: a file that `mydex advise --format json` wrote.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub advice: Option<PathBuf>,
}

/// Runs the command.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let advised = args.advice.as_deref().map(advice::read).transpose()?;
    let entries = folder::read(&args.dir).map_err(|error| {
        Error::from_chain(&error).hint("docs/indexes.md describes the files of the folder")
    })?;
    let profile = context.settings().profile.name();
    let server = context.server()?;
    let mut connection = open(server, &context.settings().monitor)
        .await
        .map_err(|error| told(&error))?;
    let schemas = inventory::schemas(&mut connection, server, &args.schemas).await?;
    let found = inventory::read(&mut connection, server, &schemas, &entries, profile).await?;
    connection.close().await;
    let mut proposals = proposals::of_folder(&found);
    proposals.extend(advised.into_iter().flatten());
    let subject = Subject {
        schemas: &schemas,
        inventory: &found.inventory,
        proposals: &proposals,
        cost: found.cost,
    };
    context.emit(&document(&subject), &json::of(&subject))?;
    Ok(Outcome::Fine)
}
