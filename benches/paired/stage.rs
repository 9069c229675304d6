//! The table, the statements of both sides, and the calibration of the slowdown.

use std::sync::Arc;
use std::time::Duration;

use mydex::baseline::pairs::{Metric, Pair, log_ratios};
use mydex::baseline::ranks::interval;
use mydex::baseline::turns::{self, Alternation, Pace, Probe, Stage, Watch};
use mydex::config::load::Loaded;
use mydex::config::settings::{Monitor, Server, Tls, TlsMode};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio_util::sync::CancellationToken;

/// The schema of the bench.
pub(crate) const SCHEMA: &str = "mydex_bench_paired";

/// The probes.
pub(crate) const NAMES: [&str; 3] = ["lookup", "scan", "group"];

/// The one that is slowed.
pub(crate) const SLOWED: &str = "scan";

/// Rows of the table.
const ROWS: u32 = 40_000;

/// Rows that `scan` reads.
const READ: u32 = 4_000;

/// The slowdown.
const SLOWDOWN: f64 = 0.10;

/// Different operations of each probe.
const OPERATIONS: u32 = 10;

/// A server with the table, and how many rows more make the slowdown.
pub(crate) struct Ground {
    server: Server,
    limits: Monitor,
    pub(crate) extra: u32,
}

impl Ground {
    /// Makes the table; without `extra` from an earlier run it is calibrated.
    pub(crate) async fn prepare(server: &Server, extra: Option<u32>) -> Self {
        let mut limits = Loaded::built_in().settings.monitor;
        // A machine that is busy otherwise is no reason to fail.
        limits.connect_timeout = Duration::from_secs(30);
        limits.statement_timeout = Duration::from_secs(30);
        let mut connection = mydex::server::options(server).connect().await.unwrap();
        make(&mut connection).await;
        let mut ground = Self {
            server: server.clone(),
            limits,
            extra: extra.unwrap_or(0),
        };
        if extra.is_none() {
            ground.calibrate().await;
        }
        println!(
            "`{SLOWED}` reads {READ} rows on the first side, and {} more on a slowed second one",
            ground.extra
        );
        ground
    }

    /// Both sides, each trial with connections of its own.
    pub(crate) async fn stage(&self, alternation: Alternation) -> Stage {
        let schemas = || [SCHEMA.to_owned(), SCHEMA.to_owned()];
        let open = || mydex::server::open(&self.server, &self.limits);
        let one = open().await.unwrap();
        match alternation {
            Alternation::Operation => Stage::one(one, schemas()),
            Alternation::Slice => Stage::two([one, open().await.unwrap()], schemas()),
        }
    }

    /// The probes, the second side reading so many rows more.
    pub(crate) fn probes(extra: u32) -> Vec<Probe> {
        let of = |name: &str, sql: &dyn Fn(u32, u32) -> String| Probe {
            name: Arc::from(name),
            transaction: false,
            operations: (0..OPERATIONS)
                .map(|number| {
                    let from = 1 + number * 3_001;
                    [vec![sql(from, 0)], vec![sql(from, extra)]]
                })
                .collect(),
        };
        vec![
            of("lookup", &|from, _| {
                format!(
                    "SELECT id, word FROM item WHERE id IN ({from}, {}, {})",
                    from + 7,
                    from + 99
                )
            }),
            of("scan", &|from, more| {
                let to = from + READ + more - 1;
                format!("SELECT SUM(CRC32(word)) FROM item WHERE id BETWEEN {from} AND {to}")
            }),
            of("group", &|from, _| {
                let to = from + 2_000;
                format!(
                    "SELECT kind, COUNT(*), MAX(word) FROM item WHERE id BETWEEN {from} AND {to} \
                     GROUP BY kind ORDER BY kind"
                )
            }),
        ]
    }

    /// How many rows more take 10 % longer: first by the time that twice the rows take, then the
    /// mean of what three measurements near it say.
    async fn calibrate(&mut self) {
        const TIMES: u32 = 3;
        let first = f64::from(READ) * SLOWDOWN / self.growth(READ).await;
        let mut sum = 0.0;
        for _ in 0..TIMES {
            let growth = self.growth(whole(first)).await;
            println!(
                "calibrating: {} rows in place of {READ} take {:+.2} %",
                READ + whole(first),
                100.0 * growth
            );
            sum += first * SLOWDOWN / growth;
        }
        self.extra = whole(sum / f64::from(TIMES));
    }

    /// What so many rows more cost, as a share.
    async fn growth(&self, extra: u32) -> f64 {
        let pairs = self.times(extra).await;
        let found = interval(&log_ratios(&pairs, Metric::P50), 0.05).unwrap();
        found.middle.exp_m1()
    }

    async fn times(&self, extra: u32) -> Vec<Pair> {
        let mut stage = self.stage(Alternation::Operation).await;
        let probes: Vec<Probe> = Self::probes(extra)
            .into_iter()
            .filter(|probe| &*probe.name == SLOWED)
            .collect();
        let pace = Pace {
            alternation: Alternation::Operation,
            slice: Duration::from_millis(500),
            warmup: Duration::from_secs(2),
            most: Duration::from_secs(15),
            seed: 1,
        };
        let never = CancellationToken::new();
        let measured = turns::run(&mut stage, &probes, &pace, &never, &mut Nobody).await;
        stage.close().await;
        measured.unwrap().times.swap_remove(0)
    }
}

/// The nearest whole number.
fn whole(value: f64) -> u32 {
    format!("{value:.0}").parse().unwrap()
}

struct Nobody;

impl Watch for Nobody {
    fn tick(&mut self, _: Option<Duration>) {}

    fn look(&mut self, times: &[Vec<Pair>], _: Duration) -> Vec<bool> {
        vec![true; times.len()]
    }
}

async fn make(connection: &mut MySqlConnection) {
    let sql = format!(
        "CREATE DATABASE IF NOT EXISTS {SCHEMA};
         USE {SCHEMA};
         DROP TABLE IF EXISTS {SCHEMA}.item;
         CREATE TABLE {SCHEMA}.item (id INT UNSIGNED NOT NULL PRIMARY KEY,
           kind TINYINT UNSIGNED NOT NULL, word CHAR(64) NOT NULL);
         SET SESSION cte_max_recursion_depth = {ROWS};
         INSERT INTO {SCHEMA}.item WITH RECURSIVE n (i) AS
           (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
           SELECT i, i % 17, SHA2(i, 256) FROM n;
         ANALYZE TABLE {SCHEMA}.item"
    );
    for statement in sql.split(';') {
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
            .await
            .unwrap();
    }
}

/// `mysql://user:password@host:port`.
pub(crate) fn server_of(url: &str) -> Server {
    let rest = url.strip_prefix("mysql://").unwrap();
    let (account, place) = rest.rsplit_once('@').unwrap();
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    let place = place.split('/').next().unwrap();
    let (host, port) = place.split_once(':').unwrap_or((place, "3306"));
    Server {
        name: "bench".to_owned(),
        host: host.to_owned(),
        port: port.parse().unwrap(),
        socket: None,
        user: user.to_owned(),
        password: Some(password.to_owned().into()),
        database: None,
        tls: Tls {
            mode: TlsMode::Preferred,
            ca: None,
        },
        read_only: false,
    }
}
