//! The data itself: the latest of everything, its history, and totals since the reset.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::AdviceSheet;
use crate::model::digest::{DigestCounters, DigestInterval, DigestKey};
use crate::model::feed::IndexBoard;
use crate::model::interval::Interval;
use crate::model::probe::{LoadTick, ProbeFigures};
use crate::tui::history::History;

/// Digests whose totals are kept; the server's table holds 10,000 by default.
const MAX_DIGESTS: usize = 20_000;

/// Probes whose totals are kept, each with two histograms.
const MAX_PROBES: usize = 64;

/// What one digest did since the reset.
#[derive(Debug, Clone)]
pub(in crate::tui) struct DigestTotal {
    pub(in crate::tui) counters: DigestCounters,
    pub(in crate::tui) text: Option<Arc<str>>,
}

/// Sums since the reset, kept here; the server's own counters are never reset.
#[derive(Debug, Clone)]
pub(in crate::tui) struct Totals {
    pub(in crate::tui) since: Timestamp,
    pub(in crate::tui) digests: HashMap<DigestKey, DigestTotal>,
    pub(in crate::tui) digest_time: Duration,
    pub(in crate::tui) probes: BTreeMap<Arc<str>, ProbeFigures>,
    pub(in crate::tui) load_time: Duration,
}

impl Totals {
    fn new(since: Timestamp) -> Self {
        Self {
            since,
            digests: HashMap::new(),
            digest_time: Duration::ZERO,
            probes: BTreeMap::new(),
            load_time: Duration::ZERO,
        }
    }

    fn add_digests(&mut self, interval: &DigestInterval) {
        self.digest_time += interval.window;
        for delta in &interval.digests {
            if let Some(total) = self.digests.get_mut(&delta.key) {
                total.counters = total.counters.plus(&delta.counters);
                if total.text.is_none() {
                    total.text.clone_from(&delta.text);
                }
            } else if self.digests.len() < MAX_DIGESTS {
                let total = DigestTotal {
                    counters: delta.counters,
                    text: delta.text.clone(),
                };
                self.digests.insert(delta.key.clone(), total);
            }
        }
    }

    fn add_load(&mut self, tick: &LoadTick) {
        self.load_time += tick.window;
        for probe in &tick.probes {
            if let Some(total) = self.probes.get_mut(&probe.name) {
                total.counts = total.counts.plus(probe.counts);
                total.rows = total.rows.saturating_add(probe.rows);
                // All histograms have the one shape of `latencies()`, so that adding can't fail.
                let _ = total.response.add(&probe.response);
                let _ = total.service.add(&probe.service);
                total.slo = probe.slo;
                if probe.last_error.is_some() {
                    total.last_error.clone_from(&probe.last_error);
                }
            } else if self.probes.len() < MAX_PROBES {
                self.probes.insert(probe.name.clone(), probe.clone());
            }
        }
    }
}

/// The data.
#[derive(Debug, Clone)]
pub(in crate::tui) struct World {
    pub(in crate::tui) interval: Option<Arc<Interval>>,
    pub(in crate::tui) digests: Option<Arc<DigestInterval>>,
    pub(in crate::tui) load: Option<Arc<LoadTick>>,
    pub(in crate::tui) advice: Option<AdviceSheet>,
    pub(in crate::tui) indexes: Option<Arc<IndexBoard>>,
    pub(in crate::tui) history: History,
    pub(in crate::tui) load_history: History,
    /// Shared with the frozen screen until the next addition.
    pub(in crate::tui) totals: Arc<Totals>,
}

impl World {
    pub(in crate::tui) fn new(now: Timestamp) -> Self {
        Self {
            interval: None,
            digests: None,
            load: None,
            advice: None,
            indexes: None,
            history: History::default(),
            load_history: History::default(),
            totals: Arc::new(Totals::new(now)),
        }
    }

    pub(in crate::tui) fn reset(&mut self, now: Timestamp) {
        self.totals = Arc::new(Totals::new(now));
    }

    pub(in crate::tui) fn take_interval(&mut self, interval: Arc<Interval>) {
        self.history.push_interval(&interval);
        self.interval = Some(interval);
    }

    pub(in crate::tui) fn take_digests(&mut self, digests: Arc<DigestInterval>) {
        Arc::make_mut(&mut self.totals).add_digests(&digests);
        self.digests = Some(digests);
    }

    pub(in crate::tui) fn take_load(&mut self, tick: Arc<LoadTick>) {
        Arc::make_mut(&mut self.totals).add_load(&tick);
        let before = self.load.as_ref().map(|load| &load.rates.now);
        if before.is_some_and(|before| *before != tick.rates.now) {
            // Figures on both sides of a change of rates do not continue one another.
            self.load_history.push_gap(tick.to);
        }
        self.load_history.push_load(&tick);
        self.load = Some(tick);
    }

    /// A probe's figures: of the latest window, or since the reset, with their window.
    pub(in crate::tui) fn probe(
        &self,
        index: usize,
        totals: bool,
    ) -> Option<(&ProbeFigures, Duration)> {
        let load = self.load.as_ref()?;
        let latest = load.probes.get(index)?;
        if totals && let Some(total) = self.totals.probes.get(&latest.name) {
            return Some((total, self.totals.load_time));
        }
        Some((latest, load.window))
    }
}
