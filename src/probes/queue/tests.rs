//! Lines in front of servers of which every time is known.

use proptest::prelude::*;

use super::super::recorder::Recorder;
use super::super::schedule::{self, Spacing, schedule, stream_of};
use super::*;

fn staged(probes: usize) -> Staged {
    Staged::new(probes, [].into())
}

const SECOND: u64 = 1_000_000_000;

fn sources(rates: &[f64]) -> Vec<schedule::Source> {
    rates
        .iter()
        .zip(["a", "b", "c"])
        .map(|(rate, name)| schedule::Source {
            rate: *rate,
            stream: stream_of(name),
        })
        .collect()
}

fn queue(seed: u64, rates: &[f64], bounds: Bounds) -> Queue {
    let plan = Plan::Open(schedule(seed, Spacing::Poisson, &sources(rates)));
    Queue::new(plan, bounds, staged(rates.len()))
}

fn bounds(end: u64) -> Bounds {
    Bounds {
        warm: 0,
        end,
        wait_timeout: None,
    }
}

/// `servers` connections that take `service` for each operation; returns the recorder with the
/// waits of all operations, and the mean number of waiting ones.
fn simulate(queue: &mut Queue, servers: usize, service: u64, end: u64) -> (Recorder, f64) {
    let mut recorder = Recorder::new(queue.recorder.at(0).probes.len());
    let mut free = vec![0_u64; servers];
    loop {
        let server = (0..servers).min_by_key(|i| free[*i]).unwrap();
        let now = free[server];
        let (arrival, start, is_late) = match queue.take(now) {
            Next::Now(arrival) => (arrival, now, true),
            Next::At(arrival) => (arrival, arrival.at, false),
            Next::Idle | Next::End => break,
        };
        if !is_late {
            recorder.probes[arrival.source].counts.scheduled += 1;
        }
        record(&mut recorder.wait, start - arrival.at);
        free[server] = start + service;
        recorder.operation(Operation {
            probe: arrival.source,
            intended: arrival.at,
            sent: start,
            ended: start + service,
            retries: 0,
            ending: Ending::Completed { rows: 1 },
        });
    }
    queue.finish(end);
    let mut waiting = staged(recorder.probes.len());
    let mean = queue.window(end, &mut waiting).mean;
    recorder.merge(&waiting.sum());
    (recorder, mean)
}

#[test]
fn mean_pending_is_rate_times_mean_wait() {
    // Little's law, at 90 % load and at three times the capacity.
    for (rate, servers) in [(360.0, 4), (1_200.0, 4)] {
        let end = 60 * SECOND;
        let mut queue = queue(11, &[rate], bounds(end));
        let (recorder, mean) = simulate(&mut queue, servers, 10_000_000, end);
        let counts = recorder.counts();
        let expected = counts.scheduled as f64 / 60.0 * recorder.wait.mean() / 1e9;
        assert!(
            (mean - expected).abs() / expected < 0.05,
            "{mean} {expected}"
        );
        assert_eq!(counts.in_flight(), 0);
        assert_eq!(recorder.wait.len(), counts.scheduled);
    }
}

#[test]
fn overload_treats_probes_alike_and_conserves_counts() {
    let end = 10 * SECOND;
    let mut queue = queue(5, &[600.0, 300.0], bounds(end));
    let (recorder, _) = simulate(&mut queue, 1, 3_333_333, end);
    assert_eq!(recorder.counts().in_flight(), 0);
    let share = |i: usize| {
        let counts: crate::model::probe::Counts = recorder.probes[i].counts;
        counts.completed as f64 / counts.scheduled as f64
    };
    assert!((share(0) - 1.0 / 3.0).abs() < 0.05, "{}", share(0));
    assert!((share(1) - 1.0 / 3.0).abs() < 0.05, "{}", share(1));
}

#[test]
fn waits_are_given_up_after_their_timeout() {
    let mut bounds = bounds(10 * SECOND);
    bounds.wait_timeout = Some(SECOND);
    let mut queue = queue(5, &[100.0], bounds);
    queue.advance(5 * SECOND);
    let mut recorder = staged(1);
    let pending = queue.window(5 * SECOND, &mut recorder);
    let recorder = recorder.sum();
    assert!((80..130).contains(&pending.value), "{pending:?}");
    assert!(recorder.timeouts > 300);
    assert_eq!(recorder.counts().unsent, recorder.timeouts);
    let longest = recorder.probes[0].response.max();
    assert!((999_000_000..=1_001_000_000).contains(&longest));
}

#[test]
fn warm_up_is_run_and_not_counted() {
    let mut bounds = bounds(2 * SECOND);
    bounds.warm = SECOND;
    let mut queue = queue(5, &[100.0], bounds);
    queue.advance(SECOND - 1);
    assert_eq!(queue.recorder.at(0).counts().scheduled, 0);
    assert!(queue.pending.value() > 50);
    queue.finish(2 * SECOND);
    let counts = queue.recorder.at(0).counts();
    assert!((70..130).contains(&counts.scheduled), "{counts:?}");
    assert_eq!(counts.unsent, counts.scheduled);
}

#[test]
fn closed_line_never_waits() {
    let plan = Plan::Closed(Mix::new(1, &sources(&[1.0])));
    let mut queue = Queue::new(plan, bounds(SECOND), staged(1));
    assert!(matches!(queue.take(7), Next::Now(arrival) if arrival.at == 7));
    assert_eq!(queue.take(SECOND), Next::End);
    queue.finish(SECOND);
    assert_eq!(queue.recorder.at(0).counts().scheduled, 1);
    assert_eq!(queue.recorder.at(0).counts().unsent, 0);
}

proptest! {
    #[test]
    fn every_arrival_is_handed_out_once_and_in_order(
        seed: u64,
        steps in prop::collection::vec(0_u64..20_000_000, 1..300),
    ) {
        let end = SECOND;
        let mut queue = queue(seed, &[700.0, 300.0], bounds(end));
        let all: Vec<_> = schedule(seed, Spacing::Poisson, &sources(&[700.0, 300.0]))
            .take_while(|arrival| arrival.at < end)
            .collect();
        let mut now = 0;
        let mut taken = Vec::new();
        for step in steps {
            match queue.take(now) {
                Next::Now(arrival) => {
                    prop_assert!(arrival.at <= now);
                    taken.push(arrival);
                }
                Next::At(arrival) => {
                    prop_assert!(arrival.at > now);
                    taken.push(arrival);
                }
                Next::Idle | Next::End => break,
            }
            now += step;
        }
        prop_assert_eq!(&all[..taken.len()], &taken[..]);
    }

    #[test]
    fn changes_of_rates_lose_no_operation_and_double_none(
        seed: u64,
        uniform: bool,
        steps in prop::collection::vec((0_u64..20_000_000, 0_usize..8), 1..300),
    ) {
        let end = 4 * SECOND;
        let spacing = if uniform { Spacing::Uniform } else { Spacing::Poisson };
        let plan = Plan::Open(schedule(seed, spacing, &sources(&[700.0, 300.0, 0.0])));
        let mut queue = Queue::new(plan, bounds(end), staged(3));
        let mut now = 0;
        let mut run: Vec<Arrival> = Vec::new();
        let mut held: Vec<(u64, Arrival)> = Vec::new();
        let mut silent_since = [None; 3];
        for (step, choice) in steps {
            now += step;
            // Connections wake when their time has come.
            held.retain(|(ticket, arrival)| {
                if arrival.at > now {
                    return true;
                }
                if !queue.is_called_back(*ticket) {
                    run.push(*arrival);
                }
                false
            });
            if choice < 6 {
                match queue.take(now) {
                    Next::Now(arrival) => run.push(arrival),
                    Next::At(arrival) => held.push((queue.ticket(), arrival)),
                    Next::Idle | Next::End => {}
                }
            } else {
                let rates = [[0.0, 50.0, 900.0], [1_500.0, 0.0, 0.0]][choice - 6];
                let from = queue.rerate(now, &rates);
                for (since, rate) in silent_since.iter_mut().zip(rates) {
                    *since = (rate <= 0.0).then(|| since.unwrap_or(from));
                }
                // All of them are roused, and those that were called back ask again.
                held.retain(|(ticket, _)| !queue.is_called_back(*ticket));
            }
            for (_, arrival) in &held {
                if let Some(since) = silent_since[arrival.source] {
                    prop_assert!(arrival.at < since);
                }
            }
        }
        prop_assert!(queue.called_back.is_empty());
        // Whoever waits for a time gets it; the others are in the line.
        run.extend(held.iter().map(|(_, arrival)| *arrival));
        queue.advance(now);
        while queue.pending.value() > 0 {
            match queue.take(now) {
                Next::Now(arrival) => run.push(arrival),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        for source in 0..3 {
            let mut numbers: Vec<u64> = run
                .iter()
                .filter(|arrival| arrival.source == source)
                .map(|arrival| arrival.number)
                .collect();
            numbers.sort_unstable();
            let expected: Vec<u64> = (0..).take(numbers.len()).collect();
            prop_assert_eq!(numbers, expected);
        }
    }
}
