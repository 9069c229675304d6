use super::*;
use crate::baseline::tolerance::parse;
use proptest::prelude::*;

fn with(counters: &[(&str, u64)]) -> Baseline {
    let mut baseline = Baseline {
        counted: [
            "created_tmp_disk_tables",
            "handler_read_key",
            "handler_read_rnd_next",
            "rows_examined",
            "rows_sent",
            "sort_rows",
        ]
        .map(str::to_owned)
        .into(),
        ..Baseline::default()
    };
    let mut probe = Probe::default();
    for (name, value) in counters {
        probe
            .counters
            .insert((*name).to_owned(), Count::steady(*value));
    }
    probe.plans.push(PlanShape {
        shape: vec!["a: ref k (x)".to_owned()],
        operations: 20,
    });
    baseline.probes.insert("p".to_owned(), probe);
    baseline
}

const BEFORE: &[(&str, u64)] = &[
    ("handler_read_key", 20),
    ("rows_examined", 60),
    ("rows_sent", 40),
    ("sort_rows", 40),
];

fn outcome_of(now: &[(&str, u64)], rules: &Rules) -> (Outcome, Vec<(String, Change)>) {
    let verdict = judge(&with(BEFORE), &with(now), rules);
    let changes = verdict.probes[0]
        .counters
        .iter()
        .map(|one| (one.counter.clone(), one.change))
        .collect();
    (verdict.outcome, changes)
}

/// `BEFORE` with one counter changed.
fn but(name: &'static str, value: u64) -> Vec<(&'static str, u64)> {
    let others = BEFORE.iter().copied().filter(|(other, _)| *other != name);
    others.chain([(name, value)]).collect()
}

#[test]
fn the_same_passes() {
    let (outcome, changes) = outcome_of(BEFORE, &Rules::default());
    assert_eq!((outcome, changes.len()), (Outcome::Pass, 0));
}

fn assert_change(name: &'static str, value: u64, rules: &Rules, wanted: (Outcome, Change)) {
    let found = outcome_of(&but(name, value), rules);
    let wanted = (wanted.0, vec![(name.to_owned(), wanted.1)]);
    assert_eq!(found, wanted, "{name} {value}");
}

const CAUGHT: (Outcome, Change) = (Outcome::Regressed, Change::Regressed);

#[test]
fn single_changes() {
    let none = Rules::default();
    let gain = (Outcome::Pass, Change::Improved);
    assert_change("rows_examined", 61, &none, CAUGHT);
    assert_change("rows_examined", 59, &none, gain);
    assert_change("rows_sent", 41, &none, CAUGHT);
    assert_change("rows_sent", 39, &none, CAUGHT);
    assert_change("created_tmp_disk_tables", 1, &none, CAUGHT);
    let strict = Rules {
        strict: true,
        ..Rules::default()
    };
    assert_change("rows_examined", 59, &strict, CAUGHT);
}

#[test]
fn tolerated_changes() {
    let tolerant = |text: &str| Rules {
        tolerances: vec![parse(text).unwrap()],
        ..Rules::default()
    };
    let fine = (Outcome::Pass, Change::Tolerated);
    assert_change("sort_rows", 42, &tolerant("p/sort_rows=5%"), fine);
    assert_change("sort_rows", 43, &tolerant("p/sort_rows=5%"), CAUGHT);
    assert_change("sort_rows", 42, &tolerant("q/sort_rows=5%"), CAUGHT);
    assert_change("sort_rows", 999, &tolerant("*/sort_rows=any"), fine);
}

#[test]
fn another_way_to_read_counts_by_its_sum() {
    // An index is used where a table was scanned before: fewer reads, and more of one kind.
    let before = with(&[("handler_read_rnd_next", 8_000)]);
    let after = with(&[("handler_read_key", 200)]);
    let verdict = judge(&before, &after, &Rules::default());
    assert_eq!(verdict.outcome, Outcome::Pass, "{verdict:?}");
    let back = judge(&after, &before, &Rules::default());
    assert_eq!(back.outcome, Outcome::Regressed);
    let reads = back.probes[0]
        .counters
        .iter()
        .find(|one| one.counter == "reads");
    assert_eq!(reads.unwrap().change, Change::Regressed);
}

#[test]
fn plans_are_told_and_gate_on_request() {
    let (before, mut after) = (with(BEFORE), with(BEFORE));
    let plans = &mut after.probes.get_mut("p").unwrap().plans;
    plans[0].shape = vec!["a: ALL".to_owned()];
    let told = judge(&before, &after, &Rules::default());
    assert_eq!(told.outcome, Outcome::Pass);
    assert_eq!(told.probes[0].plans.as_ref().unwrap().now.len(), 1);
    let rules = Rules {
        gate_plans: true,
        ..Rules::default()
    };
    assert_eq!(judge(&before, &after, &rules).outcome, Outcome::Regressed);
}

#[test]
fn a_failed_operation_is_a_regression() {
    let mut after = with(BEFORE);
    after.probes.get_mut("p").unwrap().failure = Some("no such table".to_owned());
    let verdict = judge(&with(BEFORE), &after, &Rules::default());
    assert_eq!(verdict.outcome, Outcome::Regressed);
}

#[test]
fn what_cannot_be_compared_is_not_judged() {
    let mut after = with(&[("rows_examined", 9_999)]);
    after.workload.seed = 9;
    let verdict = judge(&with(BEFORE), &after, &Rules::default());
    assert_eq!(verdict.outcome, Outcome::Incomparable);
    assert!(verdict.probes.is_empty());
}

#[test]
fn nothing_compared_is_no_pass() {
    let mut none = with(BEFORE);
    none.counted.clear();
    let verdict = judge(&none, &with(BEFORE), &Rules::default());
    assert_eq!(verdict.outcome, Outcome::Inconclusive);
    let mut empty = with(BEFORE);
    empty.probes.clear();
    let verdict = judge(&empty, &with(BEFORE), &Rules::default());
    assert_eq!(verdict.outcome, Outcome::Inconclusive);
}

#[test]
fn rounds_that_differ_are_ranges() {
    let range = |low, high| Count { low, high };
    let cost = |then, now| change(then, now, Meaning::Cost, None, false);
    for (then, now, wanted) in [
        (range(3, 5), range(6, 7), Change::Regressed),
        (range(3, 5), range(5, 6), Change::Unsteady),
        (range(3, 5), range(4, 4), Change::Tolerated),
        (range(3, 5), range(1, 2), Change::Improved),
        (range(4, 4), range(4, 5), Change::Unsteady),
    ] {
        assert_eq!(cost(then, now), wanted, "{then:?} {now:?}");
    }
}

proptest! {
    /// More of a cost is always caught, less never is, and nothing is at odds with itself.
    #[test]
    fn growth_is_caught_exactly(counters in proptest::collection::vec(0_u64..1_000_000, 3), more in 1_u64..9) {
        let names = ["rows_examined", "sort_rows", "created_tmp_disk_tables"];
        let at = |add: u64| -> Vec<(&str, u64)> {
            names.iter().zip(&counters).map(|(name, value)| (*name, value + add)).collect()
        };
        let (less, lots) = (with(&at(0)), with(&at(more)));
        let rules = Rules::default();
        prop_assert_eq!(judge(&less, &less, &rules).outcome, Outcome::Pass);
        prop_assert_eq!(judge(&less, &lots, &rules).outcome, Outcome::Regressed);
        prop_assert_eq!(judge(&lots, &less, &rules).outcome, Outcome::Pass);
    }
}
