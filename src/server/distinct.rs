//! How many different values columns have, from the server's own histograms.

use std::collections::BTreeMap;

use super::cells::Cells as _;
use super::quote::hex_literal;
use super::{Connection, Error};
use crate::model::schema::TableName;

/// Histograms at most.
const MAX_ROWS: usize = 10_000;

/// Numbers of different values, by table and column in small letters.
pub type Distinct = BTreeMap<(TableName, String), u64>;

/// Reads them for all columns of these schemas that have a histogram; none where the account may
/// not see them.
///
/// # Errors
/// When the connection fails.
pub async fn read(connection: &mut Connection, schemas: &[String]) -> Result<Distinct, Error> {
    let list: Vec<String> = schemas.iter().map(|schema| hex_literal(schema)).collect();
    if list.is_empty() {
        return Ok(Distinct::new());
    }
    let sql = format!(
        "SELECT /* mydex:distinct */ SCHEMA_NAME, TABLE_NAME, COLUMN_NAME, \
         JSON_LENGTH(HISTOGRAM, '$.buckets'), JSON_EXTRACT(HISTOGRAM, '$.buckets[*][3]') \
         FROM information_schema.COLUMN_STATISTICS WHERE SCHEMA_NAME IN ({}) LIMIT {MAX_ROWS}",
        list.join(", ")
    );
    let rows = match connection.rows("the histograms", &sql).await {
        Ok(rows) => rows,
        Err(error) if error.is_fatal() => return Err(error),
        // Servers before 8.0 have none.
        Err(_) => Vec::new(),
    };
    let mut found = Distinct::new();
    for row in &rows {
        let (Some(schema), Some(table), Some(column)) = (row.text(0), row.text(1), row.text(2))
        else {
            continue;
        };
        if let Some(values) = values(row.u64(3), row.str(4)) {
            let name = TableName::new(schema, table);
            found.insert((name, column.to_lowercase()), values);
        }
    }
    Ok(found)
}

/// A singleton histogram has a bucket for each value; in an equi-height one each bucket says how
/// many values it has.
fn values(buckets: Option<u64>, counts: Option<&str>) -> Option<u64> {
    let Some(counts) = counts else {
        return buckets.filter(|buckets| *buckets > 0);
    };
    let counts: Vec<u64> = serde_json::from_str(counts).ok()?;
    Some(
        counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_histograms_are_counted() {
        assert_eq!(values(Some(5), None), Some(5));
        assert_eq!(values(Some(3), Some("[499, 500, 1]")), Some(1000));
        assert_eq!(values(Some(0), None), None);
        assert_eq!(values(Some(3), Some("[\"x\"]")), None);
    }
}
