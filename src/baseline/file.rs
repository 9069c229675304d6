//! The file of a baseline: one JSON whose lines change only where what was recorded changes.
//!
//! Keys are sorted, each value stands on its own line, and nothing in it tells when it was made.

mod reader;

use std::fmt;

use serde_json::{Map, Value, json};

use super::recorded::{Baseline, Count, Data, PlanShape, Probe, Timed, Workload};
use reader::Reader;

/// The version of the file's form; raised when a field changes its meaning or goes away.
pub const VERSION: u64 = 1;

/// What is wrong with a file, all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n  "))
    }
}

/// The file's text.
#[must_use]
pub fn render(baseline: &Baseline) -> String {
    let probes: Map<String, Value> = baseline
        .probes
        .iter()
        .map(|(name, probe)| (name.clone(), of_probe(probe)))
        .collect();
    let value = json!({
        "baseline_version": VERSION,
        "counted": baseline.counted,
        "data": of_data(&baseline.data),
        "indexes": baseline.indexes,
        "left_out": baseline.left_out,
        "probes": probes,
        "server": {
            "variables": baseline.server.variables,
            "version": baseline.server.version,
        },
        "timed": baseline.timed.as_ref().map(of_timed),
        "workload": of_workload(&baseline.workload),
    });
    // A value with text keys can always be written.
    let mut text = serde_json::to_string_pretty(&sorted(value)).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads a file. The error has every mistake with its place and its remedy.
pub fn parse(text: &str) -> Result<Baseline, Mistakes> {
    let root: Value = serde_json::from_str(text).map_err(|error| {
        Mistakes(vec![format!(
            "line {}, column {}: it is no JSON: {error}; record it again",
            error.line(),
            error.column()
        )])
    })?;
    let version = root.get("baseline_version").and_then(Value::as_u64);
    if version != Some(VERSION) {
        let found = version.map_or_else(
            || "`baseline_version`: there is none".to_owned(),
            |version| format!("`baseline_version`: it is `{version}`"),
        );
        return Err(Mistakes(vec![format!(
            "{found}, and this mydex reads `{VERSION}`; record it again with `mydex baseline \
             record`"
        )]));
    }
    let mut reader = Reader::default();
    let baseline = reader.baseline(&root);
    if reader.mistakes.is_empty() {
        Ok(baseline)
    } else {
        Err(Mistakes(reader.mistakes))
    }
}

fn of_workload(workload: &Workload) -> Value {
    json!({
        "data_seed": workload.data_seed,
        "operations": workload.operations,
        "pack": workload.pack,
        "scale": workload.scale,
        "seed": workload.seed,
        "version": workload.version,
    })
}

fn of_data(data: &Data) -> Value {
    data.tables
        .iter()
        .map(|(name, table)| {
            let value = json!({
                "checksum": table.checksum,
                "columns": table.columns,
                "rows": table.rows,
            });
            (name.clone(), value)
        })
        .collect()
}

fn of_probe(probe: &Probe) -> Value {
    let counters: Map<String, Value> = probe
        .counters
        .iter()
        .filter(|(_, count)| count.high > 0)
        .map(|(name, count)| (name.clone(), of_count(*count)))
        .collect();
    let plans: Vec<Value> = probe.plans.iter().map(of_plan).collect();
    json!({ "counters": counters, "plans": plans })
}

fn of_count(count: Count) -> Value {
    if count.is_steady() {
        json!(count.low)
    } else {
        json!([count.low, count.high])
    }
}

fn of_plan(plan: &PlanShape) -> Value {
    json!({ "operations": plan.operations, "shape": plan.shape })
}

fn of_timed(timed: &Timed) -> Value {
    let probes: Map<String, Value> = timed
        .probes
        .iter()
        .map(|(name, probe)| {
            let value = json!({
                "completed": probe.completed,
                "others": probe.others,
                "response": probe.response,
                "response_us": probe.response_us,
                "service": probe.service,
            });
            (name.clone(), value)
        })
        .collect();
    json!({
        "pool": timed.pool,
        "probes": probes,
        "rate": timed.rate,
        "seconds": timed.seconds,
    })
}

/// The same with the keys of every object in order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            entries
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect()
        }
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
