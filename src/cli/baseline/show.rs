//! `mydex baseline show`: what a file holds, and what became of a workload from file to file.

mod document;
mod json;
mod one;
mod runs;

use std::path::PathBuf;

use clap::ValueHint;

use super::check::read;
use crate::baseline::file;
use crate::baseline::history;
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::message;
use crate::model::text;

/// What got worse is told in so many lines; the rest by its number.
const MOST_TOLD: usize = 20;

/// Options of `mydex baseline show`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recorded files; with `--history` folders of them as well.
    #[arg(value_name = "FILE|DIR", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    /// Put the files in order and show what changed: steps of counters, other plans, shifts and
    /// slow drifts of times.
    #[arg(long)]
    history: bool,

    /// What the order of the files is known from.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "ORDER",
        requires = "history"
    )]
    order: Order,

    /// Show this probe alone; may be given several times.
    #[arg(long = "probe", value_name = "NAME")]
    probes: Vec<String>,

    /// End with status 1 when something got worse in the last N runs.
    #[arg(long, value_name = "N", requires = "history",
          value_parser = clap::value_parser!(u64).range(1..=1_000))]
    gate: Option<u64>,
}

/// What the order of files is known from: no file tells when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Order {
    /// Their names, numbers in them by value.
    #[default]
    Name,
    /// The command line.
    Given,
    /// The time of the last change; copies and checkouts do not keep it.
    Mtime,
    /// Commits: every version of one file in its git history, and the file as it is now.
    Git,
}

/// Shows one file, or the history of many.
pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    if !args.history {
        let [path] = args.paths.as_slice() else {
            return Err(Error::new("one file is shown at a time")
                .hint("`--history` shows what changed from file to file"));
        };
        let (_, mut baseline) = read(path)?;
        if !args.probes.is_empty() {
            baseline.probes.retain(|name, _| args.probes.contains(name));
        }
        let document = one::of(&path.display().to_string(), &baseline);
        let value: serde_json::Value = serde_json::from_str(&file::render(&baseline))
            .map_err(|error| Error::new(format!("cannot write JSON: {error}")))?;
        context.emit(&document, &value)?;
        return Ok(Outcome::Fine);
    }
    let (mut runs, notes) = runs::read(&args.paths, args.order)?;
    if !args.probes.is_empty() {
        for run in &mut runs {
            run.baseline
                .probes
                .retain(|name, _| args.probes.contains(name));
            if let Some(timed) = &mut run.baseline.timed {
                timed.probes.retain(|name, _| args.probes.contains(name));
            }
        }
    }
    let history = history::of(&runs, history::ALPHA);
    context.emit(&document::of(&history, &notes), &json::of(&history, &notes))?;
    let Some(gate) = args.gate else {
        return Ok(Outcome::Fine);
    };
    let worse = history.worse_within(usize::try_from(gate).unwrap_or(usize::MAX));
    for (at, what) in worse.iter().take(MOST_TOLD) {
        let label = history.labels.get(*at).map_or("?", String::as_str);
        message(&format!(
            "`{}`: {}",
            text::inline(label),
            text::inline(what)
        ));
    }
    if worse.len() > MOST_TOLD {
        message(&format!("and {} more", worse.len() - MOST_TOLD));
    }
    Ok(if worse.is_empty() {
        Outcome::Fine
    } else {
        Outcome::Problem
    })
}
