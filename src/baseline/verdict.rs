//! A recording against a recorded one: what got worse, what got better, what can't be told.
//!
//! This is the one value from which every output is made.

use super::comparable::{Difference, differences, series};
use super::metric::{self, Meaning};
use super::objective::Objectives;
use super::recorded::{Baseline, Count, PlanShape, Probe};
use super::tolerance::{Allowance, Tolerance, allowance};

/// How a comparison ended, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing got worse.
    Pass,
    /// It can't be told.
    Inconclusive,
    /// Something got worse.
    Regressed,
    /// The two can't be compared.
    Incomparable,
}

impl Outcome {
    /// The outcome as every output spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Regressed => "regressed",
            Self::Incomparable => "incomparable",
        }
    }
}

/// How to judge.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// What may grow, and by how much; the last that fits holds.
    pub tolerances: Vec<Tolerance>,
    /// Any change of any counter is a regression, gains and other ways to read included.
    pub strict: bool,
    /// Another plan is a regression.
    pub gate_plans: bool,
}

/// The judgement of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Over everything.
    pub outcome: Outcome,
    /// What makes the two incomparable; then nothing else is judged.
    pub differences: Vec<Difference>,
    /// Probe by probe, in the order of their names.
    pub probes: Vec<ProbeVerdict>,
    /// Counters that were compared, over all probes.
    pub compared: u64,
    /// Times against their objectives, where that was asked for.
    pub objectives: Option<Objectives>,
    /// What else is worth knowing, each one sentence.
    pub notes: Vec<String>,
}

/// The judgement of one probe.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeVerdict {
    /// Its name.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Counters that are not what they were.
    pub counters: Vec<CounterVerdict>,
    /// Its plans, where they are not what they were.
    pub plans: Option<PlanChange>,
    /// Why an operation failed.
    pub failure: Option<String>,
}

/// What came of a counter that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It got worse.
    Regressed,
    /// It got better.
    Improved,
    /// It stayed within what is tolerated, or within what rounds differed by before.
    Tolerated,
    /// It says nothing by itself: rows are read in another way.
    Moved,
    /// Rounds of the same operations differed by more than the change.
    Unsteady,
}

impl Change {
    /// The change as every output spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Tolerated => "tolerated",
            Self::Moved => "moved",
            Self::Unsteady => "unsteady",
        }
    }
}

/// A counter that changed, over all operations of its probe.
#[derive(Debug, Clone, PartialEq)]
pub struct CounterVerdict {
    /// Its name.
    pub counter: String,
    /// In the file.
    pub then: Count,
    /// Now.
    pub now: Count,
    /// What it may grow by, where that was said.
    pub allowance: Option<Allowance>,
    /// What came of it.
    pub change: Change,
}

/// Plans that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanChange {
    /// Those of the file that are gone, or that fewer operations have.
    pub then: Vec<PlanShape>,
    /// Those that are new, or that more operations have.
    pub now: Vec<PlanShape>,
}

impl Verdict {
    /// With a timed pass. Times are held against their objectives, never against recorded ones.
    #[must_use]
    pub fn with_objectives(mut self, objectives: Objectives) -> Self {
        if self.outcome != Outcome::Incomparable {
            self.outcome = self.outcome.max(objectives.outcome());
            self.objectives = Some(objectives);
        }
        self
    }
}

/// Judges `now` against `then`.
#[must_use]
pub fn judge(then: &Baseline, now: &Baseline, rules: &Rules) -> Verdict {
    let differences = differences(then, now);
    if !differences.is_empty() {
        return Verdict {
            outcome: Outcome::Incomparable,
            differences,
            probes: Vec::new(),
            compared: 0,
            objectives: None,
            notes: Vec::new(),
        };
    }
    let counters = metric::common(&then.counted, &now.counted);
    let probes: Vec<ProbeVerdict> = then
        .probes
        .iter()
        .filter_map(|(name, before)| {
            let after = now.probes.get(name)?;
            Some(probe(name, (before, after), &counters, rules))
        })
        .collect();
    let outcome = probes.iter().map(|probe| probe.outcome).max();
    Verdict {
        outcome: if counters.is_empty() {
            Outcome::Inconclusive
        } else {
            outcome.unwrap_or(Outcome::Inconclusive)
        },
        differences,
        compared: counters.len() as u64 * probes.len() as u64,
        objectives: None,
        notes: notes(then, now, &counters),
        probes,
    }
}

fn notes(then: &Baseline, now: &Baseline, counters: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    let lost: Vec<&str> = then
        .counted
        .iter()
        .filter(|name| !counters.contains(name))
        .map(String::as_str)
        .collect();
    if !lost.is_empty() {
        notes.push(format!(
            "the server no longer tells {}: `mydex check` says what is switched off",
            lost.join(", ")
        ));
    }
    let (was, is) = (&then.server.version, &now.server.version);
    if was != is {
        notes.push(format!(
            "the file was recorded on version `{was}`, and this is `{is}` of the same series {}",
            series(is)
        ));
    }
    for name in now.probes.keys() {
        if !then.probes.contains_key(name) {
            notes.push(format!(
                "the probe `{name}` is not in the file, and is not guarded: record again"
            ));
        }
    }
    for (name, reason) in &now.left_out {
        notes.push(format!("the probe `{name}` was not run: {reason}"));
    }
    let none = Vec::new();
    for (table, was) in &then.indexes {
        let is = now.indexes.get(table).unwrap_or(&none);
        let gone = was.iter().filter(|index| !is.contains(index));
        notes.extend(gone.map(|index| format!("`{table}` no longer has the index {index}")));
        let new = is.iter().filter(|index| !was.contains(index));
        notes.extend(new.map(|index| format!("`{table}` has a new index {index}")));
    }
    notes
}

fn probe(
    name: &str,
    (before, after): (&Probe, &Probe),
    counters: &[String],
    rules: &Rules,
) -> ProbeVerdict {
    if let Some(failure) = &after.failure {
        return ProbeVerdict {
            name: name.to_owned(),
            outcome: Outcome::Regressed,
            counters: Vec::new(),
            plans: None,
            failure: Some(failure.clone()),
        };
    }
    let changed: Vec<CounterVerdict> = counters
        .iter()
        .filter_map(|counter| counter_verdict(name, (before, after), counter, rules))
        .collect();
    let plans = plan_change(&before.plans, &after.plans);
    let is = |change: Change| changed.iter().any(|one| one.change == change);
    let outcome = if is(Change::Regressed) || (rules.gate_plans && plans.is_some()) {
        Outcome::Regressed
    } else if is(Change::Unsteady) {
        Outcome::Inconclusive
    } else {
        Outcome::Pass
    };
    ProbeVerdict {
        name: name.to_owned(),
        outcome,
        counters: changed,
        plans,
        failure: None,
    }
}

fn counter_verdict(
    probe: &str,
    (before, after): (&Probe, &Probe),
    counter: &str,
    rules: &Rules,
) -> Option<CounterVerdict> {
    let (then, now) = (
        metric::count(before, counter),
        metric::count(after, counter),
    );
    if then == now {
        return None;
    }
    let allowance = allowance(&rules.tolerances, probe, counter);
    Some(CounterVerdict {
        counter: counter.to_owned(),
        then,
        now,
        allowance,
        change: change(then, now, metric::meaning(counter), allowance, rules.strict),
    })
}

/// What came of a counter that is not what it was. Two ranges that overlap may be the same.
pub(super) fn change(
    then: Count,
    now: Count,
    meaning: Meaning,
    allowance: Option<Allowance>,
    strict: bool,
) -> Change {
    let exact = allowance.unwrap_or(Allowance::Number(0));
    let has_floor = strict || meaning == Meaning::Result;
    let is_above = |count: u64| count > exact.limit(then.high);
    let is_below = |count: u64| has_floor && count < exact.floor(then.low);
    if !strict && meaning == Meaning::Way && allowance.is_none() {
        Change::Moved
    } else if is_above(now.low) || is_below(now.high) {
        Change::Regressed
    } else if is_above(now.high) || is_below(now.low) {
        Change::Unsteady
    } else if now.high < then.low {
        Change::Improved
    } else {
        Change::Tolerated
    }
}

/// Plans that are not what they were.
pub(super) fn plan_change(then: &[PlanShape], now: &[PlanShape]) -> Option<PlanChange> {
    let only = |these: &[PlanShape], those: &[PlanShape]| -> Vec<PlanShape> {
        let differing = these.iter().filter(|plan| !those.contains(plan));
        differing.cloned().collect()
    };
    let change = PlanChange {
        then: only(then, now),
        now: only(now, then),
    };
    (!change.then.is_empty() || !change.now.is_empty()).then_some(change)
}

#[cfg(test)]
mod tests;
