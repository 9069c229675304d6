//! Constants that are expressions: the optimizer takes the candidates that are made for them.

use mydex::advisor::candidates::{self, Generated};
use mydex::advisor::sql;
use mydex::advisor::statistics::Statistics;
use mydex::model::schema::Catalog;

use crate::candidates::{are_taken, catalog_of, things};

/// The candidates for `SELECT id FROM t WHERE …`.
fn of(condition: &str, schema: &str, catalog: &Catalog) -> Generated {
    let sql = format!("SELECT id FROM t WHERE {condition}");
    let shape = sql::shape(&sql, Some(schema), catalog).unwrap();
    candidates::generate(
        &[(0, shape)],
        catalog,
        &Statistics::default(),
        &candidates::Options::default(),
    )
}

#[tokio::test]
async fn the_optimizer_takes_candidates_for_expressions_of_constants() {
    let (schema, pool) = things("constants").await;
    let catalog = catalog_of(&schema).await;
    for condition in [
        "s = CONCAT('Name', '55')",
        "s = IF(1, 'Name55', 'x')",
        "s IN (CONCAT('Na', 'me55'), LOWER('NAME7'))",
        "s LIKE CONCAT('Name5555', '%')",
        "s BETWEEN CONCAT('Name', '55') AND REPEAT('Name55', 1)",
        "n = 2 + 3",
        "n = ABS(-5)",
        "n = CAST('5' AS SIGNED)",
        "at = TIMESTAMP('2026-01-03 00:00:00')",
        "at > DATE('2026-01-14') + INTERVAL 21 HOUR",
        "at > NOW() - INTERVAL 7 DAY OR at < STR_TO_DATE('2026-01-01 01', '%Y-%m-%d %H')",
        "x = CONCAT('text ', 55)",
        "lower(s) = LOWER('NAME55')",
        "lower(s) = CONCAT('name', 55)",
        "lower(s) = CAST('name55' AS CHAR)",
        "lower(s) IN (LOWER('NAME55'), 'name66')",
        "DATE(at) = DATE('2026-01-02') + INTERVAL 1 DAY",
        "DATE(at) = CAST('2026-01-03' AS DATE)",
        "DATE(at) = '2026-01-02' + INTERVAL 1 DAY",
        "DATE(at) > TIMESTAMP('2026-01-14 01:00:00') - INTERVAL 1 DAY",
        "DATE(at) IN (CURDATE(), MAKEDATE(2026, 3))",
        "j->>'$.x' = CONCAT('v', '55')",
        "CAST(j->>'$.n' AS SIGNED) = 50 + 5",
        "CAST(j->>'$.n' AS SIGNED) = 110 DIV 2",
        "CAST(j->>'$.n' AS SIGNED) IN (LENGTH('abc'), 55)",
        "n * 2 = 8 + 8",
        "JSON_CONTAINS(j->'$.names', JSON_QUOTE('t55'))",
        "JSON_CONTAINS(j->'$.names', CAST('\"t55\"' AS JSON))",
        "JSON_CONTAINS(j->'$.names', CAST(JSON_QUOTE('t55') AS JSON))",
        "JSON_CONTAINS(j->'$.names', JSON_ARRAY('t55'))",
        "JSON_CONTAINS(j->'$.names', CONCAT('\"t', 55, '\"'))",
        "JSON_OVERLAPS(JSON_ARRAY('t55', 't66'), j->'$.names')",
        "CONCAT('t', 55) MEMBER OF (j->'$.names')",
        "LOWER('T55') MEMBER OF (j->'$.names')",
        "JSON_CONTAINS(j->'$.tags', CAST('[55, 56]' AS JSON))",
        "JSON_CONTAINS(j->'$.tags', JSON_ARRAY(50 + 5))",
        "JSON_OVERLAPS(j->'$.tags', JSON_ARRAY(55, 66))",
        "(50 + 5) MEMBER OF (j->'$.tags')",
        "CAST('55' AS SIGNED) MEMBER OF (j->'$.tags')",
    ] {
        let sql = format!("SELECT id FROM t WHERE {condition} ORDER BY id + 0");
        are_taken(&pool, &sql, &of(condition, schema.name(), &catalog)).await;
    }
}

#[tokio::test]
async fn nothing_is_made_for_what_the_optimizer_does_not_take_for_a_constant() {
    let (schema, _) = things("no_constants").await;
    let catalog = catalog_of(&schema).await;
    for condition in [
        "n = FLOOR(RAND() * 10)",
        "s = UUID()",
        "at > SYSDATE() - INTERVAL 1 DAY",
        "n = m",
        "n = ABS(m)",
        "n = @n AND (@n := m) > 0",
        "UUID() MEMBER OF (j->'$.names')",
        // Strings become numbers, times or JSON values before they are compared.
        "s = LENGTH('abc')",
        "s = CURDATE()",
        "s = CAST('\"Name55\"' AS JSON)",
        "n = CAST('5' AS JSON)",
        "lower(s) = CHAR_LENGTH('abc')",
        "CAST(j->>'$.n' AS SIGNED) = CONCAT('5', '5')",
        "JSON_CONTAINS(j, '\"t55\"', '$.names')",
    ] {
        let found = of(condition, schema.name(), &catalog);
        let made: Vec<_> = found
            .candidates
            .iter()
            .map(|one| &one.index.parts)
            .collect();
        assert!(made.is_empty(), "{condition}: {made:?}");
    }
}
