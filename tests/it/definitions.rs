//! Index definitions on a real server: both directions, back and forth; and the guide's example.

use mydex::indexes::definition::Definition;
use mydex::model::advice::Action;
use sqlx::mysql::MySqlPool;
use sqlx::{AssertSqlSafe, Executor};

use crate::server;

const PAGE: &str = include_str!("../../docs/indexes.md");

const TABLE: &str = "CREATE TABLE orders (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    state VARCHAR(20) NOT NULL,
    made DATETIME NOT NULL,
    email VARCHAR(255),
    note TEXT,
    doc JSON,
    place POINT NOT NULL SRID 0,
    `o'd``d \"name` INT
)";

/// Forms of an index: what stands in a definition behind `columns =`.
const FORMS: &[&str] = &[
    r#"["state"]"#,
    r#"["state", { column = "made", desc = true }]"#,
    r#"[{ column = "note", prefix = 20 }, "id"]"#,
    r#"[{ column = "email", prefix = 10, desc = true }, "state", "made"]"#,
    "[\"email\"]\nunique = true",
    "[\"made\"]\nvisible = false",
    "[\"made\"]\ncomment = \"it's \\\\ \\\"odd\\\"\\nin two lines\"",
    r#"[{ expression = "lower(`email`)" }]"#,
    r#"["state", { expression = "(year(`made`) + 1)", desc = true }]"#,
    r#"[{ expression = "cast(json_unquote(json_extract(`doc`,'$.\"a)b\"')) as char(20))" }]"#,
    "[{ expression = \"cast(json_extract(`doc`,'$.tags') as char(20) array)\" }]\nkind = \"multi_valued\"",
    "[\"state\", { expression = \"cast(json_extract(`doc`,'$.n') as unsigned array)\" }]\nkind = \"multi_valued\"",
    "[\"note\"]\nkind = \"fulltext\"",
    "[\"note\", \"email\"]\nkind = \"fulltext\"\nparser = \"ngram\"",
    "[\"place\"]\nkind = \"spatial\"",
    "[\"made\"]\nkind = \"hash\"",
    r#"["o'd`d \"name"]"#,
    "[\"email_lower\", \"state\"]\ngenerated_column = { name = \"email_lower\", type = \"varchar(255)\", expression = \"lower(`email`)\" }",
    "[\"price\"]\ngenerated_column = { name = \"price\", type = \"decimal(10,2)\", expression = \"cast(json_extract(`doc`,'$.price') as decimal(10,2))\" }",
];

async fn show(pool: &MySqlPool) -> String {
    let row: (String, String) = sqlx::query_as("SHOW CREATE TABLE orders")
        .fetch_one(pool)
        .await
        .unwrap();
    row.1
}

async fn run(pool: &MySqlPool, statements: &[String]) {
    for sql in statements {
        let done = pool.execute(AssertSqlSafe(sql.clone())).await;
        assert!(done.is_ok(), "{sql}: {}", done.unwrap_err());
    }
}

/// Whatever the order of applying, undoing and applying again, the table has two faces only.
async fn back_and_forth(pool: &MySqlPool, schema: &str, create: &Definition) {
    let without = show(pool).await;
    run(pool, &create.up(schema)).await;
    let with = show(pool).await;
    assert_ne!(with, without);
    run(pool, &create.down(schema)).await;
    assert_eq!(show(pool).await, without);
    run(pool, &create.up(schema)).await;
    assert_eq!(show(pool).await, with);
    let drop = Definition {
        action: Action::Drop,
        ..create.clone()
    };
    run(pool, &drop.up(schema)).await;
    assert_eq!(show(pool).await, without);
    run(pool, &drop.down(schema)).await;
    assert_eq!(show(pool).await, with);
    run(pool, &drop.up(schema)).await;
    assert_eq!(show(pool).await, without);
}

#[tokio::test]
async fn every_form_goes_back_and_forth_without_a_trace() {
    let schema = server::schema("definitions").await;
    let pool = schema.pool().await;
    // An instant change of columns leaves no other trace on an empty table.
    pool.execute(TABLE).await.unwrap();
    for form in FORMS {
        let toml = format!(
            "table = \"orders\"\naction = \"create\"\nindex = \"o'r`d <\\\"1\\\">\"\ncolumns = {form}\n"
        );
        let create = Definition::parse("form.toml", &toml).unwrap();
        // What was read and written again makes the same.
        let create = Definition::parse("form.toml", &create.to_toml()).unwrap();
        back_and_forth(&pool, schema.name(), &create).await;
    }
    pool.close().await;
}

#[tokio::test]
async fn the_example_of_the_guide_is_a_definition_that_a_server_takes() {
    let (_, example) = PAGE.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let mut definition = Definition::parse("docs/indexes.md", example).unwrap();
    assert!(definition.evidence.is_some());
    for key in example.lines().filter_map(|line| line.split_once(" = ")) {
        let name = key.0.trim_start_matches([' ', '{']);
        assert!(
            PAGE.contains(&format!("`{name}`")),
            "`{name}` is not in the guide's tables"
        );
    }
    let schema = server::schema("guide").await;
    let pool = schema.pool().await;
    pool.execute(TABLE).await.unwrap();
    definition.schema = None;
    back_and_forth(&pool, schema.name(), &definition).await;
    pool.close().await;
}
