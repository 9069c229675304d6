//! What the linter finds is what the server refuses, in every format.

use super::*;

/// Definitions of which the server takes some and refuses the others.
const FORMS: &[&str] = &[
    r#"["made", "customer"]"#,
    r#"["note"]"#,
    r#"[{ column = "note", prefix = 700 }, "made"]"#,
    r#"[{ column = "note", prefix = 769 }]"#,
    r#"[{ column = "made", prefix = 4 }]"#,
    r#"[{ column = "long_a", prefix = 501 }]"#,
    r#"[{ column = "long_a", prefix = 500 }]"#,
    r#"["long_a", "long_b"]"#,
    r#"["long_a", { column = "long_b", prefix = 267 }, "id"]"#,
    r#"["long_a", { column = "long_b", prefix = 268 }, "id"]"#,
    r#"["doc"]"#,
    r#"["nothing"]"#,
    "[\"made\"]\nkind = \"fulltext\"",
    "[\"note\"]\nkind = \"fulltext\"",
    "[\"made\"]\nkind = \"spatial\"",
    r#"[{ expression = "lower(`long_a`)" }]"#,
];

/// The order of names decides which indexes on expressions are built in place: lint knows.
#[tokio::test]
async fn expressions_are_refused_where_the_server_refuses_them() {
    let (schema, pool) = shop("index_order").await;
    execute(&pool, "ALTER TABLE orders ADD INDEX m ((lower(long_a)))").await;
    let column =
        "[\"g\"]\ngenerated_column = { name = \"g\", type = \"int\", expression = \"`id` + 1\" }";
    let expression = r#"[{ expression = "(`id` + 1)" }]"#;
    for (name, form) in [
        ("a", expression),
        ("z", expression),
        ("g", column),
        ("Z", expression),
    ] {
        let bench = Bench::new(&schema);
        let text = format!(
            "table = \"orders\"\naction = \"create\"\nindex = \"{name}\"\ncolumns = {form}\nreason = \"x\"\n"
        );
        bench.write("0001_tried.toml", &text);
        let output = bench.run(&["lint", "--format", "json"]);
        let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
        let is_problem = rules(&checked).contains(&"in-place");
        let statements = Definition::parse("f", &text).unwrap().up(schema.name());
        let first = AssertSqlSafe(statements[0].clone());
        let done = pool.execute(first).await;
        assert_eq!(is_problem, done.is_err(), "{name}: {done:?}\n{checked:#}");
        if done.is_ok() {
            execute(&pool, &format!("ALTER TABLE orders DROP INDEX `{name}`")).await;
        }
    }
    pool.close().await;
}

/// What lint calls a problem is what the server refuses, and nothing else.
#[tokio::test]
async fn problems_are_what_the_server_refuses() {
    let (schema, pool) = shop("index_lint").await;
    for form in FORMS {
        let bench = Bench::new(&schema);
        let text = format!(
            "table = \"orders\"\naction = \"create\"\nindex = \"tried\"\ncolumns = {form}\nreason = \"x\"\n"
        );
        bench.write("0001_tried.toml", &text);
        let output = bench.run(&["lint", "--format", "json"]);
        let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
        let is_problem = checked["worst"] == "problem";
        assert_eq!(output.status.code(), Some(i32::from(is_problem)));
        let definition = Definition::parse("f", &text).unwrap();
        let mut refused = None;
        for statement in definition.up(schema.name()) {
            if let Err(error) = pool.execute(AssertSqlSafe(statement)).await {
                refused = Some(error.to_string());
            }
        }
        assert_eq!(
            is_problem,
            refused.is_some(),
            "{form}: {refused:?}\n{checked:#}"
        );
        if refused.is_none() {
            execute(&pool, "ALTER TABLE orders DROP INDEX tried").await;
        }
    }
    pool.close().await;
}

#[tokio::test]
async fn findings_have_their_place_in_every_format() {
    let (schema, pool) = shop("index_formats").await;
    let bench = Bench::new(&schema);
    bench.write(
        "0001_twice.toml",
        "table = \"orders\"\naction = \"create\"\nindex = \"again\"\ncolumns = [\"customer\"]\nreason = \"x\"\n",
    );
    bench.write(
        "0003_state.toml",
        "table = \"orders\"\naction = \"create\"\nindex = \"Few\"\ncolumns = [\"state\"]\n",
    );
    bench.write(
        "0004_needed.toml",
        "table = \"orders\"\naction = \"drop\"\nindex = \"by_customer\"\ncolumns = [\"customer\"]\nreason = \"x\"\n",
    );
    bench.write("0005_broken.toml", "table = orders\n");
    let checked = bench.json(1, &["lint"]);
    assert_eq!(
        rules(&checked),
        [
            "gap",
            "no-reason",
            "index-name",
            "low-selectivity",
            "unreadable"
        ],
        "{checked:#}"
    );
    // The duplicate comes before the drop of the other one, which then is not needed any more.
    bench.write(
        "0004_needed.toml",
        "table = \"orders\"\naction = \"drop\"\nindex = \"by_made\"\ncolumns = [\"customer\"]\nreason = \"x\"\n",
    );
    let checked = bench.json(1, &["lint"]);
    assert_eq!(
        rules(&checked),
        [
            "duplicate",
            "gap",
            "no-reason",
            "index-name",
            "low-selectivity",
            "other-index",
            "unreadable"
        ],
        "{checked:#}"
    );
    assert_eq!(checked["findings"][0]["file"], "indexes/0001_twice.toml");
    assert_eq!(checked["findings"][0]["line"], 4);
    formats_tell_the_same(&bench);
    pool.close().await;
}

/// Seven findings on four definitions, three of them problems.
fn formats_tell_the_same(bench: &Bench<'_>) {
    let sarif = bench.run(&["lint", "--format", "sarif"]);
    let sarif: Value = serde_json::from_slice(&sarif.stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 7);
    let junit = bench.run(&["lint", "--format", "junit"]);
    let junit = String::from_utf8(junit.stdout).unwrap();
    assert!(
        junit.contains("tests=\"4\"") && junit.contains("failures=\"3\""),
        "{junit}"
    );
    let markdown = bench.run(&["lint", "--format", "md"]);
    assert!(String::from_utf8_lossy(&markdown.stdout).contains("MYX021"));
    let offline = bench.json(1, &["lint", "--offline"]);
    assert_eq!(
        rules(&offline),
        ["gap", "no-reason", "index-name", "unreadable"]
    );
    for command in ["status", "plan", "drift"] {
        let output = bench.run(&[command]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(
            said(&output).contains("0005_broken.toml:1:9"),
            "{}",
            said(&output)
        );
    }
    let other = Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args(["config", "show", "--format", "sarif"])
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(2));
}
