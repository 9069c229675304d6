//! What happened between two readings.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::latency::{BucketCounts, Quantiles};
use super::sample::{Sample, SelfCost};
use super::session::Session;
use super::status::{Kind, Status, Var};

/// Why two readings cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discontinuity {
    /// `Uptime` fell: the server restarted between the readings.
    Restarted {
        /// How long the server has been up again.
        uptime: Duration,
    },
    /// Counters fell while `Uptime` grew: someone ran `FLUSH STATUS`.
    Flushed,
    /// No time passed between the readings.
    Empty,
}

/// Differences and levels over one interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// When it ended.
    pub to: Timestamp,
    /// Its length by the monotonic clock.
    pub window: Duration,
    /// Status at the start and at the end.
    status: (Status, Status),
    own_statements: u64,
    own_selects: u64,
    /// Statement latency in this interval, mydex's own statements left out.
    pub latency: Option<BucketCounts>,
    /// Sessions at the end.
    pub sessions: Arc<[Session]>,
    /// Number of sessions before the cut.
    pub sessions_total: u64,
    /// What reading cost in this interval.
    pub cost: SelfCost,
    /// What could not be read, each with its reason.
    pub missing: Vec<String>,
}

impl Interval {
    /// Compares two readings.
    pub fn between(from: &Sample, to: &Sample) -> Result<Interval, Discontinuity> {
        let window = to.elapsed.saturating_sub(from.elapsed);
        if window.is_zero() {
            return Err(Discontinuity::Empty);
        }
        if let (Some(then), Some(now)) = (from.status.get(Var::Uptime), to.status.get(Var::Uptime))
            && now < then
        {
            return Err(Discontinuity::Restarted {
                uptime: Duration::from_secs(now),
            });
        }
        let fell = |var: Var| matches!((from.status.get(var), to.status.get(var)), (Some(a), Some(b)) if b < a);
        if [Var::Queries, Var::Questions, Var::BytesSent]
            .into_iter()
            .any(fell)
        {
            return Err(Discontinuity::Flushed);
        }
        let latency = match (&from.latency, &to.latency) {
            (Some(then), Some(now)) => now.since(then).map(|mut delta| {
                to.own_timers_ps.iter().for_each(|ps| delta.remove(*ps));
                delta
            }),
            _ => None,
        };
        Ok(Interval {
            to: to.at,
            window,
            status: (from.status.clone(), to.status.clone()),
            own_statements: to.own_statements,
            own_selects: to.own_selects,
            latency,
            sessions: to.sessions.clone().into(),
            sessions_total: to.sessions_total,
            cost: to.cost.since(from.cost),
            missing: to.missing.clone(),
        })
    }

    /// Growth of a counter per second, mydex's own statements left out of `Queries`,
    /// `Questions` and `Com_select`; `None` where the server lacks it, it fell, or it is a gauge.
    #[must_use]
    pub fn rate(&self, var: Var) -> Option<f64> {
        Some(self.growth(var)? as f64 / self.window.as_secs_f64())
    }

    /// Growth of a counter over the interval.
    #[must_use]
    pub fn growth(&self, var: Var) -> Option<u64> {
        if var.kind() == Kind::Gauge {
            return None;
        }
        let delta = self
            .status
            .1
            .get(var)?
            .checked_sub(self.status.0.get(var)?)?;
        Some(match var {
            Var::Queries | Var::Questions => delta.saturating_sub(self.own_statements),
            Var::ComSelect => delta.saturating_sub(self.own_selects),
            _ => delta,
        })
    }

    /// The level of a gauge, or the cumulative value of a counter, at the end of the interval.
    #[must_use]
    pub fn level(&self, var: Var) -> Option<u64> {
        self.status.1.get(var)
    }

    /// Quantiles of statement latency, `None` when no statement ended or the server can't tell.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        self.latency.as_ref()?.quantiles()
    }

    /// Share of buffer pool read requests served from memory; `None` without requests.
    #[must_use]
    pub fn buffer_pool_hit_ratio(&self) -> Option<f64> {
        let requests = self
            .growth(Var::BufferPoolReadRequests)
            .filter(|n| *n > 0)?;
        let misses = self.growth(Var::BufferPoolReads)?;
        Some(1.0 - misses as f64 / requests.max(misses) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(elapsed: u64, pairs: &[(Var, u64)]) -> Sample {
        Sample {
            at: Timestamp::UNIX_EPOCH,
            elapsed: Duration::from_secs(elapsed),
            status: pairs.iter().copied().collect(),
            sessions: Vec::new(),
            sessions_total: 0,
            latency: None,
            own_timers_ps: Vec::new(),
            own_statements: 4,
            own_selects: 3,
            cost: SelfCost::default(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn rates_leave_own_statements_out() {
        let interval = Interval::between(
            &sample(0, &[(Var::Uptime, 100), (Var::Questions, 1_000)]),
            &sample(2, &[(Var::Uptime, 102), (Var::Questions, 1_024)]),
        )
        .unwrap();
        assert_eq!(interval.rate(Var::Questions), Some(10.0));
        assert_eq!(interval.rate(Var::ComSelect), None);
    }

    #[test]
    fn restart_and_flush_are_told_apart() {
        let before = sample(0, &[(Var::Uptime, 100), (Var::Questions, 1_000)]);
        let restarted = sample(9, &[(Var::Uptime, 3), (Var::Questions, 10)]);
        let flushed = sample(9, &[(Var::Uptime, 109), (Var::Questions, 10)]);
        assert_eq!(
            Interval::between(&before, &restarted),
            Err(Discontinuity::Restarted {
                uptime: Duration::from_secs(3)
            })
        );
        assert_eq!(
            Interval::between(&before, &flushed),
            Err(Discontinuity::Flushed)
        );
    }
}
