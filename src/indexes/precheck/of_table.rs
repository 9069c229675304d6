//! What the table and the work on it have to say.

use super::{Facts, Limits, Work, Writers, say};
use crate::model::finding::{Finding, Severity};
use crate::model::schema::Table;
use crate::model::units;

/// Secondary indexes of an InnoDB table at most.
const MAX_INDEXES: usize = 64;

pub(super) fn about_the_table(found: &mut Vec<Finding>, facts: &Facts, table: &Table, work: &Work) {
    if !table.engine.eq_ignore_ascii_case("InnoDB") {
        say(
            found,
            Severity::Problem,
            "engine",
            format!(
                "`{}` is a table of {}, which builds no index while others write",
                table.name, table.engine
            ),
            "convert it to InnoDB first",
        );
    }
    let secondary = table
        .indexes
        .iter()
        .filter(|index| !index.is_primary())
        .count();
    if work.builds && secondary >= MAX_INDEXES {
        say(
            found,
            Severity::Problem,
            "too-many-indexes",
            format!(
                "`{}` has {secondary} indexes, the most that InnoDB allows",
                table.name
            ),
            "drop one first; `mydex advise` names those that nobody uses",
        );
    }
    if let [first, ..] = work.missing_columns.as_slice() {
        say(
            found,
            Severity::Problem,
            "no-column",
            format!(
                "`{}` has no column `{}`",
                table.name,
                work.missing_columns.join("`, `")
            ),
            format!("correct `columns`, or add `{first}` to the table first"),
        );
    }
    if let Some(needed) = facts.needed.as_ref().filter(|_| work.drops) {
        say(found, Severity::Problem, "needed", needed.as_str(), "");
    }
    if let Some(what) = &facts.not_restorable {
        say(
            found,
            Severity::Problem,
            "not-restorable",
            format!("what is there could not be brought back exactly: {what}"),
            "",
        );
    }
}

/// Who waits for whom while the table is changed.
pub(super) fn about_copies(found: &mut Vec<Finding>, table: &Table, work: &Work, limits: &Limits) {
    for (why, instead) in &work.forced_copies {
        let copy = "`--allow-copy` copies the table while writes wait";
        let remedy = match instead.as_str() {
            "" => copy.to_owned(),
            instead => format!("{instead}, or {copy}"),
        };
        let severity = if limits.may_copy {
            Severity::Warning
        } else {
            Severity::Problem
        };
        say(found, severity, "needs-copy", why.as_str(), remedy);
    }
    if work.blocks_writes() {
        let remedy = if work.writers == Writers::WaitNeedlessly {
            "choose a quiet time, or index a generated column instead"
        } else {
            "choose a quiet time"
        };
        say(
            found,
            Severity::Warning,
            "blocks-writes",
            format!(
                "writes to `{}` wait meanwhile, about {}",
                table.name,
                units::duration(work.time)
            ),
            remedy,
        );
    }
}

pub(super) fn about_room(found: &mut Vec<Finding>, facts: &Facts, work: &Work) {
    // The index itself, and the runs of the sort beside it: on one disk both.
    let places = if facts.is_one_disk {
        let free = facts.free_data.into_iter().chain(facts.free_sort).min();
        vec![(
            "the index and for sorting it",
            free,
            work.bytes.saturating_mul(2),
        )]
    } else {
        vec![
            ("the data", facts.free_data, work.bytes),
            ("the sort's files", facts.free_sort, work.bytes),
        ]
    };
    for (what, free, needed) in places {
        match free {
            Some(free) if free < needed => say(
                found,
                Severity::Problem,
                "disk",
                format!(
                    "{} are free for {what}, and about {} are needed",
                    units::bytes(free),
                    units::bytes(needed)
                ),
                "make room first",
            ),
            Some(free) if free / 2 < needed => say(
                found,
                Severity::Warning,
                "disk",
                format!(
                    "about {} are needed of the {} that are free for {what}",
                    units::bytes(needed),
                    units::bytes(free)
                ),
                "",
            ),
            _ => {}
        }
    }
    if facts.free_data.is_none() {
        say(
            found,
            Severity::Note,
            "disk-unseen",
            format!(
                "the server's disk can't be seen from here; about {} are needed for the index, and \
                 as much for the sort",
                units::bytes(work.bytes)
            ),
            "",
        );
    }
}

pub(super) fn about_writes(found: &mut Vec<Finding>, facts: &Facts, table: &Table, work: &Work) {
    if work.blocks_writes() {
        return;
    }
    let Some(rate) = facts.writes_per_second else {
        return;
    };
    let row = (table.data_bytes as f64 / table.rows.max(1) as f64).clamp(16.0, 16_384.0);
    let logged = rate * row * work.time.as_secs_f64();
    if logged > facts.online_log as f64 / 2.0 && facts.online_log > 0 {
        say(
            found,
            Severity::Warning,
            "online-log",
            format!(
                "about {} rows are written in a second; what is written during the build may not \
                 fit into innodb_online_alter_log_max_size ({}), and the build would end with \
                 error 1799",
                units::count(rate),
                units::bytes(facts.online_log)
            ),
            "choose a quiet time, or raise innodb_online_alter_log_max_size",
        );
    }
}
