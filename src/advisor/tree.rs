//! The second version of the plan's JSON, which the hypergraph optimizer gives in place of the
//! first: a tree of iterators.
//!
//! The root often tells no cost of its own: then the greatest of its inputs stands for it, since a
//! cost contains those of the inputs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::plan::Known;
use super::planner::Plan;
use crate::model::schema::TableName;

/// Reads `query_plan`. The error is one sentence.
pub(super) fn parse(root: &Map<String, Value>, known: &Known) -> Result<Plan, String> {
    let mut plan = Plan {
        cost: 0.0,
        used: BTreeSet::new(),
        scans: Vec::new(),
        signature: String::new(),
        fetches: false,
        hides_use: false,
    };
    let cost = read(root, known, &mut plan);
    if cost <= 0.0 && !plan.hides_use {
        return Err("the plan tells no cost: switch `hypergraph_optimizer` off on the twin".into());
    }
    plan.cost = cost.max(1.0);
    Ok(plan)
}

/// The cost of a node with its inputs, and of what depends on its rows.
fn read(node: &Map<String, Value>, known: &Known, plan: &mut Plan) -> f64 {
    let text = |key: &str| node.get(key).and_then(Value::as_str).unwrap_or("");
    let rows = node
        .get("estimated_rows")
        .and_then(Value::as_f64)
        .unwrap_or(1.0);
    let (access, name) = (text("access_type"), text("table_name"));
    for told in [
        access,
        text("index_access_type"),
        text("join_algorithm"),
        name,
        text("index_name"),
    ] {
        // Writing to a String cannot fail.
        let _ = write!(plan.signature, " {told}");
    }
    let is_covered = node.get("covering") == Some(&Value::Bool(true));
    plan.fetches |= !matches!(text("index_name"), "" | "PRIMARY") && !is_covered;
    plan.hides_use |= access == "rows_fetched_before_execution" || access == "zero_rows";
    let table = TableName::new(text("schema_name"), name);
    if access == "table" && known.tables().contains(&table) {
        plan.scans.push((table.clone(), rows));
    }
    plan.used.extend(known.place(&table, text("index_name")));
    let mut inputs: f64 = 0.0;
    let mut extra = 0.0;
    plan.signature.push('(');
    for (key, value) in node {
        let Value::Array(list) = value else { continue };
        if !key.starts_with("inputs") {
            continue;
        }
        for input in list.iter().filter_map(Value::as_object) {
            let cost = read(input, known, plan);
            if key == "inputs" {
                inputs = inputs.max(cost);
            } else if input.get("dependent") == Some(&Value::Bool(true)) {
                extra += cost * rows.max(1.0);
            } else {
                extra += cost;
            }
        }
    }
    plan.signature.push(')');
    let own = node.get("estimated_total_cost").and_then(Value::as_f64);
    own.unwrap_or(inputs).max(inputs) + extra
}
