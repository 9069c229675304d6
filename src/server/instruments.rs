//! What `performance_schema` measures, how long its texts are, and whether its tables have room.

use super::capability::{Capabilities, DigestUse};
use super::findings::finding;
use crate::model::finding::{Finding, Severity};
use crate::model::units;

pub(super) fn consumers(facts: &Capabilities) -> Vec<Finding> {
    if facts.consumers.is_empty() {
        return Vec::new();
    }
    let enable = |name: &str| {
        format!(
            "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = '{name}' \
             (lasts until the next restart; performance-schema-consumer-{}=ON in the option file keeps it)",
            name.replace('_', "-")
        )
    };
    let mut found = Vec::new();
    for (name, severity, loss) in [
        (
            "global_instrumentation",
            Severity::Problem,
            "nothing is measured",
        ),
        (
            "thread_instrumentation",
            Severity::Problem,
            "no session's statements are measured",
        ),
        (
            "statements_digest",
            Severity::Problem,
            "there are no digests and no latencies",
        ),
        (
            "events_statements_current",
            Severity::Problem,
            "statements are not followed at all",
        ),
        (
            "events_statements_history",
            Severity::Warning,
            "mydex can't leave its own statements out of the latencies",
        ),
        (
            "events_statements_cpu",
            Severity::Note,
            "processor time of statements is not measured",
        ),
    ] {
        if facts.consumers.get(name) == Some(&false) {
            found.push(finding(
                severity,
                "consumer",
                format!("the consumer {name} is off: {loss}"),
                enable(name),
            ));
        }
    }
    if found.iter().all(|f| f.severity <= Severity::Note) {
        found.push(finding(
            Severity::Ok,
            "consumers",
            "the consumers that mydex needs are on",
            "",
        ));
    }
    found
}

pub(super) fn instruments(facts: &Capabilities) -> Option<Finding> {
    let (off, all) = facts.statement_instruments_off?;
    (off > 0).then(|| {
        finding(
            Severity::Warning,
            "instruments",
            format!("{off} of {all} statement instruments are off or not timed: those statements are not seen"),
            "UPDATE performance_schema.setup_instruments SET ENABLED = 'YES', TIMED = 'YES' \
             WHERE NAME LIKE 'statement/sql/%'",
        )
    })
}

pub(super) fn texts(facts: &Capabilities) -> Vec<Finding> {
    // Long enough for the statements that most applications send.
    const USUAL: u64 = 1_024;
    let mut found = Vec::new();
    for (name, what, loss, also) in [
        (
            "performance_schema_max_digest_length",
            "normalized texts of statements",
            "longer ones that begin alike are counted as one",
            ", max_digest_length=4096 as well,",
        ),
        (
            "performance_schema_max_sql_text_length",
            "statements kept as samples",
            "longer ones can't be explained",
            "",
        ),
    ] {
        let Some(length) = facts.number(name) else {
            continue;
        };
        let severity = if length < USUAL {
            Severity::Warning
        } else {
            Severity::Note
        };
        if length <= USUAL {
            found.push(finding(
                severity,
                "text-length",
                format!("{what} are cut at {}: {loss}", units::bytes(length)),
                format!("set {name}=4096{also} in the server's option file and restart it"),
            ));
        }
    }
    if let (Some(session), Some(kept)) = (
        facts.number("max_digest_length"),
        facts.number("performance_schema_max_digest_length"),
    ) && session < kept
    {
        found.push(finding(
            Severity::Note,
            "digest-length",
            format!("max_digest_length ({session}) is below performance_schema_max_digest_length ({kept}): the rest is never used"),
            format!("set max_digest_length={kept} in the server's option file and restart it"),
        ));
    }
    found
}

pub(super) fn capacity(facts: &Capabilities, digests: Option<&DigestUse>) -> Vec<Finding> {
    // A table that is fuller than this has little room for new statements.
    const NEARLY_FULL: f64 = 0.9;
    let size = facts.number("performance_schema_digests_size");
    let remedy = |size: u64| {
        format!(
            "raise performance_schema_digests_size (now {size}) in the server's option file and restart it; \
             TRUNCATE TABLE performance_schema.events_statements_summary_by_digest makes room at once, but resets \
             every other monitor"
        )
    };
    match (digests, size) {
        (Some(used), Some(size)) if used.time_ps.1 > 0 => {
            let share = used.time_ps.1 as f64 / used.time_ps.0.max(1) as f64;
            vec![finding(
                Severity::Warning,
                "digests-lost",
                format!(
                    "{} of the time and {} statements are in lost digests: the digest table is full at {} rows",
                    units::percent(share),
                    used.calls.1,
                    used.rows
                ),
                remedy(size),
            )]
        }
        (Some(used), Some(size)) if used.rows as f64 > size as f64 * NEARLY_FULL => vec![finding(
            Severity::Warning,
            "digests-nearly-full",
            format!(
                "the digest table is nearly full: {} of {size} rows",
                used.rows
            ),
            remedy(size),
        )],
        (Some(used), Some(size)) => vec![finding(
            Severity::Ok,
            "digests",
            format!("the digest table has {} of {size} rows in use", used.rows),
            "",
        )],
        (None, Some(size)) if facts.digests_lost.unwrap_or(0) > 0 => vec![finding(
            Severity::Warning,
            "digests-lost",
            format!(
                "{} statements since the start found the digest table full and are counted in one row",
                facts.digests_lost.unwrap_or(0)
            ),
            remedy(size),
        )],
        _ => Vec::new(),
    }
}
