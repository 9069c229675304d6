//! The whole loop on a test backend: events and news in, frames and requests out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use futures_util::stream::{self, Stream, StreamExt as _};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{advice, fixture};
use crate::model::feed::{AdvisorNews, AdvisorRequest, Feed, Request};
use crate::tui::model::Model;
use crate::tui::run::{Device, End, LoopError, Wires, run_loop};
use crate::tui::settings::TuiConfig;

#[derive(Default)]
struct Recorder {
    copied: Vec<String>,
    suspended: usize,
    is_gone: bool,
}

impl Device for Recorder {
    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.copied.push(text.to_owned());
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.suspended += 1;
        Ok(())
    }

    fn is_gone(&self) -> bool {
        self.is_gone
    }
}

struct App {
    terminal: Terminal<TestBackend>,
    model: Model,
    device: Recorder,
    news: Option<mpsc::Sender<Feed>>,
    asked: mpsc::Receiver<Request>,
    feed: Option<mpsc::Receiver<Feed>>,
    requests: mpsc::Sender<Request>,
    cancel: CancellationToken,
}

impl App {
    fn new(capacity: usize) -> Self {
        let (news, feed) = mpsc::channel(256);
        let (requests, asked) = mpsc::channel(capacity);
        for (_, item) in fixture::minute(false) {
            news.try_send(item.clone()).unwrap();
        }
        Self {
            terminal: Terminal::new(TestBackend::new(100, 30)).unwrap(),
            model: Model::new(TuiConfig::default(), fixture::at(7)).unwrap(),
            device: Recorder::default(),
            news: Some(news),
            asked,
            feed: Some(feed),
            requests,
            cancel: CancellationToken::new(),
        }
    }

    async fn run(
        &mut self,
        events: impl Stream<Item = io::Result<Event>> + Unpin,
    ) -> Result<End, LoopError> {
        let mut wires = Wires {
            events,
            feed: self.feed.take().unwrap(),
            requests: self.requests.clone(),
            cancel: self.cancel.clone(),
            trace: None,
        };
        run_loop(
            &mut self.terminal,
            &mut self.model,
            &mut wires,
            &mut self.device,
        )
        .await
    }

    fn screen(&self) -> String {
        self.terminal.backend().to_string()
    }
}

fn key(c: char) -> Event {
    Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
}

/// Events, one every 300 ms after the news had time to arrive, and then silence.
fn typed(events: Vec<Event>) -> impl Stream<Item = io::Result<Event>> + Unpin {
    let timed = stream::iter(events).then(|event| async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(event)
    });
    Box::pin(timed.chain(stream::pending()))
}

#[tokio::test(start_paused = true)]
async fn keys_move_through_the_views_until_q() {
    let mut app = App::new(8);
    let end = app
        .run(typed(vec![
            key('2'),
            key('y'),
            key('3'),
            key('x'),
            key('y'),
            key('q'),
        ]))
        .await;
    assert_eq!(end.unwrap(), End::Quit);
    assert!(app.screen().contains("[3 Sessions]"), "{}", app.screen());
    assert!(
        app.device.copied[0].starts_with("SELECT"),
        "{:?}",
        app.device.copied
    );
    assert!(matches!(app.asked.try_recv(), Ok(Request::Kill(_))));
}

/// An advisor that finds its advice, and writes what it is asked to write.
async fn play_advisor(mut asked: mpsc::Receiver<Request>, news: mpsc::Sender<Feed>) {
    while let Some(request) = asked.recv().await {
        let answers = match request {
            Request::Advisor(AdvisorRequest::Advise(None)) => vec![
                AdvisorNews::Working {
                    step: "sampling rows".to_owned(),
                    share: Some(0.5),
                },
                AdvisorNews::Done(Arc::new(advice::rich())),
            ],
            Request::Advisor(AdvisorRequest::WriteDefinition {
                advice,
                recommendation,
            }) => vec![AdvisorNews::Written {
                advice,
                recommendation,
                result: Ok(format!("indexes/{recommendation:04}_x.toml")),
            }],
            other => panic!("{other:?}"),
        };
        for answer in answers {
            tokio::time::sleep(Duration::from_millis(20)).await;
            news.send(Feed::Advisor(answer)).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn from_the_start_to_a_written_definition() {
    let mut app = App::new(8);
    let asked = std::mem::replace(&mut app.asked, mpsc::channel(1).1);
    let advisor = tokio::spawn(play_advisor(asked, app.news.clone().unwrap()));
    let enter = Event::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
    let events = vec![
        key('6'),
        key('a'),
        enter,
        key('w'),
        key('y'),
        key('m'),
        key('m'),
        key('q'),
    ];
    let end = app.run(typed(events)).await;
    assert_eq!(end.unwrap(), End::Quit);
    let screen = app.screen();
    assert!(screen.contains("[6 Advisor]"), "{screen}");
    assert!(
        screen.contains("definition: indexes/0000_x.toml"),
        "{screen}"
    );
    assert!(
        screen.contains("definition written: indexes/0000_x.toml"),
        "{screen}"
    );
    let marks = &app.model.live.advice.as_ref().unwrap().marks;
    assert_eq!(marks.len(), 1);
    drop(app);
    advisor.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_mouse_opens_a_tab() {
    let mut app = App::new(8);
    let click = Event::Mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column: 16,
        row: 1,
        modifiers: KeyModifiers::NONE,
    });
    let end = app
        .run(typed(vec![click, key('m'), key('m'), key('q')]))
        .await;
    assert_eq!(end.unwrap(), End::Quit);
    assert!(app.screen().contains("[2 Queries]"), "{}", app.screen());
}

#[tokio::test(start_paused = true)]
async fn collectors_that_do_not_answer_never_hold_the_keys() {
    let mut app = App::new(1);
    let events = vec![key('R'), key('R'), key('R'), key('3'), key('q')];
    let end = app.run(typed(events)).await;
    assert_eq!(end.unwrap(), End::Quit);
    assert!(
        app.screen().contains("the collectors are busy"),
        "{}",
        app.screen()
    );
}

#[tokio::test(start_paused = true)]
async fn every_end_is_told_apart() {
    let mut app = App::new(8);
    app.cancel.cancel();
    assert_eq!(app.run(typed(Vec::new())).await.unwrap(), End::Cancelled);

    let mut app = App::new(8);
    app.news = None;
    assert_eq!(app.run(typed(Vec::new())).await.unwrap(), End::FeedClosed);
    assert_eq!(app.model.live.interval.as_ref().unwrap().to, fixture::at(7));

    let mut app = App::new(8);
    app.device.is_gone = true;
    assert_eq!(
        app.run(typed(Vec::new())).await.unwrap(),
        End::TerminalClosed
    );

    let mut app = App::new(8);
    let ended = stream::empty();
    assert_eq!(app.run(ended).await.unwrap(), End::TerminalClosed);

    let mut app = App::new(8);
    let broken = stream::iter([Err(io::Error::other("gone"))]);
    assert!(matches!(
        app.run(Box::pin(broken)).await,
        Err(LoopError::Io(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn suspending_comes_back_with_a_whole_screen() {
    let mut app = App::new(8);
    let stop = Event::Key(KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL));
    let end = app.run(typed(vec![stop, key('1'), key('q')])).await;
    assert_eq!(end.unwrap(), End::Quit);
    assert_eq!(app.device.suspended, 1);
    assert!(app.screen().contains("cmdb-prod:3306"), "{}", app.screen());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_news_is_drawn_at_most_as_often_as_told() {
    let mut app = App::new(8);
    let news = app.news.take().unwrap();
    let load = Arc::new(fixture::load(0));
    let flood = tokio::spawn(async move {
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let _ = news.send(Feed::Load(load.clone())).await;
        }
        news
    });
    let before = app.terminal.get_frame().count();
    let end = app.run(typed(vec![key('q')])).await;
    assert_eq!(end.unwrap(), End::Quit);
    let frames = app.terminal.get_frame().count() - before;
    // 300 ms at 20 frames a second.
    assert!((4..=8).contains(&frames), "{frames}");
    drop(flood.await.unwrap());
}
