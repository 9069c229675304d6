//! Several schemas, several ledgers, and foreign keys on descending indexes.

use super::*;

const DEFINITION: &str = "table = \"orders\"\naction = \"create\"\nindex = \"by_made\"\n\
                          columns = [\"made\", \"customer\"]\nreason = \"x\"\n";

fn definitions(schema: &Schema, folder: &Path, schemas: &[&str]) -> Vec<(String, String, bool)> {
    let mut arguments = vec!["report", "index", "--format", "json"];
    for name in schemas {
        arguments.extend(["--schema", name]);
    }
    let report = checked(
        "index-report.json",
        &out(&mydex(schema, folder, &arguments)),
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = report["definitions"].as_array().unwrap().iter();
    all.map(|one| {
        assert_eq!(one["problems"], Value::Array(Vec::new()), "{one:#}");
        (
            text(&one["schema"]),
            text(&one["state"]),
            one["file"].is_string(),
        )
    })
    .collect()
}

#[tokio::test]
async fn the_named_schema_decides_which_definitions_are_its_own() {
    let (one, other) = (shop("report_one").await, shop("report_other").await);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("indexes")).unwrap();
    fs::write(folder.path().join("indexes/0001_by_made.toml"), DEFINITION).unwrap();
    let apply = ["index", "apply", "--execute", "--schema", other.name()];
    out(&mydex(&one, folder.path(), &apply));
    // The URL names `one`, and the report is about `other`.
    let expected = (other.name().to_owned(), "applied".to_owned(), true);
    let told = definitions(&one, folder.path(), &[other.name()]);
    assert_eq!(told, std::slice::from_ref(&expected));
    // Of both, it is pending in the one that is meant and applied in the one that knows it.
    let told = definitions(&one, folder.path(), &[one.name(), other.name()]);
    let mut all = vec![
        (one.name().to_owned(), "pending".to_owned(), true),
        expected,
    ];
    all.sort();
    assert_eq!(told, all);
    // What is applied belongs here whatever its profile.
    let elsewhere = format!("profiles = [\"production\"]\n{DEFINITION}");
    fs::write(folder.path().join("indexes/0001_by_made.toml"), elsewhere).unwrap();
    let told = definitions(&one, folder.path(), &[other.name()]);
    assert_eq!(told.len(), 1);
    assert!(told[0].2);
}

#[tokio::test]
async fn a_foreign_key_holds_on_a_descending_index() {
    let schema = schema("report_desc").await;
    let pool = schema.pool().await;
    for sql in [
        "CREATE TABLE parent (id INT PRIMARY KEY)",
        "CREATE TABLE child (id INT PRIMARY KEY, p INT, KEY up (p), CONSTRAINT fk FOREIGN KEY (p) \
         REFERENCES parent (id))",
        "ALTER TABLE child ADD INDEX down (p DESC)",
        "ALTER TABLE child DROP INDEX up",
        "INSERT INTO parent VALUES (1)",
        "INSERT INTO child VALUES (1, 1)",
    ] {
        pool.execute(sql).await.unwrap();
    }
    let refused = pool.execute("DELETE FROM parent").await.unwrap_err();
    assert!(refused.to_string().contains("1451"), "{refused}");
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["report", "index", "--format", "json"];
    let report = checked(
        "index-report.json",
        &out(&mydex(&schema, folder.path(), &arguments)),
    );
    assert_eq!(report["summary"]["foreign_keys_without_index"], 0);
    assert_eq!(of(&report, "child", "down")["because"], "foreign_key_child");
}
