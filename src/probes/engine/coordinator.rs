//! What keeps the workers together: windows, the end, the sums.

use super::super::operation::EngineProbe;
use super::super::outcome::{PoolLevels, RunReport, StageReport, errors, figures, pool_figures};
use super::super::profile::Profile;
use super::super::recorder::{Recorder, growing};
use super::super::seat::Shared;
use super::super::stages::Staged;
use super::plan;
use super::steering::Wishes;
use super::{EngineConfig, EngineError, GRACE, Loop, Workers, in_nanos, longest_timeout, measured};
use crate::model::probe::{LoadRates, LoadTick};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A change of rates ends no window that is shorter, nanoseconds.
const SHORTEST: u64 = 1_000_000;

pub(super) struct Coordinator {
    common: Arc<Shared>,
    workers: Workers,
    probes: Arc<[EngineProbe]>,
    config: EngineConfig,
    ticks: mpsc::Sender<Arc<LoadTick>>,
    wishes: Wishes,
    rates: LoadRates,
    start: Instant,
    /// When the present window began, nanoseconds since the start.
    from: u64,
    profile: Arc<Profile>,
    total: Staged,
    spare: Staged,
    sums: Sums,
    /// The same of each stage.
    by_stage: Vec<Sums>,
    /// Operations that waited when the measured time began.
    waiting_first: u64,
    /// Processor time of each worker at the end of the window before, nanoseconds.
    cpu: Vec<u64>,
    ticks_dropped: u64,
}

/// Levels over the whole run, in level times seconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    seconds: f64,
    /// Operations that the rates asked for.
    planned: f64,
    pending: f64,
    pending_max: u64,
    used: f64,
    cpu: f64,
    last: PoolLevels,
}

/// Levels over one window, and the share of a processor that the busiest worker used.
#[derive(Debug, Clone, Copy)]
struct Levels {
    pool: PoolLevels,
    cpu: f64,
}

impl Coordinator {
    pub(super) fn new(
        common: Arc<Shared>,
        workers: Workers,
        probes: Arc<[EngineProbe]>,
        config: EngineConfig,
        (profile, empty): (Arc<Profile>, Staged),
        (ticks, wishes): (mpsc::Sender<Arc<LoadTick>>, Wishes),
        start: Instant,
    ) -> Self {
        let rates = plan::rates(&probes, &config);
        Self {
            rates: LoadRates {
                now: Arc::clone(&rates),
                first: rates,
                changed: None,
            },
            wishes,
            by_stage: vec![Sums::default(); empty.stages()],
            waiting_first: 0,
            cpu: workers
                .shards
                .iter()
                .map(|shard| shard.tally().cpu)
                .collect(),
            profile,
            spare: empty.clone(),
            total: empty,
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
        let end = measured(&self.config).map(|d| warm.saturating_add(in_nanos(d)));
        let tick = in_nanos(self.config.tick).max(1_000_000);
        let mut next = if warm > 0 { warm } else { tick };
        let is_interrupted = loop {
            // A window never reaches over the end of a stage.
            let stage = self.total.end_of_stage(self.from).unwrap_or(u64::MAX);
            let until = next.min(stage).min(end.unwrap_or(u64::MAX));
            let wake = self.at(until);
            tokio::select! {
                biased;
                () = stop.cancelled() => break true,
                _ = self.workers.alive.recv() => return Err(EngineError::WorkersLost),
                rates = self.wishes.next() => {
                    if self.rerate(rates) {
                        next = self.from + tick;
                    }
                    continue;
                }
                () = tokio::time::sleep_until(wake) => {}
            }
            if end.is_some_and(|end| self.now() >= end) {
                break false;
            }
            if until == warm && warm > 0 {
                self.begin_measuring();
            } else {
                self.window(self.now());
            }
            next = until + tick;
        };
        self.drain(is_interrupted).await;
        Ok(is_interrupted)
    }

    /// Drives at these rates from now on; returns whether a window ended with that.
    fn rerate(&mut self, rates: Arc<[f64]>) -> bool {
        if rates == self.rates.now {
            return false;
        }
        let moment = self.common.rerate(
            || in_nanos(Instant::now().saturating_duration_since(self.start)),
            &rates,
        );
        let is_measured = self.config.warmup.is_zero() || self.from > 0;
        // A window that has only just begun belongs to the new rates.
        let is_cut = is_measured && moment.saturating_sub(self.from) >= SHORTEST;
        if is_cut {
            self.window(moment);
        }
        self.rates.now = rates;
        self.rates.changed = Some(Timestamp::now());
        is_cut
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
        let (mut window, levels) = self.collect(self.now());
        window.at(0).lateness.clear();
        self.total.merge(&window);
        self.waiting_first = levels.pool.pending;
        self.from = in_nanos(self.config.warmup);
    }

    /// What was counted since the last call.
    fn collect(&mut self, now: u64) -> (Staged, Levels) {
        let mut window = Staged::new(self.probes.len(), self.profile.bounds().into());
        let length = now.saturating_sub(self.from).max(1) as f64;
        let mut busiest = 0.0_f64;
        let pending = self.common.queue().window(now, &mut window);
        let mut levels = PoolLevels {
            max: self.config.concurrency,
            pending: pending.value,
            pending_max: pending.max,
            pending_mean: pending.mean,
            ..PoolLevels::default()
        };
        for (shard, before) in self.workers.shards.iter().zip(&mut self.cpu) {
            let (used, open, cpu) = {
                let mut tally = shard.tally();
                std::mem::swap(&mut tally.recorder, &mut self.spare);
                (tally.used.window(now), tally.open, tally.cpu)
            };
            let spent = cpu.saturating_sub(std::mem::replace(before, cpu));
            busiest = busiest.max((spent as f64 / length).min(1.0));
            window.merge(&self.spare);
            self.spare.clear();
            levels.open += open;
            levels.used += u32::try_from(used.value).unwrap_or(u32::MAX);
            levels.used_mean += used.mean;
        }
        let levels = Levels {
            pool: levels,
            cpu: busiest,
        };
        (window, levels)
    }

    /// Ends a window at `now` and sends it.
    fn window(&mut self, now: u64) {
        let (window, levels) = self.collect(now);
        let span = (self.from, now);
        let seconds = Duration::from_nanos(now.saturating_sub(self.from)).as_secs_f64();
        let target = self.target(span);
        self.total.merge(&window);
        self.sums.add(levels, target, seconds);
        let stage = self.total.stage_of(self.from);
        if let Some(sums) = self.by_stage.get_mut(stage) {
            sums.add(levels, target, seconds);
        }
        self.from = now;
        let tick = self.tick(window.into_sum(), levels, span, target);
        match self.ticks.try_send(Arc::new(tick)) {
            Err(mpsc::error::TrySendError::Full(_)) => self.ticks_dropped += 1,
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }

    /// Intended rate of all probes together between two moments without a change between them.
    fn target(&self, (from, to): (u64, u64)) -> f64 {
        self.rates.now.iter().sum::<f64>() * self.profile.mean(from, to)
    }

    /// The same of a longer time, over which `sums` were made.
    fn target_of(&self, span: (u64, u64), sums: &Sums) -> f64 {
        match self.rates.changed {
            Some(_) if sums.seconds > 0.0 => sums.planned / sums.seconds,
            _ => self.target(span),
        }
    }

    fn tick(
        &self,
        mut window: Recorder,
        levels: Levels,
        (from, to): (u64, u64),
        target_rate: f64,
    ) -> LoadTick {
        let pool = pool_figures(levels.pool, &mut window);
        let lateness = std::mem::replace(&mut window.lateness, growing());
        LoadTick {
            to: Timestamp::now(),
            window: Duration::from_nanos(to.saturating_sub(from)),
            elapsed: Duration::from_nanos(to),
            target_rate,
            rates: self.rates.clone(),
            probes: figures(&self.probes, window),
            pool,
            lateness,
            client_cpu: levels.cpu,
            label: Arc::clone(&self.config.label),
        }
    }

    pub(super) fn report(mut self, started: Timestamp, is_interrupted: bool) -> RunReport {
        let warm = in_nanos(self.config.warmup);
        let mut total = self.total.sum();
        let errors = errors(&self.probes, &total);
        let (refused, last_refusal) = (total.refused, total.last_refusal.take());
        let overflow = total.overflow;
        let span = (warm.min(self.from), self.from);
        let target = self.target_of(span, &self.sums);
        let total = self.tick(total, self.sums.levels(), span, target);
        RunReport {
            started,
            total,
            stages: self.stages(),
            is_closed_loop: self.config.mode == Loop::Closed,
            think: match self.config.mode {
                Loop::Closed => self.config.think.map(|think| think.mean),
                Loop::Open(_) => None,
            },
            is_interrupted,
            errors,
            connections_refused: refused,
            last_refusal,
            overflow,
            ticks_dropped: self.ticks_dropped,
        }
    }

    /// Each stage that had begun, where the configuration has any.
    fn stages(&mut self) -> Vec<StageReport> {
        let empty = Staged::new(0, [].into());
        let recorders = std::mem::replace(&mut self.total, empty).into_stages();
        let ends = self.profile.bounds().iter().copied().chain([u64::MAX]);
        let (mut from, mut waiting) = (in_nanos(self.config.warmup), self.waiting_first);
        let parts = recorders.into_iter().zip(ends).zip(&self.by_stage);
        let mut stages = Vec::new();
        for (stage, ((recorder, end), sums)) in self.config.stages.iter().zip(parts) {
            if from >= self.from {
                break;
            }
            let to = end.min(self.from);
            let levels = sums.levels();
            stages.push(StageReport {
                stage: *stage,
                waiting_before: waiting,
                waiting_after: levels.pool.pending,
                total: self.tick(
                    recorder,
                    levels,
                    (from, to),
                    self.target_of((from, to), sums),
                ),
            });
            waiting = levels.pool.pending;
            from = to;
        }
        stages
    }
}

pub(super) fn end_of(config: &EngineConfig) -> u64 {
    measured(config).map_or(u64::MAX, |duration| {
        in_nanos(config.warmup).saturating_add(in_nanos(duration))
    })
}

impl Sums {
    fn add(&mut self, levels: Levels, target: f64, seconds: f64) {
        let pool = levels.pool;
        self.planned += target * seconds;
        self.seconds += seconds;
        self.pending += pool.pending_mean * seconds;
        self.pending_max = self.pending_max.max(pool.pending_max);
        self.used += pool.used_mean * seconds;
        self.cpu += levels.cpu * seconds;
        self.last = pool;
    }

    fn levels(&self) -> Levels {
        let mean = |sum: f64| {
            if self.seconds > 0.0 {
                sum / self.seconds
            } else {
                0.0
            }
        };
        Levels {
            pool: PoolLevels {
                pending_max: self.pending_max,
                pending_mean: mean(self.pending),
                used_mean: mean(self.used),
                ..self.last
            },
            cpu: mean(self.cpu),
        }
    }
}
