//! Drives a load for the dashboard: one at a time, begun and ended on request, ended with it.

mod source;

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::apart::{hand_on, post};
use crate::cli::error::Error;
use crate::model::feed::{Feed, LoadNews, LoadRequest, Request};
use crate::model::probe::LoadTick;
use crate::model::recorded::RecordedLoad;
use crate::model::units;
use crate::probes::engine::{Engine, EngineError, Steering};
use crate::probes::outcome::RunReport;

pub(in crate::cli) use source::Source;

/// A load that has been started.
pub(in crate::cli) struct Begun {
    pub(in crate::cli) engine: Engine,
    pub(in crate::cli) ticks: mpsc::Receiver<Arc<LoadTick>>,
    /// Ends it.
    pub(in crate::cli) stop: CancellationToken,
}

/// A start that is under way.
type Beginning = Pin<Box<dyn Future<Output = Result<Begun, Error>> + Send>>;

/// Starts a load, which the token ends.
type Begin = dyn Fn(CancellationToken) -> Beginning + Send + Sync;

/// Reads the file of a baseline.
type ReadBaseline = dyn Fn(&str) -> Result<RecordedLoad, Error> + Send + Sync;

/// What the dashboard asks about the load.
#[derive(Clone)]
pub(super) struct Hands {
    pub(super) begin: Arc<Begin>,
    pub(super) baseline: Arc<ReadBaseline>,
}

/// What can be driven.
pub(super) fn hands(source: Source) -> Hands {
    let source = Arc::new(source);
    Hands {
        begin: Arc::new(move |cancel| {
            let source = Arc::clone(&source);
            Box::pin(async move { source.begin(&cancel).await })
        }),
        baseline: Arc::new(crate::cli::baseline::beside),
    }
}

/// Takes what is about the load out of `requests` and hands the rest on to the collectors, until
/// `cancel`, or until the screen is gone. `begun` is a load that runs already. Returns how many
/// operations were driven.
pub(super) async fn serve(
    mut requests: mpsc::Receiver<Request>,
    collectors: mpsc::Sender<Request>,
    feed: mpsc::Sender<Feed>,
    hands: Hands,
    begun: Option<Begun>,
    cancel: CancellationToken,
) -> u64 {
    let mut desk = Desk {
        hands,
        feed,
        state: begun.map_or(State::Off, State::on),
        driven: 0,
        cancel: cancel.clone(),
    };
    loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            request = requests.recv() => match request {
                None => break,
                Some(Request::Load(request)) => desk.take(request).await,
                Some(request) => hand_on(request, &collectors, &desk.feed).await,
            },
            moment = desk.state.next() => desk.on(moment).await,
        }
    }
    desk.end().await
}

struct Desk {
    hands: Hands,
    feed: mpsc::Sender<Feed>,
    state: State,
    driven: u64,
    cancel: CancellationToken,
}

enum State {
    Off,
    Beginning {
        stop: CancellationToken,
        begun: JoinHandle<Result<Begun, Error>>,
    },
    On {
        stop: CancellationToken,
        steering: Steering,
        ticks: mpsc::Receiver<Arc<LoadTick>>,
        report: JoinHandle<Result<RunReport, EngineError>>,
    },
}

/// What becomes of a load.
enum Moment {
    Begun(Result<Begun, String>),
    Window(Arc<LoadTick>),
    Ended(Result<Box<RunReport>, String>),
}

impl State {
    fn on(begun: Begun) -> Self {
        Self::On {
            steering: begun.engine.steering(),
            ticks: begun.ticks,
            report: tokio::spawn(begun.engine.finish()),
            stop: begun.stop,
        }
    }

    /// The next thing that it has to say; waits forever without a load.
    async fn next(&mut self) -> Moment {
        match self {
            Self::Off => std::future::pending().await,
            Self::Beginning { begun, .. } => Moment::Begun(match begun.await {
                Ok(begun) => begun.map_err(|error| error.in_one_line()),
                Err(panic) => Err(format!("internal error: {panic}")),
            }),
            Self::On { ticks, report, .. } => match ticks.recv().await {
                Some(tick) => Moment::Window(tick),
                None => Moment::Ended(match report.await {
                    Ok(report) => report
                        .map(Box::new)
                        .map_err(|error| explain(&error).in_one_line()),
                    Err(panic) => Err(format!("internal error: {panic}")),
                }),
            },
        }
    }
}

fn explain(error: &EngineError) -> Error {
    let shown = Error::from_chain(error);
    match error {
        EngineError::Connect { .. } => shown.hint(
            "check `mydex check` and, for many connections, the server's `max_connections` and \
             this shell's `ulimit -n`",
        ),
        _ => shown,
    }
}

impl Desk {
    async fn take(&mut self, request: LoadRequest) {
        match request {
            LoadRequest::Begin => self.begin().await,
            LoadRequest::Rates(rates) => {
                let taken = match &self.state {
                    State::On { steering, .. } => {
                        steering.set(&rates).map_err(|error| error.to_string())
                    }
                    _ => Err("no load runs".to_owned()),
                };
                if let Err(reason) = taken {
                    self.news(LoadNews::Refused(reason)).await;
                }
            }
            LoadRequest::End => match &self.state {
                State::Off => {}
                State::Beginning { stop, .. } | State::On { stop, .. } => stop.cancel(),
            },
            LoadRequest::Baseline(file) => {
                let read = Arc::clone(&self.hands.baseline);
                let path = file.clone();
                let done = tokio::task::spawn_blocking(move || read(&path)).await;
                let result = match done {
                    Ok(Ok(recorded)) => Ok(Arc::new(recorded)),
                    Ok(Err(error)) => Err(error.in_one_line()),
                    Err(panic) => Err(format!("internal error: {panic}")),
                };
                self.news(LoadNews::Baseline { file, result }).await;
            }
        }
    }

    async fn begin(&mut self) {
        if !matches!(self.state, State::Off) {
            let text = "a load runs already; end it first";
            post(&self.feed, Feed::Notice(text.to_owned())).await;
            return;
        }
        let stop = self.cancel.child_token();
        let work = (self.hands.begin)(stop.clone());
        let stopped = stop.clone();
        let begun = tokio::spawn(async move {
            tokio::select! {
                biased;
                () = stopped.cancelled() => Err(Error::new("ended before it began")),
                begun = work => begun,
            }
        });
        self.state = State::Beginning { stop, begun };
        self.news(LoadNews::Beginning).await;
    }

    async fn on(&mut self, moment: Moment) {
        match moment {
            Moment::Begun(Ok(begun)) => self.state = State::on(begun),
            Moment::Begun(Err(reason)) => {
                self.state = State::Off;
                self.news(LoadNews::Ended(Err(reason))).await;
            }
            // A full feed loses a window and not the engine's time.
            Moment::Window(tick) => drop(self.feed.try_send(Feed::Load(tick))),
            Moment::Ended(result) => {
                self.state = State::Off;
                let result = result.map(|report| self.count(&report));
                self.news(LoadNews::Ended(result)).await;
            }
        }
    }

    /// Adds a run to what was driven, and tells of it.
    fn count(&mut self, report: &RunReport) -> String {
        let counts = report.counts();
        self.driven += counts.scheduled;
        let others = counts.failed + counts.timed_out + counts.unsent;
        format!(
            "{} operations in {}, {} completed, {} not",
            units::count(counts.scheduled as f64),
            units::duration(report.total.window),
            units::count(counts.completed as f64),
            units::count(others as f64),
        )
    }

    async fn news(&self, news: LoadNews) {
        post(&self.feed, Feed::Driving(news)).await;
    }

    /// Ends what runs in an orderly way: nothing further is sent, and what is in flight has a
    /// second to end.
    async fn end(mut self) -> u64 {
        match &self.state {
            State::Off => return self.driven,
            State::Beginning { stop, .. } | State::On { stop, .. } => stop.cancel(),
        }
        loop {
            match self.state.next().await {
                Moment::Window(_) => {}
                Moment::Begun(Ok(begun)) => {
                    begun.stop.cancel();
                    self.state = State::on(begun);
                }
                Moment::Ended(Ok(report)) => {
                    self.count(&report);
                    return self.driven;
                }
                Moment::Begun(Err(_)) | Moment::Ended(Err(_)) => return self.driven,
            }
        }
    }
}

#[cfg(test)]
mod tests;
