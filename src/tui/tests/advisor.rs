//! View 6: keys, news and pictures.

use insta::assert_snapshot;

use super::advice;
use super::desk::{LARGE, SMALL, advised, asked, done, selected, working};
use super::fixture;
use super::stage::{self, Stage};
use crate::model::advice::Advice;
use crate::model::feed::{AdvisorNews, AdvisorRequest, Feed, Request};
use crate::tui::columns::Col;
use crate::tui::message::{Effect, Message};
use crate::tui::model::View;

#[test]
fn before_the_first_run_and_at_work() {
    for (size, name) in [(SMALL, "80x24"), (LARGE, "120x40"), ((40, 10), "40x10")] {
        let mut stage = Stage::played(size, false);
        assert_snapshot!(format!("advisor_before_{name}"), stage.press("6").picture());
        stage.press("a");
        assert_eq!(asked(&mut stage), [AdvisorRequest::Advise(None)]);
        stage.time(81);
        working(
            &mut stage,
            "asking the optimizer about 164 candidates",
            Some(0.43),
        );
        assert_snapshot!(format!("advisor_working_{name}"), stage.picture());
    }
}

#[test]
fn a_run_that_failed_tells_why() {
    let mut stage = Stage::played(SMALL, false);
    stage.press("6a");
    let reason = "no `mysqld` found; install one with `mydex sandbox install`\x1b[2J";
    stage.feed(Feed::Advisor(AdvisorNews::Failed(reason.to_owned())));
    assert_snapshot!("advisor_failed", stage.picture());
    // The next run forgets it.
    stage.press("a");
    assert!(
        !stage.text().contains("no `mysqld` found"),
        "{}",
        stage.text()
    );
    // An older advice stays on the screen when a run fails.
    done(&mut stage, advice::rich());
    stage.press("a");
    stage.feed(Feed::Advisor(AdvisorNews::Failed(reason.to_owned())));
    assert_snapshot!("advisor_failed_with_older_advice", stage.text());
}

#[test]
fn the_advice() {
    for (size, name) in [(SMALL, "80x24"), (LARGE, "120x40"), ((40, 10), "40x10")] {
        let (mut stage, _) = advised(size, advice::rich());
        assert_snapshot!(format!("advice_{name}"), stage.picture());
        assert_snapshot!(format!("advice_notes_{name}"), stage.press("n").text());
        assert_snapshot!(
            format!("advice_detail_{name}"),
            stage.press("<esc><enter>").picture()
        );
    }
}

#[test]
fn hostile_and_endless_names_do_no_harm() {
    for size in [SMALL, LARGE] {
        let (mut stage, _) = advised(size, advice::rich());
        for (down, name) in [("jj", "endless"), ("j", "hostile")] {
            stage.press(down);
            let table = stage.text();
            stage.press("<enter>");
            let detail = stage.text();
            stage.press("w");
            let question = stage.text();
            stage.press("<esc><esc>");
            for screen in [&table, &detail, &question] {
                let dirty = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
                assert!(!screen.contains(dirty), "{screen}");
            }
            if size == SMALL {
                assert_snapshot!(format!("advice_{name}_detail"), detail);
                assert_snapshot!(format!("advice_{name}_question"), question);
            }
        }
    }
}

#[test]
fn sixty_recommendations_and_none() {
    for (size, name) in [(SMALL, "80x24"), (LARGE, "120x40")] {
        let (mut stage, _) = advised(size, advice::many());
        assert_snapshot!(format!("advice_many_{name}"), stage.press("G").text());
        stage.press("/platform !t01<enter>");
        assert_eq!(stage.model.advice_rows.len(), 29);
        let (stage, _) = advised(size, advice::none());
        assert_snapshot!(format!("advice_none_{name}"), stage.text());
    }
}

#[test]
fn without_colour_and_without_unicode() {
    let mut stage = Stage::plain(SMALL).play(false);
    let mut screens = vec![stage.press("6").picture()];
    stage.press("a");
    working(&mut stage, "sampling rows", Some(0.2));
    screens.push(stage.picture());
    done(&mut stage, advice::rich());
    screens.push(stage.picture());
    assert_snapshot!("advice_plain", screens[2]);
    screens.push(stage.press("n").picture());
    screens.push(stage.press("<esc><enter>").picture());
    screens.push(stage.press("G").picture());
    stage::are_plain(&screens);
}

#[test]
fn older_advice_stays_while_a_new_run_works() {
    let (mut stage, _) = advised(SMALL, advice::rich());
    stage.press("a");
    assert_eq!(asked(&mut stage), [AdvisorRequest::Advise(None)]);
    working(&mut stage, "reading digests", None);
    let text = stage.text();
    assert!(text.contains("reading digests"), "{text}");
    assert!(text.contains("2m00s ago"), "{text}");
    assert!(text.contains("vpc_id, state"), "{text}");
    // A second run is refused, here and from the queries.
    stage.press("a2A");
    assert_eq!(asked(&mut stage), []);
    stage.says("at work");
    assert_eq!(stage.model.view, View::Queries);
    stage.press("6ss");
    assert_eq!(asked(&mut stage), [AdvisorRequest::Stop]);
    stage.says("best answer so far");
    done(&mut stage, advice::many());
    assert!(stage.model.advisor.run.is_none());
    stage.press("s");
    assert_eq!(asked(&mut stage), []);
    stage.says("not at work");
}

#[test]
fn one_statement_is_advised_from_the_queries() {
    let mut stage = Stage::played(SMALL, false);
    stage.press("2j");
    let key = stage.model.query_rows[1].key.clone();
    stage.press("A");
    assert_eq!(
        asked(&mut stage),
        [AdvisorRequest::Advise(Some(key.clone()))]
    );
    assert_eq!(stage.model.view, View::Advisor);
    stage.says("At work for the statement");
    done(&mut stage, advice::rich());
    stage.says("one statement");
    // From the detail of a digest, too.
    stage.press("2<enter>A");
    assert_eq!(asked(&mut stage), [AdvisorRequest::Advise(Some(key))]);
    assert_eq!(stage.model.view, View::Advisor);
    assert!(stage.model.detail.is_none());
}

#[test]
fn the_selection_stays_on_the_recommendation_over_sorts_and_runs() {
    let (mut stage, _) = advised(LARGE, advice::rich());
    stage.press("j");
    assert_eq!(selected(&stage), "ix_vpcs_tags");
    stage.press(">>>");
    assert_eq!(stage.model.list().sort, Col::Size);
    assert_eq!(selected(&stage), "ix_vpcs_tags");
    let mut next = advice::rich();
    next.recommendations.reverse();
    // Names of new indexes may change from run to run, what they index tells them apart.
    next.recommendations[3].index.name = "ix_other".to_owned();
    done(&mut stage, next);
    assert_eq!(selected(&stage), "ix_other");
    stage.press("<enter>");
    let mut next = advice::rich();
    next.recommendations.remove(1);
    done(&mut stage, next);
    assert!(stage.model.chosen_recommendation().is_none());
    stage.says("No longer recommended");
    stage.press("w");
    assert!(stage.model.overlay.is_none());
}

#[test]
fn every_column_sorts() {
    let (mut stage, _) = advised(LARGE, advice::rich());
    for (col, first) in [
        ("action", "ix_subnets_vpc_id_state"),
        ("table", "ix\x07\x1b]0;owned\x07"),
        (
            "size",
            "ix_with_a_name_of_the_greatest_length_that_mysql_allows_________",
        ),
        ("hurts", "ix_subnets_vpc_id_state"),
        ("lock", "ix_subnets_vpc_id_state"),
        ("proof", "ix\x07\x1b]0;owned\x07"),
        ("write-cost", "ix_subnets_vpc_id_state"),
        (
            "build",
            "ix_with_a_name_of_the_greatest_length_that_mysql_allows_________",
        ),
        ("gain", "ix_subnets_vpc_id_state"),
    ] {
        stage.press(&format!(":sort {col}<enter>g"));
        assert_eq!(selected(&stage), first, "by {col}");
    }
    stage.press("I");
    stage.press("g");
    assert_eq!(selected(&stage), "idx_region");
}

#[test]
fn pausing_freezes_the_advice_and_not_the_run() {
    let (mut stage, _) = advised(SMALL, advice::rich());
    stage.press("pa");
    working(&mut stage, "reading digests", None);
    stage.says("reading digests");
    done(&mut stage, advice::none());
    stage.says("vpc_id, state");
    stage.says("the screen is frozen");
    stage.press("p");
    stage.says("no change of the indexes");
}

#[test]
fn a_run_that_could_not_be_asked_for_is_no_run() {
    let mut stage = Stage::played(SMALL, false);
    stage.press("6a");
    stage.tell(Message::Refused(Request::Advisor(AdvisorRequest::Advise(
        None,
    ))));
    assert!(stage.model.advisor.run.is_none());
    stage.says("busy");
    // Another request that is refused leaves a run alone.
    stage.press("a");
    stage.tell(Message::Refused(Request::RefreshNow));
    assert!(stage.model.advisor.run.is_some());
}

#[test]
fn the_statements_are_copied_and_the_detail_scrolls_to_the_plans() {
    let (mut stage, _) = advised(SMALL, advice::rich());
    stage.press("y");
    assert!(
        matches!(&stage.effects[..], [Effect::Copy(ddl)] if ddl.starts_with("ALTER TABLE `cmdb`.`subnets`")),
        "{:?}",
        stage.effects
    );
    stage.press("<enter>G");
    assert_snapshot!("advice_detail_end", stage.text());
    stage.says("Index lookup on s");
    stage.press("k<esc>");
    assert!(stage.model.sheet.is_none());
    stage.press("j<enter>");
    let column = "tag_list\\x07 json as (`tags` -> '$.list'), made before it";
    stage.says(column);
}

#[test]
fn advice_that_comes_while_another_view_is_open_is_told() {
    let mut stage = Stage::played(SMALL, false);
    stage.press("6a1");
    done(&mut stage, advice::rich());
    stage.says("the advisor has 5 recommendations; view 6 shows them");
    assert_eq!(stage.model.live.advice.as_ref().unwrap().at, fixture::at(7));
}

/// An advice as large as one can be.
fn endless() -> Advice {
    let mut advice = advice::rich();
    let mut query = advice.queries[0].clone();
    let list = "12345, ".repeat(5_000);
    let plan = format!("-> Filter: (s.id in ({list}))\n").repeat(100);
    query.plans = Some((plan.clone(), format!("{plan}-> end")));
    query.fingerprint = "SELECT a FROM b ".repeat(10_000);
    advice.queries = vec![query; 300];
    advice.recommendations[0].effects = (0..300).map(|n| (n, 0.5)).collect();
    advice
}

#[test]
fn what_has_no_bound_is_cut_and_counted() {
    let (mut stage, _) = advised(LARGE, endless());
    stage.press("<enter>G");
    let text = stage.text();
    assert!(
        text.contains("more plans; `mydex advise` prints all"),
        "{text}"
    );
    let last = stage.model.sheet.as_ref().unwrap().scroll;
    // A frame has to stay cheap: this is what is laid out for it.
    assert!((300..2_000).contains(&last), "{last}");
}
