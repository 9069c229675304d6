//! Work that has a thread and a runtime of its own, so that nothing that it waits for or computes
//! can hold the screen or the collectors.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::cli::error::Error;

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
