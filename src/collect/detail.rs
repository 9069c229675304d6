//! Everything about one digest, read when someone asks for it.

use std::time::Duration;

use tokio::time::Instant;

use super::digests::condition;
use super::rows::{self, AFTER_DIGEST, DIGEST_HEAD, Interner};
use crate::model::digest::{DigestDetail, DigestKey, Plan, Sample};
use crate::model::latency::BucketCounts;
use crate::model::units::from_picoseconds;
use crate::server::capability::{Capabilities, Source};
use crate::server::cells::Cells as _;
use crate::server::guard::Values;
use crate::server::parameters;
use crate::server::quote;
use crate::server::{Connection, Error};
use crate::sql::explainable::{self, Explainable};

/// An `EXPLAIN` that takes longer than this hangs behind a lock or runs something.
const EXPLAIN_LIMIT: Duration = Duration::from_secs(5);

/// Stands under a plan whose constants are not the statement's own.
const MADE_UP: &str = "\n\n(The server does not keep the parameters of a prepared statement; \
                       values of one row of each table stand in for them.)";

/// Why there is no detail.
#[derive(Debug, thiserror::Error)]
pub enum DetailError {
    /// The row of lost digests stands for many statements.
    #[error(
        "the row of lost digests stands for many statements; raise performance_schema_digests_size to tell them apart"
    )]
    LostRow,
    /// The row is gone.
    #[error(
        "the server no longer has this digest: the table was truncated, or the server restarted"
    )]
    Gone,
    /// A statement failed.
    #[error("{0}")]
    Server(#[from] Error),
}

/// A detail, and whether the connection was given up over its plan.
#[derive(Debug)]
pub struct Fetched {
    /// The detail.
    pub detail: DigestDetail,
    /// The plan did not come in time; the server may still be at it.
    pub is_stuck: bool,
}

/// Reads text, sample, latencies and plan of one digest.
pub async fn fetch(
    connection: &mut Connection,
    capabilities: &Capabilities,
    key: &DigestKey,
) -> Result<Fetched, DetailError> {
    let condition = condition(key).ok_or(DetailError::LostRow)?;
    let has = |column: &str| capabilities.has_column(Source::Digests, column);
    let or_null = |column: &'static str| if has(column) { column } else { "NULL" };
    let seen = if has("QUERY_SAMPLE_SEEN") {
        "UNIX_TIMESTAMP(QUERY_SAMPLE_SEEN)"
    } else {
        "NULL"
    };
    let sql = format!(
        "SELECT /* mydex:detail */ {DIGEST_HEAD}, {}, DIGEST_TEXT, {}, {seen}, {} \
         FROM {} WHERE {condition} LIMIT 1",
        rows::counter_columns(has),
        or_null("QUERY_SAMPLE_TEXT"),
        or_null("QUERY_SAMPLE_TIMER_WAIT"),
        Source::Digests.table(),
    );
    let row = connection
        .first("the digest", &sql)
        .await?
        .ok_or(DetailError::Gone)?;
    let digest = rows::digest(&row, &mut Interner::default()).ok_or(DetailError::Gone)?;
    let sample = sample(&row, capabilities);
    let latency = latency(connection, capabilities, &condition).await?;
    let (plan, is_stuck) = match plan_for(sample.as_ref(), capabilities) {
        Ok(statement) => explain(connection, key, &statement).await,
        Err(reason) => (Plan::Unavailable(reason), false),
    };
    Ok(Fetched {
        detail: DigestDetail {
            key: digest.key,
            text: row.text(AFTER_DIGEST),
            sample,
            latency,
            counters: digest.counters,
            first_seen: digest.first_seen,
            plan,
        },
        is_stuck,
    })
}

fn sample(row: &Values, capabilities: &Capabilities) -> Option<Sample> {
    let sql = row.text(AFTER_DIGEST + 1).filter(|sql| !sql.is_empty())?;
    Some(Sample {
        is_truncated: explainable::is_cut(
            &sql,
            capabilities.number("performance_schema_max_sql_text_length"),
        ),
        sql,
        seen: row.timestamp(AFTER_DIGEST + 2),
        time: from_picoseconds(row.u64(AFTER_DIGEST + 3).unwrap_or(0)),
    })
}

fn plan_for(sample: Option<&Sample>, capabilities: &Capabilities) -> Result<Explainable, String> {
    match sample {
        None => Err("the server kept no sample of this digest".to_owned()),
        Some(sample) if sample.is_truncated => Err(format!(
            "the sample was cut at {} bytes; raise performance_schema_max_sql_text_length in the server's option file",
            capabilities
                .number("performance_schema_max_sql_text_length")
                .unwrap_or(0)
        )),
        Some(sample) => explainable::explainable(&sample.sql),
    }
}

/// Executions of a digest by duration since it was first seen; empty where that can't be read.
pub(super) async fn latency(
    connection: &mut Connection,
    capabilities: &Capabilities,
    condition: &str,
) -> Result<BucketCounts, Error> {
    let mut latency = BucketCounts::default();
    if !capabilities.can_read(Source::HistogramByDigest) {
        return Ok(latency);
    }
    let sql = format!(
        "SELECT /* mydex:detail */ BUCKET_TIMER_HIGH, COUNT_BUCKET FROM {} WHERE {condition} LIMIT 1000",
        Source::HistogramByDigest.table()
    );
    connection
        .each("the digest's latencies", &sql, |row| {
            if let (Some(upper), Some(count)) = (row.u64(0), row.u64(1)) {
                latency.upper_ps.push(upper);
                latency.counts.push(count);
            }
        })
        .await?;
    Ok(latency)
}

/// Explains one checked statement in its schema. Whatever its evaluation may have done inside a
/// transaction is rolled back.
async fn explain(
    connection: &mut Connection,
    key: &DigestKey,
    statement: &Explainable,
) -> (Plan, bool) {
    let started = Instant::now();
    match explain_in(connection, key, statement).await {
        Ok(tree) => (Plan::Tree(tree), false),
        Err(error) => {
            let is_stuck = matches!(error, Error::Timeout { .. });
            (
                Plan::Unavailable(reason(&error, started.elapsed())),
                is_stuck,
            )
        }
    }
}

async fn explain_in(
    connection: &mut Connection,
    key: &DigestKey,
    statement: &Explainable,
) -> Result<String, Error> {
    if let Some(schema) = key.schema.as_deref() {
        connection
            .run(
                "the digest's schema",
                &format!("USE {}", quote::ident(schema)),
            )
            .await?;
    }
    let mut sql = statement.sql.clone();
    let mut note = "";
    if statement.has_parameters {
        let filled = parameters::fill(
            connection,
            key.schema.as_deref(),
            &sql,
            &[parameters::Rows::Behind(0)],
        )
        .await?;
        sql = filled.into_iter().next().unwrap_or(sql);
        note = MADE_UP;
    }
    // The session is read-only, and the server refuses even to plan a write in it.
    let access = if statement.writes {
        "READ WRITE"
    } else {
        "READ ONLY"
    };
    connection
        .run("a transaction", &format!("START TRANSACTION {access}"))
        .await?;
    let sql = format!("EXPLAIN FORMAT=TREE {sql}");
    let rows = connection
        .rows_of_single("the plan", &sql, EXPLAIN_LIMIT)
        .await;
    if !connection.is_broken() {
        connection
            .run("the end of a transaction", "ROLLBACK")
            .await?;
    }
    let tree: Vec<String> = rows?.iter().filter_map(|row| row.text(0)).collect();
    Ok(tree.join("\n").trim_end().to_owned() + note)
}

fn reason(error: &Error, waited: Duration) -> String {
    match error {
        Error::Denied { message } => format!(
            "not permitted to explain it ({message}); EXPLAIN needs the privileges of the statement itself: GRANT SELECT, SHOW VIEW on its schema for reads"
        ),
        Error::Timeout { .. } | Error::Ended { .. } => format!(
            "no plan within {}: another session probably waits for or holds a metadata lock on one of its tables",
            crate::model::units::duration(waited)
        ),
        other => format!("no plan: {other}"),
    }
}
