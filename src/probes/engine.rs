//! The load engine: workers, ticks, and the report at the end.
//!
//! The workers run on threads of their own, so that neither the dashboard nor the collectors make
//! operations late. The coordinator runs on the caller's runtime: once in a window it takes the
//! workers' figures, merges them and passes them on.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::mysql::MySqlConnectOptions;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::operation::EngineProbe;
use super::outcome::{PoolLevels, RunReport, errors, figures, pool_figures};
use super::pacer::Precision;
use super::pool::{Connector, MySql};
use super::queue::{Bounds, Plan, Queue};
use super::recorder::Recorder;
use super::schedule::{Mix, Source, Spacing, schedule, stream_of};
use super::seat::{Shard, Shared, worker};
use crate::model::probe::LoadTick;

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
    /// Measured time; `None` runs until stopped.
    pub duration: Option<Duration>,
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
    run: JoinHandle<Result<RunReport, EngineError>>,
}

impl Engine {
    /// Ends the load: nothing further is sent, and what is in flight has a second to end.
    pub fn stop(&self) {
        self.stop.cancel();
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
    let run = tokio::spawn(drive(
        connector,
        probes,
        config,
        ticks,
        stop.clone(),
        threads,
    ));
    Engine { stop, run }
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
            let rate: f64 = probes.iter().map(|probe| probe.rate.max(0.0)).sum();
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

fn line(probes: &[EngineProbe], config: &EngineConfig) -> Result<Queue, EngineError> {
    if config.concurrency == 0 {
        return Err(EngineError::NoConnections);
    }
    let is_driven = |probe: &EngineProbe| probe.rate.is_finite() && probe.rate > 0.0;
    if !probes.iter().any(is_driven) {
        return Err(EngineError::NothingToRun);
    }
    let sources: Vec<Source> = probes
        .iter()
        .map(|probe| Source {
            rate: if is_driven(probe) { probe.rate } else { 0.0 },
            stream: stream_of(&probe.name),
        })
        .collect();
    let plan = match config.mode {
        Loop::Open(spacing) => Plan::Open(schedule(config.seed, spacing, &sources)),
        Loop::Closed => Plan::Closed(Mix::new(config.seed, &sources)),
    };
    let warm = in_nanos(config.warmup);
    let bounds = Bounds {
        warm,
        end: config
            .duration
            .map_or(u64::MAX, |duration| warm.saturating_add(in_nanos(duration))),
        wait_timeout: config.wait_timeout.map(in_nanos),
    };
    Ok(Queue::new(plan, bounds, probes.len()))
}

/// Drives the whole run.
pub(crate) async fn drive<C: Connector>(
    connector: C,
    probes: Arc<[EngineProbe]>,
    config: EngineConfig,
    ticks: mpsc::Sender<Arc<LoadTick>>,
    stop: CancellationToken,
    place: Place,
) -> Result<RunReport, EngineError> {
    let queue = line(&probes, &config)?;
    let timeouts = probes
        .iter()
        .map(|probe| in_nanos(probe.timeout.unwrap_or(config.operation_timeout)))
        .collect();
    let precision = match place {
        Place::Threads(_) => Precision::Exact,
        #[cfg(test)]
        Place::Here => Precision::Runtime,
    };
    let common = Arc::new(Shared::new(
        queue,
        in_nanos(config.warmup),
        timeouts,
        config.connect_timeout,
        precision,
    ));
    // Workers end with this function, whichever way it ends.
    let _guard = common.abort.clone().drop_guard();
    let (gate, _) = watch::channel(None);
    let mut workers = Workers::start(&common, &connector, &config, &gate, place, probes.len())?;
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
    let mut coordinator = Coordinator::new(common, workers, probes, config, ticks, start);
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
        probes: usize,
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
            let shard = Arc::new(Shard::new(probes));
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

struct Coordinator {
    common: Arc<Shared>,
    workers: Workers,
    probes: Arc<[EngineProbe]>,
    config: EngineConfig,
    ticks: mpsc::Sender<Arc<LoadTick>>,
    start: Instant,
    /// When the present window began, nanoseconds since the start.
    from: u64,
    total: Recorder,
    spare: Recorder,
    sums: Sums,
    ticks_dropped: u64,
}

/// Levels over the whole run, in level times seconds.
#[derive(Debug, Default)]
struct Sums {
    seconds: f64,
    pending: f64,
    pending_max: u64,
    used: f64,
    last: PoolLevels,
}

impl Coordinator {
    fn new(
        common: Arc<Shared>,
        workers: Workers,
        probes: Arc<[EngineProbe]>,
        config: EngineConfig,
        ticks: mpsc::Sender<Arc<LoadTick>>,
        start: Instant,
    ) -> Self {
        Self {
            total: Recorder::new(probes.len()),
            spare: Recorder::new(probes.len()),
            common,
            workers,
            probes,
            config,
            ticks,
            start,
            from: 0,
            sums: Sums::default(),
            ticks_dropped: 0,
        }
    }

    fn now(&self) -> u64 {
        in_nanos(Instant::now().saturating_duration_since(self.start))
    }

    fn at(&self, nanos: u64) -> Instant {
        self.start + Duration::from_nanos(nanos)
    }

    /// Ticks until the end; returns whether the run was stopped before its time.
    async fn run(&mut self, stop: &CancellationToken) -> Result<bool, EngineError> {
        let warm = in_nanos(self.config.warmup);
        let end = self
            .config
            .duration
            .map(|d| warm.saturating_add(in_nanos(d)));
        let tick = in_nanos(self.config.tick).max(1_000_000);
        let mut next = if warm > 0 { warm } else { tick };
        let is_interrupted = loop {
            let until = end.map_or(next, |end| next.min(end));
            let wake = self.at(until);
            tokio::select! {
                biased;
                () = stop.cancelled() => break true,
                _ = self.workers.alive.recv() => return Err(EngineError::WorkersLost),
                () = tokio::time::sleep_until(wake) => {}
            }
            if end.is_some_and(|end| self.now() >= end) {
                break false;
            }
            if next == warm && warm > 0 {
                self.begin_measuring();
            } else {
                self.window(self.now());
            }
            next += tick;
        };
        self.drain(is_interrupted).await;
        Ok(is_interrupted)
    }

    /// Lets what is in flight end, within its timeout, or within the grace of an interrupted run.
    async fn drain(&mut self, is_interrupted: bool) {
        let now = self.now();
        let end = end_of(&self.config).min(now);
        self.common.finish(now);
        let patience = if is_interrupted {
            GRACE
        } else {
            longest_timeout(&self.probes, &self.config) + GRACE
        };
        if tokio::time::timeout(patience, self.workers.alive.recv())
            .await
            .is_err()
        {
            self.common.abort.cancel();
            let _ = tokio::time::timeout(GRACE, self.workers.alive.recv()).await;
        }
        self.window(end.max(self.from));
    }

    /// Starts the measured time: levels and clocks begin anew. Operations of the warm-up were not
    /// counted, and those of the measured time may have begun already, so nothing else is dropped.
    fn begin_measuring(&mut self) {
        let (mut window, _) = self.collect(self.now());
        window.lateness.clear();
        self.total.merge(&window);
        self.from = in_nanos(self.config.warmup);
    }

    /// What was counted since the last call.
    fn collect(&mut self, now: u64) -> (Recorder, PoolLevels) {
        let mut window = Recorder::new(self.probes.len());
        let pending = self.common.queue().window(now, &mut window);
        let mut levels = PoolLevels {
            max: self.config.concurrency,
            pending: pending.value,
            pending_max: pending.max,
            pending_mean: pending.mean,
            ..PoolLevels::default()
        };
        for shard in &self.workers.shards {
            let (used, open) = {
                let mut tally = shard.tally();
                std::mem::swap(&mut tally.recorder, &mut self.spare);
                (tally.used.window(now), tally.open)
            };
            window.merge(&self.spare);
            self.spare.clear();
            levels.open += open;
            levels.used += u32::try_from(used.value).unwrap_or(u32::MAX);
            levels.used_mean += used.mean;
        }
        (window, levels)
    }

    /// Ends a window at `now` and sends it.
    fn window(&mut self, now: u64) {
        let (mut window, levels) = self.collect(now);
        let length = Duration::from_nanos(now.saturating_sub(self.from));
        self.from = now;
        self.total.merge(&window);
        self.sums.add(levels, length.as_secs_f64());
        let pool = pool_figures(levels, &mut window);
        let tick = self.tick(window, pool, length, now);
        match self.ticks.try_send(Arc::new(tick)) {
            Err(mpsc::error::TrySendError::Full(_)) => self.ticks_dropped += 1,
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }

    fn tick(
        &self,
        mut window: Recorder,
        pool: crate::model::probe::PoolFigures,
        length: Duration,
        now: u64,
    ) -> LoadTick {
        let lateness = std::mem::replace(&mut window.lateness, super::recorder::growing());
        LoadTick {
            to: Timestamp::now(),
            window: length,
            elapsed: Duration::from_nanos(now),
            target_rate: match self.config.mode {
                Loop::Open(_) => self.probes.iter().map(|probe| probe.rate.max(0.0)).sum(),
                Loop::Closed => 0.0,
            },
            probes: figures(&self.probes, window),
            pool,
            lateness,
            label: Arc::clone(&self.config.label),
        }
    }

    fn report(mut self, started: Timestamp, is_interrupted: bool) -> RunReport {
        let mut total = std::mem::replace(&mut self.total, Recorder::new(0));
        let errors = errors(&self.probes, &total);
        let (refused, last_refusal) = (total.refused, total.last_refusal.take());
        let overflow = total.overflow;
        let levels = self.sums.levels();
        let pool = pool_figures(levels, &mut total);
        let measured = self.from.saturating_sub(in_nanos(self.config.warmup));
        let total = self.tick(total, pool, Duration::from_nanos(measured), self.from);
        RunReport {
            started,
            total,
            is_closed_loop: self.config.mode == Loop::Closed,
            is_interrupted,
            errors,
            connections_refused: refused,
            last_refusal,
            overflow,
            ticks_dropped: self.ticks_dropped,
        }
    }
}

fn end_of(config: &EngineConfig) -> u64 {
    config.duration.map_or(u64::MAX, |duration| {
        in_nanos(config.warmup).saturating_add(in_nanos(duration))
    })
}

impl Sums {
    fn add(&mut self, levels: PoolLevels, seconds: f64) {
        self.seconds += seconds;
        self.pending += levels.pending_mean * seconds;
        self.pending_max = self.pending_max.max(levels.pending_max);
        self.used += levels.used_mean * seconds;
        self.last = levels;
    }

    fn levels(&self) -> PoolLevels {
        let mean = |sum: f64| {
            if self.seconds > 0.0 {
                sum / self.seconds
            } else {
                0.0
            }
        };
        PoolLevels {
            pending_max: self.pending_max,
            pending_mean: mean(self.pending),
            used_mean: mean(self.used),
            ..self.last
        }
    }
}

#[cfg(test)]
mod tests;
