//! `mydex top`: the dashboard, or one interval of it.

use std::time::Duration;

use serde::Serialize;

use super::context::Context;
use super::error::{Error, Outcome};
use super::figures::{self, DigestsJson, IntervalJson, ServerJson};
use super::{dashboard, message};
use crate::collect::once::{self, Once};
use crate::report::doc::Document;

/// `mydex top`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Print one interval and end.
    #[arg(long)]
    pub once: bool,

    /// How the dashboard looks and polls.
    #[command(flatten)]
    pub look: Look,
}

/// Options of everything that shows the dashboard.
#[derive(Debug, Default, clap::Args)]
pub struct Look {
    /// Time between polls, such as 500ms or 2s.
    #[arg(long, value_name = "TIME")]
    pub interval: Option<String>,

    /// Colours: dark, light or none.
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,

    /// Draw with ASCII only.
    #[arg(long)]
    pub ascii: bool,

    /// Leave the mouse to the terminal.
    #[arg(long)]
    pub no_mouse: bool,

    /// Refuse every change to the server.
    #[arg(long)]
    pub read_only: bool,
}

/// What `top --once --format json` prints.
#[derive(Debug, Serialize)]
struct Snapshot {
    server: ServerJson,
    interval: IntervalJson,
    digests: Option<DigestsJson>,
}

/// Runs the command.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let server = context.server()?;
    if !args.once {
        return dashboard::show(context, server, None, context.cancel.child_token()).await;
    }
    let settings = context.settings();
    let window = settings.monitor.interval;
    if window > Duration::from_secs(5) {
        message(&format!(
            "reading one interval of {}",
            crate::model::units::duration(window)
        ));
    }
    let once = tokio::select! {
        once = once::once(server, &settings.monitor, tokio::time::sleep(window)) => once?,
        () = context.cancel.cancelled() => return Ok(Outcome::Interrupted),
    };
    context.emit(
        &document(&once),
        &Snapshot {
            server: ServerJson::new(&once.facts),
            interval: IntervalJson::new(&once.interval),
            digests: once.digests.as_ref().map(DigestsJson::new),
        },
    )?;
    Ok(Outcome::Fine)
}

fn document(once: &Once) -> Document {
    let mut blocks = vec![
        figures::server_facts(&once.facts),
        figures::interval_facts(&once.interval),
    ];
    blocks.extend(once.digests.as_ref().map(figures::digests_table));
    Document {
        title: format!("MySQL at {}", once.facts.name),
        blocks,
    }
}
