//! Think times: what a user of a closed loop does between an answer and the next operation.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::schedule::Spacing;

/// How long a user thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Think {
    /// On average.
    pub mean: Duration,
    /// [`Spacing::Poisson`] draws exponentially distributed times, [`Spacing::Uniform`] gives the
    /// mean each time.
    pub spacing: Spacing,
}

/// The think times of one user, one after the other.
#[derive(Debug, Clone)]
pub struct Thoughts {
    think: Think,
    rng: Pcg64Mcg,
    is_first: bool,
}

impl Thoughts {
    /// Those of user number `user`; the same seed gives the same times.
    #[must_use]
    pub fn new(think: Think, seed: u64, user: u64) -> Self {
        let stream = user.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self {
            think,
            rng: Pcg64Mcg::seed_from_u64(seed ^ stream),
            is_first: true,
        }
    }

    /// The next one, nanoseconds. The first is a random part of an equal gap, so that users do not
    /// start together.
    pub fn following(&mut self) -> u64 {
        let share: f64 = self.rng.random();
        let is_first = std::mem::replace(&mut self.is_first, false);
        let factor = match self.think.spacing {
            // 1 - u is never zero.
            Spacing::Poisson => -(1.0 - share).ln(),
            Spacing::Uniform if is_first => share,
            Spacing::Uniform => 1.0,
        };
        let seconds = factor * self.think.mean.as_secs_f64();
        Duration::try_from_secs_f64(seconds)
            .ok()
            .and_then(|time| u64::try_from(time.as_nanos()).ok())
            .unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_ms(spacing: Spacing) -> f64 {
        let think = Think {
            mean: Duration::from_millis(50),
            spacing,
        };
        let mut thoughts = Thoughts::new(think, 1, 7);
        let sum: u64 = (0..20_000).map(|_| thoughts.following()).sum();
        sum as f64 / 20_000.0 / 1e6
    }

    #[test]
    fn times_have_their_mean() {
        assert!((mean_ms(Spacing::Poisson) - 50.0).abs() < 1.5);
        assert!((mean_ms(Spacing::Uniform) - 50.0).abs() < 0.01);
    }

    #[test]
    fn users_differ_and_repeat() {
        let think = Think {
            mean: Duration::from_secs(1),
            spacing: Spacing::Poisson,
        };
        let first = |user| Thoughts::new(think, 3, user).following();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
