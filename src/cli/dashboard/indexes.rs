//! Reads indexes and changes them for the dashboard: one reading and one change at a time, apart
//! from the screen, ended with it.

mod change;
mod hands;
mod reading;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::apart::{Apart, Later, result_of};
use crate::model::feed::{Feed, IndexBoard, IndexChange, IndexNews, IndexRequest, Request};

pub(super) use hands::hands;

/// Between two reports of progress on the screen.
const REPORT: Duration = Duration::from_millis(100);

/// What a change has at the end of the dashboard to come to a point where it can be taken up
/// again; then it is dropped, and the next run finds out where it stands.
const GRACE: Duration = Duration::from_secs(10);

/// Reads the indexes.
pub(super) type Read = dyn Fn() -> Later<IndexBoard> + Send + Sync;

/// Makes a change, and says in one sentence what was done. A cancelled token ends it early.
pub(super) type Make =
    dyn Fn(IndexChange, Progress, CancellationToken) -> Later<String> + Send + Sync;

/// What the dashboard asks about indexes.
#[derive(Clone)]
pub(super) struct Hands {
    pub(super) read: Arc<Read>,
    pub(super) make: Arc<Make>,
}

/// How far a change is.
#[derive(Debug, Clone, Default)]
pub(super) struct Step {
    pub(super) what: String,
    pub(super) share: Option<f64>,
    pub(super) left: Option<Duration>,
}

/// Where a change tells how far it is. Telling never waits; the latest word is the one that counts.
#[derive(Debug, Clone)]
pub(super) struct Progress(watch::Sender<Step>);

impl Progress {
    pub(super) fn report(&self, step: Step) {
        self.0.send_replace(step);
    }
}

/// Takes what is about indexes out of `requests` and hands the rest on to the collectors, until
/// `cancel`, or until the screen is gone.
pub(super) async fn serve(
    mut requests: mpsc::Receiver<Request>,
    collectors: mpsc::Sender<Request>,
    feed: mpsc::Sender<Feed>,
    hands: Hands,
    cancel: CancellationToken,
) {
    let mut desk = Desk {
        hands,
        feed,
        reading: None,
        change: None,
    };
    loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            request = requests.recv() => match request {
                None => break,
                Some(Request::Index(request)) => desk.take(request).await,
                Some(request) => {
                    if let Err(mpsc::error::TrySendError::Full(_)) = collectors.try_send(request) {
                        let text = "the collectors are busy; the request was not sent, try again";
                        desk.post(Feed::Notice(text.to_owned())).await;
                    }
                }
            },
            result = result_of(&mut desk.reading) => desk.has_read(result).await,
            event = next(&mut desk.change) => desk.on(event).await,
        }
    }
    desk.end().await;
}

struct Desk {
    hands: Hands,
    feed: mpsc::Sender<Feed>,
    reading: Option<Apart<Box<IndexBoard>>>,
    change: Option<Running>,
}

struct Running {
    change: IndexChange,
    cancel: CancellationToken,
    progress: watch::Receiver<Step>,
    next_report: Instant,
    work: Apart<String>,
}

enum Event {
    Progress,
    Ended(Result<String, String>),
}

impl Desk {
    async fn take(&mut self, request: IndexRequest) {
        match request {
            // Whoever asks while a reading is under way gets that one.
            IndexRequest::Read if self.reading.is_some() => {}
            IndexRequest::Read => {
                let read = Arc::clone(&self.hands.read);
                let later = move || -> Later<Box<IndexBoard>> {
                    Box::pin(async move { read().await.map(Box::new) })
                };
                match Apart::start("indexes", later) {
                    Ok(work) => self.reading = Some(work),
                    Err(reason) => self.news(IndexNews::Unread(reason)).await,
                }
            }
            IndexRequest::Change(change) => self.begin(change).await,
            IndexRequest::Stop => {
                if let Some(running) = &self.change {
                    running.cancel.cancel();
                }
            }
        }
    }

    async fn begin(&mut self, change: IndexChange) {
        if let Some(running) = &self.change {
            let reason = format!(
                "one change at a time: {} is under way",
                running.change.phrase()
            );
            let result = Err(reason);
            self.news(IndexNews::Ended { change, result }).await;
            return;
        }
        let cancel = CancellationToken::new();
        let (told, progress) = watch::channel(Step::default());
        let (make, asked, stop) = (Arc::clone(&self.hands.make), change.clone(), cancel.clone());
        let work = Apart::start("index-change", move || make(asked, Progress(told), stop));
        match work {
            Ok(work) => {
                self.change = Some(Running {
                    change,
                    cancel,
                    progress,
                    next_report: Instant::now(),
                    work,
                });
            }
            Err(reason) => {
                let result = Err(reason);
                self.news(IndexNews::Ended { change, result }).await;
            }
        }
    }

    async fn has_read(&mut self, result: Result<Box<IndexBoard>, String>) {
        self.reading = None;
        let news = match result {
            Ok(board) => IndexNews::Read(Arc::from(board)),
            Err(reason) => IndexNews::Unread(reason),
        };
        self.news(news).await;
    }

    async fn on(&mut self, event: Event) {
        match event {
            Event::Progress => self.report(),
            Event::Ended(result) => {
                if let Some(running) = self.change.take() {
                    let change = running.change;
                    self.news(IndexNews::Ended { change, result }).await;
                }
            }
        }
    }

    /// Progress does not wait for a full feed: it is told again a little later.
    fn report(&mut self) {
        let Some(running) = &mut self.change else {
            return;
        };
        let step = running.progress.borrow_and_update().clone();
        let news = Feed::Index(IndexNews::Working {
            change: running.change.clone(),
            step: step.what,
            share: step.share,
            left: step.left,
        });
        if self.feed.try_send(news).is_err() {
            running.progress.mark_changed();
        }
        running.next_report = Instant::now() + REPORT;
    }

    async fn news(&self, news: IndexNews) {
        self.post(Feed::Index(news)).await;
    }

    /// Waits for room, which the screen makes all the time; a screen that is gone takes nothing.
    async fn post(&self, feed: Feed) {
        let _ = self.feed.send(feed).await;
    }

    /// Ends what is under way. A reading changes nothing and is dropped at once.
    async fn end(mut self) {
        if let Some(reading) = &self.reading {
            reading.abandon();
        }
        let Some(running) = &mut self.change else {
            return;
        };
        running.cancel.cancel();
        let is_late = tokio::time::timeout(GRACE, running.work.result())
            .await
            .is_err();
        if is_late {
            running.work.abandon();
        }
    }
}

/// The next thing that a change has to say; waits forever without one.
async fn next(change: &mut Option<Running>) -> Event {
    let Some(running) = change else {
        return std::future::pending().await;
    };
    let (progress, at) = (&mut running.progress, running.next_report);
    let told = async {
        tokio::time::sleep_until(at).await;
        if progress.changed().await.is_err() {
            // The change dropped its end; its result is all that is still to come.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        ended = running.work.result() => Event::Ended(ended),
        () = told => Event::Progress,
    }
}

#[cfg(test)]
mod tests;
