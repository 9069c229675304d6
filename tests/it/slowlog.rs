//! Slow logs that a real server wrote, against what the server counted itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mydex::sandbox::{Options, Sandbox};
use mydex::slowlog::{self, Profile, Source};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::server;

/// Calls, rows sent and rows examined of each digest text.
type Counts = BTreeMap<String, (u64, u64, u64)>;

#[tokio::test(flavor = "multi_thread")]
async fn classes_and_counts_are_those_of_the_server() {
    let options = Options {
        extra: [
            "--slow-query-log=ON",
            "--long-query-time=0",
            "--log-output=FILE",
        ]
        .map(str::to_owned)
        .to_vec(),
        ..Options::default()
    };
    let sandbox = Sandbox::start(&options, &mut server::quiet).await.unwrap();
    let mut connection = server::connect(&sandbox.endpoint().url()).await;
    for setup in [
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY, a INT, name VARCHAR(20))",
    ] {
        connection.execute(setup).await.unwrap();
    }
    for extra in ["OFF", "ON"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slow.log");
        for statement in [
            format!("SET GLOBAL log_slow_extra = {extra}"),
            format!("SET GLOBAL slow_query_log_file = '{}'", path.display()),
            "USE shop".to_owned(),
            "TRUNCATE TABLE performance_schema.events_statements_summary_by_digest".to_owned(),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(&mut connection)
                .await
                .unwrap();
        }
        for statement in load() {
            // A statement that fails is logged and counted as well.
            let _ = sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(&mut connection)
                .await;
        }
        let digests: Vec<(String, u64, u64, u64)> = sqlx::query_as(
            "SELECT CAST(digest_text AS CHAR), count_star, sum_rows_sent, sum_rows_examined \
             FROM performance_schema.events_statements_summary_by_digest \
             WHERE schema_name = 'shop' AND digest_text LIKE '%marked%'",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let theirs: Counts = digests
            .into_iter()
            .map(|(text, n, s, e)| (text, (n, s, e)))
            .collect();
        let profile = read(path);
        assert_eq!(profile.malformed, 0, "{:?}", profile.faults);
        let is_marked =
            |text: &str| text.contains("marked") && !text.contains("performance_schema");
        let ours: Counts = profile
            .classes
            .iter()
            .filter(|class| is_marked(&class.fingerprint))
            .map(|class| {
                assert_eq!(class.schema(), Some("shop"), "{}", class.fingerprint);
                (
                    class.fingerprint.clone(),
                    (class.calls, class.rows_sent, class.rows_examined),
                )
            })
            .collect();
        assert!(theirs.len() >= 8, "{theirs:#?}");
        assert_eq!(ours, theirs, "log_slow_extra={extra}");
    }
    connection.close().await.unwrap();
}

fn read(path: PathBuf) -> Profile {
    let options = slowlog::Options::default();
    slowlog::read(&[Source::File(path)], &options, &mut |_| true).unwrap()
}

/// Statements of a few classes, all with an alias by which they are found again.
fn load() -> Vec<String> {
    let mut load = vec!["DELETE marked FROM t AS marked".to_owned()];
    for i in 0..40 {
        load.extend([
            format!("INSERT INTO t SELECT marked.i, {i}, 'x' FROM (SELECT {i} AS i) marked"),
            format!("SELECT * FROM t AS marked WHERE id = {i}"),
            format!(
                "SELECT name\n# a comment\nFROM t AS marked\nWHERE a IN ({i}, {})",
                i + 1
            ),
            format!("SELECT COUNT(*) FROM t AS marked WHERE name <> 'n{i};' AND a > -{i}"),
            format!("UPDATE t AS marked SET a = {i} WHERE id = {i} ORDER BY id LIMIT 1"),
        ]);
    }
    for i in 0..5 {
        load.extend([
            format!(
                "SELECT a, COUNT(*) FROM t AS marked GROUP BY 1 ORDER BY 2 LIMIT {}",
                i + 1
            ),
            format!("WITH marked AS (SELECT {i} AS x) SELECT x FROM marked"),
            "SELECT marked.* FROM t AS marked WHERE name IS NULL OR a = NULL".to_owned(),
            format!("SELECT id FROM t AS marked ORDER BY name DESC LIMIT {i}, 3"),
        ]);
    }
    load
}
