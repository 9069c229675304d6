//! The collectors against real servers.

use std::time::Duration;

use mydex::collect;
use mydex::model::status::Var;

use crate::server_checks::{limits, own_server, settings};

#[tokio::test]
async fn an_idle_server_shows_no_load_of_mydex() {
    let server = own_server(&[]).await;
    let settings = settings(server.endpoint());
    let started = std::time::Instant::now();
    let once = collect::once(&settings, &limits(), Duration::from_secs(2))
        .await
        .unwrap();
    eprintln!("{:?}", started.elapsed());
    let interval = &once.interval;
    eprintln!("{:?}", interval.cost);
    eprintln!("{:?}", interval.missing);
    eprintln!("{:?}", once.facts);
    eprintln!("{:?}", once.digests);
    assert_eq!(interval.growth(Var::Questions), Some(0));
    assert_eq!(interval.growth(Var::Queries), Some(0));
    assert_eq!(interval.latency.as_ref().map(|l| l.total()), Some(0));
    assert_eq!(interval.sessions_total, 0);
}
