//! What-if answers and proofs on a real server: plans, visibility, measurements, and the traps in
//! which a better estimate runs slower.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mydex::advisor::costs::{IndexChoice, Problem, QueryCosts, Selection};
use mydex::advisor::effects;
use mydex::advisor::planner::{Choice, Planner};
use mydex::advisor::prove::{self, Case, Effort, Limits, Proof};
use mydex::advisor::select;
use mydex::advisor::session::Session;
use mydex::advisor::whatif::{self, Bounds, Explored, Question, Scene};
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
    let proof = prove::prove(session, case, &mut problem, choose, &mut |_, _| {}, &stop)
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
    assert!(
        tempting.chosen.contains(&0),
        "the estimate is not tempting: {explored:?}"
    );
    let (_, proof) = proven(&stage, &mut session, &questions, &explored).await;
    assert!(!proof.selection.chosen.contains(&0), "{proof:#?}");
    assert!(proof.is_stable);
    let rejected = &proof.rejected[0];
    assert!(
        rejected.estimated.1 < rejected.estimated.0 * 0.5,
        "{rejected:?}"
    );
    assert!(
        rejected.measured.1.time > rejected.measured.0.time.mul_f64(1.1),
        "{rejected:?}"
    );
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
    assert!(
        tempting.chosen.contains(&1),
        "the estimate is not tempting: {known:#?}"
    );
    let (_, proof) = proven(&stage, &mut session, &questions, &known).await;
    assert!(!proof.selection.chosen.contains(&1), "{proof:#?}");
    assert!(proof.selection.chosen.contains(&0), "{proof:#?}");
    let rejected = &proof.rejected[0];
    assert!(rejected.estimated.1 < rejected.estimated.0, "{rejected:?}");
    let (before, after) = rejected.measured;
    assert!(
        after.reads > before.reads && after.time > before.time.mul_f64(1.1),
        "{rejected:?}"
    );

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
async fn few_plans_tell_what_all_subsets_tell() {
    let stage = Stage::new("graph", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = shop_questions(&stage);
    let explored = explored(&stage, &mut session, &questions).await;
    let few = session.calls().explains;
    assert!(!explored.is_interrupted);
    let mut off = 0;
    let mut compared = 0;
    for bits in 0_u32..64 {
        let set: Set = (0..6).filter(|i| bits >> i & 1 == 1).collect();
        let visible: Set = set.union(&stage.kept).copied().collect();
        let plans = whatif::plans(&mut session, &questions, &explored.queries, &visible)
            .await
            .unwrap();
        for (plans, known) in plans.iter().zip(&explored.queries) {
            let exact = plans.iter().map(|plan| plan.cost).sum::<f64>() / plans.len() as f64;
            let derived = effects::cost(&known.costs, &set);
            compared += 1;
            if (exact - derived).abs() > 0.02 * exact {
                eprintln!("{set:?}: exact {exact}, derived {derived}");
                off += 1;
            }
        }
    }
    let all = session.calls().explains - few;
    eprintln!("{few} plans for {all}, {off} of {compared} costs off by more than 2 %");
    assert!(off * 20 <= compared, "{off} of {compared}");
    assert!(few * 4 < all, "{few} plans in place of {all}");
    // Two samples by 2^3 sets, one by 2^3, one by 2^6.
    assert!((explored.exhaustive - 88.0).abs() < 1e-9);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exact_costs_of_a_set_are_written_back() {
    let stage = Stage::new("recost", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = shop_questions(&stage);
    let explored = explored(&stage, &mut session, &questions).await;
    let mut costs: Vec<QueryCosts> = explored
        .queries
        .iter()
        .map(|known| known.costs.clone())
        .collect();
    // One is made too cheap and one too expensive.
    for configuration in &mut costs[0].configurations {
        configuration.cost *= 0.5;
    }
    for configuration in &mut costs[1].configurations {
        configuration.cost *= 3.0;
    }
    let set: Set = [0, 1, 5]
        .into_iter()
        .chain(stage.kept.iter().copied())
        .collect();
    let scene = stage.scene();
    let known = &explored.queries;
    let corrected = whatif::recost(
        &mut session,
        scene,
        &questions,
        known,
        &set,
        &mut costs,
        0.02,
    )
    .await;
    let corrected = corrected.unwrap();
    assert!(
        corrected
            .iter()
            .any(|one| one.query == 0 && one.exact > one.derived)
    );
    assert!(
        corrected
            .iter()
            .any(|one| one.query == 1 && one.exact < one.derived)
    );
    let again = whatif::recost(
        &mut session,
        scene,
        &questions,
        known,
        &set,
        &mut costs,
        0.02,
    )
    .await;
    assert_eq!(again.unwrap(), []);
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
async fn a_cancelled_exploration_gives_what_it_has() {
    let stage = Stage::new("cancel", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = shop_questions(&stage);
    let stop = CancellationToken::new();
    let mut steps = 0;
    let mut watch = |_| {
        steps += 1;
        if steps == 2 {
            stop.cancel();
        }
    };
    let bounds = Bounds::default();
    let explored = whatif::explore(
        &mut session,
        stage.scene(),
        &questions,
        bounds,
        &mut watch,
        &stop,
    )
    .await
    .unwrap();
    assert!(explored.is_interrupted);
    assert_eq!(steps, 2);
    for known in &explored.queries {
        let today = known.today.unwrap();
        assert!((effects::cost(&known.costs, &stage.existing) - today).abs() < 1e-9);
    }
    assert_eq!(
        stage.invisible().await,
        ["age", "day", "day_amount", "person_day", "town_age"]
    );
    // Cancelled from the start, nothing is asked.
    let asked = session.calls();
    let explored = whatif::explore(
        &mut session,
        stage.scene(),
        &questions,
        bounds,
        &mut |_| {},
        &stop,
    )
    .await
    .unwrap();
    assert_eq!(session.calls().explains, asked.explains);
    assert!(
        explored
            .queries
            .iter()
            .all(|known| known.today.is_none() && known.error.is_some())
    );
}

#[allow(
    clippy::too_many_lines,
    reason = "a list of cases, one after the other"
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_session_measures_and_leaves_nothing_behind() {
    let stage = Stage::new("session", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let schema = Some(stage.schema.name());
    let limit = Duration::from_secs(5);
    // A row by its key is one read; the counters' own reading is not in it.
    let point = session
        .measure(schema, &sample("SELECT * FROM sale WHERE id = 5"), limit)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((point.reads, point.temporary), (1, 0));
    let scan = session
        .measure(
            schema,
            &sample("SELECT note, COUNT(*) FROM sale GROUP BY note"),
            limit,
        )
        .await
        .unwrap()
        .unwrap();
    assert!(scan.reads >= 30_000 && scan.temporary >= 1, "{scan:?}");
    // A write is measured and taken back.
    for sql in [
        "DELETE FROM sale WHERE day < 100",
        "UPDATE sale SET amount = 0 WHERE day = 3",
        "INSERT INTO person VALUES (900000, 1, 1, 'x')",
        "INSERT INTO person SELECT id + 100000, 1, 1, 'x' FROM sale WHERE day = 3",
    ] {
        let explained = session
            .explain(schema, &sample(sql))
            .await
            .unwrap()
            .unwrap();
        assert!(explained.cost >= 1.0, "{explained:?}");
        let done = session
            .measure(schema, &sample(sql), limit)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(done.temporary, 0);
    }
    let mut connection = server::connect(&stage.schema.url()).await;
    let left = connection
        .fetch_one(
            "SELECT (SELECT COUNT(*) FROM sale), (SELECT COUNT(*) FROM person), \
                    (SELECT SUM(amount = 0) FROM sale WHERE day = 3)",
        )
        .await
        .unwrap();
    assert_eq!(
        (left.get::<i64, _>(0), left.get::<i64, _>(1)),
        (30_000, 8_000)
    );
    // What takes too long is ended, and the session goes on.
    let started = Instant::now();
    let endless =
        "SELECT COUNT(*) FROM sale a, sale b, sale c WHERE a.note < b.note OR b.note > c.note";
    let ended = session
        .measure(schema, &sample(endless), Duration::from_millis(200))
        .await
        .unwrap()
        .unwrap();
    assert!(
        ended.is_capped && started.elapsed() < Duration::from_secs(3),
        "{ended:?}"
    );
    let endless = "DELETE a FROM sale a JOIN sale b ON a.note <> b.note OR a.id < b.id";
    let ended = session
        .measure(schema, &sample(endless), Duration::from_millis(200))
        .await
        .unwrap()
        .unwrap();
    assert!(ended.is_capped, "{ended:?}");
    // Errors of a statement are values.
    for (sql, reason) in [
        ("SELECT * FROM nowhere", "doesn't exist"),
        ("SELECT SLEEP(100)", "SLEEP"),
        ("SELECT 1; DROP TABLE sale", "several statements"),
        ("SELECT * FROM sale INTO OUTFILE '/tmp/mydex-never'", "INTO"),
        ("SELECT * FROM sale WHERE id = ?", "parameters"),
        ("DROP TABLE sale", "DROP"),
        ("SELECT * FROM sale FORCE INDEX (day) WHERE day = 1", "day"),
    ] {
        let refused = session
            .explain(schema, &sample(sql))
            .await
            .unwrap()
            .unwrap_err();
        assert!(refused.contains(reason), "{sql}: {refused}");
        assert!(
            session
                .measure(schema, &sample(sql), limit)
                .await
                .unwrap()
                .is_err()
        );
    }
    assert!(
        session
            .explain(Some("no such schema"), &sample("SELECT 1"))
            .await
            .unwrap()
            .is_err()
    );
    let tree = session
        .tree(schema, &sample("SELECT * FROM sale WHERE id = 5"))
        .await;
    assert!(tree.unwrap().unwrap().starts_with("->"));
}

/// A hundred queries over two tables with a dozen candidates each.
#[allow(
    clippy::too_many_lines,
    reason = "a list of cases, one after the other"
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_queries_take_few_plans() {
    let mut indexes: Vec<(&str, &str, &str, bool)> = vec![
        ("person", "p1", "town", true),
        ("person", "p2", "town, age", false),
        ("person", "p3", "age", false),
        ("person", "p4", "age, town", false),
        ("person", "p5", "name", false),
        ("person", "p6", "town, name", false),
        ("person", "p7", "age, name", false),
        ("sale", "s1", "person_id, day", false),
        ("sale", "s2", "day", false),
        ("sale", "s3", "day, amount", false),
        ("sale", "s4", "amount", false),
        ("sale", "s5", "amount, day", false),
        ("sale", "s6", "person_id", true),
        ("sale", "s7", "person_id, amount", false),
    ];
    indexes.push(("sale", "s8", "day, person_id, amount", false));
    let stage = Stage::new("hundred", &SHOP, &indexes).await;
    let mut session = stage.session().await;
    let people: Set = (0..7).collect();
    let sales: Set = (7..15).collect();
    let all: Set = (0..15).collect();
    let questions: Vec<Question> = (0..100)
        .map(|i| {
            let (town, age, day) = (i % 200, i % 90, i * 7 % 730);
            let (sql, relevant) = match i % 5 {
                0 => (
                    format!("SELECT name FROM person WHERE town = {town} AND age > {age}"),
                    &people,
                ),
                1 => (
                    format!("SELECT SUM(amount) FROM sale WHERE day BETWEEN {day} AND {day} + 9"),
                    &sales,
                ),
                2 => (
                    format!(
                        "SELECT p.name, s.amount FROM person p JOIN sale s ON s.person_id = p.id \
                         WHERE p.age = {age} AND s.day > {day}"
                    ),
                    &all,
                ),
                3 => (
                    format!("SELECT * FROM sale WHERE amount > {town} ORDER BY day LIMIT 20"),
                    &sales,
                ),
                _ => (
                    format!(
                        "SELECT p.town, COUNT(*) FROM person p JOIN sale s ON s.person_id = p.id \
                         WHERE s.amount = {day} GROUP BY p.town ORDER BY 2 DESC LIMIT 5"
                    ),
                    &all,
                ),
            };
            stage.question(&[&sql], relevant.iter().copied())
        })
        .collect();
    let started = Instant::now();
    let explored = explored(&stage, &mut session, &questions).await;
    let calls = session.calls();
    let share = calls.explains as f64 / explored.exhaustive;
    eprintln!(
        "{} plans, {} of all {}, {} changes of visibility, {:?}",
        calls.explains,
        share,
        explored.exhaustive,
        calls.toggles,
        started.elapsed()
    );
    assert!(share <= 0.1, "{share}");
    assert!(
        explored
            .queries
            .iter()
            .all(|known| known.today.is_some() && !known.is_cut)
    );
}

/// The end of an index is read while the statement is planned, and the plan names no index.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_no_plan_names_is_found_by_hiding() {
    let stage = Stage::new("hidden", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = [
        stage.question(&["SELECT MIN(age) FROM person"], [0, 1, 2]),
        stage.question(&["SELECT name FROM person WHERE id = 900000"], [0, 1, 2]),
    ];
    let explored = explored(&stage, &mut session, &questions).await;
    let cost = |query: usize, set: &[usize]| {
        effects::cost(
            &explored.queries[query].costs,
            &set.iter().copied().collect(),
        )
    };
    assert!(cost(0, &[2]) < 2.0 && cost(0, &[0, 2]) < 2.0);
    assert!(
        cost(0, &[]) > 500.0 && cost(0, &[0, 1]) > 500.0,
        "{explored:#?}"
    );
    // The primary key answers this one, whatever else is there.
    assert!(cost(1, &[]) < 2.0);
}
