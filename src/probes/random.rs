//! Numbers that depend on a key and a position alone, equal on every platform and in every
//! version: integer arithmetic, IEEE operations and `libm` instead of the system's mathematics.
//!
//! The mixer is the finalizer of Steele, Lea and Flood's `SplitMix64`, a bijection of 64 bits.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finalizer of `SplitMix64`: a bijection, so different inputs never meet.
#[must_use]
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A key from a text and the key it stands under (FNV-1a, then mixed).
#[must_use]
pub fn key(parent: u64, name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(hash ^ mix(parent.wrapping_add(GOLDEN)))
}

/// The draws that belong to one key at one position.
#[derive(Debug, Clone)]
pub struct Draw {
    state: u64,
}

impl Draw {
    /// The draws of `key` at `position`.
    #[must_use]
    pub fn new(key: u64, position: u64) -> Self {
        Self {
            state: mix(key ^ mix(position.wrapping_add(GOLDEN))),
        }
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// Uniform in `0..n`; 0 for an empty range. The bias is below `n / 2^64`.
    pub fn below(&mut self, n: u64) -> u64 {
        let wide = (u128::from(self.bits()) * u128::from(n)) >> 64;
        u64::try_from(wide).unwrap_or(0)
    }

    /// Uniform in `0.0..1.0`, 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }
}

/// The whole part of a number that is known to be at least 0 and small enough.
#[must_use]
pub fn floor(x: f64) -> u64 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, which is what is wanted at the ends"
    )]
    let whole = x as u64;
    whole
}

/// A bijection of `0..n` (four Feistel rounds, walked until back in range), so that hot ranks lie
/// scattered over a table.
#[must_use]
pub fn permute(key: u64, n: u64, position: u64) -> u64 {
    if n < 2 || position >= n {
        return position;
    }
    let bits = 64 - (n - 1).leading_zeros();
    let half = bits.div_ceil(2);
    let mask = (1_u64 << half) - 1;
    let mut at = position;
    loop {
        let (mut left, mut right) = (at >> half, at & mask);
        for round in 0..4 {
            (left, right) = (right, left ^ (mix(key ^ right ^ (round << 60)) & mask));
        }
        at = (left << half) | right;
        if at < n {
            return at;
        }
    }
}

/// Zipf over the ranks `0..n`: rank `k` has a probability proportional to `(k + 1)^-exponent`.
///
/// Rejection-inversion after Hörmann and Derflinger, "Rejection-inversion to generate variates
/// from monotone discrete distributions" (1996): exact, constant time for every `n`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zipf {
    n: u64,
    exponent: f64,
    low: f64,
    high: f64,
    shortcut: f64,
}

impl Zipf {
    /// Over `n` ranks; the exponent is above 0.
    #[must_use]
    pub fn new(n: u64, exponent: f64) -> Self {
        Self {
            n,
            exponent,
            low: integral(exponent, 1.5) - 1.0,
            high: integral(exponent, n as f64 + 0.5),
            shortcut: 2.0
                - integral_inverse(
                    exponent,
                    integral(exponent, 2.5) - libm::exp(-exponent * core::f64::consts::LN_2),
                ),
        }
    }

    /// A rank; 0 when there are none.
    pub fn rank(&self, draw: &mut Draw) -> u64 {
        if self.n < 2 {
            return 0;
        }
        loop {
            let u = self.high + draw.unit() * (self.low - self.high);
            let x = integral_inverse(self.exponent, u);
            let k = (x + 0.5).floor().clamp(1.0, self.n as f64);
            let weight = libm::exp(-self.exponent * libm::log(k));
            if k - x <= self.shortcut || u >= integral(self.exponent, k + 0.5) - weight {
                return floor(k) - 1;
            }
        }
    }
}

/// Antiderivative of `x^-s`, shaped so that `s = 1` needs no case of its own.
fn integral(s: f64, x: f64) -> f64 {
    let log = libm::log(x);
    let t = (1.0 - s) * log;
    let ratio = if t.abs() > 1e-8 {
        libm::expm1(t) / t
    } else {
        1.0 + t * 0.5 * (1.0 + t / 3.0)
    };
    ratio * log
}

fn integral_inverse(s: f64, x: f64) -> f64 {
    let t = (x * (1.0 - s)).max(-1.0);
    let ratio = if t.abs() > 1e-8 {
        libm::log1p(t) / t
    } else {
        1.0 - t * (0.5 - t / 3.0)
    };
    libm::exp(ratio * x)
}

/// How children are dealt out to parents so that both directions are computed, not looked up.
///
/// Child `i` of `children` belongs to the parent of rank `p` with `start(p) <= i < start(p + 1)`,
/// where `start(p) = children * F(p / parents)` and `F(x) = ln(1 + x / c) / ln(1 + 1 / c)`: a
/// Zipf-Mandelbrot law of exponent 1 whose shape does not depend on the scale. With the
/// concentration `1 / c` at 50 the densest parent has 12.7 times the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Partition {
    parents: u64,
    children: u64,
    concentration: f64,
}

impl Partition {
    /// A concentration of 0 deals evenly.
    #[must_use]
    pub fn new(parents: u64, children: u64, concentration: f64) -> Self {
        Self {
            parents,
            children,
            concentration,
        }
    }

    /// The first child of the parent of this rank.
    fn start(&self, rank: u64) -> u64 {
        if rank >= self.parents {
            return self.children;
        }
        let x = rank as f64 / self.parents as f64;
        let share = if self.concentration > 0.0 {
            libm::log1p(x * self.concentration) / libm::log1p(self.concentration)
        } else {
            x
        };
        floor(share * self.children as f64).min(self.children)
    }

    /// Rank of the parent of `child`, and which of its children that is.
    #[must_use]
    pub fn parent_of(&self, child: u64) -> (u64, u64) {
        let share = (child as f64 + 0.5) / self.children.max(1) as f64;
        let x = if self.concentration > 0.0 {
            libm::expm1(share * libm::log1p(self.concentration)) / self.concentration
        } else {
            share
        };
        let mut rank = floor(x * self.parents as f64).min(self.parents.saturating_sub(1));
        while rank > 0 && self.start(rank) > child {
            rank -= 1;
        }
        while rank + 1 < self.parents && self.start(rank + 1) <= child {
            rank += 1;
        }
        (rank, child.saturating_sub(self.start(rank)))
    }

    /// Most children that any parent has; rounding can add one to the densest, which is first.
    #[must_use]
    pub fn most_children(&self) -> u64 {
        self.start(1).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// These numbers are a promise: a change of them changes every generated data set.
    #[test]
    fn values_are_pinned() {
        let k = key(42, "vpcs");
        let mut draw = Draw::new(k, 7);
        assert_eq!(mix(1), 0x5692_161d_100b_05e5);
        assert_eq!(k, 17_368_155_811_145_488_020);
        assert_eq!(
            (draw.bits(), draw.below(1_000)),
            (3_103_207_372_559_378_315, 353)
        );
        let zipf = Zipf::new(1_000_000, 0.99);
        let ranks: Vec<u64> = (0..5).map(|i| zipf.rank(&mut Draw::new(k, i))).collect();
        assert_eq!(ranks, [0, 1_770, 897_265, 815_215, 23_282]);
    }

    #[test]
    fn permutation_is_a_bijection() {
        for n in [1, 2, 3, 10, 257, 1_000] {
            let seen: HashSet<u64> = (0..n).map(|i| permute(99, n, i)).collect();
            assert_eq!(seen.len() as u64, n);
            assert!(seen.iter().all(|i| *i < n));
        }
    }

    #[test]
    fn zipf_follows_its_law() {
        for exponent in [0.5, 1.0, 1.3] {
            let (n, draws) = (50_u64, 200_000_u64);
            let zipf = Zipf::new(n, exponent);
            let mut counts = vec![0_u64; 50];
            for i in 0..draws {
                counts[usize::try_from(zipf.rank(&mut Draw::new(5, i))).unwrap()] += 1;
            }
            let total: f64 = (1..=n).map(|k| (k as f64).powf(-exponent)).sum();
            for (rank, count) in counts.iter().enumerate() {
                let expected = (rank as f64 + 1.0).powf(-exponent) / total * draws as f64;
                // Five standard deviations of a binomial count.
                let bound = 5.0 * expected.sqrt();
                assert!(
                    (*count as f64 - expected).abs() < bound,
                    "exponent {exponent} rank {rank}: {count} against {expected:.0}"
                );
            }
        }
    }

    #[test]
    fn partition_covers_all_children_once() {
        for (parents, children, concentration) in [
            (1, 5, 50.0),
            (80, 640, 50.0),
            (7, 3, 0.0),
            (1_000, 12_345, 10.0),
        ] {
            let partition = Partition::new(parents, children, concentration);
            let mut last = (0, 0);
            let mut seen = HashSet::new();
            let mut most = 0;
            for child in 0..children {
                let (rank, ordinal) = partition.parent_of(child);
                assert!(rank < parents && seen.insert((rank, ordinal)));
                assert!((rank, ordinal) >= last);
                last = (rank, ordinal);
                most = most.max(ordinal + 1);
            }
            assert!(most <= partition.most_children());
        }
    }
}
