//! `JUnit` XML: each file or table that was looked at is a test, and a problem makes it fail.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::checked::line;
use crate::model::check::{Checked, Found};
use crate::model::finding::Severity;
use crate::model::text;

/// The run as one report. Warnings and notes stand in the output of a test that passes.
#[must_use]
pub fn render(checked: &Checked) -> String {
    let mut suite = TestSuite::new(format!("mydex {}", checked.name));
    let mut subjects: Vec<&str> = checked.subjects.iter().map(String::as_str).collect();
    for found in &checked.found {
        if !subjects.contains(&found.subject.as_str()) {
            subjects.push(&found.subject);
        }
    }
    for subject in subjects {
        suite.add_test_case(case(checked, subject));
    }
    if !checked.notes.is_empty() {
        suite.set_system_out(checked.notes.join("\n"));
    }
    let mut report = Report::new("mydex");
    report.add_test_suite(suite);
    // Writing to a String cannot fail.
    report.to_string().unwrap_or_default()
}

fn case(checked: &Checked, subject: &str) -> TestCase {
    let of_it = |found: &&Found| found.subject == subject;
    let (failed, others): (Vec<&Found>, Vec<&Found>) = checked
        .found
        .iter()
        .filter(of_it)
        .partition(|found| found.rule.severity == Severity::Problem);
    let all = |found: &[&Found]| {
        let lines = found
            .iter()
            .map(|one| text::inline(&line(one)).into_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    let status = match failed.as_slice() {
        [] => TestCaseStatus::success(),
        [first, rest @ ..] => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let message = match rest.len() {
                0 => first.message.clone(),
                more => format!("{} (and {more} more)", first.message),
            };
            status
                .set_type(first.rule.code)
                .set_message(text::inline(&message))
                .set_description(all(&failed));
            status
        }
    };
    let mut case = TestCase::new(text::inline(subject), status);
    case.set_classname(format!("mydex.{}", checked.name.replace(' ', ".")));
    if !others.is_empty() {
        case.set_system_out(all(&others));
    }
    case
}

#[cfg(test)]
mod tests {
    use super::super::checked::fixture;
    use super::*;

    #[test]
    fn files_are_tests_and_problems_are_failures() {
        let checked = fixture();
        let xml = render(&checked);
        let report = Report::deserialize_from_str(&xml).unwrap();
        let suite = &report.test_suites[0];
        assert_eq!(suite.tests, 3);
        assert_eq!(suite.failures, 1);
        let failed = &suite.test_cases[0];
        assert!(failed.name.as_str().starts_with("indexes/0001_o"));
        assert!(matches!(failed.status, TestCaseStatus::NonSuccess { .. }));
        let warned = &suite.test_cases[1];
        assert!(matches!(warned.status, TestCaseStatus::Success { .. }));
        assert!(
            warned
                .system_out
                .as_ref()
                .unwrap()
                .as_str()
                .contains("MYX020")
        );
        // Nothing hostile becomes markup.
        assert!(!xml.contains("<script"));
        assert!(!xml.contains(['\u{1b}', '\u{202e}']));
    }
}
