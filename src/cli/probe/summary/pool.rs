//! The connection pool under the names of the OpenTelemetry conventions.

use serde_json::{Map, Value as Json, json};

use super::cell;
use super::json::latency_json;
use crate::model::connections::{Metric, Value, metrics};
use crate::model::probe::PoolFigures;
use crate::report::doc::Table;

/// A table of all metrics.
pub(super) fn table(pool: &PoolFigures) -> Table {
    let mut table = Table::new(
        "The pool by the names of the OpenTelemetry conventions; levels are those at the end",
        &["Metric", ">Value", ">p50", ">p95", ">p99", ">max"],
    );
    for metric in metrics(pool) {
        let mut row = vec![name(&metric)];
        match metric.value {
            Value::Level(n) | Value::Counter(n) => {
                row.push(n.to_string());
                row.extend(std::iter::repeat_n(String::new(), 4));
            }
            Value::Times(times) => {
                row.push(times.len().to_string());
                row.extend([0.50, 0.95, 0.99, 1.0].map(|q| cell(times, q)));
            }
        }
        table.push(row);
    }
    table
}

fn name(metric: &Metric<'_>) -> String {
    match metric.state {
        Some(state) => format!("{}{{state={state}}}", metric.name),
        None => metric.name.to_owned(),
    }
}

/// An object with a member for each metric; times are in seconds, and what has states is an object
/// of these.
pub(super) fn json(pool: &PoolFigures) -> Map<String, Json> {
    let mut all = Map::new();
    for metric in metrics(pool) {
        let value = match metric.value {
            Value::Level(n) | Value::Counter(n) => json!(n),
            Value::Times(times) => json!(latency_json(times)),
        };
        match metric.state {
            None => {
                all.insert(metric.name.to_owned(), value);
            }
            Some(state) => {
                let states = all.entry(metric.name).or_insert_with(|| json!({}));
                if let Json::Object(states) = states {
                    states.insert(state.to_owned(), value);
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::probe::latencies;

    fn figures() -> PoolFigures {
        let mut pool = PoolFigures {
            max: 8,
            used: 3,
            idle: 5,
            pending: 2,
            pending_max: 4,
            pending_mean: 0.5,
            timeouts: 1,
            created: 8,
            closed: 0,
            acquired: 1,
            utilization: 0.4,
            wait: latencies(),
            create: latencies(),
            usage: latencies(),
        };
        pool.wait.record(2_000_000).unwrap();
        pool
    }

    #[test]
    fn names_and_values_stand_in_both_forms() {
        let pool = figures();
        let json = json(&pool);
        assert_eq!(json.len(), 9);
        assert_eq!(
            json["db.client.connection.count"],
            json!({"used": 3, "idle": 5})
        );
        assert_eq!(json["db.client.connection.timeouts"], json!(1));
        assert_eq!(json["db.client.connection.wait_time"]["count"], json!(1));
        assert!(json["db.client.connection.use_time"].is_null());
        let rows = table(&pool).rows;
        assert_eq!(rows.len(), 10);
        assert!(
            rows.iter()
                .any(|row| row[0] == "db.client.connection.count{state=idle}" && row[1] == "5")
        );
        assert!(
            rows.iter()
                .any(|row| row[0] == "db.client.connection.wait_time" && row[2] == "2.00ms")
        );
    }
}
