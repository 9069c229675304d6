//! A collector under test: started on a server, asked, listened to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mydex::collect;
use mydex::config::settings::{Monitor, Server};
use mydex::model::digest::{DigestDetail, DigestInterval, DigestKey};
use mydex::model::feed::{Feed, Request};
use mydex::model::interval::Interval;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::server_checks::limits;

/// A collector that runs, and what it says.
pub(crate) struct Watch {
    pub(crate) feed: mpsc::Receiver<Feed>,
    pub(crate) requests: mpsc::Sender<Request>,
    cancel: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), mydex::server::Error>>,
    pub(crate) started: Instant,
}

pub(crate) fn fast_limits() -> Monitor {
    Monitor {
        interval: Duration::from_millis(200),
        // The tests look at figures, not at the budget.
        overhead_budget: 0.5,
        ..limits()
    }
}

impl Watch {
    pub(crate) fn start(server: &Server, monitor: Monitor) -> Self {
        let (requests, request_queue) = mpsc::channel(16);
        let (sender, feed) = mpsc::channel(64);
        let cancel = CancellationToken::new();
        let task = collect::spawn(
            server.clone(),
            monitor,
            false,
            request_queue,
            sender,
            cancel.clone(),
        );
        Self {
            feed,
            requests,
            cancel,
            task,
            started: Instant::now(),
        }
    }

    /// Waits for news that `pick` takes.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(Feed) -> Option<T>,
    ) -> T {
        let mut passed = Vec::new();
        let waiting = async {
            while let Some(news) = self.feed.recv().await {
                passed.push(format!("{news:.40?}").chars().take(90).collect::<String>());
                if let Some(found) = pick(news) {
                    return Some(found);
                }
            }
            None
        };
        match tokio::time::timeout(Duration::from_secs(20), waiting).await {
            Ok(Some(found)) => found,
            _ => panic!("no {what}; instead {passed:#?}"),
        }
    }

    pub(crate) async fn interval(&mut self) -> Arc<Interval> {
        self.until("interval", |news| match news {
            Feed::Interval(interval) => Some(interval),
            _ => None,
        })
        .await
    }

    pub(crate) async fn digests(
        &mut self,
        pick: impl Fn(&DigestInterval) -> bool,
    ) -> Arc<DigestInterval> {
        self.until("digests", |news| match news {
            Feed::Digests(interval) if pick(&interval) => Some(interval),
            _ => None,
        })
        .await
    }

    pub(crate) async fn detail(&mut self, key: &DigestKey) -> Result<Arc<DigestDetail>, String> {
        let request = Request::Detail(key.clone());
        self.requests.send(request).await.unwrap();
        self.until("detail", |news| match news {
            Feed::Detail { key: of, result } if of == *key => Some(result),
            _ => None,
        })
        .await
    }

    pub(crate) async fn end(self) {
        self.cancel.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(5), self.task).await;
        ended.expect("it ends when told to").unwrap().unwrap();
    }
}

pub(crate) fn calls_of(interval: &DigestInterval, text: &str) -> u64 {
    let digests = interval.digests.iter();
    digests
        .filter(|d| d.text.as_deref().is_some_and(|t| t.contains(text)))
        .map(|d| d.counters.calls)
        .sum()
}
