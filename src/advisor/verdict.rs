//! What two measurements of a query say: faster, slower, or the same; and what that costs in the
//! optimizer's units.
//!
//! Time is compared by the shortest of many executions, because noise only ever adds to it. A
//! query whose both times are below [`TOO_SHORT`] is compared by the rows that it reads, because
//! its time is mostly that of the way there and back.

use std::time::Duration;

use crate::model::advice::Measured;

/// Below this, counters are compared in place of times.
pub const TOO_SHORT: Duration = Duration::from_micros(200);

/// Reads that are no difference.
const FEW_READS: u64 = 8;

/// Pairs of measurements, taken one after the other, in the order they were taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pairs(pub Vec<(Measured, Measured)>);

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not slower by more than the tolerance.
    Fine,
    /// It looks slower; one more pair can tell.
    Suspect,
    /// Slower by more than the tolerance.
    Slower,
    /// Both were ended at the limit: nobody knows.
    Unknown,
}

impl Pairs {
    /// Pairs that are taken at most before a suspicion counts as confirmed.
    pub const MOST: usize = 5;

    /// Pairs that confirm a suspicion: fewer, the further it is beyond what noise does to the
    /// shortest of several executions.
    fn needed(before: &Measured, after: &Measured) -> usize {
        match after.time.as_secs_f64() / before.time.as_secs_f64().max(1e-9) {
            factor if factor > 2.0 => 2,
            factor if factor > 1.5 => 3,
            _ => Self::MOST,
        }
    }

    /// The shortest before and after.
    #[must_use]
    pub fn best(&self) -> Option<(Measured, Measured)> {
        let shortest = |one: Measured, other: &Measured| match (one.is_capped, other.is_capped) {
            (true, false) => *other,
            (false, true) => one,
            _ if other.time < one.time => *other,
            _ => one,
        };
        let (first, rest) = self.0.split_first()?;
        Some(
            rest.iter()
                .fold(*first, |(before, after), (other_before, other_after)| {
                    (shortest(before, other_before), shortest(after, other_after))
                }),
        )
    }

    /// Judges the pairs taken so far against a tolerance, a share.
    ///
    /// A query is slower when its shortest time is beyond the tolerance and, besides, it reads no
    /// fewer rows or all but one of the pairs say so: either is what noise alone does not do.
    #[must_use]
    pub fn judge(&self, tolerance: f64) -> Verdict {
        let Some((before, after)) = self.best() else {
            return Verdict::Unknown;
        };
        match (before.is_capped, after.is_capped) {
            (true, true) => return Verdict::Unknown,
            (true, false) => return Verdict::Fine,
            // Nobody saw it end, and before it did.
            (false, true) => return Verdict::Slower,
            (false, false) => {}
        }
        if before.time.max(after.time) < TOO_SHORT {
            let allowed = before.reads as f64 * (1.0 + tolerance);
            return if after.reads as f64 > allowed && after.reads > before.reads + FEW_READS {
                Verdict::Slower
            } else {
                Verdict::Fine
            };
        }
        let is_slower = |before: &Measured, after: &Measured| {
            after.time.as_secs_f64() > before.time.as_secs_f64() * (1.0 + tolerance)
        };
        if !is_slower(&before, &after) {
            return Verdict::Fine;
        }
        if self.0.len() < Self::needed(&before, &after) {
            return Verdict::Suspect;
        }
        let agreeing = self
            .0
            .iter()
            .filter(|(before, after)| is_slower(before, after));
        if after.reads >= before.reads || agreeing.count() + 1 >= self.0.len() {
            Verdict::Slower
        } else {
            Verdict::Fine
        }
    }
}

/// The factor by which a plan is slower (above 1) or faster than today's: of times, or of rows
/// read and rows written to temporary tables where the times are too short.
#[must_use]
pub fn factor(before: &Measured, after: &Measured) -> f64 {
    if before.time.max(after.time) < TOO_SHORT {
        let work = |one: &Measured| (one.reads + one.temporary + 1) as f64;
        return work(after) / work(before);
    }
    let shortest = Duration::from_micros(1);
    after.time.max(shortest).as_secs_f64() / before.time.max(shortest).as_secs_f64()
}

/// The cost of a measured plan, in the optimizer's units.
///
/// The unit of one query is set by its plan of today: `today` units took `before`, so that a plan
/// that took `after` costs `today * factor`. All measured plans of a query are then as far apart
/// as their times are, and its cost of today stays what it was. What was judged fine never
/// exceeds the limit, and what was judged slower, or was suspected to the end, always does, so that
/// the selection follows the verdict and not the noise.
#[must_use]
pub fn cost(today: f64, limit: f64, verdict: Verdict, before: &Measured, after: &Measured) -> f64 {
    let cost = today * factor(before, after);
    match verdict {
        // A suspicion that nothing cleared is no gain.
        Verdict::Slower | Verdict::Suspect => cost.max(limit * 1.01),
        Verdict::Fine | Verdict::Unknown => cost.min(limit),
    }
}

/// Several samples of one query as one execution: their average.
#[must_use]
pub fn average(all: &[Measured]) -> Option<Measured> {
    let count = u32::try_from(all.len()).ok().filter(|count| *count > 0)?;
    let mean = |figure: fn(&Measured) -> u64| {
        all.iter().map(figure).fold(0, u64::saturating_add) / u64::from(count)
    };
    Some(Measured {
        time: all.iter().map(|one| one.time).sum::<Duration>() / count,
        reads: mean(|one| one.reads),
        temporary: mean(|one| one.temporary),
        is_capped: all.iter().any(|one| one.is_capped),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(us: u64, reads: u64) -> Measured {
        Measured {
            time: Duration::from_micros(us),
            reads,
            ..Measured::default()
        }
    }

    fn judge(pairs: &[(Measured, Measured)]) -> Verdict {
        Pairs(pairs.to_vec()).judge(0.1)
    }

    #[test]
    fn a_slower_run_is_suspected_before_it_is_condemned() {
        let slower = (run(10_000, 100), run(12_000, 100));
        assert_eq!(judge(&[slower]), Verdict::Suspect);
        assert_eq!(judge(&[slower; 5]), Verdict::Slower);
        assert_eq!(
            judge(&[(run(10_000, 100), run(10_900, 500))]),
            Verdict::Fine
        );
        // One quick run of it shows that the others were disturbed.
        let quick = (run(10_000, 100), run(10_100, 100));
        assert_eq!(judge(&[slower, slower, quick]), Verdict::Fine);
    }

    #[test]
    fn fewer_reads_need_agreement() {
        let slower = (run(10_000, 100), run(11_500, 10));
        assert_eq!(judge(&[slower; 5]), Verdict::Slower);
        let noisy = (run(11_000, 100), run(11_500, 10));
        assert_eq!(judge(&[slower, noisy, noisy, slower, noisy]), Verdict::Fine);
        let more_reads = (run(11_000, 10), run(11_500, 10));
        let slow = (run(10_000, 10), run(11_500, 10));
        assert_eq!(
            judge(&[slow, more_reads, more_reads, more_reads, slow]),
            Verdict::Slower
        );
    }

    #[test]
    fn short_queries_are_judged_by_what_they_read() {
        assert_eq!(judge(&[(run(100, 1_000), run(150, 10))]), Verdict::Fine);
        assert_eq!(judge(&[(run(100, 100), run(110, 1_000))]), Verdict::Slower);
        assert_eq!(judge(&[(run(100, 2), run(110, 5))]), Verdict::Fine);
        assert!((factor(&run(100, 99), &run(150, 9)) - 0.1).abs() < 1e-9);
    }

    #[test]
    fn capped_runs_are_lower_bounds() {
        let capped = |us| Measured {
            is_capped: true,
            ..run(us, 5)
        };
        assert_eq!(judge(&[(run(1_000, 5), capped(3_000))]), Verdict::Slower);
        assert_eq!(judge(&[(run(9_500, 5), capped(10_000))]), Verdict::Slower);
        assert_eq!(judge(&[(capped(10_000), run(9_000, 5))]), Verdict::Fine);
        assert_eq!(judge(&[(capped(10_000), capped(10_000))]), Verdict::Unknown);
    }

    #[test]
    fn the_cost_follows_the_verdict() {
        let cost = |verdict, after| super::cost(100.0, 110.0, verdict, &run(10_000, 1), &after);
        assert!((cost(Verdict::Fine, run(5_000, 1)) - 50.0).abs() < 1e-9);
        assert!((cost(Verdict::Fine, run(12_000, 1)) - 110.0).abs() < 1e-9);
        assert!((cost(Verdict::Slower, run(20_000, 1)) - 200.0).abs() < 1e-9);
        assert!(cost(Verdict::Slower, run(11_000, 1)) > 110.0);
    }
}
