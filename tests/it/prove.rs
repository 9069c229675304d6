//! What-if answers and proofs on a real server: plans, visibility, measurements, and the traps in
//! which a better estimate runs slower.

mod graph;
mod session;
mod traps;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mydex::advisor::costs::{IndexChoice, Problem, QueryCosts, Selection};
use mydex::advisor::effects;
use mydex::advisor::planner::{Choice, Planner};
use mydex::advisor::prove::{self, Case, Effort, Limits, Proof};
use mydex::advisor::select;
use mydex::advisor::session::Session;
use mydex::advisor::whatif::{self, Bounds, Correction, Explored, Known, Question, Scene};
use mydex::advisor::workload::Sample;
use mydex::config::settings::Server;
use mydex::model::schema::TableName;
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
        sqlx::query_scalar(sql)
            .fetch_all(&mut connection)
            .await
            .unwrap()
    }
}

fn sample(sql: &str) -> Sample {
    Sample {
        sql: sql.to_owned(),
        is_made_up: false,
    }
}

async fn server_of_tests() -> Server {
    server::shared().await.endpoint().server("twin")
}

async fn explored(stage: &Stage, session: &mut Session, questions: &[Question]) -> Explored {
    let stop = CancellationToken::new();
    whatif::explore(
        session,
        stage.scene(),
        questions,
        Bounds::default(),
        &mut |_| {},
        &stop,
    )
    .await
    .unwrap()
}

/// Every set, tried one by one: enough for a handful of indexes.
fn brute_force(problem: &Problem, _start: Option<&[usize]>) -> Result<Selection, String> {
    let mut best: Option<Selection> = None;
    for bits in 0_u32..1 << problem.indexes.len() {
        let set: Set = (0..problem.indexes.len())
            .filter(|i| bits >> i & 1 == 1)
            .collect();
        let misses = |(place, one): (usize, &IndexChoice)| one.is_required && !set.contains(&place);
        let breaks = |query: &QueryCosts| {
            query
                .limit
                .is_some_and(|limit| effects::cost(query, &set) > limit * (1.0 + 1e-9))
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

/// The advisor's own search, which has to find what trying everything finds.
fn choose(problem: &Problem, start: Option<&[usize]>, _: Effort) -> Result<Selection, String> {
    let found = select::select(problem, start, &mut || false).map_err(|error| error.to_string())?;
    let best = brute_force(problem, start)?;
    assert!(
        (found.objective - best.objective).abs() <= 1e-6 * best.objective,
        "{found:?} {best:?}"
    );
    Ok(found)
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
        queries: explored
            .queries
            .iter()
            .map(|known| known.costs.clone())
            .collect(),
        ..Problem::default()
    }
}

async fn proven(
    stage: &Stage,
    session: &mut Session,
    questions: &[Question],
    explored: &Explored,
) -> (Problem, Proof) {
    proven_within(stage, session, questions, explored, Limits::default(), 0.0).await
}

/// The same with other limits, and with what a new index has to earn.
async fn proven_within(
    stage: &Stage,
    session: &mut Session,
    questions: &[Question],
    explored: &Explored,
    limits: Limits,
    toll: f64,
) -> (Problem, Proof) {
    let mut problem = problem(stage, explored);
    let tolerance = vec![0.1; questions.len()];
    let case = Case {
        scene: stage.scene(),
        questions,
        known: &explored.queries,
        tolerance: &tolerance,
        toll,
        limits,
    };
    let stop = CancellationToken::new();
    let solve = |problem: &Problem, start: Option<&[usize]>, effort| {
        choose(&tolled(problem, toll), start, effort)
    };
    let proof = prove::prove(session, case, &mut problem, solve, &mut |_, _| {}, &stop)
        .await
        .unwrap();
    (problem, proof)
}

/// The same problem in which each new index costs `toll` besides.
fn tolled(problem: &Problem, toll: f64) -> Problem {
    let mut problem = problem.clone();
    for index in problem.indexes.iter_mut().filter(|index| !index.exists) {
        index.upkeep += toll;
    }
    problem
}

const NUMBERS: &str = "CREATE TABLE n (i INT PRIMARY KEY) AS \
     SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 1 AS i FROM \
     (VALUES ROW(0),ROW(1),ROW(2),ROW(3),ROW(4),ROW(5),ROW(6),ROW(7),ROW(8),ROW(9)) AS a(d), \
     (VALUES ROW(0),ROW(1),ROW(2),ROW(3),ROW(4),ROW(5),ROW(6),ROW(7),ROW(8),ROW(9)) AS b(d), \
     (VALUES ROW(0),ROW(1),ROW(2),ROW(3),ROW(4),ROW(5),ROW(6),ROW(7),ROW(8),ROW(9)) AS c(d), \
     (VALUES ROW(0),ROW(1),ROW(2),ROW(3),ROW(4),ROW(5),ROW(6),ROW(7),ROW(8),ROW(9)) AS d(d), \
     (VALUES ROW(0),ROW(1),ROW(2),ROW(3),ROW(4),ROW(5)) AS e(d)";

const SHOP: [&str; 6] = [
    NUMBERS,
    "CREATE TABLE person (id INT PRIMARY KEY, town INT, age INT, name VARCHAR(30))",
    "INSERT INTO person SELECT i, (i * 7) % 200, (i * 13) % 90, CONCAT('p', i) FROM n WHERE i <= 8000",
    "CREATE TABLE sale (id INT PRIMARY KEY, person_id INT, day INT, amount INT, note VARCHAR(40))",
    "INSERT INTO sale SELECT i, (i * 31) % 8000 + 1, (i * 17) % 730, (i * 101) % 997, REPEAT('n', 30) \
     FROM n WHERE i <= 30000",
    "DROP TABLE n",
];

const SHOP_INDEXES: [(&str, &str, &str, bool); 6] = [
    ("person", "town", "town", true),
    ("person", "town_age", "town, age", false),
    ("person", "age", "age", false),
    ("sale", "person_day", "person_id, day", false),
    ("sale", "day", "day", false),
    ("sale", "day_amount", "day, amount", false),
];

fn shop_questions(stage: &Stage) -> Vec<Question> {
    vec![
        stage.question(
            &[
                "SELECT name FROM person WHERE town = 17 AND age > 80",
                "SELECT name FROM person WHERE town = 3 AND age > 10",
            ],
            [0, 1, 2],
        ),
        stage.question(
            &["SELECT SUM(amount) FROM sale WHERE day BETWEEN 100 AND 110"],
            [3, 4, 5],
        ),
        stage.question(
            &[
                "SELECT p.name, s.amount FROM person p JOIN sale s ON s.person_id = p.id \
               WHERE p.age = 30 AND s.day > 700",
            ],
            [0, 1, 2, 3, 4, 5],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_set_of_a_workload_is_proven_and_changes_nothing() {
    let stage = Stage::new("shop", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = shop_questions(&stage);
    let explored = explored(&stage, &mut session, &questions).await;
    let (problem, proof) = proven(&stage, &mut session, &questions, &explored).await;
    assert!(proof.is_stable && !proof.is_interrupted, "{proof:#?}");
    assert!(proof.notes.is_empty(), "{:?}", proof.notes);
    for (query, limit) in proof.queries.iter().zip(&problem.queries) {
        assert!(!query.is_unmeasured);
        assert!(query.plans.is_some());
        assert!(limit.limit.is_some());
        if let Some((before, after)) = query.measured {
            let slower = after.time.as_secs_f64() / before.time.as_secs_f64();
            assert!(slower < 1.25 || after.reads < before.reads, "{query:?}");
        }
    }
    let (before, after) = proof.queries[1].measured.unwrap();
    assert!(after.reads * 10 < before.reads, "{before:?} {after:?}");
    assert_eq!(
        stage.invisible().await,
        ["age", "day", "day_amount", "person_day", "town_age"]
    );
    let mut connection = server::connect(&stage.schema.url()).await;
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sale")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(rows, 30_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_time_the_gap_is_no_proof_and_its_bound_holds() {
    let stage = Stage::new("no_time", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = shop_questions(&stage);
    let explored = explored(&stage, &mut session, &questions).await;
    let limits = Limits {
        total: Duration::ZERO,
        ..Limits::default()
    };
    // New indexes earn this, and some do not.
    let toll = 200.0;
    let (problem, proof) =
        proven_within(&stage, &mut session, &questions, &explored, limits, toll).await;
    assert!(!proof.is_stable);
    assert!(proof.queries.iter().any(|query| query.is_unmeasured));
    let found = &proof.selection;
    assert!(!found.is_proven, "{found:?}");
    let chosen: Set = found.chosen.iter().copied().collect();
    let value = effects::value(&tolled(&problem, toll), &chosen);
    assert!((found.objective - value).abs() < 1e-6 * value, "{found:?}");
    // Nothing was learned, so that the best of all sets by the estimates is the bound.
    let best = brute_force(&tolled(&problem, toll), None).unwrap();
    assert!(best.chosen.iter().any(|place| *place < 6 && *place > 0));
    assert!(found.bound <= best.objective + 1e-6, "{found:?} {best:?}");
    assert!((found.bound - best.objective).abs() < 1e-3 * best.objective);
    let gap = (value - best.objective) / value;
    assert!((found.gap() - gap).abs() < 1e-3, "{found:?} {best:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_run_in_time_is_not_advised_beside_what_was() {
    let stage = Stage::new("short_time", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = shop_questions(&stage);
    let explored = explored(&stage, &mut session, &questions).await;
    for milliseconds in [3, 10, 30, 100] {
        let limits = Limits {
            total: Duration::from_millis(milliseconds),
            ..Limits::default()
        };
        let (_, proof) =
            proven_within(&stage, &mut session, &questions, &explored, limits, 0.0).await;
        if !proof.queries.iter().any(|query| query.measured.is_some()) {
            continue;
        }
        for index in proof.selection.chosen.iter().filter(|place| **place < 6) {
            let supports =
                |query: &prove::Proven| query.measured.is_some() && query.uses.contains(index);
            assert!(
                stage.existing.contains(index) || proof.queries.iter().any(supports),
                "{milliseconds} ms, {index}: {proof:#?}"
            );
        }
    }
}
