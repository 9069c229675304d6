//! Whole screens, with their colours, compared with the reviewed ones.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;

use super::fixture;
use super::stage::Stage;
use crate::model::feed::{Feed, Link};
use crate::model::interval::Discontinuity;
use crate::tui::settings::TuiConfig;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);
const TINY: (u16, u16) = (40, 10);

#[test]
fn every_view_at_80x24() {
    let mut stage = Stage::played(SMALL, true);
    assert_snapshot!("overview_80x24", stage.picture());
    assert_snapshot!("queries_80x24", stage.press("2").picture());
    assert_snapshot!("sessions_80x24", stage.press("3").picture());
    assert_snapshot!("pool_80x24", stage.press("7").picture());
}

#[test]
fn every_view_at_120x40() {
    let mut stage = Stage::played(LARGE, true);
    assert_snapshot!("overview_120x40", stage.picture());
    assert_snapshot!("queries_120x40", stage.press("2").picture());
    assert_snapshot!("sessions_120x40", stage.press("3i").picture());
    assert_snapshot!("pool_120x40", stage.press("7").picture());
}

#[test]
fn every_view_at_40x10() {
    let mut stage = Stage::played(TINY, true);
    assert_snapshot!("overview_40x10", stage.text());
    assert_snapshot!("queries_40x10", stage.press("2").text());
    assert_snapshot!("sessions_40x10", stage.press("3").text());
    assert_snapshot!("pool_40x10", stage.press("7").text());
}

#[test]
fn too_small_is_one_sentence() {
    let stage = Stage::played((30, 5), false);
    assert_eq!(
        stage.text().trim_end(),
        "mydex needs 40x10; this\nterminal has 30x5"
    );
}

#[test]
fn the_detail_pane() {
    for (size, name) in [(SMALL, "detail_80x24"), ((160, 50), "detail_160x50")] {
        let mut stage = Stage::played(size, false);
        stage.press("2<enter>");
        stage.says("reading plan");
        stage.feed(Feed::Detail {
            key: fixture::key(0),
            result: Ok(Arc::new(fixture::detail(0))),
        });
        assert_snapshot!(name, stage.picture());
        stage.press("e");
        stage.says("Table scan on s");
    }
}

#[test]
fn the_overlays() {
    let mut stage = Stage::played(SMALL, false);
    assert_snapshot!("help", stage.press("3?").text());
    assert_snapshot!("kill_question", stage.press("<esc>x").picture());
    assert_snapshot!(
        "kill_of_several",
        stage.press("<esc><esc><space><space>X").text()
    );
    assert_snapshot!("palette", stage.press("<esc>:theme").text());
    assert_snapshot!("columns", stage.press("<esc>c").text());
    assert_snapshot!("filter_line", stage.press("<esc>/user:app !select").text());
    assert_snapshot!("session", stage.press("<enter><enter>").text());
}

#[test]
fn without_colour_and_without_unicode() {
    let mut stage = Stage::plain(SMALL).play(true);
    let screens = ["1", "2", "3", "7"].map(|key| stage.press(key).picture());
    for screen in &screens {
        assert!(screen.is_ascii(), "{screen}");
        // No run of styles names a colour.
        let legend: Vec<&str> = screen
            .lines()
            .filter(|line| line.as_bytes().get(1..4) == Some(b" = "))
            .collect();
        assert!(legend.len() > 2);
        assert!(
            legend.iter().all(|line| line.contains("- on -")),
            "{legend:?}"
        );
    }
    assert_snapshot!("overview_plain", screens[0]);
    assert_snapshot!("pool_plain", screens[3]);
}

#[test]
fn the_light_theme() {
    let mut stage = Stage::played(SMALL, true);
    stage.press(":theme light<enter>2");
    assert_snapshot!("queries_light", stage.picture());
}

#[test]
fn the_start_shows_its_steps() {
    let config = TuiConfig {
        title: "mydex demo".to_owned(),
        steps: vec!["starting MySQL".to_owned()],
        ..TuiConfig::default()
    };
    let mut stage = Stage::with(SMALL, config);
    stage.feed(Feed::Notice("loading data 43 %".to_owned()));
    assert_snapshot!("start", stage.text());
}

#[test]
fn a_server_that_hangs_goes_down_and_comes_back() {
    let mut stage = Stage::played(SMALL, false);
    stage.time(10);
    stage.feed(Feed::Link(Link::Stalled(Duration::from_secs(3))));
    assert_snapshot!("stalled", stage.picture());
    stage.feed(Feed::Link(Link::Down {
        reason: "connection refused (os error 111)".to_owned(),
        since: fixture::at(10),
        retry_in: Duration::from_secs(4),
    }));
    stage.time(12);
    assert_snapshot!("down", stage.text());
    stage.time(20);
    stage.feed(Feed::Link(Link::Up(fixture::facts())));
    stage.feed(Feed::Break {
        why: Discontinuity::Restarted {
            uptime: Duration::from_secs(3),
        },
        unseen: Duration::from_secs(12),
    });
    stage.feed(Feed::Interval(fixture::interval(20)));
    assert_snapshot!("restarted", stage.text());
}

#[test]
fn a_load_without_a_server_and_a_server_without_a_load() {
    let mut only_load = Stage::new(SMALL);
    only_load.time(0);
    only_load.feed(Feed::Load(Arc::new(fixture::load(0))));
    assert!(
        only_load
            .press("1")
            .text()
            .contains("no figures of the server yet")
    );
    assert!(only_load.press("7").text().contains("vpcs_by_tag"));
    assert!(only_load.text().contains("no server"));
    let mut only_server = Stage::played(SMALL, false);
    assert_snapshot!("pool_without_load", only_server.press("7").text());
}
