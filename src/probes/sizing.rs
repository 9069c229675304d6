//! How many connections a load needs: its arrivals once more, with the use times that were
//! measured, through pools of other sizes.
//!
//! Arrivals are those of the run, which the seed gives again; use times are drawn from what each
//! probe took. The line is first come, first served, as the engine's: the next operation goes to
//! the connection that is free first (Kiefer and Wolfowitz, On the theory of queues with many
//! servers, 1955). What this leaves out: more connections may make the server slower. Therefore a
//! recommended size is run before it is believed.
//!
//! Beside it stands the classic estimate, Erlang's formula for the probability of waiting (A. K.
//! Erlang, Solution of some problems in the theory of probabilities of significance in automatic
//! telephone exchanges, 1917), which assumes exponentially distributed use times.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::recorder::{growing, record};
use super::schedule::Arrival;
use crate::model::probe::{Latencies, quantile};

/// Operations that are gone through at most.
const MAX_OPERATIONS: usize = 1_000_000;

/// An operation of a load: when it is meant to start and how long it uses a connection,
/// nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Intended start.
    pub at: u64,
    /// Use time.
    pub takes: u64,
}

/// Use times of one probe, to draw from.
#[derive(Debug)]
struct UseTimes {
    /// Running sums of the counts, with the value of each.
    steps: Vec<(u64, u64)>,
}

impl UseTimes {
    fn new(histogram: &Latencies) -> Self {
        let mut sum = 0;
        let steps = histogram
            .iter_recorded()
            .map(|step| {
                sum += step.count_since_last_iteration();
                (sum, histogram.median_equivalent(step.value_iterated_to()))
            })
            .collect();
        Self { steps }
    }

    fn draw(&self, rng: &mut Pcg64Mcg) -> Option<u64> {
        let total = self.steps.last()?.0;
        let point = rng.random_range(0..total);
        let step = self.steps.partition_point(|(sum, _)| *sum <= point);
        self.steps.get(step).map(|(_, value)| *value)
    }
}

/// The load's operations from `from` to `to`, nanoseconds since it started: `use_times` are the
/// probes' in the order of the arrivals' sources. Probes that answered nothing take no time.
#[must_use]
pub fn demands(
    arrivals: impl Iterator<Item = Arrival>,
    (from, to): (u64, u64),
    use_times: &[&Latencies],
    seed: u64,
) -> Vec<Demand> {
    let use_times: Vec<UseTimes> = use_times.iter().map(|times| UseTimes::new(times)).collect();
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    arrivals
        .skip_while(|arrival| arrival.at < from)
        .take_while(|arrival| arrival.at < to)
        .take(MAX_OPERATIONS)
        .map(|arrival| Demand {
            at: arrival.at,
            takes: use_times
                .get(arrival.source)
                .and_then(|times| times.draw(&mut rng))
                .unwrap_or(0),
        })
        .collect()
}

/// The waits for one of `connections`.
#[must_use]
pub fn waits(demands: &[Demand], connections: u32) -> Latencies {
    let mut waits = growing();
    let mut free: BinaryHeap<Reverse<u64>> = (0..connections).map(|_| Reverse(0)).collect();
    for demand in demands {
        let Some(mut first) = free.peek_mut() else {
            return waits;
        };
        let start = demand.at.max(first.0);
        *first = Reverse(start + demand.takes);
        drop(first);
        record(&mut waits, start - demand.at);
    }
    waits
}

/// The smallest pool, of at most `max` connections, in which the share `share` of the operations
/// waits no longer than `target`; `None` when none is large enough.
#[must_use]
pub fn smallest(demands: &[Demand], share: f64, target: Duration, max: u32) -> Option<u32> {
    let is_enough = |connections| {
        let wait = quantile(&waits(demands, connections), share);
        wait.is_none_or(|wait| wait <= target)
    };
    if !is_enough(max) {
        return None;
    }
    // Waits never grow with the number of connections.
    let (mut too_few, mut enough) = (0, max);
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if is_enough(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Some(enough)
}

/// Connections that are busy on average: arrivals per second times mean use time.
#[must_use]
pub fn offered(demands: &[Demand], window: Duration) -> f64 {
    let used: f64 = demands.iter().map(|demand| demand.takes as f64 / 1e9).sum();
    used / window.as_secs_f64().max(1e-9)
}

/// Erlang's probability that an operation waits, by the number of connections and how many are
/// busy on average; 1 where there are not more connections than that.
#[must_use]
pub fn erlang_c(connections: u32, offered: f64) -> f64 {
    let servers = f64::from(connections);
    if offered >= servers {
        return 1.0;
    }
    // The probability of loss by its recursion over the number of connections; it stays within 0
    // and 1, where the formula's factorials would not.
    let mut loss = 1.0;
    for n in 1..=connections {
        loss = offered * loss / (f64::from(n) + offered * loss);
    }
    loss / (1.0 - offered / servers * (1.0 - loss))
}

#[cfg(test)]
mod tests {
    use super::super::schedule::{Source, Spacing, schedule, stream_of};
    use super::*;

    /// Poisson arrivals for 600 s with exponential use times of this mean.
    fn markov(rate: f64, mean_ms: f64) -> Vec<Demand> {
        let mut times = growing();
        for step in 1..=20_000 {
            let share = (f64::from(step) - 0.5) / 20_000.0;
            let value = Duration::try_from_secs_f64(-(1.0 - share).ln() * mean_ms / 1e3).unwrap();
            record(&mut times, u64::try_from(value.as_nanos()).unwrap());
        }
        let source = Source {
            rate,
            stream: stream_of("a"),
        };
        let end = 600_000_000_000;
        demands(
            schedule(3, Spacing::Poisson, &[source]),
            (0, end),
            &[&times],
            5,
        )
    }

    #[test]
    fn erlangs_values_are_those_of_his_tables() {
        // 10 servers at 8 erlangs: C = 0.409; 2 at 1: 1/3; 1 at 0.5: 0.5.
        for (servers, load, expected) in [(10, 8.0, 0.409), (2, 1.0, 1.0 / 3.0), (1, 0.5, 0.5)] {
            let found = erlang_c(servers, load);
            assert!((found - expected).abs() < 5e-4, "{servers} {load}: {found}");
        }
        assert!(erlang_c(4, 4.0) >= 1.0);
        assert!(erlang_c(1_000, 900.0) < 0.01);
    }

    #[test]
    fn waits_agree_with_erlang_where_he_is_right() {
        let demands = markov(400.0, 20.0);
        let load = offered(&demands, Duration::from_mins(10));
        assert!((load - 8.0).abs() < 0.15, "{load}");
        let waits = waits(&demands, 10);
        let waited = 1.0 - waits.quantile_below(1_000);
        assert!((waited - erlang_c(10, load)).abs() < 0.03, "{waited}");
        // P(W > t) = C exp(-(c / S - rate) t), so that p95 = ln(0.409 / 0.05) / 100 s = 21 ms.
        let p95 = quantile(&waits, 0.95).unwrap().as_secs_f64();
        assert!((0.018..0.025).contains(&p95), "{p95}");
    }

    #[test]
    fn the_smallest_pool_is_just_enough() {
        let demands = markov(400.0, 20.0);
        let target = Duration::from_millis(1);
        let size = smallest(&demands, 0.95, target, 1_000).unwrap();
        let wait = |size| quantile(&waits(&demands, size), 0.95).unwrap();
        assert!(wait(size) <= target && wait(size - 1) > target, "{size}");
        assert!((12..=15).contains(&size), "{size}");
        assert_eq!(smallest(&demands, 0.95, target, 7), None);
        assert_eq!(smallest(&[], 0.95, target, 7), Some(1));
    }

    #[test]
    fn equal_times_in_equal_gaps_need_no_waiting() {
        let demands: Vec<_> = (0..1_000)
            .map(|n| Demand {
                at: n * 10,
                takes: 25,
            })
            .collect();
        assert_eq!(smallest(&demands, 1.0, Duration::ZERO, 100), Some(3));
        let two = waits(&demands, 2);
        // Each pair falls behind by 5: the last of 500 pairs waits 499 x 5.
        assert!((2_490..=2_500).contains(&two.max()), "{}", two.max());
    }
}
