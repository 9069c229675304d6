//! The desk without a server: what begins, what does not, and what is handed on.

use std::time::Duration;

use super::*;

struct Ends {
    requests: mpsc::Sender<Request>,
    collectors: mpsc::Receiver<Request>,
    feed: mpsc::Receiver<Feed>,
    cancel: CancellationToken,
    desk: JoinHandle<u64>,
}

fn recorded(file: &str) -> RecordedLoad {
    RecordedLoad {
        file: file.to_owned(),
        data: "cmdb version 1, seed 1, scale 1".to_owned(),
        version: "9.7.4".to_owned(),
        seconds: None,
        probes: std::collections::BTreeMap::new(),
        lacks: Vec::new(),
    }
}

fn desk(begin: Arc<Begin>) -> Ends {
    let (requests, wishes) = mpsc::channel(16);
    let (to_collectors, collectors) = mpsc::channel(2);
    let (tell, feed) = mpsc::channel(16);
    let cancel = CancellationToken::new();
    let baseline: Arc<ReadBaseline> = Arc::new(|file| match file {
        "there.json" => Ok(recorded(file)),
        _ => Err(Error::new(format!("cannot read `{file}`")).hint("record it")),
    });
    let hands = Hands { begin, baseline };
    let desk = tokio::spawn(serve(
        wishes,
        to_collectors,
        tell,
        hands,
        None,
        cancel.clone(),
    ));
    Ends {
        requests,
        collectors,
        feed,
        cancel,
        desk,
    }
}

impl Ends {
    async fn ask(&self, request: LoadRequest) {
        self.requests.send(Request::Load(request)).await.unwrap();
    }

    async fn hear(&mut self) -> LoadNews {
        let news = tokio::time::timeout(Duration::from_secs(10), self.feed.recv()).await;
        match news.unwrap().unwrap() {
            Feed::Driving(news) => news,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_load_that_cannot_begin_says_why_and_may_be_tried_again() {
    let begin: Arc<Begin> = Arc::new(|_| {
        Box::pin(async {
            Err(Error::new("pack `cmdb` is not loaded in schema `cmdb`").hint("load it"))
        })
    });
    let mut ends = desk(begin);
    for _ in 0..2 {
        ends.ask(LoadRequest::Begin).await;
        assert!(matches!(ends.hear().await, LoadNews::Beginning));
        let LoadNews::Ended(Err(reason)) = ends.hear().await else {
            panic!("it began");
        };
        assert_eq!(
            reason,
            "pack `cmdb` is not loaded in schema `cmdb`; load it"
        );
    }
    ends.ask(LoadRequest::Rates([1.0].into())).await;
    let LoadNews::Refused(reason) = ends.hear().await else {
        panic!("taken");
    };
    assert_eq!(reason, "no load runs");
}

#[tokio::test]
async fn a_beginning_is_ended_where_it_stands() {
    let begin: Arc<Begin> = Arc::new(|_| Box::pin(std::future::pending()));
    let mut ends = desk(begin);
    ends.ask(LoadRequest::Begin).await;
    assert!(matches!(ends.hear().await, LoadNews::Beginning));
    ends.ask(LoadRequest::Begin).await;
    let notice = ends.feed.recv().await.unwrap();
    assert!(matches!(notice, Feed::Notice(text) if text.contains("runs already")));
    ends.ask(LoadRequest::End).await;
    assert!(matches!(ends.hear().await, LoadNews::Ended(Err(reason)) if reason.contains("ended")));
    // The same when the dashboard ends.
    ends.ask(LoadRequest::Begin).await;
    assert!(matches!(ends.hear().await, LoadNews::Beginning));
    ends.cancel.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), ends.desk).await;
    assert_eq!(ended.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn baselines_answer_and_other_requests_are_handed_on() {
    let begin: Arc<Begin> = Arc::new(|_| Box::pin(std::future::pending()));
    let mut ends = desk(begin);
    ends.ask(LoadRequest::Baseline("there.json".to_owned()))
        .await;
    let LoadNews::Baseline { file, result } = ends.hear().await else {
        panic!("no answer");
    };
    assert_eq!((file.as_str(), result.is_ok()), ("there.json", true));
    ends.ask(LoadRequest::Baseline("gone.json".to_owned()))
        .await;
    let LoadNews::Baseline { result, .. } = ends.hear().await else {
        panic!("no answer");
    };
    assert_eq!(result.unwrap_err(), "cannot read `gone.json`; record it");
    ends.requests.send(Request::RefreshNow).await.unwrap();
    assert_eq!(ends.collectors.recv().await, Some(Request::RefreshNow));
}
