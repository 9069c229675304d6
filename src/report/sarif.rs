//! SARIF 2.1.0: what rules found, for code hosts that show it beside the lines.

use serde_json::{Map, Value, json};

use crate::model::check::{Checked, Found, Rule, Spot};
use crate::model::finding::Severity;

/// Where a rule is described.
fn help(rule: &Rule) -> &'static str {
    if rule.code.starts_with("MYX08") {
        "docs/baselines.md#rules"
    } else {
        "docs/indexes.md#rules"
    }
}

/// The run as one SARIF log.
#[must_use]
pub fn render(checked: &Checked) -> String {
    let rules: Vec<Value> = checked.rules.iter().map(|rule| of_rule(rule)).collect();
    let results: Vec<Value> = checked
        .found
        .iter()
        .map(|found| of_found(checked, found))
        .collect();
    let notes: Vec<Value> = checked
        .notes
        .iter()
        .map(|note| json!({ "level": "note", "message": { "text": note } }))
        .collect();
    let mut log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mydex",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "automationDetails": { "id": format!("{}/", checked.name.replace(' ', "-")) },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notes,
            }],
            "results": results,
        }],
    })
    .to_string();
    log.push('\n');
    log
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "none",
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Problem => "error",
    }
}

fn of_rule(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "help": { "text": format!("{}: {} wants that {}", help(rule), rule.code, rule.summary) },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn of_found(checked: &Checked, found: &Found) -> Value {
    let mut result = Map::new();
    result.insert("ruleId".to_owned(), json!(found.rule.code));
    let place = checked.rules.iter().position(|rule| *rule == found.rule);
    if let Some(place) = place {
        result.insert("ruleIndex".to_owned(), json!(place));
    }
    result.insert("level".to_owned(), json!(level(found.rule.severity)));
    let text = if found.remedy.is_empty() {
        found.message.clone()
    } else {
        format!("{}\nfix: {}", found.message, found.remedy)
    };
    result.insert("message".to_owned(), json!({ "text": text }));
    let mut location = Map::new();
    if let Some(spot) = &found.spot {
        location.insert("physicalLocation".to_owned(), of_spot(spot));
    }
    if let Some(object) = &found.object {
        let logical = json!([{ "fullyQualifiedName": object, "kind": "resource" }]);
        location.insert("logicalLocations".to_owned(), logical);
    }
    if !location.is_empty() {
        result.insert("locations".to_owned(), json!([location]));
    }
    // The same breach of the same file or table is the same result, wherever its line is now.
    let identity = format!(
        "{} {} {}",
        found.rule.code,
        found.subject,
        found.object.as_deref().unwrap_or_default()
    );
    let prints = json!({ "mydex/v1": format!("{:016x}", hash(&identity)) });
    result.insert("partialFingerprints".to_owned(), prints);
    Value::Object(result)
}

fn of_spot(spot: &Spot) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&spot.file) },
        "region": { "startLine": spot.line.max(1), "startColumn": spot.column.max(1) },
    })
}

/// A path as a relative or absolute reference, with everything escaped that is not plain.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// FNV-1a, whose values never change.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::super::checked::fixture;
    use super::*;

    /// What SARIF 2.1.0 asks of each object that is written here.
    fn assert_shape(log: &Value) {
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let driver = &run["tool"]["driver"];
        assert!(driver["name"].is_string());
        let rules = driver["rules"].as_array().unwrap();
        for rule in rules {
            assert!(rule["id"].is_string() && rule["shortDescription"]["text"].is_string());
            let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
            assert!(["none", "note", "warning", "error"].contains(&level));
        }
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
        for result in run["results"].as_array().unwrap() {
            let place = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[place]["id"], result["ruleId"]);
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert!(result["partialFingerprints"].is_object());
            for location in result["locations"].as_array().into_iter().flatten() {
                if let Some(physical) = location.get("physicalLocation") {
                    let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
                    assert!(
                        uri.is_ascii() && !uri.contains([' ', '"', '<', '\\']),
                        "{uri}"
                    );
                    assert!(physical["region"]["startLine"].as_u64().unwrap() >= 1);
                    assert!(physical["region"]["startColumn"].as_u64().unwrap() >= 1);
                }
            }
        }
    }

    #[test]
    fn the_log_has_the_shape_of_sarif() {
        let checked = fixture();
        let log: Value = serde_json::from_str(&render(&checked)).unwrap();
        assert_shape(&log);
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), checked.found.len());
        assert_eq!(results[0]["level"], "error");
        let logical = &results[1]["locations"][0]["logicalLocations"][0];
        assert_eq!(logical["fullyQualifiedName"], "shop.orders.orders_state");
    }

    #[test]
    fn a_breach_keeps_its_fingerprint_when_its_line_moves() {
        let one = fixture();
        let mut other = one.clone();
        other.found[0].spot.as_mut().unwrap().line += 7;
        let print = |checked: &Checked| {
            let log: Value = serde_json::from_str(&render(checked)).unwrap();
            log["runs"][0]["results"][0]["partialFingerprints"].clone()
        };
        assert_eq!(print(&one), print(&other));
    }

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("./indexes/0001_a b.toml"), "indexes/0001_a%20b.toml");
        assert_eq!(uri("/srv/ä"), "file:///srv/%C3%A4");
    }
}
