use super::super::fixture::{catalog, entries, row, toml};
use super::*;
use crate::model::review::{Fate, Required};
use crate::model::schema::TableName;

/// A folder with these texts.
fn survey(texts: &[String]) -> Survey {
    let files: Vec<(String, String)> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| (format!("{:04}_x.toml", at + 1), text.clone()))
        .collect();
    let (entries, mistakes) = files::entries("indexes", files.clone());
    Survey {
        folder: "indexes".to_owned(),
        files: files
            .into_iter()
            .map(|(file, text)| (file, Some(text)))
            .collect(),
        entries,
        mistakes,
    }
}

/// Rule, file number and line of everything found.
fn told(checked: &Checked) -> Vec<(&'static str, &str, usize)> {
    checked
        .found
        .iter()
        .map(|one| {
            assert!(checked.rules.contains(&one.rule), "{one:?}");
            let spot = one.spot.as_ref().unwrap();
            let number = one.subject.split(['/', '_']).nth(1).unwrap();
            (one.rule.name, number, spot.line)
        })
        .collect()
}

fn offline(texts: &[&str]) -> Vec<(String, String, usize)> {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    told(&lint(&survey(&texts), None))
        .into_iter()
        .map(|(rule, file, line)| (rule.to_owned(), file.to_owned(), line))
        .collect()
}

fn names(texts: &[&str]) -> Vec<String> {
    offline(texts).into_iter().map(|one| one.0).collect()
}

#[test]
fn rules_of_a_definition_alone() {
    let good = toml("create", "orders_state", r#"["state"]"#);
    assert_eq!(names(&[&good]), Vec::<String>::new());
    for (text, rule) in [
        (good.replace("reason = \"wanted\"\n", ""), "no-reason"),
        (good.replace("\"wanted\"", "\"  \""), "no-reason"),
        (toml("create", "Orders-State", r#"["state"]"#), "index-name"),
        (toml("create", "1st", r#"["state"]"#), "index-name"),
        (
            toml("create", "low", r#"[{ expression = "lower(state)" }]"#),
            "blocks-writes",
        ),
        (format!("{good}kind = \"fulltext\"\n"), "blocks-writes"),
        (
            toml("create", "u", r#"[{ column = "state", prefix = 4 }]"#) + "unique = true\n",
            "unique-prefix",
        ),
        (
            toml("create", "m", r#"["a", "b", "c", "d", "e", "f"]"#),
            "many-parts",
        ),
        (good.replace("create", "make"), "unreadable"),
        (format!("{good}wrong = 1\n"), "unreadable"),
    ] {
        assert_eq!(names(&[&text]), [rule], "{text}");
    }
    // A drop is not asked for a good name, and proof excuses many parts.
    let old = toml("drop", "Orders-State", r#"["a", "b", "c", "d", "e", "f"]"#);
    assert_eq!(names(&[&old]), Vec::<String>::new());
    let proven = toml("create", "m", r#"["a", "b", "c", "d", "e", "f"]"#)
        + "[evidence]\nsource = \"x\"\nis_proven = true\n";
    assert_eq!(names(&[&proven]), Vec::<String>::new());
}

#[test]
fn places_are_those_of_the_value() {
    let text = "reason = \"wanted\"\ntable = \"orders\"\naction = \"create\"\nunique = true\n\
                index = \"Odd\"\ncolumns = [\n  \"made\",\n  { column = \"state\", prefix = 4 },\n]\n";
    let checked = lint(&survey(&[text.to_owned()]), None);
    let places: Vec<_> = checked
        .found
        .iter()
        .map(|one| {
            let spot = one.spot.as_ref().unwrap();
            (one.rule.code, spot.line, spot.column)
        })
        .collect();
    assert_eq!(places, [("MYX006", 5, 9), ("MYX011", 8, 3)]);
}

#[test]
fn definitions_go_on_from_one_another() {
    let create = toml("create", "a", r#"["state"]"#);
    let drop = toml("drop", "a", r#"["state"]"#);
    let wide = toml("create", "b", r#"["state", "made"]"#);
    let none = Vec::<String>::new();
    assert_eq!(names(&[&create, &drop, &create]), none);
    assert_eq!(names(&[&create, &create]), ["contradiction"]);
    assert_eq!(names(&[&drop, &drop]), ["contradiction"]);
    let other = toml("drop", "a", r#"["made"]"#);
    assert_eq!(names(&[&create, &other]), ["contradiction"]);
    // Another schema has its own index of the name.
    let elsewhere = format!("schema = \"other\"\n{create}");
    assert_eq!(names(&[&create, &elsewhere]), none);
    // Without a server the files are compared with one another.
    let same = toml("create", "c", r#"["state"]"#);
    assert_eq!(names(&[&create, &same]), ["duplicate"]);
    assert_eq!(names(&[&wide, &create]), ["redundant"]);
    assert_eq!(names(&[&create, &drop, &same]), none);
    let unique = format!("{create}unique = true\n");
    assert_eq!(names(&[&wide, &unique]), none);
}

#[test]
fn files_have_names_and_numbers() {
    let text = toml("create", "a", r#"["state"]"#);
    let files = vec![
        ("0001_a.toml".to_owned(), text.clone()),
        (
            "0004_b.toml".to_owned(),
            text.replace("\"a\"", "\"b\"").replace("state", "made"),
        ),
        (
            "0004_c.toml".to_owned(),
            text.replace("\"a\"", "\"c\"").replace("state", "id"),
        ),
        ("notes.txt".to_owned(), String::new()),
    ];
    let (entries, mistakes) = files::entries("indexes", files.clone());
    let survey = Survey {
        folder: "indexes".to_owned(),
        files: files
            .into_iter()
            .map(|(file, text)| (file, Some(text)))
            .collect(),
        entries,
        mistakes,
    };
    let checked = lint(&survey, None);
    let rules: Vec<&str> = checked.found.iter().map(|one| one.rule.name).collect();
    assert_eq!(rules, ["gap", "number-taken", "file-name"]);
    assert!(
        checked.found[0].message.contains("2 to 3"),
        "{:?}",
        checked.found[0]
    );
    assert_eq!(checked.subjects.len(), 4);
    assert_eq!(checked.worst(), Severity::Problem);
}

#[test]
fn a_rule_may_be_broken_with_a_reason() {
    let wide = toml("create", "low", r#"[{ expression = "lower(state)" }]"#);
    let allow = |rules: &str| format!("allow = [{rules}]\n{wide}");
    let none = Vec::<String>::new();
    let one = |rule: &str| format!("{{ rule = \"{rule}\", reason = \"at night\" }}");
    assert_eq!(names(&[&allow(&one("MYX010"))]), none);
    assert_eq!(names(&[&allow(&one("blocks-writes"))]), none);
    assert_eq!(
        names(&[&allow(&one("MYX005"))]),
        ["useless-allow", "blocks-writes"]
    );
    assert_eq!(
        names(&[&allow(&format!("{}, {}", one("MYX010"), one("MYX999")))]),
        ["useless-allow"]
    );
    // What only a server can judge is not useless without one; a problem is never allowed.
    assert_eq!(
        names(&[&allow(&format!("{}, {}", one("MYX010"), one("MYX040")))]),
        none
    );
    let same = format!(
        "allow = [{}]\n{}",
        one("MYX021"),
        toml("create", "b", r#"["made"]"#)
    );
    assert_eq!(
        names(&[&toml("create", "a", r#"["made"]"#), &same]),
        ["useless-allow", "duplicate"]
    );
    for wrong in [
        "{ rule = \"MYX010\" }",
        "{ rule = \"MYX010\", reason = \"\" }",
        "\"MYX010\"",
    ] {
        assert_eq!(names(&[&allow(wrong)]), ["unreadable"], "{wrong}");
    }
}

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
