mod live;

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
