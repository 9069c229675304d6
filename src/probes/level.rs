//! Levels that change in steps: connections lent, requests waiting.

/// A level that changes in steps, with its time-weighted mean: connections lent, requests waiting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    value: u64,
    max: u64,
    from: u64,
    last: u64,
    /// Value times nanoseconds since `from`.
    area: u128,
}

/// A level over a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelWindow {
    /// At the end.
    pub value: u64,
    /// Highest.
    pub max: u64,
    /// Time-weighted.
    pub mean: f64,
}

impl Level {
    /// The level is `value` from `now` on. A `now` before the latest change counts as that: the
    /// callers' clocks are read before they are in line.
    pub fn set(&mut self, now: u64, value: u64) {
        self.settle(now);
        self.value = value;
        self.max = self.max.max(value);
    }

    /// The present value.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.value
    }

    fn settle(&mut self, now: u64) {
        let now = now.max(self.last);
        self.area += u128::from(self.value) * u128::from(now - self.last);
        self.last = now;
    }

    /// The window that ends `now`; the next one starts there.
    pub fn window(&mut self, now: u64) -> LevelWindow {
        self.settle(now);
        let length = self.last - self.from;
        let mean = if length == 0 {
            self.value as f64
        } else {
            self.area as f64 / length as f64
        };
        let window = LevelWindow {
            value: self.value,
            max: self.max,
            mean,
        };
        self.max = self.value;
        self.from = self.last;
        self.area = 0;
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_is_weighted_by_time() {
        let mut level = Level::default();
        level.set(100, 4);
        level.set(200, 0);
        level.set(150, 1); // a late reader: counts from 200
        assert_eq!(
            level.window(400),
            LevelWindow {
                value: 1,
                max: 4,
                mean: (4.0 * 100.0 + 200.0) / 400.0
            }
        );
        assert_eq!(level.window(500).max, 1);
    }
}
