//! Introduces the collectors, the load engine, the advisor and the indexes to the dashboard.

mod advisor;
mod apart;
mod indexes;
pub(super) mod load;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::advise;
use super::context::Context;
use super::error::{Error, Outcome};
use crate::collect::collector;
use crate::config::settings::{Dashboard, Server, ServiceLevels, Settings, Theme};
use crate::model::feed::{LoadRequest, Request};
use crate::tui::run::{self, End};
use crate::tui::settings::{Targets, TuiConfig};
use crate::tui::theme::Palette;

/// Items that wait for the screen at most; when they are more, the collectors skip.
const FEED_QUEUE: usize = 64;
/// Requests that wait for the collectors at most; when they are more, the screen says so.
const REQUEST_QUEUE: usize = 16;

/// What view 7 can drive, and what stands beside it.
pub(super) struct Driving {
    pub(super) source: load::Source,
    /// The load that runs already.
    pub(super) begun: Option<load::Begun>,
    /// File of a recorded baseline.
    pub(super) baseline: Option<PathBuf>,
}

/// Shows the dashboard of `server` until the user ends it, and returns how many operations were
/// driven meanwhile. `cancel` ends it, and is cancelled when it ends.
pub(super) async fn show(
    context: &Context,
    server: &Server,
    driving: Driving,
    cancel: CancellationToken,
) -> Result<(Outcome, u64), Error> {
    let settings = context.settings();
    let (feed, news) = mpsc::channel(FEED_QUEUE);
    let (requests, wishes) = mpsc::channel(REQUEST_QUEUE);
    let (to_indexes, for_indexes) = mpsc::channel(REQUEST_QUEUE);
    let (to_load, for_load) = mpsc::channel(REQUEST_QUEUE);
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
        to_load,
        feed.clone(),
        indexes::hands(settings, server, read_only),
        cancel.clone(),
    ));
    let mut config = tui_config(settings, server, read_only);
    config.offer = Some(Arc::new(driving.source.offer()));
    if let Some(file) = driving.baseline {
        // Nothing has been asked yet, so that there is room.
        let file = file.display().to_string();
        let _ = requests.try_send(Request::Load(LoadRequest::Baseline(file)));
    }
    let load = tokio::spawn(load::serve(
        for_load,
        to_collectors,
        feed,
        load::hands(driving.source),
        driving.begun,
        cancel.clone(),
    ));
    let screen = run::run(config, news, requests, cancel.clone());
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
    // A run of the advisor gives back its private server before the program ends, a change of an
    // index comes to a point where it can be taken up again, and a load ends in order.
    let (_, _, driven) = tokio::join!(desk, indexes, load);
    is_sound(collected)?;
    let outcome = match ended.map_err(|error| Error::from_chain(&error))? {
        End::Quit | End::TerminalClosed | End::FeedClosed => Outcome::Fine,
        End::Cancelled => Outcome::Interrupted,
    };
    Ok((outcome, driven.unwrap_or(0)))
}

/// How the collector ended.
fn is_sound(
    collected: Result<Result<(), crate::server::Error>, tokio::task::JoinError>,
) -> Result<(), Error> {
    match collected {
        Err(panic) => Err(
            Error::new(format!("internal error: the collector stopped: {panic}"))
                .hint("this is a bug in mydex; the log tells where"),
        ),
        Ok(ended) => ended.map_err(Error::from),
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

fn tui_config(settings: &Settings, server: &Server, read_only: bool) -> TuiConfig {
    let dashboard: &Dashboard = &settings.dashboard;
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    TuiConfig {
        title: server.name.clone(),
        steps: Vec::new(),
        offer: None,
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
