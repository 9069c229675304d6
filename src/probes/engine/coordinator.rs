//! What keeps the workers together: windows, the end, the sums.

use super::super::operation::EngineProbe;
use super::super::outcome::{PoolLevels, RunReport, errors, figures, pool_figures};
use super::super::recorder::{Recorder, growing};
use super::super::seat::Shared;
use super::{EngineConfig, EngineError, GRACE, Loop, Workers, in_nanos, longest_timeout};
use crate::model::probe::LoadTick;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) struct Coordinator {
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
pub(super) struct Sums {
    seconds: f64,
    pending: f64,
    pending_max: u64,
    used: f64,
    last: PoolLevels,
}

impl Coordinator {
    pub(super) fn new(
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
    pub(super) async fn run(&mut self, stop: &CancellationToken) -> Result<bool, EngineError> {
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
        let lateness = std::mem::replace(&mut window.lateness, growing());
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

    pub(super) fn report(mut self, started: Timestamp, is_interrupted: bool) -> RunReport {
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

pub(super) fn end_of(config: &EngineConfig) -> u64 {
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
