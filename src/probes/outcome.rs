//! What a run of the engine says at its end: figures, and what they allow to be concluded.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::operation::EngineProbe;
use super::recorder::{ErrorCode, Recorder};
use crate::model::probe::{LoadTick, PoolFigures, ProbeFigures, quantile};

/// Dispatch lateness above this share of the response, both at p99, means that the load generator
/// and not the server made the figures.
const CLIENT_LIMIT: f64 = 0.10;
/// A rate is sustained while no more than this share of the operations was left unsent.
const UNSENT_LIMIT: f64 = 0.01;
/// A pool is full from this utilization on.
const FULL: f64 = 0.90;

/// Where operations spent their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bottleneck {
    /// The load generator itself was late; the other figures are not to be trusted.
    Client,
    /// They waited for a connection longer than for the server, in a pool that was full.
    Pool,
    /// They waited for the server.
    Server,
}

/// Failures of one probe of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorCount {
    /// Name of the probe.
    pub probe: Arc<str>,
    /// Kind.
    pub code: ErrorCode,
    /// How many.
    pub count: u64,
}

/// A whole run, warm-up left out.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// When the load started, warm-up included.
    pub started: Timestamp,
    /// Figures over the measured time; counts conserve exactly.
    pub total: LoadTick,
    /// Operations followed one another as fast as answers came. Such a run hides stalls: while the
    /// server does not answer, nothing is scheduled that could wait.
    pub is_closed_loop: bool,
    /// Ended before its time.
    pub is_interrupted: bool,
    /// Failures by probe and kind.
    pub errors: Vec<ErrorCount>,
    /// Attempts to open a connection that failed during the run.
    pub connections_refused: u64,
    /// Why the latest of them failed.
    pub last_refusal: Option<String>,
    /// Latencies beyond what a histogram holds, recorded as its longest.
    pub overflow: u64,
    /// Windows that nobody took in time; they are in `total` all the same.
    pub ticks_dropped: u64,
}

impl RunReport {
    /// Whether the generator's own lateness is more than a tenth of the response at p99.
    #[must_use]
    pub fn is_client_limited(&self) -> bool {
        let Some(late) = quantile(&self.total.lateness, 0.99) else {
            return false;
        };
        let mut response = super::recorder::growing();
        for probe in &self.total.probes {
            super::recorder::merge(&mut response, &probe.response);
        }
        quantile(&response, 0.99)
            .is_some_and(|response| late.as_secs_f64() > CLIENT_LIMIT * response.as_secs_f64())
    }

    /// Whether the intended rate was kept up to the end; `None` in a closed loop, which has none.
    #[must_use]
    pub fn is_rate_sustained(&self) -> Option<bool> {
        if self.is_closed_loop {
            return None;
        }
        let counts = self.counts();
        // At the end each connection may leave one operation behind without being too slow.
        let allowed = (counts.scheduled as f64 * UNSENT_LIMIT).max(f64::from(self.total.pool.max));
        Some(counts.unsent as f64 <= allowed)
    }

    /// Where the time went.
    #[must_use]
    pub fn bottleneck(&self) -> Bottleneck {
        let pool = &self.total.pool;
        let waited = pool.wait.mean() * pool.wait.len() as f64;
        let used = pool.usage.mean() * pool.usage.len() as f64;
        if self.is_client_limited() {
            Bottleneck::Client
        } else if pool.utilization >= FULL && waited > used {
            Bottleneck::Pool
        } else {
            Bottleneck::Server
        }
    }

    /// The counts of all probes together.
    #[must_use]
    pub fn counts(&self) -> crate::model::probe::Counts {
        self.total
            .probes
            .iter()
            .fold(crate::model::probe::Counts::default(), |sum, probe| {
                sum.plus(probe.counts)
            })
    }

    /// Operations completed per second of measured time.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        let seconds = self.total.window.as_secs_f64();
        if seconds > 0.0 {
            self.counts().completed as f64 / seconds
        } else {
            0.0
        }
    }

    /// Probes that missed their objective: too slow at its quantile, or failing more often than
    /// the objective leaves room for.
    #[must_use]
    pub fn missed(&self) -> Vec<&ProbeFigures> {
        let missed = |probe: &&ProbeFigures| is_met(probe) == Some(false);
        self.total.probes.iter().filter(missed).collect()
    }
}

/// Whether a probe met its objective, failures included; `None` without an objective or without
/// operations. Failed operations have no latency and are not in the response histogram, so their
/// share is held against what the quantile leaves room for.
#[must_use]
pub fn is_met(probe: &ProbeFigures) -> Option<bool> {
    let slo = probe.slo?;
    let counts = probe.counts;
    if counts.scheduled == 0 {
        return None;
    }
    let failed = counts.failed as f64 / counts.scheduled as f64;
    let in_time = probe.slo_state().is_some_and(|(_, is_met)| is_met);
    Some(in_time && failed <= 1.0 - slo.quantile)
}

/// The window's recorder as the figures that are shown, and the errors in it.
#[must_use]
pub fn figures(probes: &[EngineProbe], recorder: Recorder) -> Vec<ProbeFigures> {
    probes
        .iter()
        .zip(recorder.probes)
        .map(|(probe, record)| ProbeFigures {
            name: Arc::clone(&probe.name),
            is_write: probe.is_write,
            counts: record.counts,
            response: record.response,
            service: record.service,
            rows: record.rows,
            slo: probe.slo,
            last_error: record.last_error,
        })
        .collect()
}

/// The errors of a recorder, the most frequent first.
#[must_use]
pub fn errors(probes: &[EngineProbe], recorder: &Recorder) -> Vec<ErrorCount> {
    let mut errors: Vec<_> = recorder
        .errors
        .iter()
        .filter_map(|((probe, code), count)| {
            Some(ErrorCount {
                probe: Arc::clone(&probes.get(*probe)?.name),
                code: *code,
                count: *count,
            })
        })
        .collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors
}

/// Levels of the pool over a window.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PoolLevels {
    /// Connections allowed.
    pub max: u32,
    /// Open at the end.
    pub open: u32,
    /// Lent at the end.
    pub used: u32,
    /// Waiting at the end.
    pub pending: u64,
    /// Most that waited.
    pub pending_max: u64,
    /// Mean of the waiting.
    pub pending_mean: f64,
    /// Mean of the lent.
    pub used_mean: f64,
}

/// The pool's figures; takes the histograms out of `recorder`.
pub fn pool_figures(levels: PoolLevels, recorder: &mut Recorder) -> PoolFigures {
    use std::mem::replace;

    use super::recorder::growing;
    PoolFigures {
        max: levels.max,
        used: levels.used,
        idle: levels.open.saturating_sub(levels.used),
        pending: levels.pending,
        pending_max: levels.pending_max,
        pending_mean: levels.pending_mean,
        timeouts: recorder.timeouts,
        created: recorder.created,
        closed: recorder.closed,
        acquired: recorder.usage.len(),
        utilization: (levels.used_mean / f64::from(levels.max.max(1))).clamp(0.0, 1.0),
        wait: replace(&mut recorder.wait, growing()),
        create: replace(&mut recorder.create, growing()),
        usage: replace(&mut recorder.usage, growing()),
    }
}

/// Nanoseconds as a duration.
#[must_use]
pub fn nanos(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}
