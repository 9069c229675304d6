//! The JSON form against its published schema, and back.

use serde_json::Value;

use super::*;
use crate::cli::published;
use crate::model::performance::fixture;
use crate::model::probe::Slo;

const SCHEMA: &str = "performance.json";

fn report(seen: &crate::model::performance::Performance) -> Value {
    let targets = Targets {
        response: Slo {
            quantile: 0.95,
            limit: Duration::from_millis(100),
        },
        events_per_minute: 10_000,
        hit_ratio: 0.99,
        availability: 0.999,
    };
    let earlier = fixture::earlier().summary(500);
    let report = form::Report::new(seen, &levels(seen, &targets), Some(&earlier));
    serde_json::to_value(report).unwrap()
}

#[test]
fn the_output_is_what_the_schema_says() {
    for seen in [fixture::rich(), fixture::earlier(), fixture::silent()] {
        published::conforms(SCHEMA, &report(&seen));
    }
}

#[test]
fn the_schema_refuses_what_is_not_so() {
    let good = report(&fixture::rich());
    for (place, wrong) in [
        ("/schema_version", Value::from(2)),
        ("/figures/latency_p95_seconds", Value::from("4ms")),
        ("/statements/0/calls", Value::from(-1)),
        ("/points/0/at", Value::from(3)),
        ("/waits/0/event", Value::Null),
        ("/connections/open/max", Value::from(-1)),
        ("/connections/clients/0/open", Value::Null),
    ] {
        published::refuses(SCHEMA, &good, place, wrong);
    }
}

/// Every field that is written is described, and every one described is written.
#[test]
fn no_field_is_without_its_description() {
    published::check_sentences(SCHEMA, &report(&fixture::rich()));
}

#[test]
fn what_was_written_is_read_again() {
    let seen = fixture::rich();
    let text = report(&seen).to_string();
    let read = form::earlier(&text).unwrap();
    let summary = seen.summary(500);
    assert_eq!(read.figures.len(), summary.figures.len());
    for ((one, then), (other, now)) in summary.figures.iter().zip(&read.figures) {
        assert_eq!(one, other);
        assert!(
            (then.unwrap_or(-1.0) - now.unwrap_or(-1.0)).abs() < 1e-9,
            "{one:?}"
        );
    }
    assert_eq!(read.statements.len(), summary.statements.len());
    for (one, other) in summary.statements.iter().zip(&read.statements) {
        assert_eq!(one.key, other.key);
        assert_eq!(one.calls, other.calls);
        assert_eq!(one.text, other.text);
    }
    assert_eq!((read.from, read.to), (summary.from, summary.to));
}

#[test]
fn a_report_from_before_its_connections_is_read_too() {
    let mut old = report(&fixture::rich());
    let clients = old["connections"]["clients"].as_array().unwrap();
    let of = |n: usize| (clients[n]["user"].clone(), clients[n]["open"].clone());
    assert_eq!(of(0), (Value::from("app"), Value::from(2)));
    assert_eq!(of(1), (Value::from("batch"), Value::from(1)));
    assert_eq!(clients[1]["idle_in_transaction"], 1);
    assert_eq!(old["connections"]["open"]["max"], 184);
    old.as_object_mut().unwrap().remove("connections");
    assert!(form::earlier(&old.to_string()).is_ok());
}

#[test]
fn what_is_no_report_is_refused_with_its_reason() {
    let good = report(&fixture::rich());
    let with = |place: &str, value: Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        form::earlier(&bad.to_string()).unwrap_err()
    };
    for (reason, expected) in [
        (form::earlier("{").unwrap_err(), "EOF"),
        (form::earlier("{}").unwrap_err(), "missing field"),
        (
            with("/schema_version", Value::from(9)),
            "`schema_version` is 9",
        ),
        (with("/from", Value::from("yesterday")), "`from`"),
        (
            with("/window_seconds", Value::from(-1.0)),
            "`window_seconds`",
        ),
        (
            with("/statements/0/time_seconds", Value::from(1e300)),
            "`time_seconds`",
        ),
    ] {
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn only_levels_that_were_set_decide_the_status() {
    let level = |key, is_met| Level {
        key,
        name: "x",
        target: String::new(),
        measured: None,
        is_met,
    };
    let levels = [
        level("slo.events_per_minute", Some(false)),
        level("slo.hit_ratio", Some(true)),
        level("slo.availability", None),
    ];
    let with = |key: &str, origin: Origin| Origins::from([(key.to_owned(), origin)]);
    let env = || Origin::Env("X".to_owned());
    for (origins, expected) in [
        (Origins::new(), Outcome::Fine),
        (
            with("slo.events_per_minute", Origin::Default),
            Outcome::Fine,
        ),
        (with("slo.hit_ratio", env()), Outcome::Fine),
        (with("slo.availability", env()), Outcome::Fine),
        (with("slo.events_per_minute", env()), Outcome::Problem),
    ] {
        assert_eq!(outcome(&levels, &origins), expected, "{origins:?}");
    }
}
