//! The latest intervals as single figures, bounded, for sparklines, charts and heat maps.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::interval::Interval;
use crate::model::latency::BucketCounts;
use crate::model::probe::{Latencies, LoadTick, quantile};
use crate::model::status::Var;

/// Intervals kept: ten minutes at one a second.
pub(super) const CAPACITY: usize = 600;

/// Latency rows of a heat map.
pub(super) const BINS: usize = 24;

/// Bins for each factor of ten.
const BINS_PER_DECADE: f64 = 3.0;

/// Upper edge of the lowest bin.
const LOWEST_NS: f64 = 10_000.0;

macro_rules! metrics {
    ($($name:ident),* $(,)?) => {
        /// A figure that is kept for each interval.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Metric { $($name),* }
        impl Metric {
            const COUNT: usize = [$(Metric::$name),*].len();

            /// The value that fills a sparkline at least, so that next to nothing looks like it.
            pub(super) fn floor(self) -> f64 {
                match self {
                    // What is missing to a hit ratio of 1: one miss in a hundred.
                    Metric::HitRatio => 0.01,
                    Metric::PoolPending | Metric::Running | Metric::LockWaits | Metric::Slow => 1.0,
                    _ => 0.0,
                }
            }
        }
    };
}

metrics! {
    Queries, Reads, Writes, Commits, Rollbacks, P50, P95, P99, Running, Connected, HitRatio, RowsRead,
    TmpTables, TmpDisk, LockWaits, BytesIn, BytesOut, Slow, FullJoins, Fsyncs, Written,
    LoadRate, LoadP50, LoadP95, LoadP99, PoolWait, PoolUsed, PoolPending, Service,
}

/// One interval. Absent figures are NaN and drawn as gaps.
#[derive(Debug, Clone)]
struct Point {
    at: Timestamp,
    values: [f32; Metric::COUNT],
    heat: [u32; BINS],
}

/// A bounded ring of points.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    points: VecDeque<Point>,
}

impl History {
    /// The latest `n` values, oldest first; gaps are NaN.
    pub(super) fn series(&self, metric: Metric, n: usize) -> Vec<f64> {
        let skip = self.points.len().saturating_sub(n);
        self.points
            .iter()
            .skip(skip)
            .map(|point| f64::from(point.values[metric as usize]))
            .collect()
    }

    /// The latest `n` latency distributions, oldest first.
    pub(super) fn heat(&self, n: usize) -> impl Iterator<Item = &[u32; BINS]> {
        let skip = self.points.len().saturating_sub(n);
        self.points.iter().skip(skip).map(|point| &point.heat)
    }

    /// Time that the latest `n` intervals cover.
    pub(super) fn span(&self, n: usize) -> Duration {
        let first = self.points.len().saturating_sub(n);
        match (self.points.get(first), self.points.back()) {
            (Some(first), Some(last)) => elapsed(first.at, last.at),
            _ => Duration::ZERO,
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.points.len()
    }

    /// A break in the counting.
    pub(super) fn push_gap(&mut self, at: Timestamp) {
        self.push(Point {
            at,
            values: [f32::NAN; Metric::COUNT],
            heat: [0; BINS],
        });
    }

    pub(super) fn push_interval(&mut self, interval: &Interval) {
        let mut values = [f32::NAN; Metric::COUNT];
        let mut set = |metric: Metric, value: Option<f64>| {
            if let Some(value) = value {
                values[metric as usize] = narrow(value);
            }
        };
        let sum = |vars: &[Var]| {
            let rates: Vec<f64> = vars.iter().filter_map(|var| interval.rate(*var)).collect();
            (!rates.is_empty()).then(|| rates.iter().sum())
        };
        for (metric, vars) in RATES {
            set(*metric, sum(vars));
        }
        let gauge = |var| interval.level(var).map(|n| n as f64);
        set(Metric::Running, gauge(Var::ThreadsRunning));
        set(Metric::Connected, gauge(Var::ThreadsConnected));
        set(Metric::HitRatio, interval.buffer_pool_hit_ratio());
        if let Some(q) = interval.quantiles() {
            set(Metric::P50, Some(q.p50.as_secs_f64()));
            set(Metric::P95, Some(q.p95.as_secs_f64()));
            set(Metric::P99, Some(q.p99.as_secs_f64()));
        }
        let heat = interval.latency.as_ref().map_or([0; BINS], bins_of_buckets);
        self.push(Point {
            at: interval.to,
            values,
            heat,
        });
    }

    pub(super) fn push_load(&mut self, tick: &LoadTick) {
        let mut values = [f32::NAN; Metric::COUNT];
        let mut set = |metric: Metric, value: Option<f64>| {
            if let Some(value) = value {
                values[metric as usize] = narrow(value);
            }
        };
        let mut response = crate::model::probe::latencies();
        let mut service = crate::model::probe::latencies();
        let mut completed = 0;
        for probe in &tick.probes {
            // Every histogram has the one shape of `latencies()`, so that adding can't fail.
            let _ = response.add(&probe.response);
            let _ = service.add(&probe.service);
            completed += probe.counts.completed;
        }
        let at = |histogram, q| quantile(histogram, q).map(|d| d.as_secs_f64());
        let window = tick.window.as_secs_f64();
        set(
            Metric::LoadRate,
            (window > 0.0).then(|| completed as f64 / window),
        );
        set(Metric::LoadP50, at(&response, 0.50));
        set(Metric::LoadP95, at(&response, 0.95));
        set(Metric::LoadP99, at(&response, 0.99));
        set(Metric::Service, at(&service, 0.95));
        set(Metric::PoolWait, at(&tick.pool.wait, 0.95));
        set(Metric::PoolUsed, Some(f64::from(tick.pool.used)));
        set(Metric::PoolPending, Some(tick.pool.pending_mean));
        self.push(Point {
            at: tick.to,
            values,
            heat: bins_of_latencies(&response),
        });
    }

    fn push(&mut self, point: Point) {
        if self.points.len() == CAPACITY {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }
}

const RATES: &[(Metric, &[Var])] = &[
    (Metric::Queries, &[Var::Questions]),
    (Metric::Reads, &[Var::ComSelect]),
    (
        Metric::Writes,
        &[Var::RowsInserted, Var::RowsUpdated, Var::RowsDeleted],
    ),
    (Metric::Commits, &[Var::ComCommit]),
    (Metric::Rollbacks, &[Var::ComRollback]),
    (Metric::RowsRead, &[Var::RowsRead]),
    (Metric::TmpTables, &[Var::CreatedTmpTables]),
    (Metric::TmpDisk, &[Var::CreatedTmpDiskTables]),
    (Metric::LockWaits, &[Var::RowLockWaits]),
    (Metric::BytesIn, &[Var::BytesReceived]),
    (Metric::BytesOut, &[Var::BytesSent]),
    (Metric::Slow, &[Var::SlowQueries]),
    (Metric::FullJoins, &[Var::SelectFullJoin]),
    (Metric::Fsyncs, &[Var::DataFsyncs]),
    (Metric::Written, &[Var::DataWritten]),
];

#[allow(
    clippy::cast_possible_truncation,
    reason = "a chart needs the first three digits only"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// The bin of a latency: bin 0 up to 10 us, then three for each factor of ten, the last one open.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to the number of bins before"
)]
pub(super) fn bin(latency: Duration) -> usize {
    let ns = latency.as_nanos() as f64;
    if ns <= LOWEST_NS {
        return 0;
    }
    let position = ((ns / LOWEST_NS).log10() * BINS_PER_DECADE).ceil();
    position.clamp(0.0, (BINS - 1) as f64) as usize
}

/// Upper edge of a bin.
pub(super) fn bin_edge(bin: usize) -> Duration {
    let ns = LOWEST_NS * 10_f64.powf(bin as f64 / BINS_PER_DECADE);
    Duration::try_from_secs_f64(ns / 1e9).unwrap_or(Duration::MAX)
}

/// Statements of the server's buckets by bin.
pub(super) fn bins_of_buckets(buckets: &BucketCounts) -> [u32; BINS] {
    let mut bins = [0_u32; BINS];
    for (upper, count) in buckets.upper_ps.iter().zip(&buckets.counts) {
        if *count > 0 {
            let bin = bin(crate::model::units::from_picoseconds(*upper));
            bins[bin] = bins[bin].saturating_add(u32::try_from(*count).unwrap_or(u32::MAX));
        }
    }
    bins
}

/// Recorded latencies by bin.
pub(super) fn bins_of_latencies(latencies: &Latencies) -> [u32; BINS] {
    let mut bins = [0_u32; BINS];
    for value in latencies.iter_recorded() {
        let bin = bin(Duration::from_nanos(value.value_iterated_to()));
        let count = u32::try_from(value.count_at_value()).unwrap_or(u32::MAX);
        bins[bin] = bins[bin].saturating_add(count);
    }
    bins
}

/// Share of the time that the server answered, from the link's changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Availability {
    up: Duration,
    down: Duration,
    since: Option<(Timestamp, bool)>,
}

impl Availability {
    /// The state from `now` on.
    pub(super) fn mark(&mut self, now: Timestamp, is_up: bool) {
        if let Some((since, was_up)) = self.since {
            let span = elapsed(since, now);
            if was_up {
                self.up += span;
            } else {
                self.down += span;
            }
        }
        self.since = Some((now, is_up));
    }

    /// The share from the first contact until `now`.
    pub(super) fn share(&self, now: Timestamp) -> Option<f64> {
        let mut copy = self.clone();
        copy.mark(now, false);
        let all = (copy.up + copy.down).as_secs_f64();
        (all > 0.0).then(|| copy.up.as_secs_f64() / all)
    }
}

/// Time from one moment to a later one; zero where the clock went back.
pub(super) fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_cover_all_latencies() {
        assert_eq!(bin(Duration::ZERO), 0);
        assert_eq!(bin(Duration::from_micros(10)), 0);
        assert_eq!(bin(Duration::from_micros(11)), 1);
        assert_eq!(bin(Duration::from_millis(1)), 6);
        assert_eq!(bin(Duration::MAX), BINS - 1);
        assert_eq!(bin_edge(6), Duration::from_millis(1));
    }

    #[test]
    fn the_ring_is_bounded_and_keeps_the_latest() {
        let mut history = History::default();
        for _ in 0..CAPACITY + 5 {
            history.push_gap(Timestamp::UNIX_EPOCH);
        }
        assert_eq!(history.len(), CAPACITY);
        assert_eq!(history.series(Metric::Queries, 10).len(), 10);
        assert!(history.series(Metric::Queries, 10)[0].is_nan());
    }
}
