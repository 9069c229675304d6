//! The cases of the shapes are statements that the server accepts, on tables that it has.

use sqlx::Executor;

use crate::server;

const SCHEMA: &str = include_str!("../../src/advisor/sql/cases/schema.sql");
const CASES: &str = include_str!("../../src/advisor/sql/cases/cases.txt");
const TPCH_SCHEMA: &str = include_str!("../../src/advisor/sql/cases/tpch.sql");
const TPCH: &str = include_str!("../../benches/tpch/queries.sql");

#[tokio::test]
async fn every_case_is_a_statement_of_the_server() {
    let own = server::schema("shape").await;
    let (pool, schema) = (own.pool().await, own.name());
    let here = |text: &str| text.replace("app.", &format!("{schema}."));
    for statement in SCHEMA.split(';').filter(|text| !text.trim().is_empty()) {
        pool.execute(sqlx::AssertSqlSafe(here(statement)))
            .await
            .unwrap();
    }
    let mut refused = Vec::new();
    let mut seen = 0;
    for case in CASES.split("\n\n") {
        let Some((sql, _)) = case.trim().split_once("\n=>") else {
            continue;
        };
        let sql = format!("EXPLAIN {}", here(sql.trim()).replace("= ?", "= 1"));
        if let Err(error) = pool.execute(sqlx::AssertSqlSafe(sql.clone())).await {
            refused.push(format!("{sql}: {error}"));
        }
        seen += 1;
    }
    assert!(seen >= 120, "{seen} cases");
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[tokio::test]
async fn every_query_of_tpch_is_a_statement_of_the_server() {
    let schema = server::schema("shape_tpch").await;
    let pool = schema.pool().await;
    for statement in TPCH_SCHEMA
        .split(';')
        .filter(|text| !text.trim().is_empty())
    {
        pool.execute(sqlx::AssertSqlSafe(statement.to_owned()))
            .await
            .unwrap();
    }
    let mut refused = Vec::new();
    for piece in TPCH.split("-- name: ").skip(1) {
        let (name, sql) = piece.split_once('\n').unwrap();
        let sql = format!("EXPLAIN {}", sql.trim().trim_end_matches(';'));
        if let Err(error) = pool.execute(sqlx::AssertSqlSafe(sql)).await {
            refused.push(format!("{name}: {error}"));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
