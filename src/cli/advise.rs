//! `mydex advise`: a workload to index recommendations.

pub mod definitions;
pub mod json;
mod plan;
mod progress;
mod sources;
pub mod text;
mod twin;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueHint;
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::error::{Error, Outcome};
use super::{message, probe};
use crate::advisor::advise::{self, Options, Run, Step};
use crate::advisor::source::digests::{self, Wanted};
use crate::advisor::source::gather::{Rules, gather};
use crate::advisor::twin::Plan;
use crate::advisor::workload::Workload;
use crate::config::settings::{Server, Settings};
use crate::indexes::folder::{self, Written};
use crate::model::advice::{Advice, Limits, Tier};
use crate::model::digest::DigestKey;
use crate::server::{self, Connection, capability};
use sources::Sourced;
use twin::Twin;

/// How much slower a query may get, in percent, unless the user says otherwise.
const TOLERANCE: f64 = 10.0;
/// What a new index has to gain, in percent, unless the user says otherwise.
const MIN_GAIN: f64 = 0.25;
/// Rows that are sampled at most.
const SAMPLE_ROWS: u64 = 200_000;
/// Digests that are taken at most.
const DIGESTS: u32 = 200;
/// Folder of the definitions.
const FOLDER: &str = "indexes";

/// Options of `mydex advise`.
#[derive(Debug, Clone, clap::Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are switches of the command line"
)]
pub struct Args {
    /// Where the workload comes from.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub source: Source,

    /// Slow query logs or files of SQL statements (`-` is standard input), or the name of a pack.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<PathBuf>,

    /// Bytes that new indexes may take together, such as 500MiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub budget: Option<u64>,

    /// New indexes at most.
    #[arg(long, value_name = "N")]
    pub max_indexes: Option<u32>,

    /// Write cost that new indexes may add, in microseconds of server time a second.
    #[arg(long, value_name = "US")]
    pub max_write_cost: Option<f64>,

    /// How much slower any one query may get, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = TOLERANCE)]
    pub tolerance: f64,

    /// What a new index has to gain by itself, in percent of the whole workload.
    #[arg(long, value_name = "PERCENT", default_value_t = MIN_GAIN)]
    pub min_gain: f64,

    /// How candidates are judged: t0 on statistics alone, t1 on a sample of the data, t2 on the
    /// replica or clone that `--replica` names.
    #[arg(long, value_enum, default_value_t, value_name = "TIER")]
    pub tier: TierName,

    /// Server of the configuration on which candidates are really created and dropped again.
    #[arg(long, value_name = "NAME")]
    pub replica: Option<String>,

    /// Rows that are sampled at most, over all tables.
    #[arg(long, value_name = "N", default_value_t = SAMPLE_ROWS)]
    pub sample_rows: u64,

    /// Digests or classes that are taken, those with the most time first.
    #[arg(long, value_name = "N", default_value_t = DIGESTS, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,

    /// Only statements of this default schema; also the schema of statements that name none.
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,

    /// Print the statements that would be sent to the server, and end.
    #[arg(long)]
    pub dry_run: bool,

    /// Trust the optimizer's estimates: execute nothing on the twin.
    #[arg(long)]
    pub no_proof: bool,

    /// Leave existing indexes as they are.
    #[arg(long)]
    pub keep_existing: bool,

    /// End with the best answer so far after this time.
    #[arg(long, value_name = "TIME", value_parser = probe::duration)]
    pub time_limit: Option<Duration>,

    /// Write a definition for each recommendation.
    #[arg(long)]
    pub write: bool,

    /// Folder of the definitions.
    #[arg(long, value_name = "DIR", default_value = FOLDER, value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,

    /// Use this MySQL server program for the twin instead of looking for one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub mysqld: Option<PathBuf>,
}

impl Default for Args {
    /// What the flags say when none is given.
    fn default() -> Self {
        Self {
            source: Source::default(),
            inputs: Vec::new(),
            budget: None,
            max_indexes: None,
            max_write_cost: None,
            tolerance: TOLERANCE,
            min_gain: MIN_GAIN,
            tier: TierName::default(),
            replica: None,
            sample_rows: SAMPLE_ROWS,
            limit: DIGESTS,
            schema: None,
            dry_run: false,
            no_proof: false,
            keep_existing: false,
            time_limit: None,
            write: false,
            dir: PathBuf::from(FOLDER),
            mysqld: None,
        }
    }
}

/// Where a workload comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Source {
    /// The digests of the live server.
    #[default]
    Digests,
    /// Slow query logs.
    Slowlog,
    /// Files of SQL statements.
    Sql,
    /// The probes of a workload pack.
    Probes,
}

/// `--tier`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
#[allow(missing_docs, reason = "the flag's help says it")]
pub enum TierName {
    T0,
    #[default]
    T1,
    T2,
}

impl From<TierName> for Tier {
    fn from(name: TierName) -> Self {
        match name {
            TierName::T0 => Self::Dataless,
            TierName::T1 => Self::Sample,
            TierName::T2 => Self::Replica,
        }
    }
}

/// A number of bytes with an optional unit: `1048576`, `500MiB`, `2GB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let expected = || "expected a size such as 500MiB or 2GB".to_owned();
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..digits].parse().map_err(|_| expected())?;
    let factor = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tib" => 1024.0_f64.powi(4),
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        _ => return Err(expected()),
    };
    let bytes = (number * factor).round();
    // A number of this form is a whole one, and this is how it becomes an integer without a cast.
    format!("{bytes:.0}").parse().map_err(|_| expected())
}

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
    check(args)?;
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
            context.emit(&plan::document(&plan), &plan::json(&plan))?;
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

/// What can be said before a server is asked; all of it at once.
fn check(args: &Args) -> Result<(), Error> {
    let mut wrong = Vec::new();
    match args.source {
        Source::Digests if !args.inputs.is_empty() => {
            wrong.push("`--source digests` takes no input; it reads the live server".to_owned());
        }
        Source::Slowlog | Source::Sql if args.inputs.is_empty() => {
            wrong.push("name the files to read, such as `--source slowlog slow.log`".to_owned());
        }
        Source::Probes if args.inputs.len() != 1 => {
            wrong.push("name one pack, such as `--source probes cmdb`".to_owned());
        }
        _ => {}
    }
    match (args.tier, &args.replica) {
        (TierName::T2, None) => {
            wrong.push("`--tier t2` needs the server to work on: `--replica NAME`".to_owned());
        }
        (TierName::T0 | TierName::T1, Some(_)) => {
            wrong.push("`--replica` is for `--tier t2`".to_owned());
        }
        _ => {}
    }
    if !(args.tolerance >= 0.0 && args.tolerance.is_finite()) {
        wrong.push(format!(
            "`--tolerance {}` is not a percentage of 0 or more",
            args.tolerance
        ));
    }
    if args
        .max_write_cost
        .is_some_and(|cost| !(cost >= 0.0 && cost.is_finite()))
    {
        wrong.push("`--max-write-cost` is not a number of microseconds of 0 or more".to_owned());
    }
    if args.sample_rows == 0 {
        wrong.push(
            "`--sample-rows 0` leaves nothing to judge by; `--tier t0` needs no rows".to_owned(),
        );
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::new(wrong.join("\n")))
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
    let mut target = server::open(server, monitor)
        .await
        .map_err(|error| told(&error))?;
    let workload = tokio::select! {
        workload = workload(server, args, only, &mut target, cancel) => workload?,
        () = cancel.cancelled() => return Ok(Ended::Interrupted),
    };
    if args.dry_run {
        let run = run_of(settings, server, server, args);
        let planned = advise::plan(&mut target, &run, workload).await;
        return Ok(Ended::Planned(Box::new(
            planned.map_err(|error| advisor_told(&error))?,
        )));
    }
    let twin = tokio::select! {
        twin = Twin::start(settings, args, report) => twin?,
        () = cancel.cancelled() => return Ok(Ended::Interrupted),
    };
    let run = run_of(settings, server, &twin.server, args);
    let advice = advise::advise(&mut target, &run, workload, report, cancel).await;
    target.close().await;
    twin.stop().await?;
    Ok(match advice.map_err(|error| advisor_told(&error))? {
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
    let mut all = definitions::definitions(advice);
    if let Some(place) = only {
        all = all.into_iter().skip(place).take(1).collect();
    }
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

async fn workload(
    server: &Server,
    args: &Args,
    only: Option<DigestKey>,
    target: &mut Connection,
    cancel: &CancellationToken,
) -> Result<Workload, Error> {
    let mut sourced = match args.source {
        Source::Digests => of_digests(server, args, only, target).await?,
        Source::Slowlog => {
            sources::of_slow_logs(&args.inputs, args.limit, args.schema.as_deref(), cancel)?
        }
        Source::Sql => sources::of_files(&args.inputs)?,
        Source::Probes => {
            let pack = args.inputs[0].to_string_lossy();
            sources::of_pack(server, &pack, args.schema.as_deref()).await?
        }
    };
    let mut workload = Workload {
        source: std::mem::take(&mut sourced.source),
        window: sourced.window,
        notes: std::mem::take(&mut sourced.notes),
        ..Workload::default()
    };
    let rules = Rules {
        schema: args
            .schema
            .clone()
            .or(sourced.schema)
            .or_else(|| server.database.clone()),
        is_dataless: args.tier == TierName::T0,
    };
    gather(target, sourced.found, &rules, &mut workload)
        .await
        .map_err(|error| told(&error))?;
    Ok(workload)
}

async fn of_digests(
    server: &Server,
    args: &Args,
    only: Option<DigestKey>,
    target: &mut Connection,
) -> Result<Sourced, Error> {
    let facts = capability::probe(target, server.socket.is_some())
        .await
        .map_err(|error| told(&error))?;
    if !facts.has_performance_schema() || !facts.can_read(capability::Source::Digests) {
        return Err(Error::new(format!(
            "server `{}` shows no statement digests",
            server.name
        ))
        .hint("`mydex check` says what is missing; `--source slowlog FILE` needs none"));
    }
    let wanted = Wanted {
        limit: args.limit,
        schemas: args.schema.iter().cloned().collect(),
        only,
    };
    let read = digests::read(target, &facts, &wanted)
        .await
        .map_err(|error| told(&error))?;
    Ok(Sourced {
        found: read.found,
        source: format!("digests of {}", server.name),
        window: read.window,
        notes: read.notes,
        schema: None,
    })
}

fn run_of(settings: &Settings, server: &Server, twin: &Server, args: &Args) -> Run {
    Run {
        server: server.name.clone(),
        twin: twin.clone(),
        monitor: settings.monitor.clone(),
        options: options(args),
    }
}

fn options(args: &Args) -> Options {
    Options {
        tier: args.tier.into(),
        limits: Limits {
            budget_bytes: args.budget,
            max_indexes: args.max_indexes,
            max_write_cost: args.max_write_cost,
            tolerance: args.tolerance / 100.0,
        },
        sample_rows: args.sample_rows,
        with_proof: !args.no_proof && args.tier != TierName::T0,
        keeps_existing: args.keep_existing,
        min_gain: args.min_gain / 100.0,
    }
}

fn advisor_told(error: &advise::Error) -> Error {
    match error {
        advise::Error::Server(server) => Error::from_chain(error).hint(server.hint()),
        advise::Error::Empty(_) => Error::from_chain(error).hint(
            "let the workload run for a while, name its schema with `--schema`, or take another `--source`",
        ),
        _ => Error::from_chain(error),
    }
}

fn told(error: &server::Error) -> Error {
    Error::from_chain(error).hint(error.hint())
}
