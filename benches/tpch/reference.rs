//! The measured optimum: for each query, the plan under every subset of the candidates that can
//! matter to it, and the time of every distinct plan.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::data::{Lab, SCHEMA};
use super::{Failure, say};

/// A run is ended after this and counted with it.
pub(crate) const CAP: Duration = Duration::from_secs(40);
/// Runs of a plan, and of one that takes under a second; the shortest counts.
const RUNS: (u32, u32) = (3, 7);
/// Raised when figures of an earlier version may no longer be used.
const VERSION: u32 = 2;

/// Indexes to choose from: table, name, columns.
pub(crate) const CANDIDATES: [(&str, &str, &str); 15] = [
    ("lineitem", "l_ship", "l_shipdate"),
    (
        "lineitem",
        "l_ship_cover",
        "l_shipdate, l_discount, l_quantity, l_extendedprice",
    ),
    ("lineitem", "l_part_supp", "l_partkey, l_suppkey"),
    (
        "lineitem",
        "l_part_cover",
        "l_partkey, l_quantity, l_extendedprice",
    ),
    ("lineitem", "l_supp", "l_suppkey"),
    (
        "lineitem",
        "l_order_cover",
        "l_orderkey, l_suppkey, l_receiptdate, l_commitdate",
    ),
    ("lineitem", "l_receipt_mode", "l_receiptdate, l_shipmode"),
    ("orders", "o_cust", "o_custkey"),
    ("orders", "o_date", "o_orderdate"),
    ("orders", "o_date_cust", "o_orderdate, o_custkey"),
    ("customer", "c_nation", "c_nationkey"),
    ("customer", "c_segment", "c_mktsegment"),
    ("part", "p_brand_box", "p_brand, p_container"),
    ("part", "p_type", "p_type"),
    ("partsupp", "ps_supp", "ps_suppkey"),
];

/// A statement of the workload.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) name: String,
    pub(crate) sql: String,
}

/// The 22 queries.
pub(crate) fn queries() -> Vec<Query> {
    let text = include_str!("queries.sql");
    let mut queries = Vec::new();
    for part in text.split("-- name: ").skip(1) {
        let (name, sql) = part.split_once('\n').unwrap_or((part, ""));
        let sql = sql.trim().trim_end_matches(';').to_owned();
        queries.push(Query {
            name: name.trim().to_owned(),
            sql,
        });
    }
    queries
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
    /// Places in [`CANDIDATES`], ascending; bit `i` of a subset stands for `relevant[i]`.
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

    pub(crate) fn cost(&self, set: usize) -> f64 {
        self.subsets[self.project(set)].1
    }

    fn is_done(&self) -> bool {
        self.seconds.iter().all(Option::is_some)
    }
}

impl Reference {
    /// Reads what an earlier run left, for the same queries, candidates, scale and statistics.
    fn kept(scale: f64, with_histograms: bool) -> (PathBuf, Self) {
        let mut hasher = DefaultHasher::new();
        (VERSION, CANDIDATES, with_histograms, scale.to_bits()).hash(&mut hasher);
        include_str!("queries.sql").hash(&mut hasher);
        include_str!("data.rs").hash(&mut hasher);
        let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"),
            PathBuf::from,
        );
        let file = folder.join(format!("advise_tpch_{:016x}.json", hasher.finish()));
        let kept = std::fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        (file, kept.unwrap_or_default())
    }

    /// Measures what is not measured yet; `lab` is asked for a server only if it is needed.
    pub(crate) async fn complete(
        scale: f64,
        with_histograms: bool,
        deadline: Instant,
        lab: &mut Option<Lab>,
    ) -> Result<Self, Failure> {
        let (file, mut reference) = Self::kept(scale, with_histograms);
        let queries = queries();
        if reference.queries.len() == queries.len()
            && reference.queries.iter().all(Measured::is_done)
        {
            say(&format!("reference read from {}", file.display()));
            return Ok(reference);
        }
        let lab = match lab {
            Some(lab) => lab,
            None => lab.insert(Lab::start(scale, with_histograms).await?),
        };
        reference.bytes = create_candidates(lab).await?;
        for query in &queries {
            let known = reference
                .queries
                .iter()
                .position(|known| known.name == query.name);
            let mut measured = match known {
                Some(place) => reference.queries.remove(place),
                None => explain_all(lab, query).await?,
            };
            let outcome = run_all(lab, query, &mut measured, deadline).await;
            let line = describe(&measured);
            reference.queries.push(measured);
            reference
                .queries
                .sort_by_key(|known| queries.iter().position(|query| query.name == known.name));
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&file, serde_json::to_vec(&reference)?)?;
            outcome?;
            say(&line);
        }
        Ok(reference)
    }
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
pub(crate) async fn create_candidates(lab: &mut Lab) -> Result<Vec<u64>, Failure> {
    let started = Instant::now();
    for (table, name, columns) in CANDIDATES {
        lab.run(&format!(
            "ALTER TABLE {table} ADD INDEX {name} ({columns}) INVISIBLE"
        ))
        .await?;
    }
    for table in ["lineitem", "orders", "customer", "part", "partsupp"] {
        lab.run(&format!("ANALYZE TABLE {table}")).await?;
    }
    let mut sizes = Vec::new();
    for (table, name, _) in CANDIDATES {
        let bytes = lab
            .number(&format!(
                "SELECT CAST(stat_value * @@innodb_page_size AS SIGNED) \
                 FROM mysql.innodb_index_stats WHERE database_name = '{SCHEMA}' \
                 AND table_name = '{table}' AND index_name = '{name}' AND stat_name = 'size'"
            ))
            .await?;
        sizes.push(bytes.unsigned_abs());
    }
    say(&format!(
        "candidates created in {:.1} s",
        started.elapsed().as_secs_f64()
    ));
    Ok(sizes)
}

/// Candidates that begin with a column of the query, or that hold all its columns of their table.
fn relevant(query: &Query) -> Vec<usize> {
    let words: std::collections::BTreeSet<&str> = query
        .sql
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .collect();
    let mut relevant = Vec::new();
    for (place, (table, _, columns)) in CANDIDATES.iter().enumerate() {
        let columns: Vec<&str> = columns.split(", ").collect();
        let prefix = columns[0].split_once('_').map_or("", |(prefix, _)| prefix);
        let is_covering = words.contains(table)
            && words
                .iter()
                .filter(|word| {
                    word.split_once('_')
                        .is_some_and(|(first, _)| first == prefix)
                })
                .all(|word| columns.contains(word) || is_of_primary_key(word));
        if words.contains(columns[0]) || is_covering {
            relevant.push(place);
        }
    }
    relevant
}

fn is_of_primary_key(column: &str) -> bool {
    [
        "l_orderkey",
        "l_linenumber",
        "o_orderkey",
        "c_custkey",
        "p_partkey",
        "ps_partkey",
        "ps_suppkey",
    ]
    .contains(&column)
}

/// Makes the candidates in `to` visible and others invisible; `from` is what is visible now.
async fn show(lab: &mut Lab, from: usize, to: usize) -> Result<(), Failure> {
    for (place, (table, name, _)) in CANDIDATES.iter().enumerate() {
        if ((from ^ to) >> place) & 1 == 1 {
            let word = if (to >> place) & 1 == 1 {
                "VISIBLE"
            } else {
                "INVISIBLE"
            };
            lab.run(&format!("ALTER TABLE {table} ALTER INDEX {name} {word}"))
                .await?;
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

async fn explain_all(lab: &mut Lab, query: &Query) -> Result<Measured, Failure> {
    let relevant = relevant(query);
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
async fn explain(lab: &mut Lab, sql: &str) -> Result<(String, f64), Failure> {
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

/// Runs each plan that was not run yet.
async fn run_all(
    lab: &mut Lab,
    query: &Query,
    measured: &mut Measured,
    deadline: Instant,
) -> Result<(), Failure> {
    for plan in 0..measured.seconds.len() {
        if measured.seconds[plan].is_some() {
            continue;
        }
        if Instant::now() > deadline {
            return Err("out of time; what was measured is kept, run again to go on".into());
        }
        let set = spread(&measured.relevant, measured.first[plan]);
        show(lab, 0, set).await?;
        measured.seconds[plan] = Some(shortest(lab, &query.sql).await?);
        show(lab, set, 0).await?;
    }
    Ok(())
}

/// Seconds of the shortest of several runs; a long one is not repeated.
pub(crate) async fn shortest(lab: &mut Lab, sql: &str) -> Result<f64, Failure> {
    lab.run(&format!(
        "SET SESSION max_execution_time = {}",
        CAP.as_millis()
    ))
    .await?;
    let mut least = f64::INFINITY;
    for number in 1..=RUNS.1 {
        let seconds = run(lab, sql).await?;
        least = least.min(seconds);
        let is_slow = seconds > CAP.as_secs_f64() / 4.0;
        if is_slow || (number >= RUNS.0 && least > 1.0) {
            break;
        }
    }
    Ok(least)
}

/// Seconds of one run, at most the cap.
async fn run(lab: &mut Lab, sql: &str) -> Result<f64, Failure> {
    let started = Instant::now();
    let result = lab
        .connection
        .fetch_all(AssertSqlSafe(sql.to_owned()))
        .await;
    let took = started.elapsed().as_secs_f64();
    match result {
        Ok(_) => Ok(took),
        // 3024: the time limit was reached.
        Err(sqlx::Error::Database(error)) if error.message().contains("maximum statement") => {
            Ok(CAP.as_secs_f64())
        }
        Err(error) => Err(error.into()),
    }
}
