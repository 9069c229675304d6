//! The server's 450 ranges of durations as a few that can be drawn.

use crate::model::latency::BucketCounts;
use crate::model::units;
use crate::report::doc::{Amount, Histogram};

/// Ranges that are drawn at most.
const RANGES: usize = 40;

/// Ranges that are drawn of few executions; with more, most of them would be empty.
const FEWEST: usize = 8;

/// A histogram from the first range in use to the last, neighbours put together where there are
/// too many.
pub(super) fn histogram(latency: &BucketCounts, caption: String) -> Histogram {
    let used = |count: &u64| *count > 0;
    let first = latency.counts.iter().position(used).unwrap_or(0);
    let last = latency.counts.iter().rposition(used).unwrap_or(0);
    let ranges: Vec<(u64, u64)> = latency
        .upper_ps
        .iter()
        .copied()
        .zip(latency.counts.iter().copied())
        .skip(first)
        .take(last + 1 - first)
        .collect();
    let total = latency.total().min(1_000_000);
    let wanted = usize::try_from(total.isqrt() * 2).unwrap_or(RANGES);
    let drawn = wanted.clamp(FEWEST, RANGES);
    let together = ranges.len().div_ceil(drawn).max(1);
    let buckets = ranges
        .chunks(together)
        .filter_map(|chunk| {
            let (upper, _) = chunk.last()?;
            let count: u64 = chunk.iter().map(|(_, count)| count).sum();
            let label = units::duration(units::from_picoseconds(*upper));
            Some((label, Amount::new(count as f64, units::count(count as f64))))
        })
        .collect();
    Histogram {
        caption,
        axis: "duration".to_owned(),
        buckets,
    }
}
