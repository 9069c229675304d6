//! The two ends that the screen and the collectors hold, for tests of a desk between them.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::model::feed::{AdvisorRequest, Feed, IndexRequest, Request};

/// A desk with both its ends.
pub(in crate::cli::dashboard) struct Bench {
    pub(in crate::cli::dashboard) requests: mpsc::Sender<Request>,
    pub(in crate::cli::dashboard) collectors: mpsc::Receiver<Request>,
    pub(in crate::cli::dashboard) feed: mpsc::Receiver<Feed>,
    pub(in crate::cli::dashboard) cancel: CancellationToken,
    pub(in crate::cli::dashboard) desk: JoinHandle<()>,
    is_progress: fn(&Feed) -> bool,
}

impl Bench {
    /// Starts a desk; the feed has `room` for so many news.
    pub(in crate::cli::dashboard) fn new<F>(
        room: usize,
        is_progress: fn(&Feed) -> bool,
        serve: impl FnOnce(
            mpsc::Receiver<Request>,
            mpsc::Sender<Request>,
            mpsc::Sender<Feed>,
            CancellationToken,
        ) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (requests, wishes) = mpsc::channel(16);
        let (to_collectors, collectors) = mpsc::channel(2);
        let (tell, feed) = mpsc::channel(room);
        let cancel = CancellationToken::new();
        let desk = tokio::spawn(serve(wishes, to_collectors, tell, cancel.clone()));
        Self {
            requests,
            collectors,
            feed,
            cancel,
            desk,
            is_progress,
        }
    }

    async fn ask(&self, request: Request) {
        self.requests.send(request).await.unwrap();
    }

    pub(in crate::cli::dashboard) async fn ask_index(&self, request: IndexRequest) {
        self.ask(Request::Index(request)).await;
    }

    pub(in crate::cli::dashboard) async fn ask_advisor(&self, request: AdvisorRequest) {
        self.ask(Request::Advisor(request)).await;
    }

    /// The next news.
    pub(in crate::cli::dashboard) async fn hear(&mut self) -> Feed {
        tokio::time::timeout(Duration::from_secs(10), self.feed.recv())
            .await
            .unwrap()
            .unwrap()
    }

    /// The next news that is no progress.
    pub(in crate::cli::dashboard) async fn outcome(&mut self) -> Feed {
        loop {
            let news = self.hear().await;
            if !(self.is_progress)(&news) {
                return news;
            }
        }
    }
}
