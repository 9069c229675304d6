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
mod tests;
