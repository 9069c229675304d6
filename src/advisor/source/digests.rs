//! The digests of a live server: what it counted, and the statements that it kept.

use std::time::Duration;

use super::Found;
use super::gather::SAMPLES;
use crate::model::digest::DigestKey;
use crate::model::units::from_picoseconds;
use crate::server::capability::{Capabilities, Source};
use crate::server::cells::Cells as _;
use crate::server::guard::Values;
use crate::server::quote::hex_literal;
use crate::server::statements::{self, Statement};
use crate::server::{Connection, Error};
use crate::sql::explainable::is_cut;

/// Why a sample of the server can't be used.
const CUT: &str = "the server cut its text; raise performance_schema_max_sql_text_length in the \
                   server's option file, or take the statements from a slow query log";

/// Which digests are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// So many of those that took the most time.
    pub limit: u32,
    /// Only these default schemas; all but the server's own when empty.
    pub schemas: Vec<String>,
    /// Only this one.
    pub only: Option<DigestKey>,
}

/// The digests, the most time first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Read {
    /// What was found.
    pub found: Vec<Found>,
    /// The time since the oldest of them was first seen.
    pub window: Option<Duration>,
    /// What can't be seen, one sentence each.
    pub notes: Vec<String>,
}

/// Reads the digests since the table was last emptied.
pub async fn read(
    connection: &mut Connection,
    capabilities: &Capabilities,
    wanted: &Wanted,
) -> Result<Read, Error> {
    let sql = statement(capabilities, wanted);
    let rows = connection.rows("the digests of the workload", &sql).await?;
    let mut read = Read::default();
    let limit = capabilities.number("performance_schema_max_sql_text_length");
    let mut keys = Vec::new();
    for row in &rows {
        let Some(found) = found(row, limit) else {
            continue;
        };
        let seconds = row.u64(7).unwrap_or(0);
        let window = Duration::from_secs(seconds.max(1));
        read.window = Some(read.window.map_or(window, |longest| longest.max(window)));
        keys.push(row.text(1).unwrap_or_default());
        read.found.push(found);
    }
    if wanted.only.is_none() && rows.len() >= usize::try_from(wanted.limit).unwrap_or(usize::MAX) {
        read.notes.push(format!(
            "only the {} digests with the most time were read; `--limit` takes more",
            wanted.limit
        ));
    }
    if let Some(lost) = capabilities.digests_lost.filter(|lost| *lost > 0) {
        read.notes.push(format!(
            "the server had no room for {lost} statements in its digest table; raise performance_schema_digests_size"
        ));
    }
    more_samples(connection, capabilities, &keys, &mut read).await?;
    Ok(read)
}

fn statement(capabilities: &Capabilities, wanted: &Wanted) -> String {
    let has_sample = capabilities.has_column(Source::Digests, "QUERY_SAMPLE_TEXT");
    let sample = if has_sample {
        "QUERY_SAMPLE_TEXT"
    } else {
        "NULL"
    };
    let condition = match &wanted.only {
        Some(key) => {
            let schema = key.schema.as_deref().map_or_else(
                || "IS NULL".to_owned(),
                |name| format!("= {}", hex_literal(name)),
            );
            let digest = hex_literal(key.digest.as_deref().unwrap_or_default());
            format!("SCHEMA_NAME {schema} AND DIGEST = {digest}")
        }
        None if wanted.schemas.is_empty() => {
            "DIGEST IS NOT NULL AND COALESCE(SCHEMA_NAME, '') NOT IN \
             ('mysql', 'sys', 'information_schema', 'performance_schema', 'mydex_ledger')"
                .to_owned()
        }
        None => {
            let names: Vec<_> = wanted
                .schemas
                .iter()
                .map(|name| hex_literal(name))
                .collect();
            format!(
                "DIGEST IS NOT NULL AND SCHEMA_NAME IN ({})",
                names.join(", ")
            )
        }
    };
    format!(
        "SELECT /* mydex:workload */ SCHEMA_NAME, DIGEST, DIGEST_TEXT, COUNT_STAR, SUM_TIMER_WAIT, \
         SUM_ROWS_EXAMINED, SUM_ROWS_SENT, TIMESTAMPDIFF(SECOND, FIRST_SEEN, NOW()), {sample}, \
         SUM_ROWS_AFFECTED \
         FROM {} WHERE {condition} ORDER BY SUM_TIMER_WAIT DESC LIMIT {}",
        Source::Digests.table(),
        wanted.limit
    )
}

/// One row; `None` for one without a text.
fn found(row: &Values, limit: Option<u64>) -> Option<Found> {
    let sample = row.text(8).filter(|text| !text.is_empty());
    let text = row.text(2)?;
    let digest = row.text(1)?;
    Some(Found {
        name: digest.get(..12).unwrap_or(&digest).to_owned(),
        fingerprint: text,
        schema: row.text(0),
        cut: sample
            .as_deref()
            .filter(|sample| is_cut(sample, limit))
            .map(|_| CUT),
        samples: sample.into_iter().collect(),
        calls: row.u64(3).unwrap_or(0) as f64,
        time: Some(from_picoseconds(row.u64(4).unwrap_or(0))),
        rows_examined: row.u64(5),
        rows_sent: row.u64(6),
        rows_affected: row.u64(9),
        tolerance: None,
    })
}

/// Statements that the sessions ran lately: other constants for the same digests.
async fn more_samples(
    connection: &mut Connection,
    capabilities: &Capabilities,
    keys: &[String],
    read: &mut Read,
) -> Result<(), Error> {
    let mut recent: Vec<Statement> = read
        .found
        .iter()
        .zip(keys)
        .map(|(found, key)| Statement::of_digest(key, found.schema.clone(), &found.fingerprint))
        .collect();
    statements::recent(connection, capabilities, &mut recent).await?;
    for (found, recent) in read.found.iter_mut().zip(recent) {
        let mut texts = recent.texts;
        texts.sort_unstable();
        if found.cut.is_some() && !texts.is_empty() {
            found.samples.clear();
            found.cut = None;
        }
        // Spread over what there is, so that not all constants are alike.
        let step = (texts.len() / SAMPLES).max(1);
        for text in texts.into_iter().step_by(step).take(SAMPLES) {
            if !found.samples.contains(&text) {
                found.samples.push(text);
            }
        }
    }
    Ok(())
}
