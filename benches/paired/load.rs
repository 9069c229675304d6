//! Other load on the machine, in bursts of random length.

use std::hint::black_box;
use std::time::{Duration, Instant};

use mydex::config::settings::Server;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Threads that compute.
const THREADS: u64 = 2;

/// What runs beside the trials.
pub(crate) struct Load {
    ended: CancellationToken,
    running: JoinSet<()>,
}

/// Starts it, unless `MYDEX_BENCH_LOAD` is `off`.
pub(crate) fn start(server: &Server) -> Load {
    let mut load = Load {
        ended: CancellationToken::new(),
        running: JoinSet::new(),
    };
    if super::told("MYDEX_BENCH_LOAD", "on".to_owned()) == "off" {
        println!("no load but that of others");
        return load;
    }
    println!(
        "load: {THREADS} threads and a connection, busy half of the time in bursts of 20 ms to 1.5 s"
    );
    for seed in 0..THREADS {
        load.running.spawn(threads(seed, load.ended.clone()));
    }
    load.running
        .spawn(queries(server.clone(), THREADS, load.ended.clone()));
    load
}

impl Load {
    /// Ends it.
    pub(crate) async fn stop(mut self) {
        self.ended.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap();
        }
    }
}

fn burst(random: &mut Pcg64) -> Duration {
    Duration::from_millis(random.random_range(20..1_500))
}

async fn rest(random: &mut Pcg64, ended: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(burst(random)) => {}
        () = ended.cancelled() => {}
    }
}

async fn threads(seed: u64, ended: CancellationToken) {
    let mut random = Pcg64::seed_from_u64(seed);
    while !ended.is_cancelled() {
        let length = burst(&mut random);
        tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let mut value = 1_u64;
            while started.elapsed() < length {
                for _ in 0..10_000 {
                    value = black_box(
                        value
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1),
                    );
                }
            }
        })
        .await
        .unwrap();
        rest(&mut random, &ended).await;
    }
}

async fn queries(server: Server, seed: u64, ended: CancellationToken) {
    let mut random = Pcg64::seed_from_u64(seed);
    let mut connection = mydex::server::options(&server).connect().await.unwrap();
    let sql = format!(
        "SELECT SUM(CRC32(SHA2(word, 256))) FROM {}.item",
        super::stage::SCHEMA
    );
    while !ended.is_cancelled() {
        let (length, started) = (burst(&mut random), Instant::now());
        while started.elapsed() < length {
            connection
                .execute(sqlx::raw_sql(AssertSqlSafe(sql.as_str())))
                .await
                .unwrap();
        }
        rest(&mut random, &ended).await;
    }
}
