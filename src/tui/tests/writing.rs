//! View 6: definitions that are written, after a question.

use std::sync::Arc;

use insta::assert_snapshot;

use super::advice;
use super::desk::{SMALL, advised, asked, done};
use super::stage::Stage;
use crate::model::feed::{AdvisorNews, AdvisorRequest, Feed, Request};
use crate::tui::message::Message;
use crate::tui::model::Mark;
use crate::tui::settings::TuiConfig;

#[test]
fn a_definition_is_asked_for_and_only_y_confirms() {
    let (mut stage, advice) = advised(SMALL, advice::rich());
    stage.press("jw");
    assert_snapshot!("advice_write_question", stage.picture());
    stage.press("n");
    assert_eq!(asked(&mut stage), []);
    stage.says("nothing was written");
    stage.press("w<esc>");
    stage.says("nothing was written");
    stage.press("wy");
    let request = AdvisorRequest::WriteDefinition {
        advice: Arc::clone(&advice),
        recommendation: 1,
    };
    assert_eq!(asked(&mut stage), std::slice::from_ref(&request));
    // While it is being written it is not asked for again.
    stage.press("w");
    assert!(stage.model.overlay.is_none());
    // A request that found no room is as if it was not made.
    stage.tell(Message::Refused(Request::Advisor(request)));
    stage.press("w");
    assert!(stage.model.overlay.is_some());
    stage.press("y");
    let answer = |recommendation, result: Result<&str, &str>| {
        Feed::Advisor(AdvisorNews::Written {
            advice: Arc::clone(&advice),
            recommendation,
            result: result.map(str::to_owned).map_err(str::to_owned),
        })
    };
    stage.feed(answer(1, Ok("indexes/0004_vpcs_tags.toml")));
    stage.feed(answer(3, Err("folder `indexes` is read-only")));
    let marks = &stage.model.live.advice.as_ref().unwrap().marks;
    assert_eq!(
        marks.get(&1),
        Some(&Mark::Written("indexes/0004_vpcs_tags.toml".to_owned()))
    );
    assert!(matches!(marks.get(&3), Some(Mark::Refused(_))));
    assert_snapshot!("advice_written", stage.picture());
    stage.effects.clear();
    stage.press("w");
    stage.says("already written");
    assert_eq!(asked(&mut stage), []);
}

#[test]
fn an_answer_about_an_older_advice_marks_nothing_of_the_new_one() {
    let (mut stage, older) = advised(SMALL, advice::rich());
    stage.press("w");
    done(&mut stage, advice::many());
    // The question stays about what was on the screen when it was asked.
    stage.press("y");
    assert_eq!(
        asked(&mut stage),
        [AdvisorRequest::WriteDefinition {
            advice: Arc::clone(&older),
            recommendation: 0,
        }]
    );
    stage.feed(Feed::Advisor(AdvisorNews::Written {
        advice: older,
        recommendation: 0,
        result: Ok("indexes/0001_x.toml".to_owned()),
    }));
    stage.says("indexes/0001_x.toml");
    assert!(stage.model.live.advice.as_ref().unwrap().marks.is_empty());
}

#[test]
fn read_only_refuses_nothing_here() {
    let config = TuiConfig {
        read_only: true,
        ..TuiConfig::default()
    };
    let mut stage = Stage::with(SMALL, config).play(false);
    stage.press("6a");
    assert_eq!(asked(&mut stage), [AdvisorRequest::Advise(None)]);
    done(&mut stage, advice::rich());
    stage.press("wy");
    assert!(matches!(
        asked(&mut stage)[..],
        [AdvisorRequest::WriteDefinition {
            recommendation: 0,
            ..
        }]
    ));
}
