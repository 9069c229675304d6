//! What the published JSON schemas and the reports owe each other.

use std::collections::BTreeSet;

use serde_json::Value;

/// Fails unless `json` is what the schema says, every field that is written is described, and
/// every one that is described is written.
pub(in crate::cli::report) fn check(file: &str, json: &Value) {
    let schema = schema(file);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    compare(&schema, &schema, json, "");
}

/// Fails unless the schema refuses `json` with this value at this place.
pub(in crate::cli::report) fn refuses(file: &str, json: &Value, place: &str, wrong: Value) {
    let validator = jsonschema::validator_for(&schema(file)).unwrap();
    let mut bad = json.clone();
    *bad.pointer_mut(place).unwrap() = wrong;
    assert!(!validator.is_valid(&bad), "{place}");
}

fn schema(file: &str) -> Value {
    let path = format!("{}/docs/schemas/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn compare(root: &Value, schema: &Value, json: &Value, path: &str) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').unwrap();
        return compare(root, root.pointer(target).unwrap(), json, path);
    }
    match json {
        Value::Object(fields) => {
            let names = |value: &Value| -> BTreeSet<String> {
                value.as_object().unwrap().keys().cloned().collect()
            };
            assert_eq!(names(json), names(&schema["properties"]), "{path}");
            for (name, value) in fields {
                let described = &schema["properties"][name];
                compare(root, described, value, &format!("{path}/{name}"));
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
