use super::*;
use crate::model::schema::{Index, KeyPart};

fn definition(action: Action, table: &str, index: &str, column: &str) -> Definition {
    Definition {
        schema: Some("shop".to_owned()),
        table: table.to_owned(),
        action,
        index: Index::btree(index, vec![KeyPart::column(column)]),
        column: None,
        reason: String::new(),
        evidence: None,
    }
}

fn create(table: &str, index: &str, column: &str) -> Definition {
    definition(Action::Create, table, index, column)
}

fn entry(version: u32, definition: Definition) -> Entry {
    Entry {
        version,
        name: "x".to_owned(),
        file: format!("{version:04}_x.toml"),
        definition,
        terms: Terms::default(),
    }
}

fn names(planned: &[Planned]) -> Vec<&str> {
    planned
        .iter()
        .map(|one| match one {
            Planned::New { file, .. } | Planned::Stated { file } => file.as_str(),
        })
        .collect()
}

#[test]
fn names_of_files() {
    for (file, parts) in [
        ("0003_orders_state.toml", Some((3, "orders_state"))),
        ("12345_a-b.toml", Some((12345, "a-b"))),
        ("003_a.toml", None),
        ("0000_a.toml", None),
        ("0003_.toml", None),
        ("0003.toml", None),
        ("0003_A.toml", None),
        ("0003_a.toml.bak", None),
        ("0003_a.tml", None),
        ("+003_a.toml", None),
        ("99999999999_a.toml", None),
        ("0003_ä.toml", None),
    ] {
        assert_eq!(parts_of(file), parts, "{file}");
    }
    assert!(is_ignored(".gitkeep") && is_ignored("README.md"));
    assert!(!is_ignored("notes.txt") && !is_ignored("0003_a.toml~"));
}

#[test]
fn duplicates_and_unknown_files_are_mistakes_beside_those_inside() {
    let good = create("orders", "a", "a").to_toml();
    let files = [
        ("0002_b.toml", good.as_str()),
        ("0002_a.toml", "table = 1"),
        ("0001_a.toml", good.as_str()),
        ("notes.txt", "anything"),
    ];
    let files = files.map(|(file, text)| (file.to_owned(), text.to_owned()));
    let (found, mistakes) = entries("indexes", files.to_vec());
    let versions: Vec<u32> = found.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, [1, 2]);
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert!(
        told.iter()
            .any(|one| one.starts_with("indexes/0002_a.toml:1:9: `table` is the number `1`")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|one| one.contains("number 2 is taken by `0002_a.toml`")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|one| one.contains("`notes.txt` is no name of a definition")),
        "{told:?}"
    );
}

#[test]
fn new_files_get_the_next_numbers_and_readable_names() {
    let wanted = [
        create("orders", "orders_state", "state"),
        create("Orders", "By Made!", "made"),
        definition(Action::Drop, "orders", "old", "old"),
        create("漢", "字", "x"),
    ];
    let planned = plan(&[entry(7, create("other", "a", "a"))], &wanted).unwrap();
    assert_eq!(
        names(&planned),
        [
            "0008_orders_state.toml",
            "0009_orders_by_made.toml",
            "0010_drop_orders_old.toml",
            "0011_index.toml"
        ]
    );
    for one in &names(&planned) {
        assert!(parts_of(one).is_some(), "{one}");
    }
}

#[test]
fn what_is_stated_is_not_written_twice() {
    let stated = [
        entry(1, create("orders", "orders_state", "state")),
        entry(2, create("orders", "gone", "gone")),
        entry(3, definition(Action::Drop, "orders", "gone", "gone")),
    ];
    let wanted = [
        create("orders", "orders_state", "state"),
        // The same index under another name.
        create("orders", "by_state", "state"),
        // Made, dropped, and wanted again.
        create("orders", "gone", "gone"),
        // The same twice in one go.
        create("orders", "new", "new"),
        create("orders", "new", "new"),
    ];
    let planned = plan(&stated, &wanted).unwrap();
    assert_eq!(
        names(&planned),
        [
            "0001_x.toml",
            "0001_x.toml",
            "0004_orders_gone.toml",
            "0005_orders_new.toml",
            "0005_orders_new.toml"
        ]
    );
    let is_new = |one: &Planned| matches!(one, Planned::New { .. });
    assert_eq!(planned.iter().filter(|one| is_new(one)).count(), 2);
}

#[test]
fn of_two_equal_indexes_each_is_written_by_its_name() {
    let stated = [entry(1, create("orders", "orders_state", "state"))];
    let wanted = [
        create("orders", "orders_state", "state"),
        create("orders", "by_state", "state"),
        create("orders", "state_again", "state"),
    ];
    let planned = plan_by_name(&stated, &wanted).unwrap();
    assert_eq!(
        names(&planned),
        [
            "0001_x.toml",
            "0002_orders_by_state.toml",
            "0003_orders_state_again.toml"
        ]
    );
}

#[test]
fn a_name_is_as_long_as_the_ledger_has_room_for() {
    let file = |letters: usize| format!("0001_{}.toml", "a".repeat(letters));
    assert!(parts_of(&file(100)).is_some());
    assert!(parts_of(&file(101)).is_none());
    let text = create("orders", "a", "state").to_toml();
    let (_, mistakes) = entries("", vec![(file(101), text)]);
    assert!(mistakes[0].to_string().contains("100 of them at most"));
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let stated = [entry(1, create("orders", "a", "state"))];
    let refused = plan(&stated, &[create("orders", "A", "made")]).unwrap_err();
    assert!(matches!(refused, Refused::Taken { .. }));
    assert!(refused.to_string().contains("`0001_x.toml`"));
    let full = [entry(MAX_VERSION, create("orders", "a", "state"))];
    assert_eq!(
        plan(&full, &[create("orders", "b", "b")]),
        Err(Refused::Full)
    );
}

#[test]
fn terms_are_no_part_of_the_change() {
    let text = create("orders", "a", "state").to_toml();
    let with = format!(
        "profiles = [\"test\", \"production\"]\nallow = [{{ rule = \"MYX020\", reason = \"why\" }}]\n{text}"
    );
    let read = |text: &str| entries("", vec![("0001_a.toml".to_owned(), text.to_owned())]);
    let (bare, mistakes) = read(&text);
    assert_eq!(mistakes, []);
    let (termed, mistakes) = read(&with);
    assert_eq!(mistakes, []);
    assert_eq!(termed[0].definition, bare[0].definition);
    assert_eq!(
        termed[0].definition.checksum(),
        bare[0].definition.checksum()
    );
    assert_eq!(termed[0].terms.allow[0].reason, "why");
    assert!(bare[0].is_for("development") && !termed[0].is_for("development"));
    assert!(termed[0].is_for("production"));
    for (wrong, told) in [
        ("profiles = [\"prod\"]", "did you mean `production`?"),
        ("profiles = []", "leave it out"),
        ("profiles = \"test\"", "profiles"),
        ("allow = [\"MYX020\"]", "not a table"),
        ("allow = [{ rule = \"MYX020\" }]", "`reason` is missing"),
        ("allow = [{ rule = \"MYX020\", reason = \" \" }]", "say why"),
    ] {
        let (_, mistakes) = read(&format!("{wrong}\n{text}"));
        let all: String = mistakes.iter().map(ToString::to_string).collect();
        assert!(all.contains(told), "{wrong}: {all}");
    }
}

#[test]
fn an_index_is_named_after_its_parts() {
    let parts = crate::indexes::columns::parse("State, (lower(`e`)), made desc").unwrap();
    assert_eq!(index_name(&parts, |_| false), "idx_state_lower_e_made");
    let taken = |name: &str| name == "idx_state_lower_e_made";
    assert_eq!(index_name(&parts, taken), "idx_state_lower_e_made_2");
}
