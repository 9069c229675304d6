//! Runs the advisor for the dashboard: one run at a time, apart from the screen, ended with it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::apart::{Later, Moment, Running, hand_on, next, post};
use crate::cli::error::Error;
use crate::model::advice::Advice;
use crate::model::digest::DigestKey;
use crate::model::feed::{AdvisorNews, AdvisorRequest, Feed, Request};

/// What a run has at the end of the dashboard to give back what it holds; then it is dropped.
const GRACE: Duration = Duration::from_secs(3);

/// A run of the advisor. It stays in the thread that it was made in.
pub(super) type Run = Later<Advice>;

/// Makes a run: for one digest or for all. A cancelled token ends it with its best answer so far.
pub(super) type Advise =
    dyn Fn(Option<DigestKey>, Progress, CancellationToken) -> Run + Send + Sync;

/// Writes the definition of one recommendation, by its place; gives the file.
pub(super) type Write = dyn Fn(&Advice, usize) -> Result<PathBuf, Error> + Send + Sync;

/// What the dashboard asks of the advisor.
#[derive(Clone)]
pub(super) struct Hands {
    pub(super) advise: Arc<Advise>,
    pub(super) write: Arc<Write>,
}

/// Where a run tells how far it is. Telling never waits; the latest word is the one that counts.
#[derive(Debug, Clone)]
pub(super) struct Progress(watch::Sender<Report>);

type Report = (String, Option<f64>);

impl Progress {
    /// What the run does now, and how far this step is, 0 to 1, where that can be told.
    pub(super) fn report(&self, step: impl Into<String>, share: Option<f64>) {
        self.0.send_replace((step.into(), share));
    }
}

/// Takes what is for the advisor out of `requests` and hands the rest on to the collectors, until
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
        run: None,
        writes: JoinSet::new(),
        one_write: Arc::new(Mutex::new(())),
    };
    loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            request = requests.recv() => match request {
                None => break,
                Some(Request::Advisor(request)) => desk.take(request).await,
                Some(request) => hand_on(request, &collectors, &desk.feed).await,
            },
            moment = next(desk.run.as_mut()) => desk.on(moment).await,
            Some(_) = desk.writes.join_next() => {}
        }
    }
    desk.end().await;
}

struct Desk {
    hands: Hands,
    feed: mpsc::Sender<Feed>,
    run: Option<Running<Report, Box<Advice>>>,
    writes: JoinSet<()>,
    /// Two writes at a time could take the same number for their files.
    one_write: Arc<Mutex<()>>,
}

impl Desk {
    async fn take(&mut self, request: AdvisorRequest) {
        match request {
            AdvisorRequest::Advise(_) if self.run.is_some() => {
                let text = "the advisor is at work already; end that run first";
                post(&self.feed, Feed::Notice(text.to_owned())).await;
            }
            AdvisorRequest::Advise(only) => match start(Arc::clone(&self.hands.advise), only) {
                Ok(run) => self.run = Some(run),
                Err(reason) => self.news(AdvisorNews::Failed(reason)).await,
            },
            AdvisorRequest::Stop => {
                if let Some(run) = &self.run {
                    run.stop();
                }
            }
            AdvisorRequest::WriteDefinition {
                advice,
                recommendation,
            } => self.write(advice, recommendation),
        }
    }

    fn write(&mut self, advice: Arc<Advice>, recommendation: usize) {
        let (write, feed) = (Arc::clone(&self.hands.write), self.feed.clone());
        let one_write = Arc::clone(&self.one_write);
        self.writes.spawn(async move {
            let turn = one_write.lock().await;
            let asked = Arc::clone(&advice);
            let done = tokio::task::spawn_blocking(move || write(&asked, recommendation)).await;
            drop(turn);
            let result = match done {
                Ok(Ok(path)) => Ok(path.display().to_string()),
                Ok(Err(error)) => Err(error.in_one_line()),
                Err(panic) => Err(format!("internal error: {panic}")),
            };
            // A screen that is gone wants no answer.
            let _ = feed
                .send(Feed::Advisor(AdvisorNews::Written {
                    advice,
                    recommendation,
                    result,
                }))
                .await;
        });
    }

    async fn on(&mut self, moment: Moment<Box<Advice>>) {
        match moment {
            Moment::Told => {
                if let Some(run) = &mut self.run {
                    run.report(&self.feed, |(step, share)| {
                        Feed::Advisor(AdvisorNews::Working { step, share })
                    });
                }
            }
            Moment::Ended(result) => {
                self.run = None;
                let news = match result {
                    Ok(advice) => AdvisorNews::Done(Arc::from(advice)),
                    Err(reason) => AdvisorNews::Failed(reason),
                };
                self.news(news).await;
            }
        }
    }

    async fn news(&self, news: AdvisorNews) {
        post(&self.feed, Feed::Advisor(news)).await;
    }

    /// Ends the run and lets what is being written be written, within the grace.
    async fn end(mut self) {
        let ending = async {
            if let Some(run) = &mut self.run {
                run.stop();
                let _ = run.result().await;
            }
            self.run = None;
            while self.writes.join_next().await.is_some() {}
        };
        let is_late = tokio::time::timeout(GRACE, ending).await.is_err();
        if is_late && let Some(run) = &mut self.run {
            run.abandon();
            // What the run holds is given back by dropping it, which takes a moment as well.
            let _ = tokio::time::timeout(GRACE, run.result()).await;
        }
    }
}

/// Starts a run apart.
fn start(
    advise: Arc<Advise>,
    only: Option<DigestKey>,
) -> Result<Running<Report, Box<Advice>>, String> {
    Running::start("advisor", move |tell, stop| {
        let run = advise(only, Progress(tell), stop);
        Box::pin(async move { run.await.map(Box::new) })
    })
}

#[cfg(test)]
mod tests;
