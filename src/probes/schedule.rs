//! When operations are meant to start: a pure function of a seed and the rates.
//!
//! Each probe has its own stream of arrivals, so that a probe's times do not move when another
//! probe is added or changes its rate. The streams are merged in order of time. Nothing is stored:
//! a copy of a [`Schedule`] is a second reader of the same times.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::profile::Profile;

/// How the arrivals of one probe follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spacing {
    /// Independent arrivals, as of many users who know nothing of each other: gaps are
    /// exponentially distributed.
    #[default]
    Poisson,
    /// Equal gaps; the first arrival at a random part of a gap, so that probes do not beat
    /// together.
    Uniform,
}

/// One stream of arrivals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// Arrivals per second; zero, negative or not a number means none.
    pub rate: f64,
    /// Tells this stream's random numbers from those of the others; [`stream_of`] a name.
    pub stream: u64,
}

/// One intended start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Nanoseconds since the load started.
    pub at: u64,
    /// Index of its source.
    pub source: usize,
    /// Number of this arrival in its source, from 0: what its parameters depend on.
    pub number: u64,
}

/// An endless iterator of arrivals in order of time; ends only when every rate is zero.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The shape that the rates follow, whatever they are.
    shape: Arc<Profile>,
    streams: Vec<Stream>,
    next: BinaryHeap<Reverse<(u64, usize)>>,
}

#[derive(Debug, Clone)]
struct Stream {
    rng: Pcg64Mcg,
    /// Where its points lie in real time.
    profile: Arc<Profile>,
    /// The rate that stands for a factor of one.
    base: f64,
    gap_ns: f64,
    /// In operational time; not rounded, so that equal gaps stay equal on average.
    at_ns: f64,
    /// The profile's piece in which that is.
    piece: usize,
    number: u64,
    /// Arrivals that were handed out and came back, each with its number and its point: they come
    /// before the one above.
    returned: VecDeque<(u64, f64)>,
    spacing: Spacing,
}

/// The arrivals of `sources`: the same seed gives the same times.
#[must_use]
pub fn schedule(seed: u64, spacing: Spacing, sources: &[Source]) -> Schedule {
    shaped(seed, spacing, sources, Arc::new(Profile::constant()))
}

/// The arrivals of `sources`, their rates changing with `profile`.
#[must_use]
pub fn shaped(seed: u64, spacing: Spacing, sources: &[Source], profile: Arc<Profile>) -> Schedule {
    let mut streams: Vec<Stream> = sources
        .iter()
        .map(|source| {
            let is_driven = source.rate > 0.0;
            let base = if is_driven { source.rate } else { 1.0 };
            Stream {
                rng: Pcg64Mcg::seed_from_u64(seed ^ source.stream),
                profile: if is_driven {
                    Arc::clone(&profile)
                } else {
                    Arc::new(Profile::silent())
                },
                base,
                gap_ns: 1e9 / base,
                at_ns: 0.0,
                piece: 0,
                number: 0,
                returned: VecDeque::new(),
                spacing,
            }
        })
        .collect();
    let next = streams
        .iter_mut()
        .enumerate()
        .filter_map(|(source, stream)| Some(Reverse((stream.first()?, source))))
        .collect();
    Schedule {
        shape: profile,
        streams,
        next,
    }
}

impl Stream {
    fn first(&mut self) -> Option<u64> {
        let share = match self.spacing {
            Spacing::Poisson => self.exponential(),
            Spacing::Uniform => self.rng.random::<f64>(),
        };
        self.at_ns += share * self.gap_ns;
        self.head()
    }

    fn following(&mut self) -> Option<u64> {
        if self.returned.pop_front().is_some() {
            return self.head();
        }
        let share = match self.spacing {
            Spacing::Poisson => self.exponential(),
            Spacing::Uniform => 1.0,
        };
        self.number += 1;
        self.at_ns += share * self.gap_ns;
        self.head()
    }

    /// Exponential with mean 1, by inversion; 1 - u is never zero.
    fn exponential(&mut self) -> f64 {
        -(1.0 - self.rng.random::<f64>()).ln()
    }

    /// Number and point of what comes next.
    fn next(&self) -> (u64, f64) {
        self.returned
            .front()
            .copied()
            .unwrap_or((self.number, self.at_ns))
    }

    /// When what comes next does; `None` while the rate is zero for good.
    fn head(&mut self) -> Option<u64> {
        // Beyond 2^63 ns (292 years) a stream has no further arrivals.
        self.profile
            .place(self.next().1, &mut self.piece)
            .filter(|at| *at < 9.2e18)
            .map(whole)
    }
}

/// Nearest whole number of a value that is known to be within 0 and 2^63.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates and the callers have checked the range"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

impl Schedule {
    /// The next arrival, which stays the next.
    #[must_use]
    pub fn peek(&self) -> Option<Arrival> {
        let Reverse((at, source)) = *self.next.peek()?;
        Some(Arrival {
            at,
            source,
            number: self.streams[source].next().0,
        })
    }

    /// What the streams' profiles become when from `at` on, nanoseconds since the load started,
    /// these are the rates, operations per second in the order of the sources; a missing one
    /// stays. No arrival before `oldest` is asked for any more.
    #[must_use]
    pub fn rerated(&self, at: u64, rates: &[f64], oldest: &Self) -> Vec<Arc<Profile>> {
        let readers = self.streams.iter().zip(&oldest.streams);
        readers
            .enumerate()
            .map(|(source, (stream, oldest))| match rates.get(source) {
                None => Arc::clone(&stream.profile),
                Some(rate) => {
                    let factor = rate.max(0.0) / stream.base;
                    let needed = oldest.next().1;
                    Arc::new(stream.profile.changed(at, &self.shape, factor, needed))
                }
            })
            .collect()
    }

    /// Places all that is to come anew. Every reader of the same times gets the same profiles.
    pub fn adopt(&mut self, profiles: &[Arc<Profile>]) {
        for (stream, profile) in self.streams.iter_mut().zip(profiles) {
            stream.profile = Arc::clone(profile);
            stream.piece = 0;
        }
        let heads = self.streams.iter_mut().enumerate();
        self.next = heads
            .filter_map(|(source, stream)| Some(Reverse((stream.head()?, source))))
            .collect();
    }

    /// Takes back the latest arrivals, in the order in which they were handed out; to be followed
    /// by [`adopt`](Self::adopt).
    pub fn take_back(&mut self, arrivals: impl DoubleEndedIterator<Item = Arrival>) {
        for arrival in arrivals.rev() {
            if let Some(stream) = self.streams.get_mut(arrival.source) {
                let point = stream.profile.load(arrival.at as f64);
                stream.returned.push_front((arrival.number, point));
            }
        }
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let arrival = self.peek()?;
        match self.streams[arrival.source].following() {
            // Replacing the top costs one sift instead of two.
            Some(at) => {
                if let Some(mut top) = self.next.peek_mut() {
                    *top = Reverse((at, arrival.source));
                }
            }
            None => {
                self.next.pop();
            }
        }
        Some(arrival)
    }
}

/// The stream number of a name: FNV-1a, 64 bits (Fowler, Noll, Vo), then mixed so that similar
/// names and small seeds do not meet.
#[must_use]
pub fn stream_of(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

/// Which source comes next when operations follow one another without a rate: by weight, from a
/// seed.
#[derive(Debug, Clone)]
pub struct Mix {
    rng: Pcg64Mcg,
    /// Running sums of the weights, the last one being their total.
    sums: Vec<f64>,
    numbers: Vec<u64>,
}

impl Mix {
    /// A mix of sources by their rates as weights.
    #[must_use]
    pub fn new(seed: u64, sources: &[Source]) -> Self {
        let mut total = 0.0;
        let sums = sources
            .iter()
            .map(|source| {
                total += source.rate.max(0.0);
                total
            })
            .collect();
        Self {
            rng: Pcg64Mcg::seed_from_u64(seed),
            sums,
            numbers: vec![0; sources.len()],
        }
    }

    /// The next operation, to start at `at` nanoseconds; `None` when every weight is zero.
    pub fn next(&mut self, at: u64) -> Option<Arrival> {
        let total = self.sums.last().copied().filter(|total| *total > 0.0)?;
        let point = self.rng.random::<f64>() * total;
        let source = self.sums.partition_point(|sum| *sum <= point);
        let source = source.min(self.sums.len() - 1);
        let number = self.numbers[source];
        self.numbers[source] += 1;
        Some(Arrival { at, source, number })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sources(rates: &[f64]) -> Vec<Source> {
        rates
            .iter()
            .enumerate()
            .map(|(i, rate)| Source {
                rate: *rate,
                stream: stream_of(&format!("probe{i}")),
            })
            .collect()
    }

    /// Mean and variance-to-mean ratio of the arrivals per 100 ms over 100 s.
    fn dispersion(spacing: Spacing) -> (f64, f64) {
        let mut bins = vec![0_u32; 1_000];
        for arrival in schedule(7, spacing, &sources(&[500.0])) {
            match usize::try_from(arrival.at / 100_000_000) {
                Ok(bin) if bin < bins.len() => bins[bin] += 1,
                _ => break,
            }
        }
        let mean = bins.iter().map(|b| f64::from(*b)).sum::<f64>() / bins.len() as f64;
        let variance = bins
            .iter()
            .map(|b| (f64::from(*b) - mean).powi(2))
            .sum::<f64>()
            / bins.len() as f64;
        (mean, variance / mean)
    }

    #[test]
    fn poisson_counts_vary_as_much_as_their_mean() {
        let (mean, ratio) = dispersion(Spacing::Poisson);
        assert!((mean - 50.0).abs() < 1.0, "{mean}");
        assert!((0.85..1.15).contains(&ratio), "{ratio}");
    }

    #[test]
    fn uniform_counts_do_not_vary() {
        let (mean, ratio) = dispersion(Spacing::Uniform);
        assert!((mean - 50.0).abs() < 0.01, "{mean}");
        assert!(ratio < 0.02, "{ratio}");
    }

    #[test]
    fn arrivals_follow_their_stages() {
        let stage = |from, to, seconds| crate::model::probe::Stage {
            from,
            to,
            length: std::time::Duration::from_secs(seconds),
        };
        let stages = [stage(500.0, 500.0, 20), stage(500.0, 0.0, 20)];
        for spacing in [Spacing::Poisson, Spacing::Uniform] {
            let profile = Profile::staged(&stages, 500.0, std::time::Duration::from_secs(10));
            let times: Vec<u64> = shaped(7, spacing, &sources(&[300.0, 200.0]), Arc::new(profile))
                .map(|arrival| arrival.at / 1_000_000_000)
                .collect();
            let between =
                |from, to| times.iter().filter(|at| (from..to).contains(*at)).count() as f64;
            for (from, to, expected) in [
                (0, 10, 5_000.0),
                (10, 30, 10_000.0),
                (30, 40, 3_750.0),
                (40, 50, 1_250.0),
            ] {
                let found = between(from, to);
                assert!(
                    (found - expected).abs() < 4.0 * f64::sqrt(expected),
                    "{from}: {found}"
                );
            }
            assert!(between(50, u64::MAX) < 0.5);
            assert!(times.is_sorted());
        }
    }

    #[test]
    fn zero_rates_have_no_arrivals() {
        assert_eq!(
            schedule(1, Spacing::Poisson, &sources(&[0.0, -1.0, f64::NAN])).next(),
            None
        );
        assert_eq!(Mix::new(1, &sources(&[0.0])).next(0), None);
        assert_eq!(Mix::new(1, &[]).next(0), None);
    }

    #[test]
    fn mix_follows_the_weights() {
        let mut mix = Mix::new(3, &sources(&[1.0, 0.0, 3.0]));
        let mut counts = [0_u32; 3];
        for _ in 0..40_000 {
            counts[mix.next(0).unwrap().source] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((9_500..10_500).contains(&counts[0]), "{counts:?}");
    }

    proptest! {
        #[test]
        fn same_seed_same_times_in_order(seed: u64, rates in prop::collection::vec(0.1_f64..5_000.0, 1..6)) {
            let sources = sources(&rates);
            let first: Vec<_> = schedule(seed, Spacing::Poisson, &sources).take(500).collect();
            let again: Vec<_> = schedule(seed, Spacing::Poisson, &sources).take(500).collect();
            prop_assert_eq!(&first, &again);
            prop_assert!(first.windows(2).all(|pair| pair[0].at <= pair[1].at));
            for source in 0..sources.len() {
                let numbers: Vec<_> = first.iter().filter(|a| a.source == source).map(|a| a.number).collect();
                prop_assert!(numbers.iter().enumerate().all(|(i, n)| u64::try_from(i) == Ok(*n)));
            }
        }

        #[test]
        fn a_probe_keeps_its_times_beside_others(seed: u64, rate in 1.0_f64..2_000.0) {
            let alone: Vec<_> = schedule(seed, Spacing::Poisson, &sources(&[rate])).take(200).map(|a| a.at).collect();
            let beside: Vec<_> = schedule(seed, Spacing::Poisson, &sources(&[rate, 3.0 * rate]))
                .filter(|a| a.source == 0).take(200).map(|a| a.at).collect();
            prop_assert_eq!(alone, beside);
        }

        #[test]
        fn peek_is_the_next(seed: u64) {
            let mut schedule = schedule(seed, Spacing::Uniform, &sources(&[10.0, 20.0]));
            for _ in 0..50 {
                let peeked = schedule.peek();
                prop_assert_eq!(peeked, schedule.next());
            }
        }
    }
}
