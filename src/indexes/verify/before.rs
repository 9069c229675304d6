//! What the server had counted of some queries at one moment, as it is kept in the ledger.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::digest::DigestCounters;
use crate::server::statements::{Class, Statement};

/// Raised when a newer form can't be read by an older program.
const FORM: u32 = 1;

/// The counts of one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    form: u32,
    /// When, by the server's clock.
    pub taken: Timestamp,
    /// `@@server_uuid`: counts of different servers can't be compared.
    pub server_uuid: String,
    /// When the server started.
    pub started: Timestamp,
    /// Rows read through the index since the server counts; `None` where the index is not there,
    /// or nothing is counted.
    pub index_reads: Option<u64>,
    /// The queries.
    pub queries: Vec<Query>,
}

/// One query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Short name.
    pub name: String,
    /// Normalized text.
    pub fingerprint: String,
    /// Default schema.
    pub schema: Option<String>,
    /// The definition names it.
    pub is_evidence: bool,
    /// Its rows in the digest table: its plain and its prepared form.
    pub rows: Vec<Row>,
}

/// One row of the digest table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// SHA-256 in hexadecimal.
    pub digest: String,
    /// When the row was made.
    pub first_seen: Timestamp,
    /// Since then.
    #[serde(flatten)]
    pub sums: Sums,
}

/// Sums over executions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    /// Executions.
    pub calls: u64,
    /// Time, picoseconds.
    pub time_ps: u64,
    /// Rows examined.
    pub rows_examined: u64,
    /// Rows sent.
    pub rows_sent: u64,
    /// Executions without an index.
    pub no_index: u64,
    /// Rows sorted.
    pub sort_rows: u64,
    /// Temporary tables.
    pub tmp_tables: u64,
    /// Of them on disk.
    pub tmp_disk_tables: u64,
}

impl Sums {
    fn of(counters: &DigestCounters) -> Self {
        Self {
            calls: counters.calls,
            time_ps: counters.time_ps,
            rows_examined: counters.rows_examined,
            rows_sent: counters.rows_sent,
            no_index: counters.no_index,
            sort_rows: counters.sort_rows,
            tmp_tables: counters.tmp_tables,
            tmp_disk_tables: counters.tmp_disk_tables,
        }
    }

    /// Field by field sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.with(other, |one, other| Some(one.saturating_add(other)))
            .unwrap_or_default()
    }

    /// What was added since `earlier`, or `None` when any count fell.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        self.with(earlier, u64::checked_sub)
    }

    fn with(&self, other: &Self, by: fn(u64, u64) -> Option<u64>) -> Option<Self> {
        Some(Self {
            calls: by(self.calls, other.calls)?,
            time_ps: by(self.time_ps, other.time_ps)?,
            rows_examined: by(self.rows_examined, other.rows_examined)?,
            rows_sent: by(self.rows_sent, other.rows_sent)?,
            no_index: by(self.no_index, other.no_index)?,
            sort_rows: by(self.sort_rows, other.sort_rows)?,
            tmp_tables: by(self.tmp_tables, other.tmp_tables)?,
            tmp_disk_tables: by(self.tmp_disk_tables, other.tmp_disk_tables)?,
        })
    }
}

impl Query {
    /// A query as the server has it.
    #[must_use]
    pub fn of(name: &str, is_evidence: bool, statement: &Statement) -> Self {
        let Class {
            fingerprint,
            schema,
        } = statement.class.clone();
        Self {
            name: name.to_owned(),
            fingerprint,
            schema,
            is_evidence,
            rows: statement
                .counted
                .iter()
                .map(|row| Row {
                    digest: row.digest.clone(),
                    first_seen: row.first_seen,
                    sums: Sums::of(&row.counters),
                })
                .collect(),
        }
    }

    /// Both forms together, since each was first seen.
    #[must_use]
    pub fn total(&self) -> Sums {
        self.rows
            .iter()
            .fold(Sums::default(), |sum, row| sum.plus(&row.sums))
    }
}

impl Counts {
    /// Counts of one moment.
    #[must_use]
    pub fn new(
        taken: Timestamp,
        server_uuid: String,
        started: Timestamp,
        index_reads: Option<u64>,
        queries: Vec<Query>,
    ) -> Self {
        Self {
            form: FORM,
            taken,
            server_uuid,
            started,
            index_reads,
            queries,
        }
    }

    /// One line of JSON, for the ledger's column `before`.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Every value in it has a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Counts::to_json`] wrote.
    ///
    /// # Errors
    /// When it is something else, in one sentence.
    pub fn parse(json: &str) -> Result<Self, String> {
        let counts: Self = serde_json::from_str(json)
            .map_err(|error| format!("these are no counts of mydex: {error}"))?;
        if counts.form > FORM {
            return Err(format!(
                "these counts have form {}, and this mydex knows forms up to {FORM}: use a newer one",
                counts.form
            ));
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_they_were_written() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let counts = Counts::new(
            at,
            "uuid".to_owned(),
            at,
            Some(7),
            vec![Query {
                name: "q".to_owned(),
                fingerprint: "SELECT '\u{1b}\"' ?".to_owned(),
                schema: None,
                is_evidence: true,
                rows: vec![Row {
                    digest: "ab".to_owned(),
                    first_seen: at,
                    sums: Sums {
                        calls: 3,
                        time_ps: u64::MAX,
                        ..Sums::default()
                    },
                }],
            }],
        );
        assert_eq!(Counts::parse(&counts.to_json()), Ok(counts.clone()));
        let newer = counts.to_json().replacen("\"form\":1", "\"form\":2", 1);
        assert!(Counts::parse(&newer).unwrap_err().contains("newer"));
        assert!(Counts::parse("{}").is_err());
    }
}
