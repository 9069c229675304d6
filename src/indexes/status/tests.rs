use super::super::fixture::{catalog, entries, row, toml};
use super::*;
use crate::model::schema::KeyPart;

/// The codes of what is wrong with each definition.
fn codes(states: &[Stand]) -> Vec<(u32, State, Vec<&'static str>)> {
    states
        .iter()
        .map(|stand| {
            let codes = stand.broken.iter().map(|broken| broken.rule.name).collect();
            (stand.state.version, stand.state.state, codes)
        })
        .collect()
}

fn of(
    entries: &[Entry],
    ledger: &[Row],
    catalog: &Catalog,
) -> Vec<(u32, State, Vec<&'static str>)> {
    codes(&stands(entries, ledger, catalog, "shop"))
}

fn with(index: &str, columns: &[&str]) -> Catalog {
    let mut catalog = catalog();
    let table = catalog
        .tables
        .get_mut(&TableName::new("shop", "orders"))
        .unwrap();
    let parts = columns.iter().map(|name| KeyPart::column(*name)).collect();
    table.indexes.push(Index::btree(index, parts));
    catalog
}

#[test]
fn a_new_definition_is_pending_and_meets_what_is_there() {
    for (text, expected) in [
        (toml("create", "a", r#"["state"]"#), vec![]),
        (
            toml("create", "Customer", r#"["customer_id"]"#),
            vec!["exists"],
        ),
        (
            toml("create", "customer", r#"["made"]"#),
            vec!["name-taken"],
        ),
        (toml("drop", "customer", r#"["customer_id"]"#), vec![]),
        (toml("drop", "gone", r#"["state"]"#), vec!["no-index"]),
        (
            toml("create", "a", r#"["state"]"#).replace("\"orders\"", "\"order\""),
            vec!["no-table"],
        ),
    ] {
        let found = of(&entries(std::slice::from_ref(&text)), &[], &catalog());
        assert_eq!(found, [(1, State::Pending, expected)], "{text}");
    }
}

#[test]
fn what_was_applied_has_to_be_there_as_it_was_applied() {
    let entries = entries(&[toml("create", "a", r#"["state"]"#)]);
    let ledger = [row(&entries[0], State::Applied)];
    let is = |catalog: &Catalog| of(&entries, &ledger, catalog).remove(0).2;
    assert_eq!(is(&with("a", &["state"])), Vec::<&str>::new());
    assert_eq!(is(&with("A", &["State"])), Vec::<&str>::new());
    assert_eq!(is(&catalog()), ["gone"]);
    assert_eq!(is(&with("a", &["state", "made"])), ["differs"]);
    let mut hidden = with("a", &["state"]);
    let table = hidden
        .tables
        .get_mut(&TableName::new("shop", "orders"))
        .unwrap();
    let index = table.indexes.last_mut().unwrap();
    index.is_visible = false;
    index.comment = "odd".to_owned();
    assert_eq!(is(&hidden), ["differs", "differs"]);
    let staged = [row(&entries[0], State::Staged)];
    assert_eq!(of(&entries, &staged, &hidden)[0].2, ["differs"]);
    // It was recorded because an equal index has another name.
    let mut equal = ledger.clone();
    equal[0].stage = Stage::Equal;
    assert!(of(&entries, &equal, &with("b", &["state"]))[0].2.is_empty());
    assert_eq!(of(&entries, &equal, &catalog())[0].2, ["gone"]);
}

#[test]
fn the_last_change_of_an_index_counts() {
    let texts = [
        toml("create", "a", r#"["state"]"#),
        toml("drop", "a", r#"["state"]"#),
        toml("create", "a", r#"["state", "made"]"#),
    ];
    let entries = entries(&texts);
    let mut ledger: Vec<Row> = entries.iter().map(|one| row(one, State::Applied)).collect();
    let found = of(&entries, &ledger, &with("a", &["state", "made"]));
    assert!(found.iter().all(|one| one.2.is_empty()), "{found:?}");
    let found = of(&entries, &ledger[..2], &catalog());
    assert!(found.iter().all(|one| one.2.is_empty()), "{found:?}");
    let found = of(&entries, &ledger[..2], &with("a", &["state"]));
    assert_eq!(found[0].2, Vec::<&str>::new());
    assert_eq!(found[1].2, ["still-there"]);
    // Applied again after the drop, out of the order of numbers: what came last counts.
    ledger.truncate(2);
    ledger[0].changed = jiff::Timestamp::from_second(9).unwrap();
    let found = of(&entries[..2], &ledger, &with("a", &["state"]));
    assert!(found.iter().all(|one| one.2.is_empty()), "{found:?}");
}

#[test]
fn what_was_there_before_its_definition_stays_when_that_is_taken_back() {
    let entries = entries(&[toml("create", "a", r#"["state"]"#)]);
    let mut ledger = [row(&entries[0], State::RolledBack)];
    let is = |ledger: &[Row], catalog: &Catalog| of(&entries, ledger, catalog).remove(0).2;
    assert_eq!(is(&ledger, &with("a", &["state"])), ["still-there"]);
    assert_eq!(is(&ledger, &catalog()), Vec::<&str>::new());
    ledger[0].before = Some("it was hidden".to_owned());
    assert_eq!(is(&ledger, &with("a", &["state"])), Vec::<&str>::new());
    assert_eq!(is(&ledger, &catalog()), ["not-restored"]);
}

#[test]
fn what_was_taken_back_is_not_there() {
    let texts = [
        toml("create", "a", r#"["state"]"#),
        toml("drop", "customer", r#"["customer_id"]"#),
    ];
    let entries = entries(&texts);
    let ledger = [
        row(&entries[0], State::Rejected),
        row(&entries[1], State::RolledBack),
    ];
    let found = of(&entries, &ledger, &catalog());
    assert!(found.iter().all(|one| one.2.is_empty()), "{found:?}");
    let mut other = with("a", &["state"]);
    let table = other
        .tables
        .get_mut(&TableName::new("shop", "orders"))
        .unwrap();
    table.indexes.retain(|index| index.name != "customer");
    let found = of(&entries, &ledger, &other);
    assert_eq!(found[0].2, ["still-there"]);
    assert_eq!(found[1].2, ["not-restored"]);
}

#[test]
fn papers_have_to_agree() {
    let texts = [
        toml("create", "a", r#"["state"]"#),
        toml("create", "b", r#"["made"]"#),
    ];
    let entries = entries(&texts);
    let catalog = with("b", &["made"]);
    // The second was applied, the first was not.
    let ledger = [row(&entries[1], State::Applied)];
    let found = of(&entries, &ledger, &catalog);
    assert_eq!(found[0], (1, State::Pending, vec!["out-of-order"]));
    assert_eq!(found[1], (2, State::Applied, vec![]));
    // The file of what was applied is gone; or says something else now.
    assert_eq!(
        of(&[], &ledger, &catalog),
        [(2, State::Applied, vec!["no-file"])]
    );
    let edited = super::super::fixture::entries(&[
        texts[0].clone(),
        toml("create", "b", r#"["made", "state"]"#),
    ]);
    assert_eq!(of(&edited, &ledger, &catalog)[1].2, ["edited"]);
    // A reason may be written later.
    let better = texts[1].replace("wanted", "wanted by everyone");
    let better = super::super::fixture::entries(&[texts[0].clone(), better]);
    assert_eq!(of(&better, &ledger, &catalog)[1].2, Vec::<&str>::new());
    // What was taken back may be edited, and its file may go.
    let back = [row(&entries[1], State::RolledBack)];
    assert_eq!(
        of(&edited, &back, &super::super::fixture::catalog())[1].2,
        Vec::<&str>::new()
    );
    assert_eq!(of(&[], &back, &catalog)[0].2, Vec::<&str>::new());
    let mut begun = row(&entries[0], State::Unfinished);
    begun.error = Some("lock wait timeout".to_owned());
    let found = stands(&entries, &[begun], &catalog, "shop");
    assert!(found[0].broken[0].message.ends_with(": lock wait timeout"));
}

#[test]
fn ledgers_of_several_schemas_are_kept_apart() {
    let text = toml("create", "a", r#"["state"]"#);
    let entries = entries(&[text.clone(), format!("schema = \"other\"\n{text}")]);
    let other = Row {
        table: TableName::new("other", "orders"),
        ..row(&entries[0], State::Applied)
    };
    // Number 1 of the other schema is another folder's.
    let found = stands(&entries, &[other], &catalog(), "shop");
    let states: Vec<_> = found
        .iter()
        .map(|one| {
            (
                one.state.table.schema.as_str(),
                one.state.version,
                one.state.state,
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("shop", 1, State::Pending),
            ("other", 1, State::Applied),
            ("other", 2, State::Pending)
        ]
    );
    let states = states_of_problems(&found);
    assert!(states[1].contains("no such file"), "{states:?}");
}

fn states_of_problems(stands: &[Stand]) -> Vec<String> {
    stands
        .iter()
        .map(|one| {
            let all = one.broken.iter().map(|broken| broken.message.clone());
            all.collect::<Vec<_>>().join("|")
        })
        .collect()
}

#[test]
fn problems_are_sentences_with_their_remedy() {
    let entries = entries(&[toml("drop", "gone", r#"["state"]"#)]);
    let states = states(&entries, &[], &catalog(), "shop");
    assert_eq!(
        states[0].problems,
        [
            "there is no index `gone` on `shop.orders` to drop; correct `index` or `table`, or \
             leave the definition out"
        ]
    );
    assert_eq!(states[0].file.as_deref(), Some("0001_x.toml"));
    assert_eq!(states[0].changed, None);
}

#[test]
fn what_the_guard_hid_is_as_the_ledger_says() {
    let entries = entries(&[toml("create", "a", r#"["state"]"#)]);
    let mut hidden = row(&entries[0], State::Rejected);
    hidden.stage = Stage::Hidden;
    hidden.note = Some("hidden again".to_owned());
    let ledger = [hidden];
    let is = |catalog: &Catalog| of(&entries, &ledger, catalog).remove(0).2;
    let mut there = with("a", &["state"]);
    assert_eq!(is(&there), ["still-there"], "somebody shows it");
    let table = there.tables.get_mut(&TableName::new("shop", "orders"));
    table.unwrap().indexes.last_mut().unwrap().is_visible = false;
    assert_eq!(is(&there), Vec::<&str>::new());
    assert_eq!(is(&catalog()), Vec::<&str>::new(), "somebody dropped it");
    let said = &states(&entries, &ledger, &there, "shop")[0].said;
    assert_eq!(said.as_deref(), Some("hidden again"));
    // One that was rejected before it counted is gone, and must not come back by itself.
    let gone = [row(&entries[0], State::Rejected)];
    assert_eq!(of(&entries, &gone, &there)[0].2, ["still-there"]);
}

#[test]
fn what_was_so_before_is_left_so() {
    let texts = [
        toml("create", "customer", r#"["customer_id"]"#),
        toml("drop", "never", r#"["state"]"#),
    ];
    let entries = entries(&texts);
    let mut ledger = [
        row(&entries[0], State::RolledBack),
        row(&entries[1], State::RolledBack),
    ];
    let found = of(&entries, &ledger, &catalog());
    assert_eq!(found[0].2, ["still-there"]);
    assert_eq!(found[1].2, ["not-restored"]);
    // Adopted, or a drop of what was not there: taking that back changes nothing.
    for row in &mut ledger {
        row.stage = Stage::Equal;
    }
    let found = of(&entries, &ledger, &catalog());
    assert!(found.iter().all(|one| one.2.is_empty()), "{found:?}");
}
