//! The search for the highest rate that meets every objective: doubling until one breaks, then
//! halving the gap between the highest rate that met them and the lowest that did not.
//!
//! The search only decides; each step is a run of its own in an open loop, with time to settle
//! before it is measured. A step that breaks an objective while the load generator was the limit
//! says nothing about the server: it is repeated once, and then ends the climb as what it is.

use std::sync::Arc;
use std::time::Duration;

use super::outcome::{ClientLimit, RunReport, client_limit};
use super::recorder;
use crate::model::probe::{ProbeFigures, quantile};

/// Rates below this share of the first one are not tried.
const LOWEST: f64 = 1.0 / 128.0;

/// Bounds of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Rate of the first step, operations per second.
    pub start: f64,
    /// No step goes above this.
    pub max: f64,
    /// The search ends when the rates on both sides of the limit differ by this share, such as
    /// 0.05.
    pub resolution: f64,
    /// Steps at most.
    pub steps: usize,
}

/// What a step gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Every objective was met and the rate sustained.
    Met,
    /// What broke, the worst first.
    Broken(Vec<Break>),
    /// Something broke, but the load generator was the limit.
    ClientLimited(ClientLimit, Vec<Break>),
}

/// One thing that broke in a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Break {
    /// A latency objective.
    Objective {
        /// Name of the probe.
        probe: Arc<str>,
        /// Of the objective.
        quantile: f64,
        /// Its bound.
        limit: Duration,
        /// The response at that quantile.
        measured: Duration,
    },
    /// More operations failed than an objective leaves room for.
    Failures {
        /// Name of the probe.
        probe: Arc<str>,
        /// How many failed.
        failed: u64,
        /// Of how many.
        scheduled: u64,
    },
    /// The rate was not kept up.
    NotSustained {
        /// Operations never sent.
        unsent: u64,
        /// Of how many.
        scheduled: u64,
    },
}

/// What to run next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Operations per second.
    pub rate: f64,
    /// Why.
    pub phase: Phase,
}

/// Why a step is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Doubling, or halving while nothing was met yet.
    Climb,
    /// Between a rate that met the objectives and one that did not.
    Narrow,
    /// The highest rate once more.
    Confirm,
    /// The step before once more, because the load generator was the limit in it.
    Repeat,
}

/// What ended a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// An objective, or the rate itself: the server's or the pool's limit.
    Objective,
    /// The load generator: what lies above is not known.
    Client,
    /// The highest rate that was allowed met every objective.
    Bound,
    /// The number of steps, before the gap was small enough.
    Steps,
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The highest rate that met every objective; `None` when none did.
    pub highest: Option<f64>,
    /// Whether it did so in two runs.
    pub is_confirmed: bool,
    /// The lowest rate above it that did not.
    pub first_failed: Option<f64>,
    /// What ended the search.
    pub limit: Limit,
}

/// A search under way.
#[derive(Debug, Clone)]
pub struct Search {
    bounds: Bounds,
    /// Each step's rate and what it gave.
    done: Vec<(f64, Outcome)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Met,
    Broken,
    Client,
}

impl Search {
    /// A search that has not begun.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            done: Vec::new(),
        }
    }

    /// Takes what the latest step gave.
    pub fn record(&mut self, step: Step, verdict: &Verdict) {
        let outcome = match verdict {
            Verdict::Met => Outcome::Met,
            Verdict::Broken(_) => Outcome::Broken,
            Verdict::ClientLimited(..) => Outcome::Client,
        };
        self.done.push((step.rate, outcome));
    }

    /// The next step; `None` when the search has ended.
    #[must_use]
    pub fn next(&self) -> Option<Step> {
        let step = |rate, phase| Some(Step { rate, phase });
        if self.done.len() >= self.bounds.steps {
            return None;
        }
        let Some((rate, last)) = self.done.last().copied() else {
            return step(self.bounds.start.min(self.bounds.max), Phase::Climb);
        };
        if last == Outcome::Client && self.count(rate, Outcome::Client) == 1 {
            return step(rate, Phase::Repeat);
        }
        match (self.low(), self.high()) {
            (None, None) => None,
            (Some(low), None) if low >= self.bounds.max => self.confirm(low),
            (Some(low), None) => step((2.0 * low).min(self.bounds.max), Phase::Climb),
            (None, Some(high)) => {
                let rate = high / 2.0;
                let is_worth = rate >= self.bounds.start * LOWEST;
                is_worth.then_some(Step {
                    rate,
                    phase: Phase::Climb,
                })
            }
            (Some(low), Some(high)) if self.is_narrow(low, high) => self.confirm(low),
            (Some(low), Some(high)) => step((low * high).sqrt(), Phase::Narrow),
        }
    }

    /// What was found so far.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let (low, high) = (self.low(), self.high());
        let is_narrow = match (low, high) {
            (Some(low), Some(high)) => self.is_narrow(low, high),
            (None, Some(high)) => high / 2.0 < self.bounds.start * LOWEST,
            _ => false,
        };
        let limit = match high {
            None if low.is_some_and(|low| low >= self.bounds.max) => Limit::Bound,
            Some(high) if is_narrow => {
                if self.count(high, Outcome::Broken) > 0 {
                    Limit::Objective
                } else {
                    Limit::Client
                }
            }
            _ => Limit::Steps,
        };
        Answer {
            highest: low,
            is_confirmed: low.is_some_and(|low| self.count(low, Outcome::Met) > 1),
            first_failed: high,
            limit,
        }
    }

    fn is_narrow(&self, low: f64, high: f64) -> bool {
        high <= low * (1.0 + self.bounds.resolution)
    }

    fn confirm(&self, rate: f64) -> Option<Step> {
        let is_needed = self.count(rate, Outcome::Met) < 2;
        is_needed.then_some(Step {
            rate,
            phase: Phase::Confirm,
        })
    }

    fn count(&self, rate: f64, outcome: Outcome) -> usize {
        let is_it =
            |step: &&(f64, Outcome)| step.0.to_bits() == rate.to_bits() && step.1 == outcome;
        self.done.iter().filter(is_it).count()
    }

    /// A rate that broke something once has not met its objectives, however often it did; one at
    /// which the load generator was the limit counts when that happened twice.
    fn has_failed(&self, rate: f64) -> bool {
        self.count(rate, Outcome::Broken) > 0 || self.count(rate, Outcome::Client) > 1
    }

    fn high(&self) -> Option<f64> {
        let failed = self.done.iter().map(|(rate, _)| *rate);
        failed
            .filter(|rate| self.has_failed(*rate))
            .min_by(f64::total_cmp)
    }

    fn low(&self) -> Option<f64> {
        let high = self.high().unwrap_or(f64::INFINITY);
        let met = self
            .done
            .iter()
            .filter(|(_, outcome)| *outcome == Outcome::Met);
        met.map(|(rate, _)| *rate)
            .filter(|rate| *rate < high)
            .max_by(f64::total_cmp)
    }
}

/// What a run says about its rate. Latencies contain the load generator's own lateness, so that
/// objectives that are met are met all the more by the server.
#[must_use]
pub fn judge(report: &RunReport) -> Verdict {
    let mut broken: Vec<(f64, Break)> = report.total.probes.iter().filter_map(broken).collect();
    broken.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut broken: Vec<Break> = broken.into_iter().map(|(_, broken)| broken).collect();
    if report.is_rate_sustained() == Some(false) {
        let counts = report.counts();
        broken.push(Break::NotSustained {
            unsent: counts.unsent,
            scheduled: counts.scheduled,
        });
    }
    match client_limit(&report.total) {
        _ if broken.is_empty() => Verdict::Met,
        Some(limit) => Verdict::ClientLimited(limit, broken),
        None => Verdict::Broken(broken),
    }
}

/// How a probe broke its objective, with how far: a single slow operation does not, since a step
/// has few of some probes.
fn broken(probe: &ProbeFigures) -> Option<(f64, Break)> {
    let slo = probe.slo?;
    let counts = probe.counts;
    let limit = u64::try_from(slo.limit.as_nanos()).unwrap_or(u64::MAX);
    let room = ((1.0 - slo.quantile) * counts.scheduled as f64).max(1.0);
    let slow: u64 = probe
        .response
        .iter_recorded()
        .filter(|step| step.value_iterated_to() > probe.response.highest_equivalent(limit))
        .map(|step| step.count_since_last_iteration())
        .sum();
    if slow as f64 > room {
        let measured = quantile(&probe.response, slo.quantile)?;
        let excess = measured.as_secs_f64() / slo.limit.as_secs_f64().max(1e-9);
        let objective = Break::Objective {
            probe: Arc::clone(&probe.name),
            quantile: slo.quantile,
            limit: slo.limit,
            measured,
        };
        return Some((excess, objective));
    }
    ((slow + counts.failed) as f64 > room).then(|| {
        let failures = Break::Failures {
            probe: Arc::clone(&probe.name),
            failed: counts.failed,
            scheduled: counts.scheduled,
        };
        (f64::INFINITY, failures)
    })
}

/// The response of all probes of a run together.
#[must_use]
pub fn responses(report: &RunReport) -> crate::model::probe::Latencies {
    let mut all = recorder::growing();
    for probe in &report.total.probes {
        recorder::merge(&mut all, &probe.response);
    }
    all
}

#[cfg(test)]
mod tests;
