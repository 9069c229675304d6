//! Rates that change, users who think, and what is searched for with both.

use super::*;
use crate::model::probe::{Counts, Stage};
use crate::probes::outcome::counts;
use crate::probes::think::Think;

fn stage(from: f64, to: f64, seconds: u64) -> Stage {
    Stage {
        from,
        to,
        length: Duration::from_secs(seconds),
    }
}

#[tokio::test(start_paused = true)]
async fn each_stage_is_reported_on_its_own() {
    // 4 connections of 10 ms do 400/s. The second stage asks for 800/s and leaves 2,000 waiting,
    // which the third, at 100/s, works off.
    let fake = Fake::new(Duration::from_millis(10));
    let mut config = config(1, 4);
    config.warmup = Duration::from_secs(2);
    config.stages = vec![
        stage(100.0, 300.0, 10),
        stage(800.0, 800.0, 5),
        stage(100.0, 100.0, 15),
    ];
    let probes = vec![probe("a", 600.0), probe("b", 200.0)];
    let (report, ticks) = run(fake, probes, config, None).await;
    assert_eq!(report.stages.len(), 3);
    near(report.total.window.as_secs_f64(), 30.0, 0.001);
    let counts = report.stages.iter().map(|stage| counts(&stage.total));
    let sum = counts.clone().fold(Counts::default(), Counts::plus);
    assert_eq!(sum, report.counts());
    for (counts, expected) in counts.zip([2_000.0, 4_000.0, 1_500.0]) {
        assert_eq!(counts.in_flight(), 0);
        near(counts.scheduled as f64, expected, 0.08);
    }
    let [ramp, overload, rest] = &report.stages[..] else {
        panic!("three stages");
    };
    assert!(ramp.is_rate_sustained() && rest.is_rate_sustained());
    assert!(!overload.is_rate_sustained());
    assert_eq!(report.is_rate_sustained(), Some(false));
    near(overload.waiting_after as f64, 2_000.0, 0.15);
    assert_eq!(rest.waiting_before, overload.waiting_after);
    near(overload.handled_rate(), 400.0, 0.12);
    near(overload.total.target_rate, 800.0, 0.001);
    near(ramp.total.target_rate, 200.0, 0.001);
    assert_eq!((ramp.missed().len(), overload.missed().len()), (0, 2));
    near(overload.total.window.as_secs_f64(), 5.0, 0.01);
    let windows: f64 = ticks.iter().map(|tick| tick.window.as_secs_f64()).sum();
    near(windows, 30.0, 0.001);
}

#[tokio::test(start_paused = true)]
async fn a_run_stopped_in_a_stage_tells_of_those_that_began() {
    let fake = Fake::new(Duration::from_millis(1));
    let mut config = config(1, 4);
    config.stages = vec![
        stage(100.0, 100.0, 5),
        stage(200.0, 200.0, 5),
        stage(1.0, 1.0, 5),
    ];
    let stop = Some(Duration::from_secs(7));
    let (report, _) = run(fake, vec![probe("a", 1.0)], config, stop).await;
    assert!(report.is_interrupted);
    assert_eq!(report.stages.len(), 2);
    near(report.stages[1].total.window.as_secs_f64(), 2.0, 0.01);
    near(
        counts(&report.stages[1].total).scheduled as f64,
        400.0,
        0.15,
    );
}

#[tokio::test(start_paused = true)]
async fn think_times_bound_a_closed_loop() {
    // 10 users who think for 90 ms and wait for 10: 100/s.
    let fake = Fake::new(Duration::from_millis(10));
    for spacing in [Spacing::Poisson, Spacing::Uniform] {
        let mut config = config(20, 10);
        config.mode = Loop::Closed;
        config.think = Some(Think {
            mean: Duration::from_millis(90),
            spacing,
        });
        let (report, _) = run(fake.clone(), vec![probe("a", 1.0)], config, None).await;
        near(report.throughput(), 100.0, 0.05);
        let counts = report.counts();
        assert_eq!((counts.in_flight(), counts.unsent), (0, 0));
        near(report.total.pool.utilization, 0.1, 0.15);
        near(response(&report, 0.5), 0.011, 0.1);
    }
}

#[tokio::test(start_paused = true)]
async fn stages_that_are_none_are_refused() {
    let mut wrong = vec![
        vec![stage(-1.0, 5.0, 1)],
        vec![stage(1.0, f64::NAN, 1)],
        vec![stage(1.0, 1.0, 0)],
    ];
    wrong.push(vec![stage(1.0, 1.0, 1); 33]);
    for stages in wrong {
        let mut config = config(1, 1);
        config.stages = stages;
        let (sender, _receiver) = mpsc::channel(1);
        let fake = Fake::new(Duration::ZERO);
        let probes = vec![probe("a", 1.0)].into();
        let stop = CancellationToken::new();
        let wires = (sender, Steering::new([1.0].into()).wishes());
        let result = drive(fake, probes, config, wires, stop, Place::Here).await;
        assert!(matches!(result, Err(EngineError::Stages)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_search_finds_the_capacity_of_a_known_server() {
    use crate::probes::capacity::{self, Limit, Search, judge};
    // 4 connections of 10 ms (11 with the runtime's timers) do 364/s to 400/s.
    let bounds = capacity::Bounds {
        start: 50.0,
        max: 100_000.0,
        resolution: 0.05,
        steps: 30,
    };
    let mut search = Search::new(bounds);
    while let Some(step) = search.next() {
        let fake = Fake::new(Duration::from_millis(10));
        let (report, _) = run(fake, vec![probe("a", step.rate)], config(20, 4), None).await;
        search.record(step, &judge(&report));
    }
    let answer = search.answer();
    assert_eq!(answer.limit, Limit::Objective);
    assert!(answer.is_confirmed);
    let highest = answer.highest.unwrap();
    assert!((300.0..400.0).contains(&highest), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_recommended_pool_does_what_was_promised() {
    use crate::probes::sizing::{demands, smallest, waits};
    // 400/s of 20 ms (21 with the runtime's timers): 8.4 connections are busy.
    let probes = vec![probe("a", 300.0), probe("b", 100.0)];
    let target = Duration::from_millis(2);
    let small = config(60, 9);
    let (report, _) = run(
        Fake::new(Duration::from_millis(20)),
        probes.clone(),
        small.clone(),
        None,
    )
    .await;
    let use_times: Vec<_> = report
        .total
        .probes
        .iter()
        .map(|probe| &probe.service)
        .collect();
    let span = (0, 60_000_000_000);
    let demands = demands(arrivals(&probes, &small).unwrap(), span, &use_times, 1);
    assert_eq!(
        u64::try_from(demands.len()).unwrap(),
        report.counts().scheduled
    );
    let p95 = |waits: &crate::model::probe::Latencies| quantile(waits, 0.95).unwrap();
    // The model of the pool that ran agrees with what was measured.
    let modelled = p95(&waits(&demands, 9)).as_secs_f64();
    near(p95(&report.total.pool.wait).as_secs_f64(), modelled, 0.1);
    let size = smallest(&demands, 0.95, target, 1_000).unwrap();
    assert!((11..=20).contains(&size), "{size}");
    let (report, _) = run(
        Fake::new(Duration::from_millis(20)),
        probes,
        config(60, size),
        None,
    )
    .await;
    let after = p95(&report.total.pool.wait);
    assert!(
        after <= target + Duration::from_millis(1),
        "{after:?} with {size}"
    );
}
