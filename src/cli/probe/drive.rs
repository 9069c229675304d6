//! What every way of driving a load shares: the data behind the values, the probes, one run.

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::MySqlConnectOptions;
use tokio::sync::mpsc;

use super::run::Args;
use super::summary;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::config::settings::Server;
use crate::model::probe::{LoadTick, Stage, quantile};
use crate::model::{text, units};
use crate::probes::engine::{EngineConfig, Loop, spawn};
use crate::probes::generate::World;
use crate::probes::hlog;
use crate::probes::operation::EngineProbe;
use crate::probes::outcome::RunReport;
use crate::probes::pack::Pack;
use crate::probes::schedule::Spacing;
use crate::probes::think::Think;
use crate::probes::workload::{Choice, engine_probes, loaded};
use crate::server;

/// Windows that may wait to be shown or logged.
const TICKS: usize = 64;
/// Measured time where nothing else is asked for.
const DURATION: Duration = Duration::from_secs(30);

/// A pack in a database, ready to be driven.
pub(super) struct Drive<'a> {
    pub(super) context: &'a Context,
    pub(super) args: &'a Args,
    pack: Arc<Pack>,
    world: Arc<World>,
    options: MySqlConnectOptions,
    place: String,
}

impl<'a> Drive<'a> {
    /// Opens the pack and reads what is loaded of it.
    pub(super) async fn new(context: &'a Context, args: &'a Args) -> Result<Self, Error> {
        let pack = Arc::new(super::pack(&args.pack)?);
        let server = context.server()?;
        let database = args
            .database
            .clone()
            .unwrap_or_else(|| pack.name.to_string());
        // The engine keeps statements prepared, so it sets its own cache.
        let options = server::connect::options(server);
        let place = server::connect::place(server);
        let world = Arc::new(world(&options, &database, &pack, &place).await?);
        Ok(Self {
            context,
            args,
            pack,
            world,
            options: options.database(&database),
            place,
        })
    }

    /// The rate that flags and configuration ask for; `None` leaves it to the pack.
    pub(super) fn rate(&self) -> Option<f64> {
        if self.args.closed {
            return Some(1.0);
        }
        let stages = self.stages();
        let peak = stages.iter().map(|stage| stage.from.max(stage.to));
        match peak.max_by(f64::total_cmp) {
            // Stages without any operation are left to the engine to refuse.
            Some(peak) => Some(peak).filter(|peak| *peak > 0.0),
            None => self.args.rate.or(self.context.settings().load.rate),
        }
    }

    /// The stages of the flags, or of the configuration where no flag asks for something else.
    fn stages(&self) -> &[Stage] {
        let args = self.args;
        let is_other =
            args.rate.is_some() || args.duration.is_some() || args.closed || args.find_capacity;
        match &args.stages[..] {
            [] if is_other => &[],
            [] => &self.context.settings().load.stages,
            stages => stages,
        }
    }

    /// The probes at a rate of all together; their values differ from those of every other run.
    pub(super) fn probes(&self, rate: Option<f64>) -> Result<Vec<EngineProbe>, Error> {
        let choice = Choice {
            names: self.args.probes.clone(),
            rate,
            run: run_number(),
        };
        let settings = self.context.settings();
        let probes = engine_probes(&self.world, &choice, &settings.slo)
            .map_err(|error| Error::from_chain(&error))?;
        refuse_writes(self.context.server()?, &probes)?;
        Ok(probes)
    }

    /// How flags and configuration want the load driven.
    pub(super) fn config(&self) -> EngineConfig {
        let (context, args) = (self.context, self.args);
        let load = &context.settings().load;
        let spacing = if args.uniform {
            Spacing::Uniform
        } else {
            Spacing::Poisson
        };
        EngineConfig {
            label: format!("{} on {}", self.pack.name, self.place).into(),
            seed: args.seed,
            mode: if args.closed {
                Loop::Closed
            } else {
                Loop::Open(spacing)
            },
            duration: Some(args.duration.unwrap_or(DURATION)),
            stages: self.stages().to_vec(),
            think: args.think.map(|mean| Think { mean, spacing }),
            warmup: args.warmup,
            concurrency: args.concurrency.unwrap_or(load.concurrency),
            operation_timeout: args.timeout.unwrap_or(load.operation_timeout),
            connect_timeout: context.settings().monitor.connect_timeout,
            max_rows: load.max_rows,
            ..EngineConfig::default()
        }
    }

    /// Drives one run to its end; `what` begins the line that a terminal shows meanwhile.
    pub(super) async fn run(
        &self,
        probes: Vec<EngineProbe>,
        config: EngineConfig,
        what: &str,
        log: Option<Log>,
    ) -> Result<RunReport, Error> {
        let (ticks, receiver) = mpsc::channel(TICKS);
        let options = self.options.clone();
        let shown = Shown {
            what: what.to_owned(),
            warmup: config.warmup,
            stages: config.stages.clone(),
            duration: config.duration.unwrap_or(DURATION),
        };
        let engine = spawn(options, probes, config, ticks, &self.context.cancel);
        let watched = watch(receiver, &shown, log).await;
        if watched.is_err() {
            engine.stop();
        }
        let report = engine.finish().await.map_err(|error| {
            Error::from_chain(&error).hint(
                "check `mydex check` and, for many connections, the server's `max_connections` \
                 and this shell's `ulimit -n`",
            )
        })?;
        watched?;
        Ok(report)
    }
}

/// A server that is configured read-only takes reading probes alone.
pub(in crate::cli) fn refuse_writes(server: &Server, probes: &[EngineProbe]) -> Result<(), Error> {
    match probes.iter().find(|probe| probe.is_write) {
        Some(probe) if server.read_only => Err(Error::new(format!(
            "server `{}` is configured read-only, and probe `{}` changes data",
            server.name, probe.name
        ))
        .hint("name the reading probes with `--probe`")),
        _ => Ok(()),
    }
}

/// The data that the probes' values are drawn from: the one that was loaded.
pub(in crate::cli) async fn world(
    options: &MySqlConnectOptions,
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

/// An interval log that is being written.
pub(super) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Begins one.
    pub(super) fn create(path: &Path, label: &str) -> Result<Self, Error> {
        let mut log = Self {
            path: path.to_owned(),
            file: create(path)?,
        };
        write(
            &mut log.file,
            path,
            &hlog::log_header(jiff::Timestamp::now(), label),
        )?;
        Ok(log)
    }

    fn write(&mut self, tick: &LoadTick) -> Result<(), Error> {
        let from = tick.elapsed.saturating_sub(tick.window);
        for probe in &tick.probes {
            for (suffix, histogram) in [("", &probe.response), (".service", &probe.service)] {
                let tag = format!("{}{suffix}", probe.name);
                if let Some(line) = hlog::log_line(&tag, from, tick.window, histogram) {
                    write(&mut self.file, &self.path, &line)?;
                }
            }
        }
        Ok(())
    }
}

/// What the line on a terminal says beside the figures.
struct Shown {
    what: String,
    warmup: Duration,
    stages: Vec<Stage>,
    duration: Duration,
}

/// Shows each window on a terminal and writes it to the log, until the engine ends.
async fn watch(
    mut ticks: mpsc::Receiver<Arc<LoadTick>>,
    shown: &Shown,
    mut log: Option<Log>,
) -> Result<(), Error> {
    let is_terminal = std::io::stderr().is_terminal();
    while let Some(tick) = ticks.recv().await {
        if is_terminal {
            // Nobody reads a line that a closed terminal does not take.
            let _ = write!(
                std::io::stderr().lock(),
                "\r\x1b[2K{}",
                progress(&tick, shown)
            );
        }
        if let Some(log) = &mut log {
            log.write(&tick)?;
        }
    }
    if is_terminal {
        let _ = write!(std::io::stderr().lock(), "\r\x1b[2K");
    }
    Ok(())
}

fn progress(tick: &LoadTick, shown: &Shown) -> String {
    let counts = summary::counts(tick);
    let response = summary::all_responses(tick);
    let latency = |q| quantile(&response, q).map_or_else(|| "-".to_owned(), units::duration);
    let duration = match shown.stages.iter().map(|stage| stage.length).sum() {
        Duration::ZERO => shown.duration,
        stages => stages,
    };
    format!(
        "{}{} of {} · {}/s · p50 {} p99 {} · {} failed · {} waiting · {} of {} connections used",
        shown.what,
        units::duration(tick.elapsed.saturating_sub(shown.warmup)),
        units::duration(duration),
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

fn write(file: &mut File, path: &Path, text: &str) -> Result<(), Error> {
    file.write_all(text.as_bytes())
        .map_err(|error| Error::new(format!("cannot write `{}`: {error}", path.display())))
}

/// Writes the percentile distributions of a run: to a file, or one for each probe into a folder.
pub(super) fn write_distributions(path: &Path, report: &RunReport) -> Result<(), Error> {
    if !path.is_dir() {
        let all = hlog::percentiles(&summary::all_responses(&report.total));
        return write(&mut create(path)?, path, &all);
    }
    for probe in &report.total.probes {
        for (suffix, histogram) in [("", &probe.response), (".service", &probe.service)] {
            let path = path.join(format!("{}{suffix}.hgrm", probe.name));
            let text = hlog::percentiles(histogram);
            write(&mut create(&path)?, &path, &text)?;
        }
    }
    Ok(())
}
