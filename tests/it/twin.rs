//! The twin against two real servers: what is read, what arrives, and whether it answers as the
//! target does.

use std::collections::BTreeSet;
use std::time::Duration;

use mydex::advisor::shape::{
    Block, Join, Op, Predicate, Shape, StatementKind, TableUse,
};
use mydex::advisor::twin::{self, Twin, TwinOptions};
use mydex::advisor::workload::{Query, Sample, Workload};
use mydex::config::settings::{Monitor, Server, Tls, TlsMode};
use mydex::model::advice::Tier;
use mydex::model::schema::{Catalog, Part, TableName};
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

fn settings(port: u16, password: Option<secrecy::SecretString>) -> Server {
    Server {
        name: "test".into(),
        host: "127.0.0.1".into(),
        port,
        socket: None,
        user: "root".into(),
        password,
        database: None,
        tls: Tls {
            mode: TlsMode::Preferred,
            ca: None,
        },
        read_only: false,
    }
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
    let server = settings(endpoint.port, Some(endpoint.password.clone()));
    guarded::open(&server, &limits).await.unwrap()
}

async fn twin_server() -> Server {
    let endpoint = private().await.endpoint();
    settings(endpoint.port, Some(endpoint.password.clone()))
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
        "CREATE TABLE account (id CHAR(36) PRIMARY KEY, n INT NOT NULL, region VARCHAR(10), KEY (region))",
        "CREATE TABLE purchase (id CHAR(36) PRIMARY KEY, n INT NOT NULL, account_id CHAR(36) NOT NULL, \
         state VARCHAR(10), made DATETIME, KEY (account_id), KEY (made), \
         CONSTRAINT a FOREIGN KEY (account_id) REFERENCES account (id))",
        "CREATE TABLE line (id BIGINT AUTO_INCREMENT PRIMARY KEY, purchase_id CHAR(36) NOT NULL, \
         product INT, KEY (purchase_id))",
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
    let sql = format!(
        "SELECT COUNT(*) FROM account a JOIN purchase p ON p.account_id = a.id \
         JOIN line l ON l.purchase_id = p.id WHERE a.region = 'r3' AND p.state = 'paid'"
    );
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
        workload(vec![query(schema, &sql), query(schema, &of_one)]),
        shapes,
    )
}

/// Whether two numbers differ by a share of at most `share`.
fn is_near(one: f64, other: f64, share: f64) -> bool {
    (one - other).abs() <= share * one.abs().max(other.abs())
}

#[tokio::test]
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
    eprintln!("{:?} {:?}", built.rows(), built.limits());
    for (what, sql, share) in [
        ("orders of an account", "SELECT COUNT(*) / COUNT(DISTINCT account_id) FROM purchase", 0.15),
        ("lines of an order", "SELECT COUNT(*) / COUNT(DISTINCT purchase_id) FROM line", 0.15),
        ("orders by lines", "(SELECT COUNT(*) FROM line) / (SELECT COUNT(*) FROM purchase)", 0.15),
        ("share of the heaviest account", "(SELECT MAX(n) FROM (SELECT COUNT(*) n FROM purchase GROUP BY account_id) x) / (SELECT COUNT(*) FROM purchase)", 0.3),
        ("orders of the constant", &format!("SELECT COUNT(*) FROM purchase WHERE account_id = '{account}'"), 0.0),
    ] {
        let (there, here) = (number(&mut original, sql).await, number(&mut copy, sql).await);
        eprintln!("{what}: {there:.4} there, {here:.4} here");
        assert!(is_near(there, here, share), "{what}: {there} there, {here} here");
    }
    // Every reference that is found there is found here as well.
    let dangling = "SELECT COUNT(*) FROM purchase p LEFT JOIN account a ON a.id = p.account_id WHERE a.id IS NULL";
    assert_eq!(number(&mut copy, dangling).await, 0.0);
    for sample in workload.queries.iter().map(|query| built.samples(query)) {
        let sql = format!("EXPLAIN {}", sample[0].sql);
        let order = |rows: Vec<sqlx::mysql::MySqlRow>| -> Vec<(String, Option<String>)> {
            rows.iter().map(|row| (row.get(2), row.get(6))).collect()
        };
        let of = |sql: &str| sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let there = original.fetch_all(of(&sql)).await.unwrap();
        let here = copy.fetch_all(of(&sql)).await.unwrap();
        assert_eq!(order(there), order(here), "{}", sample[0].sql);
    }
    built.finish().await.unwrap();
    let left = format!("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{name}'");
    assert_eq!(number(&mut copy, &left).await, 0.0);
}
