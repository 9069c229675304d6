//! Keys in, state and effects out.

use std::time::Duration;

use super::fixture;
use super::stage::Stage;
use crate::model::feed::{Feed, KillScope, Link, Request};
use crate::tui::columns::Col;
use crate::tui::message::{Effect, Message, Target};
use crate::tui::model::View;
use crate::tui::settings::TuiConfig;

fn requests(stage: &mut Stage) -> Vec<Request> {
    stage
        .effects
        .drain(..)
        .filter_map(|effect| match effect {
            Effect::Request(request) => Some(request),
            _ => None,
        })
        .collect()
}

#[test]
fn the_selection_stays_on_its_row() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("2jjj");
    let chosen = stage.model.row_key(stage.model.cursor().unwrap());
    stage.press(">>>");
    assert_ne!(stage.model.cursor(), Some(3), "the order did not change");
    assert_eq!(stage.model.row_key(stage.model.cursor().unwrap()), chosen);
    stage.second(8, false);
    assert_eq!(stage.model.row_key(stage.model.cursor().unwrap()), chosen);
}

#[test]
fn escape_backs_out_and_never_quits() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("2/vpcs<enter>zp?");
    for _ in 0..20 {
        stage.press("<esc>");
    }
    assert!(stage.effects.is_empty(), "{:?}", stage.effects);
    assert!(stage.model.list().filter.is_empty());
    assert!(stage.model.frozen.is_none() && !stage.model.maximised);
    stage.press("q");
    assert_eq!(stage.effects, [Effect::Quit]);
}

#[test]
fn moving_up_at_the_first_session_explains_and_never_kills() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("3kkk");
    assert!(stage.effects.is_empty());
    assert!(stage.model.overlay.is_none());
    stage.says("x kills a query");
}

#[test]
fn a_kill_is_asked_for_and_only_y_confirms() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("3x");
    stage.says("4803  app@");
    assert!(stage.effects.is_empty());
    stage.press("<enter>");
    assert!(stage.effects.is_empty());
    stage.press("xn");
    assert!(stage.effects.is_empty());
    stage.press("xy");
    let requests = requests(&mut stage);
    let [Request::Kill(target)] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(target.id.connection, 4_803);
    assert_eq!(target.scope, KillScope::Query);
    assert_eq!(target.user.as_deref(), Some("app"));
    assert!(
        target
            .statement
            .as_deref()
            .unwrap()
            .starts_with("UPDATE subnets")
    );
}

#[test]
fn a_kill_of_several_wants_a_typed_word() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("3<space><space>X");
    stage.says("type `end 2`");
    stage.press("y<enter>");
    assert!(stage.effects.is_empty());
    stage.press("Xend 2<enter>");
    let ids: Vec<u64> = requests(&mut stage)
        .iter()
        .map(|request| match request {
            Request::Kill(target) => target.id.connection,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [4_802, 4_803]);
    stage.press("U");
    assert!(stage.model.tags.is_empty());
}

#[test]
fn idle_sessions_have_no_query_to_kill_and_read_only_refuses() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("3/sync_job<enter>x");
    assert!(stage.model.overlay.is_none());
    stage.says("runs no statement");
    let config = TuiConfig {
        read_only: true,
        ..TuiConfig::default()
    };
    let mut stage = Stage::with((80, 24), config).play(false);
    stage.press("3xyX");
    assert!(requests(&mut stage).is_empty());
    stage.says("read-only");
}

#[test]
fn a_server_that_is_down_is_not_asked_to_kill() {
    let mut stage = Stage::played((80, 24), false);
    stage.feed(Feed::Link(Link::Down {
        reason: "gone".to_owned(),
        since: fixture::at(8),
        retry_in: Duration::from_secs(1),
    }));
    stage.press("3xy");
    assert!(requests(&mut stage).is_empty());
}

#[test]
fn pausing_freezes_the_screen_and_not_the_collection() {
    let mut stage = Stage::played((80, 24), true);
    stage.press("1p");
    let frozen = stage.text();
    assert!(frozen.contains("PAUSED 10:42:07"), "{frozen}");
    let body = |screen: &str| {
        screen
            .lines()
            .skip(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for second in 8..12 {
        stage.second(second, true);
    }
    assert_eq!(body(&stage.text()), body(&frozen));
    assert_eq!(
        stage.model.live.interval.as_ref().unwrap().to,
        fixture::at(11)
    );
    stage.press("p");
    stage.says("10:42:11");
}

#[test]
fn a_filter_works_while_it_is_typed() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("2/json");
    assert_eq!(stage.model.query_rows.len(), 1);
    stage.press("<backspace><backspace><backspace><backspace>!select");
    assert_eq!(stage.model.query_rows.len(), 3);
    stage.press("<esc>");
    assert_eq!(stage.model.query_rows.len(), 10);
    stage.press("3i/user:web<enter>");
    assert!(stage.model.session_rows.len() > 5);
    stage.press("/<backspace><backspace><backspace>nobody<enter>");
    stage.says("no row passes the filter");
}

#[test]
fn sorting_by_keys_by_name_and_by_mouse() {
    let mut stage = Stage::played((120, 40), false);
    stage.press("2");
    assert_eq!(stage.model.list().sort, Col::Load);
    stage.press("<");
    assert_eq!(stage.model.list().sort, Col::Statement);
    stage.press(":sort calls<enter>");
    let calls: Vec<u64> = stage
        .model
        .query_rows
        .iter()
        .map(|r| r.counters.calls)
        .collect();
    assert!(calls.windows(2).all(|pair| pair[0] >= pair[1]), "{calls:?}");
    stage.press("I");
    let calls: Vec<u64> = stage
        .model
        .query_rows
        .iter()
        .map(|r| r.counters.calls)
        .collect();
    assert!(calls.windows(2).all(|pair| pair[0] <= pair[1]), "{calls:?}");
    let (buffer, hits) = stage.draw();
    let header = (0..buffer.area.width)
        .find(|x| hits.at(*x, 3) == Some(Target::Header(Col::Avg)))
        .unwrap();
    stage.tell(Message::Click(hits.at(header, 3).unwrap()));
    assert_eq!(stage.model.list().sort, Col::Avg);
    assert_eq!(hits.at(3, 6), Some(Target::Row(2)));
    stage.tell(Message::Click(Target::Row(2)));
    assert_eq!(stage.model.cursor(), Some(2));
    stage.tell(Message::Wheel(3));
    assert_eq!(stage.model.cursor(), Some(5));
    stage.tell(Message::Click(Target::Tab(View::Pool)));
    assert_eq!(stage.model.view, View::Pool);
}

#[test]
fn the_interval_is_asked_of_the_collectors() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("+--:interval 250ms<enter>R");
    let second = Duration::from_secs(1);
    assert_eq!(
        requests(&mut stage),
        [
            Request::SetInterval(second * 2),
            Request::SetInterval(second),
            Request::SetInterval(second / 2),
            Request::SetInterval(second / 4),
            Request::RefreshNow,
        ]
    );
    stage.press(":interval 1h<enter>");
    assert!(stage.effects.is_empty());
    stage.says("no interval");
}

#[test]
fn totals_start_anew_with_a_key() {
    let mut stage = Stage::played((80, 24), true);
    stage.press("2t");
    let before = stage.model.query_rows[0].counters.calls;
    stage.says("since 10:41:15");
    stage.press("0");
    assert!(stage.model.query_rows.is_empty());
    stage.second(8, true);
    let after = stage.model.query_rows[0].counters.calls;
    assert!(after < before, "{after} {before}");
    stage.says("since 10:42:07");
    assert!(stage.effects.is_empty(), "nothing is reset on the server");
}

#[test]
fn following_keeps_the_place_of_a_row_that_is_gone() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("3jjF");
    let gone = stage
        .model
        .session(stage.model.cursor().unwrap())
        .unwrap()
        .id
        .clone();
    stage.press("/!reporting<enter>");
    assert_eq!(stage.model.cursor(), None, "another row was taken");
    stage.press("xy");
    assert!(
        requests(&mut stage).is_empty(),
        "another session was killed"
    );
    stage.press("/<backspace><enter>");
    for _ in 0..12 {
        stage.press("/<backspace><enter>");
    }
    let back = stage
        .model
        .cursor()
        .and_then(|n| stage.model.session(n))
        .unwrap();
    assert_eq!(back.id, gone);
}

#[test]
fn copying_gives_the_statement_to_the_terminal() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("2y");
    let [Effect::Copy(text)] = stage.effects.as_slice() else {
        panic!("{:?}", stage.effects);
    };
    assert!(text.starts_with("SELECT `s` . `id`"), "{text}");
}

#[test]
fn opening_a_digest_asks_for_its_detail_and_an_old_answer_is_dropped() {
    let mut stage = Stage::played((80, 24), false);
    stage.press("2<enter>");
    assert_eq!(requests(&mut stage), [Request::Detail(fixture::key(0))]);
    stage.feed(Feed::Detail {
        key: fixture::key(4),
        result: Err("too old".to_owned()),
    });
    assert!(!stage.text().contains("too old"));
    stage.feed(Feed::Detail {
        key: fixture::key(0),
        result: Err("the server refused EXPLAIN".to_owned()),
    });
    assert!(stage.text().contains("the server refused EXPLAIN"));
    stage.press("<esc>");
    assert!(stage.model.detail.is_none());
}

#[test]
fn scrolling_beyond_the_end_is_forgotten() {
    let mut stage = Stage::played((80, 24), false);
    let top = stage.press("?").text();
    stage.press("G");
    let end = stage.text();
    assert_ne!(top, end);
    stage.press("jjjjjjjjk");
    assert_ne!(stage.text(), end, "one step up is seen at once");
    assert_eq!(stage.press("g").text(), top);
    stage.press("<esc>2<enter>");
    stage.feed(Feed::Detail {
        key: fixture::key(0),
        result: Ok(std::sync::Arc::new(fixture::detail(0))),
    });
    let plan = stage.press("e").text();
    assert!(
        plan.contains("Table scan on s") && !plan.contains("Sample took"),
        "{plan}"
    );
    let above = stage.press("k").text();
    assert!(
        above.contains("Table scan on s"),
        "the plan was left: {above}"
    );
}

#[test]
fn a_paste_presses_no_keys() {
    let mut stage = Stage::played((80, 24), false);
    stage.tell(Message::Paste("3xyq".to_owned()));
    assert!(stage.effects.is_empty());
    assert_eq!(stage.model.view, View::Overview);
    stage.press("2/");
    stage.tell(Message::Paste("tags\n\x1b".to_owned()));
    assert_eq!(stage.model.query_rows.len(), 1);
}

#[test]
fn the_palette_finds_actions() {
    let mut stage = Stage::played((80, 24), false);
    stage.press(":sess<enter>");
    assert_eq!(stage.model.view, View::Sessions);
    stage.press(":no such thing<enter>");
    stage.says("unknown command");
    stage.press(":host<enter>");
    stage.says("MySQL 8.4.6, as mydex@10.0.0.5");
    stage.press(":quit<enter>");
    assert_eq!(stage.effects, [Effect::Quit]);
}

#[test]
fn hidden_columns_stay_hidden() {
    let mut stage = Stage::played((120, 40), false);
    stage.press("2c<down><space><esc>");
    assert!(!stage.text().contains(" share "), "{}", stage.text());
    stage.press("c<down><space><esc>");
    stage.says(" share ");
}

#[test]
fn lost_digests_are_said_aloud() {
    let mut stage = Stage::played((80, 24), false);
    let mut digests = (*fixture::digests(7)).clone();
    let mut lost = digests.total;
    lost.time_ps /= 4;
    digests.total.time_ps += lost.time_ps;
    digests.lost = Some(lost);
    stage.feed(Feed::Digests(digests.into()));
    assert!(
        stage
            .text()
            .contains("20.0% of the statement time is in lost digests")
    );
}

#[test]
fn hostile_text_is_harmless_on_every_screen() {
    let mut stage = Stage::played((120, 40), false);
    for keys in ["1", "2", "3", "/owned<enter><enter>", "x"] {
        let screen = stage.press(keys).text();
        assert!(
            !screen.chars().any(|c| c.is_control() && c != '\n'),
            "{screen}"
        );
        assert!(!screen.contains('\u{202e}'));
    }
    stage.feed(Feed::Notice("\x1b[2Jnotice".to_owned()));
    assert!(stage.text().contains("\\x1b[2Jnotice"));
}
