//! `mydex top`: the dashboard, or one interval of it.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;

use serde::Serialize;

use super::context::Context;
use super::dashboard::Driving;
use super::dashboard::load::Source;
use super::error::{Error, Outcome};
use super::figures::{self, DigestsJson, IntervalJson, ServerJson};
use super::{dashboard, message, probe};
use crate::collect::once::{self, Once};
use crate::report::doc::Document;

/// The pack that view 7 offers where none is named.
const PACK: &str = "cmdb";

/// `mydex top`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Print one interval and end.
    #[arg(long)]
    pub once: bool,

    /// Workload pack whose probes view 7 can run against this server, after a question: the name
    /// of a shipped pack, or the folder of one.
    #[arg(long, value_name = "PACK", default_value = PACK, value_hint = ValueHint::DirPath)]
    pub pack: String,

    /// Schema that the pack was loaded into; by default the pack's name.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,

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

    /// Show this recorded baseline beside the probes of view 7.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
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
        let driving = Driving {
            source: source(context, args)?,
            begun: None,
            baseline: args.look.baseline.clone(),
        };
        let cancel = context.cancel.child_token();
        let (outcome, driven) = dashboard::show(context, server, driving, cancel).await?;
        if driven > 0 {
            message(&format!(
                "drove {} operations",
                crate::model::units::count(driven as f64)
            ));
        }
        return Ok(outcome);
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

/// The pack that view 7 can run, as it is, without asking the server.
fn source(context: &Context, args: &Args) -> Result<Source, Error> {
    let (settings, server) = (context.settings(), context.server()?);
    let name = if args.pack.is_empty() {
        PACK
    } else {
        &args.pack
    };
    let pack = probe::pack(name)?;
    let read_only = settings.dashboard.read_only || server.read_only;
    let database = args.database.clone();
    Ok(Source::of_server(
        settings, server, pack, database, read_only,
    ))
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
