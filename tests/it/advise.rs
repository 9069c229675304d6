//! `mydex advise` from end to end: the binary against a real server, its advice carried out there.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _, MySqlPool};

use crate::server::{Schema, schema};

/// Customers with many orders each; orders know their customer and state, and have no index.
pub(crate) async fn shop(name: &str) -> Schema {
    let schema = schema(name).await;
    let pool = schema.pool().await;
    for sql in [
        "CREATE TABLE customers (id INT PRIMARY KEY, email VARCHAR(80) NOT NULL, region VARCHAR(8) NOT NULL)",
        "CREATE TABLE orders (id INT PRIMARY KEY, customer INT NOT NULL, state VARCHAR(12) NOT NULL, \
         made DATETIME NOT NULL, cents INT NOT NULL, note VARCHAR(200) NOT NULL, \
         KEY state_only (state), KEY state_twice (state))",
        "INSERT INTO customers WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900) \
         SELECT i, CONCAT('user', i, '@example.org'), ELT(1 + i % 5, 'north', 'south', 'east', 'west', 'mid') FROM n",
        "INSERT INTO orders WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
         SELECT a.i * 20 + b.i, 1 + (a.i * 7919 + b.i * 104729) % 900, \
         ELT(1 + (a.i + b.i) % 4, 'new', 'paid', 'sent', 'done'), \
         '2026-01-01' + INTERVAL (a.i * 20 + b.i) MINUTE, (a.i * 31 + b.i) % 9999, REPEAT('x', 150) \
         FROM n AS a JOIN n AS b ON b.i <= 20",
        "ANALYZE TABLE customers, orders",
    ] {
        pool.execute(sql).await.unwrap();
    }
    schema
}

const WORKLOAD: &str = "\
-- name: orders-of-customer
-- weight: 200
SELECT id, made, cents FROM orders WHERE customer = 77 ORDER BY made DESC LIMIT 10;
-- name: sums
-- weight: 5
SELECT c.region, SUM(o.cents) FROM customers c JOIN orders o ON o.customer = c.id
WHERE o.made >= '2026-01-10' AND o.made < '2026-01-11' GROUP BY c.region;
-- name: pay
-- weight: 50
UPDATE orders SET state = 'paid' WHERE id = 4711;
-- name: no-table
SELECT 1;
-- name: broken
SELECT * FROM nowhere WHERE a = 1;
";

fn mydex(schema: &Schema, folder: &Path, arguments: &[&str]) -> Output {
    schema.mydex(folder, arguments)
}

fn json(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{:?}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn run(pool: &MySqlPool, statement: &str) {
    pool.execute(AssertSqlSafe(statement))
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

#[tokio::test]
async fn advice_is_proven_and_can_be_carried_out_and_undone() {
    let schema = shop("advise_shop").await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("work.sql"), WORKLOAD).unwrap();
    let arguments = [
        "advise", "--source", "sql", "work.sql", "--format", "json", "--write",
    ];
    let output = mydex(&schema, folder.path(), &arguments);
    let advice = json(&output);

    let recommendations = advice["recommendations"].as_array().unwrap();
    let first = &recommendations[0];
    assert_eq!(first["table"], "orders", "{first:#}");
    let columns = first["index"]["columns"].to_string();
    assert!(columns.contains("customer"), "{columns}");
    assert_eq!(first["is_proven"], true, "{first:#}");
    assert!(advice["workload"]["after"].as_f64() < advice["workload"]["before"].as_f64());
    assert_eq!(advice["optimality"]["is_proven"], true);
    let skipped = advice["skipped"].to_string();
    assert!(skipped.contains("nowhere"), "{skipped}");
    // One of two equal indexes may go, never both.
    let drops: Vec<_> = recommendations
        .iter()
        .filter(|one| one["action"] == "drop")
        .collect();
    assert_eq!(drops.len(), 1, "{drops:#?}");

    // Every statement is one that the server takes, and every one can be undone.
    let pool = schema.pool().await;
    let before = definition(&pool).await;
    for one in recommendations {
        for statement in one["ddl"].as_array().unwrap() {
            run(&pool, statement.as_str().unwrap()).await;
        }
    }
    assert_ne!(definition(&pool).await, before);
    for one in recommendations.iter().rev() {
        for statement in one["undo"].as_array().unwrap() {
            run(&pool, statement.as_str().unwrap()).await;
        }
    }
    assert_eq!(definition(&pool).await, before);

    let written = files(&folder.path().join("indexes"));
    assert_eq!(written.len(), recommendations.len());

    // Without executions the same question gives the same changes; the figures of the evidence
    // follow InnoDB's statistics, which are sampled.
    let estimated = |dir: &str| -> Vec<(String, String)> {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--no-proof", "--dir", dir]);
        json(&mydex(&schema, folder.path(), &arguments));
        files(&folder.path().join(dir))
            .into_iter()
            .map(|(name, text)| {
                let change = text.split("[evidence]").next().unwrap();
                // A reason can tell how long an index was watched.
                let lines = change.lines().filter(|line| !line.starts_with("reason"));
                (name, lines.collect::<Vec<_>>().join("\n"))
            })
            .collect()
    };
    assert_eq!(estimated("one"), estimated("two"));
}

pub(crate) async fn definition(pool: &MySqlPool) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT INDEX_NAME, GROUP_CONCAT(COALESCE(COLUMN_NAME, EXPRESSION), COALESCE(SUB_PART, ''), \
         COLLATION, IS_VISIBLE ORDER BY SEQ_IN_INDEX) FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = DATABASE() GROUP BY TABLE_NAME, INDEX_NAME ORDER BY TABLE_NAME, INDEX_NAME",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_dry_run_lists_its_statements_and_mistakes_are_told_at_once() {
    let schema = shop("advise_dry").await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("work.sql"), WORKLOAD).unwrap();
    let output = mydex(
        &schema,
        folder.path(),
        &["advise", "--source", "sql", "work.sql", "--dry-run"],
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("orders"), "{text}");

    let output = mydex(
        &schema,
        folder.path(),
        &[
            "advise",
            "--source",
            "sql",
            "--tier",
            "t2",
            "--tolerance=-1",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["name the files", "--replica NAME", "--tolerance -1"] {
        assert!(text.contains(part), "{text}");
    }
}

/// Runs the advisor over `workload` and gives its recommendations.
fn recommended(schema: &Schema, folder: &Path, workload: &str) -> Vec<Value> {
    fs::write(folder.join("work.sql"), workload).unwrap();
    let arguments = [
        "advise", "--source", "sql", "work.sql", "--format", "json", "--write",
    ];
    let advice = json(&mydex(schema, folder, &arguments));
    advice["recommendations"].as_array().unwrap().clone()
}

/// Carries out the statements under `key`, one recommendation after the other.
async fn carry_out<'a>(
    pool: &MySqlPool,
    recommendations: impl Iterator<Item = &'a Value>,
    key: &str,
) {
    for one in recommendations {
        for statement in one[key].as_array().unwrap() {
            run(pool, statement.as_str().unwrap()).await;
        }
    }
}

#[tokio::test]
async fn an_index_goes_with_the_one_that_does_its_work() {
    let schema = shop("advise_replaced").await;
    let pool = schema.pool().await;
    for sql in [
        "ALTER TABLE orders DROP INDEX state_only, DROP INDEX state_twice, \
         ADD INDEX of_customer (customer), ADD INDEX named (state), \
         ADD CONSTRAINT buyer FOREIGN KEY (customer) REFERENCES customers (id)",
        // So many that finding the last three takes long without their order.
        "INSERT INTO orders SELECT id + 100000, 77, state, made, cents, note FROM orders \
         WHERE id <= 8000",
        "ANALYZE TABLE orders",
    ] {
        run(&pool, sql).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let all = recommended(
        &schema,
        folder.path(),
        "-- weight: 500\n\
         SELECT id, made, cents FROM orders WHERE customer = 77 ORDER BY made DESC LIMIT 3;\n\
         -- weight: 100\n\
         SELECT id FROM orders WHERE state = 'new' ORDER BY made DESC LIMIT 3;\n\
         SELECT COUNT(*) FROM orders FORCE INDEX (named) WHERE state = 'paid';\n\
         -- weight: 100\n\
         INSERT INTO orders VALUES (999999, 5, 'new', NOW(), 5, 'x');",
    );
    let name = |one: &Value| one["index"]["name"].as_str().unwrap_or_default().to_owned();
    let place = |wanted: &str| all.iter().position(|one| name(one) == wanted);
    let dropped = place("of_customer").unwrap_or_else(|| panic!("{all:#?}"));
    let one = &all[dropped];
    assert_eq!(one["action"], "drop");
    let reason = one["reason"].as_str().unwrap();
    let stand_in = reason.split('`').nth(1).unwrap();
    assert!(place(stand_in).unwrap() < dropped, "{reason}");
    assert!(reason.contains("created before"), "{reason}");
    // What a query names in a hint stays.
    assert_eq!(place("named"), None);

    let before = definition(&pool).await;
    carry_out(&pool, all.iter(), "ddl").await;
    carry_out(&pool, all.iter().rev(), "undo").await;
    assert_eq!(definition(&pool).await, before);
}

#[tokio::test]
async fn indexes_on_expressions_are_built_beside_others() {
    let schema = shop("advise_beside").await;
    let pool = schema.pool().await;
    for sql in [
        "ALTER TABLE customers ADD COLUMN tags JSON, ADD COLUMN roles JSON",
        "UPDATE customers SET tags = JSON_ARRAY(CONCAT('t', id), CONCAT('t', id + 1)), \
         roles = JSON_ARRAY(id, id + 1)",
        "INSERT INTO customers SELECT id + 1000 * n.i, CONCAT('more', id, '-', n.i), region, tags, \
         roles FROM customers JOIN (SELECT 1 AS i UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) AS n",
        "ALTER TABLE customers ADD INDEX Whole ((LOWER(region)))",
        "ANALYZE TABLE customers",
    ] {
        run(&pool, sql).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let all = recommended(
        &schema,
        folder.path(),
        "-- weight: 300\n\
         SELECT id FROM customers WHERE 't55' MEMBER OF (tags);\n\
         -- weight: 200\n\
         SELECT id FROM customers WHERE 77 MEMBER OF (roles);\n\
         -- weight: 300\n\
         SELECT id FROM customers WHERE LOWER(email) = CONCAT('user', '77', '@example.org');",
    );
    let functional = all.iter().filter(|one| one["action"] == "create");
    assert_eq!(functional.count(), 3, "{all:#?}");
    let before = definition(&pool).await;
    carry_out(&pool, all.iter(), "ddl").await;
    carry_out(&pool, all.iter(), "undo").await;
    assert_eq!(definition(&pool).await, before);
}

#[tokio::test]
async fn hostile_names_partitions_and_other_engines_are_advised_on() {
    let schema = schema("advise_names").await;
    let pool = schema.pool().await;
    let numbers = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900), \
                   m AS (SELECT a.i * 10 + b.i AS i FROM n AS a JOIN n AS b ON b.i <= 10)";
    for sql in [
        "CREATE TABLE `par``t|<b>` (id INT NOT NULL, `na``me` VARCHAR(40) NOT NULL, d DATE NOT NULL, \
         PRIMARY KEY (id, d)) PARTITION BY HASH (YEAR(d)) PARTITIONS 3",
        &format!(
            "INSERT INTO `par``t|<b>` {numbers} \
             SELECT i, CONCAT('Name', i), '2023-01-01' + INTERVAL i % 1000 DAY FROM m"
        ),
        "CREATE TABLE other (id INT PRIMARY KEY, a INT) ENGINE = MyISAM",
        &format!("INSERT INTO other {numbers} SELECT i, i % 500 FROM m"),
        "CREATE VIEW seen AS SELECT id, LOWER(`na``me`) AS low FROM `par``t|<b>`",
        "ANALYZE TABLE `par``t|<b>`, other",
    ] {
        run(&pool, sql).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let all = recommended(
        &schema,
        folder.path(),
        "-- weight: 300\n\
         SELECT id FROM `par``t|<b>` WHERE `na``me` = 'Name77';\n\
         -- weight: 300\n\
         SELECT id FROM seen WHERE low = 'name77';\n\
         -- weight: 300\n\
         SELECT COUNT(*) FROM other WHERE a = 5;",
    );
    assert_eq!(all.len(), 3, "{all:#?}");
    let before = definition(&pool).await;
    carry_out(&pool, all.iter(), "ddl").await;
    carry_out(&pool, all.iter(), "undo").await;
    assert_eq!(definition(&pool).await, before);
}

#[tokio::test]
async fn virtual_columns_come_before_indexes_that_refuse_them() {
    let schema = shop("advise_virtual").await;
    let pool = schema.pool().await;
    for sql in [
        "ALTER TABLE customers ADD COLUMN tags JSON",
        "UPDATE customers SET tags = JSON_ARRAY(CONCAT('t', id), CONCAT('t', id + 1))",
        "INSERT INTO customers SELECT id + 1000 * n.i, CONCAT('more', id, '-', n.i), region, tags \
         FROM customers JOIN (SELECT 1 AS i UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) AS n",
        "ANALYZE TABLE customers",
    ] {
        run(&pool, sql).await;
    }
    let folder = tempfile::tempdir().unwrap();
    // The array gains most, and so would come first.
    let all = recommended(
        &schema,
        folder.path(),
        "-- weight: 300\n\
         SELECT id FROM customers WHERE JSON_CONTAINS(tags, JSON_QUOTE('t55'));\n\
         -- weight: 300\n\
         SELECT id FROM customers WHERE LOWER(email) = CONCAT('user', '77', '@example.org');",
    );
    let text = |one: &Value| one["ddl"].to_string();
    let column = all.iter().position(|one| text(one).contains("VIRTUAL"));
    let array = all.iter().position(|one| text(one).contains("array"));
    assert!(column.is_some() && column < array, "{all:#?}");
    let marginal = |place: Option<usize>| all[place.unwrap()]["marginal"].as_f64();
    assert!(marginal(array) > marginal(column), "{all:#?}");

    let before = definition(&pool).await;
    carry_out(&pool, all.iter(), "ddl").await;
    let after = definition(&pool).await;
    carry_out(&pool, all.iter().rev(), "undo").await;
    assert_eq!(definition(&pool).await, before);
    // The column goes while the array's index is still there, too.
    carry_out(&pool, all.iter(), "ddl").await;
    carry_out(&pool, all.iter(), "undo").await;
    assert_eq!(definition(&pool).await, before);

    // The definitions' numbers have the same order.
    let entries = mydex::indexes::folder::read(&folder.path().join("indexes")).unwrap();
    assert_eq!(entries.len(), all.len());
    for entry in &entries {
        for statement in entry.definition.up(schema.name()) {
            run(&pool, &statement).await;
        }
    }
    assert_eq!(definition(&pool).await, after);

    // Now the table refuses columns, and a functional index takes their place.
    let folder = tempfile::tempdir().unwrap();
    let more = recommended(
        &schema,
        folder.path(),
        "SELECT id FROM customers WHERE UPPER(email) = 'USER77@EXAMPLE.ORG';",
    );
    let made: Vec<_> = more
        .iter()
        .filter(|one| one["action"] == "create")
        .collect();
    assert_eq!(made.len(), 1, "{more:#?}");
    assert!(!text(made[0]).contains("VIRTUAL"), "{made:#?}");
    carry_out(&pool, more.iter(), "ddl").await;
}

/// The tolerance is for plans: what keeping an index up adds to a statement is said.
#[tokio::test]
async fn writes_that_pay_for_an_index_are_named() {
    let schema = shop("advise_upkeep").await;
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..60)
        .map(|row| format!("({}, 1, 'new', '2026-03-01', {row}, '')", 900_000 + row))
        .collect();
    let work = format!(
        "-- name: by-cents\n-- weight: 5000\nSELECT id FROM orders WHERE cents = 4711;\n\
         -- name: many-rows\n-- weight: 1\nINSERT INTO orders VALUES {};\n",
        rows.join(", ")
    );
    fs::write(folder.path().join("work.sql"), work).unwrap();
    let arguments = [
        "advise",
        "--source",
        "sql",
        "work.sql",
        "--format",
        "json",
        "--keep-existing",
    ];
    let advice = json(&mydex(&schema, folder.path(), &arguments));
    let columns = advice["recommendations"][0]["index"]["columns"].to_string();
    assert!(columns.contains("cents"), "{columns}");
    let notes = advice["notes"].as_array().unwrap();
    let upkeep: Vec<&Value> = notes.iter().filter(|one| one["code"] == "upkeep").collect();
    assert_eq!(upkeep.len(), 1, "{notes:#?}");
    let message = upkeep[0]["message"].as_str().unwrap();
    assert!(message.contains("`many-rows`"), "{message}");
    assert!(!message.contains("by-cents"), "{message}");
}
