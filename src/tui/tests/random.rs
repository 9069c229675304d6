//! Random keys, news and sizes: no panic, nothing outside of the screen, nothing is changed or written without a word.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{advice, driven, fixture, inventory};
use crate::model::feed::{
    AdvisorNews, AdvisorRequest, Feed, IndexChange, IndexNews, IndexRequest, Link, LoadNews,
    LoadRequest, Request,
};
use crate::model::interval::Discontinuity;
use crate::tui::message::{Effect, Message};
use crate::tui::model::{Model, Overlay};
use crate::tui::settings::TuiConfig;
use crate::tui::update::update;
use crate::tui::view::view;

fn news() -> &'static [Feed] {
    static NEWS: OnceLock<Vec<Feed>> = OnceLock::new();
    NEWS.get_or_init(|| {
        let rich = &Arc::new(advice::rich());
        let mut empty = (*fixture::digests(3)).clone();
        empty.digests.clear();
        empty.window = Duration::ZERO;
        let mut no_probes = fixture::load(1);
        no_probes.probes.clear();
        no_probes.window = Duration::ZERO;
        vec![
            Feed::Link(Link::Connecting),
            Feed::Link(Link::Up(fixture::facts())),
            Feed::Link(Link::Stalled(Duration::from_secs(4))),
            Feed::Link(Link::Down {
                reason: "gone\x1b[2J away".to_owned(),
                since: fixture::at(9),
                retry_in: Duration::from_secs(1),
            }),
            Feed::Interval(fixture::interval(-3)),
            Feed::Interval(fixture::interval(4)),
            Feed::Digests(fixture::digests(4)),
            Feed::Digests(Arc::new(empty)),
            Feed::Load(Arc::new(fixture::load(2))),
            Feed::Load(Arc::new(no_probes)),
            Feed::Break {
                why: Discontinuity::Flushed,
                unseen: Duration::from_secs(7),
            },
            Feed::Detail {
                key: fixture::key(0),
                result: Ok(Arc::new(fixture::detail(0))),
            },
            Feed::Advisor(AdvisorNews::Working {
                step: "asking the \x1b[2Joptimizer".to_owned(),
                share: Some(f64::NAN),
            }),
            Feed::Advisor(AdvisorNews::Done(Arc::clone(rich))),
            Feed::Advisor(AdvisorNews::Done(Arc::new(advice::many()))),
            Feed::Advisor(AdvisorNews::Done(Arc::new(advice::none()))),
            Feed::Advisor(AdvisorNews::Failed("no server\nfor the twin".to_owned())),
            Feed::Advisor(AdvisorNews::Written {
                advice: Arc::clone(rich),
                recommendation: 3,
                result: Ok("indexes/0001_\x07.toml".to_owned()),
            }),
            Feed::Index(IndexNews::Read(Arc::new(inventory::rich()))),
            Feed::Index(IndexNews::Read(Arc::new(inventory::none()))),
            Feed::Index(IndexNews::Unread("access \x1b[2Jdenied".to_owned())),
            Feed::Index(IndexNews::Working {
                change: change(),
                step: "building\x07".to_owned(),
                share: Some(f64::INFINITY),
                left: Some(Duration::MAX),
            }),
            Feed::Index(IndexNews::Ended {
                change: change(),
                result: Err("lost\nthe connection".to_owned()),
            }),
            Feed::Driving(LoadNews::Ended(Err("no\nschema \x1b[2J".to_owned()))),
            Feed::Driving(LoadNews::Baseline {
                file: "a\x07.json".to_owned(),
                result: Ok(Arc::new(driven::recorded())),
            }),
            Feed::Notice("a notice that is rather long, 漢字 and all, for any screen".to_owned()),
        ]
    })
}

fn change() -> IndexChange {
    let board = inventory::rich();
    IndexChange::Apply {
        definition: board.inventory.definitions[3].clone(),
        statements: Vec::new(),
    }
}

#[derive(Debug, Clone)]
enum Step {
    Key(char),
    Special(u8),
    News(usize),
    Size(u16, u16),
    Click(u16, u16),
    Time(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => proptest::sample::select("12356755666jkgGxXy nTUiItwwcFzmp0+-R?/:<>eqaaAsuhr !".chars().collect::<Vec<_>>())
            .prop_map(Step::Key),
        4 => (0_u8..9).prop_map(Step::Special),
        3 => (0..news().len()).prop_map(Step::News),
        1 => (0_u16..210, 0_u16..60).prop_map(|(x, y)| Step::Size(x, y)),
        2 => (0_u16..210, 0_u16..60).prop_map(|(x, y)| Step::Click(x, y)),
        1 => any::<u16>().prop_map(Step::Time),
    ]
}

const SPECIAL: [KeyCode; 9] = [
    KeyCode::Enter,
    KeyCode::Esc,
    KeyCode::Tab,
    KeyCode::BackTab,
    KeyCode::Up,
    KeyCode::Down,
    KeyCode::PageDown,
    KeyCode::End,
    KeyCode::Backspace,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_no_change_comes_unasked(steps in proptest::collection::vec(step(), 1..60)) {
        let config = TuiConfig {
            offer: Some(Arc::new(driven::offer())),
            ..TuiConfig::default()
        };
        let mut model = Model::new(config, fixture::at(0)).unwrap();
        let mut size = (80_u16, 24_u16);
        for step in steps {
            let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
            let hits = view(&model, &mut buffer);
            let asked = matches!(model.overlay, Some(Overlay::Confirm(_)));
            let key = |code| Message::Key(KeyEvent::new(code, KeyModifiers::NONE));
            let (message, confirms) = match step {
                Step::Key(c) => (key(KeyCode::Char(c)), c == 'y'),
                Step::Special(n) => (key(SPECIAL[usize::from(n)]), n == 0),
                Step::News(n) => (Message::Feed(Box::new(news()[n].clone())), false),
                Step::Size(x, y) => {
                    size = (x, y);
                    (Message::Resize(x, y), false)
                }
                Step::Click(x, y) => match hits.at(x, y) {
                    Some(target) => (Message::Click(target), false),
                    None => (Message::Wheel(3), false),
                },
                Step::Time(second) => {
                    let now = fixture::at(i64::from(second));
                    (Message::Tick { now, elapsed: Duration::from_secs(second.into()) }, false)
                }
            };
            for effect in update(&mut model, message) {
                let is_change = matches!(
                    effect,
                    Effect::Request(
                        Request::Kill(_)
                            | Request::Advisor(AdvisorRequest::WriteDefinition { .. })
                            | Request::Index(IndexRequest::Change(_))
                            | Request::Load(LoadRequest::Begin)
                    )
                );
                prop_assert!(!is_change || asked && confirms);
            }
        }
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        view(&model, &mut buffer);
        let dirty = buffer.content.iter().any(|cell| cell.symbol().contains(char::is_control));
        prop_assert!(!dirty);
    }
}
