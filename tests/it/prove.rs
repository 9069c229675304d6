//! What-if answers and proofs on a real server: plans, visibility, measurements, and the traps in
//! which a better estimate runs slower.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mydex::advisor::costs::{IndexChoice, Problem, QueryCosts, Selection};
use mydex::advisor::effects;
use mydex::advisor::planner::{Choice, Planner};
use mydex::advisor::prove::{self, Case, Limits, Proof};
use mydex::advisor::session::Session;
use mydex::advisor::whatif::{self, Bounds, Explored, Question, Scene};
use mydex::advisor::workload::Sample;
use mydex::config::settings::{Server, Tls, TlsMode};
use mydex::model::schema::TableName;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use tokio_util::sync::CancellationToken;

use crate::server::{self, Schema};

type Set = BTreeSet<usize>;

/// A schema with tables, and the indexes of the case: `(table, index, columns, exists)`.
struct Stage {
    schema: Schema,
    choices: Vec<Choice>,
    existing: Set,
    kept: Set,
}

impl Stage {
    /// Runs the statements, then makes the candidates invisible indexes. Every table has a primary
    /// key, which comes behind all others among the choices.
    async fn new(name: &str, statements: &[&str], indexes: &[(&str, &str, &str, bool)]) -> Self {
        let schema = server::schema(name).await;
        let mut connection = server::connect(&schema.url()).await;
        for statement in statements {
            connection.execute(AssertSqlSafe(*statement)).await.unwrap();
        }
        let (mut choices, mut existing) = (Vec::new(), Set::new());
        for (table, index, columns, exists) in indexes {
            let shown = if *exists { "VISIBLE" } else { "INVISIBLE" };
            let sql = format!("ALTER TABLE `{table}` ADD INDEX `{index}` ({columns}) {shown}");
            connection.execute(AssertSqlSafe(sql)).await.unwrap();
            if *exists {
                existing.insert(choices.len());
            }
            choices.push(Choice {
                table: TableName::new(schema.name(), *table),
                index: (*index).to_owned(),
                is_fixed: false,
            });
        }
        let tables: BTreeSet<TableName> = sqlx::query_scalar::<_, String>("SHOW TABLES")
            .fetch_all(&mut connection)
            .await
            .unwrap()
            .into_iter()
            .map(|table| TableName::new(schema.name(), table))
            .collect();
        let mut kept = Set::new();
        for table in tables {
            let sql = format!("ANALYZE TABLE `{}`", table.name);
            connection.execute(AssertSqlSafe(sql)).await.unwrap();
            kept.insert(choices.len());
            choices.push(Choice {
                table,
                index: "PRIMARY".to_owned(),
                is_fixed: true,
            });
        }
        connection.close().await.unwrap();
        Self {
            schema,
            choices,
            existing,
            kept,
        }
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            choices: &self.choices,
            existing: &self.existing,
            kept: &self.kept,
        }
    }

    async fn session(&self) -> Session {
        Session::open(&server_of_tests().await, self.choices.clone(), &[])
            .await
            .unwrap()
    }

    fn question(&self, sqls: &[&str], relevant: impl IntoIterator<Item = usize>) -> Question {
        Question {
            schema: Some(self.schema.name().to_owned()),
            samples: sqls.iter().map(|sql| sample(sql)).collect(),
            relevant: relevant.into_iter().collect(),
        }
    }

    async fn invisible(&self) -> Vec<String> {
        let mut connection = server::connect(&self.schema.url()).await;
        let sql = "SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS \
                   WHERE TABLE_SCHEMA = DATABASE() AND IS_VISIBLE = 'NO' ORDER BY 1";
        sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
    }
}

fn sample(sql: &str) -> Sample {
    Sample {
        sql: sql.to_owned(),
        is_made_up: false,
    }
}

async fn server_of_tests() -> Server {
    let endpoint = server::shared().await.endpoint();
    let url = server::shared().await.url();
    let password = url.split(['@', ':']).nth(2).unwrap().to_owned();
    Server {
        name: "twin".into(),
        host: "127.0.0.1".into(),
        port: endpoint.port,
        socket: None,
        user: "root".into(),
        password: Some(password.into()),
        database: None,
        tls: Tls {
            mode: TlsMode::Preferred,
            ca: None,
        },
        read_only: false,
    }
}

async fn explored(stage: &Stage, session: &mut Session, questions: &[Question]) -> Explored {
    let stop = CancellationToken::new();
    whatif::explore(session, stage.scene(), questions, Bounds::default(), &mut |_| {}, &stop)
        .await
        .unwrap()
}

/// Every set, tried one by one: enough for a handful of indexes.
fn brute_force(problem: &Problem, _start: Option<&[usize]>) -> Result<Selection, String> {
    let mut best: Option<Selection> = None;
    for bits in 0_u32..1 << problem.indexes.len() {
        let set: Set = (0..problem.indexes.len()).filter(|i| bits >> i & 1 == 1).collect();
        let misses = |(place, one): (usize, &IndexChoice)| one.is_required && !set.contains(&place);
        let breaks = |query: &QueryCosts| {
            query.limit.is_some_and(|limit| effects::cost(query, &set) > limit * (1.0 + 1e-9))
        };
        if problem.indexes.iter().enumerate().any(misses) || problem.queries.iter().any(breaks) {
            continue;
        }
        let objective = effects::value(problem, &set);
        if best.as_ref().is_none_or(|best| objective < best.objective) {
            best = Some(Selection {
                chosen: set.into_iter().collect(),
                objective,
                bound: objective,
                is_proven: true,
                nodes: 0,
            });
        }
    }
    best.ok_or_else(|| "no set keeps to the limits".to_owned())
}

fn problem(stage: &Stage, explored: &Explored) -> Problem {
    let indexes = (0..stage.choices.len()).map(|place| IndexChoice {
        // A little, so that an index nobody uses is not chosen.
        upkeep: 0.001,
        exists: stage.existing.contains(&place) || stage.kept.contains(&place),
        is_required: stage.kept.contains(&place),
        ..IndexChoice::default()
    });
    Problem {
        indexes: indexes.collect(),
        queries: explored.queries.iter().map(|known| known.costs.clone()).collect(),
        ..Problem::default()
    }
}

async fn proven(
    stage: &Stage,
    session: &mut Session,
    questions: &[Question],
    explored: &Explored,
) -> (Problem, Proof) {
    let mut problem = problem(stage, explored);
    let tolerance = vec![0.1; questions.len()];
    let case = Case {
        scene: stage.scene(),
        questions,
        known: &explored.queries,
        tolerance: &tolerance,
        limits: Limits::default(),
    };
    let stop = CancellationToken::new();
    let proof = prove::prove(session, case, &mut problem, brute_force, &mut |_, _| {}, &stop)
        .await
        .unwrap();
    (problem, proof)
}

const NUMBERS: &str = "CREATE TABLE n (i INT PRIMARY KEY) AS \
     SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 1 AS i FROM \
     (VALUES ROW(0),ROW(1),ROW(2),ROW(3),ROW(4),ROW(5),ROW(6),ROW(7),ROW(8),ROW(9)) AS a(d), \
     (VALUES ROW(0),ROW(1),ROW(2),ROW(3),ROW(4),ROW(5),ROW(6),ROW(7),ROW(8),ROW(9)) AS b(d), \
     (VALUES ROW(0),ROW(1),ROW(2),ROW(3),ROW(4),ROW(5),ROW(6),ROW(7),ROW(8),ROW(9)) AS c(d), \
     (VALUES ROW(0),ROW(1),ROW(2),ROW(3),ROW(4),ROW(5),ROW(6),ROW(7),ROW(8),ROW(9)) AS d(d), \
     (VALUES ROW(0),ROW(1),ROW(2),ROW(3),ROW(4),ROW(5)) AS e(d)";

/// TPC-H query 13 in small: orders of customers, counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_join_by_index_that_is_slower_than_hashing_is_rejected() {
    let stage = Stage::new(
        "q13",
        &[
            NUMBERS,
            "CREATE TABLE customer (c_custkey INT PRIMARY KEY, c_name VARCHAR(40), c_pad CHAR(100))",
            "INSERT INTO customer SELECT i, CONCAT('c', i), REPEAT('x', 90) FROM n WHERE i <= 6000",
            "CREATE TABLE orders (o_orderkey INT PRIMARY KEY, o_custkey INT, o_comment VARCHAR(80), \
             o_pad CHAR(60))",
            "INSERT INTO orders SELECT i, (i * 7919) % 6000 + 1, CONCAT('carefully packed ', i), \
             REPEAT('y', 50) FROM n",
        ],
        &[("orders", "o_custkey", "o_custkey", false)],
    )
    .await;
    let mut session = stage.session().await;
    let sql = "SELECT c_count, COUNT(*) AS custdist FROM (SELECT c_custkey, COUNT(o_orderkey) AS \
               c_count FROM customer LEFT OUTER JOIN orders ON c_custkey = o_custkey AND o_comment \
               NOT LIKE '%special%requests%' GROUP BY c_custkey) AS c_orders GROUP BY c_count \
               ORDER BY custdist DESC, c_count DESC";
    let questions = [stage.question(&[sql], [0])];
    let explored = explored(&stage, &mut session, &questions).await;
    let tempting = brute_force(&problem(&stage, &explored), None).unwrap();
    assert!(tempting.chosen.contains(&0), "the estimate is not tempting: {explored:?}");
    let (_, proof) = proven(&stage, &mut session, &questions, &explored).await;
    assert!(!proof.selection.chosen.contains(&0), "{proof:#?}");
    assert!(proof.is_stable);
    let rejected = &proof.rejected[0];
    assert!(rejected.estimated.1 < rejected.estimated.0 * 0.5, "{rejected:?}");
    assert!(rejected.measured.1.time > rejected.measured.0.time.mul_f64(1.1), "{rejected:?}");
    assert_eq!(stage.invisible().await, ["o_custkey"]);
}

/// MySQL bug 97001: the index in the order of `ORDER BY` is read from the end at which there are
/// no rows of the kind that is looked for.
#[tokio::test(flavor = "multi_thread")]
async fn an_ordering_index_that_finds_its_rows_last_is_rejected() {
    let stage = Stage::new(
        "limit",
        &[
            NUMBERS,
            "CREATE TABLE job (id INT PRIMARY KEY, state INT, created INT, pad CHAR(150))",
            "INSERT INTO job SELECT (i * 7919) % 60013, IF(i > 57000, 9, i % 9), i, REPEAT('z', 140) \
             FROM n",
        ],
        &[
            ("job", "state", "state", true),
            ("job", "created", "created", false),
            ("job", "state_created", "state, created", false),
        ],
    )
    .await;
    let mut session = stage.session().await;
    let trap = "SELECT id, pad FROM job WHERE state = 9 ORDER BY created LIMIT 20";
    // With the ordering index alone the optimizer walks into it.
    let questions = [stage.question(&[trap], [0, 1])];
    let known = explored(&stage, &mut session, &questions).await;
    let tempting = brute_force(&problem(&stage, &known), None).unwrap();
    assert!(tempting.chosen.contains(&1), "the estimate is not tempting: {known:#?}");
    let (_, proof) = proven(&stage, &mut session, &questions, &known).await;
    assert!(!proof.selection.chosen.contains(&1), "{proof:#?}");
    assert!(proof.selection.chosen.contains(&0), "{proof:#?}");
    let rejected = &proof.rejected[0];
    assert!(rejected.estimated.1 < rejected.estimated.0, "{rejected:?}");
    assert!(rejected.measured.1.reads > 10 * rejected.measured.0.reads, "{rejected:?}");

    // With the right one among the candidates, that is chosen, and it is proven.
    let questions = [stage.question(&[trap], [0, 1, 2])];
    let known = explored(&stage, &mut session, &questions).await;
    let (_, proof) = proven(&stage, &mut session, &questions, &known).await;
    assert!(proof.selection.chosen.contains(&2), "{proof:#?}");
    assert_eq!(proof.proven.get(&2), Some(&true), "{proof:#?}");
    let (before, after) = proof.queries[0].measured.unwrap();
    assert!(after.reads <= 21, "{after:?}");
    assert!(after.reads < before.reads);
    assert_eq!(stage.invisible().await, ["created", "state_created"]);
}
