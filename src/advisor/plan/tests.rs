//! Plans that MySQL 9.7 gave for the tables `t (id, a, b, c, s)` and `u (id, t_id, x, y)`.

use super::*;

const FIXTURES: &str = include_str!("../fixtures/plans.txt");

/// What is to be read from a plan: its cost, the indexes it uses, tables that are scanned.
const EXPECTED: [(&str, f64, &str, &str); 26] = [
    ("index-merge", 47.27, "ta tb", ""),
    // 11.02 for the rows, and 1.16 for each of the 100.
    ("select-list", 127.02, "ta ut", ""),
    // 994.25 for the scan, and 144.19 for each of the 9870 rows.
    ("attached-dependent", 1_424_149.55, "tcb", "t:9870"),
    // 0.71 for the range, and the scan of the other table once.
    ("attached-once", 2074.56, "ta", "u:20496"),
    // The scan, and 112.75 for what is looked up in, once.
    ("materialized-in", 1107.00, "ux", "t:9870"),
    // The scan of `u` is in the figure of the block.
    ("semi-join", 3202.13, "PRIMARY", "u:20496"),
    // 395.36 without the derived table, 2073.85 for filling it.
    ("derived", 2469.21, "tb ux", "u:20496"),
    // 74065.31, and once 2073.85 and the temporary table of its groups.
    ("shared", 78_188.76, "", "u:20496"),
    // 305.17, and for each of the 100 rows 0.72 and the sort of 2 rows.
    ("lateral", 407.17, "ta ut", ""),
    // The sum of both.
    ("union", 2077.35, "tb ux", "u:20496"),
    ("having", 1035.63, "ta ux", "t:9870"),
    // 31.75, and sorting 100 rows.
    ("sort-free", 46.75, "ta", ""),
    // The first ten of an index that costs 3454.50 in whole.
    ("limit-ordered", 3.50, "tb", "t:10"),
    // 994.25, and finding the first ten of 9870 rows.
    ("limit-sorted", 1389.05, "", "t:9870"),
    // A limit of an aggregate saves nothing.
    ("limit-counted", 146.12, "tcb", ""),
    // Five of a hundred rows that cost 31.75.
    ("limit-ref", 1.59, "tab", ""),
    // 8074.59, and sorting 20229.55 rows for ten, and the temporary table.
    ("join-sorted", 10_906.67, "ta ut", "t:9870"),
    ("optimized-away", 1.00, "", ""),
    ("no-row", 1.00, "", ""),
    // The server tells rows only.
    ("update", 36.00, "ta", ""),
    ("update-subquery", 108.00, "ta ut", ""),
    ("delete-join", 252.75, "PRIMARY ux", ""),
    ("insert-select", 41.38, "ux", ""),
    ("insert-values", 1.00, "", ""),
    ("second-version", 209.76, "PRIMARY tab ut", ""),
    ("hypergraph", 1344.65, "ta ut", ""),
];

fn choices() -> Vec<Choice> {
    [
        ("t", "PRIMARY"),
        ("t", "ta"),
        ("t", "tb"),
        ("t", "tab"),
        ("t", "tcb"),
        ("u", "PRIMARY"),
        ("u", "ut"),
        ("u", "ux"),
        ("v", "PRIMARY"),
    ]
    .iter()
    .map(|(table, index)| Choice {
        table: TableName::new("x1", *table),
        index: (*index).to_owned(),
        is_fixed: *index == "PRIMARY",
    })
    .collect()
}

fn fixture(name: &str) -> (&'static str, &'static str) {
    let mut lines = FIXTURES.lines();
    lines.find(|line| *line == format!("### {name}")).unwrap();
    let mut lines = lines.skip(1);
    (lines.next().unwrap(), lines.next().unwrap())
}

fn read(name: &str) -> Plan {
    let (note, json) = fixture(name);
    parse(json, note, &Known::of(&choices())).unwrap()
}

#[test]
fn costs_contain_what_the_root_leaves_out() {
    let choices = choices();
    for (name, cost, used, scans) in EXPECTED {
        let plan = read(name);
        assert!((plan.cost - cost).abs() < 0.01, "{name}: {}", plan.cost);
        let names = plan.used.iter().map(|place| choices[*place].index.as_str());
        assert_eq!(names.collect::<Vec<_>>().join(" "), used, "{name}");
        let found = plan.scans.iter();
        let found = found.map(|(table, rows)| format!("{}:{rows}", table.name));
        assert_eq!(found.collect::<Vec<_>>().join(" "), scans, "{name}");
        let hides = matches!(name, "optimized-away" | "no-row");
        assert_eq!(plan.hides_use, hides, "{name}");
    }
}

#[test]
fn every_fixture_is_expected() {
    let names = FIXTURES
        .lines()
        .filter_map(|line| line.strip_prefix("### "));
    assert!(names.eq(EXPECTED.iter().map(|(name, ..)| *name)));
}

#[test]
fn signatures_tell_plans_apart_and_forget_constants() {
    let mut seen = std::collections::BTreeMap::new();
    for (name, ..) in EXPECTED {
        if let Some(other) = seen.insert(read(name).signature, name) {
            assert_eq!((other, name), ("", ""), "the same signature");
        }
    }
    let (note, json) = fixture("derived");
    let known = Known::of(&choices());
    let other = json.replace("< 10)", "< 12)").replace("2073.85", "2090.00");
    assert_ne!(other, json);
    let other = parse(&other, note, &known).unwrap();
    assert_eq!(other.signature, read("derived").signature);
    assert!(
        read("derived")
            .signature
            .contains("t:range tb b index_condition")
    );
}

#[test]
fn what_is_no_plan_is_refused() {
    let known = Known::of(&choices());
    for (json, reason) in [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "no query block"),
        (
            r#"{"query_plan": {"operation": "x"}}"#,
            "hypergraph_optimizer",
        ),
    ] {
        let refused = parse(json, "", &known).unwrap_err();
        assert!(refused.contains(reason), "{json}: {refused}");
    }
}

proptest::proptest! {
    #[test]
    fn broken_plans_never_panic(cut in 0_usize..2000, name in 0_usize..EXPECTED.len()) {
        let (note, json) = fixture(EXPECTED[name].0);
        let cut = json.floor_char_boundary(cut);
        let known = Known::of(&choices());
        let _ = parse(&json[..cut], note, &known);
        let _ = parse(json, &note[..note.floor_char_boundary(cut)], &known);
    }
}
