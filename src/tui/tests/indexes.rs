//! View 5: keys, news and pictures.

use std::time::Duration;

use insta::assert_snapshot;

use super::fixture;
use super::inventory::{self, asked, changes, choose, read, selected, with, working};
use super::stage::{self, Stage};
use crate::model::feed::{Feed, IndexNews, IndexRequest, Link};
use crate::model::ledger::State;
use crate::tui::columns::Col;
use crate::tui::message::Effect;
use crate::tui::settings::TuiConfig;
use crate::tui::theme::Palette;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

fn names(stage: &Stage) -> Vec<String> {
    (0..stage.model.row_count())
        .filter_map(|n| stage.model.index_entry(n))
        .map(|entry| format!("{:?}", entry.name()))
        .collect()
}

#[test]
fn before_the_first_reading_and_after_a_failure() {
    let mut stage = Stage::played(SMALL, false);
    stage.press("5");
    assert_eq!(asked(&mut stage), [IndexRequest::Read]);
    assert_snapshot!("indexes_reading", stage.text());
    let reason = "access denied for information_schema\x1b[2J; grant SELECT on the schemas";
    stage.feed(Feed::Index(IndexNews::Unread(reason.to_owned())));
    assert_snapshot!("indexes_failed", stage.text());
    // It is not asked again at once, and is on the key.
    stage.time(10);
    assert_eq!(asked(&mut stage), []);
    stage.press("r");
    assert_eq!(asked(&mut stage), [IndexRequest::Read]);
    read(&mut stage, inventory::rich());
    assert!(!stage.text().contains("access denied"), "{}", stage.text());
    // An older reading stays on the screen when one fails.
    stage.feed(Feed::Index(IndexNews::Unread(reason.to_owned())));
    let text = stage.text();
    assert!(
        text.contains("access denied") && text.contains("ix_subnets_zone"),
        "{text}"
    );
}

#[test]
fn the_inventory() {
    for (size, name) in [(SMALL, "80x24"), (LARGE, "120x40"), ((40, 10), "40x10")] {
        let mut stage = with(size, inventory::rich());
        choose(&mut stage, "ix_subnets_vpc_2");
        assert_snapshot!(format!("indexes_{name}"), stage.picture());
        assert_snapshot!(format!("indexes_notes_{name}"), stage.press("n").text());
        assert_snapshot!(
            format!("indexes_detail_{name}"),
            stage.press("<esc><enter>").picture()
        );
    }
}

#[test]
fn the_details_of_an_index_with_a_problem_and_of_a_definition_without_one() {
    let mut stage = with(SMALL, inventory::rich());
    choose(&mut stage, "ix_subnets_zone");
    assert_snapshot!("indexes_edited", stage.press("<enter>").text());
    assert_snapshot!("indexes_edited_end", stage.press("G").text());
    stage.press("<esc>");
    choose(&mut stage, "ix_subnets_vpc_id_state");
    assert_snapshot!("indexes_pending", stage.press("<enter>").text());
}

#[test]
fn hostile_and_endless_names_do_no_harm() {
    for size in [SMALL, LARGE] {
        for name in [
            "ix\x07\x1b]0;owned\x07",
            "ix_with_a_name_of_the_greatest_length_that_mysql_allows_________",
        ] {
            let mut stage = with(size, inventory::rich());
            choose(&mut stage, name);
            let mut screens = vec![stage.text()];
            screens.push(stage.press("n").text());
            screens.push(stage.press("<esc><enter>").text());
            screens.push(stage.press("h").text());
            screens.push(stage.press("<esc>").text());
            for screen in &screens {
                let dirty = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
                assert!(!screen.contains(dirty), "{screen}");
            }
        }
    }
}

#[test]
fn six_thousand_indexes_and_none() {
    for (size, name) in [(SMALL, "80x24"), (LARGE, "120x40")] {
        let mut stage = with(size, inventory::many());
        assert_snapshot!(format!("indexes_many_{name}"), stage.press("G").text());
        stage.press("/db:platform t0001<enter>");
        assert_eq!(stage.model.index_rows.len(), 2);
        let stage = with(size, inventory::none());
        assert_snapshot!(format!("indexes_none_{name}"), stage.text());
    }
}

#[test]
fn without_colour_and_without_unicode() {
    let config = TuiConfig {
        palette: Palette::None,
        ascii: true,
        ..TuiConfig::default()
    };
    let mut stage = Stage::with(SMALL, config).play(false);
    let mut screens = vec![stage.press("5").picture()];
    read(&mut stage, inventory::rich());
    choose(&mut stage, "idx_region");
    screens.push(stage.picture());
    assert_snapshot!("indexes_plain", screens[1]);
    screens.push(stage.press("n").picture());
    screens.push(stage.press("<esc><enter>").picture());
    screens.push(stage.press("s").picture());
    stage.press("show<enter>");
    let change = changes(&mut stage).remove(0);
    working(&mut stage, &change, "waiting for a lock", Some(0.4));
    screens.push(stage.press("<esc>").picture());
    stage::are_plain(&screens);
}

#[test]
fn it_is_read_again_now_and_then_while_the_view_is_open() {
    let mut stage = Stage::played(SMALL, false);
    assert_eq!(asked(&mut stage), []);
    stage.press("5");
    assert_eq!(asked(&mut stage), [IndexRequest::Read]);
    // One reading at a time.
    stage.time(60);
    stage.press("r");
    assert_eq!(asked(&mut stage), []);
    read(&mut stage, inventory::rich());
    stage.time(89);
    assert_eq!(asked(&mut stage), []);
    stage.time(90);
    assert_eq!(asked(&mut stage), [IndexRequest::Read]);
    // Reading that costs the server much is rarer.
    let mut slow = inventory::rich();
    slow.took = Duration::from_millis(900);
    read(&mut stage, slow);
    stage.time(179);
    assert_eq!(asked(&mut stage), []);
    stage.time(180);
    assert_eq!(asked(&mut stage), [IndexRequest::Read]);
    // Not while another view is open, and again when this one is.
    read(&mut stage, inventory::rich());
    stage.press("1");
    stage.time(400);
    assert_eq!(asked(&mut stage), []);
    stage.press("5");
    assert_eq!(asked(&mut stage), [IndexRequest::Read]);
}

#[test]
fn a_server_that_is_down_is_neither_read_nor_changed() {
    let mut stage = with(SMALL, inventory::rich());
    stage.feed(Feed::Link(Link::Down {
        reason: "gone".to_owned(),
        since: fixture::at(8),
        retry_in: Duration::from_secs(1),
    }));
    stage.time(500);
    stage.press("rhsau");
    assert_eq!(asked(&mut stage), []);
    assert!(stage.model.overlay.is_none());
    assert!(stage.text().contains("not connected"), "{}", stage.text());
}

#[test]
fn the_selection_stays_on_the_index_over_sorts_readings_and_its_making() {
    let mut stage = with(LARGE, inventory::rich());
    choose(&mut stage, "ix_subnets_vpc_id_state");
    for _ in 0..9 {
        stage.press(">");
        assert_eq!(selected(&stage), "ix_subnets_vpc_id_state");
    }
    // Its definition is carried out: the row becomes that of an index.
    let mut next = inventory::rich();
    let pending = next
        .inventory
        .definitions
        .iter_mut()
        .find(|d| d.version == 4);
    pending.unwrap().state = State::Applied;
    let mut made = next.inventory.indexes[4].clone();
    made.verdict.index.name = "IX_subnets_vpc_id_state".to_owned();
    next.inventory.indexes.insert(0, made);
    read(&mut stage, next);
    assert_eq!(selected(&stage), "IX_subnets_vpc_id_state");
    assert!(stage.model.chosen_index().unwrap().facts().is_some());
    stage.press("<enter>");
    read(&mut stage, inventory::none());
    assert!(
        stage.text().contains("Not on the screen"),
        "{}",
        stage.text()
    );
    stage.press("a");
    assert!(stage.model.overlay.is_none());
}

#[test]
fn every_column_sorts_and_words_filter() {
    let mut stage = with(LARGE, inventory::rich());
    for col in [
        "table", "index", "columns", "size", "reads", "writes", "flags", "file", "state",
    ] {
        stage.press(&format!(":sort {col}<enter>g"));
        if stage.model.list().descending {
            stage.press("Ig");
        }
        let up: Vec<String> = names(&stage);
        stage.press("Ig");
        let mut down = names(&stage);
        down.reverse();
        // Rows that are equal keep their order, whichever way they are sorted.
        assert_ne!(names(&stage), up, "by {col}");
        down.sort();
        let mut sorted = up.clone();
        sorted.sort();
        assert_eq!(down, sorted, "by {col}");
        assert_snapshot!(format!("indexes_sorted_by_{col}"), up.join("\n"));
    }
    for (words, count) in [
        ("unused", 1),
        ("dup", 1),
        ("pending", 2),
        ("problem", 1),
        ("hidden soaking", 1),
        ("!subnets !vpcs", 3),
        ("0004", 1),
        ("db:cmdb vpc_id", 4),
        ("db:other", 0),
    ] {
        stage.press(&format!(":filter {words}<enter>"));
        assert_eq!(stage.model.index_rows.len(), count, "{words}");
    }
}

#[test]
fn pausing_freezes_the_view_and_not_the_reading() {
    let mut stage = with(SMALL, inventory::rich());
    stage.press("p");
    let table = |stage: &Stage| {
        stage
            .text()
            .lines()
            .skip(3)
            .take(8)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let before = table(&stage);
    read(&mut stage, inventory::none());
    assert_eq!(table(&stage), before);
    stage.press("p");
    assert!(
        stage.text().contains("no index, and no definition"),
        "{}",
        stage.text()
    );
}

#[test]
fn the_statements_are_copied() {
    let mut stage = with(SMALL, inventory::rich());
    choose(&mut stage, "ix_subnets_vpc_id_state");
    stage.press("y");
    assert!(
        matches!(&stage.effects[..], [Effect::Copy(ddl)] if ddl.starts_with("ALTER TABLE `cmdb`.`subnets` ADD INDEX")),
        "{:?}",
        stage.effects
    );
    stage.effects.clear();
    choose(&mut stage, "PRIMARY");
    stage.press("y");
    assert_eq!(stage.effects, []);
    assert_eq!(stage.model.list().sort, Col::IndexTable);
}
