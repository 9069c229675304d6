//! Reads indexes and changes them for the dashboard: one reading and one change at a time, apart
//! from the screen, ended with it.

mod change;
mod hands;
mod reading;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::apart::{Apart, Later, Moment, Running, hand_on, next, post, result_of};
use crate::model::feed::{Feed, IndexBoard, IndexChange, IndexNews, IndexRequest, Request};

pub(super) use hands::hands;

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
                Some(request) => hand_on(request, &collectors, &desk.feed).await,
            },
            result = result_of(&mut desk.reading) => desk.has_read(result).await,
            moment = next(desk.change.as_mut().map(|(_, work)| work)) => desk.on(moment).await,
        }
    }
    desk.end().await;
}

struct Desk {
    hands: Hands,
    feed: mpsc::Sender<Feed>,
    reading: Option<Apart<Box<IndexBoard>>>,
    change: Option<(IndexChange, Running<Step, String>)>,
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
                if let Some((_, work)) = &self.change {
                    work.stop();
                }
            }
        }
    }

    async fn begin(&mut self, change: IndexChange) {
        if let Some((other, _)) = &self.change {
            let reason = format!("one change at a time: {} is under way", other.phrase());
            let result = Err(reason);
            self.news(IndexNews::Ended { change, result }).await;
            return;
        }
        let (make, asked) = (Arc::clone(&self.hands.make), change.clone());
        let work = Running::start("index-change", move |tell, stop| {
            make(asked, Progress(tell), stop)
        });
        match work {
            Ok(work) => self.change = Some((change, work)),
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

    async fn on(&mut self, moment: Moment<String>) {
        match moment {
            Moment::Told => {
                if let Some((change, work)) = &mut self.change {
                    work.report(&self.feed, |step| {
                        Feed::Index(IndexNews::Working {
                            change: change.clone(),
                            step: step.what,
                            share: step.share,
                            left: step.left,
                        })
                    });
                }
            }
            Moment::Ended(result) => {
                if let Some((change, _)) = self.change.take() {
                    self.news(IndexNews::Ended { change, result }).await;
                }
            }
        }
    }

    async fn news(&self, news: IndexNews) {
        post(&self.feed, Feed::Index(news)).await;
    }

    /// Ends what is under way. A reading changes nothing and is dropped at once.
    async fn end(mut self) {
        if let Some(reading) = &self.reading {
            reading.abandon();
        }
        let Some((_, work)) = &mut self.change else {
            return;
        };
        work.stop();
        let is_late = tokio::time::timeout(GRACE, work.result()).await.is_err();
        if is_late {
            work.abandon();
        }
    }
}

#[cfg(test)]
mod tests;
