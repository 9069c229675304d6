//! The load as it is steered from the screen: whether it runs, what was asked for, what to go
//! back to, and the baseline beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Model;
use crate::model::digest::DigestInterval;
use crate::model::feed::LoadOffer;
use crate::model::recorded::{RecordedLoad, RecordedProbe};
use crate::tui::columns;

/// Rates that can be gone back to.
const MAX_UNDO: usize = 100;

/// Where the load stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::tui) enum Phase {
    /// There is none.
    #[default]
    Off,
    /// It was asked to begin.
    Beginning,
    /// It runs.
    On,
    /// It was asked to end.
    Ending,
}

/// The load beside its figures.
#[derive(Debug, Clone, Default)]
pub(in crate::tui) struct LoadState {
    pub(in crate::tui) phase: Phase,
    /// Rates that were asked for and are not in force yet.
    pub(in crate::tui) wanted: Option<Arc<[f64]>>,
    before: Vec<Arc<[f64]>>,
    /// How the latest one ended, and when.
    pub(in crate::tui) ended: Option<(Result<String, String>, Timestamp)>,
    pub(in crate::tui) baseline: Option<Arc<RecordedLoad>>,
    pub(in crate::tui) shows_baseline: bool,
    /// Rows that an operation of each probe examines, by the latest digests of its statements.
    pub(in crate::tui) examined: BTreeMap<Arc<str>, f64>,
}

impl LoadState {
    /// Remembers rates that are about to be replaced.
    pub(in crate::tui) fn remember(&mut self, rates: Arc<[f64]>) {
        if self.before.len() == MAX_UNDO {
            self.before.remove(0);
        }
        self.before.push(rates);
    }

    /// The rates before the latest change.
    pub(in crate::tui) fn recall(&mut self) -> Option<Arc<[f64]>> {
        self.before.pop()
    }

    /// Nothing is waited for and there is nothing to go back to: another load has other probes.
    pub(in crate::tui) fn forget(&mut self) {
        self.wanted = None;
        self.before.clear();
        self.examined.clear();
    }

    /// What was recorded of a probe, while it is shown.
    pub(in crate::tui) fn recorded(&self, probe: &str) -> Option<&RecordedProbe> {
        let baseline = self.baseline.as_ref().filter(|_| self.shows_baseline)?;
        baseline.probes.get(probe)
    }

    /// Takes the digests of the probes' statements out of a reading.
    pub(in crate::tui) fn take_digests(&mut self, offer: &LoadOffer, digests: &DigestInterval) {
        for probe in &offer.probes {
            let of_statement = |statement: &Arc<str>| {
                let is_of = |text: &str| {
                    // Newer servers mark what runs prepared.
                    text.strip_prefix("EXECUTE ").unwrap_or(text) == &**statement
                };
                let (mut calls, mut rows) = (0_u64, 0_u64);
                for delta in &digests.digests {
                    if delta.key.schema.as_deref() == Some(offer.schema.as_str())
                        && delta.text.as_deref().is_some_and(is_of)
                    {
                        calls += delta.counters.calls;
                        rows += delta.counters.rows_examined;
                    }
                }
                (calls > 0).then(|| rows as f64 / calls as f64)
            };
            let each: Option<Vec<f64>> = probe.statements.iter().map(of_statement).collect();
            // A probe that did not run in this window keeps what was read before.
            if let Some(each) = each {
                self.examined
                    .insert(Arc::clone(&probe.name), each.iter().sum());
            }
        }
    }
}

impl Model {
    /// The rates in force, or those that were asked for; `None` without a load that has rates.
    pub(in crate::tui) fn rates(&self) -> Option<Arc<[f64]>> {
        if self.load.phase != Phase::On {
            return None;
        }
        let rates = self
            .load
            .wanted
            .as_ref()
            .or_else(|| self.live.load.as_ref().map(|load| &load.rates.now))?;
        (!rates.is_empty()).then(|| Arc::clone(rates))
    }

    /// Shows or hides the baseline: the table has other columns with it.
    pub(in crate::tui) fn show_baseline(&mut self, shows: bool) {
        self.load.shows_baseline = shows && self.load.baseline.is_some();
        let list = &mut self.lists[2];
        list.columns = if self.load.shows_baseline {
            columns::BESIDE
        } else {
            columns::PROBES
        };
        if !list.columns.contains(&list.sort) {
            list.sort = if self.load.shows_baseline {
                columns::Col::ServiceP95
            } else {
                columns::Col::P95
            };
            list.descending = true;
        }
        self.rebuild_probes();
    }
}
