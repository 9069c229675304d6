//! From statements as a server kept them to a workload that it can explain.

use mydex::advisor::source::Found;
use mydex::advisor::source::gather::{Rules, gather};
use mydex::advisor::workload::Workload;
use mydex::sql::fingerprint::fingerprint;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::server::{schema, shared};
use crate::server_checks::{limits, settings};

fn found(sql: &str, schema: Option<&str>) -> Found {
    Found {
        name: "q".to_owned(),
        fingerprint: fingerprint(sql),
        schema: schema.map(str::to_owned),
        samples: vec![sql.to_owned()],
        calls: 1.0,
        ..Found::default()
    }
}

async fn gathered(all: Vec<Found>, rules: &Rules) -> Workload {
    let server = settings(shared().await.endpoint());
    let mut connection = mydex::server::open(&server, &limits()).await.unwrap();
    let mut workload = Workload::default();
    gather(&mut connection, all, rules, &mut workload)
        .await
        .unwrap();
    connection.close().await;
    workload
}

#[tokio::test]
async fn parameters_and_cut_rows_get_constants_that_the_server_explains() {
    let schema = schema("workload").await;
    let pool = schema.pool().await;
    for sql in [
        "CREATE TABLE t (id INT PRIMARY KEY, made DATETIME NOT NULL, gone DATETIME, never DATE, \
         name VARCHAR(20) NOT NULL, tags JSON, UNIQUE KEY (name))",
        "INSERT INTO t (id, made, gone, name) WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL \
         SELECT i + 1 FROM n WHERE i < 400) SELECT i, '2026-01-01' + INTERVAL i HOUR, \
         IF(i = 300, '2026-06-01', NULL), CONCAT('n', i) FROM n",
    ] {
        pool.execute(sql).await.unwrap();
    }
    let own = Some(schema.name());
    let mut cut = found("INSERT INTO t (id, made, name) VALUES (1, NOW(), 'x')", own);
    cut.samples = vec!["INSERT INTO t (id, made, name) VALUES (1, NOW(), 'x...".to_owned()];
    cut.cut = Some("the server cut its text");
    let mut replaced = found(
        "INSERT INTO t (id, name) VALUES (1, 'x') ON DUPLICATE KEY UPDATE name = 'y'",
        own,
    );
    replaced.cut = cut.cut;
    let mut lost = found("SELECT id FROM t WHERE name = 'x'", own);
    lost.cut = cut.cut;
    let mut all = vec![cut, replaced, lost];
    all.extend(
        [
            "SELECT id FROM t WHERE (made, id) < (?, ?) ORDER BY made DESC, id DESC LIMIT ?",
            "SELECT id FROM t WHERE gone IS NOT NULL AND gone >= ?",
            "SELECT id FROM t WHERE never > ?",
            "SELECT id FROM t WHERE ? <= made AND LOWER(name) = ?",
            "SELECT id FROM t WHERE (id, made) IN ((?, ?), (?, ?))",
            "SELECT id FROM t WHERE DATE(made) = ?",
        ]
        .map(|sql| found(sql, own)),
    );
    for is_dataless in [false, true] {
        let rules = Rules {
            is_dataless,
            ..Rules::default()
        };
        let workload = gathered(all.clone(), &rules).await;
        assert_eq!(workload.queries.len(), 8);
        let skipped: Vec<&str> = workload
            .skipped
            .iter()
            .map(|one| one.reason.as_str())
            .collect();
        assert_eq!(skipped, ["the server cut its text"]);
        for sample in workload.queries.iter().flat_map(|query| &query.samples) {
            let sql = format!("EXPLAIN {}", sample.sql);
            let explained = pool.execute(AssertSqlSafe(sql.clone())).await;
            assert!(explained.is_ok(), "{sql}: {explained:?}");
            assert!(sample.is_made_up);
        }
        if !is_dataless {
            // A row's values, and one that is not NULL from among its neighbours.
            let hex = |text: &str| {
                let digits: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
                digits.concat()
            };
            let text = format!("{:?}", workload.queries).to_lowercase();
            for value in ["2026-01-01 01:00:00", "2026-06-01 00:00:00"] {
                assert!(text.contains(&hex(value)), "{value}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn statements_about_the_server_are_counted_whatever_the_source() {
    let own = Some("shop");
    let all = [
        "SELECT * FROM information_schema.TABLES",
        "SELECT t.THREAD_ID FROM performance_schema.threads t JOIN shop.t u ON u.id = t.THREAD_ID",
        "SHOW STATUS",
        "SELECT @@version_comment LIMIT 1",
        "SELECT /* mydex:digests */ 1 FROM t",
        "SET NAMES utf8mb4",
        "SELECT id FROM t WHERE id = 5",
    ]
    .map(|sql| found(sql, own));
    let workload = gathered(all.to_vec(), &Rules::default()).await;
    assert_eq!(workload.queries.len(), 1);
    assert!(workload.skipped.is_empty(), "{:?}", workload.skipped);
    let notes = workload.notes.join("\n");
    assert!(
        notes.contains("5 kinds of statements about the server itself"),
        "{notes}"
    );
    assert!(
        notes.contains("1 kind of statement without a plan"),
        "{notes}"
    );
}
