//! What rules found, as a document and as JSON.

use serde::Serialize;

use super::doc::{Block, Document, Finding};
use crate::model::check::{Checked, Found};
use crate::model::finding::Severity;

/// One breach on one line: place, code, what, remedy.
#[must_use]
pub fn line(found: &Found) -> String {
    let mut line = format!("{}: {} {}", place(found), found.rule.code, found.message);
    if !found.remedy.is_empty() {
        line.push_str("; fix: ");
        line.push_str(&found.remedy);
    }
    line
}

/// `file:line:column`, or the object of the database.
fn place(found: &Found) -> String {
    match (&found.spot, &found.object) {
        (Some(spot), _) => format!("{}:{}:{}", spot.file, spot.line, spot.column),
        (None, Some(object)) => object.clone(),
        (None, None) => found.subject.clone(),
    }
}

/// The run for people.
#[must_use]
pub fn document(checked: &Checked) -> Document {
    let mut blocks = vec![Block::Paragraph(summary(checked))];
    let mut last = "";
    let mut findings = Vec::new();
    for found in &checked.found {
        if found.subject != last && !findings.is_empty() {
            blocks.push(Block::Findings(std::mem::take(&mut findings)));
        }
        if found.subject != last {
            blocks.push(Block::Subheading(found.subject.clone()));
            last = &found.subject;
        }
        findings.push(Finding {
            severity: found.rule.severity,
            code: found.rule.code,
            message: told(found),
            // A sentence, and no statement to copy.
            remedy: String::new(),
        });
    }
    if !findings.is_empty() {
        blocks.push(Block::Findings(findings));
    }
    if !checked.notes.is_empty() {
        blocks.push(Block::List(checked.notes.clone()));
    }
    Document {
        title: format!("mydex {}", checked.name),
        blocks,
    }
}

/// The message with its line, where that says something, and with its remedy.
fn told(found: &Found) -> String {
    let mut told = String::new();
    if let Some(spot) = &found.spot
        && (spot.line > 1 || spot.column > 1)
    {
        told = format!("{}:{}: ", spot.line, spot.column);
    }
    told.push_str(&found.message);
    if !found.remedy.is_empty() {
        told.push_str("; fix: ");
        told.push_str(&found.remedy);
    }
    told
}

/// How many were looked at, and what was found, in one sentence.
#[must_use]
pub fn summary(checked: &Checked) -> String {
    let counted = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        more => format!("{more} {one}s"),
    };
    let found = [Severity::Problem, Severity::Warning, Severity::Note]
        .into_iter()
        .zip(["problem", "warning", "note"])
        .filter(|(severity, _)| checked.count(*severity) > 0)
        .map(|(severity, word)| counted(checked.count(severity), word))
        .collect::<Vec<_>>();
    let found = if found.is_empty() {
        "nothing to object to".to_owned()
    } else {
        found.join(", ")
    };
    format!("{} looked at: {found}.", checked.subjects.len())
}

/// The run as JSON.
#[derive(Debug, Serialize)]
pub struct Json<'a> {
    /// What ran.
    check: &'a str,
    /// The worst severity: `ok`, `note`, `warning` or `problem`.
    worst: &'static str,
    /// What was looked at.
    subjects: &'a [String],
    /// What was found.
    findings: Vec<JsonFinding<'a>>,
    /// What could not be looked at.
    notes: &'a [String],
}

/// One breach as JSON.
#[derive(Debug, Serialize)]
pub struct JsonFinding<'a> {
    code: &'static str,
    rule: &'static str,
    severity: &'static str,
    subject: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    object: Option<&'a str>,
    message: &'a str,
    remedy: &'a str,
}

/// The run as values for JSON.
#[must_use]
pub fn json(checked: &Checked) -> Json<'_> {
    Json {
        check: &checked.name,
        worst: word(checked.worst()),
        subjects: &checked.subjects,
        findings: checked.found.iter().map(of_found).collect(),
        notes: &checked.notes,
    }
}

fn of_found(found: &Found) -> JsonFinding<'_> {
    let spot = found.spot.as_ref();
    JsonFinding {
        code: found.rule.code,
        rule: found.rule.name,
        severity: word(found.rule.severity),
        subject: &found.subject,
        file: spot.map(|spot| spot.file.as_str()),
        line: spot.map(|spot| spot.line),
        column: spot.map(|spot| spot.column),
        object: found.object.as_deref(),
        message: &found.message,
        remedy: &found.remedy,
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Problem => "problem",
    }
}

#[cfg(test)]
pub(super) fn fixture() -> Checked {
    use crate::model::check::{Rule, Spot};

    const HOSTILE: &str = "o'r\"d`e<script>alert(1)</script>rs\u{202e}\x1b[2J|&";

    static PROBLEM: Rule = Rule {
        code: "MYX030",
        name: "no-table",
        severity: Severity::Problem,
        summary: "the table is there",
    };
    static WARNING: Rule = Rule {
        code: "MYX020",
        name: "redundant",
        severity: Severity::Warning,
        summary: "a new index does something that no other does",
    };
    let hostile = format!("indexes/0001_{HOSTILE}.toml");
    Checked {
        name: "index lint".to_owned(),
        rules: vec![&WARNING, &PROBLEM],
        subjects: vec![
            hostile.clone(),
            "indexes/0002_b.toml".to_owned(),
            "indexes/0003_c.toml".to_owned(),
        ],
        found: vec![
            Found {
                rule: &PROBLEM,
                spot: Some(Spot {
                    file: hostile.clone(),
                    line: 2,
                    column: 9,
                }),
                subject: hostile,
                object: None,
                message: format!("there is no table `{HOSTILE}`"),
                remedy: "correct `table`".to_owned(),
            },
            Found {
                rule: &WARNING,
                subject: "indexes/0002_b.toml".to_owned(),
                spot: None,
                object: Some("shop.orders.orders_state".to_owned()),
                message: "`made_state` does all that it does".to_owned(),
                remedy: String::new(),
            },
        ],
        notes: vec!["the free room of the disk can't be seen".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::super::{html, markdown, text};
    use super::*;

    #[test]
    fn people_and_programs_read_the_same() {
        let checked = fixture();
        let document = document(&checked);
        let shown = text::render(&document, None);
        assert!(
            shown.contains("3 looked at: 1 problem, 1 warning."),
            "{shown}"
        );
        assert!(shown.contains("2:9: there is no table"), "{shown}");
        for rendered in [shown, markdown::render(&document), html::render(&document)] {
            assert!(rendered.contains("MYX020"), "{rendered}");
            assert!(!rendered.contains('\u{1b}') && !rendered.contains('\u{202e}'));
        }
        let json = serde_json::to_value(json(&checked)).unwrap();
        assert_eq!(json["worst"], "problem");
        assert_eq!(json["findings"][0]["line"], 2);
        assert_eq!(json["findings"][1]["object"], "shop.orders.orders_state");
        assert_eq!(
            line(&checked.found[1]),
            "shop.orders.orders_state: MYX020 `made_state` does all that it does"
        );
        let clean = Checked::default();
        assert_eq!(summary(&clean), "0 looked at: nothing to object to.");
    }
}
