//! What is counted of a probe, and what a change of each count means.

use std::collections::BTreeSet;

use super::recorded::{Count, Probe};

/// Counters of the session (`SHOW SESSION STATUS`), in lower case. What other sessions or the
/// contents of the buffer pool decide is not among them.
pub const STATUS: &[&str] = &[
    "created_tmp_disk_tables",
    "created_tmp_tables",
    "handler_commit",
    "handler_delete",
    "handler_external_lock",
    "handler_mrr_init",
    "handler_prepare",
    "handler_read_first",
    "handler_read_key",
    "handler_read_last",
    "handler_read_next",
    "handler_read_prev",
    "handler_read_rnd",
    "handler_read_rnd_next",
    "handler_rollback",
    "handler_savepoint",
    "handler_savepoint_rollback",
    "handler_update",
    "handler_write",
    "select_full_join",
    "select_full_range_join",
    "select_range",
    "select_range_check",
    "select_scan",
    "sort_merge_passes",
    "sort_range",
    "sort_rows",
    "sort_scan",
];

/// Counters of the session's statements, with their columns in
/// `events_statements_summary_by_thread_by_event_name`.
pub const SUMMED: &[(&str, &str)] = &[
    ("no_good_index_used", "SUM_NO_GOOD_INDEX_USED"),
    ("no_index_used", "SUM_NO_INDEX_USED"),
    ("rows_affected", "SUM_ROWS_AFFECTED"),
    ("rows_examined", "SUM_ROWS_EXAMINED"),
    ("rows_sent", "SUM_ROWS_SENT"),
];

/// The length of all values that came back. The server's own `Bytes_sent` holds the names of
/// schema and columns as well, and would differ between two schemas with the same data.
pub const RESULT_BYTES: &str = "result_bytes";

/// The sum of `handler_read_*`: all rows and index entries that were read.
pub const READS: &str = "reads";

/// What a change of a count means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// More is a regression, less a gain.
    Cost,
    /// Any change is a regression: over the same data, the same operations have the same result.
    Result,
    /// Neither by itself: another plan reads in another way, and the sum of all ways counts.
    Way,
}

/// What a change of this count means.
#[must_use]
pub fn meaning(name: &str) -> Meaning {
    match name {
        "rows_sent" | "rows_affected" => Meaning::Result,
        "select_range"
        | "select_full_range_join"
        | "sort_range"
        | "sort_scan"
        | "handler_mrr_init" => Meaning::Way,
        _ if name.starts_with("handler_read_") => Meaning::Way,
        _ => Meaning::Cost,
    }
}

/// `handler_read_*` of a probe together.
#[must_use]
pub fn reads(probe: &Probe) -> Count {
    probe
        .counters
        .iter()
        .filter(|(name, _)| name.starts_with("handler_read_"))
        .fold(Count::default(), |sum, (_, count)| sum.plus(*count))
}

/// A count of a probe, also one that is made of others.
#[must_use]
pub fn count(probe: &Probe, name: &str) -> Count {
    if name == READS {
        reads(probe)
    } else {
        probe.counter(name)
    }
}

/// The counts that two recordings can be compared by: those that both could tell.
#[must_use]
pub fn common(then: &[String], now: &[String]) -> Vec<String> {
    let now: BTreeSet<&String> = now.iter().collect();
    let mut names: Vec<String> = then
        .iter()
        .filter(|name| now.contains(name))
        .cloned()
        .collect();
    if names.iter().any(|name| name.starts_with("handler_read_")) {
        names.push(READS.to_owned());
    }
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_the_sum_of_all_ways() {
        let mut probe = Probe::default();
        for (name, value) in [
            ("handler_read_key", 3),
            ("handler_read_next", 40),
            ("handler_write", 500),
        ] {
            probe.counters.insert(name.to_owned(), Count::steady(value));
        }
        assert_eq!(count(&probe, READS), Count::steady(43));
        assert_eq!(count(&probe, "handler_write"), Count::steady(500));
        assert_eq!(count(&probe, "sort_rows"), Count::steady(0));
    }

    #[test]
    fn what_changes_mean() {
        for (name, wanted) in [
            ("rows_sent", Meaning::Result),
            ("rows_examined", Meaning::Cost),
            (READS, Meaning::Cost),
            ("handler_read_rnd_next", Meaning::Way),
            ("handler_write", Meaning::Cost),
            ("select_scan", Meaning::Cost),
            ("select_range", Meaning::Way),
            (RESULT_BYTES, Meaning::Cost),
        ] {
            assert_eq!(meaning(name), wanted, "{name}");
        }
    }

    #[test]
    fn only_what_both_could_tell_is_compared() {
        let names = |list: &[&str]| {
            list.iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let then = names(&["rows_sent", "handler_read_key", "sort_rows"]);
        let now = names(&["handler_read_key", "sort_rows"]);
        assert_eq!(
            common(&then, &now),
            names(&["handler_read_key", READS, "sort_rows"])
        );
    }
}
