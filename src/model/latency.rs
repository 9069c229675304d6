//! Statement latency as the server's own histograms count it.
//!
//! `performance_schema.events_statements_histogram_*` has 450 fixed buckets: bucket 0 ends at
//! 10 us, each following one is about 4.7 % wider (MySQL manual, "Statement Histogram Summary
//! Tables"). A quantile read from it is an upper bound, never above its bucket's upper edge.

use std::time::Duration;

/// Cumulative or interval counts per bucket, with the buckets' upper edges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketCounts {
    /// Upper edge of each bucket in picoseconds, ascending.
    pub upper_ps: Vec<u64>,
    /// Number of statements in each bucket.
    pub counts: Vec<u64>,
}

/// Quantiles of one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantiles {
    /// Statements in the interval.
    pub count: u64,
    /// Half of them took at most this.
    pub p50: Duration,
    /// 95 % took at most this.
    pub p95: Duration,
    /// 99 % took at most this.
    pub p99: Duration,
    /// Upper edge of the highest bucket in use.
    pub max: Duration,
}

impl BucketCounts {
    /// What was added since `earlier`, or `None` when a count fell (the table was truncated or
    /// the server restarted) or the buckets differ.
    #[must_use]
    pub fn since(&self, earlier: &BucketCounts) -> Option<BucketCounts> {
        if self.upper_ps != earlier.upper_ps {
            return None;
        }
        let counts = self
            .counts
            .iter()
            .zip(&earlier.counts)
            .map(|(now, then)| now.checked_sub(*then))
            .collect::<Option<Vec<_>>>()?;
        Some(BucketCounts {
            upper_ps: self.upper_ps.clone(),
            counts,
        })
    }

    /// Takes out one statement that ran for `ps` picoseconds: how mydex leaves its own
    /// statements out of the figures. Does nothing where that bucket is empty.
    pub fn remove(&mut self, ps: u64) {
        let bucket = self.upper_ps.partition_point(|upper| *upper <= ps);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_sub(1);
        }
    }

    /// Number of statements.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The upper edge of the bucket that holds quantile `q` (0 to 1), or `None` when empty.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let mut below = 0_u64;
        for (upper, count) in self.upper_ps.iter().zip(&self.counts) {
            below += count;
            if *count > 0 && below as f64 >= q * total as f64 {
                return Some(super::units::from_picoseconds(*upper));
            }
        }
        None
    }

    /// The usual quantiles, or `None` when empty.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        Some(Quantiles {
            count: self.total(),
            p50: self.quantile(0.50)?,
            p95: self.quantile(0.95)?,
            p99: self.quantile(0.99)?,
            max: self.quantile(1.0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: [u64; 3]) -> BucketCounts {
        BucketCounts {
            upper_ps: vec![10_000_000, 20_000_000, 40_000_000],
            counts: counts.to_vec(),
        }
    }

    #[test]
    fn difference_and_quantiles() {
        let delta = counts([10, 5, 1]).since(&counts([0, 5, 0])).unwrap();
        assert_eq!(delta.total(), 11);
        assert_eq!(delta.quantile(0.5), Some(Duration::from_micros(10)));
        assert_eq!(delta.quantile(0.99), Some(Duration::from_micros(40)));
    }

    #[test]
    fn a_fall_is_no_difference() {
        assert_eq!(counts([1, 0, 0]).since(&counts([2, 0, 0])), None);
    }

    #[test]
    fn own_statements_are_taken_out_of_their_bucket() {
        let mut delta = counts([3, 2, 1]);
        delta.remove(15_000_000);
        assert_eq!(delta.counts, [3, 1, 1]);
    }

    #[test]
    fn empty_has_no_quantile() {
        assert_eq!(counts([0, 0, 0]).quantiles(), None);
    }
}
