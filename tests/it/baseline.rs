//! `mydex baseline` from end to end: the binary against a real server, with a small pack of its
//! own.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use sqlx::Executor as _;

use crate::server::{self, Schema, schema};

const PACK: &str = r#"
name = "shop"
description = "Orders of a shop"
version = 1
"#;

const TABLES: &str = "
CREATE TABLE orders (
  id INT UNSIGNED NOT NULL PRIMARY KEY,
  customer INT UNSIGNED NOT NULL,
  state VARCHAR(12) NOT NULL,
  KEY of_customer (customer)
);
";

const DATA: &str = r#"
now = 2026-11-01T00:00:00Z

[[table]]
name = "orders"
rows = 2000
[table.columns]
id = { kind = "sequence" }
customer = { kind = "uniform", min = 1, max = 200 }
state = { kind = "choice", values = ["open", "paid"], weights = [1, 9] }
"#;

const PROBES: &str = r#"
[[probe]]
name = "of-customer"
description = "The orders of a customer"
kind = "read"
rate = 10
weight = 1
sql = "SELECT id, state FROM orders WHERE customer = :customer ORDER BY id"
[probe.params]
customer = { kind = "uniform", min = 1, max = 200 }

[[probe]]
name = "pay"
description = "A customer pays"
kind = "write"
rate = 1
weight = 1
sql = "UPDATE orders SET state = 'paid' WHERE customer = :customer AND state = 'open'"
[probe.params]
customer = { kind = "uniform", min = 1, max = 200 }
"#;

pub(crate) fn pack(folder: &Path) {
    write_pack(folder, [PACK, TABLES, DATA, PROBES]);
}

/// Writes the files of a pack `shop`: the pack, its tables, data and probes.
pub(crate) fn write_pack(folder: &Path, files: [&str; 4]) {
    let pack = folder.join("shop");
    fs::create_dir_all(pack.join("probes")).unwrap();
    let names = ["pack.toml", "schema.sql", "data.toml", "probes/all.toml"];
    for (name, text) in names.into_iter().zip(files) {
        fs::write(pack.join(name), text).unwrap();
    }
}

pub(crate) fn mydex(schema: &Schema, folder: &Path, arguments: &[&str]) -> Output {
    schema.mydex(folder, arguments)
}

#[track_caller]
pub(crate) fn status(output: &Output, wanted: i32) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(wanted), "{text}\n{errors}");
    text
}

/// The verdict, by its published schema.
fn verdict(text: &str) -> Value {
    published("baseline-check", text)
}

/// A JSON, by the published schema of this name.
#[track_caller]
pub(crate) fn published(name: &str, text: &str) -> Value {
    server::published(&format!("{name}.json"), text)
}

/// A loaded shop with a recorded baseline.
pub(crate) struct Shop {
    pub(crate) schema: Schema,
    pub(crate) folder: tempfile::TempDir,
}

impl Shop {
    pub(crate) async fn recorded(name: &str) -> Self {
        let shop = Self {
            schema: schema(name).await,
            folder: tempfile::tempdir().unwrap(),
        };
        pack(shop.folder.path());
        status(&shop.run(&["probe", "load", "shop"]), 0);
        status(&shop.record("one.json"), 0);
        shop
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let all = [arguments, &["--database", self.schema.name()]].concat();
        mydex(&self.schema, self.folder.path(), &all)
    }

    pub(crate) fn record(&self, file: &str) -> Output {
        self.run(&["baseline", "record", "shop", "-o", file])
    }

    pub(crate) fn check(&self, more: &[&str], wanted: i32) -> String {
        let check = ["baseline", "check", "one.json", "--pack", "shop"];
        status(&self.run(&[&check[..], more].concat()), wanted)
    }

    pub(crate) fn verdict(&self, more: &[&str], wanted: i32) -> Value {
        let json = ["--format", "json"];
        verdict(&self.check(&[&json[..], more].concat(), wanted))
    }

    pub(crate) fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    pub(crate) async fn change(&self, sql: &'static str) {
        self.schema.pool().await.execute(sql).await.unwrap();
    }
}

#[tokio::test]
async fn a_dropped_index_is_caught() {
    let shop = Shop::recorded("baseline_index").await;
    let passed = shop.verdict(&[], 0);
    assert_eq!(passed["verdict"], "pass");
    assert_eq!(passed["probes"][0]["counters"], Value::Array(Vec::new()));

    shop.change("ALTER TABLE orders DROP INDEX of_customer")
        .await;
    let regressed = shop.verdict(&[], 1);
    assert_eq!(regressed["verdict"], "regressed");
    for probe in regressed["probes"].as_array().unwrap() {
        assert_eq!(probe["verdict"], "regressed", "{probe:#}");
        assert!(probe["plans"].is_object(), "{probe:#}");
    }
    let text = shop.check(&[], 1);
    let gone = "no longer has the index of_customer";
    assert!(text.contains(gone), "{text}");
    let junit = shop.check(&["--format", "junit"], 1);
    assert!(junit.contains("failures=\"2\""), "{junit}");
    let sarif = shop.check(&["--format", "sarif"], 1);
    assert!(sarif.contains("MYX080"), "{sarif}");
    shop.check(&["--tolerance", "*/*=any"], 0);

    shop.change("ALTER TABLE orders ADD INDEX of_customer (customer)")
        .await;
    shop.check(&[], 0);
}

#[tokio::test]
async fn a_recording_is_the_same_twice_and_guards_rows_and_data() {
    let shop = Shop::recorded("baseline_rows").await;
    status(&shop.record("two.json"), 0);
    let one = shop.file("one.json");
    assert_eq!(one, shop.file("two.json"));
    let file: Value = serde_json::from_str(&one).unwrap();
    let counters = &file["probes"]["of-customer"]["counters"];
    let sent = &counters["rows_sent"];
    assert!(sent.as_u64().unwrap() > 20, "{counters}");
    assert_eq!(*sent, counters["handler_read_next"]);
    assert_eq!(*sent, counters["rows_examined"]);

    // One row more for each call.
    let more = PROBES.replace(
        "WHERE customer = :customer ORDER BY id",
        "WHERE customer = :customer OR id = 1 ORDER BY id",
    );
    let probes = shop.folder.path().join("shop/probes/all.toml");
    fs::write(&probes, more).unwrap();
    let grown = shop.verdict(&["--probe", "of-customer"], 1);
    let names: Vec<&str> = grown["probes"][0]["counters"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["change"] == "regressed")
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert!(names.contains(&"rows_sent"), "{names:?}");
    fs::write(&probes, PROBES).unwrap();

    // Other data are not compared.
    shop.change("UPDATE orders SET state = 'lost' WHERE id = 7")
        .await;
    let other = shop.verdict(&[], 3);
    assert_eq!(other["verdict"], "incomparable");
    assert_eq!(other["differences"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_baseline_is_refused_with_all_its_mistakes() {
    let schema = schema("baseline_mistakes").await;
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"baseline_version": 1, "workload": {"pack": 7}, "probes": []}"#;
    fs::write(folder.path().join("bad.json"), text).unwrap();
    let output = mydex(&schema, folder.path(), &["baseline", "check", "bad.json"]);
    status(&output, 2);
    let errors = String::from_utf8_lossy(&output.stderr);
    for place in ["`workload.pack`", "`probes`", "`server.version`"] {
        assert!(errors.contains(place), "{place} is not in {errors}");
    }
    let missing = mydex(&schema, folder.path(), &["baseline", "check", "no.json"]);
    status(&missing, 2);
}
