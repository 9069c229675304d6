//! A verdict as rules and breaches, for test reports and logs of findings.

use crate::baseline::objective::{Objectives, State};
use crate::baseline::verdict::{Change, CounterVerdict, Outcome, ProbeVerdict, Rules, Verdict};
use crate::model::check::{Checked, Found, Rule, Spot};
use crate::model::finding::Severity;

static COUNTER: Rule = Rule {
    code: "MYX080",
    name: "counter-regressed",
    severity: Severity::Problem,
    summary: "no counter of a probe is higher than it was recorded",
};

static FAILED: Rule = Rule {
    code: "MYX081",
    name: "probe-failed",
    severity: Severity::Problem,
    summary: "every operation of a recorded probe still works",
};

static PLAN_TOLD: Rule = Rule {
    code: "MYX082",
    name: "plan-changed",
    severity: Severity::Note,
    summary: "a probe has the plans that were recorded",
};

static PLAN_GATED: Rule = Rule {
    code: "MYX083",
    name: "plan-regressed",
    severity: Severity::Problem,
    summary: "with `--gate-plans`, a probe has the plans that were recorded",
};

static UNSTEADY: Rule = Rule {
    code: "MYX084",
    name: "counter-unsteady",
    severity: Severity::Warning,
    summary: "the same operations have the same counters each time",
};

static INCOMPARABLE: Rule = Rule {
    code: "MYX085",
    name: "incomparable",
    severity: Severity::Problem,
    summary: "data, server and seed are those of the recorded file",
};

static IMPROVED: Rule = Rule {
    code: "MYX086",
    name: "counter-improved",
    severity: Severity::Note,
    summary: "what became cheaper is recorded again, so that it stays won",
};

static MISSED: Rule = Rule {
    code: "MYX087",
    name: "objective-missed",
    severity: Severity::Problem,
    summary: "with `--slo`, the times of a probe meet its objective",
};

static UNDECIDED: Rule = Rule {
    code: "MYX088",
    name: "objective-undecided",
    severity: Severity::Warning,
    summary: "with `--slo`, there are enough operations to tell a miss from chance",
};

/// The run; `written` is the file's text, in which each probe has its line.
pub(super) fn of(file: &str, written: &str, verdict: &Verdict, rules: &Rules) -> Checked {
    let mut checked = Checked {
        name: "baseline check".to_owned(),
        rules: vec![
            &COUNTER,
            &FAILED,
            &PLAN_TOLD,
            &PLAN_GATED,
            &UNSTEADY,
            &INCOMPARABLE,
            &IMPROVED,
            &MISSED,
            &UNDECIDED,
        ],
        subjects: verdict.probes.iter().map(|one| one.name.clone()).collect(),
        found: Vec::new(),
        notes: verdict.notes.clone(),
    };
    if verdict.outcome == Outcome::Incomparable {
        checked.subjects.push(file.to_owned());
    }
    for difference in &verdict.differences {
        checked.found.push(Found {
            rule: &INCOMPARABLE,
            subject: file.to_owned(),
            spot: Some(spot(file, 1)),
            object: None,
            message: format!(
                "{} was `{}` and is `{}`",
                difference.what, difference.then, difference.now
            ),
            remedy: difference.remedy.clone(),
        });
    }
    for probe in &verdict.probes {
        let line = line_of(written, &probe.name);
        let found = |rule, message, remedy: &str| Found {
            rule,
            subject: probe.name.clone(),
            spot: Some(spot(file, line)),
            object: Some(probe.name.clone()),
            message,
            remedy: remedy.to_owned(),
        };
        checked.found.extend(findings(probe, rules, found));
    }
    let is_limited = |all: &Objectives| all.client_limit.is_some();
    let undecided = if verdict.objectives.as_ref().is_some_and(is_limited) {
        "the load generator was the limit: measure on a quieter machine"
    } else {
        "measure longer, such as `--slo=1m`"
    };
    for one in verdict.objectives.iter().flat_map(|all| &all.judged) {
        let name = &one.measured.probe;
        let (rule, remedy) = match one.state {
            State::Met => continue,
            State::Missed => (&MISSED, "find where the time goes: `mydex probe run`"),
            State::Undecided => (&UNDECIDED, undecided),
        };
        checked.found.push(Found {
            rule,
            subject: name.clone(),
            spot: Some(spot(file, line_of(written, name))),
            object: Some(name.clone()),
            message: super::document::objective(one),
            remedy: remedy.to_owned(),
        });
    }
    checked
}

fn findings(
    probe: &ProbeVerdict,
    rules: &Rules,
    found: impl Fn(&'static Rule, String, &str) -> Found,
) -> Vec<Found> {
    let mut findings = Vec::new();
    if let Some(failure) = &probe.failure {
        let remedy = "mend the probe or the schema, or record again";
        findings.push(found(&FAILED, failure.clone(), remedy));
    }
    for (change, rule, remedy) in [
        (
            Change::Regressed,
            &COUNTER,
            "find what changed the plan or the query; what is meant is recorded again",
        ),
        (
            Change::Unsteady,
            &UNSTEADY,
            "let nothing else write to this schema",
        ),
        (
            Change::Improved,
            &IMPROVED,
            "record again with `mydex baseline record`",
        ),
    ] {
        let of_it = |one: &&CounterVerdict| one.change == change;
        let sentences: Vec<String> = probe.counters.iter().filter(of_it).map(sentence).collect();
        if !sentences.is_empty() {
            findings.push(found(rule, sentences.join("; "), remedy));
        }
    }
    if let Some(plans) = &probe.plans {
        let shapes: Vec<String> = plans
            .now
            .iter()
            .map(|plan| {
                let steps: Vec<&str> = plan.shape.iter().map(|line| line.trim()).collect();
                format!("`{}`", steps.join("; "))
            })
            .collect();
        let rule = if rules.gate_plans {
            &PLAN_GATED
        } else {
            &PLAN_TOLD
        };
        let message = format!("other plans than recorded: {}", shapes.join(", "));
        findings.push(found(rule, message, "compare it with the file's plans"));
    }
    findings
}

fn sentence(one: &CounterVerdict) -> String {
    format!(
        "`{}` was {} and is {}",
        one.counter,
        super::document::count(one.then),
        super::document::count(one.now)
    )
}

fn spot(file: &str, line: usize) -> Spot {
    Spot {
        file: file.to_owned(),
        line,
        column: 1,
    }
}

/// The line of a probe in the file; the first where it is not written as mydex writes it.
fn line_of(written: &str, probe: &str) -> usize {
    let key = serde_json::to_string(probe).unwrap_or_default();
    let wanted = format!("    {key}: {{");
    let mut is_in = false;
    for (number, line) in written.lines().enumerate() {
        is_in |= line == "  \"probes\": {";
        if is_in && line == wanted {
            return number + 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::recorded::{Count, PlanShape};
    use crate::baseline::verdict::PlanChange;

    fn verdict() -> Verdict {
        let counter = |counter: &str, now, change| CounterVerdict {
            counter: counter.to_owned(),
            then: Count::steady(20),
            now: Count::steady(now),
            allowance: None,
            change,
        };
        Verdict {
            outcome: Outcome::Regressed,
            differences: Vec::new(),
            probes: vec![
                ProbeVerdict {
                    name: "fine".to_owned(),
                    outcome: Outcome::Pass,
                    counters: vec![counter("sort_rows", 10, Change::Improved)],
                    plans: None,
                    failure: None,
                },
                ProbeVerdict {
                    name: "slow".to_owned(),
                    outcome: Outcome::Regressed,
                    counters: vec![
                        counter("rows_examined", 8_000, Change::Regressed),
                        counter("handler_read_rnd_next", 8_000, Change::Moved),
                    ],
                    plans: Some(PlanChange {
                        then: Vec::new(),
                        now: vec![PlanShape {
                            shape: vec!["a: ALL".to_owned()],
                            operations: 20,
                        }],
                    }),
                    failure: None,
                },
            ],
            compared: 60,
            objectives: None,
            notes: Vec::new(),
        }
    }

    #[test]
    fn what_got_worse_is_a_problem_and_the_rest_a_note() {
        let written = "{\n  \"probes\": {\n    \"fine\": {\n    },\n    \"slow\": {\n";
        let checked = of("base.json", written, &verdict(), &Rules::default());
        let told: Vec<(&str, &str, usize)> = checked
            .found
            .iter()
            .map(|one| {
                let line = one.spot.as_ref().map_or(0, |spot| spot.line);
                (one.subject.as_str(), one.rule.code, line)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("fine", "MYX086", 3),
                ("slow", "MYX080", 5),
                ("slow", "MYX082", 5)
            ]
        );
        assert_eq!(
            checked.found[1].message,
            "`rows_examined` was 20 and is 8,000"
        );
        let rules = Rules {
            gate_plans: true,
            ..Rules::default()
        };
        let gated = of("base.json", written, &verdict(), &rules);
        assert_eq!(gated.count(Severity::Problem), 2);
    }
}
