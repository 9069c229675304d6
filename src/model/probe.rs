//! Figures of a driven load: per probe and of the connection pool.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use jiff::Timestamp;

/// A histogram of nanoseconds, 3 significant digits, 1 ns to [`MAX_LATENCY`].
pub type Latencies = Histogram<u64>;

/// Longest latency a histogram holds; longer ones are recorded as this and counted as overflow.
pub const MAX_LATENCY: Duration = Duration::from_hours(1);

/// An empty histogram in the one shape used everywhere.
#[must_use]
pub fn latencies() -> Latencies {
    let max = u64::try_from(MAX_LATENCY.as_nanos()).unwrap_or(u64::MAX);
    // The bounds are constants that the crate documents as valid.
    Histogram::new_with_bounds(1, max, 3).unwrap_or_else(|_| unreachable!("constant bounds"))
}

/// The duration at quantile `q` (0 to 1), `None` when nothing was recorded.
#[must_use]
pub fn quantile(histogram: &Latencies, q: f64) -> Option<Duration> {
    (!histogram.is_empty()).then(|| Duration::from_nanos(histogram.value_at_quantile(q)))
}

/// How operations ended. `scheduled = completed + failed + timed_out + unsent` always holds once
/// a run has ended; while it runs the difference is `in_flight`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations whose intended start has passed.
    pub scheduled: u64,
    /// Ended without an error.
    pub completed: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Given up after the operation timeout.
    pub timed_out: u64,
    /// Never sent: the run ended, or the queue was full, before a connection was free.
    pub unsent: u64,
    /// Retried after a deadlock or a lock wait timeout (not part of the sum).
    pub retries: u64,
}

impl Counts {
    /// Scheduled and not ended.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.scheduled
            .saturating_sub(self.completed + self.failed + self.timed_out + self.unsent)
    }

    /// Field by field sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            scheduled: self.scheduled + other.scheduled,
            completed: self.completed + other.completed,
            failed: self.failed + other.failed,
            timed_out: self.timed_out + other.timed_out,
            unsent: self.unsent + other.unsent,
            retries: self.retries + other.retries,
        }
    }
}

/// A part of a run with a rate of its own: held, or moving evenly from one to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Operations per second of all probes together at its beginning.
    pub from: f64,
    /// The same at its end.
    pub to: f64,
    /// Its length.
    pub length: Duration,
}

impl Stage {
    /// Mean rate, operations per second.
    #[must_use]
    pub fn mean_rate(&self) -> f64 {
        f64::midpoint(self.from, self.to)
    }

    /// Whether the rate moves.
    #[must_use]
    pub fn is_ramp(&self) -> bool {
        self.from.to_bits() != self.to.to_bits()
    }
}

/// One probe's figures over a window.
#[derive(Debug, Clone)]
pub struct ProbeFigures {
    /// Its name in the pack.
    pub name: Arc<str>,
    /// Whether it changes data.
    pub is_write: bool,
    /// How operations ended.
    pub counts: Counts,
    /// From the intended start to the last row: what a user waits. Unsent operations are in it,
    /// as waits that lasted at least until the end.
    pub response: Latencies,
    /// From sending to the last row: what the server and the wire take.
    pub service: Latencies,
    /// Rows returned or changed by completed operations.
    pub rows: u64,
    /// Latency objective on the response, if the pack or the configuration sets one.
    pub slo: Option<Slo>,
    /// Latest error, already without secrets.
    pub last_error: Option<String>,
}

/// A latency objective: `quantile` of the response stays under `limit`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slo {
    /// Between 0 and 1, such as 0.95.
    pub quantile: f64,
    /// The bound.
    pub limit: Duration,
}

impl ProbeFigures {
    /// The measured value of the objective and whether it is met; `None` without an objective or
    /// without data.
    #[must_use]
    pub fn slo_state(&self) -> Option<(Duration, bool)> {
        let slo = self.slo?;
        let measured = quantile(&self.response, slo.quantile)?;
        Some((measured, measured <= slo.limit))
    }
}

/// The pool over a window, under the names of the OpenTelemetry conventions
/// (`db.client.connection.*`); levels are at the end of the window.
#[derive(Debug, Clone)]
pub struct PoolFigures {
    /// Most connections allowed (`max`).
    pub max: u32,
    /// Lent out (`count{state=used}`).
    pub used: u32,
    /// Open and not lent (`count{state=idle}`).
    pub idle: u32,
    /// Requests waiting for a connection (`pending_requests`).
    pub pending: u64,
    /// Most that waited at one time in the window.
    pub pending_max: u64,
    /// Time-weighted mean of the waiting requests in the window.
    pub pending_mean: f64,
    /// Requests that gave up waiting (`timeouts`).
    pub timeouts: u64,
    /// Connections opened.
    pub created: u64,
    /// Connections closed, on purpose or broken.
    pub closed: u64,
    /// Connections lent.
    pub acquired: u64,
    /// Share of the capacity (`max` connections over the window) that was lent, 0 to 1.
    pub utilization: f64,
    /// Time from asking to having a permit (`wait_time`).
    pub wait: Latencies,
    /// Time to open a connection (`create_time`).
    pub create: Latencies,
    /// Time a connection was lent (`use_time`).
    pub usage: Latencies,
}

/// Highest rate of one probe, and of all together, operations per second.
pub const MAX_RATE: f64 = 1e6;

/// The rates at which a load is driven, operations per second of each probe in the order of the
/// load's. In a closed loop there are none.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadRates {
    /// Those in force at the end of the window.
    pub now: Arc<[f64]>,
    /// Those with which the load began.
    pub first: Arc<[f64]>,
    /// When they were changed last; a window never reaches over a change.
    pub changed: Option<Timestamp>,
}

/// The load over one window, and since it started.
#[derive(Debug, Clone)]
pub struct LoadTick {
    /// When the window ended.
    pub to: Timestamp,
    /// Its length.
    pub window: Duration,
    /// Time since the load started.
    pub elapsed: Duration,
    /// Intended rate of all probes, operations per second.
    pub target_rate: f64,
    /// The same of each probe, and how it came about.
    pub rates: LoadRates,
    /// Each probe in this window.
    pub probes: Vec<ProbeFigures>,
    /// The pool in this window.
    pub pool: PoolFigures,
    /// How late operations were handed out, against their intended start: the generator's own
    /// lateness, not the server's.
    pub lateness: Latencies,
    /// Share of a processor that the busiest worker thread of the generator used; 0 where the
    /// system does not tell.
    pub client_cpu: f64,
    /// Names of the workload pack and its target, for headings.
    pub label: Arc<str>,
}
