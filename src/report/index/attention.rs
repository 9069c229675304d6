//! What needs attention, the worst first.

use std::fmt::Write as _;

use super::summary::{Summary, tables_without_primary_key};
use crate::model::finding::{Finding, Severity};
use crate::model::inventory::{IndexFacts, Inventory};
use crate::model::ledger::State;
use crate::model::review::Fate;
use crate::model::units;

/// Names in one finding at most.
const MAX_NAMES: usize = 5;

/// Everything that someone should look at, the worst first.
pub(super) fn findings(inventory: &Inventory, summary: &Summary) -> Vec<Finding> {
    let mut found = definitions(inventory);
    found.extend(missing(inventory, summary));
    found.extend(keyless(inventory));
    found.extend(droppable(inventory));
    found.extend(invisible(inventory));
    found.extend(pending(summary));
    found.extend(inventory.notes.iter().map(|note| Finding {
        severity: Severity::Note,
        code: "not-seen",
        message: note.clone(),
        remedy: String::new(),
    }));
    if found.is_empty() {
        found.push(Finding {
            severity: Severity::Ok,
            code: "nothing-to-do",
            message: "every index has its use, and none is missing for a foreign key".to_owned(),
            remedy: String::new(),
        });
    }
    // The order within a severity stays.
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

/// The first few of `names`, and how many more there are.
fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(MAX_NAMES);
    let mut text = names.take(MAX_NAMES).collect::<Vec<_>>().join(", ");
    if more > 0 {
        // Writing to a String cannot fail.
        let _ = write!(text, " and {more} more");
    }
    text
}

fn definitions(inventory: &Inventory) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in &inventory.definitions {
        let (severity, code, what) = match one.state {
            State::Unfinished => (
                Severity::Problem,
                "definition-unfinished",
                "was begun and not ended; `mydex index apply --execute` goes on from there",
            ),
            State::Rejected => (
                Severity::Warning,
                "definition-rejected",
                "did not keep its promise and was taken back",
            ),
            State::Staged => (
                Severity::Note,
                "definition-staged",
                "is built, invisible, and waits for its verification",
            ),
            State::Soaking => (
                Severity::Note,
                "definition-soaking",
                "is hidden and waits until it may be dropped",
            ),
            State::Pending | State::Applied | State::RolledBack => continue,
        };
        found.push(Finding {
            severity,
            code,
            message: format!("definition {} ({}) {what}", one.version, one.name),
            remedy: String::new(),
        });
    }
    let problems = inventory
        .definitions
        .iter()
        .flat_map(|one| one.problems.iter().map(move |problem| (one, problem)));
    found.extend(problems.map(|(one, problem)| Finding {
        severity: Severity::Problem,
        code: "definition-problem",
        message: format!("definition {} ({}): {problem}", one.version, one.name),
        remedy: String::new(),
    }));
    found
}

fn missing(inventory: &Inventory, summary: &Summary) -> Option<Finding> {
    if summary.unsupported == 0 {
        return None;
    }
    let statements: Vec<String> = inventory
        .tables
        .iter()
        .flat_map(|table| &table.unsupported)
        .take(MAX_NAMES)
        .map(|(_, statement)| format!("{statement};"))
        .collect();
    Some(Finding {
        severity: Severity::Problem,
        code: "foreign-key-without-index",
        message: format!(
            "{} no index: each change of a parent reads the whole child table",
            if summary.unsupported == 1 {
                "1 foreign key has".to_owned()
            } else {
                format!("{} foreign keys have", summary.unsupported)
            }
        ),
        remedy: statements.join("\n"),
    })
}

fn keyless(inventory: &Inventory) -> Option<Finding> {
    let tables = tables_without_primary_key(inventory);
    if tables.is_empty() {
        return None;
    }
    Some(Finding {
        severity: Severity::Warning,
        code: "no-primary-key",
        message: format!(
            "{} no primary key, so that row-based replication has to search for each changed row: {}",
            if tables.len() == 1 {
                "1 table has".to_owned()
            } else {
                format!("{} tables have", tables.len())
            },
            listed(
                tables
                    .into_iter()
                    .map(|name| format!("`{}`", super::table_name(inventory, name)))
            )
        ),
        remedy: String::new(),
    })
}

/// A finding's code, what it says of an index, and whether a fate is meant.
type Kind = (&'static str, &'static str, fn(&Fate) -> bool);

/// One finding for each reason to drop an index, with the largest.
fn droppable(inventory: &Inventory) -> Vec<Finding> {
    let kinds: [Kind; 3] = [
        ("duplicate-indexes", "the same as another", |fate| {
            matches!(fate, Fate::Duplicate(_))
        }),
        (
            "redundant-indexes",
            "needless beside a longer one",
            |fate| matches!(fate, Fate::Redundant(_)),
        ),
        ("unused-indexes", "read by nothing", |fate| {
            *fate == Fate::Unused
        }),
    ];
    kinds
        .into_iter()
        .filter_map(|(code, what, is_kind)| {
            let mut all: Vec<&IndexFacts> = inventory
                .indexes
                .iter()
                .filter(|facts| is_kind(&facts.verdict.fate))
                .collect();
            if all.is_empty() {
                return None;
            }
            all.sort_by(|one, other| super::is_worse(one, other));
            let bytes: u64 = all
                .iter()
                .filter_map(|facts| facts.verdict.index.bytes)
                .fold(0, u64::saturating_add);
            let shortest = all.iter().filter_map(|facts| facts.window).min();
            let window = match (code, shortest) {
                ("unused-indexes", Some(window)) => {
                    format!(" in {} or more", units::duration(window))
                }
                _ => String::new(),
            };
            Some(Finding {
                severity: Severity::Warning,
                code,
                message: format!(
                    "{} {what}{window} and {} {}: {}",
                    if all.len() == 1 {
                        "1 index is".to_owned()
                    } else {
                        format!("{} indexes are", all.len())
                    },
                    if all.len() == 1 { "takes" } else { "take" },
                    units::bytes(bytes),
                    listed(
                        all.iter()
                            .map(|facts| format!("`{}`", super::label(inventory, facts)))
                    )
                ),
                remedy: String::new(),
            })
        })
        .collect()
}

fn invisible(inventory: &Inventory) -> Option<Finding> {
    let hidden: Vec<&IndexFacts> = inventory
        .indexes
        .iter()
        .filter(|facts| !facts.verdict.index.is_visible)
        .collect();
    if hidden.is_empty() {
        return None;
    }
    Some(Finding {
        severity: Severity::Note,
        code: "invisible-indexes",
        message: format!(
            "{}: {}",
            if hidden.len() == 1 {
                "1 index is invisible: every write keeps it up, and no query uses it".to_owned()
            } else {
                format!(
                    "{} indexes are invisible: every write keeps them up, and no query uses them",
                    hidden.len()
                )
            },
            listed(
                hidden
                    .iter()
                    .map(|facts| format!("`{}`", super::label(inventory, facts)))
            )
        ),
        remedy: String::new(),
    })
}

fn pending(summary: &Summary) -> Option<Finding> {
    (summary.pending > 0).then(|| Finding {
        severity: Severity::Note,
        code: "definitions-pending",
        message: format!(
            "{} not applied yet; `mydex index plan` shows what they would do",
            if summary.pending == 1 {
                "1 definition is".to_owned()
            } else {
                format!("{} definitions are", summary.pending)
            }
        ),
        remedy: String::new(),
    })
}
