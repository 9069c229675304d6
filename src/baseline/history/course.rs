//! The course of one noisy figure from run to run: shifts of its level, and a slow drift at its end.
//!
//! Both tests answer to both: a drift looks like stairs, a shift like a slope. Where a drift is
//! significant, the line and the stairs are held against each other by how close they come to the
//! values, each parameter at its price (Schwarz's criterion for absolute deviations), and only the
//! better one is told.

use super::change_points::{self, ChangePoint};
use super::trend::{self, median, sorted};

/// Runs in the shortest stretch that is looked at for a drift; each next one is twice as long.
pub const SHORTEST_DRIFT: usize = 15;

/// Deviations of less than this share are those of the clock's resolution.
const RESOLUTION: f64 = 1e-4;

/// What became of a figure. Logarithms are taken, so that all changes are shares.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    /// Shifts of the level, in order.
    pub shifts: Vec<Shift>,
    /// A drift that goes on to the end.
    pub drift: Option<Drift>,
}

/// A shift of the level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The first value behind it, from 0.
    pub at: usize,
    /// The median before it, back to the shift before.
    pub before: f64,
    /// The median behind it, up to the next shift.
    pub after: f64,
    /// Its p-value.
    pub p: f64,
}

/// A slow, steady change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Its first value, from 0.
    pub from: usize,
    /// Values in it.
    pub runs: usize,
    /// Change from one value to the next, as a share.
    pub per_run: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Its p-value, for all stretches that were looked at together.
    pub p: f64,
}

impl Shift {
    /// The change as a share: 0.1 is ten percent more.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.after / self.before - 1.0
    }
}

/// The course of positive values. `alpha` bounds the probability of any false alarm in one test
/// for shifts and in all for drifts.
#[must_use]
pub fn of(values: &[f64], alpha: f64) -> Course {
    let logs: Vec<f64> = values
        .iter()
        .map(|value| value.max(f64::MIN_POSITIVE).ln())
        .collect();
    let mut points = change_points::find(&logs, alpha / 2.0);
    let drift = drift(&logs, &points, alpha / 2.0);
    if let Some(drift) = drift {
        points.retain(|point| point.at <= drift.from);
    }
    Course {
        shifts: shifts(&logs, &points, drift.as_ref()),
        drift,
    }
}

fn shifts(logs: &[f64], points: &[ChangePoint], drift: Option<&Drift>) -> Vec<Shift> {
    let end = drift.map_or(logs.len(), |drift| drift.from.max(1));
    points
        .iter()
        .enumerate()
        .map(|(place, point)| {
            let from = place.checked_sub(1).map_or(0, |before| points[before].at);
            let to = points.get(place + 1).map_or(end, |next| next.at);
            let to = to.max(point.at + change_points::LEAST_SIDE).min(logs.len());
            Shift {
                at: point.at,
                before: level(&logs[from..point.at]).exp(),
                after: level(&logs[point.at..to]).exp(),
                p: point.p,
            }
        })
        .collect()
}

fn level(logs: &[f64]) -> f64 {
    median(&sorted(logs.to_vec()))
}

/// The drift of the shortest stretch that has one.
fn drift(logs: &[f64], points: &[ChangePoint], alpha: f64) -> Option<Drift> {
    let lengths: Vec<usize> =
        std::iter::successors(Some(SHORTEST_DRIFT), |length| Some(length * 2))
            .take_while(|length| *length < logs.len())
            .chain([logs.len()])
            .filter(|length| *length >= trend::LEAST)
            .collect();
    let tests = lengths.len() as f64;
    lengths.into_iter().find_map(|length| {
        let from = logs.len() - length;
        let stretch = &logs[from..];
        let trend = trend::of(stretch, alpha)?;
        let p = (trend.p * tests).min(1.0);
        if p > alpha || !is_line(stretch, from, &trend, points) {
            return None;
        }
        Some(Drift {
            from,
            runs: length,
            per_run: trend.slope.exp_m1(),
            low: trend.low.exp_m1(),
            high: trend.high.exp_m1(),
            p,
        })
    })
}

/// Whether the line comes closer than the stairs do.
fn is_line(stretch: &[f64], from: usize, trend: &trend::Trend, points: &[ChangePoint]) -> bool {
    let line: f64 = stretch
        .iter()
        .enumerate()
        .map(|(step, value)| (value - trend.start - trend.slope * step as f64).abs())
        .sum();
    let mut ends: Vec<usize> = points
        .iter()
        .filter(|point| point.at > from)
        .map(|point| point.at - from)
        .collect();
    ends.push(stretch.len());
    let mut start = 0;
    let mut stairs = 0.0;
    for end in &ends {
        let part = &stretch[start..*end];
        let level = level(part);
        stairs += part.iter().map(|value| (value - level).abs()).sum::<f64>();
        start = *end;
    }
    // Each stair but the first has a place and a level.
    let stair_parameters = 2.0 * ends.len() as f64 - 1.0;
    price(line, 2.0, stretch.len()) < price(stairs, stair_parameters, stretch.len())
}

/// Schwarz's criterion for deviations that fall off exponentially.
fn price(deviation: f64, parameters: f64, count: usize) -> f64 {
    let n = count as f64;
    2.0 * n * (deviation / n).max(RESOLUTION).ln() + parameters * n.ln()
}
