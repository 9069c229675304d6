//! The dashboard on the terminal of the tester, with the fixture as its server:
//! `cargo test --lib tui::tests::play -- --ignored --nocapture`.

use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::fixture;
use crate::model::digest::DigestInterval;
use crate::model::feed::{Feed, Link, Request};
use crate::model::interval::Interval;
use crate::tui::run::{End, run};
use crate::tui::settings::TuiConfig;
use crate::tui::theme::Palette;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "wants a terminal and a person"]
async fn play() {
    let (news, feed) = mpsc::channel(64);
    let (requests, mut asked) = mpsc::channel(16);
    let answers = news.clone();
    tokio::spawn(async move {
        while let Some(request) = asked.recv().await {
            let answer = match request {
                Request::Detail(key) => {
                    let n = (0..10).find(|n| fixture::key(*n) == key).unwrap_or(0);
                    let result = Ok(Arc::new(fixture::detail(n)));
                    Feed::Detail { key, result }
                }
                Request::Kill(target) => Feed::Killed {
                    target,
                    result: Ok("killed".to_owned()),
                },
                other => Feed::Notice(format!("{other:?}")),
            };
            let _ = answers.send(answer).await;
        }
    });
    tokio::spawn(async move {
        let _ = news.send(Feed::Link(Link::Up(fixture::facts()))).await;
        for second in (-45..600).cycle() {
            let offset = Timestamp::now().duration_since(fixture::at(second));
            let mut interval: Interval = (*fixture::interval(second)).clone();
            interval.to += offset;
            let _ = news.send(Feed::Interval(Arc::new(interval))).await;
            let mut digests: DigestInterval = (*fixture::digests(second)).clone();
            digests.to = Timestamp::now() - 0.seconds();
            let _ = news.send(Feed::Digests(Arc::new(digests))).await;
            let mut load = fixture::load(second);
            load.to = Timestamp::now();
            if std::env::var_os("MYDEX_PLAY_LOAD").is_some() {
                let _ = news.send(Feed::Load(Arc::new(load))).await;
            }
            let wait = if second < 0 { 10 } else { 1_000 };
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    });
    if std::env::var_os("MYDEX_PLAY_PANIC").is_some() {
        tokio::spawn(async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            panic!("a panic on purpose");
        });
    }
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    tokio::spawn(async move {
        let kind = tokio::signal::unix::SignalKind::terminate();
        let mut signal = tokio::signal::unix::signal(kind).unwrap();
        signal.recv().await;
        token.cancel();
    });
    let config = TuiConfig {
        palette: match std::env::var("MYDEX_PLAY_THEME").as_deref() {
            Ok("light") => Palette::Light,
            Ok("none") => Palette::None,
            _ => Palette::Dark,
        },
        ascii: std::env::var_os("MYDEX_PLAY_ASCII").is_some(),
        frame_trace: std::env::var_os("MYDEX_TRACE_FRAMES").map(Into::into),
        ..TuiConfig::default()
    };
    let end = run(config, feed, requests, cancel).await.unwrap();
    assert!(matches!(end, End::Quit | End::Cancelled), "{end:?}");
}
