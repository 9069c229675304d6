//! `mydex probe run`: drives a pack's load and says what users of it would have seen.

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueHint;
use tokio::sync::mpsc;

use super::{duration, summary};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::model::probe::{LoadTick, quantile};
use crate::model::{text, units};
use crate::probes::engine::{EngineConfig, Loop, spawn};
use crate::probes::generate::World;
use crate::probes::hlog;
use crate::probes::outcome::RunReport;
use crate::probes::pack::Pack;
use crate::probes::schedule::Spacing;
use crate::probes::workload::{Choice, engine_probes, loaded};
use crate::server;

/// Windows that may wait to be shown or logged.
const TICKS: usize = 64;

/// Arguments of `mydex probe run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of a shipped pack, or the folder of one.
    #[arg(value_name = "PACK", value_hint = ValueHint::DirPath)]
    pub pack: String,

    /// How long to measure.
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub duration: Duration,

    /// Drive the load this long before measuring.
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = duration)]
    pub warmup: Duration,

    /// Operations per second of all probes together; without it the configuration's or the pack's.
    #[arg(long, value_name = "N")]
    pub rate: Option<f64>,

    /// Connections; without it the configuration's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub concurrency: Option<u32>,

    /// Seed of arrival times and values: the same seed gives the same operations.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,

    /// Run only this probe; may be given several times.
    #[arg(long = "probe", value_name = "NAME")]
    pub probes: Vec<String>,

    /// Schema that the pack was loaded into; by default the pack's name.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,

    /// Give up an operation after this; without it the configuration's.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// Equal gaps between the operations of a probe instead of random ones.
    #[arg(long)]
    pub uniform: bool,

    /// As fast as answers come, without a rate. Hides stalls: use it to find the highest
    /// throughput, not to judge latency.
    #[arg(long, conflicts_with = "rate")]
    pub closed: bool,

    /// Write a percentile distribution (.hgrm): to FILE for all probes together, or into the
    /// existing folder DIR one for each probe.
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub hgrm: Option<PathBuf>,

    /// Write an interval log (.hlog) with a histogram for each probe and second.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub hlog: Option<PathBuf>,
}

/// Drives the load and prints what it gave.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    if args.duration.is_zero() {
        return Err(Error::new("duration `0` measures nothing").hint("such as `--duration 30s`"));
    }
    let pack = Arc::new(super::pack(&args.pack)?);
    let settings = context.settings();
    let server = context.server()?;
    let database = args
        .database
        .clone()
        .unwrap_or_else(|| pack.name.to_string());
    // The engine keeps statements prepared, so it sets its own cache.
    let options = server::connect::options(server);
    let place = server::connect::place(server);
    let world = Arc::new(world(&options, &database, &pack, &place).await?);
    let choice = Choice {
        names: args.probes.clone(),
        rate: if args.closed {
            Some(1.0)
        } else {
            args.rate.or(settings.load.rate)
        },
        run: run_number(),
    };
    let probes =
        engine_probes(&world, &choice, &settings.slo).map_err(|error| Error::from_chain(&error))?;
    if server.read_only
        && let Some(probe) = probes.iter().find(|probe| probe.is_write)
    {
        return Err(Error::new(format!(
            "server `{}` is configured read-only, and probe `{}` changes data",
            server.name, probe.name
        ))
        .hint("name the reading probes with `--probe`"));
    }
    let config = config(context, &args, format!("{} on {place}", pack.name).into());
    let mut log = args.hlog.as_deref().map(create).transpose()?;
    if let Some(file) = &mut log {
        let header = hlog::log_header(jiff::Timestamp::now(), &config.label);
        write(file, args.hlog.as_deref(), &header)?;
    }
    let (ticks, receiver) = mpsc::channel(TICKS);
    let engine = spawn(
        options.database(&database),
        probes,
        config,
        ticks,
        &context.cancel,
    );
    let watched = watch(receiver, &args, log).await;
    if watched.is_err() {
        engine.stop();
    }
    let report = engine.finish().await.map_err(|error| {
        Error::from_chain(&error).hint(
            "check `mydex check` and, for many connections, the server's `max_connections` and \
             this shell's `ulimit -n`",
        )
    })?;
    watched?;
    if let Some(path) = &args.hgrm {
        write_distributions(path, &report)?;
    }
    context.emit(&summary::document(&report), &summary::json(&report))?;
    Ok(outcome(&report))
}

fn outcome(report: &RunReport) -> Outcome {
    if report.is_interrupted {
        Outcome::Interrupted
    } else if report.missed().is_empty() {
        Outcome::Fine
    } else {
        Outcome::Problem
    }
}

/// The data that the probes' values are drawn from: the one that was loaded.
pub(in crate::cli) async fn world(
    options: &sqlx::mysql::MySqlConnectOptions,
    database: &str,
    pack: &Arc<Pack>,
    place: &str,
) -> Result<World, Error> {
    let load = format!("mydex probe load {} --database {database}", pack.name);
    let found = loaded(options, database, pack).await.map_err(|error| {
        Error::new(format!("cannot read what is loaded on `{place}`: {error}"))
            .hint("`mydex check` says what is missing")
    })?;
    let Some(found) = found else {
        return Err(Error::new(format!(
            "pack `{}` is not loaded in schema `{}` on `{place}`",
            pack.name,
            text::inline(database)
        ))
        .hint(format!("load it with `{load}`")));
    };
    if !found.is_complete {
        return Err(Error::new(format!(
            "pack `{}` is only partly loaded in schema `{}`",
            pack.name,
            text::inline(database)
        ))
        .hint(format!(
            "finish it with `{load} --scale {} --seed {}`",
            found.scale, found.seed
        )));
    }
    if found.version != pack.version {
        return Err(Error::new(format!(
            "schema `{}` has version {} of pack `{}`; this mydex has version {}",
            text::inline(database),
            found.version,
            pack.name,
            pack.version
        ))
        .hint(format!("load it again with `{load}`")));
    }
    World::generated(Arc::clone(pack), found.seed, found.scale)
        .map_err(|error| Error::from_chain(&error))
}

/// A number that no earlier run had: probes insert rows under keys made from it.
fn run_number() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(1)
}

fn config(context: &Context, args: &Args, label: Arc<str>) -> EngineConfig {
    let load = &context.settings().load;
    EngineConfig {
        label,
        seed: args.seed,
        mode: match (args.closed, args.uniform) {
            (true, _) => Loop::Closed,
            (false, true) => Loop::Open(Spacing::Uniform),
            (false, false) => Loop::Open(Spacing::Poisson),
        },
        duration: Some(args.duration),
        warmup: args.warmup,
        concurrency: args.concurrency.unwrap_or(load.concurrency),
        operation_timeout: args.timeout.unwrap_or(load.operation_timeout),
        connect_timeout: context.settings().monitor.connect_timeout,
        max_rows: load.max_rows,
        ..EngineConfig::default()
    }
}

/// Shows each window on a terminal and writes it to the log, until the engine ends.
async fn watch(
    mut ticks: mpsc::Receiver<Arc<LoadTick>>,
    args: &Args,
    mut log: Option<File>,
) -> Result<(), Error> {
    let is_terminal = std::io::stderr().is_terminal();
    while let Some(tick) = ticks.recv().await {
        if is_terminal {
            // Nobody reads a line that a closed terminal does not take.
            let _ = write!(
                std::io::stderr().lock(),
                "\r\x1b[2K{}",
                progress(&tick, args)
            );
        }
        let Some(file) = &mut log else { continue };
        let from = tick.elapsed.saturating_sub(tick.window);
        for probe in &tick.probes {
            for (suffix, histogram) in [("", &probe.response), (".service", &probe.service)] {
                let tag = format!("{}{suffix}", probe.name);
                if let Some(line) = hlog::log_line(&tag, from, tick.window, histogram) {
                    write(file, args.hlog.as_deref(), &line)?;
                }
            }
        }
    }
    if is_terminal {
        let _ = write!(std::io::stderr().lock(), "\r\x1b[2K");
    }
    Ok(())
}

fn progress(tick: &LoadTick, args: &Args) -> String {
    let counts = summary::counts(tick);
    let response = summary::all_responses(tick);
    let latency = |q| quantile(&response, q).map_or_else(|| "-".to_owned(), units::duration);
    format!(
        "{} of {} · {}/s · p50 {} p99 {} · {} failed · {} waiting · {} of {} connections used",
        units::duration(tick.elapsed.saturating_sub(args.warmup)),
        units::duration(args.duration),
        units::count(counts.completed as f64 / tick.window.as_secs_f64().max(1e-9)),
        latency(0.5),
        latency(0.99),
        counts.failed + counts.timed_out,
        tick.pool.pending,
        tick.pool.used,
        tick.pool.max,
    )
}

fn create(path: &Path) -> Result<File, Error> {
    File::create(path)
        .map_err(|error| Error::new(format!("cannot write `{}`: {error}", path.display())))
}

fn write(file: &mut File, path: Option<&Path>, text: &str) -> Result<(), Error> {
    file.write_all(text.as_bytes()).map_err(|error| {
        let path = path.unwrap_or_else(|| Path::new(""));
        Error::new(format!("cannot write `{}`: {error}", path.display()))
    })
}

fn write_distributions(path: &Path, report: &RunReport) -> Result<(), Error> {
    if !path.is_dir() {
        let all = hlog::percentiles(&summary::all_responses(&report.total));
        return write(&mut create(path)?, Some(path), &all);
    }
    for probe in &report.total.probes {
        for (suffix, histogram) in [("", &probe.response), (".service", &probe.service)] {
            let path = path.join(format!("{}{suffix}.hgrm", probe.name));
            let text = hlog::percentiles(histogram);
            write(&mut create(&path)?, Some(&path), &text)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1_500)));
        for wrong in ["30", "-1s", "s", "1 fortnight", "1e400s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
