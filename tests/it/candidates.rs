//! Candidates and verdicts on existing indexes, tried on a real server.

use std::collections::BTreeSet;

use mydex::advisor::candidates::{self, Generated};
use mydex::advisor::shape::{Block, Op, Predicate, Shape, StatementKind, TableUse};
use mydex::advisor::statistics::Statistics;
use mydex::model::schema::{Catalog, KeyPart, Part, TableName};
use mydex::server::catalog::{self, Scope};
use mydex::server::ddl::{self, Algorithm, Mode};
use sqlx::{AssertSqlSafe, Executor as _, MySqlPool, Row as _};

use crate::server::{Schema, schema, shared};
use crate::server_checks::{limits, settings};

pub(crate) async fn run(pool: &MySqlPool, sql: &str) {
    if let Err(error) = pool.execute(AssertSqlSafe(sql)).await {
        panic!("{sql}: {error}");
    }
}

pub(crate) async fn connection() -> mydex::server::Connection {
    mydex::server::open(&settings(shared().await.endpoint()), &limits())
        .await
        .unwrap()
}

pub(crate) async fn catalog_of(schema: &Schema) -> Catalog {
    let mut connection = connection().await;
    let scope = Scope::Schemas(vec![schema.name().to_owned()]);
    let catalog = catalog::read(&mut connection, &scope).await.unwrap();
    connection.close().await;
    catalog
}

/// A table of 20,000 rows with strings, times, numbers and JSON.
pub(crate) async fn things(name: &str) -> (Schema, MySqlPool) {
    let schema = schema(name).await;
    let pool = schema.pool().await;
    for sql in [
        "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(50), at DATETIME, j JSON, n INT, m INT, \
         x TEXT, pad CHAR(100) DEFAULT 'x')",
        "INSERT INTO t (id, s, at, j, n, m, x) WITH RECURSIVE d AS (SELECT 0 AS i UNION ALL \
         SELECT i + 1 FROM d WHERE i < 199) SELECT a.i * 100 + b.i, \
         CONCAT('Name', a.i * 100 + b.i), '2026-01-01' + INTERVAL (a.i * 100 + b.i) MINUTE, \
         JSON_OBJECT('x', CONCAT('v', a.i * 100 + b.i), 'n', a.i * 100 + b.i, \
         'tags', JSON_ARRAY(a.i * 100 + b.i, a.i * 100 + b.i + 1), 'names', JSON_ARRAY(CONCAT('t', a.i * 100 + b.i))), \
         (a.i * 100 + b.i) % 997, b.i, CONCAT('text ', a.i * 100 + b.i) \
         FROM d AS a JOIN d AS b ON b.i < 100",
        "ANALYZE TABLE t",
    ] {
        run(&pool, sql).await;
    }
    (schema, pool)
}

fn part(text: &str) -> Part {
    if text.contains(['(', '>', '+', '*']) {
        Part::Expression(text.to_owned())
    } else {
        Part::Column(text.to_owned())
    }
}

fn used(table: &TableName, conditions: &[(&str, Op, &[&str])]) -> TableUse {
    TableUse {
        table: table.clone(),
        alias: "t".to_owned(),
        predicates: conditions
            .iter()
            .map(|(what, op, constants)| Predicate {
                what: part(what),
                op: *op,
                constants: constants.iter().map(|text| (*text).to_owned()).collect(),
            })
            .collect(),
        ors: Vec::new(),
        joins: Vec::new(),
        group: Vec::new(),
        order: Vec::new(),
        extremes: Vec::new(),
        columns: BTreeSet::from(["j".to_owned()]),
        is_outer_joined: false,
        hints: Vec::new(),
    }
}

fn generate(catalog: &Catalog, used: TableUse) -> Generated {
    let shape = Shape {
        kind: StatementKind::Select,
        blocks: vec![Block {
            tables: vec![used],
            ..Block::default()
        }],
        writes: Vec::new(),
        gaps: Vec::new(),
    };
    candidates::generate(
        &[(0, shape)],
        catalog,
        &Statistics::default(),
        &candidates::Options::default(),
    )
}

/// The ids that a query finds, and the names of the indexes that its plan uses.
async fn ask(pool: &MySqlPool, sql: &str) -> (Vec<i32>, String) {
    let rows = pool.fetch_all(AssertSqlSafe(sql)).await.unwrap();
    let ids = rows.iter().map(|row| row.get::<i32, _>(0)).collect();
    let plan = format!("EXPLAIN FORMAT=TRADITIONAL {sql}");
    let plan = sqlx::raw_sql(AssertSqlSafe(plan))
        .fetch_all(pool)
        .await
        .unwrap();
    let keys: Vec<String> = plan
        .iter()
        .filter_map(|row| row.get::<Option<String>, _>("key"))
        .collect();
    (ids, keys.join(" "))
}

/// Makes all candidates of one use of `t`, and checks that the optimizer takes one of them for
/// the query and finds the same rows; then takes them away.
async fn is_taken(schema: &Schema, pool: &MySqlPool, sql: &str, used: TableUse) {
    let catalog = catalog_of(schema).await;
    are_taken(pool, sql, &generate(&catalog, used)).await;
}

/// The same for candidates that are there already.
pub(crate) async fn are_taken(pool: &MySqlPool, sql: &str, found: &Generated) {
    assert!(!found.candidates.is_empty(), "{sql}: {:?}", found.notes);
    let (before, _) = ask(pool, sql).await;
    assert!(!before.is_empty(), "{sql} finds nothing");
    let mut columns = BTreeSet::new();
    for candidate in &found.candidates {
        let column = candidate.column.iter();
        for column in column.filter(|column| columns.insert(column.name.clone())) {
            let mode = Mode {
                algorithm: Algorithm::Instant,
                ..Mode::ONLINE
            };
            let (name, full_type) = (&column.name, &column.full_type);
            let add = ddl::add_virtual_column(
                &candidate.table,
                name,
                full_type,
                &column.expression,
                mode,
            );
            run(pool, &add).await;
        }
        let mode = Mode {
            lock: candidate.lock,
            ..Mode::ONLINE
        };
        run(
            pool,
            &ddl::create_index(&candidate.table, &candidate.index, mode),
        )
        .await;
    }
    run(pool, "ANALYZE TABLE t").await;
    let (after, keys) = ask(pool, sql).await;
    assert_eq!(before, after, "{sql}");
    let names: Vec<&str> = found
        .candidates
        .iter()
        .map(|one| one.index.name.as_str())
        .collect();
    assert!(
        names.iter().any(|name| keys.contains(name)),
        "{sql}: of {names:?} the plan takes `{keys}`"
    );
    for candidate in &found.candidates {
        run(
            pool,
            &ddl::drop_index(&candidate.table, &candidate.index.name, Mode::ONLINE),
        )
        .await;
    }
    for name in columns {
        run(pool, &format!("ALTER TABLE t DROP COLUMN {name}")).await;
    }
}

#[allow(
    clippy::too_many_lines,
    reason = "a list of cases, one after the other"
)]
#[tokio::test]
async fn the_optimizer_takes_candidates_of_each_kind() {
    let (schema, pool) = things("candidates").await;
    let table = TableName::new(schema.name(), "t");
    let cases: &[(&str, &str, Op, &[&str])] = &[
        ("n = 5", "n", Op::Equal, &["5"]),
        ("lower(s) = 'name55'", "lower(s)", Op::Equal, &["'name55'"]),
        (
            "UPPER(t.s) = 'NAME55'",
            "UPPER(t.s)",
            Op::Equal,
            &["'NAME55'"],
        ),
        (
            "lower(s) IN ('name55', 'name66')",
            "lower(s)",
            Op::In,
            &["'name55'", "'name66'"],
        ),
        (
            "DATE(at) = '2026-01-03'",
            "DATE(at)",
            Op::Equal,
            &["'2026-01-03'"],
        ),
        ("j->>'$.x' = 'v55'", "j->>'$.x'", Op::Equal, &["'v55'"]),
        (
            "CAST(j->>'$.n' AS SIGNED) = 55",
            "CAST(j->>'$.n' AS SIGNED)",
            Op::Equal,
            &["55"],
        ),
        ("n * 2 = 16", "n * 2", Op::Equal, &["16"]),
        ("n + m = 16", "n + m", Op::Equal, &["16"]),
        (
            "COALESCE(s, '') = 'name7'",
            "COALESCE(s, '')",
            Op::Equal,
            &["'name7'"],
        ),
        (
            "SUBSTRING(s, 1, 7) = 'Name123'",
            "SUBSTRING(s, 1, 7)",
            Op::Equal,
            &["'Name123'"],
        ),
        (
            "LEFT(s, 7) = 'Name123'",
            "LEFT(s, 7)",
            Op::Equal,
            &["'Name123'"],
        ),
        ("CHAR_LENGTH(s) = 5", "CHAR_LENGTH(s)", Op::Equal, &["5"]),
        (
            "55 MEMBER OF (j->'$.tags')",
            "j->'$.tags'",
            Op::MemberOf,
            &["55"],
        ),
        (
            "JSON_CONTAINS(j->'$.tags', '[55, 56]')",
            "j->'$.tags'",
            Op::MemberOf,
            &["'[55, 56]'"],
        ),
        (
            "JSON_OVERLAPS(j->'$.tags', '[55, 66]')",
            "j->'$.tags'",
            Op::MemberOf,
            &["'[55, 66]'"],
        ),
        (
            "'t55' MEMBER OF (j->'$.names')",
            "j->'$.names'",
            Op::MemberOf,
            &["'t55'"],
        ),
        ("x = 'text 55'", "x", Op::Equal, &["'text 55'"]),
        ("x LIKE 'text 55%'", "x", Op::LikePrefix, &["'text 55%'"]),
    ];
    for (condition, what, op, constants) in cases {
        let sql = format!("SELECT id FROM t WHERE {condition} ORDER BY id + 0");
        is_taken(
            &schema,
            &pool,
            &sql,
            used(&table, &[(what, *op, constants)]),
        )
        .await;
    }
    // What a functional index does where the table takes no column.
    run(&pool, "ALTER TABLE t ADD FULLTEXT INDEX ft (x)").await;
    for (condition, what, op, constants) in &cases[1..7] {
        let sql = format!("SELECT id FROM t WHERE {condition} ORDER BY id + 0");
        is_taken(
            &schema,
            &pool,
            &sql,
            used(&table, &[(what, *op, constants)]),
        )
        .await;
    }
}

#[tokio::test]
async fn the_optimizer_takes_candidates_for_orders_groups_and_branches() {
    let (schema, pool) = things("candidate_orders").await;
    let table = TableName::new(schema.name(), "t");
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let down = |name: &str| KeyPart {
        is_descending: true,
        ..KeyPart::column(name)
    };
    let mut order = used(&table, &[("n", Op::Equal, &["5"])]);
    order.order = vec![KeyPart::column("m"), down("at")];
    let sql = "SELECT id, j FROM t WHERE n = 5 ORDER BY m, at DESC LIMIT 3";
    is_taken(&schema, &pool, sql, order).await;
    let mut group = used(&table, &[]);
    group.group = vec![KeyPart::column("n"), KeyPart::column("m")];
    group.columns = columns(&["n", "m"]);
    is_taken(
        &schema,
        &pool,
        "SELECT n FROM t GROUP BY n, m ORDER BY n, m",
        group,
    )
    .await;
    let mut least = used(&table, &[("n", Op::Equal, &["5"])]);
    least.columns = columns(&["n", "m", "id"]);
    let sql = "SELECT id FROM t WHERE n = 5 AND m < 50 ORDER BY id + 0";
    least.predicates.push(Predicate {
        what: part("m"),
        op: Op::Range,
        constants: vec!["50".to_owned()],
    });
    is_taken(&schema, &pool, sql, least).await;
    let mut branches = used(&table, &[]);
    let equal = |what: &str, constant: &str| {
        vec![Predicate {
            what: part(what),
            op: Op::Equal,
            constants: vec![constant.to_owned()],
        }]
    };
    branches.ors = vec![vec![equal("n", "5"), equal("s", "'Name7'")]];
    let sql = "SELECT id FROM t WHERE n = 5 OR s = 'Name7' ORDER BY id + 0";
    is_taken(&schema, &pool, sql, branches).await;
}
