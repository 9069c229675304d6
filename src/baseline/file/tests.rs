use super::*;
use crate::baseline::recorded::{ServerFacts, TableData, TimedProbe};
use proptest::prelude::*;

fn example() -> Baseline {
    let mut baseline = Baseline {
        workload: Workload {
            pack: "cmdb".into(),
            version: 1,
            data_seed: 1,
            scale: 0.5,
            seed: 7,
            operations: 20,
        },
        server: ServerFacts {
            version: "9.7.4".into(),
            variables: [("sql_mode".to_owned(), "ANSI".to_owned())].into(),
        },
        counted: vec!["rows_examined".into(), "sort_rows".into()],
        ..Baseline::default()
    };
    baseline.data.tables.insert(
        "vpcs".into(),
        TableData {
            rows: 8_000,
            checksum: "12".into(),
            columns: "34".into(),
        },
    );
    baseline
        .indexes
        .insert("vpcs".into(), vec!["PRIMARY (id)".into()]);
    baseline
        .left_out
        .insert("sync".into(), "the server is read-only".into());
    let mut probe = Probe::default();
    probe
        .counters
        .insert("rows_examined".into(), Count::steady(20));
    probe
        .counters
        .insert("sort_rows".into(), Count { low: 3, high: 5 });
    probe.plans.push(PlanShape {
        shape: vec!["v: const PRIMARY (id)".into()],
        operations: 20,
    });
    baseline.probes.insert("vpc-by-id".into(), probe);
    baseline
}

#[test]
fn what_is_written_is_read_back() {
    let mut baseline = example();
    assert_eq!(parse(&render(&baseline)).unwrap(), baseline);
    baseline.timed = Some(Timed {
        seconds: 10.0,
        rate: 104.5,
        probes: [(
            "vpc-by-id".to_owned(),
            TimedProbe {
                completed: 600,
                others: 1,
                response_us: [("p95".to_owned(), 812.5)].into(),
                response: "HISTFAAA".into(),
                service: "HISTFAAB".into(),
            },
        )]
        .into(),
        pool: [("utilization".to_owned(), 0.25)].into(),
    });
    assert_eq!(parse(&render(&baseline)).unwrap(), baseline);
}

#[test]
fn one_changed_value_changes_one_line() {
    let one = render(&example());
    let mut changed = example();
    changed
        .probes
        .get_mut("vpc-by-id")
        .unwrap()
        .counters
        .insert("rows_examined".into(), Count::steady(21));
    let other = render(&changed);
    let differing = one.lines().zip(other.lines()).filter(|(a, b)| a != b);
    assert_eq!(differing.count(), 1);
    assert_eq!(one.lines().count(), other.lines().count());
}

fn assert_sorted(value: &Value) {
    match value {
        Value::Object(map) => {
            assert!(map.keys().is_sorted(), "{:?}", map.keys());
            map.values().for_each(assert_sorted);
        }
        Value::Array(list) => list.iter().for_each(assert_sorted),
        _ => {}
    }
}

#[test]
fn keys_are_sorted() {
    let value: Value = serde_json::from_str(&render(&example())).unwrap();
    assert_sorted(&value);
}

#[test]
fn all_mistakes_are_named_at_once() {
    let text = render(&example())
        .replace("\"rows\": 8000", "\"rows\": \"many\"")
        .replace("\"sql_mode\": \"ANSI\"", "\"sql_mode\": 7")
        .replace("\"rows_examined\": 20", "\"rows_examined\": -1")
        .replace("\"pack\": \"cmdb\"", "\"pact\": \"cmdb\"");
    let Mistakes(found) = parse(&text).unwrap_err();
    for place in [
        "`data.vpcs.rows`",
        "`server.variables.sql_mode`",
        "`probes.vpc-by-id.counters.rows_examined`",
        "`workload.pack`",
    ] {
        assert!(
            found.iter().any(|one| one.starts_with(place)),
            "{place} is not in {found:?}"
        );
    }
}

#[test]
fn other_versions_and_other_texts_are_refused() {
    for (text, part) in [
        ("", "line 1, column 0"),
        ("{", "no JSON"),
        ("[]", "`baseline_version`: there is none"),
        ("{\"baseline_version\": 2}", "it is `2`"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

proptest! {
    /// Any counters and any names come back as they were.
    #[test]
    fn any_probe_comes_back(
        counters in proptest::collection::btree_map("\\PC{1,12}", (1_u64..1 << 53, 0_u64..9), 0..8),
        shape in proptest::collection::vec("\\PC{0,30}", 0..4),
    ) {
        let mut baseline = example();
        let probe = Probe {
            counters: counters
                .into_iter()
                .map(|(name, (low, more))| (name, Count { low, high: low + more }))
                .collect(),
            plans: vec![PlanShape { shape, operations: 3 }],
            failure: None,
        };
        baseline.probes.insert("p".into(), probe);
        prop_assert_eq!(parse(&render(&baseline)).unwrap(), baseline);
    }

    /// No text breaks the reader.
    #[test]
    fn any_text_is_survived(text in "\\PC{0,60}") {
        let _ = parse(&text);
        let _ = parse(&format!("{{\"baseline_version\": 1, \"probes\": {text}}}"));
    }
}
