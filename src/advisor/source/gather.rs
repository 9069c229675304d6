//! From statements as they were found to a workload: one query for each normalized text and
//! schema, prepared and plain forms together, every sample explainable and without parameters.

use std::collections::HashMap;
use std::time::Duration;

use super::Found;
use crate::advisor::sql;
use crate::advisor::workload::{Query, Sample, Workload};
use crate::model::advice::Skipped;
use crate::server::parameters::{self, Rows};
use crate::server::{Connection, Error};
use crate::sql::explainable::{explainable, is_preparing, without_prepared};
use crate::sql::inserted::without_values;

/// Samples that are kept of one query.
pub const SAMPLES: usize = 3;

/// What mydex writes into its own statements, so that it knows them again.
pub(super) const OWN: &str = "/* mydex:";

/// Schemas in which the server tells about itself.
const SERVER: [&str; 4] = ["performance_schema", "information_schema", "sys", "mysql"];

/// How the statements are taken.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// Schema of statements that name none.
    pub schema: Option<String>,
    /// No row of the server may be read, not even for the constants of a prepared statement.
    pub is_dataless: bool,
}

/// Kinds of statements, and the time that they took.
#[derive(Debug, Default)]
struct Count {
    kinds: u64,
    time: Duration,
}

impl Count {
    fn add(&mut self, found: &Found) {
        self.kinds += 1;
        self.time += found.time.unwrap_or_default();
    }

    /// `what` with a leading number and the time.
    fn note(&self, what: &str) -> Option<String> {
        (self.kinds > 0).then(|| {
            format!(
                "{} {what}, {} in all",
                match self.kinds {
                    1 => "1 kind of statement".to_owned(),
                    kinds => format!("{kinds} kinds of statements"),
                },
                crate::model::units::duration(self.time)
            )
        })
    }
}

/// Makes `found` a part of `workload`. Statements that have no plan (`SET`, `COMMIT`, DDL), and
/// those about the server itself, are counted and not told one by one.
pub async fn gather(
    connection: &mut Connection,
    found: Vec<Found>,
    rules: &Rules,
    workload: &mut Workload,
) -> Result<(), Error> {
    let (mut others, mut about_server) = (Count::default(), Count::default());
    let mut places: HashMap<(Option<String>, String), usize> = HashMap::new();
    for mut found in found {
        if is_preparing(&found.fingerprint) {
            continue;
        }
        let text = without_prepared(&found.fingerprint).to_owned();
        if is_about_the_server(&found, &text) {
            about_server.add(&found);
            continue;
        }
        if !has_plan(&text) {
            let word = first_word(&text);
            if is_planless(&word) {
                others.add(&found);
            } else {
                workload.skipped.push(Skipped {
                    reason: unknown(&word),
                    text: found.fingerprint,
                    time: found.time,
                });
            }
            continue;
        }
        found.fingerprint = text;
        if found.schema.is_none() {
            found.schema.clone_from(&rules.schema);
        }
        let samples = match samples(connection, &found, rules).await? {
            Ok(samples) => samples,
            Err(reason) => {
                workload.skipped.push(Skipped {
                    text: found.fingerprint,
                    time: found.time,
                    reason,
                });
                continue;
            }
        };
        let key = (found.schema.clone(), found.fingerprint.clone());
        if let Some(&place) = places.get(&key) {
            merge(&mut workload.queries[place], &found, samples);
        } else {
            places.insert(key, workload.queries.len());
            workload.queries.push(query(found, samples));
        }
    }
    workload
        .notes
        .extend(others.note("without a plan (SET, COMMIT, DDL and the like)"));
    workload.notes.extend(about_server.note(
        "about the server itself (information_schema, performance_schema, SHOW, mydex's own)",
    ));
    Ok(())
}

/// The samples that can be used, or why there is none.
async fn samples(
    connection: &mut Connection,
    found: &Found,
    rules: &Rules,
) -> Result<Result<Vec<Sample>, String>, Error> {
    let mut taken: Vec<Sample> = Vec::new();
    let mut reason = "the server kept no statement of it with its constants".to_owned();
    let (mut texts, mut is_made_up) = (found.samples.as_slice(), false);
    let whole: Vec<String>;
    if let Some(cut) = found.cut {
        let Some(text) = without_values(&found.fingerprint) else {
            return Ok(Err(cut.to_owned()));
        };
        whole = vec![text];
        (texts, is_made_up) = (&whole, true);
    }
    for text in texts {
        let statement = match explainable(text) {
            Ok(statement) => statement,
            Err(refused) => {
                reason = refused;
                continue;
            }
        };
        if !statement.has_parameters {
            push(&mut taken, statement.sql, is_made_up);
        } else if taken.iter().all(|sample| sample.is_made_up) {
            let rows: &[Rows] = if rules.is_dataless {
                &[Rows::Unread]
            } else {
                &Rows::SPREAD
            };
            let schema = found.schema.as_deref();
            for sql in parameters::fill(connection, schema, &statement.sql, rows).await? {
                push(&mut taken, sql, true);
            }
        }
        if taken.len() >= SAMPLES {
            break;
        }
    }
    // Real constants are better than any that were made up.
    if taken.iter().any(|sample| !sample.is_made_up) {
        taken.retain(|sample| !sample.is_made_up);
    }
    taken.truncate(SAMPLES);
    Ok(if taken.is_empty() {
        Err(reason)
    } else {
        Ok(taken)
    })
}

fn push(taken: &mut Vec<Sample>, sql: String, is_made_up: bool) {
    if !taken.iter().any(|sample| sample.sql == sql) {
        taken.push(Sample { sql, is_made_up });
    }
}

/// Whether the statement asks the server about itself, or is mydex's own. `text` is its normalized
/// text.
fn is_about_the_server(found: &Found, text: &str) -> bool {
    if found.samples.iter().any(|sample| sample.contains(OWN)) {
        return true;
    }
    if !has_plan(text) {
        return matches!(
            first_word(text).as_str(),
            "SHOW" | "DESC" | "DESCRIBE" | "EXPLAIN"
        );
    }
    let of = |text: &str| sql::tables(text, found.schema.as_deref());
    let mut tables = found
        .samples
        .first()
        .map_or_else(Vec::new, |sample| of(sample));
    if tables.is_empty() {
        tables = of(text);
    }
    if tables.is_empty() {
        // `SELECT @@version`, `SELECT DATABASE()`: what drivers ask when they connect.
        return is_about_the_session(text);
    }
    tables.iter().any(|table| {
        let mut schemas = SERVER.iter();
        schemas.any(|schema| table.schema.eq_ignore_ascii_case(schema))
    })
}

/// Whether a statement without tables reads variables or what the server tells of the session.
fn is_about_the_session(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("@@")
        || [
            "version",
            "database",
            "schema",
            "user",
            "current_user",
            "connection_id",
        ]
        .iter()
        .any(|name| {
            // Function names are quoted where the server does not know them as words.
            [format!("{name} ("), format!("`{name}` (")]
                .iter()
                .any(|call| text.contains(&format!("select {call}")))
        })
}

fn first_word(text: &str) -> String {
    let text = text.trim_start_matches(['(', ' ']);
    text.chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_uppercase()
}

/// Whether statements of this normalized text have a plan.
fn has_plan(text: &str) -> bool {
    matches!(
        first_word(text).as_str(),
        "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "WITH" | "TABLE"
    )
}

/// Whether statements that begin with this word are SQL that has no plan.
fn is_planless(word: &str) -> bool {
    const WORDS: &str = "ALTER ANALYZE BEGIN BINLOG CACHE CALL CHANGE CHECK CHECKSUM CLONE COMMIT CREATE \
        DEALLOCATE DESC DESCRIBE DO DROP EXECUTE EXPLAIN FLUSH GET GRANT HANDLER HELP IMPORT \
        INSTALL KILL LOAD LOCK OPTIMIZE PREPARE PURGE RELEASE RENAME REPAIR RESET RESIGNAL \
        RESTART REVOKE ROLLBACK SAVEPOINT SET SHOW SHUTDOWN SIGNAL START STOP TRUNCATE \
        UNINSTALL UNLOCK USE VALUES XA";
    WORDS.split(' ').any(|known| known == word)
}

/// Why a statement with this first word is not judged.
fn unknown(word: &str) -> String {
    if word.is_empty() {
        "it begins with no word that MySQL knows a statement by".to_owned()
    } else {
        format!("no statement of MySQL begins with `{word}`")
    }
}

fn query(found: Found, samples: Vec<Sample>) -> Query {
    Query {
        name: found.name,
        fingerprint: found.fingerprint,
        schema: found.schema,
        samples,
        calls: found.calls,
        time: found.time,
        rows_examined: found.rows_examined,
        rows_sent: found.rows_sent,
        rows_affected: found.rows_affected,
        tolerance: found.tolerance,
    }
}

/// Adds a second form of the same query, such as the prepared one.
fn merge(query: &mut Query, found: &Found, samples: Vec<Sample>) {
    query.calls += found.calls;
    query.time = match (query.time, found.time) {
        (Some(one), Some(other)) => Some(one + other),
        _ => None,
    };
    query.rows_examined = sum(query.rows_examined, found.rows_examined);
    query.rows_sent = sum(query.rows_sent, found.rows_sent);
    query.rows_affected = sum(query.rows_affected, found.rows_affected);
    query.tolerance = query.tolerance.or(found.tolerance);
    let has_real = |samples: &[Sample]| samples.iter().any(|sample| !sample.is_made_up);
    if has_real(&samples) && !has_real(&query.samples) {
        query.samples = samples;
        return;
    }
    if has_real(&samples) == has_real(&query.samples) {
        for sample in samples {
            if query.samples.len() < SAMPLES {
                push(&mut query.samples, sample.sql, sample.is_made_up);
            }
        }
    }
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one?.saturating_add(other?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_about(sql: &str, schema: Option<&str>) -> bool {
        let fingerprint = crate::sql::fingerprint::fingerprint(sql);
        let found = Found {
            fingerprint: fingerprint.clone(),
            schema: schema.map(str::to_owned),
            samples: vec![sql.to_owned()],
            ..Found::default()
        };
        let without_sample = Found {
            samples: Vec::new(),
            ..found.clone()
        };
        let is_about = is_about_the_server(&found, &fingerprint);
        if !sql.contains(OWN) {
            assert_eq!(
                is_about,
                is_about_the_server(&without_sample, &fingerprint),
                "{sql}"
            );
        }
        is_about
    }

    #[test]
    fn what_is_no_statement_is_no_statement_without_a_plan() {
        for (word, expected) in [("SET", true), ("XA", true), ("THIS", false), ("", false)] {
            assert_eq!(is_planless(word), expected, "{word}");
        }
        assert_eq!(unknown("THIS"), "no statement of MySQL begins with `THIS`");
    }

    #[test]
    fn statements_about_the_server_are_known() {
        for (sql, schema, expected) in [
            ("SELECT * FROM performance_schema.threads", None, true),
            (
                "SELECT 1 FROM `information_schema`.`TABLES` WHERE TABLE_NAME IN (1, 2)",
                None,
                true,
            ),
            ("SELECT * FROM threads", Some("performance_schema"), true),
            (
                "SELECT t.a FROM shop.t JOIN INFORMATION_SCHEMA.COLUMNS c ON c.x = t.a",
                None,
                true,
            ),
            ("SHOW GLOBAL STATUS LIKE 'x'", Some("shop"), true),
            ("DESCRIBE t", Some("shop"), true),
            ("SELECT @@version_comment LIMIT 1", None, true),
            ("SELECT VERSION()", None, true),
            ("SELECT DATABASE()", Some("shop"), true),
            ("SELECT /* mydex:digests */ a FROM t", Some("shop"), true),
            ("SELECT mysql FROM t", Some("shop"), false),
            ("SELECT * FROM shop.sys", None, false),
            (
                "SELECT a FROM t WHERE b = DATABASE() AND c = @@port",
                Some("shop"),
                false,
            ),
            ("SELECT 1", Some("shop"), false),
            ("SET NAMES utf8mb4", Some("shop"), false),
        ] {
            assert_eq!(is_about(sql, schema), expected, "{sql}");
        }
    }
}
