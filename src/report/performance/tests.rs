//! The report over periods by hand.

use std::time::Duration;

use super::*;
use crate::model::performance::fixture;
use crate::model::probe::Slo;
use crate::report::{html, markdown, text};

const TARGETS: Targets = Targets {
    response: Slo {
        quantile: 0.95,
        limit: Duration::from_millis(100),
    },
    events_per_minute: 10_000,
    hit_ratio: 0.99,
    availability: 0.999,
};

const LENGTH: Length = Length { statements: 20 };

fn report(period: &Performance, earlier: Option<&Performance>) -> Document {
    let earlier = earlier.map(|earlier| earlier.summary(500));
    document(period, &levels(period, &TARGETS), earlier.as_ref(), LENGTH)
}

#[test]
fn the_report_as_text_and_as_markdown() {
    let document = report(&fixture::rich(), Some(&fixture::earlier()));
    insta::assert_snapshot!("performance_text", text::render(&document, None));
    insta::assert_snapshot!("performance_markdown", markdown::render(&document));
}

#[test]
fn a_server_that_tells_nothing_still_has_a_report() {
    let document = report(&fixture::silent(), None);
    insta::assert_snapshot!("performance_silent", text::render(&document, Some(100)));
}

#[test]
fn html_has_no_script_whatever_the_server_says() {
    let page = html::render(&report(&fixture::rich(), Some(&fixture::earlier())));
    assert!(!page.contains("<script") && !page.contains('\x1b') && !page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;"));
    assert!(page.contains("<polyline class=\"s3\""));
}

#[test]
fn levels_are_judged_and_what_is_unknown_is_not() {
    let verdicts = |period: &Performance| -> Vec<Option<bool>> {
        levels(period, &TARGETS)
            .iter()
            .map(|level| level.is_met)
            .collect()
    };
    // 100 ms at p95, 24,420 statements a minute, 98.7 % of hits, every poll answered.
    let of_rich = verdicts(&fixture::rich());
    assert_eq!(of_rich[1..], [Some(true), Some(false), Some(true)]);
    let mut late = fixture::rich();
    late.polls = (58, 60);
    assert_eq!(verdicts(&late)[3], Some(false));
    late.polls = (59, 60);
    assert_eq!(verdicts(&late)[3], None);
    late.polls = (9_999, 10_000);
    assert_eq!(verdicts(&late)[3], Some(true));
    assert_eq!(verdicts(&fixture::silent()), [None, None, None, Some(true)]);
}

#[test]
fn changes_in_words() {
    for (measure, then, now, words, worse) in [
        (Measure::Queries, 100.0, 150.0, "+50.0%", false),
        (Measure::P95, 0.1, 0.12, "+20.0%", true),
        (Measure::P95, 0.1, 0.105, "+5.0%", false),
        (Measure::P95, 0.001, 0.02, "x 20", true),
        (Measure::P95, 0.0, 0.0, "=", false),
        (Measure::Errors, 0.0, 2.0, "from nothing", true),
        (Measure::HitRatio, 0.999, 0.981, "-1.800 points", true),
        (Measure::HitRatio, 0.98, 0.999, "+1.900 points", false),
        (Measure::TmpDiskTables, 4.0, 1.0, "-75.0%", false),
    ] {
        assert_eq!(
            change(measure, then, now),
            words,
            "{measure:?} {then} {now}"
        );
        assert_eq!(
            is_worse(measure, then, now),
            worse,
            "{measure:?} {then} {now}"
        );
    }
}

#[test]
fn statements_that_moved_are_named_for_what_they_did() {
    let page = text::render(&report(&fixture::rich(), Some(&fixture::earlier())), None);
    let line = |word: &str| {
        page.lines()
            .find(|line| line.contains(word) && line.contains("  "))
            .unwrap_or_else(|| unreachable!("{word}\n{page}"))
            .to_owned()
    };
    assert!(line("slower, more often").contains("SELECT s.id"), "{page}");
    assert!(line("gone").contains("DELETE FROM flows"), "{page}");
    assert!(line("  new  ").contains("script"), "{page}");
    // What an earlier list has no room for is not called new.
    let mut cut = fixture::earlier().summary(1);
    cut.statement_count = 3;
    let document = document(&fixture::rich(), &[], Some(&cut), LENGTH);
    assert!(text::render(&document, None).contains("not listed then"));
}
