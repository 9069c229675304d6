//! The load engine: workers, ticks, and the report at the end.
//!
//! The workers run on threads of their own, so that neither the dashboard nor the collectors make
//! operations late. The coordinator runs on the caller's runtime: once in a window it takes the
//! workers' figures, merges them and passes them on.

mod coordinator;
mod plan;
mod steering;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::mysql::MySqlConnectOptions;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::coordinator::Coordinator;
pub use self::plan::arrivals;
use self::plan::{base_rate, line, measured, profile};
use self::steering::Wishes;
pub use self::steering::{RateError, Steering};
use super::operation::EngineProbe;
use super::outcome::RunReport;
use super::pacer::Precision;
use super::pool::{Connector, MySql};
use super::schedule::Spacing;
use super::seat::{Shared, worker};
use super::shard::Shard;
use super::stages::Staged;
use super::think::Think;
use crate::model::probe::{LoadTick, Stage};

/// Operations in flight have this long to end after the run was stopped before its time.
const GRACE: Duration = Duration::from_secs(1);
/// Operations per second that one worker thread is given in an open loop.
const RATE_PER_THREAD: f64 = 20_000.0;

/// When operations start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loop {
    /// At the times of a schedule, however long the answers take.
    Open(Spacing),
    /// One after the other on each connection, as fast as answers come.
    Closed,
}

/// How a load is driven.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Names of the pack and its target, for headings.
    pub label: Arc<str>,
    /// Of the schedule.
    pub seed: u64,
    /// Open or closed.
    pub mode: Loop,
    /// Measured time; `None` runs until stopped. With stages it is the sum of their lengths and
    /// what stands here is not used.
    pub duration: Option<Duration>,
    /// Rates that follow one another in an open loop, at most
    /// [`MAX_STAGES`](super::profile::MAX_STAGES); the probes' own rates are then their shares.
    /// Empty: the probes' own rates throughout.
    pub stages: Vec<Stage>,
    /// What each connection's user does between two operations of a closed loop.
    pub think: Option<Think>,
    /// Time before it that is driven and not counted.
    pub warmup: Duration,
    /// Connections.
    pub concurrency: u32,
    /// An operation is given up after this, counted from its sending.
    pub operation_timeout: Duration,
    /// A wait for a connection is given up after this.
    pub wait_timeout: Option<Duration>,
    /// Bound of one attempt to connect.
    pub connect_timeout: Duration,
    /// Rows of one result that are read at most.
    pub max_rows: u64,
    /// Length of a window.
    pub tick: Duration,
    /// Worker threads; `None` chooses by rate and processors.
    pub threads: Option<usize>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            label: "load".into(),
            seed: 1,
            mode: Loop::Open(Spacing::Poisson),
            duration: None,
            stages: Vec::new(),
            think: None,
            warmup: Duration::ZERO,
            concurrency: 16,
            operation_timeout: Duration::from_secs(30),
            wait_timeout: Some(Duration::from_secs(30)),
            connect_timeout: Duration::from_secs(10),
            max_rows: 10_000,
            tick: Duration::from_secs(1),
            threads: None,
        }
    }
}

/// Why a load could not be driven.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Every probe has a rate of zero.
    #[error("no operation to run: every probe has rate `0`; give a rate, or choose other probes")]
    NothingToRun,
    /// More stages than histograms are kept for, or one without an end.
    #[error(
        "a load has at most `{}` stages, each with a length and rates of at least `0`",
        super::profile::MAX_STAGES
    )]
    Stages,
    /// No connections.
    #[error("concurrency is `0`; it must be at least `1`")]
    NoConnections,
    /// A connection could not be opened before the start.
    #[error("cannot open `{wanted}` connections for the load")]
    Connect {
        /// How many were to be opened.
        wanted: u32,
        /// The first failure.
        source: sqlx::Error,
    },
    /// Stopped before the connections were open.
    #[error("stopped before the load began")]
    Stopped,
    /// The system gave no thread.
    #[error("cannot start a worker thread")]
    Thread {
        /// Why.
        source: io::Error,
    },
    /// All workers ended before the run did.
    #[error("the workers ended unexpectedly; the log has the reason")]
    WorkersLost,
}

/// A load under way.
#[derive(Debug)]
pub struct Engine {
    stop: CancellationToken,
    steering: Steering,
    run: JoinHandle<Result<RunReport, EngineError>>,
}

impl Engine {
    /// Ends the load: nothing further is sent, and what is in flight has a second to end.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// What changes the rates of this load while it runs.
    #[must_use]
    pub fn steering(&self) -> Steering {
        self.steering.clone()
    }

    /// Waits for the end and the report.
    ///
    /// # Errors
    /// When the load could not be driven.
    pub async fn finish(self) -> Result<RunReport, EngineError> {
        self.run.await.map_err(|_| EngineError::WorkersLost)?
    }
}

/// Starts a load. It opens all connections first; the first window begins when they are open.
/// Each window is sent to `ticks`; one that finds the channel full is dropped there, and counted
/// in the report all the same. `cancel` stops the load like [`Engine::stop`].
///
/// Must be called within a tokio runtime.
#[must_use]
pub fn spawn(
    options: MySqlConnectOptions,
    probes: Vec<EngineProbe>,
    config: EngineConfig,
    ticks: mpsc::Sender<Arc<LoadTick>>,
    cancel: &CancellationToken,
) -> Engine {
    let stop = cancel.child_token();
    let probes: Arc<[EngineProbe]> = probes.into();
    let connector = MySql::new(
        options,
        Arc::clone(&probes),
        usize::try_from(config.concurrency).unwrap_or(usize::MAX),
        longest_timeout(&probes, &config),
        config.max_rows,
    );
    let threads = Place::Threads(threads(&probes, &config));
    let steering = Steering::new(plan::rates(&probes, &config));
    let wishes = steering.wishes();
    let run = tokio::spawn(drive(
        connector,
        probes,
        config,
        (ticks, wishes),
        stop.clone(),
        threads,
    ));
    Engine {
        stop,
        steering,
        run,
    }
}

/// Where the workers run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// On this many threads, each with its own runtime.
    Threads(usize),
    /// On the caller's runtime, under its clock.
    #[cfg(test)]
    Here,
}

impl Place {
    fn workers(self) -> usize {
        match self {
            Self::Threads(count) => count,
            #[cfg(test)]
            Self::Here => 1,
        }
    }
}

fn threads(probes: &[EngineProbe], config: &EngineConfig) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = config.threads.unwrap_or_else(|| match config.mode {
        // One thread among many of a server on the same machine gets too little of it; a thread
        // for less than eight connections costs more than it gives.
        Loop::Closed => cores.min(usize::try_from(config.concurrency).unwrap_or(usize::MAX) / 8),
        Loop::Open(_) => {
            let rate = config
                .stages
                .iter()
                .map(|stage| stage.from.max(stage.to))
                .fold(base_rate(probes, config), f64::max);
            (1..cores)
                .find(|n| *n as f64 * RATE_PER_THREAD >= rate)
                .unwrap_or(cores)
        }
    });
    let seats = usize::try_from(config.concurrency).unwrap_or(usize::MAX);
    wanted.clamp(1, seats.max(1))
}

fn longest_timeout(probes: &[EngineProbe], config: &EngineConfig) -> Duration {
    let longest = probes.iter().filter_map(|probe| probe.timeout).max();
    longest.map_or(config.operation_timeout, |own| {
        own.max(config.operation_timeout)
    })
}

fn in_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Drives the whole run.
pub(crate) async fn drive<C: Connector>(
    connector: C,
    probes: Arc<[EngineProbe]>,
    config: EngineConfig,
    wires: (mpsc::Sender<Arc<LoadTick>>, Wishes),
    stop: CancellationToken,
    place: Place,
) -> Result<RunReport, EngineError> {
    let profile = Arc::new(profile(&probes, &config)?);
    let empty = Staged::new(probes.len(), profile.bounds().into());
    let queue = line(&probes, &config, empty.clone())?;
    let timeouts = probes
        .iter()
        .map(|probe| in_nanos(probe.timeout.unwrap_or(config.operation_timeout)))
        .collect();
    let precision = match place {
        Place::Threads(_) => Precision::Exact,
        #[cfg(test)]
        Place::Here => Precision::Runtime,
    };
    let mut common = Shared::new(
        queue,
        in_nanos(config.warmup),
        timeouts,
        config.connect_timeout,
        precision,
    );
    if config.mode == Loop::Closed {
        common.think = config.think.map(|think| (think, config.seed));
    }
    let common = Arc::new(common);
    // Workers end with this function, whichever way it ends.
    let _guard = common.abort.clone().drop_guard();
    let (gate, _) = watch::channel(None);
    let mut workers = Workers::start(&common, &connector, &config, &gate, place, &empty)?;
    tokio::select! {
        opened = workers.opened() => opened.map_err(|source| EngineError::Connect {
            wanted: config.concurrency,
            source,
        })?,
        () = stop.cancelled() => return Err(EngineError::Stopped),
    }
    let start = Instant::now();
    let started = Timestamp::now();
    gate.send_replace(Some(start));
    let mut coordinator = Coordinator::new(
        common,
        workers,
        probes,
        config,
        (profile, empty),
        wires,
        start,
    );
    let is_interrupted = coordinator.run(&stop).await?;
    Ok(coordinator.report(started, is_interrupted))
}

struct Workers {
    shards: Vec<Arc<Shard>>,
    ready: Vec<oneshot::Receiver<Result<(), sqlx::Error>>>,
    /// Closed when the last worker has ended.
    alive: mpsc::Receiver<()>,
}

impl Workers {
    fn start<C: Connector>(
        common: &Arc<Shared>,
        connector: &C,
        config: &EngineConfig,
        gate: &watch::Sender<Option<Instant>>,
        place: Place,
        empty: &Staged,
    ) -> Result<Self, EngineError> {
        let count = place.workers();
        let seats = usize::try_from(config.concurrency).unwrap_or(usize::MAX);
        let (life, alive) = mpsc::channel(1);
        let mut workers = Self {
            shards: Vec::new(),
            ready: Vec::new(),
            alive,
        };
        for number in 0..count {
            let quota = seats / count + usize::from(number < seats % count);
            let shard = Arc::new(Shard::new(
                u64::try_from(number).unwrap_or(0),
                empty.clone(),
            ));
            let (ready, is_ready) = oneshot::channel();
            workers.shards.push(Arc::clone(&shard));
            workers.ready.push(is_ready);
            let work = worker(
                Arc::clone(common),
                shard,
                connector.clone(),
                quota,
                ready,
                gate.subscribe(),
            );
            let life = life.clone();
            let work = async move {
                work.await;
                drop(life);
            };
            match place {
                Place::Threads(_) => run_thread(number, work)?,
                #[cfg(test)]
                Place::Here => drop(tokio::spawn(work)),
            }
        }
        Ok(workers)
    }

    async fn opened(&mut self) -> Result<(), sqlx::Error> {
        for ready in std::mem::take(&mut self.ready) {
            match ready.await {
                Ok(result) => result?,
                Err(_) => return Err(sqlx::Error::WorkerCrashed),
            }
        }
        Ok(())
    }
}

fn run_thread(
    number: usize,
    work: impl Future<Output = ()> + Send + 'static,
) -> Result<(), EngineError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| EngineError::Thread { source })?;
    std::thread::Builder::new()
        .name(format!("mydex-load-{number}"))
        .spawn(move || {
            runtime.block_on(work);
        })
        .map(drop)
        .map_err(|source| EngineError::Thread { source })
}

#[cfg(test)]
mod tests;
