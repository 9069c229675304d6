//! What a query and the upkeep of an index weigh: the unit of the objective.
//!
//! With measured times the unit is a second of server time in the window. A query's weight turns
//! the optimizer's cost on the twin into that unit: `weight = time / cost today`, so that the
//! whole query weighs today exactly what it was measured to take, and a plan with half the cost
//! weighs half of it (the ratio of estimates, the amount of measurement; field notes of the
//! advisors: this was within three points of the optimum where sums of costs were within none).
//! Without measured times the weight is the number of calls and the unit the optimizer's.

use super::shape::{Shape, WriteKind};
use super::workload::{Query, Workload};
use crate::model::schema::{Index, Table, TableName};

/// Server time to read one row and evaluate it, and with it what one unit of cost stands for where
/// nothing was measured: `row_evaluate_cost` is 0.1, and a row takes about 0.2 microseconds.
pub(super) const SECONDS_PER_UNIT: f64 = 2e-6;

/// The weight of one unit of a query's cost: `time` is its total time in seconds, where times are
/// the measure; otherwise its calls weigh.
#[must_use]
pub fn of_query(calls: f64, time: Option<f64>, cost_today: f64) -> f64 {
    match time {
        Some(time) if cost_today > 0.0 => time / cost_today,
        Some(_) => 0.0,
        None => calls,
    }
}

/// Rows that a query writes to a table in the workload, by kind.
fn rows_written(query: &Query, shape: &Shape, table: &TableName) -> Vec<(WriteKind, f64, usize)> {
    let tables = shape.writes.len().max(1) as f64;
    shape
        .writes
        .iter()
        .enumerate()
        .filter(|(_, write)| write.table == *table)
        .map(|(place, write)| {
            let rows = match (query.rows_affected, write.rows) {
                // A statement that writes to several tables does not say how many to each.
                (Some(rows), _) => rows as f64 / tables,
                (None, Some(rows)) => rows as f64 * query.calls,
                (None, None) => query.calls,
            };
            (write.kind, rows, place)
        })
        .collect()
}

/// Microseconds of server time that the upkeep of an index takes in the whole workload.
#[must_use]
pub fn upkeep_us(
    workload: &Workload,
    shapes: &[(usize, Shape)],
    table: &Table,
    index: &Index,
    us_per_entry: f64,
) -> f64 {
    let mut seen = std::collections::BTreeSet::new();
    shapes
        .iter()
        // Several samples of a query have one and the same kind of write.
        .filter(|(place, _)| seen.insert(*place))
        .filter_map(|(place, shape)| Some((workload.queries.get(*place)?, shape)))
        .map(|(query, shape)| upkeep_us_of(query, shape, table, index, us_per_entry))
        .sum()
}

/// The part of one query in [`upkeep_us`], over all of its executions.
///
/// An insert or delete changes one entry; an update changes two, and none when no column of the
/// index is set. `us_per_entry` is the cost of one entry.
#[must_use]
pub fn upkeep_us_of(
    query: &Query,
    shape: &Shape,
    table: &Table,
    index: &Index,
    us_per_entry: f64,
) -> f64 {
    rows_written(query, shape, &table.name)
        .into_iter()
        .map(|(kind, rows, write)| {
            let entries = match kind {
                WriteKind::Insert | WriteKind::Delete => 1.0,
                WriteKind::Update if touches(table, index, &shape.writes[write].columns) => 2.0,
                WriteKind::Update => 0.0,
            };
            rows * entries * us_per_entry
        })
        .sum()
}

/// Whether setting these columns changes an entry of the index, generated columns and expressions
/// included.
fn touches(table: &Table, index: &Index, sets: &std::collections::BTreeSet<String>) -> bool {
    let named = |text: &str| {
        let text = text.to_ascii_lowercase();
        sets.iter()
            .any(|set| text.contains(&set.to_ascii_lowercase()))
    };
    index.parts.iter().any(|part| match &part.what {
        crate::model::schema::Part::Expression(expression) => named(expression),
        crate::model::schema::Part::Column(name) => {
            sets.iter().any(|set| set.eq_ignore_ascii_case(name))
                || table
                    .column(name)
                    .and_then(|column| column.generated.as_ref())
                    .is_some_and(|generated| named(&generated.expression))
        }
    })
}

/// The unit of the objective for so many microseconds.
#[must_use]
pub fn of_us(us: f64, is_measured: bool) -> f64 {
    let seconds = us / 1e6;
    if is_measured {
        seconds
    } else {
        seconds / SECONDS_PER_UNIT
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::advisor::shape::{StatementKind, Write};
    use crate::model::schema::{Column, Generated, KeyPart, Part};

    fn column(name: &str, generated: Option<&str>) -> Column {
        Column {
            name: name.to_owned(),
            data_type: "int".to_owned(),
            full_type: "int".to_owned(),
            is_nullable: true,
            max_chars: None,
            max_bytes: None,
            collation: None,
            is_auto_increment: false,
            generated: generated.map(|expression| Generated {
                expression: expression.to_owned(),
                is_stored: false,
            }),
        }
    }

    fn table() -> Table {
        Table {
            name: TableName::new("s", "t"),
            engine: "InnoDB".to_owned(),
            columns: vec![
                column("a", None),
                column("b", None),
                column("g", Some("`b` + 1")),
            ],
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            rows: 1_000,
            data_bytes: 0,
            index_bytes: 0,
            partitioning: None,
            create: String::new(),
        }
    }

    fn writing(kind: WriteKind, columns: &[&str], rows: Option<u64>) -> Shape {
        Shape {
            kind: StatementKind::Update,
            blocks: Vec::new(),
            writes: vec![Write {
                table: TableName::new("s", "t"),
                kind,
                columns: columns
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<BTreeSet<_>>(),
                rows,
            }],
            gaps: Vec::new(),
        }
    }

    fn workload(calls: f64, rows_affected: Option<u64>) -> Workload {
        Workload {
            queries: vec![Query {
                name: "q".to_owned(),
                fingerprint: String::new(),
                schema: None,
                samples: Vec::new(),
                calls,
                time: Some(Duration::from_secs(10)),
                rows_examined: None,
                rows_sent: None,
                rows_affected,
                tolerance: None,
            }],
            ..Workload::default()
        }
    }

    #[test]
    fn upkeep_follows_what_is_written() {
        let on = |parts: Vec<KeyPart>| Index::btree("i", parts);
        let b = on(vec![KeyPart::column("b")]);
        let a = on(vec![KeyPart::column("a")]);
        let generated = on(vec![KeyPart::column("g")]);
        let expression = on(vec![KeyPart {
            what: Part::Expression("lower(`b`)".to_owned()),
            prefix: None,
            is_descending: false,
        }]);
        for (kind, sets, rows, affected, index, expected) in [
            // Three rows a call, five calls, four microseconds.
            (WriteKind::Insert, &["a", "b"][..], Some(3), None, &b, 60.0),
            // What the server counted is better than what the text holds.
            (WriteKind::Insert, &["a", "b"], Some(3), Some(7), &b, 28.0),
            (WriteKind::Delete, &[], None, Some(7), &b, 28.0),
            (WriteKind::Update, &["b"], None, Some(7), &b, 56.0),
            (WriteKind::Update, &["B"], None, Some(7), &b, 56.0),
            (WriteKind::Update, &["b"], None, Some(7), &a, 0.0),
            (WriteKind::Update, &["b"], None, Some(7), &generated, 56.0),
            (WriteKind::Update, &["b"], None, Some(7), &expression, 56.0),
        ] {
            // Two samples of one query are still one query.
            let shape = writing(kind, sets, rows);
            let shapes = [(0, shape.clone()), (0, shape)];
            let us = upkeep_us(&workload(5.0, affected), &shapes, &table(), index, 4.0);
            assert!((us - expected).abs() < 1e-9, "{kind:?} {sets:?}: {us}");
        }
    }

    #[test]
    fn a_measured_query_weighs_what_it_took() {
        assert!((of_query(5.0, Some(10.0), 200.0) * 200.0 - 10.0).abs() < 1e-9);
        assert!((of_query(5.0, None, 200.0) - 5.0).abs() < 1e-9);
        assert!(of_query(5.0, Some(10.0), 0.0).abs() < 1e-9);
    }
}
