//! View 5: what is asked before a change, and what becomes of it.

use insta::assert_snapshot;

use super::inventory::{self, asked, changes, choose, ended, read, with, working};
use super::stage::Stage;
use crate::model::feed::{IndexChange, IndexRequest, Request};
use crate::model::ledger::State;
use crate::tui::message::Message;
use crate::tui::model::View;
use crate::tui::settings::TuiConfig;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

#[test]
fn a_definition_is_applied_after_a_typed_word_only() {
    let mut stage = with(SMALL, inventory::rich());
    choose(&mut stage, "ix_subnets_vpc_id_state");
    stage.press("a");
    assert_snapshot!("indexes_apply_question", stage.picture());
    stage.press("y<enter>");
    assert_eq!(changes(&mut stage), []);
    assert!(
        stage.text().contains("nothing was changed"),
        "{}",
        stage.text()
    );
    stage.press("aapply 5<enter>");
    assert_eq!(changes(&mut stage), []);
    stage.press("a<esc>");
    assert_eq!(changes(&mut stage), []);
    stage.press("aapply 4<enter>");
    let made = changes(&mut stage);
    let [
        IndexChange::Apply {
            definition: one,
            statements,
        },
    ] = made.as_slice()
    else {
        panic!("{made:?}");
    };
    assert_eq!((one.version, one.state), (4, State::Pending));
    assert!(statements[0].contains("ADD INDEX"), "{statements:?}");
    working(
        &mut stage,
        &made[0],
        "building the index, invisible",
        Some(0.43),
    );
    stage.time(40);
    assert_snapshot!("indexes_working_80x24", stage.picture());
    // One change at a time, and no reading meanwhile.
    stage.press("ahrx");
    assert!(stage.model.overlay.is_none());
    let requests = asked(&mut stage);
    assert_eq!(requests, [IndexRequest::Read, IndexRequest::Stop]);
    stage.press("x");
    assert_eq!(asked(&mut stage), []);
    assert!(
        stage.text().contains("ending at a safe point"),
        "{}",
        stage.text()
    );
    ended(
        &mut stage,
        &made[0],
        Ok("index ix_subnets_vpc_id_state is visible, in 4.2s"),
    );
    assert!(
        stage.text().contains("is visible, in 4.2s"),
        "{}",
        stage.text()
    );
    // The reading that was under way is from before the end.
    read(&mut stage, inventory::rich());
    assert_eq!(asked(&mut stage), [IndexRequest::Read]);
}

#[test]
fn a_failure_is_told_on_any_view() {
    let mut stage = with(LARGE, inventory::rich());
    choose(&mut stage, "ix_subnets_vpc_id_state");
    stage.press("aapply 4<enter>2");
    let made = changes(&mut stage);
    ended(
        &mut stage,
        &made[0],
        Err("the disk has room for 12MiB, the index needs 24MiB"),
    );
    assert_eq!(stage.model.view, View::Queries);
    assert!(
        stage.text().contains("the disk has room for 12MiB"),
        "{}",
        stage.text()
    );
    assert!(stage.model.indexes.run.is_none());
    assert_eq!(asked(&mut stage), []);
    stage.press("5");
    assert_eq!(asked(&mut stage), [IndexRequest::Read]);
}

#[test]
fn what_can_be_asked_depends_on_the_state() {
    let mut stage = with(SMALL, inventory::rich());
    for (name, key, expected) in [
        ("ix_subnets_zone", "a", "is applied already"),
        ("ix_subnets_zone", "u", "roll back 2"),
        ("ix_subnets_zone", "s", "is visible already"),
        ("ix_subnets_zone", "h", "type `hide`"),
        ("ix_subnets_vpc", "a", "no definition of this index"),
        ("ix_subnets_vpc", "u", "no definition of this index"),
        ("PRIMARY", "h", "does not let PRIMARY be hidden"),
        ("idx_region", "h", "is hidden already"),
        ("idx_region", "s", "type `show`"),
        ("idx_region", "a", "apply 3"),
        ("idx_region", "u", "roll back 3"),
        ("ix_hosts_rack", "a", "Its file is gone"),
        ("ix_hosts_rack", "u", "is rolled back"),
        ("ix_hosts_rack", "h", "is not there"),
        ("ix_vpcs_owner", "a", "though it did not keep its promise"),
        ("ix_subnets_vpc_2", "u", "is pending"),
    ] {
        choose(&mut stage, name);
        let text = stage.press(key).text();
        assert!(text.contains(expected), "{name} {key}: {text}");
        stage.press("<esc>");
    }
    assert_eq!(changes(&mut stage), []);
    choose(&mut stage, "ix_subnets_zone");
    stage.press("uroll back 2<enter>");
    let made = changes(&mut stage);
    assert!(
        matches!(&made[..], [IndexChange::RollBack { definition, now: false }]
            if definition.version == 2),
        "{made:?}"
    );
    ended(&mut stage, &made[0], Ok("index ix_subnets_zone is hidden"));
    stage.press("uroll back 2 now<enter>");
    let made = changes(&mut stage);
    assert!(
        matches!(&made[..], [IndexChange::RollBack { definition, now: true }]
            if definition.version == 2),
        "{made:?}"
    );
}

#[test]
fn hiding_says_what_it_sends() {
    let mut stage = with(SMALL, inventory::rich());
    choose(&mut stage, "ix_subnets_vpc_2");
    assert_snapshot!("indexes_hide_question", stage.press("h").text());
    stage.press("hide<enter>");
    let made = changes(&mut stage);
    assert!(
        matches!(&made[..], [IndexChange::Hide { table, index }]
            if table.name == "subnets" && index.name == "ix_subnets_vpc_2" && index.is_visible),
        "{made:?}"
    );
    // A request that found no room is as if it was not made.
    stage.tell(Message::Refused(Request::Index(IndexRequest::Change(
        made[0].clone(),
    ))));
    assert!(stage.model.indexes.run.is_none());
    assert!(stage.text().contains("busy"), "{}", stage.text());
}

#[test]
fn read_only_refuses_every_change() {
    let config = TuiConfig {
        read_only: true,
        ..TuiConfig::default()
    };
    let mut stage = Stage::with(SMALL, config).play(false);
    stage.press("5");
    read(&mut stage, inventory::rich());
    stage.effects.clear();
    for name in ["ix_subnets_vpc_id_state", "idx_region", "ix_subnets_zone"] {
        choose(&mut stage, name);
        for key in ["a", "u", "h", "s"] {
            stage.press(key);
            assert!(stage.model.overlay.is_none());
            assert!(
                stage.text().contains("read-only: mydex was told"),
                "{}",
                stage.text()
            );
        }
    }
    assert_eq!(asked(&mut stage), []);
    assert!(!stage.text().lines().last().unwrap().contains("hide"));
}
