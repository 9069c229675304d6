//! `mydex index rollback`: take definitions back.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Folder, change, reading};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::{message, probe};
use crate::config::settings::Server;
use crate::indexes::apply::{self, Range};
use crate::indexes::ledger;
use crate::indexes::reconcile::Direction;
use crate::report::words::counted;

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
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "only",
        required_unless_present = "only"
    )]
    pub to: Option<u32>,

    /// Take back this number alone.
    #[arg(long, value_name = "N")]
    pub only: Option<u32>,

    /// How long an index that goes stays invisible first; a later run drops it then.
    #[arg(long, value_name = "TIME", value_parser = probe::duration, default_value = "0s")]
    pub soak: Duration,

    /// Limits of the work.
    #[command(flatten)]
    pub limits: change::Limits,
}

/// Runs `mydex index rollback`.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let server = context.server()?;
    let schemas = schemas(args, server)?;
    let range = match (args.only, args.to) {
        (Some(only), _) => Range::Only(only),
        (None, to) => Range::Behind(to.unwrap_or(u32::MAX)),
    };
    if let Some(only) = args.only {
        is_known(context, &schemas, only).await?;
    }
    let options = args.limits.options(context, args.soak);
    if !args.execute {
        let previews = tokio::select! {
            previews = apply::preview_rollback(server, &schemas, range, &options) => previews,
            () = context.cancel.cancelled() => return Ok(Outcome::Interrupted),
        };
        let previews = previews.map_err(|error| change::told(&error))?;
        return change::emit_preview(
            context,
            server,
            Direction::Down,
            (&previews, None),
            args.soak,
        );
    }
    let audit = change::audit()?;
    let mut shown = change::Shown::default();
    let mut show = |event: apply::Event| shown.show(&event);
    let outcome = apply::rollback(
        server,
        &audit,
        &schemas,
        range,
        &options,
        &mut show,
        &context.cancel,
    )
    .await
    .map_err(|error| change::told(&error))?;
    change::emit_outcome(context, server, Direction::Down, &outcome)
}

/// The schemas whose ledgers are looked at: that of `--schema` or the URL, and those that files
/// name. What is taken back is in the ledger, so that a file that can't be read stops nothing.
fn schemas(args: &Args, server: &Server) -> Result<BTreeSet<String>, Error> {
    let survey = reading::survey(&args.folder)?;
    if let Some(first) = survey.mistakes.first() {
        message(&format!(
            "the folder has {}; the ledger is gone by: {first}",
            counted(survey.mistakes.len(), "mistake", "mistakes")
        ));
    }
    let default = reading::default_schema(&args.folder, server).unwrap_or_default();
    let schemas = change::schemas(&survey.entries, &default);
    if schemas.is_empty() {
        return Err(Error::new("no schema is named whose ledger is meant")
            .hint("add `--schema NAME`, or put the database into the server's URL"));
    }
    Ok(schemas)
}

/// A number that no ledger knows is a mistake, and not nothing to do.
async fn is_known(context: &Context, schemas: &BTreeSet<String>, only: u32) -> Result<(), Error> {
    let (_, mut connection) = reading::open(context).await?;
    let mut is_known = Ok(false);
    for schema in schemas {
        is_known = ledger::read(&mut connection, schema)
            .await
            .map(|rows| rows.iter().any(|row| row.version == only));
        if !matches!(is_known, Ok(false)) {
            break;
        }
    }
    connection.close().await;
    if is_known.map_err(|error| reading::told(&error))? {
        return Ok(());
    }
    let schemas: Vec<&str> = schemas.iter().map(String::as_str).collect();
    Err(Error::new(format!(
        "the ledger of `{}` has no definition {only}, so that there is nothing to take back",
        schemas.join("`, `")
    ))
    .hint("`mydex index status` lists them; `--schema` names another schema"))
}
