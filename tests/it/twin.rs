//! The twin against two real servers: what is read, what arrives, and whether it answers as the
//! target does.

use std::collections::BTreeSet;
use std::time::Duration;

use mydex::advisor::candidate::{Candidate, GeneratedColumn};
use mydex::advisor::shape::{Block, Join, Op, Predicate, Shape, StatementKind, TableUse};
use mydex::advisor::twin::{self, Twin, TwinOptions};
use mydex::advisor::workload::{Query, Sample, Workload};
use mydex::config::settings::{Monitor, Server};
use mydex::model::advice::{LockLevel, Tier};
use mydex::model::schema::{Catalog, Index, KeyPart, Part, TableName};
use mydex::sandbox::{Options, Sandbox};
use mydex::server::catalog::{self, Scope};
use mydex::server::{self as guarded, Connection};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Executor, Row as _};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::server;

/// The private server of these tests, one for all of them: schemas have the target's names, which
/// differ from test to test.
static PRIVATE: OnceCell<Sandbox> = OnceCell::const_new();

async fn private() -> &'static Sandbox {
    PRIVATE
        .get_or_init(|| async {
            Sandbox::start(&Options::default(), &mut server::quiet)
                .await
                .unwrap()
        })
        .await
}

async fn target() -> Connection {
    let endpoint = server::shared().await.endpoint();
    let limits = Monitor {
        interval: Duration::from_secs(1),
        overhead_budget: 0.01,
        statement_timeout: Duration::from_secs(10),
        lock_wait_timeout: Duration::from_secs(1),
        connect_timeout: Duration::from_secs(5),
    };
    let server = endpoint.server("test");
    guarded::open(&server, &limits).await.unwrap()
}

async fn twin_server() -> Server {
    let endpoint = private().await.endpoint();
    endpoint.server("test")
}

async fn plain(server: &Server) -> MySqlConnection {
    use sqlx::Connection as _;
    MySqlConnection::connect_with(&guarded::options(server))
        .await
        .unwrap()
}

async fn run(connection: &mut MySqlConnection, sql: &str) {
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
        .await
        .unwrap_or_else(|error| panic!("{sql:.200}: {error}"));
}

async fn number(connection: &mut MySqlConnection, sql: &str) -> f64 {
    let row = connection
        .fetch_one(sqlx::raw_sql(AssertSqlSafe(format!(
            "SELECT CAST(({sql}) AS DOUBLE)"
        ))))
        .await
        .unwrap_or_else(|error| panic!("{sql:.200}: {error}"));
    row.get(0)
}

/// A shape of one block.
fn shape(tables: Vec<TableUse>) -> Shape {
    Shape {
        kind: StatementKind::Select,
        blocks: vec![Block {
            tables,
            ..Block::default()
        }],
        writes: Vec::new(),
        gaps: Vec::new(),
    }
}

fn table_use(schema: &str, name: &str, predicates: Vec<Predicate>, joins: Vec<Join>) -> TableUse {
    TableUse {
        table: TableName::new(schema, name),
        alias: name.to_owned(),
        predicates,
        ors: Vec::new(),
        joins,
        group: Vec::new(),
        order: Vec::new(),
        extremes: Vec::new(),
        columns: BTreeSet::new(),
        is_outer_joined: false,
        hints: Vec::new(),
    }
}

fn predicate(column: &str, op: Op, constants: &[&str]) -> Predicate {
    Predicate {
        what: Part::Column(column.to_owned()),
        op,
        constants: constants.iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn join(schema: &str, column: &str, other: &str, other_column: &str) -> Join {
    Join {
        what: Part::Column(column.to_owned()),
        other: other.to_owned(),
        other_table: Some(TableName::new(schema, other)),
        other_column: Some(other_column.to_owned()),
    }
}

fn query(schema: &str, sql: &str) -> Query {
    Query {
        name: "q".into(),
        fingerprint: sql.into(),
        schema: Some(schema.into()),
        samples: vec![Sample {
            sql: sql.into(),
            is_made_up: false,
        }],
        calls: 1.0,
        time: None,
        rows_examined: None,
        rows_sent: None,
        rows_affected: None,
        tolerance: None,
    }
}

fn workload(queries: Vec<Query>) -> Workload {
    Workload {
        source: "test".into(),
        queries,
        ..Workload::default()
    }
}

async fn build(
    target: &mut Connection,
    catalog: &Catalog,
    workload: &Workload,
    shapes: &[(usize, Shape)],
    options: &TwinOptions,
) -> Twin {
    twin::build(
        target,
        &twin_server().await,
        catalog,
        workload,
        shapes,
        options,
        &mut |_| {},
        &CancellationToken::new(),
    )
    .await
    .unwrap()
}

async fn read(target: &mut Connection, schema: &str) -> Catalog {
    let scope = Scope::Schemas(vec![schema.to_owned()]);
    catalog::read(target, &scope).await.unwrap()
}

/// Ten thousand accounts with UUIDs, 60,000 orders that few of them have many of, and 120,000
/// lines; nothing is in the order of the keys.
async fn skewed(url: &str) -> MySqlConnection {
    let mut connection = server::connect(url).await;
    for sql in [
        "SET SESSION cte_max_recursion_depth = 1000000",
        "CREATE TABLE account (id CHAR(36) PRIMARY KEY, n INT NOT NULL, region VARCHAR(10), KEY (region)) STATS_SAMPLE_PAGES=2000",
        "CREATE TABLE purchase (id CHAR(36) PRIMARY KEY, n INT NOT NULL, account_id CHAR(36) NOT NULL, \
         state VARCHAR(10), made DATETIME, KEY (account_id), KEY (made), \
         CONSTRAINT a FOREIGN KEY (account_id) REFERENCES account (id)) STATS_SAMPLE_PAGES=2000",
        "CREATE TABLE line (id BIGINT AUTO_INCREMENT PRIMARY KEY, purchase_id CHAR(36) NOT NULL, \
         product INT, KEY (purchase_id)) STATS_SAMPLE_PAGES=2000",
        "INSERT INTO account WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 9999) \
         SELECT BIN_TO_UUID(UNHEX(LEFT(SHA2(CONCAT('a', n), 256), 32))), n, CONCAT('r', n % 7) FROM s",
        // A skew: account floor(10000 * u^2), and one account that has every twentieth order.
        "INSERT INTO purchase WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 59999) \
         SELECT BIN_TO_UUID(UNHEX(LEFT(SHA2(CONCAT('p', n), 256), 32))), n, BIN_TO_UUID(UNHEX(LEFT(SHA2(CONCAT('a', IF(n % 20 = 0, 77, \
         FLOOR(10000 * POW(RAND(n), 2)))), 256), 32))), ELT(1 + n % 3, 'new', 'paid', 'done'), \
         '2024-01-01' + INTERVAL n * 8 MINUTE FROM s",
        "INSERT INTO line (purchase_id, product) WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 119999) \
         SELECT BIN_TO_UUID(UNHEX(LEFT(SHA2(CONCAT('p', FLOOR(60000 * RAND(n))), 256), 32))), n % 500 FROM s",
        "ANALYZE TABLE account, purchase, line",
    ] {
        run(&mut connection, sql).await;
    }
    connection
}

fn shop(schema: &str, account: &str) -> (Workload, Vec<(usize, Shape)>) {
    let sql = "SELECT COUNT(*) FROM account a JOIN purchase p ON p.account_id = a.id \
         JOIN line l ON l.purchase_id = p.id WHERE a.region = 'r3' AND p.state = 'paid'";
    let of_one = format!("SELECT * FROM purchase WHERE account_id = '{account}'");
    let quoted = format!("'{account}'");
    let shapes = vec![
        (
            0,
            shape(vec![
                table_use(
                    schema,
                    "account",
                    vec![predicate("region", Op::Equal, &["'r3'"])],
                    vec![join(schema, "id", "purchase", "account_id")],
                ),
                table_use(
                    schema,
                    "purchase",
                    vec![predicate("state", Op::Equal, &["'paid'"])],
                    vec![
                        join(schema, "account_id", "account", "id"),
                        join(schema, "id", "line", "purchase_id"),
                    ],
                ),
                table_use(
                    schema,
                    "line",
                    vec![],
                    vec![join(schema, "purchase_id", "purchase", "id")],
                ),
            ]),
        ),
        (
            1,
            shape(vec![table_use(
                schema,
                "purchase",
                vec![predicate("account_id", Op::Equal, &[&quoted])],
                vec![],
            )]),
        ),
    ];
    (
        workload(vec![query(schema, sql), query(schema, &of_one)]),
        shapes,
    )
}

/// Whether two numbers differ by a share of at most `share`.
fn is_near(one: f64, other: f64, share: f64) -> bool {
    (one - other).abs() <= share * one.abs().max(other.abs())
}

#[tokio::test]
#[allow(
    clippy::too_many_lines,
    reason = "one twin is asked everything, since making it is the work"
)]
async fn a_sample_keeps_the_ratios_of_a_skewed_schema() {
    let schema = server::schema("twin_skew").await;
    let name = schema.name();
    let mut original = skewed(&schema.url()).await;
    let mut target = target().await;
    let catalog = read(&mut target, name).await;
    let account = "SELECT BIN_TO_UUID(UNHEX(LEFT(SHA2('a123', 256), 32)))";
    let row = original.fetch_one(account).await.unwrap();
    let account: String = row.get(0);
    let (workload, shapes) = shop(name, &account);
    let options = TwinOptions {
        max_rows: 19_000,
        busy_share: 1.0,
        ..TwinOptions::new(Tier::Sample)
    };
    let plan = twin::plan(&catalog, &shapes, &options);
    let before = target.meter().read();
    let built = build(&mut target, &catalog, &workload, &shapes, &options).await;
    let spent = target.meter().read();
    assert!(spent.rows - before.rows <= plan.rows());
    assert!(spent.statements - before.statements <= plan.statements());
    let mut copy = plain(&twin_server().await).await;
    run(&mut copy, &format!("USE `{name}`")).await;
    for (what, sql, share) in [
        (
            "orders of an account",
            "SELECT COUNT(*) / COUNT(DISTINCT account_id) FROM purchase",
            0.15,
        ),
        (
            "lines of an order",
            "SELECT COUNT(*) / COUNT(DISTINCT purchase_id) FROM line",
            0.15,
        ),
        (
            "orders by lines",
            "(SELECT COUNT(*) FROM line) / (SELECT COUNT(*) FROM purchase)",
            0.15,
        ),
        (
            "share of the heaviest account",
            "(SELECT MAX(n) FROM (SELECT COUNT(*) n FROM purchase GROUP BY account_id) x) / (SELECT COUNT(*) FROM purchase)",
            0.3,
        ),
        (
            "orders of the constant",
            &format!("SELECT COUNT(*) FROM purchase WHERE account_id = '{account}'"),
            0.0,
        ),
    ] {
        let (there, here) = (
            number(&mut original, sql).await,
            number(&mut copy, sql).await,
        );
        assert!(
            is_near(there, here, share),
            "{what}: {there} there, {here} here"
        );
    }
    // Every reference that is found there is found here as well.
    let dangling = "SELECT COUNT(*) FROM purchase p LEFT JOIN account a ON a.id = p.account_id WHERE a.id IS NULL";
    assert!(number(&mut copy, dangling).await < 0.5);
    for sample in workload.queries.iter().map(|query| built.samples(query)) {
        let sql = format!("EXPLAIN FORMAT=TRADITIONAL {}", sample[0].sql);
        let order = |rows: Vec<sqlx::mysql::MySqlRow>| -> Vec<(String, Option<String>)> {
            rows.iter().map(|row| (row.get(2), row.get(6))).collect()
        };
        let of = |sql: &str| sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let there = original.fetch_all(of(&sql)).await.unwrap();
        let here = copy.fetch_all(of(&sql)).await.unwrap();
        assert_eq!(order(there), order(here), "{}", sample[0].sql);
    }
    built.finish().await.unwrap();
    let left =
        format!("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{name}'");
    assert!(number(&mut copy, &left).await < 0.5);
}

/// A table with every type, names that try to break out, and the rows to go with them.
async fn hostile(connection: &mut MySqlConnection) {
    for sql in [
        "SET SESSION sql_mode = '', time_zone = '+03:00'".to_owned(),
        "CREATE TABLE `ev``il '\"é; -- ?` (`id``` BIGINT UNSIGNED PRIMARY KEY, `b'` BIT(10), \
         `d?` DECIMAL(30,10), t6 TIME(6), `j\"` JSON, g GEOMETRY NOT NULL SRID 4326, bl BLOB, \
         e ENUM('a','it''s','ü'), s SET('x','y;'), y YEAR, f FLOAT, db DOUBLE, ts TIMESTAMP(3) NULL, \
         dt DATETIME, da DATE, v VARCHAR(50) CHARACTER SET latin1, u VARCHAR(50) COLLATE utf8mb4_bin, \
         vb VARBINARY(20), lt LONGTEXT, gv VARCHAR(100) AS (CONCAT(u, '!')) VIRTUAL, \
         gs BIGINT UNSIGNED AS (`id``` DIV 4) STORED, hid INT INVISIBLE DEFAULT 4, \
         KEY `k``'?` ((LOWER(u))), KEY (gv), SPATIAL KEY (g), FULLTEXT KEY ft (u) WITH PARSER ngram, \
         KEY d (`d?` DESC, v(5)), CONSTRAINT `c``h` CHECK (`id``` > 0)) COMMENT='it''s\nAUTO_INCREMENT=3'"
            .to_owned(),
        "INSERT INTO `ev``il '\"é; -- ?` (`id```, `b'`, `d?`, t6, `j\"`, g, bl, e, s, y, f, db, ts, dt, da, v, u, vb, lt, hid) VALUES \
         (1, b'1010101010', 12345678901234567890.0123456789, '-838:59:58.999999', \
          '{\"a\": [1, 2.5, \"q\\\\\"x\", null], \"ü\": true}', ST_GeomFromText('POINT(1 2)', 4326), X'00ff27225c', \
          'it''s', 'x,y;', 2024, 0.1, 1e-300, '2024-02-29 12:34:56.789', '1000-01-01 00:00:00', '9999-12-31', \
          'caf\u{e9}', '\u{1f600} ''\"\\\\', X'27', REPEAT('z', 9000), 9), \
         (18446744073709551615, NULL, NULL, NULL, NULL, ST_GeomFromText('POINT(3 4)', 4326), NULL, NULL, NULL, NULL, 3.4e38, NULL, NULL, \
          '0000-00-00 00:00:00', NULL, NULL, NULL, NULL, NULL, NULL), \
         (2, 0, -0.0000000001, '00:00:00', '[]', ST_GeomFromText('LINESTRING(0 0, 1 1)', 4326), '', 'ü', '', 0, -1.17549e-38, -0.0, \
          '1970-01-01 03:00:01', '2024-01-01', '0000-00-00', '', '', '', '', 0)"
            .to_owned(),
        "CREATE VIEW `v``1` AS SELECT `id``` AS x, u FROM `ev``il '\"é; -- ?`".to_owned(),
        "CREATE VIEW a_view AS SELECT x FROM `v``1`".to_owned(),
        "CREATE TABLE parted (id INT PRIMARY KEY, x INT) PARTITION BY HASH (id) PARTITIONS 3".to_owned(),
        "CREATE TABLE nokey (x INT, y INT)".to_owned(),
        "INSERT INTO parted VALUES (1, 1), (2, 2), (3, 3)".to_owned(),
        "INSERT INTO nokey VALUES (1, 1), (1, 1), (NULL, 2)".to_owned(),
    ] {
        run(connection, &sql).await;
    }
}

/// A sum of everything in a table, as far as it was copied.
async fn checksum(connection: &mut MySqlConnection, table: &str, columns: &str) -> String {
    let sql = format!(
        "SELECT COALESCE(GROUP_CONCAT(SHA2(CONCAT_WS('|', {columns}), 256) ORDER BY 1), '') FROM {table}"
    );
    let row = connection
        .fetch_one(sqlx::raw_sql(AssertSqlSafe(sql)))
        .await
        .unwrap();
    row.get(0)
}

#[tokio::test]
async fn every_type_and_every_name_arrives_as_it_was() {
    let name = &format!("twin`'\"é{}", std::process::id());
    let quoted = guarded::quote::ident(name);
    let mut original = server::connect(&server::shared().await.url()).await;
    run(&mut original, &format!("CREATE DATABASE {quoted}")).await;
    run(&mut original, &format!("USE {quoted}")).await;
    hostile(&mut original).await;
    let mut target = target().await;
    let catalog = read(&mut target, name).await;
    assert_eq!(catalog.tables.len(), 3);
    assert_eq!(catalog.views.len(), 2);
    let options = TwinOptions::new(Tier::Sample);
    let built = build(&mut target, &catalog, &workload(vec![]), &[], &options).await;
    assert!(built.limits().is_empty(), "{:?}", built.limits());
    assert_eq!(built.rows().0, 9);
    let mut copy = plain(&twin_server().await).await;
    run(&mut copy, &format!("USE {quoted}")).await;
    for connection in [&mut original, &mut copy] {
        run(
            connection,
            "SET SESSION sql_mode = '', time_zone = '+00:00'",
        )
        .await;
    }
    let columns = "`id```, HEX(`b'`), `d?`, t6, CAST(`j\"` AS CHAR), HEX(g), HEX(bl), e+0, s+0, y, f+0e0, \
                   db, ts, dt, da, HEX(v), HEX(u), HEX(vb), LEFT(lt, 8192), gv, gs, hid, \
                   ISNULL(`b'`), ISNULL(bl), ISNULL(v), ISNULL(s)";
    for (table, columns) in [
        ("`ev``il '\"é; -- ?`", columns),
        ("parted", "id, x"),
        ("nokey", "x, y"),
        ("a_view", "x"),
    ] {
        let there = checksum(&mut original, table, columns).await;
        let here = checksum(&mut copy, table, columns).await;
        assert_eq!(there, here, "{table}");
        assert!(!here.is_empty());
    }
    // The copies' indexes are the originals'.
    let mut private = {
        let limits = Monitor {
            interval: Duration::from_secs(1),
            overhead_budget: 0.01,
            statement_timeout: Duration::from_secs(10),
            lock_wait_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(5),
        };
        guarded::open(&twin_server().await, &limits).await.unwrap()
    };
    let copied = read(&mut private, name).await;
    for (name, table) in &catalog.tables {
        let there = &copied.tables[name];
        assert_eq!(table.columns, there.columns);
        let plain = |table: &mydex::model::schema::Table| -> Vec<_> {
            table
                .indexes
                .iter()
                .map(|index| {
                    (
                        index.name.clone(),
                        index.parts.clone(),
                        index.kind,
                        index.parser.clone(),
                    )
                })
                .collect()
        };
        assert_eq!(plain(table), plain(there));
    }
    built.finish().await.unwrap();
    run(&mut original, &format!("DROP DATABASE {quoted}")).await;
}

/// The estimate of a statement: rows of its first table and its cost.
async fn estimate(connection: &mut MySqlConnection, sql: &str) -> (f64, f64) {
    run(connection, "SET SESSION explain_json_format_version = 1").await;
    let row = connection
        .fetch_one(sqlx::raw_sql(AssertSqlSafe(format!(
            "EXPLAIN FORMAT=JSON {sql}"
        ))))
        .await
        .unwrap_or_else(|error| panic!("{sql:.300}: {error}"));
    let text: String = row.get(0);
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    let block = &plan["query_block"];
    let cost = block["cost_info"]["query_cost"].as_str().unwrap();
    let rows = block["table"]["rows_examined_per_scan"].as_f64();
    (rows.unwrap_or(0.0), cost.parse().unwrap())
}

#[tokio::test]
#[allow(
    clippy::too_many_lines,
    reason = "one twin is asked everything, since making it is the work"
)]
async fn a_twin_without_data_answers_from_statistics() {
    let schema = server::schema("twin_dataless").await;
    let name = schema.name();
    let mut original = server::connect(&schema.url()).await;
    for sql in [
        "SET SESSION cte_max_recursion_depth = 1000000",
        "CREATE TABLE event (id BIGINT PRIMARY KEY, day DATE NOT NULL, kind INT NOT NULL, owner INT NOT NULL, \
         pad CHAR(50), KEY (kind), KEY (day)) STATS_SAMPLE_PAGES=2000",
        "INSERT INTO event WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 49999) \
         SELECT n, '2024-01-01' + INTERVAL n % 200 DAY, n % 100, n % 1000, 'x' FROM s",
        "ANALYZE TABLE event",
        "ANALYZE TABLE event UPDATE HISTOGRAM ON day, owner WITH 200 BUCKETS",
    ] {
        run(&mut original, sql).await;
    }
    let mut target = target().await;
    let catalog = read(&mut target, name).await;
    let range = "SELECT pad FROM event WHERE day BETWEEN '2024-02-01' AND '2024-02-07'";
    let texts = [
        "SELECT pad FROM event WHERE kind = 7",
        range,
        "SELECT pad FROM event WHERE id = 4711",
        "SELECT pad FROM event",
        "SELECT pad FROM event WHERE owner = 5",
    ];
    let constant = |column, op, constants: &[&str]| {
        let predicates = vec![predicate(column, op, constants)];
        shape(vec![table_use(name, "event", predicates, vec![])])
    };
    let shapes = vec![
        (0, constant("kind", Op::Equal, &["7"])),
        (
            1,
            constant("day", Op::Range, &["'2024-02-01'", "'2024-02-07'"]),
        ),
        (2, constant("id", Op::Equal, &["4711"])),
        (4, constant("owner", Op::Equal, &["5"])),
    ];
    let workload = workload(texts.iter().map(|sql| query(name, sql)).collect());
    let options = TwinOptions::new(Tier::Dataless);
    let before = target.meter().read();
    let mut built = build(&mut target, &catalog, &workload, &shapes, &options).await;
    let plan = twin::plan(&catalog, &shapes, &options);
    assert!(target.meter().read().rows - before.rows <= plan.rows());
    assert!(
        plan.steps
            .iter()
            .all(|step| !step.sql.to_string().contains("`event`"))
    );
    let candidate = Candidate {
        table: TableName::new(name, "event"),
        index: Index::btree("by_owner", vec![KeyPart::column("owner")]),
        column: None,
        origins: vec![],
        bytes: 0,
        lock: LockLevel::None,
    };
    let made = built.create(&[candidate.clone(), candidate]).await;
    assert_eq!(made[0], Ok(()));
    assert!(made[1].is_err(), "the second of the same name is refused");
    let mut copy = plain(&twin_server().await).await;
    run(&mut copy, &format!("USE `{name}`")).await;
    run(
        &mut original,
        "ALTER TABLE event ADD INDEX by_owner (owner)",
    )
    .await;
    run(&mut copy, "ALTER TABLE event ALTER INDEX by_owner VISIBLE").await;
    for query in &workload.queries {
        let there = estimate(&mut original, &query.samples[0].sql).await;
        let here = estimate(&mut copy, &built.samples(query)[0].sql).await;
        assert!(is_near(there.1, here.1, 0.15), "{there:?} {here:?}");
    }
    built.finish().await.unwrap();
}

/// A tree, a key of two columns, and a constant that no index leads to and no sample can hold.
async fn odd(url: &str) -> MySqlConnection {
    let mut connection = server::connect(url).await;
    for sql in [
        "SET SESSION cte_max_recursion_depth = 1000000",
        "CREATE TABLE node (id INT PRIMARY KEY, parent INT, tag VARCHAR(20) NOT NULL, KEY (parent), \
         CONSTRAINT p FOREIGN KEY (parent) REFERENCES node (id)) STATS_SAMPLE_PAGES=2000",
        "CREATE TABLE place (a INT, b INT, PRIMARY KEY (a, b)) STATS_SAMPLE_PAGES=2000",
        "CREATE TABLE visit (id INT PRIMARY KEY, a INT, b INT, KEY ab (a, b), \
         CONSTRAINT v FOREIGN KEY (a, b) REFERENCES place (a, b)) STATS_SAMPLE_PAGES=2000",
        "INSERT INTO node WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 29999) \
         SELECT n, IF(n = 0, NULL, FLOOR(n / 4)), CONCAT('t', n) FROM s",
        "INSERT INTO place WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 9999) \
         SELECT n DIV 5, n % 5 FROM s",
        "INSERT INTO visit WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 49999) \
         SELECT n, n * 7 % 2000, n * 7 DIV 2000 % 5 FROM s",
        "ANALYZE TABLE node, place, visit",
    ] {
        run(&mut connection, sql).await;
    }
    connection
}

#[tokio::test]
async fn trees_keys_of_two_columns_and_rare_constants_scale_down() {
    let schema = server::schema("twin_odd").await;
    let name = schema.name();
    let mut original = odd(&schema.url()).await;
    let mut target = target().await;
    let catalog = read(&mut target, name).await;
    let sql = "SELECT id FROM node WHERE tag = 't4' AND id > 3";
    let predicates = vec![predicate("tag", Op::Equal, &["'t4'"])];
    let shapes = vec![(0, shape(vec![table_use(name, "node", predicates, vec![])]))];
    let workload = workload(vec![query(name, sql)]);
    let options = TwinOptions {
        max_rows: 9_000,
        busy_share: 1.0,
        seed: 3,
        ..TwinOptions::new(Tier::Sample)
    };
    let mut built = build(&mut target, &catalog, &workload, &shapes, &options).await;
    let mut copy = plain(&twin_server().await).await;
    run(&mut copy, &format!("USE `{name}`")).await;
    for (what, sql) in [
        (
            "children",
            "SELECT COUNT(*) / COUNT(DISTINCT parent) FROM node",
        ),
        (
            "visits",
            "SELECT COUNT(*) / COUNT(DISTINCT a, b) FROM visit",
        ),
    ] {
        let (there, here) = (
            number(&mut original, sql).await,
            number(&mut copy, sql).await,
        );
        assert!(
            is_near(there, here, 0.15),
            "{what}: {there} there, {here} here"
        );
    }
    for dangling in [
        "SELECT COUNT(*) FROM visit LEFT JOIN place USING (a, b) WHERE place.a IS NULL",
        "SELECT COUNT(*) FROM node n LEFT JOIN node p ON p.id = n.parent WHERE p.id IS NULL AND n.parent IS NOT NULL",
    ] {
        assert!(number(&mut copy, dangling).await < 0.5, "{dangling}");
    }
    // Either the row was sampled by chance, or another value stands for it.
    let sample = built.samples(&workload.queries[0]).remove(0);
    let there = number(&mut copy, "SELECT COUNT(*) FROM node WHERE tag = 't4'").await;
    assert_eq!(sample.is_made_up, there < 0.5, "{}", sample.sql);
    let tag = sample
        .sql
        .split("tag = ")
        .nth(1)
        .unwrap()
        .split(" AND")
        .next()
        .unwrap();
    let found = number(
        &mut copy,
        &format!("SELECT COUNT(*) FROM node WHERE tag = {tag}"),
    )
    .await;
    assert!((found - 1.0).abs() < 0.5, "{}", sample.sql);
    let known = built
        .statistics(&[(TableName::new(name, "node"), "tag".to_owned())])
        .await
        .unwrap()
        .of(&TableName::new(name, "node"), "TAG");
    assert!(
        is_near(known.distinct.unwrap() as f64, 30_000.0, 0.1),
        "{known:?}"
    );
    built.finish().await.unwrap();
}

#[tokio::test]
async fn a_replica_gets_candidates_and_loses_them_again() {
    let schema = server::schema("twin_replica").await;
    let name = schema.name();
    let mut original = server::connect(&schema.url()).await;
    run(
        &mut original,
        "CREATE TABLE t (id INT PRIMARY KEY, j JSON, x INT)",
    )
    .await;
    let mut target = target().await;
    let catalog = read(&mut target, name).await;
    let endpoint = server::shared().await.endpoint();
    let same = endpoint.server("test");
    let none = workload(vec![]);
    let mut options = TwinOptions::new(Tier::Replica);
    let cancel = CancellationToken::new();
    for tier in [Tier::Replica, Tier::Sample, Tier::Dataless] {
        options.tier = tier;
        let refused = twin::build(
            &mut target,
            &same,
            &catalog,
            &none,
            &[],
            &options,
            &mut |_| {},
            &cancel,
        )
        .await;
        assert!(matches!(refused, Err(twin::Error::SameServer { .. })));
    }
    options.tier = Tier::Replica;
    options.may_be_target = true;
    let mut built = twin::build(
        &mut target,
        &same,
        &catalog,
        &none,
        &[],
        &options,
        &mut |_| {},
        &cancel,
    )
    .await
    .unwrap();
    let candidate = Candidate {
        table: TableName::new(name, "t"),
        index: Index::btree("by_a", vec![KeyPart::column("a"), KeyPart::column("x")]),
        column: Some(GeneratedColumn {
            name: "a".to_owned(),
            full_type: "INT".to_owned(),
            expression: "j->>'$.a'".to_owned(),
        }),
        origins: vec![],
        bytes: 0,
        lock: LockLevel::None,
    };
    assert_eq!(built.create(&[candidate]).await, [Ok(())]);
    let made = read(&mut target, name).await;
    let table = &made.tables[&TableName::new(name, "t")];
    assert!(!table.index("by_a").unwrap().is_visible);
    assert!(table.column("a").unwrap().generated.is_some());
    built.finish().await.unwrap();
    let after = read(&mut target, name).await;
    assert_eq!(
        after.tables[&TableName::new(name, "t")].columns,
        catalog.tables[&TableName::new(name, "t")].columns
    );
    assert_eq!(after.tables[&TableName::new(name, "t")].indexes.len(), 1);
}
