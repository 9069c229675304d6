//! A verdict for people.

use crate::baseline::comparable::Difference;
use crate::baseline::recorded::{Count, PlanShape};
use crate::baseline::verdict::{Change, Outcome, PlanChange, ProbeVerdict, Verdict};
use crate::report::doc::{Block, Document, Table};

/// The verdict as a document.
pub(super) fn of(file: &str, verdict: &Verdict) -> Document {
    let mut blocks = vec![Block::Paragraph(summary(file, verdict))];
    if !verdict.differences.is_empty() {
        let differences = verdict.differences.iter();
        blocks.push(Block::List(differences.map(Difference::sentence).collect()));
    }
    let failed: Vec<String> = verdict
        .probes
        .iter()
        .filter_map(|probe| Some(format!("`{}`: {}", probe.name, probe.failure.as_ref()?)))
        .collect();
    if !failed.is_empty() {
        blocks.push(Block::Heading("Failed".to_owned()));
        blocks.push(Block::List(failed));
    }
    for (change, title) in [
        (Change::Regressed, "Regressed"),
        (Change::Unsteady, "Not steady"),
        (Change::Improved, "Improved: record again to keep it"),
        (Change::Tolerated, "Tolerated"),
    ] {
        let table = counters(&verdict.probes, change);
        if !table.rows.is_empty() {
            blocks.push(Block::Heading(title.to_owned()));
            blocks.push(Block::Table(table));
        }
    }
    let changed: Vec<(&ProbeVerdict, &PlanChange)> = verdict
        .probes
        .iter()
        .filter_map(|probe| Some((probe, probe.plans.as_ref()?)))
        .collect();
    if !changed.is_empty() {
        blocks.push(Block::Heading("Changed plans".to_owned()));
    }
    for (probe, plans) in changed {
        blocks.push(Block::Subheading(probe.name.clone()));
        blocks.push(Block::Code {
            language: "diff",
            text: diff(plans),
        });
    }
    if !verdict.notes.is_empty() {
        blocks.push(Block::Heading("Notes".to_owned()));
        blocks.push(Block::List(verdict.notes.clone()));
    }
    Document {
        title: "Baseline check".to_owned(),
        blocks,
    }
}

fn summary(file: &str, verdict: &Verdict) -> String {
    let regressed = verdict
        .probes
        .iter()
        .filter(|probe| probe.outcome == Outcome::Regressed)
        .count();
    let probes = verdict.probes.len();
    let compared = format!(
        "{} counters of {probes} probes were compared with `{file}`",
        grouped(verdict.compared)
    );
    match verdict.outcome {
        Outcome::Pass => format!("Pass: {compared}, and nothing got worse."),
        Outcome::Regressed => format!("Regressed: {regressed} of {probes} probes. {compared}."),
        Outcome::Inconclusive => format!("Inconclusive: {compared}, and not all were steady."),
        Outcome::Incomparable => format!(
            "Incomparable: this workload is not the one that was recorded in `{file}`, so that \
             nothing was compared."
        ),
    }
}

fn counters(probes: &[ProbeVerdict], change: Change) -> Table {
    let mut table = Table::new(
        "Counters over all operations of a probe",
        &["Probe", "Counter", ">Recorded", ">Now", ">Tolerance"],
    );
    for probe in probes {
        for one in probe.counters.iter().filter(|one| one.change == change) {
            table.push([
                probe.name.clone(),
                one.counter.clone(),
                count(one.then),
                count(one.now),
                one.allowance
                    .map_or_else(|| "-".to_owned(), |allowance| allowance.to_string()),
            ]);
        }
    }
    table
}

/// Plans that are gone with a minus, those that came with a plus.
pub(super) fn diff(plans: &PlanChange) -> String {
    let mut lines = Vec::new();
    for (sign, these) in [('-', &plans.then), ('+', &plans.now)] {
        for PlanShape { shape, operations } in these {
            lines.push(format!("{sign} {operations} operations:"));
            lines.extend(shape.iter().map(|line| format!("{sign}   {line}")));
        }
    }
    lines.join("\n")
}

/// A counter for people: one number, or the lowest and the highest.
pub(super) fn count(count: Count) -> String {
    if count.is_steady() {
        grouped(count.low)
    } else {
        format!("{} to {}", grouped(count.low), grouped(count.high))
    }
}

/// All digits, because a difference of one matters here.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_all_digits() {
        for (number, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), shown);
        }
        assert_eq!(
            count(Count {
                low: 3,
                high: 1_000
            }),
            "3 to 1,000"
        );
    }

    #[test]
    fn plans_are_shown_as_a_difference() {
        let plan = |line: &str| PlanShape {
            shape: vec![line.to_owned()],
            operations: 20,
        };
        let plans = PlanChange {
            then: vec![plan("a: ref k (x)")],
            now: vec![plan("a: ALL")],
        };
        assert_eq!(
            diff(&plans),
            "- 20 operations:\n-   a: ref k (x)\n+ 20 operations:\n+   a: ALL"
        );
    }
}
