//! The digest table as it was last seen, and what each digest has done since.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::digest::{self, DigestCounters, DigestDelta, DigestGap, DigestKey, DigestRow};

/// Averages kept for a digest's trend.
pub const TREND: usize = 20;

/// Digests whose trend is kept: those that were active of late.
const MOST_TRENDS: usize = 3_000;

/// Digests given in one interval; the rest is in its total.
pub const MOST_DIGESTS: usize = 3_000;

/// Bytes of statement texts that are kept.
const MOST_TEXT_BYTES: usize = 6 << 20;

/// Cumulative rows by identity, and the texts and trends that belong to them.
#[derive(Debug, Default)]
pub struct Ledger {
    known: HashMap<DigestKey, DigestRow>,
    trends: HashMap<DigestKey, VecDeque<Duration>>,
    texts: HashMap<Arc<str>, Arc<str>>,
    text_bytes: usize,
}

/// What one poll brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// Active digests, the most time first.
    pub digests: Vec<DigestDelta>,
    /// Sum over all active ones and the lost row.
    pub total: DigestCounters,
    /// What fell into the lost row.
    pub lost: Option<DigestCounters>,
    /// The table was truncated since the poll before.
    pub gap: Option<DigestGap>,
}

impl Ledger {
    /// Takes `rows` as they are, without counting them: the baseline.
    pub fn remember(&mut self, rows: impl IntoIterator<Item = DigestRow>) {
        self.known
            .extend(rows.into_iter().map(|row| (row.key.clone(), row)));
    }

    /// Forgets all rows, because the server started anew; texts and trends stay true.
    pub fn restart(&mut self) {
        self.known.clear();
    }

    /// Number of rows of the table, as far as known.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.known.len() as u64
    }

    /// Cumulative calls and time of all rows, and those of the lost row.
    #[must_use]
    pub fn sums(&self) -> (DigestCounters, DigestCounters) {
        let mut sums = (DigestCounters::default(), DigestCounters::default());
        for row in self.known.values() {
            sums.0 = sums.0.plus(&row.counters);
            if row.key.is_lost_row() {
                sums.1 = sums.1.plus(&row.counters);
            }
        }
        sums
    }

    /// Compares `now`, the rows that were active since `since` (server clock), with what was
    /// known, and remembers them.
    ///
    /// A row that is not known but is older than `since` was beyond a limit before; it has no
    /// difference and is only remembered.
    pub fn absorb(
        &mut self,
        now: Vec<DigestRow>,
        since: Timestamp,
        is_own: impl Fn(&DigestKey) -> bool,
    ) -> Changes {
        let is_late =
            |row: &DigestRow| !self.known.contains_key(&row.key) && row.first_seen < since;
        let (late, comparable): (Vec<_>, Vec<_>) = now.into_iter().partition(is_late);
        let (deltas, truncated) = digest::difference(&comparable, &self.known);
        if truncated {
            // Every row of the table is younger than the truncation, so that it is in `now`.
            self.known.clear();
        }
        self.remember(late);
        self.remember(comparable);
        let mut changes = Changes {
            digests: Vec::new(),
            total: DigestCounters::default(),
            lost: None,
            gap: truncated.then_some(DigestGap::Truncated),
        };
        for (key, counters, is_new) in deltas {
            if is_own(&key) {
                continue;
            }
            changes.total = changes.total.plus(&counters);
            if key.is_lost_row() {
                changes.lost = Some(counters);
                continue;
            }
            changes.digests.push(DigestDelta {
                text: None,
                trend: Vec::new(),
                key,
                counters,
                is_new,
            });
        }
        changes
            .digests
            .sort_by_key(|delta| std::cmp::Reverse(delta.counters.time_ps));
        changes.digests.truncate(MOST_DIGESTS);
        self.follow(&mut changes.digests);
        changes
    }

    /// Adds the averages to the trends, and the trends and texts to the deltas.
    fn follow(&mut self, digests: &mut [DigestDelta]) {
        if self.trends.len() > MOST_TRENDS {
            let active: HashSet<&DigestKey> = digests.iter().map(|delta| &delta.key).collect();
            self.trends.retain(|key, _| active.contains(key));
        }
        for delta in digests {
            let trend = self.trends.entry(delta.key.clone()).or_default();
            if trend.len() == TREND {
                trend.pop_front();
            }
            trend.push_back(delta.average());
            delta.trend = trend.iter().copied().collect();
            delta.text = self.text(&delta.key);
        }
    }

    /// Text of a digest, once it has been learned.
    #[must_use]
    pub fn text(&self, key: &DigestKey) -> Option<Arc<str>> {
        self.texts.get(key.digest.as_ref()?).cloned()
    }

    /// Learns a text: it depends on the digest alone, whatever the schema.
    pub fn learn(&mut self, digest: Arc<str>, text: &str) {
        if self.text_bytes + text.len() > MOST_TEXT_BYTES {
            // Starting over is rare, bounded, and costs one reading of the texts in use.
            self.texts.clear();
            self.text_bytes = 0;
        }
        self.text_bytes += text.len();
        if let Some(old) = self.texts.insert(digest, text.into()) {
            self.text_bytes -= old.len();
        }
    }

    /// Fills texts that were learned since.
    pub fn fill_texts(&self, digests: &mut [DigestDelta]) {
        for delta in digests.iter_mut().filter(|delta| delta.text.is_none()) {
            delta.text = self.text(&delta.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn row(digest: &str, calls: u64, first_seen: i64) -> DigestRow {
        DigestRow {
            key: DigestKey {
                schema: None,
                digest: (digest != "lost").then(|| digest.into()),
            },
            counters: DigestCounters {
                calls,
                time_ps: calls * 1_000_000,
                ..Default::default()
            },
            first_seen: at(first_seen),
        }
    }

    fn calls(changes: &Changes) -> Vec<(String, u64)> {
        let name = |delta: &DigestDelta| delta.key.digest.as_deref().unwrap_or("-").to_owned();
        let calls = changes.digests.iter();
        calls.map(|d| (name(d), d.counters.calls)).collect()
    }

    #[test]
    fn deltas_lost_row_and_own_statements() {
        let mut ledger = Ledger::default();
        ledger.remember([row("a", 10, 1), row("lost", 5, 1), row("own", 7, 1)]);
        let changes = ledger.absorb(
            vec![
                row("a", 13, 1),
                row("b", 4, 101),
                row("lost", 9, 1),
                row("own", 9, 1),
            ],
            at(100),
            |key| key.digest.as_deref() == Some("own"),
        );
        assert_eq!(calls(&changes), [("b".to_owned(), 4), ("a".to_owned(), 3)]);
        assert_eq!(changes.lost.map(|lost| lost.calls), Some(4));
        assert_eq!(changes.total.calls, 11);
        assert_eq!(changes.gap, None);
        assert!(changes.digests[0].is_new);
    }

    #[test]
    fn truncation_counts_from_zero_once() {
        let mut ledger = Ledger::default();
        ledger.remember([row("a", 10, 1), row("b", 10, 1)]);
        let changes = ledger.absorb(vec![row("a", 3, 105)], at(100), |_| false);
        assert_eq!(changes.gap, Some(DigestGap::Truncated));
        assert_eq!(calls(&changes), [("a".to_owned(), 3)]);
        // The other row comes back later and is simply new.
        let changes = ledger.absorb(vec![row("b", 2, 109)], at(106), |_| false);
        assert_eq!(changes.gap, None);
        assert_eq!(calls(&changes), [("b".to_owned(), 2)]);
    }

    #[test]
    fn an_old_row_that_was_beyond_the_limit_is_no_burst() {
        let mut ledger = Ledger::default();
        let changes = ledger.absorb(vec![row("old", 1_000_000, 1)], at(100), |_| false);
        assert_eq!(calls(&changes), []);
        let changes = ledger.absorb(vec![row("old", 1_000_002, 1)], at(101), |_| false);
        assert_eq!(calls(&changes), [("old".to_owned(), 2)]);
    }

    #[test]
    fn texts_and_trends_follow() {
        let mut ledger = Ledger::default();
        ledger.remember([row("a", 0, 1)]);
        ledger.learn("a".into(), "SELECT ?");
        let mut last = None;
        for n in 1..=30 {
            last = Some(ledger.absorb(vec![row("a", n, 1)], at(100), |_| false));
        }
        let delta = last.unwrap().digests.remove(0);
        assert_eq!(delta.text.as_deref(), Some("SELECT ?"));
        assert_eq!(delta.trend.len(), TREND);
    }

    #[test]
    fn texts_stay_bounded() {
        let mut ledger = Ledger::default();
        let text = "x".repeat(1 << 20);
        for n in 0..20 {
            ledger.learn(format!("{n}").into(), &text);
        }
        assert!(ledger.text_bytes <= MOST_TEXT_BYTES);
        assert!(ledger.texts.contains_key("19"));
    }

    proptest! {
        /// Whatever is polled when, the calls of all intervals add up to the calls of the server.
        #[test]
        fn nothing_is_counted_twice(steps in prop::collection::vec((0_usize..4, 1_u64..9), 1..60)) {
            let mut ledger = Ledger::default();
            let mut server = [0_u64; 4];
            let mut seen = 0;
            for (digest, more) in steps {
                server[digest] += more;
                let row = row(&format!("d{digest}"), server[digest], 200);
                seen += ledger.absorb(vec![row], at(100), |_| false).total.calls;
            }
            prop_assert_eq!(seen, server.iter().sum::<u64>());
        }
    }
}
