//! `mydex index rollback`: take definitions back.

use std::time::Duration;

use super::{Folder, change};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::probe;
use crate::indexes::apply::{self, Range};
use crate::indexes::reconcile::Direction;

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
    let (entries, schema) = change::definitions(&args.folder, server)?;
    let schemas = change::schemas(&entries, &schema);
    let range = match (args.only, args.to) {
        (Some(only), _) => Range::Only(only),
        (None, to) => Range::Behind(to.unwrap_or(u32::MAX)),
    };
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
