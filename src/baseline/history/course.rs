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

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(run: usize) -> f64 {
        let place = u32::try_from(run * 7_919 % 101).unwrap();
        1.0 + (f64::from(place) / 101.0 - 0.5) * 0.02
    }

    #[test]
    fn a_step_is_no_drift_and_a_drift_is_no_step() {
        let step: Vec<f64> = (0..40)
            .map(|run| wave(run) * if run < 32 { 100.0 } else { 115.0 })
            .collect();
        let course = of(&step, 0.01);
        assert_eq!(course.drift, None);
        assert_eq!(course.shifts.len(), 1);
        assert_eq!(course.shifts[0].at, 32);
        assert!((course.shifts[0].share() - 0.15).abs() < 0.02);

        let slope: Vec<f64> = (0_u32..40)
            .map(|run| wave(run as usize) * 100.0 * 1.01_f64.powf(f64::from(run)))
            .collect();
        let course = of(&slope, 0.01);
        let drift = course.drift.unwrap();
        assert!((drift.per_run - 0.01).abs() < 0.003, "{drift:?}");
        assert!(drift.low <= 0.01 && drift.high >= 0.01);
        assert!(course.shifts.iter().all(|shift| shift.at <= drift.from));
    }

    #[test]
    fn both_are_told_where_both_are_there() {
        let values: Vec<f64> = (0_u32..60)
            .map(|run| {
                let level = if run < 20 { 100.0 } else { 150.0 };
                let drift = 1.01_f64.powf(f64::from(run.saturating_sub(40)));
                level * drift * wave(run as usize)
            })
            .collect();
        let course = of(&values, 0.01);
        assert_eq!(course.shifts.first().map(|shift| shift.at), Some(20));
        assert!(
            course.drift.is_some_and(|drift| drift.from >= 20),
            "{course:?}"
        );
    }

    #[test]
    fn times_of_nothing_are_survived() {
        assert_eq!(of(&[], 0.01), Course::default());
        assert_eq!(of(&[0.0; 30], 0.01), Course::default());
    }
}
