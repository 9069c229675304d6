//! Work that has a thread and a runtime of its own, so that nothing that it waits for or computes
//! can hold the screen or the collectors.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::error::Error;
use crate::model::feed::{Feed, Request};

/// Between two reports of progress on the screen.
pub(super) const REPORT: Duration = Duration::from_millis(100);

/// What is left of the runtime has this long to end, then it is dropped.
const GRACE: Duration = Duration::from_secs(3);

/// Work, later. It stays in the thread that it was made in.
pub(super) type Later<T> = Pin<Box<dyn Future<Output = Result<T, Error>>>>;

/// Work that is under way.
pub(super) struct Apart<T> {
    abandon: CancellationToken,
    ended: oneshot::Receiver<Result<T, String>>,
}

impl<T: Send + 'static> Apart<T> {
    /// Starts what `make` makes. `name` is that of its threads.
    pub(super) fn start(
        name: &'static str,
        make: impl FnOnce() -> Later<T> + Send + 'static,
    ) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot start a thread: {error}");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(format!("{name}-worker"))
            .enable_all()
            .build()
            .map_err(failed)?;
        let abandon = CancellationToken::new();
        let (tell_end, ended) = oneshot::channel();
        let dropped = abandon.clone();
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let result = runtime.block_on(async {
                    tokio::select! {
                        result = make() => result.map_err(|error| error.in_one_line()),
                        () = dropped.cancelled() => Err("it was ended with the dashboard".to_owned()),
                    }
                });
                runtime.shutdown_timeout(GRACE);
                // The dashboard may have ended before the work.
                let _ = tell_end.send(result);
            })
            .map_err(failed)?;
        Ok(Self { abandon, ended })
    }

    /// Its result, once.
    pub(super) async fn result(&mut self) -> Result<T, String> {
        (&mut self.ended).await.unwrap_or_else(|_| {
            Err("internal error: the work was dropped; the log tells where".to_owned())
        })
    }

    /// Drops it where it stands; what it holds is given back by that.
    pub(super) fn abandon(&self) {
        self.abandon.cancel();
    }
}

/// The result of work that may not be there; waits forever without any.
pub(super) async fn result_of<T: Send + 'static>(work: &mut Option<Apart<T>>) -> Result<T, String> {
    match work {
        Some(work) => work.result().await,
        None => std::future::pending().await,
    }
}

/// Work that tells how far it is, and can be asked to end.
pub(super) struct Running<P, T> {
    cancel: CancellationToken,
    told: watch::Receiver<P>,
    next_report: Instant,
    work: Apart<T>,
}

/// What becomes of work.
pub(super) enum Moment<T> {
    /// It is further than it was.
    Told,
    /// It ended.
    Ended(Result<T, String>),
}

impl<P, T> Running<P, T>
where
    P: Clone + Default + Send + Sync + 'static,
    T: Send + 'static,
{
    /// Starts what `make` makes of a place to tell and a token that asks it to end. Telling never
    /// waits; the latest word is the one that counts.
    pub(super) fn start(
        name: &'static str,
        make: impl FnOnce(watch::Sender<P>, CancellationToken) -> Later<T> + Send + 'static,
    ) -> Result<Self, String> {
        let cancel = CancellationToken::new();
        let (tell, told) = watch::channel(P::default());
        let stop = cancel.clone();
        let work = Apart::start(name, move || make(tell, stop))?;
        Ok(Self {
            cancel,
            told,
            next_report: Instant::now(),
            work,
        })
    }

    /// Asks it to end.
    pub(super) fn stop(&self) {
        self.cancel.cancel();
    }

    /// Drops it where it stands.
    pub(super) fn abandon(&self) {
        self.work.abandon();
    }

    /// Its result, once.
    pub(super) async fn result(&mut self) -> Result<T, String> {
        self.work.result().await
    }

    /// Progress does not wait for a full feed: it is told again a little later.
    pub(super) fn report(&mut self, feed: &mpsc::Sender<Feed>, news: impl FnOnce(P) -> Feed) {
        let word = self.told.borrow_and_update().clone();
        if feed.try_send(news(word)).is_err() {
            self.told.mark_changed();
        }
        self.next_report = Instant::now() + REPORT;
    }

    /// The next thing that it has to say.
    async fn next(&mut self) -> Moment<T> {
        let (progress, at) = (&mut self.told, self.next_report);
        let told = async {
            tokio::time::sleep_until(at).await;
            if progress.changed().await.is_err() {
                // The work dropped its end; its result is all that is still to come.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            ended = self.work.result() => Moment::Ended(ended),
            () = told => Moment::Told,
        }
    }
}

/// The next thing that work has to say that may not be there; waits forever without any.
pub(super) async fn next<P, T>(work: Option<&mut Running<P, T>>) -> Moment<T>
where
    P: Clone + Default + Send + Sync + 'static,
    T: Send + 'static,
{
    match work {
        Some(work) => work.next().await,
        None => std::future::pending().await,
    }
}

/// Hands a request on to the collectors; what found them busy is said.
pub(super) async fn hand_on(
    request: Request,
    collectors: &mpsc::Sender<Request>,
    feed: &mpsc::Sender<Feed>,
) {
    if let Err(mpsc::error::TrySendError::Full(_)) = collectors.try_send(request) {
        let text = "the collectors are busy; the request was not sent, try again";
        post(feed, Feed::Notice(text.to_owned())).await;
    }
}

/// Waits for room, which the screen makes all the time; a screen that is gone takes nothing.
pub(super) async fn post(feed: &mpsc::Sender<Feed>, news: Feed) {
    let _ = feed.send(news).await;
}

#[cfg(test)]
pub(super) mod bench;
