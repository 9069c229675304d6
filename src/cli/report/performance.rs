//! `mydex report performance`: what a server did over a period, and what changed since another.

mod form;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueHint;

use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::{message, probe};
use crate::collect::observe::{Period, observe};
use crate::config::check::Origins;
use crate::config::origin::Origin;
use crate::config::settings::ServiceLevels;
use crate::model::performance::Summary;
use crate::model::units;
use crate::report::performance::{Length, Level, Targets, document, levels};

/// A period that is shorter shows nothing.
const SHORTEST: Duration = Duration::from_secs(2);

/// The file of an earlier report is refused beyond this.
const MAX_BYTES: u64 = 64 << 20;

/// Between two messages about how much has passed.
const TELL: Duration = Duration::from_secs(10);

/// Options of `mydex report performance`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How long to watch the server; Ctrl-C ends it early, and the report covers what was seen.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = probe::duration)]
    pub duration: Duration,

    /// Time between polls within the period.
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = probe::duration)]
    pub interval: Duration,

    /// Tell what changed against this earlier report, written with `--format json`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub against: Option<PathBuf>,

    /// Statements that are listed.
    #[arg(long, default_value_t = 20, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=500))]
    pub top: u16,

    /// Statements whose latency histograms are read, each for some milliseconds of the server.
    #[arg(long, default_value_t = 10, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(0..=100))]
    pub histograms: u16,
}

/// Runs the command. A service level that was set and missed is a problem found.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let server = context.server()?;
    if args.duration < SHORTEST {
        return Err(Error::new(format!(
            "`--duration {}` is too short to see anything",
            units::duration(args.duration)
        ))
        .hint("watch for a minute: `--duration 60s`"));
    }
    if args.interval < Duration::from_millis(100) || args.interval > args.duration {
        return Err(Error::new("`--interval` does not fit into the period")
            .hint("at least 100ms, and no longer than `--duration`"));
    }
    let earlier = args.against.as_deref().map(earlier).transpose()?;
    let settings = context.settings();
    let period = Period {
        duration: args.duration,
        interval: args.interval,
        histograms: usize::from(args.histograms),
    };
    message(&format!(
        "watching {} for {}; Ctrl-C ends it early",
        server.name,
        units::duration(args.duration)
    ));
    let mut told = Duration::ZERO;
    let mut tell = |passed: Duration| {
        if passed >= told + TELL {
            told = passed;
            message(&format!(
                "{} of {}",
                units::duration(passed),
                units::duration(args.duration)
            ));
        }
    };
    let stop = &context.cancel;
    let seen = observe(server, &settings.monitor, period, stop, &mut tell)
        .await
        .map_err(|error| Error::from_chain(&error).hint(error.hint()))?;
    let verdicts = levels(&seen, &targets(&settings.slo));
    let length = Length {
        statements: usize::from(args.top),
    };
    let json = form::Report::new(&seen, &verdicts, earlier.as_ref());
    let document = document(&seen, &verdicts, earlier.as_ref(), length);
    context.emit(&document, &json)?;
    Ok(outcome(&verdicts, &context.loaded.origins))
}

/// Whether a level was missed that somebody set: the built-in ones are examples, and how much a
/// server is asked to do is not its merit.
fn outcome(levels: &[Level], origins: &Origins) -> Outcome {
    let is_set = |level: &&Level| {
        let origin = origins.get(level.key);
        !matches!(origin, None | Some(Origin::Default | Origin::Profile(_)))
    };
    let mut set = levels.iter().filter(is_set);
    if set.any(|level| level.is_met == Some(false)) {
        Outcome::Problem
    } else {
        Outcome::Fine
    }
}

fn targets(slo: &ServiceLevels) -> Targets {
    Targets {
        response: slo.response,
        events_per_minute: slo.events_per_minute,
        hit_ratio: slo.hit_ratio,
        availability: slo.availability,
    }
}

/// The period of an earlier report.
fn earlier(path: &Path) -> Result<Summary, Error> {
    let shown = path.display();
    let unread = |error: std::io::Error| Error::new(format!("cannot read `{shown}`: {error}"));
    let facts = std::fs::metadata(path).map_err(unread)?;
    if facts.len() > MAX_BYTES {
        return Err(Error::new(format!(
            "`{shown}` has {}, which no report has",
            units::bytes(facts.len())
        )));
    }
    let text = std::fs::read_to_string(path).map_err(unread)?;
    form::earlier(&text).map_err(|reason| {
        Error::new(format!("`{shown}` is no performance report: {reason}"))
            .hint("write one with `mydex report performance --format json -o FILE`")
    })
}

#[cfg(test)]
mod tests;
