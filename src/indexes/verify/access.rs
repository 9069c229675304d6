//! How a plan reads its tables, from the first version of `EXPLAIN FORMAT=JSON`: for people, and
//! to know which tables a hint has to name.

use serde_json::{Map, Value};

/// One table of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// The name by which the statement calls it.
    pub alias: String,
    /// `ref`, `range`, `ALL` and the like.
    pub access: String,
    /// The indexes that it is read through; several where they are merged.
    pub keys: Vec<String>,
    /// Rows that are read each time.
    pub rows: f64,
    /// Times that it is read, as far as joins go.
    pub times: f64,
}

impl Access {
    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let via = if self.keys.is_empty() {
            String::new()
        } else {
            format!(" `{}`", self.keys.join("`, `"))
        };
        let times = if self.times > 1.5 {
            format!(" x {:.0}", self.times)
        } else {
            String::new()
        };
        format!(
            "`{}`: {}{via}, {:.0} rows{times}",
            self.alias, self.access, self.rows
        )
    }
}

/// The tables of a plan in the order in which they are read. A text that is no plan has none.
#[must_use]
pub fn tables(json: &str) -> Vec<Access> {
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_str::<Value>(json) {
        walk(&value, &mut 1.0, &mut found);
    }
    found
}

/// Rows that a plan expects to read from all its tables together.
#[must_use]
pub fn rows(tables: &[Access]) -> f64 {
    tables.iter().map(|table| table.rows * table.times).sum()
}

/// `times` is how often the next table of this join is read.
fn walk(value: &Value, times: &mut f64, found: &mut Vec<Access>) {
    match value {
        Value::Array(list) => {
            for inner in list {
                walk(inner, times, found);
            }
        }
        Value::Object(node) => {
            for (key, inner) in node {
                match (key.as_str(), inner) {
                    ("table", Value::Object(table)) => self::table(table, times, found),
                    // What a block reads does not depend on the tables beside it.
                    ("query_block", inner) => walk(inner, &mut 1.0, found),
                    (_, Value::Object(_) | Value::Array(_)) => walk(inner, times, found),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn table(table: &Map<String, Value>, times: &mut f64, found: &mut Vec<Access>) {
    let text = |key: &str| table.get(key).and_then(Value::as_str).unwrap_or("");
    let access = text("access_type");
    if let Some(rows) = number(table.get("rows_examined_per_scan")) {
        let keys = match access {
            "index_merge" => text("key").split(['(', ')', ',']).collect(),
            _ => vec![text("key")],
        };
        found.push(Access {
            alias: text("table_name").to_owned(),
            access: access.to_owned(),
            keys: keys
                .into_iter()
                .filter(|key| !key.is_empty() && !is_merge(key))
                .map(str::to_owned)
                .collect(),
            rows,
            times: *times,
        });
        *times = number(table.get("rows_produced_per_join")).unwrap_or(*times * rows);
    }
    for (key, inner) in table {
        if key != "cost_info" {
            walk(inner, &mut 1.0, found);
        }
    }
}

/// How merged indexes are combined stands before their names.
fn is_merge(word: &str) -> bool {
    matches!(word, "union" | "sort_union" | "intersect" | "deleted")
}

fn number(value: Option<&Value>) -> Option<f64> {
    let value = value?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_in_the_order_of_the_plan() {
        let json = r#"{"query_block":{"select_id":1,"cost_info":{"query_cost":"9.0"},
            "ordering_operation":{"nested_loop":[
            {"table":{"table_name":"a","access_type":"range","key":"k",
              "rows_examined_per_scan":12,"rows_produced_per_join":6}},
            {"table":{"table_name":"b","access_type":"index_merge","key":"sort_union(x,y)",
              "rows_examined_per_scan":2,"rows_produced_per_join":12,
              "attached_subqueries":[{"query_block":{"table":{"table_name":"c",
                "access_type":"ALL","rows_examined_per_scan":100}}}]}}]}}}"#;
        let found = tables(json);
        let lines: Vec<_> = found.iter().map(Access::line).collect();
        assert_eq!(
            lines,
            [
                "`a`: range `k`, 12 rows",
                "`b`: index_merge `x`, `y`, 2 rows x 6",
                "`c`: ALL, 100 rows"
            ]
        );
        assert!((rows(&found) - 124.0).abs() < 1e-9);
        assert!(tables("no plan").is_empty());
    }
}
