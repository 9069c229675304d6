use super::super::fixture::{catalog, entries, row, toml};
use super::*;

#[test]
fn both_directions_are_told_table_by_table() {
    let entries = entries(&[
        toml("create", "a", r#"["state"]"#),
        toml("create", "customer", r#"["customer_id"]"#),
    ]);
    let ledger = [row(&entries[0], State::Applied)];
    let catalog = catalog();
    let sides = Sides {
        entries: &entries,
        ledger: &ledger,
        catalog: &catalog,
        default_schema: "shop",
        profile: "development",
    };
    let checked = drift(&sides, "indexes", true);
    assert_eq!(
        checked.subjects,
        ["shop.customers", "shop.lines", "shop.orders"]
    );
    let found: Vec<(&str, &str)> = checked
        .found
        .iter()
        .map(|one| (one.rule.name, one.object.as_deref().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("unmanaged", "shop.customers.email"),
            ("unmanaged", "shop.lines.order_id"),
            ("gone", "shop.orders.a"),
            ("exists", "shop.orders.customer"),
            ("unmanaged", "shop.orders.made_state"),
        ]
    );
    assert!(checked.found.iter().all(|one| !one.remedy.is_empty()));
    let spot = checked.found[2].spot.as_ref().unwrap();
    assert_eq!(spot.file, "indexes/0001_x.toml");
    let known = drift(&sides, "indexes", false);
    assert_eq!(known.found.len(), 2);
    for one in &known.found {
        assert!(known.rules.contains(&one.rule));
    }
}

#[test]
fn the_ledger_itself_is_no_stranger() {
    let mut catalog = catalog();
    catalog.tables.retain(|name, _| name.name == "lines");
    let mut table = catalog.tables.values().next().unwrap().clone();
    table.name.name = ledger::STEPS.to_owned();
    catalog.tables.insert(table.name.clone(), table);
    let sides = Sides {
        entries: &[],
        ledger: &[],
        catalog: &catalog,
        default_schema: "shop",
        profile: "development",
    };
    let names: Vec<_> = unmanaged(&sides)
        .into_iter()
        .map(|(table, index)| (table.name.name.as_str(), index.name.as_str()))
        .collect();
    assert_eq!(names, [("lines", "order_id")]);
}

#[test]
fn what_is_applied_in_another_profile_is_told() {
    let text = format!(
        "profiles = [\"production\"]\n{}",
        toml("create", "customer", r#"["customer_id"]"#)
    );
    let entries = entries(&[text]);
    let ledger = [row(&entries[0], State::Applied)];
    let catalog = catalog();
    let mut sides = Sides {
        entries: &entries,
        ledger: &ledger,
        catalog: &catalog,
        default_schema: "shop",
        profile: "test",
    };
    let found = drift(&sides, "indexes", false).found;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rule.name, "other-profile");
    sides.profile = "production";
    assert_eq!(drift(&sides, "indexes", false).found, []);
}
