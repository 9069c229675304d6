//! A comparison as rules and breaches, for test reports and logs of findings.

use super::contest::Contest;
use super::document;
use crate::baseline::compared::{ProbeCompared, Timing};
use crate::baseline::verdict::{Change, Outcome};
use crate::model::check::{Checked, Found, Rule};
use crate::model::finding::Severity;

static COUNTER: Rule = Rule {
    code: "MYX090",
    name: "side-counts-more",
    severity: Severity::Problem,
    summary: "no counter of a probe is higher on the second side, and no result has other rows",
};

static SLOWER: Rule = Rule {
    code: "MYX091",
    name: "side-slower",
    severity: Severity::Problem,
    summary: "no probe is slower on the second side by as much as counts",
};

static OPEN: Rule = Rule {
    code: "MYX092",
    name: "side-undecided",
    severity: Severity::Warning,
    summary: "the time was enough to tell whether a probe is slower",
};

static FAILED: Rule = Rule {
    code: "MYX093",
    name: "side-failed",
    severity: Severity::Problem,
    summary: "every operation of the first side works on the second",
};

static APART: Rule = Rule {
    code: "MYX094",
    name: "sides-incomparable",
    severity: Severity::Problem,
    summary: "both sides have the same data",
};

static RESULTS: Rule = Rule {
    code: "MYX095",
    name: "results-differ",
    severity: Severity::Warning,
    summary: "both sides give the same rows",
};

static PLANS: Rule = Rule {
    code: "MYX096",
    name: "plans-differ",
    severity: Severity::Note,
    summary: "both sides have the same plans",
};

/// The comparison; each probe is a subject.
pub(super) fn of(contest: &Contest) -> Checked {
    let compared = &contest.compared;
    let mut checked = Checked {
        name: "baseline compare".to_owned(),
        rules: vec![&COUNTER, &SLOWER, &OPEN, &FAILED, &APART, &RESULTS, &PLANS],
        subjects: compared.probes.iter().map(|one| one.name.clone()).collect(),
        found: Vec::new(),
        notes: compared.notes.clone(),
    };
    if compared.outcome == Outcome::Incomparable {
        checked.subjects.push(contest.workload.clone());
    }
    for difference in &compared.differences {
        checked.found.push(Found {
            rule: &APART,
            subject: contest.workload.clone(),
            spot: None,
            object: None,
            message: document::difference(difference),
            remedy: difference.remedy.clone(),
        });
    }
    for probe in &compared.probes {
        let found = |rule, message: String, remedy: &str| Found {
            rule,
            subject: probe.name.clone(),
            spot: None,
            object: Some(probe.name.clone()),
            message,
            remedy: remedy.to_owned(),
        };
        checked.found.extend(findings(probe, found));
    }
    checked
}

fn findings(
    probe: &ProbeCompared,
    found: impl Fn(&'static Rule, String, &str) -> Found,
) -> Vec<Found> {
    let mut findings = Vec::new();
    if let Some(failure) = &probe.counted.failure {
        let remedy = "find what the second side lacks";
        findings.push(found(&FAILED, failure.clone(), remedy));
    }
    if let Some(failure) = &probe.failure {
        let message = format!("the first side can't run it: {failure}");
        findings.push(found(&OPEN, message, "mend the probe, or leave it out"));
    }
    let counters: Vec<String> = probe
        .counted
        .counters
        .iter()
        .filter(|one| one.change == Change::Regressed)
        .map(document::counter)
        .collect();
    if !counters.is_empty() {
        let remedy = "compare the plans of both sides";
        findings.push(found(&COUNTER, counters.join("; "), remedy));
    }
    for one in &probe.times {
        match one.outcome {
            Outcome::Regressed => {
                let remedy = "look at the plans and counters of both sides";
                findings.push(found(&SLOWER, timing(one), remedy));
            }
            Outcome::Inconclusive if probe.failure.is_none() && probe.counted.failure.is_none() => {
                let remedy = "give `--max-time` more, or compare fewer probes";
                findings.push(found(&OPEN, timing(one), remedy));
            }
            _ => {}
        }
    }
    if probe.is_same_result == Some(false) {
        let message = "the same operation has other rows on the second side".to_owned();
        let remedy = "an order by a unique key makes a LIMIT choose the same rows";
        findings.push(found(&RESULTS, message, remedy));
    }
    if probe.counted.plans.is_some() {
        let message = "the plans of the two sides differ".to_owned();
        findings.push(found(&PLANS, message, "compare them in the report"));
    }
    findings
}

fn timing(one: &Timing) -> String {
    let word = one.metric.word();
    match &one.judged {
        None => format!("`{word}`: nothing was measured"),
        Some(judged) => format!(
            "`{word}` changed by {} ({}) over {} pairs; {}",
            document::share(judged.effect),
            document::interval(judged),
            one.pairs,
            document::detectable(judged)
        ),
    }
}
