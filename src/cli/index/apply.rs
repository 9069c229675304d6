//! `mydex index apply`: carry out the definitions that are pending.

use std::time::Duration;

use super::judging::{self, Judgements, OnTarget};
use super::{Folder, change};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::probe;
use crate::indexes::apply::{self, Change, Options};
use crate::indexes::files::Entry;
use crate::indexes::reconcile::Direction;

/// Options of `mydex index apply`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Change the server; without it the statements are only shown, and tried on a private one.
    #[arg(long)]
    pub execute: bool,

    /// Apply up to this number.
    #[arg(long, value_name = "N", conflicts_with = "only")]
    pub to: Option<u32>,

    /// Apply this number alone, even where it was rejected before.
    #[arg(long, value_name = "N")]
    pub only: Option<u32>,

    /// How long an index that is to be dropped stays invisible first.
    #[arg(long, value_name = "TIME", value_parser = probe::duration, default_value = "24h")]
    pub soak: Duration,

    /// Limits of the work.
    #[command(flatten)]
    pub limits: change::Limits,

    /// How indexes are judged before they count.
    #[command(flatten)]
    pub judging: Judgements,
}

/// Runs `mydex index apply`.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let server = context.server()?;
    let (entries, schema) = change::definitions(&args.folder, server)?;
    if let Some(only) = args.only
        && !entries.iter().any(|entry| entry.version == only)
    {
        return Err(Error::new(format!("the folder has no definition {only}"))
            .hint("`mydex index status` lists them"));
    }
    let is_asked = |entry: &&Entry| match (args.only, args.to) {
        (Some(only), _) => entry.version == only,
        (None, Some(to)) => entry.version <= to,
        (None, None) => true,
    };
    let profile = context.settings().profile.name();
    change::others_left_out(entries.iter().filter(is_asked), profile, args.only)?;
    let changes: Vec<Change<'_>> = entries
        .iter()
        .filter(is_asked)
        .filter(|entry| entry.is_for(profile))
        .map(|entry| Change {
            entry,
            schema: &schema,
        })
        .collect();
    let options = Options {
        retries_rejected: args.only.is_some(),
        even_if_slower: args.judging.even_if_slower,
        ..args.limits.options(context, args.soak)
    };
    if !args.execute {
        let previews = tokio::select! {
            previews = apply::preview(server, &changes, &options) => previews,
            () = context.cancel.cancelled() => return Ok(Outcome::Interrupted),
        };
        let previews = previews.map_err(|error| change::told(&error))?;
        let trials = if args.judging.no_trial {
            None
        } else {
            let on = (server, &options.limits);
            judging::trial(context, on, &changes, &previews, &args.judging).await?
        };
        if context.cancel.is_cancelled() {
            return Ok(Outcome::Interrupted);
        }
        let shown = (previews.as_slice(), trials.as_ref());
        return change::emit_preview(context, server, Direction::Up, shown, args.soak);
    }
    let audit = change::audit()?;
    let judge = OnTarget {
        settings: args.judging.settings(),
    };
    let mut shown = change::Shown::default();
    let mut show = |event: apply::Event| shown.show(&event);
    let outcome = apply::apply(
        server,
        &audit,
        &changes,
        &options,
        &judge,
        &mut show,
        &context.cancel,
    )
    .await
    .map_err(|error| change::told(&error))?;
    change::emit_outcome(context, server, Direction::Up, &outcome)
}
