//! Runs the advisor for the dashboard: one run at a time, apart from the screen, ended with it.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::error::Error;
use crate::model::advice::Advice;
use crate::model::digest::DigestKey;
use crate::model::feed::{AdvisorNews, AdvisorRequest, Feed, Request};

/// Between two reports of progress on the screen.
const REPORT: Duration = Duration::from_millis(100);

/// What a run has at the end of the dashboard to give back what it holds; then it is dropped.
const GRACE: Duration = Duration::from_secs(3);

/// A run of the advisor. It stays in the thread that it was made in.
pub(super) type Run = Pin<Box<dyn Future<Output = Result<Advice, Error>>>>;

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
                Some(request) => {
                    if let Err(mpsc::error::TrySendError::Full(_)) = collectors.try_send(request) {
                        let text = "the collectors are busy; the request was not sent, try again";
                        desk.post(Feed::Notice(text.to_owned())).await;
                    }
                }
            },
            event = next(&mut desk.run) => desk.on(event).await,
            Some(_) = desk.writes.join_next() => {}
        }
    }
    desk.end().await;
}

struct Desk {
    hands: Hands,
    feed: mpsc::Sender<Feed>,
    run: Option<Running>,
    writes: JoinSet<()>,
    /// Two writes at a time could take the same number for their files.
    one_write: Arc<Mutex<()>>,
}

struct Running {
    cancel: CancellationToken,
    /// Drops the run where it stands.
    abandon: CancellationToken,
    progress: watch::Receiver<Report>,
    ended: oneshot::Receiver<Result<Box<Advice>, String>>,
    next_report: Instant,
}

enum Event {
    Progress,
    Ended(Result<Box<Advice>, String>),
}

impl Desk {
    async fn take(&mut self, request: AdvisorRequest) {
        match request {
            AdvisorRequest::Advise(_) if self.run.is_some() => {
                let text = "the advisor is at work already; end that run first";
                self.post(Feed::Notice(text.to_owned())).await;
            }
            AdvisorRequest::Advise(only) => match start(Arc::clone(&self.hands.advise), only) {
                Ok(run) => self.run = Some(run),
                Err(reason) => self.news(AdvisorNews::Failed(reason)).await,
            },
            AdvisorRequest::Stop => {
                if let Some(run) = &self.run {
                    run.cancel.cancel();
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

    async fn on(&mut self, event: Event) {
        match event {
            Event::Progress => self.report(),
            Event::Ended(result) => {
                self.run = None;
                let news = match result {
                    Ok(advice) => AdvisorNews::Done(Arc::from(advice)),
                    Err(reason) => AdvisorNews::Failed(reason),
                };
                self.news(news).await;
            }
        }
    }

    /// Progress does not wait for a full feed: it is told again a little later.
    fn report(&mut self) {
        let Some(run) = &mut self.run else {
            return;
        };
        let (step, share) = run.progress.borrow_and_update().clone();
        let news = Feed::Advisor(AdvisorNews::Working { step, share });
        if self.feed.try_send(news).is_err() {
            run.progress.mark_changed();
        }
        run.next_report = Instant::now() + REPORT;
    }

    async fn news(&self, news: AdvisorNews) {
        self.post(Feed::Advisor(news)).await;
    }

    /// Waits for room, which the screen makes all the time; a screen that is gone takes nothing.
    async fn post(&self, feed: Feed) {
        let _ = self.feed.send(feed).await;
    }

    /// Ends the run and lets what is being written be written, within the grace.
    async fn end(mut self) {
        let ending = async {
            if let Some(run) = &mut self.run {
                run.cancel.cancel();
                let _ = (&mut run.ended).await;
            }
            while self.writes.join_next().await.is_some() {}
        };
        let is_late = tokio::time::timeout(GRACE, ending).await.is_err();
        if is_late && let Some(run) = &mut self.run {
            run.abandon.cancel();
            // What the run holds is given back by dropping it, which takes a moment as well.
            let _ = tokio::time::timeout(GRACE, &mut run.ended).await;
        }
    }
}

/// The next thing that the run has to say; waits forever without one.
async fn next(run: &mut Option<Running>) -> Event {
    let Some(run) = run else {
        return std::future::pending().await;
    };
    let (progress, at) = (&mut run.progress, run.next_report);
    let told = async {
        tokio::time::sleep_until(at).await;
        if progress.changed().await.is_err() {
            // The run dropped its end; its result is all that is still to come.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        ended = &mut run.ended => Event::Ended(ended.unwrap_or_else(|_| {
            Err("internal error: the run was dropped; the log tells where".to_owned())
        })),
        () = told => Event::Progress,
    }
}

/// Starts a run in a thread and a runtime of its own, so that nothing that it does or computes can
/// hold the screen or the collectors.
fn start(advise: Arc<Advise>, only: Option<DigestKey>) -> Result<Running, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("advisor-worker")
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the advisor: {error}"))?;
    let (cancel, abandon) = (CancellationToken::new(), CancellationToken::new());
    let (told, progress) = watch::channel((String::new(), None));
    let (tell_end, ended) = oneshot::channel();
    let (stop, dropped) = (cancel.clone(), abandon.clone());
    std::thread::Builder::new()
        .name("advisor".to_owned())
        .spawn(move || {
            let result = runtime.block_on(async {
                let run = advise(only, Progress(told), stop);
                tokio::select! {
                    result = run => result.map(Box::new).map_err(|error| error.in_one_line()),
                    () = dropped.cancelled() => Err("it was ended with the dashboard".to_owned()),
                }
            });
            runtime.shutdown_timeout(GRACE);
            // The dashboard may have ended before the run.
            let _ = tell_end.send(result);
        })
        .map_err(|error| format!("cannot start the advisor: {error}"))?;
    Ok(Running {
        cancel,
        abandon,
        progress,
        ended,
        next_report: Instant::now(),
    })
}

#[cfg(test)]
mod tests;
