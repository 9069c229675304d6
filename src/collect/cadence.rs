//! How often to poll: as often as was asked for, as seldom as the overhead budget demands.
//!
//! A digest poll costs the server about 6 us for each row of the table whatever is selected, so
//! that polling less often is the only way to pay less.

use std::collections::VecDeque;
use std::time::Duration;

/// The fast polls may take this share of the budget; the digests get what is left.
const FAST_SHARE: f64 = 0.75;

/// Digests older than this help nobody, whatever they cost.
const SLOWEST: Duration = Duration::from_mins(15);

/// A row of the digest table takes about 6 us (measured on MySQL 9.7); a cost beyond twice that is
/// time spent waiting.
const COSTLIEST_ROW: Duration = Duration::from_micros(12);

/// Everything about a digest poll that does not depend on the rows.
const COSTLIEST_REST: Duration = Duration::from_millis(20);

/// The least of this many latest costs counts. Where the server measures time and no processor
/// time, a statement that had to wait for a busy processor looks expensive and is not.
const LATEST: usize = 5;

/// Share of the server's work for a statement that its own timers see. Reading the statement,
/// sending and encrypting the answer come on top (measured beside 9,900 digests: 1.27 % of a core
/// under a budget of 1 % that was spent whole, 0.87 % with this share).
const SEEN: f64 = 0.75;

/// Turns measured costs into intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Cadence {
    requested: Duration,
    budget: f64,
    fast: Costs,
    digests: Costs,
}

/// The latest costs, in seconds.
#[derive(Debug, Clone, Default, PartialEq)]
struct Costs(VecDeque<f64>);

impl Costs {
    fn saw(&mut self, cost: Duration) {
        if self.0.len() == LATEST {
            self.0.pop_front();
        }
        self.0.push_back(cost.as_secs_f64());
    }

    fn least(&self) -> f64 {
        self.0.iter().copied().reduce(f64::min).unwrap_or(0.0)
    }
}

impl Cadence {
    /// `requested` is the interval that the user asked for, `budget` the share of one core.
    #[must_use]
    pub fn new(requested: Duration, budget: f64) -> Self {
        Self {
            requested,
            // A budget of zero would stop everything; the smallest one polls every few minutes.
            budget: SEEN
                * if budget.is_finite() {
                    budget.max(1e-4)
                } else {
                    0.01
                },
            fast: Costs::default(),
            digests: Costs::default(),
        }
    }

    /// The user asked for another interval.
    pub fn request(&mut self, requested: Duration) {
        self.requested = requested;
    }

    /// What one fast poll took of the server.
    pub fn saw_fast(&mut self, cost: Duration) {
        self.fast.saw(cost);
    }

    /// What one digest poll of a table with so many rows took of the server.
    pub fn saw_digests(&mut self, cost: Duration, rows: u64) {
        let plausible = COSTLIEST_ROW
            .saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX))
            .saturating_add(COSTLIEST_REST);
        self.digests.saw(cost.min(plausible));
    }

    /// Time between two fast polls.
    #[must_use]
    pub fn fast_interval(&self) -> Duration {
        let affordable = self.fast.least() / (self.budget * FAST_SHARE);
        seconds(affordable).max(self.requested)
    }

    /// Time between two digest polls: never shorter than between two fast ones.
    #[must_use]
    pub fn digest_interval(&self) -> Duration {
        let fast = self.fast_interval();
        let spent = self.fast.least() / fast.as_secs_f64().max(f64::EPSILON);
        let left = (self.budget - spent).max(self.budget * (1.0 - FAST_SHARE));
        seconds(self.digests.least() / left)
            .max(fast)
            .min(SLOWEST.max(fast))
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds)
        .unwrap_or(SLOWEST)
        .min(SLOWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cadence(fast_ms: u64, digests_ms: u64) -> Cadence {
        let mut cadence = Cadence::new(Duration::from_secs(1), 0.01);
        cadence.saw_fast(Duration::from_millis(fast_ms));
        cadence.saw_digests(Duration::from_millis(digests_ms), digests_ms * 200);
        cadence
    }

    #[test]
    fn cheap_polls_run_as_asked() {
        let cadence = cadence(3, 2);
        assert_eq!(cadence.fast_interval(), Duration::from_secs(1));
        assert_eq!(cadence.digest_interval(), Duration::from_secs(1));
    }

    #[test]
    fn ten_thousand_digests_are_polled_every_few_seconds() {
        let interval = cadence(1, 57).digest_interval();
        assert!((7..11).contains(&interval.as_secs()), "{interval:?}");
    }

    #[test]
    fn the_fast_poll_stretches_when_it_alone_is_too_much() {
        let cadence = cadence(30, 60);
        assert_eq!(cadence.fast_interval().as_millis(), 5_333);
        assert!(cadence.digest_interval() >= Duration::from_secs(20));
    }

    #[test]
    fn the_whole_stays_within_the_budget() {
        for (fast_ms, digests_ms) in [(1, 1), (3, 57), (9, 57), (40, 500), (200, 1_500)] {
            let cadence = cadence(fast_ms, digests_ms);
            let share = fast_ms as f64 / cadence.fast_interval().as_millis() as f64
                + digests_ms as f64 / cadence.digest_interval().as_millis() as f64;
            assert!(share <= 0.010_1 * SEEN, "{fast_ms} {digests_ms}: {share}");
        }
    }

    #[test]
    fn a_busy_machine_does_not_silence_the_polls() {
        let mut cadence = cadence(1, 57);
        let usual = cadence.digest_interval();
        cadence.saw_fast(Duration::from_millis(90));
        cadence.saw_digests(Duration::from_secs(9), 10_000);
        assert_eq!(cadence.digest_interval(), usual);
        // Even when it is all that was ever seen.
        let mut cadence = Cadence::new(Duration::from_secs(1), 0.01);
        cadence.saw_digests(Duration::from_secs(9), 10_000);
        assert!(cadence.digest_interval() < Duration::from_secs(20));
    }

    #[test]
    fn odd_settings_do_not_stop_or_flood() {
        for budget in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut cadence = Cadence::new(Duration::from_secs(1), budget);
            cadence.saw_fast(Duration::from_millis(3));
            cadence.saw_digests(Duration::from_secs(3), 1_000_000);
            assert!(cadence.fast_interval() >= Duration::from_secs(1));
            assert!(cadence.digest_interval() <= Duration::from_mins(15));
        }
    }
}
