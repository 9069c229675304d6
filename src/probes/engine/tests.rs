//! The engine against a server of which every answer is known, under a paused clock.

mod rates;
mod steered;

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::model::probe::{Slo, quantile};
use crate::probes::operation::{Done, Failure};
use crate::probes::outcome::Bottleneck;
use crate::probes::pool::Session;
use crate::probes::recorder::ErrorCode;

/// Answers after `service`, but not between the two moments of `stall`.
#[derive(Debug, Clone)]
struct Fake {
    start: Instant,
    service: Duration,
    stall: Option<(Duration, Duration)>,
    fail_every: Option<u64>,
    opened: Arc<AtomicU64>,
}

impl Fake {
    fn new(service: Duration) -> Self {
        Self {
            start: Instant::now(),
            service,
            stall: None,
            fail_every: None,
            opened: Arc::default(),
        }
    }
}

impl Connector for Fake {
    type Session = Fake;

    async fn connect(&self) -> Result<Fake, sqlx::Error> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(self.clone())
    }
}

impl Session for Fake {
    async fn run(&mut self, _probe: usize, number: u64) -> Done {
        if let Some((from, to)) = self.stall {
            let elapsed = self.start.elapsed();
            if elapsed >= from && elapsed < to {
                tokio::time::sleep(to.saturating_sub(elapsed)).await;
            }
        }
        tokio::time::sleep(self.service).await;
        let is_failing = self.fail_every.is_some_and(|n| number.is_multiple_of(n));
        Done {
            retries: 0,
            result: if is_failing {
                Err(Failure {
                    code: ErrorCode::Server(1064),
                    text: "syntax".to_owned(),
                    is_broken: number.is_multiple_of(2),
                })
            } else {
                Ok(2)
            },
        }
    }

    async fn close(self) {}
}

fn probe(name: &str, rate: f64) -> EngineProbe {
    EngineProbe {
        name: name.into(),
        is_write: false,
        rate,
        slo: Some(Slo {
            quantile: 0.95,
            limit: Duration::from_millis(100),
        }),
        timeout: None,
        transaction: false,
        statements: Vec::new(),
        values: Arc::new(|_, _| crate::probes::value::Value::Null),
    }
}

fn config(seconds: u64, concurrency: u32) -> EngineConfig {
    EngineConfig {
        duration: Some(Duration::from_secs(seconds)),
        concurrency,
        ..EngineConfig::default()
    }
}

async fn run(
    fake: Fake,
    probes: Vec<EngineProbe>,
    config: EngineConfig,
    stop_after: Option<Duration>,
) -> (RunReport, Vec<Arc<LoadTick>>) {
    let (sender, mut receiver) = mpsc::channel(1_000);
    let stop = CancellationToken::new();
    if let Some(after) = stop_after {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            stop.cancel();
        });
    }
    let wishes = Steering::new(plan::rates(&probes, &config)).wishes();
    let wires = (sender, wishes);
    let report = drive(fake, probes.into(), config, wires, stop, Place::Here)
        .await
        .unwrap();
    let mut ticks = Vec::new();
    while let Ok(tick) = receiver.try_recv() {
        ticks.push(tick);
    }
    (report, ticks)
}

fn response(report: &RunReport, q: f64) -> f64 {
    quantile(&report.total.probes[0].response, q)
        .unwrap()
        .as_secs_f64()
}

fn near(value: f64, expected: f64, share: f64) {
    assert!(
        (value - expected).abs() <= expected * share,
        "{value} is not within {share} of {expected}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_in_the_response_and_not_in_the_service() {
    // 2 s of 10 s at 500/s: one operation in five waits, for between 0 and 2 s.
    let mut fake = Fake::new(Duration::from_millis(1));
    fake.stall = Some((Duration::from_secs(4), Duration::from_secs(6)));
    let (report, ticks) = run(fake, vec![probe("a", 500.0)], config(10, 64), None).await;
    near(response(&report, 0.95), 1.50, 0.05);
    near(response(&report, 0.99), 1.90, 0.05);
    let service = quantile(&report.total.probes[0].service, 0.95).unwrap();
    assert!(service < Duration::from_millis(10), "{service:?}");
    assert_eq!(report.counts().in_flight(), 0);
    assert_eq!(ticks.len(), 10);
    assert_eq!(report.missed().len(), 1);
    assert_eq!(report.is_rate_sustained(), Some(true));
}

#[tokio::test(start_paused = true)]
async fn overload_conserves_counts_and_is_said() {
    // 4 connections of 10 ms do 400/s; 1,200/s are asked for.
    let fake = Fake::new(Duration::from_millis(10));
    let probes = vec![probe("a", 900.0), probe("b", 300.0)];
    let (report, ticks) = run(fake, probes, config(20, 4), None).await;
    let counts = report.counts();
    assert_eq!(counts.in_flight(), 0);
    assert_eq!(
        counts.scheduled,
        counts.completed + counts.failed + counts.timed_out + counts.unsent
    );
    near(counts.scheduled as f64, 24_000.0, 0.03);
    near(counts.unsent as f64, 16_000.0, 0.15);
    assert_eq!(report.is_rate_sustained(), Some(false));
    assert_eq!(report.bottleneck(), Bottleneck::Pool);
    for probe in &report.total.probes {
        let counts = probe.counts;
        assert_eq!(
            probe.response.len(),
            counts.completed + counts.timed_out + counts.unsent
        );
    }
    let summed: u64 = ticks
        .iter()
        .flat_map(|tick| &tick.probes)
        .map(|probe| probe.counts.completed)
        .sum();
    assert_eq!(summed, counts.completed);
    // Little's law, over the run: mean pending = arrival rate x mean wait.
    let pool = &report.total.pool;
    let expected = counts.scheduled as f64 / 20.0 * pool.wait.mean() / 1e9;
    near(pool.pending_mean, expected, 0.05);
    assert!(pool.utilization > 0.97, "{}", pool.utilization);
}

#[tokio::test(start_paused = true)]
async fn timeouts_replace_the_connection() {
    let mut fake = Fake::new(Duration::from_millis(1));
    fake.stall = Some((Duration::from_secs(1), Duration::from_mins(1)));
    let opened = Arc::clone(&fake.opened);
    let mut config = config(3, 2);
    config.operation_timeout = Duration::from_millis(500);
    let (report, _) = run(fake, vec![probe("a", 10.0)], config, None).await;
    let counts = report.counts();
    assert_eq!(counts.in_flight(), 0);
    assert!(counts.timed_out >= 4, "{counts:?}");
    assert_eq!(report.total.pool.closed, counts.timed_out);
    assert!(opened.load(Ordering::Relaxed) >= 2 + counts.timed_out - 2);
    let longest = Duration::from_nanos(report.total.probes[0].service.max());
    near(longest.as_secs_f64(), 0.5, 0.02);
}

#[tokio::test(start_paused = true)]
async fn failures_are_counted_by_code_and_miss_the_objective() {
    let mut fake = Fake::new(Duration::from_millis(1));
    fake.fail_every = Some(5);
    let (report, _) = run(fake, vec![probe("a", 100.0)], config(10, 8), None).await;
    let counts = report.counts();
    near(counts.failed as f64, counts.scheduled as f64 / 5.0, 0.02);
    assert_eq!(report.errors.len(), 1);
    assert_eq!(report.errors[0].code, ErrorCode::Server(1064));
    assert_eq!(report.errors[0].count, counts.failed);
    // Every answer came in 2 ms, but one in five was an error.
    assert_eq!(report.missed().len(), 1);
    assert_eq!(
        report.total.probes[0].rows,
        2 * report.total.probes[0].counts.completed
    );
}

#[tokio::test(start_paused = true)]
async fn a_stopped_run_conserves_counts_without_waiting_for_the_server() {
    let mut fake = Fake::new(Duration::from_millis(1));
    fake.stall = Some((Duration::from_secs(2), Duration::from_hours(1)));
    let begin = Instant::now();
    let stop = Some(Duration::from_millis(4_500));
    let (report, _) = run(fake, vec![probe("a", 200.0)], config(60, 4), stop).await;
    assert!(
        begin.elapsed() < Duration::from_secs(8),
        "{:?}",
        begin.elapsed()
    );
    let counts = report.counts();
    assert!(report.is_interrupted);
    assert_eq!(counts.in_flight(), 0);
    assert_eq!(counts.timed_out, 4);
    near(counts.scheduled as f64, 900.0, 0.1);
    near(report.total.window.as_secs_f64(), 4.5, 0.01);
}

#[tokio::test(start_paused = true)]
async fn warm_up_is_left_out() {
    let fake = Fake::new(Duration::from_millis(1));
    let mut config = config(5, 4);
    config.warmup = Duration::from_secs(5);
    let (report, ticks) = run(fake, vec![probe("a", 100.0)], config, None).await;
    near(report.counts().scheduled as f64, 500.0, 0.15);
    assert_eq!(ticks.len(), 5);
    near(report.total.window.as_secs_f64(), 5.0, 0.001);
    assert_eq!(report.total.pool.created, 4);
}

#[tokio::test(start_paused = true)]
async fn closed_loop_has_no_rate_to_sustain() {
    let fake = Fake::new(Duration::from_millis(10));
    let mut config = config(5, 4);
    config.mode = Loop::Closed;
    let (report, _) = run(fake, vec![probe("a", 1.0)], config, None).await;
    assert_eq!(report.is_rate_sustained(), None);
    // 4 connections of 10 ms for 5 s; the runtime's timers round up to the next millisecond.
    near(report.counts().completed as f64, 2_000.0, 0.11);
    assert_eq!(report.counts().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_to_run_is_an_error() {
    let (sender, _receiver) = mpsc::channel(1);
    let result = drive(
        Fake::new(Duration::ZERO),
        vec![probe("a", 0.0)].into(),
        config(1, 1),
        (sender, Steering::new([].into()).wishes()),
        CancellationToken::new(),
        Place::Here,
    )
    .await;
    assert!(matches!(result, Err(EngineError::NothingToRun)));
}
