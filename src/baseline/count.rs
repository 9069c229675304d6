//! The session's own counters, and what of their growth is that of reading them.

use std::collections::BTreeMap;

use super::metric::{STATUS, SUMMED};
use crate::server::cells::Cells as _;
use crate::server::{Connection, Error};

/// The counters of a session at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reading {
    values: BTreeMap<&'static str, u64>,
}

impl Reading {
    /// The counters that the server told.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.values.keys().map(|name| (*name).to_owned()).collect();
        names.sort();
        names
    }
}

/// Reads them. Counters that the server does not tell are not in it.
pub(super) async fn read(connection: &mut Connection) -> Result<Reading, Error> {
    let mut reading = Reading::default();
    let names: Vec<String> = STATUS.iter().map(|name| format!("'{name}'")).collect();
    let sql = format!(
        "SHOW SESSION STATUS WHERE Variable_name IN ({})",
        names.join(", ")
    );
    connection
        .each("the session's counters", &sql, |row| {
            let name = row.str(0).unwrap_or("").to_ascii_lowercase();
            let known = STATUS.iter().find(|known| **known == name);
            if let Some((known, value)) = known.zip(row.u64(1)) {
                reading.values.insert(known, value);
            }
        })
        .await?;
    let Some(thread) = connection.thread() else {
        return Ok(reading);
    };
    let columns: Vec<String> = SUMMED
        .iter()
        .map(|(_, column)| format!("SUM({column})"))
        .collect();
    let sql = format!(
        "SELECT {} FROM \
         performance_schema.events_statements_summary_by_thread_by_event_name WHERE THREAD_ID = \
         {thread} AND EVENT_NAME LIKE 'statement/%'",
        columns.join(", ")
    );
    let row = match connection.first("the session's statements", &sql).await {
        Err(error) if error.is_fatal() => return Err(error),
        found => found.ok().flatten(),
    };
    if let Some(row) = row {
        for (i, (name, _)) in SUMMED.iter().enumerate() {
            if let Some(value) = row.u64(i) {
                reading.values.insert(name, value);
            }
        }
    }
    Ok(reading)
}

/// What was counted between the second reading and the third, without what reading itself costs:
/// that is what was counted between the first two, since nothing else ran there.
pub(super) fn between(
    first: &Reading,
    second: &Reading,
    third: &Reading,
) -> BTreeMap<&'static str, u64> {
    let mut counted = BTreeMap::new();
    for (name, last) in &third.values {
        let (Some(start), Some(before)) = (second.values.get(name), first.values.get(name)) else {
            continue;
        };
        let own = start.saturating_sub(*before);
        let grown = last.saturating_sub(*start);
        counted.insert(*name, grown.saturating_sub(own));
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(values: &[(&'static str, u64)]) -> Reading {
        Reading {
            values: values.iter().copied().collect(),
        }
    }

    #[test]
    fn the_share_of_reading_is_taken_out() {
        let first = reading(&[("rows_examined", 100), ("sort_rows", 7), ("gone", 1)]);
        let second = reading(&[("rows_examined", 324), ("sort_rows", 7), ("gone", 1)]);
        let third = reading(&[("rows_examined", 600), ("sort_rows", 8)]);
        assert_eq!(
            between(&first, &second, &third),
            BTreeMap::from([("rows_examined", 52), ("sort_rows", 1)])
        );
    }

    proptest::proptest! {
        /// Whatever a reading costs, only the work is left.
        #[test]
        fn only_the_work_is_left(start in 0_u64..1_000, own in 0_u64..1_000, work in 0_u64..1_000_000) {
            let at = |rows| reading(&[("rows_examined", rows)]);
            let (second, third) = (start + own, start + 2 * own + work);
            let counted = between(&at(start), &at(second), &at(third));
            proptest::prop_assert_eq!(counted["rows_examined"], work);
        }
    }
}
