//! What is to be run: the schedule of a configuration, its stages and its bounds.

use std::sync::Arc;
use std::time::Duration;

use super::super::operation::EngineProbe;
use super::super::profile::{MAX_STAGES, Profile};
use super::super::queue::{Bounds, Plan, Queue};
use super::super::schedule::{Mix, Schedule, Source, Spacing, shaped, stream_of};
use super::super::stages::Staged;
use super::{EngineConfig, EngineError, Loop, in_nanos};
use crate::model::probe::Stage;

/// The rate of all probes together where nothing changes it.
pub(super) fn base_rate(probes: &[EngineProbe], config: &EngineConfig) -> f64 {
    match config.mode {
        Loop::Open(_) => probes.iter().map(|probe| probe.rate.max(0.0)).sum(),
        Loop::Closed => 0.0,
    }
}

pub(super) fn profile(
    probes: &[EngineProbe],
    config: &EngineConfig,
) -> Result<Profile, EngineError> {
    let is_sound = |stage: &Stage| {
        stage.length > Duration::ZERO
            && [stage.from, stage.to]
                .iter()
                .all(|rate| rate.is_finite() && *rate >= 0.0)
    };
    if config.stages.len() > MAX_STAGES || !config.stages.iter().all(is_sound) {
        return Err(EngineError::Stages);
    }
    let base = base_rate(probes, config);
    Ok(Profile::staged(&config.stages, base, config.warmup))
}

/// Measured time that the configuration asks for.
pub(super) fn measured(config: &EngineConfig) -> Option<Duration> {
    if config.stages.is_empty() {
        return config.duration;
    }
    let sum = |sum: Duration, stage: &Stage| sum.saturating_add(stage.length);
    Some(config.stages.iter().fold(Duration::ZERO, sum))
}

fn is_driven(probe: &EngineProbe) -> bool {
    probe.rate.is_finite() && probe.rate > 0.0
}

fn sources(probes: &[EngineProbe]) -> Vec<Source> {
    probes
        .iter()
        .map(|probe| Source {
            rate: if is_driven(probe) { probe.rate } else { 0.0 },
            stream: stream_of(&probe.name),
        })
        .collect()
}

/// The rates with which a load begins; none in a closed loop.
pub(super) fn rates(probes: &[EngineProbe], config: &EngineConfig) -> Arc<[f64]> {
    match config.mode {
        Loop::Open(_) => sources(probes).iter().map(|source| source.rate).collect(),
        Loop::Closed => Arc::from([]),
    }
}

/// The operations that a load with this configuration is meant to start, warm-up included, in
/// order of time; [`Arrival::source`](super::super::schedule::Arrival) is the probe's index. Endless, and
/// empty for a closed loop.
///
/// # Errors
/// When the stages are none.
pub fn arrivals(probes: &[EngineProbe], config: &EngineConfig) -> Result<Schedule, EngineError> {
    let (spacing, sources) = match config.mode {
        Loop::Open(spacing) => (spacing, sources(probes)),
        Loop::Closed => (Spacing::Poisson, Vec::new()),
    };
    let profile = Arc::new(profile(probes, config)?);
    Ok(shaped(config.seed, spacing, &sources, profile))
}

pub(super) fn line(
    probes: &[EngineProbe],
    config: &EngineConfig,
    recorder: Staged,
) -> Result<Queue, EngineError> {
    if config.concurrency == 0 {
        return Err(EngineError::NoConnections);
    }
    if !probes.iter().any(is_driven) {
        return Err(EngineError::NothingToRun);
    }
    let plan = match config.mode {
        Loop::Open(_) => Plan::Open(arrivals(probes, config)?),
        Loop::Closed => Plan::Closed(Mix::new(config.seed, &sources(probes))),
    };
    let warm = in_nanos(config.warmup);
    let bounds = Bounds {
        warm,
        end: measured(config).map_or(u64::MAX, |time| warm.saturating_add(in_nanos(time))),
        wait_timeout: config.wait_timeout.map(in_nanos),
    };
    Ok(Queue::new(plan, bounds, recorder))
}
