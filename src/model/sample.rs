//! One reading of the server: everything the fast poll brings.

use std::time::Duration;

use jiff::Timestamp;

use super::latency::BucketCounts;
use super::session::Session;
use super::status::Status;

/// What reading cost, so far or in an interval; own statements are left out of all other figures.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SelfCost {
    /// Statements that mydex sent.
    pub statements: u64,
    /// Time the server spent on them, by its own clock where it tells, else the round trips.
    pub server_time: Duration,
    /// Processor time on the server, where the consumer `events_statements_cpu` is on.
    pub server_cpu: Option<Duration>,
    /// Rows received.
    pub rows: u64,
    /// Bytes received, counted as the length of the values.
    pub bytes: u64,
}

impl SelfCost {
    /// Field by field sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            statements: self.statements + other.statements,
            server_time: self.server_time + other.server_time,
            server_cpu: match (self.server_cpu, other.server_cpu) {
                (Some(a), Some(b)) => Some(a + b),
                (a, b) => a.or(b),
            },
            rows: self.rows + other.rows,
            bytes: self.bytes + other.bytes,
        }
    }

    /// What was added since `earlier`, never negative.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            statements: self.statements.saturating_sub(earlier.statements),
            server_time: self.server_time.saturating_sub(earlier.server_time),
            server_cpu: match (self.server_cpu, earlier.server_cpu) {
                (Some(now), then) => Some(now.saturating_sub(then.unwrap_or_default())),
                (None, _) => None,
            },
            rows: self.rows.saturating_sub(earlier.rows),
            bytes: self.bytes.saturating_sub(earlier.bytes),
        }
    }

    /// Share of one core over `window`: processor time where known, else time, which is an upper
    /// bound of it.
    #[must_use]
    pub fn share(&self, window: Duration) -> f64 {
        let busy = self.server_cpu.unwrap_or(self.server_time);
        busy.as_secs_f64() / window.as_secs_f64().max(f64::EPSILON)
    }
}

/// One reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Wall clock of this machine at the reading.
    pub at: Timestamp,
    /// Monotonic time since the collector started; intervals are measured with it.
    pub elapsed: Duration,
    /// Status counters and gauges.
    pub status: Status,
    /// Foreground sessions with their transactions, mydex's own left out; cut at
    /// [`Sample::MAX_SESSIONS`], the longest-running active ones first.
    pub sessions: Vec<Session>,
    /// All sessions the server has, mydex's own left out, before the cut.
    pub sessions_total: u64,
    /// Statement latency since the server's start; `None` where the server has no such table.
    pub latency: Option<BucketCounts>,
    /// Timers (picoseconds) of mydex's own statements since the sample before.
    pub own_timers_ps: Vec<u64>,
    /// Statements of mydex since the sample before, to take out of `Questions` and `Queries`.
    pub own_statements: u64,
    /// Those of them that the server counts in `Com_select`.
    pub own_selects: u64,
    /// Cost of reading since the collector started.
    pub cost: SelfCost,
    /// What could not be read at this poll, each with its reason; empty in the normal case.
    pub missing: Vec<String>,
}

impl Sample {
    /// Sessions kept of one reading.
    pub const MAX_SESSIONS: usize = 2_000;
}
