//! TPC-H as it is measured exhaustively: the candidates, the queries, and where the figures are kept.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::time::Instant;

use super::data::Lab;
use super::exhaustive::{self, Candidate};
pub(crate) use super::exhaustive::{CAP, Measured, Query, Reference, shortest};
use super::{Failure, say};

/// Raised when figures of an earlier version may no longer be used.
const VERSION: u32 = 3;

/// Indexes to choose from: table, name, columns.
pub(crate) const CANDIDATES: [Candidate; 15] = [
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

/// Where the figures of the same queries, candidates, scale and statistics are.
fn file(scale: f64, with_histograms: bool) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (VERSION, CANDIDATES, with_histograms, scale.to_bits()).hash(&mut hasher);
    include_str!("queries.sql").hash(&mut hasher);
    include_str!("data.rs").hash(&mut hasher);
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    folder.join(format!("advise_tpch_{:016x}.json", hasher.finish()))
}

/// Reads what an earlier run measured, and measures what is missing; `lab` is asked for a server
/// only if it is needed.
pub(crate) async fn complete(
    scale: f64,
    with_histograms: bool,
    deadline: Instant,
    lab: &mut Option<Lab>,
) -> Result<Reference, Failure> {
    let file = file(scale, with_histograms);
    let mut reference = Reference::kept(&file);
    let queries = queries();
    if reference.is_complete(&queries) {
        say(&format!("reference read from {}", file.display()));
        return Ok(reference);
    }
    let lab = match lab {
        Some(lab) => lab,
        None => lab.insert(Lab::start(scale, with_histograms).await?),
    };
    let mut there = exhaustive::Lab {
        connection: &mut lab.connection,
        candidates: &CANDIDATES,
    };
    reference
        .complete(&mut there, &queries, relevant, &file, deadline)
        .await?;
    Ok(reference)
}

/// Creates all candidates, invisible.
pub(crate) async fn create_candidates(lab: &mut Lab) -> Result<(), Failure> {
    let mut there = exhaustive::Lab {
        connection: &mut lab.connection,
        candidates: &CANDIDATES,
    };
    exhaustive::create_candidates(&mut there).await?;
    Ok(())
}

/// Candidates that begin with a column of the query, or that hold all its columns of their table.
fn relevant(query: &Query) -> Vec<usize> {
    let words: BTreeSet<&str> = query
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
