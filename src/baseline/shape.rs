//! The shape of a plan: what stays of `EXPLAIN FORMAT=JSON` without costs, rows and constants.
//!
//! Both versions of the JSON are read by what their nodes say of themselves; a key that is not
//! known is passed through where it holds nodes, and left out where it holds figures or texts with
//! constants in them.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// What a node says with one word, in the order in which it is written.
const WORDS: &[&str] = &[
    "access_type",
    "index_access_type",
    "join_algorithm",
    "join_type",
    "using_join_buffer",
];

/// Switches that are named where they are on.
const SWITCHES: &[&str] = &[
    "using_filesort",
    "using_temporary_table",
    "using_index",
    "covering",
    "backward_index_scan",
    "using_MRR",
    "using_index_for_group_by",
    "using_index_for_skip_scan",
    "distinct",
    "not_exists",
    "dependent",
    "insert",
    "update",
    "delete",
    "replace",
];

/// Deeper plans are cut, so that no text of a server can exhaust the stack.
const DEEPEST: usize = 100;

/// The steps of a plan, a line each, indented by their depth. The error is one sentence.
pub fn of(json: &str) -> Result<Vec<String>, String> {
    let value: Value =
        serde_json::from_str(json).map_err(|error| format!("the plan is not JSON: {error}"))?;
    let Value::Object(root) = &value else {
        return Err("the plan is not a JSON object".to_owned());
    };
    let root = ["query_block", "query_plan"]
        .iter()
        .find_map(|key| root.get(*key))
        .ok_or("the plan has no query block: its format is unknown")?;
    let mut lines = Vec::new();
    walk(root, 0, &mut lines);
    if lines.is_empty() {
        lines.push("nothing is read".to_owned());
    }
    Ok(lines)
}

fn walk(value: &Value, depth: usize, lines: &mut Vec<String>) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Array(list) => {
            for inner in list {
                walk(inner, depth, lines);
            }
        }
        Value::Object(node) => object(node, depth, lines),
        _ => {}
    }
}

fn object(node: &Map<String, Value>, depth: usize, lines: &mut Vec<String>) {
    let step = step(node);
    let below = if step.is_empty() { depth } else { depth + 1 };
    if !step.is_empty() {
        lines.push(format!("{}{step}", "  ".repeat(depth)));
    }
    for (key, inner) in node {
        match (key.as_str(), inner) {
            // Figures, and lists of names that the step has read already.
            ("cost_info" | "used_columns" | "possible_keys" | "used_key_parts" | "ref", _) => {}
            // Where a table stands is told by the lines themselves.
            ("table" | "nested_loop" | "inputs", inner) => walk(inner, below, lines),
            (_, Value::Object(_)) => named(key, inner, below, lines),
            (_, Value::Array(list)) if list.iter().any(Value::is_object) => {
                named(key, inner, below, lines);
            }
            _ => {}
        }
    }
}

/// A part of a step, under the name of its key.
fn named(key: &str, inner: &Value, depth: usize, lines: &mut Vec<String>) {
    let mut below = Vec::new();
    walk(inner, depth + 1, &mut below);
    let switches = inner.as_object().map(switches).unwrap_or_default();
    if below.is_empty() && switches.is_empty() {
        return;
    }
    // The node's own line would only repeat the switches.
    let own = format!("{}{}", "  ".repeat(depth + 1), switches.trim_start());
    let is_own = below.first().is_some_and(|first| *first == own);
    lines.push(format!("{}{key}{switches}", "  ".repeat(depth)));
    if is_own {
        let deeper = below.into_iter().skip(1);
        lines.extend(deeper.map(|line| line.strip_prefix("  ").unwrap_or(&line).to_owned()));
    } else {
        lines.extend(below);
    }
}

/// What a node says of itself: table, access, index, columns of the index, switches.
fn step(node: &Map<String, Value>) -> String {
    let text = |key: &str| node.get(key).and_then(Value::as_str).unwrap_or("");
    let mut step = String::new();
    let table = text("table_name");
    if !table.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(step, "{table}:");
    }
    for key in WORDS {
        let word = text(key);
        if !word.is_empty() {
            let _ = write!(step, " {word}");
        }
    }
    let index = [text("key"), text("index_name")].concat();
    if !index.is_empty() {
        let _ = write!(step, " {index}");
    }
    if let Some(Value::Array(parts)) = node.get("used_key_parts") {
        let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
        let _ = write!(step, " ({})", parts.join(", "));
    }
    step.push_str(&switches(node));
    if node.contains_key("index_condition") || node.contains_key("pushed_index_condition") {
        step.push_str(" index_condition");
    }
    let message = text("message");
    if !message.is_empty() {
        let _ = write!(step, " [{message}]");
    }
    step.trim_start().to_owned()
}

fn switches(node: &Map<String, Value>) -> String {
    let mut out = String::new();
    for key in SWITCHES {
        if node.get(*key) == Some(&Value::Bool(true)) {
            let _ = write!(out, " {key}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_rows_and_constants_are_left_out() {
        let plan = |rows: u64, cost: &str, constant: &str| {
            format!(
                r#"{{"query_block":{{"select_id":1,"cost_info":{{"query_cost":"{cost}"}},
                "ordering_operation":{{"using_filesort":true,"nested_loop":[
                {{"table":{{"table_name":"a","access_type":"ref","possible_keys":["k","l"],"key":"k",
                  "used_key_parts":["x","y"],"key_length":"4","rows_examined_per_scan":{rows},
                  "filtered":"100.00","index_condition":"(x = {constant})",
                  "used_columns":["x"],"attached_condition":"(`a`.`x` = {constant})"}}}},
                {{"table":{{"table_name":"b","access_type":"ALL","using_join_buffer":"hash join",
                  "attached_subqueries":[{{"dependent":true,"query_block":{{"table":
                    {{"table_name":"c","access_type":"index","key":"PRIMARY",
                      "using_index":true}}}}}}]}}}}]}}}}}}"#
            )
        };
        let one = of(&plan(3, "1.25", "7")).unwrap();
        assert_eq!(one, of(&plan(9_000, "812.00", "'x'")).unwrap());
        assert_eq!(
            one,
            [
                "ordering_operation using_filesort",
                "  a: ref k (x, y) index_condition",
                "  b: ALL hash join",
                "    attached_subqueries",
                "      dependent",
                "        query_block",
                "          c: index PRIMARY using_index",
            ]
        );
    }

    #[test]
    fn the_second_version_is_read_as_well() {
        let json = r#"{"query_plan":{"inputs":[{"inputs":[],"access_type":"index",
            "table_name":"s","index_name":"fk","index_access_type":"index_lookup",
            "estimated_rows":3.0,"operation":"Index lookup on s using fk (vpc_id='x')"}],
            "access_type":"sort","operation":"Sort: s.a","estimated_total_cost":9.1},
            "query_type":"select"}"#;
        assert_eq!(of(json).unwrap(), ["sort", "  s: index index_lookup fk"]);
    }

    #[test]
    fn what_is_no_plan_is_said() {
        for wrong in ["", "[]", "{}", "nonsense"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        let message =
            r#"{"query_block":{"select_id":1,"message":"no matching row in const table"}}"#;
        assert_eq!(of(message).unwrap(), ["[no matching row in const table]"]);
        assert_eq!(
            of(r#"{"query_block":{"select_id":1}}"#).unwrap(),
            ["nothing is read"]
        );
    }

    proptest::proptest! {
        /// No text of a server breaks the reader, however deep it is.
        #[test]
        fn any_text_is_survived(text in "\\PC{0,80}", depth in 0_usize..600) {
            let _ = of(&text);
            let deep = format!(
                r#"{{"query_block":{}1{}}}"#,
                r#"{"a":"#.repeat(depth),
                "}".repeat(depth)
            );
            let _ = of(&deep);
        }
    }
}
