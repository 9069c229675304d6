//! The guide has every rule.

use super::*;
use crate::model::finding::Severity;

const PAGE: &str = include_str!("../../../docs/indexes.md");

#[test]
fn codes_are_in_order_and_every_rule_is_in_the_guide_as_it_is_here() {
    assert!(ALL.is_sorted_by(|one, other| one.code < other.code));
    for rule in ALL.iter().copied() {
        assert_eq!(of(rule.code), Some(rule));
        assert_eq!(of(rule.name), Some(rule));
        let severity = match rule.severity {
            Severity::Ok => "ok",
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Problem => "problem",
        };
        let line = format!(
            "| `{}` | `{}` | {severity} | {} |",
            rule.code, rule.name, rule.summary
        );
        assert!(PAGE.contains(&line), "not in docs/indexes.md: {line}");
    }
    for rule in OF_FILES.into_iter().chain(OF_DRIFT) {
        assert!(ALL.contains(&rule));
    }
}
