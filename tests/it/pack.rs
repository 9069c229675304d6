//! Loading a pack into a real server, and each of its probes run there.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::Arc;

use mydex::probes::load::{LoadError, LoadPlan, LoadReport, LoadState, load};
use mydex::probes::open::open;
use mydex::probes::pack::Pack;
use mydex::probes::params::Params;
use mydex::probes::sample;
use mydex::probes::value::{Value, datetime};
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySql, MySqlConnection, Row as _};
use tokio_util::sync::CancellationToken;

use crate::server::{Schema, connect, schema};

fn plan(database: &str) -> LoadPlan {
    LoadPlan {
        database: database.to_owned(),
        scale: 0.02,
        seed: 7,
        connections: 3,
        batch: 100,
        force: false,
        beside_others: false,
    }
}

async fn run(schema: &Schema, pack: &Pack, plan: LoadPlan) -> Result<LoadReport, LoadError> {
    let options = MySqlConnectOptions::from_str(&schema.url()).unwrap();
    load(options, pack, plan, |_| {}, CancellationToken::new()).await
}

async fn checksums(connection: &mut MySqlConnection, pack: &Pack) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for table in &pack.tables {
        let sql = format!("CHECKSUM TABLE {}", table.name);
        let row = connection.fetch_one(AssertSqlSafe(sql)).await.unwrap();
        sums.insert(table.name.to_string(), row.get::<i64, _>(1));
    }
    sums
}

async fn count(connection: &mut MySqlConnection, sql: String) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn same_seed_same_rows_whatever_the_connections() {
    let pack = open("cmdb").unwrap();
    let mut sums = Vec::new();
    for (connections, batch) in [(1, 1_000), (4, 37)] {
        let schema = schema("pack_same").await;
        let plan = LoadPlan {
            connections,
            batch,
            ..plan(schema.name())
        };
        let report = run(&schema, &pack, plan).await.unwrap();
        assert_eq!(report.state, LoadState::Complete);
        let mut connection = connect(&schema.url()).await;
        for table in &report.tables {
            let sql = format!("SELECT COUNT(*) FROM {}", table.name);
            assert_eq!(
                count(&mut connection, sql).await,
                i64::try_from(table.rows).unwrap()
            );
            assert!(table.data_bytes > 0);
        }
        sums.push(checksums(&mut connection, &pack).await);
        connection.close().await.unwrap();
    }
    assert_eq!(sums[0], sums[1]);
    assert!(sums[0].values().all(|sum| *sum != 0));
}

#[tokio::test]
async fn an_interrupted_load_goes_on_and_a_complete_one_is_left_alone() {
    let pack = open("cmdb").unwrap();
    let whole = schema("pack_whole").await;
    run(&whole, &pack, plan(whole.name())).await.unwrap();
    let schema = schema("pack_resume").await;
    let options = MySqlConnectOptions::from_str(&schema.url()).unwrap();
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let after_some = move |progress: mydex::probes::load::Progress| {
        if progress.done > 500 {
            stop.cancel();
        }
    };
    let first = load(options, &pack, plan(schema.name()), after_some, cancel)
        .await
        .unwrap();
    assert_eq!(first.state, LoadState::Interrupted);
    let mut connection = connect(&schema.url()).await;
    // The rows in the tables are those that the ledger says, batch by batch.
    for table in &pack.tables {
        let made = count(
            &mut connection,
            format!("SELECT COUNT(*) FROM {}", table.name),
        )
        .await;
        let said: i64 = count(
            &mut connection,
            format!(
                "SELECT CAST(SUM(next_row - first_row) AS SIGNED) FROM mydex_pack_progress \
                 WHERE table_name = '{}'",
                table.name
            ),
        )
        .await;
        assert_eq!(made, said, "{}", table.name);
    }
    let second = run(&schema, &pack, plan(schema.name())).await.unwrap();
    assert_eq!(second.state, LoadState::Complete);
    assert!(second.found >= first.written && second.written > 0);
    let third = run(&schema, &pack, plan(schema.name())).await.unwrap();
    assert_eq!(
        (third.state, third.written),
        (LoadState::AlreadyComplete, 0)
    );
    let mut other = connect(&whole.url()).await;
    assert_eq!(
        checksums(&mut connection, &pack).await,
        checksums(&mut other, &pack).await
    );
}

#[tokio::test]
async fn other_data_and_other_peoples_tables_are_respected() {
    let pack = open("cmdb").unwrap();
    let schema = schema("pack_foreign").await;
    let mut connection = connect(&schema.url()).await;
    connection
        .execute("CREATE TABLE invoices (id INT PRIMARY KEY)")
        .await
        .unwrap();
    connection
        .execute("INSERT INTO invoices VALUES (1)")
        .await
        .unwrap();
    let plan = plan(schema.name());
    let refused = run(&schema, &pack, plan.clone()).await.unwrap_err();
    assert!(matches!(&refused, LoadError::Foreign { tables, .. } if tables == "`invoices`"));
    let refused = run(
        &schema,
        &pack,
        LoadPlan {
            force: true,
            ..plan.clone()
        },
    )
    .await;
    assert!(matches!(refused, Err(LoadError::Foreign { .. })));
    let beside = LoadPlan {
        beside_others: true,
        ..plan.clone()
    };
    run(&schema, &pack, beside).await.unwrap();
    let other = LoadPlan {
        seed: 8,
        ..plan.clone()
    };
    let refused = run(&schema, &pack, other.clone()).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("of version 1, seed 7, scale 0.02, not of version 1, seed 8"),
        "{refused}"
    );
    run(
        &schema,
        &pack,
        LoadPlan {
            force: true,
            ..other
        },
    )
    .await
    .unwrap();
    assert_eq!(
        count(&mut connection, "SELECT COUNT(*) FROM invoices".into()).await,
        1
    );
    assert_eq!(
        count(&mut connection, "SELECT seed = 8 FROM mydex_pack".into()).await,
        1
    );
}

#[tokio::test]
async fn tables_of_the_packs_names_are_never_dropped() {
    let pack = open("cmdb").unwrap();
    let schema = schema("pack_occupied").await;
    let mut connection = connect(&schema.url()).await;
    connection
        .execute("CREATE TABLE vpcs (id INT PRIMARY KEY)")
        .await
        .unwrap();
    let plan = LoadPlan {
        force: true,
        beside_others: true,
        ..plan(schema.name())
    };
    let refused = run(&schema, &pack, plan).await.unwrap_err();
    assert!(matches!(&refused, LoadError::Occupied { tables, .. } if tables == "`vpcs`"));
    assert_eq!(
        count(&mut connection, "SELECT COUNT(*) FROM vpcs".into()).await,
        0
    );
}

#[tokio::test]
async fn a_batch_that_fails_leaves_nothing() {
    let pack = open("cmdb").unwrap();
    let schema = schema("pack_fails").await;
    let mut connection = connect(&schema.url()).await;
    let cut = LoadPlan {
        connections: 1,
        ..plan(schema.name())
    };
    run(&schema, &pack, cut.clone()).await.unwrap();
    // One row of the last batches is in the way of its batch.
    connection
        .execute("DELETE FROM customer_gateways")
        .await
        .unwrap();
    connection.execute("DELETE FROM subnets").await.unwrap();
    let wrong = "UPDATE mydex_pack_progress SET next_row = first_row WHERE table_name = 'subnets'";
    connection.execute(wrong).await.unwrap();
    connection
        .execute("UPDATE mydex_pack SET state = 'loading'")
        .await
        .unwrap();
    connection
        .execute("ALTER TABLE subnets ADD CONSTRAINT stop CHECK (name NOT LIKE 'isolated-data%')")
        .await
        .unwrap();
    let failed = run(&schema, &pack, cut).await.unwrap_err();
    assert!(failed.is_resumable() && failed.to_string().starts_with("cannot insert rows"));
    let made = count(&mut connection, "SELECT COUNT(*) FROM subnets".into()).await;
    let said = "SELECT CAST(SUM(next_row - first_row) AS SIGNED) FROM mydex_pack_progress \
                WHERE table_name = 'subnets'";
    assert_eq!(made, count(&mut connection, said.into()).await);
    assert_eq!(made % 100, 0, "{made} rows are not whole batches");
}

fn bind(query: Query<'_, MySql, MySqlArguments>, value: Value) -> Query<'_, MySql, MySqlArguments> {
    match value {
        Value::Null => query.bind(None::<String>),
        Value::Int(n) => query.bind(n),
        Value::UInt(n) => query.bind(n),
        Value::Float(n) => query.bind(n),
        Value::Text(text) | Value::Json(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::Time(micros) => query.bind(datetime(micros)),
    }
}

/// Runs each probe some times; returns rows read or changed by probe.
async fn run_probes(
    connection: &mut MySqlConnection,
    params: Vec<(usize, Params)>,
    pack: &Pack,
) -> Vec<u64> {
    let mut rows = vec![0; pack.probes.len()];
    for (index, params) in params {
        let probe = &pack.probes[index];
        for operation in 0..8 {
            let mut transaction = connection.begin().await.unwrap();
            for statement in &probe.statements {
                let sql = statement.sql.to_string();
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for value in params.values(operation, statement) {
                    query = bind(query, value);
                }
                let seen = if statement.returns_rows {
                    query
                        .fetch_all(&mut *transaction)
                        .await
                        .map(|rows| rows.len() as u64)
                } else {
                    query
                        .execute(&mut *transaction)
                        .await
                        .map(|done| done.rows_affected())
                };
                rows[index] += seen.unwrap_or_else(|error| panic!("{}: {error}", probe.name));
            }
            transaction.commit().await.unwrap();
        }
    }
    rows
}

#[tokio::test]
async fn every_probe_runs_and_finds_rows_generated_or_sampled() {
    let pack = Arc::new(open("cmdb").unwrap());
    let schema = schema("pack_probes").await;
    let plan = LoadPlan {
        scale: 0.1,
        ..plan(schema.name())
    };
    run(&schema, &pack, plan).await.unwrap();
    let mut connection = connect(&schema.url()).await;
    for is_sampled in [false, true] {
        if is_sampled {
            connection
                .execute("DROP TABLE mydex_pack, mydex_pack_progress")
                .await
                .unwrap();
        }
        let world = sample::world(&mut connection, schema.name(), Arc::clone(&pack), 1).await;
        let world = Arc::new(world.unwrap());
        let run = u64::from(is_sampled);
        let params = pack
            .probes
            .iter()
            .enumerate()
            .map(|(index, probe)| (index, Params::new(Arc::clone(&world), probe, run)))
            .collect();
        let rows = run_probes(&mut connection, params, &pack).await;
        for (probe, rows) in pack.probes.iter().zip(rows) {
            assert!(
                rows > 0,
                "`{}` finds nothing (sampled: {is_sampled})",
                probe.name
            );
        }
    }
}

#[tokio::test]
async fn a_folder_is_a_pack_too() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/probes/cmdb");
    assert_eq!(open(folder).unwrap(), open("cmdb").unwrap());
    let error = open("cmbd").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("there is no pack `cmbd`; did you mean `cmdb`?")
    );
}
