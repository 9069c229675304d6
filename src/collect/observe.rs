//! One period of a server, watched in small steps: what `report performance` is made from.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::collector::compare;
use super::detail;
use super::digests::{DigestPoll, condition};
use super::facts;
use super::fast::FastPoll;
use super::once::OnceError;
use crate::config::settings::{Monitor, Server};
use crate::model::digest::{DigestDelta, DigestInterval, DigestKey};
use crate::model::interval::Interval;
use crate::model::latency::BucketCounts;
use crate::model::performance::{DigestLatency, Performance, Point, Wait};
use crate::model::sample::Sample;
use crate::model::units::from_picoseconds;
use crate::server::capability::{self, Capabilities};
use crate::server::cells::Cells as _;
use crate::server::crew::Crew;
use crate::server::guard;
use crate::server::{Connection, Error};

/// Steps of a period at most; a longer one is watched in longer steps.
const MOST_POINTS: u32 = 1_200;

/// The heaviest statements are chosen after one part in so many of the period.
const CHOICE: u32 = 10;

/// Kinds of waits read at most.
const MOST_WAITS: usize = 2_000;

/// Notes kept at most.
const MOST_NOTES: usize = 20;

/// What to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// How long.
    pub duration: Duration,
    /// Between two polls.
    pub interval: Duration,
    /// Statements whose latencies are read.
    pub histograms: usize,
}

/// Watches a server for a period, or until `stop`; what was seen by then is a shorter period.
/// `tell` hears how much of it has passed.
///
/// # Errors
/// When the connection or a statement fails, the counting is broken within the period, or no step
/// of it has ended.
pub async fn observe(
    server: &Server,
    monitor: &Monitor,
    period: Period,
    stop: &CancellationToken,
    tell: &mut (dyn FnMut(Duration) + Send),
) -> Result<Performance, OnceError> {
    let crew = Crew::default();
    let mut connection = guard::open_with(server, monitor, Arc::clone(&crew.meter)).await?;
    crew.join(&connection);
    FastPoll::prepare(&mut connection).await?;
    let capabilities = capability::probe(&mut connection, server.socket.is_some()).await?;
    let mut watch = Watch {
        fast: FastPoll::new(&capabilities, Instant::now()),
        digests: DigestPoll::new(&capabilities),
        capabilities: &capabilities,
        crew: &crew,
        connection: &mut connection,
        seen: None,
        notes: Vec::new(),
    };
    let seen = watch.period(server, period, stop, tell).await?;
    connection.close().await;
    Ok(seen)
}

struct Watch<'a> {
    fast: FastPoll,
    digests: Option<DigestPoll>,
    capabilities: &'a Capabilities,
    crew: &'a Crew,
    connection: &'a mut Connection,
    /// The digests of the period so far.
    seen: Option<DigestInterval>,
    notes: Vec<String>,
}

/// Latencies of one statement when the counting began.
struct Baseline {
    key: DigestKey,
    at: Instant,
    latency: BucketCounts,
}

impl Watch<'_> {
    async fn period(
        &mut self,
        server: &Server,
        period: Period,
        stop: &CancellationToken,
        tell: &mut (dyn FnMut(Duration) + Send),
    ) -> Result<Performance, OnceError> {
        let waits = self.waits().await?;
        if let Some(digests) = &mut self.digests {
            digests.baseline(self.connection).await?;
        }
        let first = self.fast.poll(self.connection, self.crew).await?;
        let begun = Instant::now();
        let every = period.interval.max(period.duration / MOST_POINTS);
        let mut ticks = tokio::time::interval_at(begun + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut steps = Steps::new(first);
        let mut baselines = None;
        let choice = begun + period.duration / CHOICE;
        let end = begun + period.duration;
        loop {
            let is_over = tokio::select! {
                biased;
                () = stop.cancelled() => true,
                () = tokio::time::sleep_until(end) => true,
                _ = ticks.tick() => false,
            };
            let sample = self.fast.poll(self.connection, self.crew).await?;
            steps.take(sample)?;
            if is_over {
                break;
            }
            if baselines.is_none() && Instant::now() >= choice {
                baselines = Some(self.choose(period.histograms).await?);
            }
            tell(begun.elapsed());
        }
        self.poll_digests().await?;
        let histograms = self.histograms(baselines.unwrap_or_default()).await?;
        let waits = match waits {
            Some(before) => self.waits().await?.map(|now| grown(&before, now)),
            None => None,
        };
        let usage = self.digests.as_ref().map(DigestPoll::usage);
        let (from, points, answered) = (steps.first.at, steps.points.clone(), steps.answered);
        let interval = steps.whole()?;
        let due = interval.window.as_nanos() / every.as_nanos().max(1);
        Ok(Performance {
            facts: facts::facts(server, self.capabilities, usage.as_ref()),
            from,
            interval,
            points,
            polls: (
                answered,
                u64::try_from(due).unwrap_or(u64::MAX).max(answered),
            ),
            digests: self.seen.take(),
            histograms,
            waits,
            notes: std::mem::take(&mut self.notes),
        })
    }

    async fn poll_digests(&mut self) -> Result<(), OnceError> {
        let Some(digests) = &mut self.digests else {
            return Ok(());
        };
        let fast = &self.fast;
        let polled = digests
            .poll(self.connection, |key| fast.is_own(key))
            .await?;
        self.seen = Some(match self.seen.take() {
            Some(before) => joined(before, polled),
            None => polled,
        });
        Ok(())
    }

    /// The statements with the most time so far, and their latencies as they are now.
    async fn choose(&mut self, most: usize) -> Result<Vec<Baseline>, OnceError> {
        self.poll_digests().await?;
        let keys: Vec<DigestKey> = self
            .seen
            .iter()
            .flat_map(|seen| &seen.digests)
            .take(most)
            .map(|delta| delta.key.clone())
            .collect();
        let mut baselines = Vec::new();
        for key in keys {
            if let Some(latency) = self.latency(&key).await? {
                let at = Instant::now();
                baselines.push(Baseline { key, at, latency });
            }
        }
        Ok(baselines)
    }

    async fn histograms(
        &mut self,
        baselines: Vec<Baseline>,
    ) -> Result<Vec<DigestLatency>, OnceError> {
        let mut histograms = Vec::new();
        for baseline in baselines {
            let Some(now) = self.latency(&baseline.key).await? else {
                continue;
            };
            let window = baseline.at.elapsed();
            let before = if baseline.latency.counts.is_empty() {
                BucketCounts {
                    counts: vec![0; now.counts.len()],
                    upper_ps: now.upper_ps.clone(),
                }
            } else {
                baseline.latency
            };
            // Counts that fell were truncated by somebody; there is no difference then.
            if let Some(latency) = now.since(&before).filter(|latency| latency.total() > 0) {
                histograms.push(DigestLatency {
                    key: baseline.key,
                    window,
                    latency,
                });
            }
        }
        Ok(histograms)
    }

    async fn latency(&mut self, key: &DigestKey) -> Result<Option<BucketCounts>, OnceError> {
        let Some(condition) = condition(key) else {
            return Ok(None);
        };
        let read = detail::latency(self.connection, self.capabilities, &condition).await;
        self.noted(read, "latencies of single statements")
    }

    /// Every kind of wait since the server started; idle time is none.
    async fn waits(&mut self) -> Result<Option<Vec<Wait>>, OnceError> {
        if !self.capabilities.has_performance_schema() {
            return Ok(None);
        }
        let sql = format!(
            "SELECT /* mydex:waits */ EVENT_NAME, COUNT_STAR, SUM_TIMER_WAIT \
             FROM performance_schema.events_waits_summary_global_by_event_name \
             WHERE COUNT_STAR > 0 AND EVENT_NAME <> 'idle' LIMIT {MOST_WAITS}"
        );
        let mut waits = Vec::new();
        let read = self
            .connection
            .each("the waits", &sql, |row| {
                if let (Some(event), Some(count), Some(time)) =
                    (row.text(0), row.u64(1), row.u64(2))
                {
                    waits.push(Wait {
                        event,
                        count,
                        time: from_picoseconds(time),
                    });
                }
            })
            .await
            .map(|_| ());
        let read = self.noted(read, "waits")?;
        Ok(read.map(|()| waits))
    }

    /// The value, or a note where the connection is still of use.
    fn noted<T>(&mut self, read: Result<T, Error>, what: &str) -> Result<Option<T>, OnceError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(error) => {
                let note = format!("no {what}: {error}");
                if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
                    self.notes.push(note);
                }
                Ok(None)
            }
        }
    }
}

/// The steps so far, and what the whole period needs of them.
struct Steps {
    first: Sample,
    last: Sample,
    points: Vec<Point>,
    own_statements: u64,
    own_selects: u64,
    own_timers_ps: Vec<u64>,
    answered: u64,
}

impl Steps {
    fn new(first: Sample) -> Self {
        Self {
            last: first.clone(),
            first,
            points: Vec::new(),
            own_statements: 0,
            own_selects: 0,
            own_timers_ps: Vec::new(),
            answered: 0,
        }
    }

    fn take(&mut self, sample: Sample) -> Result<(), OnceError> {
        let interval = compare(&self.last, &sample).map_err(OnceError::Broken)?;
        self.points.push(Point::of(&interval));
        self.answered += 1;
        // Each sample tells what mydex did since the one before; the period needs all of it.
        self.own_statements += sample.own_statements;
        self.own_selects += sample.own_selects;
        self.own_timers_ps.extend_from_slice(&sample.own_timers_ps);
        self.last = sample;
        Ok(())
    }

    /// The whole period as one interval.
    fn whole(self) -> Result<Interval, OnceError> {
        let last = Sample {
            own_statements: self.own_statements,
            own_selects: self.own_selects,
            own_timers_ps: self.own_timers_ps,
            ..self.last
        };
        compare(&self.first, &last).map_err(OnceError::Broken)
    }
}

/// Two intervals of digests, one right behind the other, as one.
fn joined(before: DigestInterval, after: DigestInterval) -> DigestInterval {
    let mut all: HashMap<DigestKey, DigestDelta> = before
        .digests
        .into_iter()
        .map(|delta| (delta.key.clone(), delta))
        .collect();
    for delta in after.digests {
        match all.get_mut(&delta.key) {
            Some(known) => {
                known.counters = known.counters.plus(&delta.counters);
                known.is_new |= delta.is_new;
                known.text = delta.text.or_else(|| known.text.take());
                known.trend = delta.trend;
            }
            None => {
                all.insert(delta.key.clone(), delta);
            }
        }
    }
    let mut digests: Vec<DigestDelta> = all.into_values().collect();
    digests.sort_by(|a, b| {
        let time = |delta: &DigestDelta| delta.counters.time_ps;
        time(b).cmp(&time(a)).then_with(|| a.key.cmp(&b.key))
    });
    DigestInterval {
        window: before.window + after.window,
        total: before.total.plus(&after.total),
        lost: match (before.lost, after.lost) {
            (Some(a), Some(b)) => Some(a.plus(&b)),
            (a, b) => a.or(b),
        },
        gap: before.gap.or(after.gap),
        digests,
        ..after
    }
}

/// What each kind of wait grew by, the longest first.
fn grown(before: &[Wait], now: Vec<Wait>) -> Vec<Wait> {
    let then: HashMap<&str, &Wait> = before
        .iter()
        .map(|wait| (wait.event.as_str(), wait))
        .collect();
    let mut waits: Vec<Wait> = now
        .into_iter()
        .map(|wait| match then.get(wait.event.as_str()) {
            Some(then) => Wait {
                count: wait.count.saturating_sub(then.count),
                time: wait.time.saturating_sub(then.time),
                event: wait.event,
            },
            None => wait,
        })
        .filter(|wait| wait.count > 0)
        .collect();
    waits.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.event.cmp(&b.event)));
    waits
}
