//! What the tests and the bench of `index apply` work on: a schema, a folder of definitions, and
//! fingerprints that tell whether two states of a schema are the same.

use std::fmt::Write as _;
use std::path::Path;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Executor as _};

/// Tables of the stage; `orders` gets rows.
pub(crate) const TABLES: &[&str] = &[
    "CREATE TABLE orders (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        state VARCHAR(20) NOT NULL,
        made DATETIME NOT NULL,
        email VARCHAR(255),
        amount INT NOT NULL,
        KEY old_made (made) USING BTREE COMMENT 'of the ''old'' days',
        KEY made_state (made DESC, state(5))
    )",
    "CREATE TABLE places (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        email VARCHAR(255),
        number INT NOT NULL
    )",
    "CREATE TABLE items (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        order_id BIGINT UNSIGNED NOT NULL,
        number INT NOT NULL,
        FOREIGN KEY (order_id) REFERENCES orders (id)
    )",
];

/// Definitions of the stage: a plain index, one over an expression, one over a generated column,
/// one that would replace the index of a foreign key, a unique one, and two drops.
pub(crate) const FOLDER: &[(&str, &str)] = &[
    (
        "0001_plain.toml",
        "table = \"orders\"\naction = \"create\"\nindex = \"state_made\"\n\
         columns = [\"state\", { column = \"made\", desc = true }]\n",
    ),
    (
        "0002_column.toml",
        "table = \"places\"\naction = \"create\"\nindex = \"email_lower\"\n\
         columns = [\"email_low\", \"number\"]\ngenerated_column = { name = \"email_low\", type = \
         \"varchar(255)\", expression = \"LOWER( email )\" }\n",
    ),
    (
        "0003_wide.toml",
        "table = \"items\"\naction = \"create\"\nindex = \"order_number\"\n\
         columns = [\"order_id\", \"number\"]\ncomment = \"it's wide\"\n",
    ),
    (
        "0004_drop_old.toml",
        "table = \"orders\"\naction = \"drop\"\nindex = \"old_made\"\ncolumns = [\"made\"]\n\
         comment = \"of the 'old' days\"\n",
    ),
    (
        "0005_expression.toml",
        "table = \"orders\"\naction = \"create\"\nindex = \"low\"\n\
         columns = [{ expression = \"concat( LOWER(email),  'x''y' )\" }]\n",
    ),
    (
        "0006_drop_other.toml",
        "table = \"orders\"\naction = \"drop\"\nindex = \"made_state\"\n\
         columns = [{ column = \"made\", desc = true }, { column = \"state\", prefix = 5 }]\n",
    ),
];

/// Runs one statement.
pub(crate) async fn run(connection: &mut MySqlConnection, sql: &str) {
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
    assert!(done.is_ok(), "{sql:.200}: {:?}", done.err());
}

/// Makes the schema anew, with about so many rows in `orders`.
pub(crate) async fn reset(connection: &mut MySqlConnection, schema: &str, rows: u32) {
    run(
        connection,
        &format!("DROP DATABASE IF EXISTS `{schema}`; CREATE DATABASE `{schema}`; USE `{schema}`"),
    )
    .await;
    for table in TABLES {
        run(connection, table).await;
    }
    let mut insert = "INSERT INTO orders (state, made, email, amount) VALUES ".to_owned();
    for row in 0..rows.min(1_000) {
        let comma = if row == 0 { "" } else { ", " };
        let _ = write!(
            insert,
            "{comma}('s{}', '2026-01-01' + INTERVAL {row} HOUR, 'Who{row}@Example', {row})",
            row % 7
        );
    }
    run(connection, &insert).await;
    let mut there = rows.min(1_000);
    while there < rows {
        run(
            connection,
            "INSERT INTO orders (state, made, email, amount) \
             SELECT state, made, email, amount FROM orders",
        )
        .await;
        there *= 2;
    }
}

/// Writes a folder of definitions.
pub(crate) fn write_folder(folder: &Path, files: &[(&str, &str)]) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

/// Every table but the ledger, exactly as the server writes it; the order of a table's indexes,
/// which follows their age, does not count.
pub(crate) async fn fingerprint(connection: &mut MySqlConnection, schema: &str) -> String {
    let names: Vec<(String,)> = sqlx::query_as(
        "SELECT TABLE_NAME FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME NOT LIKE 'mydex%' ORDER BY TABLE_NAME",
    )
    .bind(schema)
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let mut text = String::new();
    for (name,) in names {
        let sql = format!("SHOW CREATE TABLE `{schema}`.`{name}`");
        let row: (String, String) = sqlx::query_as(AssertSqlSafe(sql))
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        text.push_str(&normal(&row.1));
        text.push('\n');
    }
    text
}

/// A table's text with its lines sorted behind the columns, and without its counter.
fn normal(create: &str) -> String {
    let mut lines: Vec<String> = create
        .lines()
        .map(|line| line.trim_end_matches(',').to_owned())
        .map(|line| match line.split_once(" AUTO_INCREMENT=") {
            Some((head, tail)) if line.starts_with(')') => {
                let rest = tail.trim_start_matches(|c: char| c.is_ascii_digit());
                format!("{head}{rest}")
            }
            _ => line,
        })
        .collect();
    let is_key = |line: &String| line.contains("KEY ") && !line.trim_start().starts_with('`');
    let first = lines.iter().position(is_key).unwrap_or(lines.len());
    let last = lines.len().saturating_sub(1);
    if first < last {
        lines[first..last].sort();
    }
    lines.join("\n")
}
