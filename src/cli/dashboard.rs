//! Introduces the collectors, the load engine, the advisor and the indexes to the dashboard.

mod advisor;
mod apart;
mod indexes;

use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::advise;
use super::context::Context;
use super::error::{Error, Outcome};
use crate::collect::collector;
use crate::config::settings::{Dashboard, Server, ServiceLevels, Settings, Theme};
use crate::model::feed::Feed;
use crate::model::probe::LoadTick;
use crate::tui::run::{self, End};
use crate::tui::settings::{Targets, TuiConfig};
use crate::tui::theme::Palette;

/// Items that wait for the screen at most; when they are more, the collectors skip.
const FEED_QUEUE: usize = 64;
/// Requests that wait for the collectors at most; when they are more, the screen says so.
const REQUEST_QUEUE: usize = 16;

/// Shows the dashboard of `server` until the user ends it; `load` brings the load engine's
/// figures, if one runs. `cancel` ends it, and is cancelled when it ends.
pub(super) async fn show(
    context: &Context,
    server: &Server,
    load: Option<mpsc::Receiver<Arc<LoadTick>>>,
    cancel: CancellationToken,
) -> Result<Outcome, Error> {
    let settings = context.settings();
    let (feed, news) = mpsc::channel(FEED_QUEUE);
    let (requests, wishes) = mpsc::channel(REQUEST_QUEUE);
    let (to_indexes, for_indexes) = mpsc::channel(REQUEST_QUEUE);
    let (to_collectors, for_collectors) = mpsc::channel(REQUEST_QUEUE);
    let read_only = settings.dashboard.read_only || server.read_only;
    let mut collector = collector::spawn(
        server.clone(),
        settings.monitor.clone(),
        read_only,
        for_collectors,
        feed.clone(),
        cancel.clone(),
    );
    let desk = tokio::spawn(advisor::serve(
        wishes,
        to_indexes,
        feed.clone(),
        hands(settings, server),
        cancel.clone(),
    ));
    let indexes = tokio::spawn(indexes::serve(
        for_indexes,
        to_collectors,
        feed.clone(),
        indexes::hands(settings, server, read_only),
        cancel.clone(),
    ));
    if let Some(load) = load {
        tokio::spawn(forward(load, feed));
    }
    let screen = run::run(
        tui_config(settings, server, read_only),
        news,
        requests,
        cancel.clone(),
    );
    tokio::pin!(screen);
    let (ended, collected) = tokio::select! {
        ended = &mut screen => {
            cancel.cancel();
            (ended, collector.await)
        }
        collected = &mut collector => {
            // The screen is left before the reason is told, so that the reason stands.
            cancel.cancel();
            (screen.await, collected)
        }
    };
    // A run of the advisor gives back its private server before the program ends, and a change of
    // an index comes to a point where it can be taken up again.
    let _ = tokio::join!(desk, indexes);
    match collected {
        Err(panic) => {
            return Err(
                Error::new(format!("internal error: the collector stopped: {panic}"))
                    .hint("this is a bug in mydex; the log tells where"),
            );
        }
        Ok(Err(error)) => return Err(error.into()),
        Ok(Ok(())) => {}
    }
    match ended.map_err(|error| Error::from_chain(&error))? {
        End::Quit | End::TerminalClosed | End::FeedClosed => Ok(Outcome::Fine),
        End::Cancelled => Ok(Outcome::Interrupted),
    }
}

/// What the advisor's view can start.
fn hands(settings: &Settings, server: &Server) -> advisor::Hands {
    let (settings, server) = (Arc::new(settings.clone()), Arc::new(server.clone()));
    advisor::Hands {
        advise: Arc::new(move |only, progress, cancel| {
            let (settings, server) = (Arc::clone(&settings), Arc::clone(&server));
            Box::pin(async move {
                advise::of_digests_of(&settings, &server, only, &cancel, &mut |step| {
                    progress.report(step.what, step.share);
                })
                .await
            })
        }),
        write: Arc::new(advise::write_one),
    }
}

/// Hands the engine's figures on. A full feed loses a tick and not the engine's time.
async fn forward(mut load: mpsc::Receiver<Arc<LoadTick>>, feed: mpsc::Sender<Feed>) {
    while let Some(tick) = load.recv().await {
        if let Err(mpsc::error::TrySendError::Closed(_)) = feed.try_send(Feed::Load(tick)) {
            return;
        }
    }
}

fn tui_config(settings: &Settings, server: &Server, read_only: bool) -> TuiConfig {
    let dashboard: &Dashboard = &settings.dashboard;
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    TuiConfig {
        title: server.name.clone(),
        steps: Vec::new(),
        palette: match dashboard.theme {
            _ if plain => Palette::None,
            Theme::Dark => Palette::Dark,
            Theme::Light => Palette::Light,
            Theme::None => Palette::None,
        },
        ascii: dashboard.ascii,
        mouse: dashboard.mouse,
        read_only,
        max_fps: dashboard.max_fps,
        keys: dashboard.keys.clone(),
        zone: TimeZone::system(),
        interval: settings.monitor.interval,
        targets: targets(&settings.slo),
        frame_trace: std::env::var_os("MYDEX_TRACE_FRAMES").map(Into::into),
    }
}

fn targets(slo: &ServiceLevels) -> Targets {
    Targets {
        response: slo.response,
        events_per_minute: slo.events_per_minute,
        hit_ratio: slo.hit_ratio,
        availability: slo.availability,
    }
}
