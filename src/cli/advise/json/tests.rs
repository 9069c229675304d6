use serde_json::Value;

use super::*;
use crate::cli::published;
use crate::model::advice::fixture;

const SCHEMA: &str = "advice.json";

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
    for given in [fixture::rich(), fixture::nothing(), broken()] {
        published::conforms(SCHEMA, &serde_json::to_value(advice(&given)).unwrap());
    }
}

#[test]
fn the_schema_refuses_what_is_not_so() {
    let good = serde_json::to_value(advice(&fixture::rich())).unwrap();
    for (place, wrong) in [
        ("/schema_version", Value::from(2)),
        ("/recommendations/0/action", Value::from("alter")),
        ("/recommendations/0/bytes", Value::from("96MiB")),
        ("/queries/0/measured_before/rows_read", Value::from(-1)),
    ] {
        published::refuses(SCHEMA, &good, place, wrong);
    }
}

/// Every field that is written is described, and every one described is written.
#[test]
fn no_field_is_without_its_description() {
    let json = serde_json::to_value(advice(&fixture::rich())).unwrap();
    published::check(SCHEMA, &json);
}

#[test]
fn rich_advice_as_json() {
    let json = serde_json::to_string_pretty(&advice(&fixture::rich())).unwrap();
    insta::assert_snapshot!(json);
}
