//! What a run of the engine says at its end: figures, and what they allow to be concluded.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::operation::EngineProbe;
use super::recorder::{ErrorCode, Recorder};
use crate::model::probe::{Counts, LoadTick, PoolFigures, ProbeFigures, Stage, quantile};

/// Dispatch lateness above this share of the response, both at p99, means that the load generator
/// and not the server made the figures.
const CLIENT_LIMIT: f64 = 0.10;
/// A worker thread that uses more than this share of a processor has no room for more operations.
const CPU_LIMIT: f64 = 0.90;
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

/// In which way the load generator was the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClientLimit {
    /// It handed operations out late: lateness and response, both at p99.
    Late(Duration, Duration),
    /// Its busiest worker thread used this share of a processor.
    Processor(f64),
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
    /// Each stage that had begun, by the intended start of its operations; empty for a run
    /// without stages.
    pub stages: Vec<StageReport>,
    /// Operations followed one another as fast as answers came. Such a run hides stalls: while the
    /// server does not answer, nothing is scheduled that could wait.
    pub is_closed_loop: bool,
    /// Mean think time of the users of a closed loop, if they think.
    pub think: Option<Duration>,
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

/// One stage of a run: the operations that were meant to start in it, whenever they ended.
#[derive(Debug, Clone)]
pub struct StageReport {
    /// What was asked for.
    pub stage: Stage,
    /// Its figures; counts conserve exactly. Connections that were opened and closed, and levels
    /// of the pool, are those of its time.
    pub total: LoadTick,
    /// Operations that waited for a connection when it began.
    pub waiting_before: u64,
    /// The same when it ended; 0 for the last stage, whose waiting operations are unsent.
    pub waiting_after: u64,
}

impl StageReport {
    /// Whether the rate was kept up: neither did the line grow, nor was an operation left unsent,
    /// by more than 1 % of the operations or one for each connection.
    #[must_use]
    pub fn is_rate_sustained(&self) -> bool {
        let grown = self.waiting_after.saturating_sub(self.waiting_before);
        is_within(&self.total, counts(&self.total).unsent.max(grown))
    }

    /// Operations a second that left the line for a connection while the stage lasted.
    #[must_use]
    pub fn handled_rate(&self) -> f64 {
        let seconds = self.total.window.as_secs_f64();
        let counts = counts(&self.total);
        let lost = if self.waiting_after == 0 {
            counts.unsent
        } else {
            self.total.pool.timeouts
        };
        let came = counts.scheduled + self.waiting_before;
        let handled = came.saturating_sub(self.waiting_after + lost);
        if seconds > 0.0 {
            handled as f64 / seconds
        } else {
            0.0
        }
    }

    /// Probes that missed their objective in it.
    #[must_use]
    pub fn missed(&self) -> Vec<&ProbeFigures> {
        missed(&self.total)
    }
}

/// The counts of all probes together.
#[must_use]
pub fn counts(tick: &LoadTick) -> Counts {
    let sum = |sum: Counts, probe: &ProbeFigures| sum.plus(probe.counts);
    tick.probes.iter().fold(Counts::default(), sum)
}

/// Probes that missed their objective: too slow at its quantile, or failing more often than the
/// objective leaves room for.
#[must_use]
pub fn missed(tick: &LoadTick) -> Vec<&ProbeFigures> {
    let missed = |probe: &&ProbeFigures| is_met(probe) == Some(false);
    tick.probes.iter().filter(missed).collect()
}

/// Whether the load generator was the limit: its own lateness is more than a tenth of the response
/// at p99, or a worker thread used nearly a whole processor.
#[must_use]
pub fn client_limit(tick: &LoadTick) -> Option<ClientLimit> {
    if tick.client_cpu > CPU_LIMIT {
        return Some(ClientLimit::Processor(tick.client_cpu));
    }
    let late = quantile(&tick.lateness, 0.99)?;
    let mut response = super::recorder::growing();
    for probe in &tick.probes {
        super::recorder::merge(&mut response, &probe.response);
    }
    let response = quantile(&response, 0.99)?;
    (late.as_secs_f64() > CLIENT_LIMIT * response.as_secs_f64())
        .then_some(ClientLimit::Late(late, response))
}

/// At the end each connection may leave one operation behind without being too slow.
fn is_within(tick: &LoadTick, left: u64) -> bool {
    let allowed = (counts(tick).scheduled as f64 * UNSENT_LIMIT).max(f64::from(tick.pool.max));
    left as f64 <= allowed
}

impl RunReport {
    /// Whether the load generator was the limit; see [`client_limit`].
    #[must_use]
    pub fn is_client_limited(&self) -> bool {
        client_limit(&self.total).is_some()
    }

    /// Whether the intended rate was kept up to the end, in every stage; `None` in a closed loop,
    /// which has none.
    #[must_use]
    pub fn is_rate_sustained(&self) -> Option<bool> {
        if self.is_closed_loop {
            return None;
        }
        let all = is_within(&self.total, self.counts().unsent);
        Some(all && self.stages.iter().all(StageReport::is_rate_sustained))
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
    pub fn counts(&self) -> Counts {
        counts(&self.total)
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

    /// Probes that missed their objective over the whole run.
    #[must_use]
    pub fn missed(&self) -> Vec<&ProbeFigures> {
        missed(&self.total)
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
