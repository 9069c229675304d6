//! `mydex advise`: a workload to index recommendations.

mod args;
pub mod definitions;
pub mod json;
mod plan;
mod progress;
mod sources;
pub mod text;
mod twin;

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::error::{Error, Outcome};
use super::message;
use crate::advisor::advise::{self, Run, Step};
use crate::advisor::twin::Plan;
use crate::config::settings::{Server, Settings};
use crate::indexes::folder::{self, Written};
use crate::model::advice::Advice;
use crate::model::digest::DigestKey;
use crate::server;
use twin::Twin;

pub(crate) use args::size;
pub use args::{Args, Source, TierName};

/// How a run ended.
pub(super) enum Ended {
    /// `--dry-run`: what would be sent to the server.
    Planned(Box<Plan>),
    /// With an answer.
    Advice(Box<Advice>),
    /// Before there was any answer.
    Interrupted,
}

/// Runs the command.
pub async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    args.check()?;
    let server = context.server()?;
    let cancel = context.cancel.child_token();
    if let Some(limit) = args.time_limit {
        let cancel = cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            cancel.cancel();
        });
    }
    let mut shown = progress::Shown::new();
    let outcome = advise(
        context.settings(),
        server,
        args,
        None,
        &mut |step| shown.show(&step),
        &cancel,
    )
    .await;
    shown.finish();
    let advice = match outcome? {
        Ended::Planned(plan) => {
            context.emit(&plan::document(&plan, args.tier), &plan::json(&plan))?;
            return Ok(Outcome::Fine);
        }
        Ended::Advice(advice) => advice,
        Ended::Interrupted => return Ok(Outcome::Interrupted),
    };
    context.emit(&text::document(&advice), &json::advice(&advice))?;
    if args.write {
        for written in write(&advice, &args.dir, None)? {
            message(&match written {
                Written::New(path) => format!("wrote {}", path.display()),
                Written::Stated(path) => format!("{} states it already", path.display()),
            });
        }
    }
    if context.cancel.is_cancelled() {
        return Ok(Outcome::Interrupted);
    }
    Ok(Outcome::Fine)
}

/// Reads the workload, starts the twin, and runs the advisor. `only` takes one digest of the live
/// server instead of what `args` say.
pub(super) async fn advise(
    settings: &Settings,
    server: &Server,
    args: &Args,
    only: Option<DigestKey>,
    report: &mut (dyn FnMut(Step) + Send),
    cancel: &CancellationToken,
) -> Result<Ended, Error> {
    let monitor = &settings.monitor;
    report(Step::new("reading the workload"));
    let mut target = server::open(server, monitor).await?;
    let workload = tokio::select! {
        workload = sources::workload(server, args, only.clone(), &mut target, cancel) => workload?,
        () = cancel.cancelled() => return Ok(Ended::Interrupted),
    };
    if args.dry_run {
        let run = run_of(settings, server, server, args, &only);
        let planned = advise::plan(&mut target, &run, workload).await;
        return Ok(Ended::Planned(Box::new(
            planned.map_err(|error| told(&error))?,
        )));
    }
    let twin = tokio::select! {
        twin = Twin::start(settings, args, report) => twin?,
        () = cancel.cancelled() => return Ok(Ended::Interrupted),
    };
    let run = run_of(settings, server, &twin.server, args, &only);
    let advice = advise::advise(&mut target, &run, workload, report, cancel).await;
    target.close().await;
    twin.stop().await?;
    Ok(match advice.map_err(|error| told(&error))? {
        Some(advice) => Ended::Advice(Box::new(advice)),
        None => Ended::Interrupted,
    })
}

/// Writes the definitions of all recommendations, or of one by its place.
pub(super) fn write(
    advice: &Advice,
    dir: &Path,
    only: Option<usize>,
) -> Result<Vec<Written>, Error> {
    let all = match only {
        Some(place) => advice
            .recommendations
            .get(place)
            .map(|one| definitions::definition(advice, one))
            .into_iter()
            .collect(),
        None => definitions::definitions(advice),
    };
    folder::write(dir, &all).map_err(|error| {
        Error::from_chain(&error).hint("docs/indexes.md describes the files of the folder")
    })
}

/// Runs the advisor over the digests of a live server with its default options, for the dashboard.
pub(super) async fn of_digests_of(
    settings: &Settings,
    server: &Server,
    only: Option<DigestKey>,
    cancel: &CancellationToken,
    report: &mut (dyn FnMut(Step) + Send),
) -> Result<Advice, Error> {
    match advise(settings, server, &Args::default(), only, report, cancel).await? {
        Ended::Advice(advice) => Ok(*advice),
        Ended::Planned(_) | Ended::Interrupted => {
            Err(Error::new("the run was ended before there was any advice"))
        }
    }
}

/// Writes the definition of one recommendation into the default folder; gives its file.
pub(super) fn write_one(advice: &Advice, place: usize) -> Result<PathBuf, Error> {
    match write(advice, &Args::default().dir, Some(place))?
        .into_iter()
        .next()
    {
        Some(Written::New(path) | Written::Stated(path)) => Ok(path),
        None => Err(Error::new("the advice has no such recommendation")),
    }
}

fn run_of(
    settings: &Settings,
    server: &Server,
    twin: &Server,
    args: &Args,
    only: &Option<DigestKey>,
) -> Run {
    Run {
        server: server.name.clone(),
        twin: twin.clone(),
        monitor: settings.monitor.clone(),
        options: advise::Options {
            // One query alone says nothing of what others need.
            keeps_existing: args.keep_existing || only.is_some(),
            ..args.options()
        },
    }
}

fn told(error: &advise::Error) -> Error {
    match error {
        advise::Error::Server(server) => Error::from_chain(error).hint(server.hint()),
        advise::Error::Empty(_) => Error::from_chain(error).hint(
            "let the workload run for a while, name its schema with `--schema`, or take another `--source`",
        ),
        _ => Error::from_chain(error),
    }
}
