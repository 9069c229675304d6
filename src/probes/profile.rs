//! How a rate changes over a run: stages that hold it or move it evenly, as a factor of what each
//! probe has by itself.
//!
//! Arrivals are drawn at a constant rate in *operational time*, which runs faster where the factor
//! is higher, and are then placed in real time. For independent arrivals this inversion gives a
//! Poisson process whose rate is the factor's at each moment (Çinlar, Introduction to Stochastic
//! Processes, 1975); for equal gaps it gives gaps that follow the rate.

use std::time::Duration;

use crate::model::probe::Stage;

/// Stages that a run may have: each has histograms of its own.
pub const MAX_STAGES: usize = 32;

/// A factor over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pieces: Vec<Piece>,
    /// Where each stage but the last ends, nanoseconds since the load started.
    bounds: Vec<u64>,
}

/// A piece on which the factor is linear.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    /// Where it starts, nanoseconds.
    start: f64,
    /// The same in operational time.
    load: f64,
    /// The factor there.
    factor: f64,
    /// Its change, per nanosecond.
    slope: f64,
}

impl Piece {
    fn load_after(&self, time: f64) -> f64 {
        self.load + self.factor * time + 0.5 * self.slope * time * time
    }
}

impl Profile {
    /// A factor of one for ever.
    #[must_use]
    pub fn constant() -> Self {
        Self {
            pieces: vec![Piece {
                start: 0.0,
                load: 0.0,
                factor: 1.0,
                slope: 0.0,
            }],
            bounds: Vec::new(),
        }
    }

    /// `warmup` at the rate with which the first stage begins, then the stages; `base` is the rate
    /// that stands for a factor of one, operations per second. The last rate holds on for ever.
    /// Without stages, or with a base that is none, the factor is one.
    #[must_use]
    pub fn staged(stages: &[Stage], base: f64, warmup: Duration) -> Self {
        let (Some(first), Some(last), true) = (stages.first(), stages.last(), base > 0.0) else {
            return Self::constant();
        };
        let warm = Stage {
            from: first.from,
            to: first.from,
            length: warmup,
        };
        let (mut pieces, mut bounds) = (Vec::with_capacity(stages.len() + 2), Vec::new());
        let (mut start, mut load, mut end) = (0.0, 0.0, 0_u64);
        for (index, stage) in std::iter::once(&warm).chain(stages).enumerate() {
            let length = stage.length.as_nanos() as f64;
            let factor = stage.from / base;
            let slope = if length > 0.0 {
                (stage.to / base - factor) / length
            } else {
                0.0
            };
            let piece = Piece {
                start,
                load,
                factor,
                slope,
            };
            start += length;
            load = piece.load_after(length);
            end = end.saturating_add(u64::try_from(stage.length.as_nanos()).unwrap_or(u64::MAX));
            pieces.push(piece);
            if index > 0 && index < stages.len() {
                bounds.push(end);
            }
        }
        pieces.push(Piece {
            start,
            load,
            factor: last.to / base,
            slope: 0.0,
        });
        Self { pieces, bounds }
    }

    /// A factor of zero for ever.
    #[must_use]
    pub fn silent() -> Self {
        Self::constant().changed(0, &Self::constant(), 0.0, f64::INFINITY)
    }

    /// What it is until `at`, nanoseconds since the load started, and from then on `shape` times
    /// `factor`. Pieces that end before the point `needed` of operational time are forgotten, so
    /// that the number of changes takes no memory.
    #[must_use]
    pub fn changed(&self, at: u64, shape: &Self, factor: f64, needed: f64) -> Self {
        let at = at as f64;
        let before = self.pieces.partition_point(|piece| piece.start < at);
        let kept = self.pieces.get(..before).unwrap_or_default();
        let used = kept.partition_point(|piece| piece.load <= needed);
        let mut pieces = kept
            .get(used.saturating_sub(1)..)
            .unwrap_or_default()
            .to_vec();
        let mut load = self.load(at);
        let place = shape.pieces.partition_point(|piece| piece.start <= at);
        let mut rest = shape.pieces.iter().skip(place.saturating_sub(1)).peekable();
        while let Some(piece) = rest.next() {
            let into = (at - piece.start).max(0.0);
            let piece = Piece {
                start: piece.start.max(at),
                load,
                factor: (piece.factor + piece.slope * into) * factor,
                slope: piece.slope * factor,
            };
            if let Some(next) = rest.peek() {
                load = piece.load_after(next.start - piece.start);
            }
            pieces.push(piece);
        }
        Self {
            pieces,
            bounds: self.bounds.clone(),
        }
    }

    /// The real time of a point in operational time, both in nanoseconds; `None` where the factor
    /// has become zero for good before it. `piece` is where the caller's last point was: points
    /// are asked for in order.
    #[must_use]
    pub fn place(&self, load: f64, piece: &mut usize) -> Option<f64> {
        while self
            .pieces
            .get(*piece + 1)
            .is_some_and(|next| load >= next.load)
        {
            *piece += 1;
        }
        let at = self.pieces.get(*piece)?;
        let rest = load - at.load;
        // The solution of factor x t + slope / 2 x t^2 = rest in the form that loses no digits
        // when the slope is small.
        let root = (at.factor * at.factor + 2.0 * at.slope * rest).max(0.0);
        let speed = at.factor + root.sqrt();
        if speed > 0.0 {
            Some(at.start + 2.0 * rest / speed)
        } else {
            // A piece that begins at zero and rises begins exactly here.
            (at.slope > 0.0).then_some(at.start)
        }
    }

    /// Mean factor between two moments, nanoseconds since the load started.
    #[must_use]
    pub fn mean(&self, from: u64, to: u64) -> f64 {
        let (from, to) = (from as f64, to as f64);
        if to > from {
            (self.load(to) - self.load(from)) / (to - from)
        } else {
            self.pieces.first().map_or(1.0, |piece| piece.factor)
        }
    }

    /// The point in operational time of a moment, both in nanoseconds.
    #[must_use]
    pub fn load(&self, time: f64) -> f64 {
        let after = self.pieces.partition_point(|piece| piece.start <= time);
        self.pieces
            .get(after.saturating_sub(1))
            .map_or(time, |piece| piece.load_after(time - piece.start))
    }

    /// Where each stage but the last ends, nanoseconds since the load started.
    #[must_use]
    pub fn bounds(&self) -> &[u64] {
        &self.bounds
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stage(from: f64, to: f64, seconds: u64) -> Stage {
        Stage {
            from,
            to,
            length: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn without_stages_time_is_what_it_is() {
        let profile = Profile::staged(&[], 100.0, Duration::from_secs(3));
        for at in [0.0, 1.0, 12_345.678, 9e15] {
            assert_eq!(profile.place(at, &mut 0), Some(at));
        }
        assert!((profile.mean(5, 10) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn stages_end_where_they_say() {
        let stages = [
            stage(100.0, 100.0, 10),
            stage(100.0, 500.0, 20),
            stage(0.0, 0.0, 5),
        ];
        let profile = Profile::staged(&stages, 500.0, Duration::from_secs(2));
        assert_eq!(profile.bounds(), [12_000_000_000, 32_000_000_000]);
        let mean =
            |from: u64, to: u64| profile.mean(from * 1_000_000_000, to * 1_000_000_000) * 500.0;
        assert!((mean(0, 12) - 100.0).abs() < 1e-6);
        assert!((mean(12, 32) - 300.0).abs() < 1e-6);
        assert!((mean(12, 22) - 200.0).abs() < 1e-6);
        assert!(mean(32, 40).abs() < 1e-6);
        // 7,200 operations fit before the rate is zero for good: operational time 14.4 s.
        let mut piece = 0;
        assert!(profile.place(14.3e9, &mut piece).is_some());
        assert_eq!(profile.place(14.5e9, &mut piece), None);
    }

    #[test]
    fn a_ramp_from_nothing_has_its_first_arrival_late() {
        let profile = Profile::staged(&[stage(0.0, 100.0, 10)], 100.0, Duration::ZERO);
        // Half of the time holds a quarter of the operations.
        let at = profile.place(1.25e9, &mut 0).unwrap();
        assert!((at - 5e9).abs() < 1.0, "{at}");
    }

    #[test]
    fn a_change_holds_from_its_moment_on() {
        let stages = [stage(100.0, 100.0, 10), stage(100.0, 500.0, 20)];
        let shape = Profile::staged(&stages, 100.0, Duration::ZERO);
        let second = |s: u64| s * 1_000_000_000;
        let changed = shape.changed(second(15), &shape, 2.0, 0.0);
        let mean = |from, to| changed.mean(second(from), second(to));
        assert!((mean(0, 10) - 1.0).abs() < 1e-9);
        assert!((mean(10, 15) - 1.5).abs() < 1e-9);
        assert!((mean(15, 30) - 2.0 * 3.5).abs() < 1e-9);
        assert!((mean(30, 40) - 10.0).abs() < 1e-9);
        // Stopped and started again: what lay between waits for the start.
        let stopped = changed.changed(second(40), &shape, 0.0, 0.0);
        let point = changed.load(41e9);
        assert_eq!(stopped.place(point, &mut 0), None);
        let again = stopped.changed(second(100), &shape, 2.0, point);
        let at = again.place(point, &mut 0).unwrap();
        assert!((at - 101e9).abs() < 1e3, "{at}");
        assert!(again.pieces.len() < stopped.pieces.len());
        assert_eq!(Profile::silent().place(1.0, &mut 0), None);
    }

    proptest! {
        #[test]
        fn placing_inverts_the_load(
            stages in prop::collection::vec((0_u32..1_000, 0_u32..1_000, 1_u64..60), 1..6),
            points in prop::collection::vec(0.0_f64..1.0, 1..50),
        ) {
            let stages: Vec<_> = stages.iter().map(|(a, b, s)| stage(f64::from(*a), f64::from(*b), *s)).collect();
            let profile = Profile::staged(&stages, 1_000.0, Duration::from_secs(1));
            let all = profile.load(profile.pieces.last().unwrap().start);
            let mut points: Vec<f64> = points.iter().map(|p| p * all).collect();
            points.sort_by(f64::total_cmp);
            let (mut piece, mut before) = (0, 0.0);
            for load in points {
                let Some(at) = profile.place(load, &mut piece) else {
                    // Only nothing at all is left when the last rate is zero.
                    prop_assert!(all - load < 1e-3);
                    break;
                };
                prop_assert!(at >= before, "{} {}", at, before);
                prop_assert!((profile.load(at) - load).abs() <= 1e-6 * all.max(1.0), "{} {}", profile.load(at), load);
                before = at;
            }
        }
    }
}
