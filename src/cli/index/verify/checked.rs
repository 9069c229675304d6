//! What was verified as rules and breaches, for test reports and logs of findings.

use std::path::Path;

use super::Verified;
use crate::indexes::files;
use crate::indexes::verify::compare::Outcome;
use crate::model::check::{Checked, Found, Rule, Spot};
use crate::model::finding::Severity;

static NOT_GAINED: Rule = Rule {
    code: "MYX070",
    name: "not-gained",
    severity: Severity::Problem,
    summary: "an applied definition gains what it promised",
};

static SLOWER: Rule = Rule {
    code: "MYX071",
    name: "slower",
    severity: Severity::Problem,
    summary: "no query is slower with an applied definition than before it",
};

static INCONCLUSIVE: Rule = Rule {
    code: "MYX072",
    name: "inconclusive",
    severity: Severity::Warning,
    summary: "enough was counted to verify an applied definition",
};

/// The run; definitions without a gain are breaches.
pub(super) fn of(folder: &Path, verified: &[Verified]) -> Checked {
    let folder = folder.display().to_string();
    let path = |one: &Verified| files::path_of(&folder, &one.subject.entry.file);
    let found = verified.iter().filter_map(|one| {
        let (rule, remedy) = match one.outcome {
            Outcome::Gained => return None,
            Outcome::NotGained => (
                &NOT_GAINED,
                "`mydex index rollback` takes it back, `--auto-rollback` hides it at once",
            ),
            Outcome::Slower => (
                &SLOWER,
                "`mydex index rollback` takes it back, `--auto-rollback` hides it at once",
            ),
            Outcome::Inconclusive => (&INCONCLUSIVE, "verify it again after more calls"),
        };
        Some(Found {
            rule,
            subject: path(one),
            spot: Some(Spot {
                file: path(one),
                line: 1,
                column: 1,
            }),
            object: Some(format!(
                "{}.{}",
                one.subject.table, one.subject.entry.definition.index.name
            )),
            message: one.reason.clone(),
            remedy: remedy.to_owned(),
        })
    });
    Checked {
        name: "index verify".to_owned(),
        rules: vec![&NOT_GAINED, &SLOWER, &INCONCLUSIVE],
        subjects: verified.iter().map(path).collect(),
        found: found.collect(),
        notes: Vec::new(),
    }
}
