//! `mydex report` from end to end: the binary against a real server.

mod several;
mod statements;

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use sqlx::Executor as _;

use crate::server::{Schema, published as checked, schema};

/// A text that tries to leave every place it is put into, as far as an identifier can hold it.
const HOSTILE: &str = "<script>alert(1)</script>\"'|\u{202e}&";

/// A schema with one index of each fate, a full-text index, an expression, and a partitioned table.
async fn shop(name: &str) -> Schema {
    let schema = schema(name).await;
    let pool = schema.pool().await;
    for sql in [
        "CREATE TABLE customers (id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(80) NOT NULL, \
         region VARCHAR(8), note TEXT, UNIQUE KEY email (email), FULLTEXT KEY words (note) WITH \
         PARSER ngram)",
        "CREATE TABLE orders (id INT PRIMARY KEY, customer INT NOT NULL, state VARCHAR(12) NOT \
         NULL, made DATETIME NOT NULL, KEY state_only (state), KEY state_twice (state), KEY \
         state_made (state, made DESC), KEY unread (made), KEY hidden (made, state) INVISIBLE, KEY \
         lowered ((LOWER(state))), CONSTRAINT fk_customer FOREIGN KEY (customer) REFERENCES \
         customers (id))",
        "CREATE TABLE counted (a INT NOT NULL, b INT NOT NULL AUTO_INCREMENT, c INT, PRIMARY KEY \
         (a, b), KEY counter (b), KEY c (c))",
        "CREATE TABLE keyless (a INT NOT NULL, b INT, UNIQUE KEY a (a))",
        "CREATE TABLE parted (id INT PRIMARY KEY, made INT, KEY made (made)) PARTITION BY HASH \
         (id) PARTITIONS 3",
        "CREATE VIEW open_orders AS SELECT id FROM orders WHERE state = 'open'",
        "INSERT INTO customers (id, email) VALUES (1, 'a'), (2, 'b')",
        "INSERT INTO orders VALUES (1, 1, 'open', '2026-01-01'), (2, 2, 'paid', '2026-01-02')",
        "ANALYZE TABLE customers, orders, counted, keyless, parted",
    ] {
        pool.execute(sql).await.unwrap();
    }
    pool.fetch_all("SELECT id FROM orders FORCE INDEX (state_made) WHERE state = 'open'")
        .await
        .unwrap();
    schema
}

fn mydex(schema: &Schema, folder: &Path, arguments: &[&str]) -> Output {
    schema.mydex(folder, arguments)
}

fn out(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{:?}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn of<'a>(report: &'a Value, table: &str, index: &str) -> &'a Value {
    report["indexes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["table"] == table && one["index"]["name"] == index)
        .unwrap_or_else(|| panic!("no {table}.{index} in {report:#}"))
}

#[tokio::test]
async fn each_index_has_its_fate_and_its_figures() {
    let schema = shop("report_fates").await;
    let folder = tempfile::tempdir().unwrap();
    let output = mydex(
        &schema,
        folder.path(),
        &["report", "index", "--format", "json"],
    );
    let report = checked("index-report.json", &out(&output));
    let fates = [
        ("orders", "PRIMARY", "keep"),
        ("orders", "state_made", "keep"),
        ("orders", "unread", "keep"),
        ("orders", "hidden", "keep"),
        ("orders", "fk_customer", "required"),
        ("customers", "email", "required"),
        ("counted", "counter", "required"),
        ("counted", "c", "keep"),
        ("keyless", "a", "required"),
        ("parted", "made", "keep"),
    ];
    for (table, index, fate) in fates {
        let one = of(&report, table, index);
        assert_eq!(one["fate"], fate, "{one:#}");
    }
    assert_eq!(
        of(&report, "counted", "counter")["because"],
        "auto_increment"
    );
    assert_eq!(
        of(&report, "keyless", "a")["because"],
        "implicit_primary_key"
    );
    // The table was made a moment ago: that nobody read it since then says nothing.
    let unread = of(&report, "orders", "unread");
    let reason = unread["reason"].as_str().unwrap();
    assert!(reason.ends_with("too short to call it unused"), "{reason}");
    assert!(
        unread["window_seconds"].as_f64() < Some(3_600.0),
        "{unread:#}"
    );
    let notes = report["notes"].to_string();
    assert!(notes.contains("look again later"), "{notes}");
    // Of two equal ones one can go, and the other stays in its place.
    assert_eq!(of(&report, "orders", "state_twice")["fate"], "duplicate");
    assert_eq!(
        of(&report, "orders", "state_twice")["because"],
        "state_only"
    );
    assert_eq!(of(&report, "orders", "state_only")["fate"], "keep");
    let read = of(&report, "orders", "state_made");
    assert_eq!(read["rows_read"], 1, "{read:#}");
    assert_eq!(read["index"]["columns"][1]["is_descending"], true);
    assert_eq!(
        of(&report, "orders", "hidden")["index"]["is_visible"],
        false
    );
    assert_eq!(
        of(&report, "customers", "words")["index"]["parser"],
        "ngram"
    );
    let lowered = of(&report, "orders", "lowered")["index"]["columns"][0]["expression"].to_string();
    assert!(lowered.contains("lower"), "{lowered}");
    assert_eq!(of(&report, "orders", "PRIMARY")["distinct"], 2);
    assert!(of(&report, "parted", "made")["bytes"].as_u64() >= Some(3 * 16_384));
    assert_eq!(report["summary"]["tables_without_primary_key"], 1);
    assert!(report["cost"]["statements"].as_u64() > Some(5));
}

#[tokio::test]
async fn what_is_printed_can_be_run_and_undone() {
    let schema = shop("report_ddl").await;
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["report", "index", "--format", "json"];
    let report = out(&mydex(&schema, folder.path(), &arguments));
    let report = checked("index-report.json", &report);
    let pool = schema.pool().await;
    for direction in ["ddl", "undo"] {
        for one in report["indexes"].as_array().unwrap() {
            let statements = one[direction].as_array().unwrap();
            let statements: Vec<&str> = statements.iter().filter_map(Value::as_str).collect();
            // Each undo takes back one statement, so they run from the last to the first.
            let statements: Vec<&str> = match direction {
                "ddl" => statements,
                _ => statements.into_iter().rev().collect(),
            };
            for sql in statements {
                let sql = sqlx::AssertSqlSafe(sql.to_owned());
                pool.execute(sql)
                    .await
                    .unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }
    let again = checked(
        "index-report.json",
        &out(&mydex(&schema, folder.path(), &arguments)),
    );
    let count = |report: &Value| report["indexes"].as_array().unwrap().len();
    assert_eq!(count(&again), count(&report));
}

#[tokio::test]
async fn definitions_and_advice_are_recommendations() {
    let schema = shop("report_advice").await;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("indexes")).unwrap();
    fs::write(
        folder.path().join("indexes/0001_orders_customer_made.toml"),
        "table = \"orders\"\naction = \"create\"\nindex = \"customer_made\"\ncolumns = \
         [\"customer\", \"made\"]\nreason = \"lists the orders of a customer\"\n\n[evidence]\n\
         source = \"digests of db1\"\nis_proven = true\nunit = \"seconds\"\nbefore = 20.0\nafter = \
         5.0\nmarginal = 15.0\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("indexes/0002_orders_unread.toml"),
        "table = \"orders\"\naction = \"create\"\nindex = \"unread\"\ncolumns = [\"made\"]\n\
         reason = \"it is there\"\n",
    )
    .unwrap();
    let work = "-- name: by-made\nSELECT customer FROM orders WHERE made = '2026-01-01';\n";
    fs::write(folder.path().join("work.sql"), work).unwrap();
    let advise = [
        "advise", "--source", "sql", "work.sql", "--tier", "t0", "--format", "json", "-o", "a.json",
    ];
    out(&mydex(&schema, folder.path(), &advise));
    let advised: Value =
        serde_json::from_slice(&fs::read(folder.path().join("a.json")).unwrap()).unwrap();
    let arguments = ["report", "index", "--advice", "a.json", "--format", "json"];
    let report = checked(
        "index-report.json",
        &out(&mydex(&schema, folder.path(), &arguments)),
    );
    let recommended = report["recommendations"].as_array().unwrap();
    assert_eq!(
        recommended.len(),
        1 + advised["recommendations"].as_array().unwrap().len(),
        "{recommended:#?}"
    );
    let first = &recommended[0];
    assert_eq!(first["definition"], 1);
    assert_eq!(first["index"]["name"], "customer_made");
    // The index of the foreign key is kept in its place before the new one comes.
    let ddl = first["ddl"].to_string();
    assert!(ddl.contains("RENAME INDEX `fk_customer`"), "{ddl}");
    assert!(ddl.contains("`customer`, `made`"), "{ddl}");
    let definitions = report["definitions"].as_array().unwrap();
    assert_eq!(definitions[0]["state"], "pending", "{definitions:#?}");
    assert_eq!(of(&report, "orders", "unread")["definition"], 2);
    let text = out(&mydex(&schema, folder.path(), &["report", "index"]));
    assert!(text.contains("# 1. create customer_made on "), "{text}");
    assert!(
        text.contains("15.0s of the 15.0s that all recommendations"),
        "{text}"
    );

    fs::write(folder.path().join("bad.json"), "{\"schema_version\": 9}").unwrap();
    let refused = mydex(
        &schema,
        folder.path(),
        &["report", "index", "--advice", "bad.json"],
    );
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("`bad.json`") && said.contains("hint"),
        "{said}"
    );
}

#[tokio::test]
async fn the_schema_document_has_every_table_and_relationship() {
    let schema = shop("report_schema").await;
    let folder = tempfile::tempdir().unwrap();
    let report = out(&mydex(
        &schema,
        folder.path(),
        &["report", "schema", "--format", "json"],
    ));
    let report = checked("schema-report.json", &report);
    let tables = report["tables"].as_array().unwrap();
    let names: Vec<&str> = tables
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(
        names,
        ["counted", "customers", "keyless", "orders", "parted"]
    );
    let orders = &tables[3];
    let columns = orders["columns"].as_array().unwrap();
    let columns: Vec<&str> = columns
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(columns, ["id", "customer", "state", "made"]);
    assert_eq!(orders["foreign_keys"][0]["parent_table"], "customers");
    assert_eq!(tables[0]["columns"][1]["is_auto_increment"], true);
    assert_eq!(tables[4]["partitioning"], "HASH (`id`)");
    assert_eq!(report["views"][0]["name"], "open_orders");

    let text = out(&mydex(&schema, folder.path(), &["report", "schema"]));
    assert!(
        text.contains("<- orders: customer -> id [many to 1]"),
        "{text}"
    );
    let markdown = out(&mydex(
        &schema,
        folder.path(),
        &["report", "schema", "--format", "md"],
    ));
    assert!(markdown.contains("```mermaid\nerDiagram\n"), "{markdown}");
    let page = out(&mydex(
        &schema,
        folder.path(),
        &["report", "schema", "--format", "html"],
    ));
    assert!(page.contains("<svg class=\"er\""));
}

#[tokio::test]
async fn hostile_names_of_a_real_server_stay_text() {
    let schema = schema("report_hostile").await;
    let pool = schema.pool().await;
    let name = HOSTILE;
    for sql in [
        format!("CREATE TABLE `{name}` (`{name}` INT PRIMARY KEY, p INT, KEY `{name}` (p))"),
        format!(
            "CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT `k{name}` FOREIGN KEY (p) \
             REFERENCES `{name}` (`{name}`))"
        ),
    ] {
        pool.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    for report in ["index", "schema"] {
        for format in ["html", "md", "text", "json"] {
            let arguments = ["report", report, "--format", format];
            let shown = out(&mydex(&schema, folder.path(), &arguments));
            if format == "json" {
                checked(&format!("{report}-report.json"), &shown);
                continue;
            }
            assert!(!shown.contains('\u{202e}'), "{report} {format}");
            if format == "html" {
                assert!(!shown.contains("<script"), "{report}");
                assert!(shown.contains("&lt;script&gt;alert(1)"), "{report}");
                assert!(!shown.contains("http://") && !shown.contains("https://"));
            }
        }
    }
}

#[tokio::test]
async fn schemas_are_found_or_named_in_the_error() {
    let schema = shop("report_which").await;
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["report", "index", "--schema", "not_there"];
    let refused = mydex(&schema, folder.path(), &arguments);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("`not_there`") && said.contains("--schema"),
        "{said}"
    );
    let named = [
        "report",
        "schema",
        "--schema",
        schema.name(),
        "--format",
        "json",
    ];
    let report = checked(
        "schema-report.json",
        &out(&mydex(&schema, folder.path(), &named)),
    );
    assert_eq!(report["schemas"][0], schema.name());
}
