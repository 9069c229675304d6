//! `mydex index new|lint|status|plan|drift|adopt`: the binary against a real server.

mod findings;
mod taken;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use mydex::indexes::definition::Definition;
use serde_json::Value;
use sqlx::mysql::MySqlPool;
use sqlx::{AssertSqlSafe, Executor};

use crate::server::{self, Schema};

/// Orders of customers, with an index that a longer one makes redundant.
async fn shop(name: &str) -> (Schema, MySqlPool) {
    let schema = server::schema(name).await;
    let pool = schema.pool().await;
    for sql in [
        "CREATE TABLE customers (id INT PRIMARY KEY, email VARCHAR(80) NOT NULL, UNIQUE KEY by_email (email))",
        "CREATE TABLE orders (id INT PRIMARY KEY, customer INT NOT NULL, state ENUM('new','sent') NOT NULL, \
         made DATETIME NOT NULL, note TEXT, doc JSON, long_a VARCHAR(500), long_b VARCHAR(500), \
         KEY by_made (made), KEY by_customer (customer), \
         CONSTRAINT to_customer FOREIGN KEY (customer) REFERENCES customers (id))",
        "INSERT INTO customers WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900) \
         SELECT i, CONCAT('user', i, '@example.org') FROM n",
        "INSERT INTO orders WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900) \
         SELECT a.i * 5 + b.i, 1 + (a.i * 7919 + b.i) % 900, ELT(1 + a.i % 2, 'new', 'sent'), \
         '2026-01-01' + INTERVAL (a.i * 5 + b.i) MINUTE, NULL, NULL, NULL, NULL \
         FROM n AS a JOIN n AS b ON b.i <= 5",
        "ANALYZE TABLE customers, orders",
    ] {
        pool.execute(sql).await.unwrap();
    }
    (schema, pool)
}

struct Bench<'a> {
    schema: &'a Schema,
    folder: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    fn new(schema: &'a Schema) -> Self {
        Self {
            schema,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mydex"))
            .arg("index")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("MYDEX_URL", self.schema.url())
            .env("MYDEX_STATE_DIR", self.folder.path().join("state"))
            .output()
            .unwrap()
    }

    /// Runs with `--format json`, and expects this exit status.
    fn json(&self, status: i32, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["--format", "json"]);
        let output = self.run(&all);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}\n{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            said(&output)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}\n{}", said(&output));
        said(&output)
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("indexes").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.folder.path().join("indexes")).unwrap();
        fs::write(self.file(name), text).unwrap();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The rules of a check's findings, in their order.
fn rules(checked: &Value) -> Vec<&str> {
    checked["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["rule"].as_str().unwrap())
        .collect()
}

async fn show(pool: &MySqlPool, table: &str) -> String {
    let sql = AssertSqlSafe(format!("SHOW CREATE TABLE {table}"));
    let row: (String, String) = sqlx::query_as(sql).fetch_one(pool).await.unwrap();
    row.1
}

async fn execute(pool: &MySqlPool, sql: &str) {
    pool.execute(AssertSqlSafe(sql))
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[tokio::test]
async fn a_definition_goes_from_flags_to_the_database_and_every_drift_is_told() {
    let (schema, pool) = shop("index_drift").await;
    let bench = Bench::new(&schema);
    let said = bench.good(&[
        "new",
        "--table",
        "orders",
        "--columns",
        "made desc, customer",
        "--reason",
        "latest first",
    ]);
    assert!(
        said.contains("0001_orders_idx_made_customer.toml"),
        "{said}"
    );
    bench.good(&[
        "new",
        "--table",
        "orders",
        "--drop",
        "BY_MADE",
        "--reason",
        "the other is longer",
    ]);
    let drop = fs::read_to_string(bench.file("0002_drop_orders_by_made.toml")).unwrap();
    assert!(drop.contains("columns = [\"made\"]"), "{drop}");
    let unknown = bench.run(&["new", "--table", "orders", "--drop", "by_mad"]);
    assert_eq!(unknown.status.code(), Some(2));
    let hint = String::from_utf8_lossy(&unknown.stderr);
    assert!(hint.contains("did you mean `by_made`?"), "{hint}");

    assert_eq!(rules(&bench.json(0, &["lint"])), Vec::<&str>::new());
    let states = bench.json(1, &["status", "--check"]);
    assert_eq!(states[0]["state"], "pending");
    assert_eq!(bench.json(0, &["status"])[1]["index"], "by_made");

    let before = show(&pool, "orders").await;
    let plan = bench.json(0, &["plan"]);
    let steps = plan[0]["statements"].as_array().unwrap();
    assert!(
        steps[0]["statement"]
            .as_str()
            .unwrap()
            .contains("`made` DESC, `customer`")
    );
    assert_eq!(steps[0]["lock"], "NONE");
    assert!(steps[0]["bytes"].as_u64() > Some(0));
    assert_eq!(show(&pool, "orders").await, before);

    bench.good(&["apply", "--execute", "--soak", "0s"]);
    assert_ne!(show(&pool, "orders").await, before);
    bench.json(0, &["status", "--check"]);
    assert_eq!(bench.json(0, &["plan"]), Value::Array(Vec::new()));
    assert_eq!(
        rules(&bench.json(0, &["drift", "--known-only"])),
        Vec::<&str>::new()
    );
    let strangers = bench.json(1, &["drift"]);
    assert_eq!(rules(&strangers), ["unmanaged", "unmanaged"]);
    every_drift_is_told(&bench, &pool).await;
    pool.close().await;
}

/// Changes the database and the files behind the ledger's back, in each way.
async fn every_drift_is_told(bench: &Bench<'_>, pool: &MySqlPool) {
    execute(
        pool,
        "ALTER TABLE orders DROP INDEX idx_made_customer, ADD INDEX by_made (made)",
    )
    .await;
    let drift = bench.json(1, &["drift", "--known-only"]);
    assert_eq!(rules(&drift), ["still-there", "gone"]);
    let remedies = drift["findings"].as_array().unwrap();
    assert!(
        remedies
            .iter()
            .all(|one| !one["remedy"].as_str().unwrap().is_empty())
    );
    execute(
        pool,
        "ALTER TABLE orders DROP INDEX by_made, ADD UNIQUE INDEX idx_made_customer (made, customer) INVISIBLE",
    )
    .await;
    let drift = bench.json(1, &["drift", "--known-only"]);
    assert_eq!(rules(&drift), ["differs", "differs", "differs"]);

    let first = bench.file("0001_orders_idx_made_customer.toml");
    let text = fs::read_to_string(&first).unwrap();
    fs::write(&first, text.replace("\"customer\"]", "\"id\"]")).unwrap();
    assert!(rules(&bench.json(1, &["drift", "--known-only"])).contains(&"edited"));
    assert_eq!(rules(&bench.json(1, &["lint"])), ["edited"]);
    fs::remove_file(&first).unwrap();
    assert!(rules(&bench.json(1, &["drift", "--known-only"])).contains(&"no-file"));
    let states = bench.json(0, &["status"]);
    assert_eq!(states[0]["file"], Value::Null);
    assert_eq!(states[0]["state"], "applied");
}

#[tokio::test]
async fn what_is_there_is_adopted_without_touching_it() {
    let (schema, pool) = shop("index_adopt").await;
    execute(
        &pool,
        "ALTER TABLE orders ADD INDEX odd ((upper(long_a)), made DESC) COMMENT 'it''s' INVISIBLE",
    )
    .await;
    let bench = Bench::new(&schema);
    let before = (show(&pool, "customers").await, show(&pool, "orders").await);
    let found = bench.json(0, &["adopt"]);
    assert_eq!(found.as_array().unwrap().len(), 4);
    assert!(!bench.folder.path().join("indexes").exists());
    bench.json(0, &["adopt", "--table", "customers", "--execute"]);
    bench.json(0, &["adopt", "--execute"]);
    assert_eq!(bench.json(0, &["adopt"]), Value::Array(Vec::new()));
    assert_eq!(
        (show(&pool, "customers").await, show(&pool, "orders").await),
        before
    );
    let states = bench.json(0, &["status", "--check"]);
    let states = states.as_array().unwrap();
    assert_eq!(states.len(), 4);
    assert!(
        states.iter().all(|one| one["state"] == "applied"),
        "{states:#?}"
    );
    assert_eq!(rules(&bench.json(0, &["drift"])), Vec::<&str>::new());
    pool.close().await;
}

#[tokio::test]
async fn one_folder_serves_schemas_and_profiles() {
    let (schema, pool) = shop("index_many").await;
    let (second, other_pool) = shop("index_other").await;
    let bench = Bench::new(&schema);
    bench.good(&[
        "new",
        "--table",
        "orders",
        "--columns",
        "made, state",
        "--reason",
        "x",
    ]);
    bench.write(
        "0002_production.toml",
        "profiles = [\"production\"]\ntable = \"orders\"\naction = \"create\"\nindex = \"p\"\ncolumns = [\"state\", \"made\"]\nreason = \"x\"\n",
    );
    let to = ["--schema", second.name()];
    let apply = ["apply", "--execute", "--schema", second.name()];
    bench.good(&apply);
    let states = bench.json(0, &["status", to[0], to[1]]);
    assert_eq!(states.as_array().unwrap().len(), 1, "{states:#}");
    assert_eq!(states[0]["state"], "applied");
    assert_eq!(bench.json(0, &["status"])[0]["state"], "pending");
    assert!(show(&other_pool, "orders").await.contains("idx_made_state"));
    assert!(!show(&other_pool, "orders").await.contains("KEY `p`"));
    assert!(!show(&pool, "orders").await.contains("idx_made_state"));
    pool.close().await;
    other_pool.close().await;
}

/// The definitions that are shipped pass the linter and can be applied and taken back.
#[tokio::test]
async fn the_shipped_definitions_are_clean_and_can_be_applied() {
    let schema = server::schema("index_shipped").await;
    let bench = Bench::new(&schema);
    let loaded = Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args([
            "probe",
            "load",
            "cmdb",
            "--scale",
            "0.2",
            "--database",
            schema.name(),
        ])
        .env("MYDEX_URL", schema.url())
        .env("MYDEX_STATE_DIR", bench.folder.path().join("state"))
        .output()
        .unwrap();
    assert!(loaded.status.success(), "{}", said(&loaded));
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("indexes");
    let mut count = 0;
    for entry in fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text = fs::read_to_string(&path).unwrap();
            // The same definitions for this test's own schema.
            let text = text.replacen("schema = \"cmdb\"\n", "", 1);
            bench.write(&path.file_name().unwrap().to_string_lossy(), &text);
            count += 1;
        }
    }
    assert!(count >= 10, "{count}");
    let checked = bench.json(0, &["lint", "--strict"]);
    assert_eq!(rules(&checked), Vec::<&str>::new(), "{checked:#}");
    bench.good(&["apply", "--execute", "--soak", "0s"]);
    bench.json(0, &["status", "--check"]);
    assert_eq!(
        rules(&bench.json(0, &["drift", "--known-only"])),
        Vec::<&str>::new()
    );
    assert_eq!(
        rules(&bench.json(0, &["lint", "--strict"])),
        Vec::<&str>::new()
    );
    bench.good(&["rollback", "--to", "0", "--execute", "--soak", "0s"]);
    assert_eq!(
        rules(&bench.json(0, &["drift", "--known-only"])),
        Vec::<&str>::new()
    );
}

#[tokio::test]
async fn a_new_definition_has_comment_parser_and_profiles() {
    let (schema, pool) = shop("index_new_all").await;
    let bench = Bench::new(&schema);
    bench.good(&[
        "new",
        "--table",
        "orders",
        "--columns",
        "note",
        "--kind",
        "fulltext",
        "--parser",
        "ngram",
        "--comment",
        "finds \"words\" of it's notes",
        "--profiles",
        "development,test",
        "--reason",
        "the search box",
    ]);
    let text = fs::read_to_string(bench.file("0001_orders_idx_note.toml")).unwrap();
    assert!(
        text.contains("profiles = [\"development\", \"test\"]\n"),
        "{text}"
    );
    let definition = Definition::parse("f", &text).unwrap();
    for statement in definition.up(schema.name()) {
        pool.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let shown = show(&pool, "orders").await;
    assert!(
        shown.contains("COMMENT 'finds \"words\" of it''s notes' /*!50100 WITH PARSER `ngram` */"),
        "{shown}"
    );
    // What is stated for others alone is not stated for production.
    let again = ["new", "--table", "orders", "--columns", "note", "--kind"];
    let again = [&again[..], &["fulltext", "--parser", "ngram"]].concat();
    let other = [&again[..], &["--profiles", "production"]].concat();
    assert!(bench.good(&other).contains("wrote"), "{other:?}");
    let stated = [&again[..], &["--profiles", "test,production"]].concat();
    assert!(bench.good(&stated).contains("states it already"));
    // The flags are checked like a file.
    for (wrong, expected) in [
        (&["--columns", "note", "--parser", "ngram"][..], "full-text"),
        (&["--columns", "made", "--profiles", "a b"], "profile"),
    ] {
        let output = bench.run(&[&["new", "--table", "orders"], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
}

#[tokio::test]
async fn names_with_backticks_are_whole_in_markdown() {
    let schema = server::schema("index_ticks").await;
    let pool = schema.pool().await;
    for sql in [
        "CREATE TABLE `or``ders` (id INT PRIMARY KEY, `st``ate` INT, KEY `by``state` (`st``ate`))",
        "CREATE TABLE plain (id INT PRIMARY KEY, `a_b` INT, KEY a_b (a_b))",
    ] {
        pool.execute(sql).await.unwrap();
    }
    let bench = Bench::new(&schema);
    let ticked = "table = \"or`ders\"\naction = \"create\"\nindex = \"more\"\n\
                  columns = [\"st`ate\", \"id\"]\n";
    bench.write("0001_more.toml", ticked);
    let plain = "table = \"plain\"\naction = \"create\"\nindex = \"A_B2\"\ncolumns = [\"a_b\"]\n";
    // The other one is there already, but for its name: nothing is to be done for it.
    bench.write("0002_plain.toml", plain);
    let output = bench.run(&["lint", "--format", "md"]);
    let page = String::from_utf8(output.stdout).unwrap();
    // In a code span nothing is escaped, and outside of one everything is.
    assert!(page.contains("`A_B2` is not of small letters"), "{page}");
    for line in page.lines() {
        let in_spans = line.split('`').skip(1).step_by(2);
        let spans: Vec<&str> = in_spans.collect();
        assert!(
            line.contains("``") || spans.iter().all(|span| !span.contains('\\')),
            "{line}"
        );
    }
    let report = std::process::Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args(["report", "index", "--format", "md"])
        .current_dir(bench.folder.path())
        .env("MYDEX_URL", schema.url())
        .output()
        .unwrap();
    let page = String::from_utf8(report.stdout).unwrap();
    assert!(page.contains("or\\`ders"), "{page}");
    assert!(
        page.contains("ADD INDEX `more` (`st``ate`, `id`)"),
        "{page}"
    );
    assert!(
        page.contains("\n### 1. ") && !page.contains("\n### 2. "),
        "{page}"
    );
}
