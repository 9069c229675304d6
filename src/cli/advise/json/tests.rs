use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::model::advice::fixture;

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas/advice.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn broken() -> Advice {
    let mut advice = fixture::rich();
    advice.optimality.gap = f64::INFINITY;
    advice.effort.exhaustive_explains = f64::INFINITY;
    advice.recommendations[0].effects[0].1 = f64::NAN;
    advice.workload.window = None;
    advice
}

#[test]
fn the_output_is_what_the_schema_says() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for given in [fixture::rich(), fixture::nothing(), broken()] {
        let json = serde_json::to_value(advice(&given)).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&json)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn the_schema_refuses_what_is_not_so() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let good = serde_json::to_value(advice(&fixture::rich())).unwrap();
    for (place, wrong) in [
        ("/schema_version", Value::from(2)),
        ("/recommendations/0/action", Value::from("alter")),
        ("/recommendations/0/bytes", Value::from("96MiB")),
        ("/queries/0/measured_before/rows_read", Value::from(-1)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = wrong;
        assert!(!validator.is_valid(&bad), "{place}");
    }
}

/// Every field that is written is described, and every one described is written.
#[test]
fn no_field_is_without_its_description() {
    let schema = schema();
    let json = serde_json::to_value(advice(&fixture::rich())).unwrap();
    compare(&schema, &schema, &json, "");
}

fn compare(root: &Value, schema: &Value, json: &Value, path: &str) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').unwrap();
        return compare(root, root.pointer(target).unwrap(), json, path);
    }
    if let Some(any) = schema.get("anyOf").filter(|_| !json.is_null()) {
        return compare(root, &any[0], json, path);
    }
    match json {
        Value::Object(fields) => {
            let names = |value: &Value| -> BTreeSet<String> {
                value.as_object().unwrap().keys().cloned().collect()
            };
            assert_eq!(names(json), names(&schema["properties"]), "{path}");
            for (name, value) in fields {
                let path = format!("{path}/{name}");
                compare(root, &schema["properties"][name], value, &path);
            }
        }
        Value::Array(items) => {
            for item in items {
                compare(root, &schema["items"], item, path);
            }
        }
        _ => {}
    }
}

#[test]
fn rich_advice_as_json() {
    let json = serde_json::to_string_pretty(&advice(&fixture::rich())).unwrap();
    insta::assert_snapshot!(json);
}
