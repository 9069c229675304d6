//! Statistics of columns, measured on the twin's rows and scaled to the target's.

use super::Error;
use super::private::{Private, number};
use crate::advisor::statistics::ColumnStatistics;
use crate::model::advice::Tier;
use crate::model::schema::{Column, Table};
use crate::server::ddl;
use crate::server::quote::ident;

/// Strings of more bytes than this can't be indexed whole in every case.
const LONG_BYTES: u64 = 255;
/// Share of the distinct values that a prefix must keep.
const KEPT: f64 = 0.95;
/// Rows of a replica that are looked at.
const MOST_ROWS: u64 = 100_000;
/// Lengths that are tried.
const PREFIXES: [u32; 10] = [4, 8, 12, 16, 24, 32, 48, 64, 96, 128];

/// The place of the first of them among the figures of a column.
const PREFIXES_FROM: usize = 5;

/// Measures one column; `there` is what an index of the target tells of its distinct values.
pub(super) async fn column(
    twin: &mut Private,
    tier: Tier,
    table: &Table,
    column: &Column,
    there: Option<u64>,
) -> Result<ColumnStatistics, Error> {
    let name = ident(&column.name);
    let is_json = column.data_type == "json";
    let distinct = if is_json {
        "NULL".to_owned()
    } else {
        format!("COUNT(DISTINCT {name})")
    };
    let elements = if is_json {
        format!("SUM(JSON_LENGTH({name})) / COUNT(*)")
    } else {
        "NULL".to_owned()
    };
    let mut list = vec![
        "COUNT(*)".to_owned(),
        format!("COUNT({name})"),
        distinct,
        format!("AVG(LENGTH({name}))"),
        elements,
    ];
    let is_long =
        column.max_chars.is_some() && column.max_bytes.is_some_and(|bytes| bytes > LONG_BYTES);
    if is_long && !is_json {
        list.extend(
            PREFIXES
                .iter()
                .map(|length| format!("COUNT(DISTINCT LEFT({name}, {length}))")),
        );
    }
    let rows_of = ddl::table(&table.name);
    // A replica has all rows, and reading them for one column would take long.
    let from = if tier == Tier::Replica {
        format!("(SELECT {name} FROM {rows_of} LIMIT {MOST_ROWS}) AS t")
    } else {
        rows_of
    };
    let sql = format!("SELECT {} FROM {from}", list.join(", "));
    let rows = match twin.rows("statistics of a column", &sql).await {
        Ok(rows) => rows,
        Err(Error::Twin { .. }) => return Ok(ColumnStatistics::default()),
        Err(error) => return Err(error),
    };
    let Some(row) = rows.first() else {
        return Ok(ColumnStatistics::default());
    };
    let [all, present, values] = [0, 1, 2].map(|i| number(row, i).unwrap_or(0.0));
    if all < 1.0 {
        return Ok(ColumnStatistics {
            distinct: there,
            average_bytes: fixed_bytes(column),
            ..ColumnStatistics::default()
        });
    }
    let prefix = PREFIXES.iter().enumerate().find_map(|(i, length)| {
        let kept = number(row, PREFIXES_FROM + i)?;
        (values > 0.0 && kept >= KEPT * values).then_some(*length)
    });
    Ok(ColumnStatistics {
        distinct: (!is_json)
            .then(|| there.unwrap_or_else(|| scaled(values, present, all, table.rows as f64))),
        null_share: Some(1.0 - present / all),
        average_bytes: fixed_bytes(column).or_else(|| number(row, 3)),
        prefix,
        elements: number(row, 4),
    })
}

/// Distinct values of the whole by those of a sample: a column where nearly every row has its own
/// value grows with the rows; one with few values has them all.
fn scaled(distinct: f64, present: f64, sampled: f64, rows: f64) -> u64 {
    let growth = (rows / sampled.max(1.0)).max(1.0);
    let uniqueness = distinct / present.max(1.0);
    let estimate = distinct * (1.0 + (growth - 1.0) * uniqueness);
    format!("{:.0}", estimate.clamp(0.0, rows.max(distinct)))
        .parse()
        .unwrap_or(u64::MAX)
}

/// Bytes of a value in a key, for types that always take the same.
fn fixed_bytes(column: &Column) -> Option<f64> {
    Some(match column.data_type.as_str() {
        "tinyint" | "year" | "enum" => 1.0,
        "smallint" => 2.0,
        "mediumint" | "date" | "time" => 3.0,
        "int" | "float" | "timestamp" => 4.0,
        "datetime" => 5.0,
        "bigint" | "double" => 8.0,
        "decimal" => 6.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_values_grow_as_far_as_they_are_rare() {
        assert_eq!(scaled(5.0, 1000.0, 1000.0, 10_000.0), 5);
        assert_eq!(scaled(1000.0, 1000.0, 1000.0, 10_000.0), 10_000);
        assert_eq!(scaled(500.0, 1000.0, 1000.0, 10_000.0), 2_750);
    }
}
