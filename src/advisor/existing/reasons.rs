//! Verdicts in words.

use std::time::Duration;

use super::{Counts, Fate, IndexUsage, Required, Verdict};
use crate::model::schema::{Index, IndexKind, Table, TableName};
use crate::model::units::duration;

/// What is read once in this time only is not seen in a shorter window.
const BUSINESS_CYCLE: Duration = Duration::from_hours(31 * 24);

/// What is not known of a redundant index where no statement was looked at.
pub(super) const UNSEEN_TAIL: &str = ". No statements were looked at: one that sorts by the primary \
    key, or takes a range of it, behind equalities of these columns would lose that order";

/// Why the index has this fate.
pub(super) fn of(
    usage: &IndexUsage,
    table: &Table,
    index: &Index,
    fate: &Fate,
    stands_in: bool,
) -> String {
    match fate {
        Fate::Required(required) => needed(*required).to_owned(),
        Fate::Unused => unused(&since(usage, table), window(usage, table)),
        Fate::Duplicate(other) if index.parts.len() == parts_of(table, other) => {
            format!(
                "`{other}` has the same parts{}",
                counted(usage, table, index)
            )
        }
        Fate::Duplicate(other) => format!(
            "`{other}` is the same index: InnoDB appends the primary key to both{}",
            counted(usage, table, index)
        ),
        Fate::Redundant(other) => format!(
            "`{other}` begins with the same parts and finds, sorts and covers what it does{}",
            counted(usage, table, index)
        ),
        Fate::Keep if stands_in => "it stands in for another that can go".to_owned(),
        Fate::Keep => match usage.of(&table.name, &index.name) {
            Some(counts) if counts.reads > 0 => format!(
                "{} rows were read through it in the {}",
                counts.reads,
                since(usage, table)
            ),
            Some(_) if !usage.is_watched(&table.name) => format!(
                "nothing was read through it in the {}, which is too short to call it unused",
                since(usage, table)
            ),
            Some(_) => "it does what no other index does".to_owned(),
            None => "its use is not known, and no other index does all that it does".to_owned(),
        },
    }
}

fn parts_of(table: &Table, name: &str) -> usize {
    table.index(name).map_or(0, |index| index.parts.len())
}

fn counted(usage: &IndexUsage, table: &Table, index: &Index) -> String {
    match usage.of(&table.name, &index.name) {
        Some(counts) if counts.reads == 0 => format!(
            "; nothing was read through it in the {}",
            since(usage, table)
        ),
        _ => String::new(),
    }
}

fn window(usage: &IndexUsage, table: &Table) -> Duration {
    usage.window_of(&table.name).unwrap_or_default()
}

/// How long the table's indexes were counted, and since what.
fn since(usage: &IndexUsage, table: &Table) -> String {
    let what = if usage.altered.contains_key(&table.name) {
        "the table was altered, which makes the server forget its counts"
    } else {
        "this server started to count"
    };
    format!("{} since {what}", duration(window(usage, table)))
}

fn unused(since: &str, window: Duration) -> String {
    let mut text =
        format!("nothing was read through it in the {since}; replicas count by themselves");
    if window < BUSINESS_CYCLE {
        text.push_str(". That is less than a month, so what runs once a month was not seen");
    }
    text
}

fn needed(required: Required) -> &'static str {
    match required {
        Required::ImplicitPrimaryKey => {
            "the table has no primary key and this index stands for it; MySQL refuses to hide it"
        }
        Required::Unique => "it keeps values unique, and no other index does",
        Required::ForeignKeyChild => "a foreign key of the table has no other index",
        Required::ForeignKeyParent => "a foreign key of another table refers to its columns",
        Required::Hint => "a query of the workload names it in a hint",
        Required::AutoIncrement => {
            "it is the only one that begins with the column that counts up by itself"
        }
    }
}

/// Whether queries could have read the index, and none did as long as it was counted.
pub(super) fn is_unread(usage: &IndexUsage, table: &TableName, index: &Index) -> bool {
    // The server does not count searches in full-text and spatial indexes by index.
    let is_counted = !matches!(index.kind, IndexKind::FullText | IndexKind::Spatial);
    let is_unread = |counts: Counts| counts.reads == 0;
    is_counted && index.is_visible && usage.of(table, &index.name).is_some_and(is_unread)
}

/// Whether the index would be called unused if it had been counted for longer.
#[must_use]
pub fn is_unread_so_far(usage: &IndexUsage, verdict: &Verdict) -> bool {
    verdict.fate == Fate::Keep
        && !verdict.index.is_primary()
        && is_unread(usage, &verdict.table, &verdict.index)
        && !usage.is_watched(&verdict.table)
}
