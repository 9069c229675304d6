//! Rates that are changed while the load runs.

use super::*;
use crate::model::probe::Counts;

/// Drives `probes` and sets the rates at these moments, milliseconds since the start.
async fn steer(
    fake: Fake,
    rates: &[f64],
    config: EngineConfig,
    wishes: &[(u64, &[f64])],
) -> (RunReport, Vec<Arc<LoadTick>>) {
    let probes: Vec<EngineProbe> = rates
        .iter()
        .zip(["a", "b", "c"])
        .map(|(rate, name)| probe(name, *rate))
        .collect();
    let (sender, mut receiver) = mpsc::channel(1_000);
    let steering = Steering::new(plan::rates(&probes, &config));
    let heard = steering.wishes();
    let wishes: Vec<(u64, Vec<f64>)> = wishes
        .iter()
        .map(|(at, rates)| (*at, rates.to_vec()))
        .collect();
    let start = Instant::now();
    let steered = tokio::spawn(async move {
        for (at, rates) in wishes {
            tokio::time::sleep_until(start + Duration::from_millis(at)).await;
            steering.set(&rates).unwrap();
        }
    });
    let stop = CancellationToken::new();
    let wires = (sender, heard);
    let report = drive(fake, probes.into(), config, wires, stop, Place::Here)
        .await
        .unwrap();
    steered.await.unwrap();
    let mut ticks = Vec::new();
    while let Ok(tick) = receiver.try_recv() {
        ticks.push(tick);
    }
    (report, ticks)
}

fn scheduled(ticks: &[Arc<LoadTick>], probe: usize, (from, to): (f64, f64)) -> f64 {
    let within = ticks.iter().filter(|tick| {
        let end = tick.elapsed.as_secs_f64();
        end > from + 1e-6 && end <= to + 0.01
    });
    within
        .map(|tick| tick.probes[probe].counts.scheduled as f64)
        .sum()
}

fn conserves(report: &RunReport, ticks: &[Arc<LoadTick>]) {
    for (number, probe) in report.total.probes.iter().enumerate() {
        let counts = probe.counts;
        assert_eq!(counts.in_flight(), 0, "{counts:?}");
        let sum = ticks
            .iter()
            .map(|tick| tick.probes[number].counts)
            .fold(Counts::default(), Counts::plus);
        assert_eq!(sum, counts);
    }
}

#[tokio::test(start_paused = true)]
async fn rates_change_at_their_moment_and_nothing_is_lost() {
    for spacing in [Spacing::Poisson, Spacing::Uniform] {
        let mut config = config(40, 16);
        config.mode = Loop::Open(spacing);
        let wishes: [(u64, &[f64]); 3] = [
            (10_000, &[400.0, 0.0]),
            (20_000, &[50.0, 300.0]),
            (30_000, &[100.0, 100.0]),
        ];
        let fake = Fake::new(Duration::from_millis(2));
        let (report, ticks) = steer(fake, &[100.0, 100.0], config, &wishes).await;
        conserves(&report, &ticks);
        for (span, expected) in [
            ((0.0, 10.0), [1_000.0_f64, 1_000.0]),
            ((10.0, 20.0), [4_000.0, 0.0]),
            ((20.0, 30.0), [500.0, 3_000.0]),
            ((30.0, 40.0), [1_000.0, 1_000.0]),
        ] {
            for (probe, expected) in expected.into_iter().enumerate() {
                let found = scheduled(&ticks, probe, span);
                let slack = if spacing == Spacing::Uniform {
                    2.0
                } else {
                    4.0 * expected.sqrt()
                };
                assert!(
                    (found - expected).abs() <= slack,
                    "{span:?} {probe} {found}"
                );
            }
        }
        // Nobody waited for what the change brought forward.
        let wait = quantile(&report.total.pool.wait, 0.999).unwrap();
        assert!(wait < Duration::from_millis(20), "{wait:?}");
        near(report.total.target_rate, 1_150.0 / 4.0, 0.01);
        assert_eq!(report.is_rate_sustained(), Some(true));
        // A window ends at each change.
        let changes: Vec<f64> = ticks
            .windows(2)
            .filter(|pair| pair[0].rates.now != pair[1].rates.now)
            .map(|pair| pair[0].elapsed.as_secs_f64())
            .collect();
        assert_eq!(changes.len(), 3);
        for (found, expected) in changes.iter().zip([10.0, 20.0, 30.0]) {
            assert!((found - expected).abs() < 0.01, "{found}");
        }
        assert!(ticks[5].rates.changed.is_none() && ticks[35].rates.changed.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_is_made_fast_at_once() {
    // All connections wait for operations that are minutes away.
    let fake = Fake::new(Duration::from_millis(1));
    let wishes: [(u64, &[f64]); 1] = [(5_000, &[200.0])];
    let (report, ticks) = steer(fake, &[0.01], config(10, 16), &wishes).await;
    conserves(&report, &ticks);
    near(scheduled(&ticks, 0, (5.0, 10.0)), 1_000.0, 0.12);
    assert!(response(&report, 0.99) < 0.02);
}

#[tokio::test(start_paused = true)]
async fn a_load_stops_and_goes_on() {
    let fake = Fake::new(Duration::from_millis(1));
    let wishes: [(u64, &[f64]); 2] = [(2_000, &[0.0, 0.0]), (60_000, &[0.0, 100.0])];
    let (report, ticks) = steer(fake, &[100.0, 0.0], config(70, 4), &wishes).await;
    conserves(&report, &ticks);
    assert!(scheduled(&ticks, 0, (2.01, 70.0)) < 1.0);
    near(scheduled(&ticks, 0, (0.0, 2.01)), 200.0, 0.25);
    near(scheduled(&ticks, 1, (60.0, 70.0)), 1_000.0, 0.12);
    assert!(scheduled(&ticks, 1, (0.0, 60.0)) < 1.0);
    assert!(response(&report, 0.99) < 0.02);
}

#[tokio::test(start_paused = true)]
async fn an_overload_that_is_taken_back_is_worked_off() {
    // 4 connections of 10 ms do 400/s. Five seconds at 1,000/s leave 3,000 waiting.
    let fake = Fake::new(Duration::from_millis(10));
    let wishes: [(u64, &[f64]); 2] = [(5_000, &[1_000.0]), (10_000, &[100.0])];
    let (report, ticks) = steer(fake, &[100.0], config(30, 4), &wishes).await;
    conserves(&report, &ticks);
    let waiting = |second: f64| {
        let tick = ticks
            .iter()
            .find(|tick| tick.elapsed.as_secs_f64() >= second - 0.01)
            .unwrap();
        tick.pool.pending
    };
    assert!(waiting(5.0) < 5);
    near(waiting(10.0) as f64, 3_000.0, 0.2);
    assert!(waiting(28.0) < 5, "{}", waiting(28.0));
    assert_eq!(report.counts().unsent, 0);
    // Whoever came last before the change waited for seven seconds or so.
    assert!(report.total.probes[0].response.max() > 6_000_000_000);
}

#[tokio::test(start_paused = true)]
async fn changes_go_on_during_stages_and_warm_up() {
    let mut config = config(1, 8);
    config.warmup = Duration::from_secs(2);
    let length = Duration::from_secs(10);
    config.stages = [(100.0, 100.0), (100.0, 300.0)]
        .map(|(from, to)| Stage { from, to, length })
        .to_vec();
    let fake = Fake::new(Duration::from_millis(1));
    let wishes: [(u64, &[f64]); 2] = [(1_000, &[200.0]), (12_000, &[50.0])];
    let (report, ticks) = steer(fake, &[100.0], config, &wishes).await;
    conserves(&report, &ticks);
    let counts: Vec<Counts> = report
        .stages
        .iter()
        .map(|stage| stage.total.probes[0].counts)
        .collect();
    near(counts[0].scheduled as f64, 2_000.0, 0.1);
    near(counts[1].scheduled as f64, 1_000.0, 0.15);
    near(report.stages[0].total.target_rate, 200.0, 0.01);
    near(report.stages[1].total.target_rate, 100.0, 0.01);
}

#[tokio::test(start_paused = true)]
async fn a_held_key_makes_no_windows_that_are_too_short() {
    let fake = Fake::new(Duration::from_millis(1));
    let rates: Vec<[f64; 1]> = (1..=200).map(|n| [f64::from(n)]).collect();
    let wishes: Vec<(u64, &[f64])> = (1_000..)
        .step_by(10)
        .zip(rates.iter().map(|r| &r[..]))
        .collect();
    let (report, ticks) = steer(fake, &[100.0], config(6, 4), &wishes).await;
    conserves(&report, &ticks);
    assert!(ticks.len() <= 16, "{}", ticks.len());
    assert_eq!(*ticks[ticks.len() - 1].rates.now, [200.0]);
}

#[test]
fn rates_are_bounded() {
    let steering = Steering::new([1.0, 2.0].into());
    let heard = steering.wishes();
    for rates in [&[1.0][..], &[], &[1.0, -1.0], &[f64::NAN, 1.0], &[6e5, 6e5]] {
        assert!(steering.set(rates).is_err(), "{rates:?}");
    }
    assert_eq!(steering.set(&[5e5, 5e5]), Ok(()));
    drop(heard);
    assert_eq!(steering.set(&[1.0, 1.0]), Err(RateError::Ended));
    assert!(Steering::new([].into()).set(&[]).is_err());
}
