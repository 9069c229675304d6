//! What the published JSON schemas and what is printed owe each other.

use std::collections::BTreeSet;

use serde_json::Value;

/// Fails unless `json` is what the schema says, every field that is written is described, and
/// every one that is described is written.
pub(in crate::cli) fn check(file: &str, json: &Value) {
    conforms(file, json);
    let schema = schema(file);
    compare(&schema, &schema, json, "", false);
}

/// Fails unless `json` is what the schema says.
pub(in crate::cli) fn conforms(file: &str, json: &Value) {
    let validator = jsonschema::validator_for(&schema(file)).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

/// Like [`check`], and each field has a sentence of its own.
pub(in crate::cli) fn check_sentences(file: &str, json: &Value) {
    conforms(file, json);
    let schema = schema(file);
    compare(&schema, &schema, json, "", true);
}

/// Fails unless the schema refuses `json` with this value at this place.
pub(in crate::cli) fn refuses(file: &str, json: &Value, place: &str, wrong: Value) {
    let validator = jsonschema::validator_for(&schema(file)).unwrap();
    let mut bad = json.clone();
    *bad.pointer_mut(place).unwrap() = wrong;
    assert!(!validator.is_valid(&bad), "{place}");
}

fn schema(file: &str) -> Value {
    let path = format!("{}/docs/schemas/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn compare(root: &Value, schema: &Value, json: &Value, path: &str, with_sentences: bool) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').unwrap();
        let target = root.pointer(target).unwrap();
        return compare(root, target, json, path, with_sentences);
    }
    if let Some(any) = schema.get("anyOf").filter(|_| !json.is_null()) {
        return compare(root, &any[0], json, path, with_sentences);
    }
    match json {
        Value::Object(fields) => {
            let names = |value: &Value| -> BTreeSet<String> {
                value.as_object().unwrap().keys().cloned().collect()
            };
            assert_eq!(names(json), names(&schema["properties"]), "{path}");
            for (name, value) in fields {
                let described = &schema["properties"][name];
                let path = format!("{path}/{name}");
                let text = described.get("description").and_then(Value::as_str);
                let is_told = text.is_some_and(|text| text.ends_with('.'));
                assert!(is_told || !with_sentences, "{path}");
                compare(root, described, value, &path, with_sentences);
            }
        }
        Value::Array(items) => {
            for item in items {
                compare(root, &schema["items"], item, path, with_sentences);
            }
        }
        _ => {}
    }
}
