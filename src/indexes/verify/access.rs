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
    /// It is read from end to end, in the order that is wanted, and rows are thrown away behind.
    pub is_ordered_scan: bool,
    /// The index alone answers.
    pub is_covered: bool,
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
        let (is_ordered, filters) = (has_order_for_free(&value), has_filter(&value));
        for table in &mut found {
            table.is_ordered_scan = table.access == "index" && is_ordered && filters;
        }
    }
    found
}

/// Whether something is sorted or grouped by reading it in that order.
fn has_order_for_free(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(has_order_for_free),
        Value::Object(node) => node.iter().any(|(key, inner)| {
            let is_order = matches!(key.as_str(), "ordering_operation" | "grouping_operation");
            (is_order && inner.get("using_filesort") == Some(&Value::Bool(false)))
                || has_order_for_free(inner)
        }),
        _ => false,
    }
}

/// Whether rows are thrown away after they were read.
fn has_filter(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(has_filter),
        Value::Object(node) => node
            .iter()
            .any(|(key, inner)| key == "attached_condition" || has_filter(inner)),
        _ => false,
    }
}

/// Whether a plan gambles on an index: it is read in its order until a `LIMIT` is reached, and the
/// rows that are wanted may all stand at its other end. What was a scan before, and needs no rows
/// beside the index now, loses nothing by that.
#[must_use]
pub fn gambles(before: &[Access], after: &[Access], index: &str, has_limit: bool) -> bool {
    let is_it = |table: &&Access| {
        table.is_ordered_scan && table.keys.iter().any(|key| key.eq_ignore_ascii_case(index))
    };
    has_limit
        && after.iter().filter(is_it).any(|table| {
            let same = before.iter().find(|other| other.alias == table.alias);
            let was_scan = same.is_none_or(|other| matches!(&*other.access, "ALL" | "index"));
            !(table.is_covered && was_scan)
        })
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
            is_ordered_scan: false,
            is_covered: table.get("using_index") == Some(&Value::Bool(true)),
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
