//! `mydex baseline compare` and `selftest` from end to end: the binary against a real server, with
//! a small pack of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::baseline::{published, status, write_pack};
use crate::server::{Schema, schema};

const PACK: &str = "name = \"shop\"\ndescription = \"Orders of a shop\"\nversion = 1\n";

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
rows = 6000
[table.columns]
id = { kind = "sequence" }
customer = { kind = "uniform", min = 1, max = 400 }
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
customer = { kind = "uniform", min = 1, max = 400 }

[[probe]]
name = "one"
description = "One order"
kind = "read"
rate = 10
weight = 1
sql = "SELECT customer, state FROM orders WHERE id = :id"
[probe.params]
id = { kind = "uniform", min = 1, max = 6000 }

[[probe]]
name = "pay"
description = "A customer pays"
kind = "write"
rate = 1
weight = 1
sql = "UPDATE orders SET state = 'paid' WHERE customer = :customer AND state = 'open'"
[probe.params]
customer = { kind = "uniform", min = 1, max = 400 }
"#;

/// Turns that are short enough for a test.
const QUICK: [&str; 6] = ["--max-time", "6s", "--warmup", "100ms", "--slice", "100ms"];

fn pack(folder: &Path) {
    write_pack(folder, [PACK, TABLES, DATA, PROBES]);
}

/// Two loaded shops on one server.
struct Shops {
    one: Schema,
    other: Schema,
    folder: tempfile::TempDir,
}

impl Shops {
    async fn loaded(name: &str) -> Self {
        let shops = Self {
            one: schema(&format!("{name}_a")).await,
            other: schema(&format!("{name}_b")).await,
            folder: tempfile::tempdir().unwrap(),
        };
        pack(shops.folder.path());
        for schema in [&shops.one, &shops.other] {
            let load = shops.run(&["probe", "load", "shop", "--database", schema.name()]);
            status(&load, 0);
        }
        shops
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mydex"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("MYDEX_URL", self.one.url())
            .env("MYDEX_STATE_DIR", self.folder.path().join("state"))
            .output()
            .unwrap()
    }

    fn compare(&self, more: &[&str]) -> Output {
        let compare = ["baseline", "compare", "shop", "--database", self.one.name()];
        self.run(&[&compare[..], &QUICK, more].concat())
    }

    /// Between the two schemas.
    fn schemas(&self, more: &[&str]) -> Output {
        let sides = [
            format!("schema:{}", self.one.name()),
            format!("schema:{}", self.other.name()),
        ];
        self.compare(&[&["--a", &sides[0], "--b", &sides[1]], more].concat())
    }

    async fn change(&self, schema: &Schema, sql: &str) {
        let pool = schema.pool().await;
        pool.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }
}

fn probe<'a>(json: &'a Value, name: &str) -> &'a Value {
    let probes = json["probes"].as_array().unwrap();
    probes.iter().find(|one| one["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_an_index_is_found_without_any_change() {
    let shops = Shops::loaded("compare_index").await;
    let asked = ["--without-index", "orders.of_customer"];

    // It is visible, and stays so; what to do is said.
    let visible = shops.compare(&asked);
    status(&visible, 2);
    let errors = String::from_utf8_lossy(&visible.stderr);
    let statement = format!(
        "ALTER TABLE `{}`.`orders` ALTER INDEX `of_customer` INVISIBLE",
        shops.one.name()
    );
    assert!(errors.contains(&statement), "{errors}");
    let missing = shops.compare(&["--without-index", "orders.of_nobody"]);
    status(&missing, 2);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("`of_customer`"));

    shops.change(&shops.one, &statement).await;
    let lost = shops.compare(&[&asked[..], &["--format", "json"]].concat());
    let lost = published("baseline-compare", &status(&lost, 1));
    assert_eq!(lost["verdict"], "regressed");
    let slow = probe(&lost, "of-customer");
    assert_eq!(slow["verdict"], "regressed", "{slow:#}");
    assert_eq!(slow["times"][0]["verdict"], "regressed", "{slow:#}");
    assert!(slow["times"][0]["low"].as_f64().unwrap() > 0.2, "{slow:#}");
    assert_eq!(slow["results"], "same");
    assert!(slow["plans"].is_object(), "{slow:#}");
    let counters = slow["counters"].as_array().unwrap();
    assert!(
        counters.iter().any(|one| one["name"] == "rows_examined"),
        "{slow:#}"
    );
    // The other probe does not use it.
    assert_ne!(probe(&lost, "one")["verdict"], "regressed", "{lost:#}");
    // Writing probes were not asked for.
    assert_eq!(lost["probes"].as_array().unwrap().len(), 2);

    // The other way round it is a gain.
    let gained = shops.compare(&[
        "--with-index",
        "orders.of_customer",
        "--probe",
        "of-customer",
    ]);
    let gained = status(&gained, 0);
    assert!(gained.contains("faster"), "{gained}");

    // Nothing was changed on the server.
    let pool = shops.one.pool().await;
    let visible: String = sqlx::query_scalar(
        "SELECT IS_VISIBLE FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() \
         AND INDEX_NAME = 'of_customer'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(visible, "NO");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_schemas_are_compared_and_other_data_refused() {
    let shops = Shops::loaded("compare_schemas").await;
    // The same on both sides: it may not be decided in so short a time, but is no regression.
    let same = shops.schemas(&["--format", "json"]);
    let code = same.status.code();
    assert!(matches!(code, Some(0 | 2)), "{same:?}");
    let same = published("baseline-compare", &String::from_utf8_lossy(&same.stdout));
    assert_ne!(same["verdict"], "regressed");
    assert_eq!(same["settings"]["alternation"], "operation");
    for one in same["probes"].as_array().unwrap() {
        assert_eq!(one["results"], "same");
        assert_eq!(one["counters"], Value::Array(Vec::new()), "{one:#}");
        assert!(one["times"][0]["pairs"].as_u64().unwrap() > 20, "{one:#}");
    }

    // Without its index the second side costs more, also where writes are asked for.
    shops
        .change(&shops.other, "ALTER TABLE orders DROP INDEX of_customer")
        .await;
    let lost = status(&shops.schemas(&["--writes"]), 1);
    assert!(
        lost.contains("only the first side has the index of_customer"),
        "{lost}"
    );
    let json = shops.schemas(&["--format", "json", "--writes", "--probe", "pay"]);
    let json = published("baseline-compare", &status(&json, 1));
    assert_eq!(json["probes"][0]["name"], "pay");
    let junit = status(&shops.schemas(&["--format", "junit"]), 1);
    assert!(junit.contains("failures=\"1\""), "{junit}");
    let sarif = status(&shops.schemas(&["--format", "sarif"]), 1);
    assert!(
        sarif.contains("MYX090") && sarif.contains("MYX091"),
        "{sarif}"
    );
    for format in ["md", "html"] {
        let text = status(
            &shops.schemas(&["--format", format, "--probe", "of-customer"]),
            1,
        );
        assert!(
            text.contains("rows\\_examined") || text.contains("rows_examined"),
            "{text}"
        );
    }
    // What was written was taken back.
    let sums: Vec<i64> = sums(&shops).await;
    assert_eq!(sums[0], sums[1]);

    // Other data are not compared.
    shops
        .change(
            &shops.other,
            "UPDATE orders SET state = 'lost' WHERE id = 7",
        )
        .await;
    let other = published(
        "baseline-compare",
        &status(&shops.schemas(&["--format", "json"]), 3),
    );
    assert_eq!(other["verdict"], "incomparable");
    assert_eq!(
        other["differences"].as_array().unwrap().len(),
        1,
        "{other:#}"
    );
}

async fn sums(shops: &Shops) -> Vec<i64> {
    let mut sums = Vec::new();
    for schema in [&shops.one, &shops.other] {
        let pool = schema.pool().await;
        let open = "SELECT COUNT(*) FROM orders WHERE state = 'open'";
        sums.push(sqlx::query_scalar(open).fetch_one(&pool).await.unwrap());
    }
    sums
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_a_file_on_two_servers_by_url_take_slices() {
    let shops = Shops::loaded("compare_file").await;
    let sql = "-- name: counted\nSELECT COUNT(*) FROM orders WHERE state = 'open';\n\
               -- name: gone\nDELETE FROM orders;\n";
    shops.write("work.sql", sql);
    shops
        .change(
            &shops.other,
            "UPDATE orders SET state = 'paid' WHERE id < 3000",
        )
        .await;
    let (one, other) = (shops.one.url(), shops.other.url());
    let compare = [
        "baseline",
        "compare",
        "work.sql",
        "--alternate",
        "slice",
        "--a",
        &one,
    ];
    let against = |side: &str, more: &[&str]| {
        shops.run(&[&compare[..], &["--b", side], &QUICK, more].concat())
    };
    // The table has other contents there.
    status(&against(&other, &[]), 3);
    let same = against(&one, &["--format", "json"]);
    assert!(matches!(same.status.code(), Some(0 | 2)), "{same:?}");
    let same = published("baseline-compare", &String::from_utf8_lossy(&same.stdout));
    assert_eq!(same["kind"], "sql");
    assert_eq!(same["settings"]["alternation"], "slice");
    assert_eq!(same["probes"].as_array().unwrap().len(), 1);
    assert!(
        same["probes"][0]["times"][0]["pairs"].as_u64().unwrap() > 20,
        "{same:#}"
    );
    let notes = same["notes"].to_string();
    assert!(notes.contains("`gone` was not run"), "{notes}");
    let text = same.to_string();
    let password = one.split(':').nth(2).unwrap().split('@').next().unwrap();
    assert!(!text.contains(password), "the output has the password");

    // A statement that the second side refuses is a regression, one that the first refuses nothing.
    shops
        .change(
            &shops.other,
            "ALTER TABLE orders RENAME COLUMN customer TO buyer",
        )
        .await;
    shops.write("work.sql", "SELECT MAX(buyer) FROM orders;");
    let unknown = shops.run(&[
        "baseline",
        "compare",
        "work.sql",
        "--a",
        &one,
        "--b",
        &one,
        "--max-time",
        "2s",
    ]);
    status(&unknown, 2);
    let text = String::from_utf8_lossy(&unknown.stdout);
    assert!(text.contains("on the first side"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_of_definitions_are_compared_on_a_private_server() {
    let shops = Shops::loaded("compare_versions").await;
    let folder = shops.folder.path().join("new");
    fs::create_dir(&folder).unwrap();
    let definition = "schema = \"elsewhere\"\ntable = \"orders\"\naction = \"drop\"\n\
                      index = \"of_customer\"\ncolumns = [\"customer\"]\nreason = \"unused\"\n";
    fs::write(folder.join("0001_drop.toml"), definition).unwrap();
    let sides = ["--a", "indexes:none", "--b", "indexes:new"];
    let dropped = shops.compare(&[&sides[..], &["--format", "json"]].concat());
    let dropped = published("baseline-compare", &status(&dropped, 1));
    assert_eq!(
        probe(&dropped, "of-customer")["verdict"],
        "regressed",
        "{dropped:#}"
    );
    assert_ne!(
        probe(&dropped, "one")["verdict"],
        "regressed",
        "{dropped:#}"
    );
    let notes = dropped["notes"].to_string();
    assert!(
        notes.contains("only the first side has the index of_customer"),
        "{notes}"
    );

    let one = format!("schema:{}", shops.one.name());
    let mixed = shops.compare(&["--a", &one, "--b", "indexes:new"]);
    status(&mixed, 2);
    status(
        &shops.compare(&["--a", "indexes:none", "--b", "indexes:nowhere"]),
        2,
    );
    status(&shops.compare(&[]), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_test_tells_noise_and_rates() {
    let shops = Shops::loaded("compare_self").await;
    let output = shops.run(&[
        "baseline",
        "selftest",
        "shop",
        "--database",
        shops.one.name(),
        "--aa",
        "3",
        "--each",
        "1s",
        "--resample",
        "40",
        "--warmup",
        "100ms",
        "--slice",
        "100ms",
        "--format",
        "json",
    ]);
    // A false alarm is allowed in one of a hundred comparisons, and makes the status 1.
    let wanted = i32::from(output.status.code() == Some(1));
    let found = published("baseline-selftest", &status(&output, wanted));
    assert_eq!(found["run"]["hits"] != 0, wanted == 1, "{found:#}");
    assert!(found["run"]["hits"].as_u64() <= Some(1), "{found:#}");
    assert_eq!(found["run"]["of"], 3);
    assert_eq!(found["resampled"]["of"], 40);
    // The rule of three: nothing of three says little.
    if found["run"]["hits"] == 0 {
        let high = found["run"]["high"].as_f64().unwrap();
        assert!((high - 0.631_6).abs() < 1e-3, "{high}");
    }
    for one in found["probes"].as_array().unwrap() {
        assert!(one["pairs"].as_u64().unwrap() > 50, "{one:#}");
        assert!(one["detectable"].as_f64().unwrap() > 0.05, "{one:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_comparison_tells_what_there_is() {
    let shops = Shops::loaded("compare_stop").await;
    let sides = format!("schema:{}", shops.one.name());
    let running = Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args(["baseline", "compare", "shop", "--a", &sides, "--b", &sides])
        // The first look would come after 75 s.
        .args(["--max-time", "10m", "--format", "json"])
        .current_dir(shops.folder.path())
        .env("MYDEX_URL", shops.one.url())
        .env("MYDEX_STATE_DIR", shops.folder.path().join("state"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_secs(12)).await;
    let pid = Pid::from_raw(i32::try_from(running.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let ended = tokio::task::spawn_blocking(move || running.wait_with_output().unwrap());
    let json = published("baseline-compare", &status(&ended.await.unwrap(), 130));
    assert_eq!(json["is_interrupted"], true);
    assert_ne!(json["verdict"], "regressed", "{json:#}");
    assert!(json["measured_seconds"].as_f64().unwrap() > 0.5, "{json:#}");
}

#[test]
fn the_commands_of_the_documentation_are_understood() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/baselines.md");
    let text = fs::read_to_string(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("queries.sql"), "SELECT 1;").unwrap();
    let mut seen = 0;
    for line in text.lines().filter(|line| {
        line.starts_with("mydex baseline compare") || line.starts_with("mydex baseline selftest")
    }) {
        let output = Command::new(env!("CARGO_BIN_EXE_mydex"))
            .args(line.split(' ').skip(1))
            .current_dir(folder.path())
            // Nothing listens there.
            .env("MYDEX_URL", "mysql://root@127.0.0.1:1/cmdb")
            .env("MYDEX_STATE_DIR", folder.path().join("state"))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {errors}");
        assert!(!errors.contains("Usage"), "{line}: {errors}");
        seen += 1;
    }
    assert!(seen >= 6, "{seen}");
}
