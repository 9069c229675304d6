use super::*;
use crate::model::advice::{Tier, fixture};
use crate::report::{html, markdown, text};

#[test]
fn rich_advice_as_text() {
    insta::assert_snapshot!(text::render(&document(&fixture::rich()), Some(120)));
}

#[test]
fn rich_advice_as_markdown() {
    insta::assert_snapshot!(markdown::render(&document(&fixture::rich())));
}

#[test]
fn rich_advice_as_html() {
    let html = html::render(&document(&fixture::rich()));
    if let Ok(path) = std::env::var("LOOK") {
        std::fs::write(path, &html).unwrap();
    }
    for raw in ["<script", "<b>", "\x1b", "\u{202e}"] {
        assert!(!html.contains(raw), "{raw:?}");
    }
    // The style has its own home; the rest is what a reader gets.
    let (_, body) = html.split_once("</head>").unwrap();
    insta::assert_snapshot!(body);
}

fn as_text(advice: &Advice) -> String {
    text::render(&document(advice), None)
}

#[test]
fn no_recommendation_says_so_and_what_was_looked_at() {
    let nothing = fixture::nothing();
    let told = as_text(&nothing);
    assert!(
        told.contains(
            "No recommendation: 3 queries of the workload (digests of db1, 1h00m) were judged with \
             37 candidate indexes, and no set of them is worth its cost under the given limits. \
             1 statement could not be judged and is listed below."
        ),
        "{told}"
    );
    assert!(!told.contains("Recommendations"), "{told}");
    let mut without_candidates = nothing.clone();
    without_candidates.effort.candidates = 0;
    let told = as_text(&without_candidates);
    assert!(
        told.contains("there is no index to consider that does not exist already"),
        "{told}"
    );
    let mut without_queries = nothing;
    without_queries.queries.clear();
    let told = as_text(&without_queries);
    assert!(
        told.contains("no statement of the workload (digests of db1, 1h00m) could be judged"),
        "{told}"
    );
}

#[test]
fn interruption_and_gap_are_told() {
    for (gap, is_proven, sentence) in [
        (
            0.0,
            true,
            "no better choice exists among the candidates: proven",
        ),
        (0.012, true, "can save at most 1.20% more: proven"),
        (0.012, false, "could save up to 1.20% more"),
        (0.0, false, "Not all of its plans were measured"),
        (
            f64::INFINITY,
            false,
            "before anything could be said about better choices",
        ),
    ] {
        let mut advice = fixture::rich();
        advice.optimality.gap = gap;
        advice.optimality.is_proven = is_proven;
        advice.optimality.is_interrupted = !is_proven;
        let told = as_text(&advice);
        assert!(told.contains(sentence), "{told}");
        assert_eq!(told.contains("INTERRUPTED"), !is_proven);
    }
}

#[test]
fn estimates_are_never_called_measured() {
    let mut advice = fixture::rich();
    advice.workload.is_measured = false;
    advice.workload.window = None;
    advice.twin.limits.clear();
    for one in &mut advice.recommendations {
        one.is_proven = false;
        one.write_us_per_second = None;
    }
    for query in &mut advice.queries {
        query.measured = None;
        query.time = None;
    }
    let told = as_text(&advice);
    assert!(
        told.contains(
            "is estimated to cost 725 cost units today and 190 cost units with the changes"
        ),
        "{told}"
    );
    assert!(
        told.contains("all figures for afterwards are estimates"),
        "{told}"
    );
    let claims = told.matches("measured").count();
    let denials = ["not measured", "measured time", "are measured on the twin"];
    let denied: usize = denials
        .iter()
        .map(|words| told.matches(words).count())
        .sum();
    assert_eq!(claims, denied, "{told}");
}

#[test]
fn the_dataless_and_the_replica_tier_are_named() {
    for (tier, words) in [
        (
            Tier::Dataless,
            "tier T0, by MySQL 9.7.5 on a twin without data",
        ),
        (Tier::Replica, "tier T2, by MySQL 9.7.5 on a real server"),
    ] {
        let mut advice = fixture::rich();
        advice.twin.tier = tier;
        assert!(as_text(&advice).contains(words));
    }
}
