//! Rules beside the catalog of a server.

use super::*;
use crate::indexes::definition::Definition;

/// A review that knows of duplicates and beginnings, and of the index of the one foreign key.
fn review(catalog: &Catalog) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for table in catalog.tables.values() {
        for index in table.indexes.iter().filter(|index| !index.is_primary()) {
            let others = || {
                table
                    .indexes
                    .iter()
                    .filter(|other| other.name != index.name)
            };
            let same = others().find(|other| other.parts == index.parts && other.name > index.name);
            let longer = others().find(|other| {
                !other.is_primary()
                    && other.parts.len() > index.parts.len()
                    && other.parts.starts_with(&index.parts)
            });
            let fate = match (same, longer) {
                (Some(same), _) => Fate::Duplicate(same.name.clone()),
                (_, Some(longer)) => Fate::Redundant(longer.name.clone()),
                _ if index.is_unique => Fate::Required(Required::Unique),
                _ if index.name == "customer" => Fate::Required(Required::ForeignKeyChild),
                _ => Fate::Keep,
            };
            verdicts.push(Verdict {
                table: table.name.clone(),
                index: index.clone(),
                fate,
                reason: String::new(),
                ddl: Vec::new(),
                undo: Vec::new(),
            });
        }
    }
    verdicts
}

fn key_bytes(table: &Table, part: &KeyPart) -> u64 {
    let column = part.column_name().and_then(|name| table.column(name));
    let whole = column.and_then(|column| column.max_bytes).unwrap_or(8);
    part.prefix.map_or(whole, |chars| u64::from(chars) * 4)
}

fn online_with(texts: &[String], catalog: &Catalog, ledger: &[Row], free: Option<u64>) -> Checked {
    let experts = Experts {
        review: &review,
        size: &|table, _| (table.rows * 40, Duration::from_secs(1)),
        key_bytes: &key_bytes,
        key_limits: &|_| (3072, 3072),
        distinct: &|_, column| (column == "state").then_some(5),
    };
    let live = Live {
        catalog,
        ledger,
        default_schema: "shop",
        profile: "test",
        disk_free: free,
        experts: &experts,
    };
    lint(&survey(texts), Some(&live))
}

fn online(texts: &[&str]) -> Vec<String> {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let checked = online_with(&texts, &catalog(), &[], None);
    checked
        .found
        .iter()
        .map(|one| one.rule.name.to_owned())
        .collect()
}

#[test]
fn rules_of_a_definition_on_its_table() {
    let good = toml("create", "a", r#"["state", "customer_id"]"#);
    assert_eq!(online(&[&good]), Vec::<String>::new());
    for (text, rule) in [
        (good.replace("\"orders\"", "\"oders\""), "no-table"),
        (
            toml("create", "a", r#"["stat", "customer_id"]"#),
            "no-column",
        ),
        (toml("create", "customer", r#"["customer_id"]"#), "exists"),
        (toml("create", "customer", r#"["made"]"#), "name-taken"),
        (toml("create", "a", r#"["customer_id"]"#), "duplicate"),
        (toml("create", "zz", r#"["customer_id"]"#), "duplicate"),
        (toml("create", "a", r#"["made"]"#), "redundant"),
        (
            toml("create", "a", r#"["customer_id", "made"]"#),
            "makes-redundant",
        ),
        (toml("create", "a", r#"["doc"]"#), "unfit-part"),
        (toml("create", "a", r#"["note"]"#), "unfit-part"),
        (
            toml("create", "a", r#"[{ column = "made", prefix = 3 }]"#),
            "unfit-part",
        ),
        (
            toml("create", "a", r#"[{ column = "state", prefix = 21 }]"#),
            "unfit-part",
        ),
        (toml("create", "a", r#"["long_a", "long_b"]"#), "too-wide"),
        (toml("create", "a", r#"["state", "id"]"#), "primary-suffix"),
        (toml("create", "a", r#"["id"]"#), "primary-suffix"),
        (toml("create", "a", r#"["state"]"#), "low-selectivity"),
        (toml("create", "a", r#"["kind"]"#), "low-selectivity"),
        (toml("drop", "gone", r#"["state"]"#), "no-index"),
        (toml("drop", "made_state", r#"["made"]"#), "other-index"),
        (toml("drop", "customer", r#"["customer_id"]"#), "needed"),
    ] {
        assert_eq!(online(&[&text]), [rule], "{text}");
    }
    assert_eq!(
        online(&[&toml("drop", "made_state", r#"["made", "state"]"#)]),
        Vec::<String>::new()
    );
    assert_eq!(
        online(&[&toml(
            "create",
            "a",
            r#"[{ column = "note", prefix = 20 }]"#
        )]),
        Vec::<String>::new()
    );
    let proven =
        toml("create", "a", r#"["state"]"#) + "[evidence]\nsource = \"x\"\nis_proven = true\n";
    assert_eq!(online(&[&proven]), Vec::<String>::new());
}

#[test]
fn each_definition_is_judged_after_those_before_it() {
    let none = Vec::<String>::new();
    let longer = toml("create", "a", r#"["customer_id", "made"]"#);
    let old = toml("drop", "customer", r#"["customer_id"]"#);
    // The longer one supports the foreign key, and the old one goes.
    assert_eq!(online(&[&longer, &old]), none);
    assert_eq!(online(&[&old, &longer]), ["needed"]);
    // A duplicate under another name is how an index is renamed.
    let renamed = toml("create", "b", r#"["made", "state"]"#);
    let drop = toml("drop", "made_state", r#"["made", "state"]"#);
    assert_eq!(online(&[&renamed, &drop]), none);
    assert_eq!(online(&[&renamed]), ["duplicate"]);
    // A drop of what an earlier definition makes.
    let made = toml("create", "n", r#"["state", "made"]"#);
    let gone = toml("drop", "n", r#"["state", "made"]"#);
    assert_eq!(online(&[&made, &gone, &made]), none);
}

#[test]
fn limits_of_the_table_and_the_disk() {
    let text = toml("create", "a", r#"["state", "customer_id"]"#);
    let rules = |catalog: &Catalog, free| -> Vec<&'static str> {
        let checked = online_with(std::slice::from_ref(&text), catalog, &[], free);
        checked.found.iter().map(|one| one.rule.name).collect()
    };
    let mut full = catalog();
    let table = full
        .tables
        .get_mut(&TableName::new("shop", "orders"))
        .unwrap();
    for number in 0..64 {
        let parts = vec![KeyPart::column("note")];
        table
            .indexes
            .push(Index::btree(format!("n{number}"), parts));
    }
    let found = rules(&full, None);
    assert!(found.contains(&"too-many"), "{found:?}");
    let mut other = catalog();
    let table = other
        .tables
        .get_mut(&TableName::new("shop", "orders"))
        .unwrap();
    table.engine = "MyISAM".to_owned();
    assert_eq!(rules(&other, None), ["engine"]);
    // 100,000 rows at 40 bytes, twice.
    assert_eq!(rules(&catalog(), Some(8_000_000)), Vec::<&str>::new());
    assert_eq!(rules(&catalog(), Some(7_999_999)), ["disk"]);
    let mut small = catalog();
    let table = small
        .tables
        .get_mut(&TableName::new("shop", "orders"))
        .unwrap();
    table.rows = 999;
    let kind = online_with(&[toml("create", "a", r#"["kind"]"#)], &small, &[], None);
    assert_eq!(kind.found, []);
}

#[test]
fn what_was_applied_is_not_judged_again_but_must_not_change() {
    let text = toml("create", "a", r#"["customer_id"]"#);
    let before = entries(std::slice::from_ref(&text));
    let ledger = [row(&before[0], State::Applied)];
    let mut catalog = catalog();
    let table = catalog
        .tables
        .get_mut(&TableName::new("shop", "orders"))
        .unwrap();
    table.indexes.push(before[0].definition.index.clone());
    assert_eq!(
        online_with(std::slice::from_ref(&text), &catalog, &ledger, None).found,
        []
    );
    let edited = toml("create", "a", r#"["state"]"#);
    let found = online_with(&[edited], &catalog, &ledger, None).found;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rule.name, "edited");
    assert_eq!(found[0].spot.as_ref().unwrap().line, 3);
    let other = toml("create", "b", r#"["state", "made"]"#);
    let found = online_with(&[other], &catalog, &[], None).found;
    assert_eq!(found, []);
    let lost = online_with(&[], &catalog, &ledger, None).found;
    assert_eq!(lost[0].rule.name, "no-file");
    assert_eq!(lost[0].subject, "shop.orders");
}

#[test]
fn definitions_of_other_profiles_are_checked_by_themselves_alone() {
    let prod = |text: &str| format!("profiles = [\"production\"]\n{text}");
    let missing = toml("create", "a", r#"["stat"]"#);
    let none = Vec::<String>::new();
    assert_eq!(online(&[&prod(&missing)]), none);
    assert_eq!(online(&[&missing]), ["no-column"]);
    // It is no gap, and what comes behind it is judged without it.
    let same = toml("create", "b", r#"["state", "customer_id"]"#);
    assert_eq!(
        online(&[
            &prod(&toml("create", "a", r#"["state", "customer_id"]"#)),
            &same
        ]),
        none
    );
    // What it may break elsewhere is not useless here.
    let allow = "allow = [{ rule = \"MYX040\", reason = \"x\" }]\n";
    assert_eq!(
        online(&[&prod(&format!(
            "{allow}{}",
            toml("create", "a", r#"["state"]"#)
        ))]),
        none
    );
    let odd = prod(&toml("create", "Odd", r#"["state"]"#));
    assert_eq!(online(&[&odd]), ["index-name"]);
}

#[test]
fn expressions_come_in_the_order_of_their_names() {
    let upper = r#"[{ expression = "upper(`state`)" }, "made"]"#;
    let lower = r#"[{ expression = "lower(`state`)" }, "made"]"#;
    let allow = |text: &str| format!("allow = [{{ rule = \"MYX010\", reason = \"x\" }}]\n{text}");
    let (early, late) = (toml("create", "a", upper), toml("create", "B", lower));
    let late = late.replace("\"B\"", "\"b\"");
    assert_eq!(
        online(&[&allow(&early), &allow(&late)]),
        Vec::<String>::new()
    );
    assert_eq!(online(&[&allow(&late), &allow(&early)]), ["in-place"]);
    let column = toml("create", "g", r#"["low", "customer_id"]"#)
        + "generated_column = { name = \"low\", type = \"varchar(20)\", expression = \"lower(`state`)\" }\n";
    assert_eq!(online(&[&column]), Vec::<String>::new());
    assert_eq!(online(&[&column, &allow(&early)]), Vec::<String>::new());
    assert_eq!(online(&[&allow(&early), &column]), ["in-place"]);
}

#[test]
fn what_is_built_by_a_copy_needs_no_place_in_the_order() {
    let upper = r#"[{ expression = "upper(`state`)" }, "made"]"#;
    let lower = r#"[{ expression = "lower(`state`)" }, "made"]"#;
    let allow = |text: &str| {
        format!(
            "allow = [{{ rule = \"MYX010\", reason = \"x\" }}, {{ rule = \"MYX036\", reason = \"x\" }}]\n{text}"
        )
    };
    let late = allow(&toml("create", "b", lower));
    let early = allow(&toml("create", "a", upper));
    let unique = format!("{early}unique = true\n");
    let is_told = |texts: &[String], catalog: &Catalog| {
        let checked = online_with(texts, catalog, &[], None);
        checked.found.iter().any(|one| one.rule.name == "in-place")
    };
    assert!(is_told(&[late.clone(), early.clone()], &catalog()));
    assert!(!is_told(&[late.clone(), unique], &catalog()));
    let mut parted = catalog();
    let orders = parted.tables.get_mut(&TableName::new("shop", "orders"));
    orders.unwrap().partitioning = Some("HASH (`id`)".to_owned());
    assert!(!is_told(&[late, early], &parted));
}

#[test]
fn what_writes_wait_for_is_judged_by_the_table() {
    let low = toml("create", "z_low", r#"[{ expression = "lower(`state`)" }]"#);
    let said = |catalog: &Catalog| {
        let checked = online_with(std::slice::from_ref(&low), catalog, &[], None);
        let mut found = checked.found.into_iter();
        let one = found.find(|one| one.rule.name == "blocks-writes").unwrap();
        (one.message, one.remedy)
    };
    let mut catalog = catalog();
    let (message, remedy) = said(&catalog);
    assert!(message.contains("LOCK=SHARED"), "{message}");
    assert!(remedy.contains("generated_column"), "{remedy}");
    let name = TableName::new("shop", "orders");
    let orders = catalog.tables.get_mut(&name).unwrap();
    orders.partitioning = Some("HASH (`id`)".to_owned());
    let (message, _) = said(&catalog);
    assert!(message.contains("a copy of the whole table"), "{message}");
    // Beside another expression a generated column would take a copy as well.
    let orders = catalog.tables.get_mut(&name).unwrap();
    orders.partitioning = None;
    let up = toml("create", "a_up", r#"[{ expression = "upper(`state`)" }]"#);
    let up = Definition::parse("f", &up).unwrap();
    orders.indexes.push(up.index);
    let (_, remedy) = said(&catalog);
    assert_eq!(remedy, "build it in a quiet hour");
}
