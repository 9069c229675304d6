//! The measured optimum over all sets of some candidates: for each query, the plan under every subset
//! of the candidates that can matter to it, and the time of every distinct plan. The time of a set is
//! then a sum.
//!
//! Candidates stay on the tables, invisible where they are not of the set, so that every write keeps
//! all of them up: what that costs is the same for all sets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _, MySqlConnection, Row as _};

type Failure = Box<dyn std::error::Error>;

/// A run is ended after this and counted with it.
pub(crate) const CAP: Duration = Duration::from_secs(40);
/// Runs of a plan, and of one that takes under a second; the shortest counts.
const RUNS: (u32, u32) = (3, 7);

/// An index to choose from: table, name, key parts.
pub(crate) type Candidate = (&'static str, &'static str, &'static str);

/// A statement of the workload.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) name: String,
    pub(crate) sql: String,
}

/// Everything that was measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Reference {
    /// Size of each candidate.
    pub(crate) bytes: Vec<u64>,
    pub(crate) queries: Vec<Measured>,
}

/// One query under all subsets of the candidates that can matter to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) name: String,
    /// Places of candidates, ascending; bit `i` of a subset stands for `relevant[i]`.
    pub(crate) relevant: Vec<usize>,
    /// Plan and estimated cost under each subset.
    pub(crate) subsets: Vec<(usize, f64)>,
    /// Seconds of each distinct plan, the cap if it was reached; `None` not yet run.
    pub(crate) seconds: Vec<Option<f64>>,
    /// The first subset that has each plan.
    pub(crate) first: Vec<usize>,
}

impl Measured {
    /// The subset of the relevant candidates that is in a set of all.
    pub(crate) fn project(&self, set: usize) -> usize {
        let bits = self.relevant.iter().enumerate();
        bits.filter(|(_, candidate)| set >> **candidate & 1 == 1)
            .map(|(bit, _)| 1 << bit)
            .sum()
    }

    pub(crate) fn seconds(&self, set: usize) -> f64 {
        self.seconds[self.subsets[self.project(set)].0].unwrap_or(CAP.as_secs_f64())
    }

    #[allow(dead_code, reason = "not every bench compares estimates")]
    pub(crate) fn cost(&self, set: usize) -> f64 {
        self.subsets[self.project(set)].1
    }

    fn is_done(&self) -> bool {
        self.seconds.iter().all(Option::is_some)
    }
}

/// What is measured, and where.
pub(crate) struct Lab<'a> {
    pub(crate) connection: &'a mut MySqlConnection,
    pub(crate) candidates: &'a [Candidate],
}

impl Reference {
    /// What an earlier run left in a file.
    pub(crate) fn kept(file: &Path) -> Self {
        let kept = std::fs::read(file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        kept.unwrap_or_default()
    }

    /// Whether these queries are all measured, and not asked to be measured once more.
    pub(crate) fn is_complete(&self, queries: &[Query]) -> bool {
        !is_again()
            && self.queries.len() == queries.len()
            && self.queries.iter().all(Measured::is_done)
    }

    /// Measures what is not measured yet, and keeps it in the file after each query. Afterwards the
    /// candidates are there, invisible.
    pub(crate) async fn complete(
        &mut self,
        lab: &mut Lab<'_>,
        queries: &[Query],
        relevant: fn(&Query) -> Vec<usize>,
        file: &Path,
        deadline: Instant,
    ) -> Result<(), Failure> {
        self.bytes = create_candidates(lab).await?;
        for query in queries {
            let known = self
                .queries
                .iter()
                .position(|known| known.name == query.name);
            let mut measured = match known {
                Some(place) => self.queries.remove(place),
                None => explain_all(lab, query, relevant(query)).await?,
            };
            let outcome = run_all(lab, query, &mut measured, deadline, is_again()).await;
            let line = describe(&measured);
            self.queries.push(measured);
            self.queries
                .sort_by_key(|known| queries.iter().position(|query| query.name == known.name));
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(file, serde_json::to_vec(self)?)?;
            outcome?;
            say(&line);
        }
        Ok(())
    }

    /// Bytes of a set.
    pub(crate) fn bytes(&self, set: usize) -> u64 {
        let sizes = self.bytes.iter().enumerate();
        sizes
            .filter(|(place, _)| set >> place & 1 == 1)
            .map(|(_, bytes)| bytes)
            .sum()
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn describe(measured: &Measured) -> String {
    let seconds = measured
        .seconds
        .iter()
        .map(|seconds| seconds.unwrap_or_default());
    format!(
        "{}: {} candidates, {} subsets, {} plans, {:.2} s without, best {:.2} s, worst {:.2} s",
        measured.name,
        measured.relevant.len(),
        measured.subsets.len(),
        measured.seconds.len(),
        measured.seconds(0),
        seconds.clone().fold(f64::INFINITY, f64::min),
        seconds.fold(0.0, f64::max),
    )
}

/// Creates all candidates, invisible, and gives their sizes.
pub(crate) async fn create_candidates(lab: &mut Lab<'_>) -> Result<Vec<u64>, Failure> {
    let started = Instant::now();
    for (table, name, columns) in lab.candidates {
        let sql = format!("ALTER TABLE {table} ADD INDEX {name} ({columns}) INVISIBLE");
        run(lab.connection, &sql).await?;
    }
    let tables: BTreeSet<&str> = lab.candidates.iter().map(|(table, ..)| *table).collect();
    for table in tables {
        run(lab.connection, &format!("ANALYZE TABLE {table}")).await?;
    }
    let mut sizes = Vec::new();
    for (table, name, _) in lab.candidates {
        let sql = format!(
            "SELECT CAST(stat_value * @@innodb_page_size AS SIGNED) \
             FROM mysql.innodb_index_stats WHERE database_name = DATABASE() \
             AND table_name = '{table}' AND index_name = '{name}' AND stat_name = 'size'"
        );
        let row = lab.connection.fetch_one(AssertSqlSafe(sql)).await?;
        sizes.push(row.try_get::<i64, _>(0)?.unsigned_abs());
    }
    say(&format!(
        "candidates created in {:.1} s",
        started.elapsed().as_secs_f64()
    ));
    Ok(sizes)
}

/// Makes the candidates in `to` visible and others invisible; `from` is what is visible now.
async fn show(lab: &mut Lab<'_>, from: usize, to: usize) -> Result<(), Failure> {
    for (place, (table, name, _)) in lab.candidates.iter().enumerate() {
        if ((from ^ to) >> place) & 1 == 1 {
            let word = if (to >> place) & 1 == 1 {
                "VISIBLE"
            } else {
                "INVISIBLE"
            };
            let sql = format!("ALTER TABLE {table} ALTER INDEX {name} {word}");
            run(lab.connection, &sql).await?;
        }
    }
    Ok(())
}

/// The set of all candidates that a subset of the relevant ones is.
fn spread(relevant: &[usize], subset: usize) -> usize {
    let bits = relevant.iter().enumerate();
    bits.filter(|(bit, _)| subset >> bit & 1 == 1)
        .map(|(_, candidate)| 1 << candidate)
        .sum()
}

async fn explain_all(
    lab: &mut Lab<'_>,
    query: &Query,
    relevant: Vec<usize>,
) -> Result<Measured, Failure> {
    let number = 1_usize << relevant.len();
    let mut subsets = vec![(0, 0.0); number];
    let mut plans: BTreeMap<String, usize> = BTreeMap::new();
    let mut first = Vec::new();
    let mut shown = 0;
    // In Gray code, one index is switched from one subset to the next.
    for step in 0..number {
        let subset = step ^ (step >> 1);
        let set = spread(&relevant, subset);
        show(lab, shown, set).await?;
        shown = set;
        let (signature, cost) = explain(lab, &query.sql).await?;
        let next = plans.len();
        let plan = *plans.entry(signature).or_insert(next);
        if plan == next {
            first.push(subset);
        }
        subsets[subset] = (plan, cost);
    }
    show(lab, shown, 0).await?;
    Ok(Measured {
        name: query.name.clone(),
        relevant,
        subsets,
        seconds: vec![None; plans.len()],
        first,
    })
}

/// What a plan does, without its estimates, and its cost.
async fn explain(lab: &mut Lab<'_>, sql: &str) -> Result<(String, f64), Failure> {
    let sql = format!("EXPLAIN FORMAT=JSON {sql}");
    let row = lab.connection.fetch_one(AssertSqlSafe(sql)).await?;
    let text: String = row.try_get(0)?;
    let mut plan: Value = serde_json::from_str(&text)?;
    let mut cost = 0.0;
    strip(&mut plan, &mut cost);
    Ok((plan.to_string(), cost))
}

/// Takes the estimates out of a plan and sums the costs of its query blocks.
fn strip(plan: &mut Value, cost: &mut f64) {
    match plan {
        Value::Object(object) => {
            if let Some(info) = object.remove("cost_info") {
                let own = info.get("query_cost").and_then(Value::as_str);
                *cost += own.and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
            }
            for estimate in [
                "rows_examined_per_scan",
                "rows_produced_per_join",
                "filtered",
                "possible_keys",
            ] {
                object.remove(estimate);
            }
            for value in object.values_mut() {
                strip(value, cost);
            }
        }
        Value::Array(values) => {
            for value in values {
                strip(value, cost);
            }
        }
        _ => {}
    }
}

/// `MYDEX_BENCH_AGAIN` has every plan run once more, and the shorter time kept.
fn is_again() -> bool {
    std::env::var_os("MYDEX_BENCH_AGAIN").is_some()
}

/// Runs each plan that was not run yet.
async fn run_all(
    lab: &mut Lab<'_>,
    query: &Query,
    measured: &mut Measured,
    deadline: Instant,
    is_again: bool,
) -> Result<(), Failure> {
    for plan in 0..measured.seconds.len() {
        let known = measured.seconds[plan];
        if known.is_some_and(|seconds| !is_again || seconds >= CAP.as_secs_f64()) {
            continue;
        }
        if Instant::now() > deadline {
            return Err("out of time; what was measured is kept, run again to go on".into());
        }
        let set = spread(&measured.relevant, measured.first[plan]);
        show(lab, 0, set).await?;
        let seconds = shortest(lab.connection, &query.sql).await?;
        // What disturbs a run only ever makes it longer.
        measured.seconds[plan] = Some(known.map_or(seconds, |known| known.min(seconds)));
        show(lab, set, 0).await?;
    }
    Ok(())
}

/// Seconds of the processor of the shortest of several runs; a long one is not repeated. Writes are
/// rolled back.
pub(crate) async fn shortest(connection: &mut MySqlConnection, sql: &str) -> Result<f64, Failure> {
    let limit = CAP.as_millis();
    for sql in [
        &*format!("SET SESSION max_execution_time = {limit}"),
        // What other threads read for a statement is not counted to it.
        "SET SESSION innodb_parallel_read_threads = 1",
        "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' \
         WHERE NAME = 'events_statements_cpu'",
    ] {
        run(connection, sql).await?;
    }
    let mut least = f64::INFINITY;
    for number in 1..=RUNS.1 {
        run(connection, "START TRANSACTION").await?;
        let seconds = timed(connection, sql).await;
        run(connection, "ROLLBACK").await?;
        let seconds = seconds?;
        least = least.min(seconds);
        let is_slow = seconds > CAP.as_secs_f64() / 4.0;
        if is_slow || (number >= RUNS.0 && least > 1.0) {
            break;
        }
    }
    Ok(least)
}

/// Seconds of one run, at most the cap: those of the processor, since the machine has other things
/// to do and all data is in memory.
async fn timed(connection: &mut MySqlConnection, sql: &str) -> Result<f64, Failure> {
    let result = connection.fetch_all(AssertSqlSafe(sql.to_owned())).await;
    match result {
        Ok(_) => {}
        // 3024: the time limit was reached.
        Err(sqlx::Error::Database(error)) if error.message().contains("maximum statement") => {
            return Ok(CAP.as_secs_f64());
        }
        Err(error) => return Err(format!("{sql}: {error}").into()),
    }
    let sql = "SELECT CAST(CPU_TIME AS DOUBLE) FROM performance_schema.events_statements_history \
               WHERE THREAD_ID = PS_CURRENT_THREAD_ID() ORDER BY EVENT_ID DESC LIMIT 1";
    // Not prepared, which would be a statement of its own in the history.
    let row = connection.fetch_one(sqlx::raw_sql(sql)).await?;
    let picoseconds: f64 = row.try_get(0)?;
    if picoseconds <= 0.0 {
        return Err("the server counts no processor time".into());
    }
    Ok(picoseconds / 1e12)
}

/// Runs a statement.
pub(crate) async fn run(connection: &mut MySqlConnection, sql: &str) -> Result<(), Failure> {
    let outcome = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    outcome.map_err(|error| format!("{sql}: {error}"))?;
    Ok(())
}
