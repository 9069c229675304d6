//! The twin against two real servers: what is read, what arrives, and whether it answers as the
//! target does.

mod dataless;
mod replica;
mod sample;
mod types;

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
    open(&endpoint.server("test")).await
}

async fn open(server: &Server) -> Connection {
    let limits = Monitor {
        interval: Duration::from_secs(1),
        overhead_budget: 0.01,
        statement_timeout: Duration::from_secs(10),
        lock_wait_timeout: Duration::from_secs(1),
        connect_timeout: Duration::from_secs(5),
    };
    guarded::open(server, &limits).await.unwrap()
}

/// A twin sets its server's global variables, so that only one is built and asked at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

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

/// Whether two numbers differ by a share of at most `share`.
fn is_near(one: f64, other: f64, share: f64) -> bool {
    (one - other).abs() <= share * one.abs().max(other.abs())
}
