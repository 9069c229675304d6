//! A latency histogram of a class: small, mergeable, about three percent wide.

/// Buckets per doubling of the latency, as a power of two.
const STEPS: u32 = 5;

/// Counts per bucket of microseconds; only buckets in use take memory.
///
/// Values below 32 us are exact; above that a bucket is at most 1/32 of its value wide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Bucket and count, in order.
    counts: Vec<(u16, u64)>,
}

impl Histogram {
    /// Counts one latency.
    pub fn add(&mut self, micros: u64) {
        self.add_many(bucket(micros), 1);
    }

    fn add_many(&mut self, bucket: u16, count: u64) {
        match self.counts.binary_search_by_key(&bucket, |(at, _)| *at) {
            Ok(i) => self.counts[i].1 += count,
            Err(i) => self.counts.insert(i, (bucket, count)),
        }
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.counts {
            self.add_many(*bucket, *count);
        }
    }

    /// How many latencies were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// The latency in microseconds that a share of `quantile` (0 to 1) does not exceed: the upper
    /// end of its bucket, so at most 1/32 above the exact value. Zero for an empty histogram.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> u64 {
        let wanted = quantile.clamp(0.0, 1.0) * self.count() as f64;
        let mut seen = 0;
        for (bucket, count) in &self.counts {
            seen += count;
            if seen as f64 >= wanted && seen > 0 {
                return highest(*bucket);
            }
        }
        0
    }

    /// Counts per decade: below 10 us, below 100 us, ..., below 10 s, and 10 s or more.
    ///
    /// The first decade starts at zero. A bucket that lies across a border counts with its middle.
    #[must_use]
    pub fn decades(&self) -> [u64; 8] {
        let mut decades = [0; 8];
        for (bucket, count) in &self.counts {
            let middle = lowest(*bucket).midpoint(highest(*bucket));
            let mut border = 10;
            let mut decade = 0;
            while decade < 7 && middle >= border {
                border *= 10;
                decade += 1;
            }
            decades[decade] += count;
        }
        decades
    }
}

fn bucket(micros: u64) -> u16 {
    let exact = 1 << STEPS;
    if micros < exact {
        return u16::try_from(micros).unwrap_or(0);
    }
    let doubling = micros.ilog2() - STEPS;
    let step = (micros >> doubling) - exact;
    let index = (u64::from(doubling) + 1) * exact + step;
    u16::try_from(index).unwrap_or(u16::MAX)
}

fn lowest(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    let exact = 1 << STEPS;
    if bucket < exact {
        return bucket;
    }
    let doubling = bucket / exact - 1;
    (exact + bucket % exact) << doubling
}

fn highest(bucket: u16) -> u64 {
    let width = match u32::from(bucket) >> STEPS {
        0 | 1 => 1,
        doublings => 1_u64 << (doublings - 1),
    };
    lowest(bucket).saturating_add(width - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_values_and_is_narrow() {
        for micros in (0..100_000)
            .step_by(7)
            .chain([u64::MAX, 10_000_000, 1 << 40, (1 << 40) - 1])
        {
            let bucket = bucket(micros);
            assert!(
                lowest(bucket) <= micros && micros <= highest(bucket),
                "{micros}"
            );
            assert!(highest(bucket) - lowest(bucket) <= micros / 32, "{micros}");
        }
    }

    #[test]
    fn quantiles_and_decades() {
        let mut histogram = Histogram::default();
        for micros in 1..=1_000 {
            histogram.add(micros * 100);
        }
        assert_eq!(histogram.count(), 1_000);
        for (quantile, exact) in [
            (0.5, 50_000),
            (0.95, 95_000),
            (0.99, 99_000),
            (1.0, 100_000),
        ] {
            let found = histogram.quantile(quantile);
            assert!(
                found >= exact && found <= exact + exact / 32,
                "{quantile}: {found}"
            );
        }
        assert_eq!(histogram.decades().iter().sum::<u64>(), 1_000);
        // The bucket of 1,000 us is 992 to 1,007 us wide.
        assert_eq!(histogram.decades()[..3], [0, 0, 10]);
        assert_eq!(Histogram::default().quantile(0.5), 0);
    }
}
