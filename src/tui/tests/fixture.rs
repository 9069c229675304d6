//! A server and a load as they look in an incident: one hot row, one missing index, hostile text.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::digest::{
    DigestCounters, DigestDelta, DigestDetail, DigestInterval, DigestKey, Plan, Sample as Statement,
};
use crate::model::feed::{Feed, Link, ServerFacts};
use crate::model::interval::Interval;
use crate::model::latency::BucketCounts;
use crate::model::probe::{Counts, LoadTick, PoolFigures, ProbeFigures, Slo, latencies};
use crate::model::sample::{Sample, SelfCost};
use crate::model::session::{Session, SessionId, Transaction};
use crate::model::status::{Kind, Status, Var};

/// 2026-03-14 10:42:00 UTC.
pub(in crate::tui) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_773_484_920 + second).unwrap()
}

/// A number between 0 and 1 that depends on its argument only.
fn noise(n: u64) -> f64 {
    let x = n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    let x = (x ^ (x >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 11) as f64 / (1_u64 << 53) as f64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "test figures are small and positive"
)]
fn int(value: f64) -> u64 {
    value.max(0.0) as u64
}

pub(in crate::tui) fn facts() -> Arc<ServerFacts> {
    Arc::new(ServerFacts {
        name: "cmdb-prod:3306".to_owned(),
        version: "8.4.6".to_owned(),
        account: "mydex@10.0.0.5".to_owned(),
        tls_cipher: Some("TLS_AES_256_GCM_SHA384".to_owned()),
        started: at(-1_047_600),
        max_connections: Some(500),
        limits: Vec::new(),
    })
}

/// Growth per second, or the level of a gauge, around which the fixture moves.
fn base(var: Var) -> f64 {
    match var {
        Var::Questions | Var::Queries => 4_120.0,
        Var::ComSelect => 3_310.0,
        Var::ComCommit => 402.0,
        Var::ComRollback => 1.5,
        Var::RowsInserted => 210.0,
        Var::RowsUpdated => 96.0,
        Var::RowsDeleted => 3.0,
        Var::RowsRead => 1_240_000.0,
        Var::BytesSent => 6_100_000.0,
        Var::BytesReceived => 910_000.0,
        Var::BufferPoolReadRequests => 2_400_000.0,
        Var::BufferPoolReads => 31_000.0,
        Var::CreatedTmpTables => 44.0,
        Var::CreatedTmpDiskTables | Var::RowLockCurrentWaits => 2.0,
        Var::RowLockWaits => 6.0,
        Var::SlowQueries => 1.2,
        Var::ThreadsConnected => 184.0,
        Var::ThreadsRunning => 23.0,
        _ => 0.0,
    }
}

fn status(second: i64) -> Status {
    let now = u64::try_from(second + 100).unwrap();
    Var::ALL
        .iter()
        .map(|var| {
            let value = match var.kind() {
                Kind::Gauge => base(*var) * (0.8 + 0.4 * noise(now * 31 + *var as u64)),
                Kind::Counter => (0..now)
                    .map(|n| base(*var) * (0.6 + 0.8 * noise(n * 17 + *var as u64)))
                    .sum(),
            };
            (*var, int(value))
        })
        .chain([(Var::Uptime, 1_047_600 + now)])
        .collect()
}

fn buckets(seed: u64, scale: f64) -> BucketCounts {
    let mut upper = 10_000_000.0;
    let mut counts = BucketCounts::default();
    for n in 0..240_u32 {
        counts.upper_ps.push(int(upper));
        let (fast, slow) = (f64::from(n) - 60.0, f64::from(n) - 190.0);
        let bell = (-fast * fast / 400.0).exp() * 300.0 + (-slow * slow / 60.0).exp() * 7.0;
        counts.counts.push(int(bell
            * scale
            * (0.6 + 0.8 * noise(seed * 999 + u64::from(n)))));
        upper *= 1.0475;
    }
    counts
}

fn session(connection: u64, user: &str, command: &str, seconds: u64) -> Session {
    Session {
        id: SessionId {
            connection,
            thread: connection + 40,
        },
        user: Some(user.to_owned()),
        host: Some(format!("10.0.3.{}", connection % 7 + 10)),
        schema: Some("cmdb".to_owned()),
        command: command.to_owned(),
        state: None,
        time: Duration::from_secs(seconds),
        statement: None,
        transaction: None,
    }
}

fn transaction(seconds: u64, wait: Option<u64>, locked: u64, modified: u64) -> Transaction {
    Transaction {
        state: if wait.is_some() {
            "LOCK WAIT"
        } else {
            "RUNNING"
        }
        .to_owned(),
        age: Duration::from_secs(seconds),
        lock_wait: wait.map(Duration::from_secs),
        rows_locked: locked,
        rows_modified: modified,
        isolation: "REPEATABLE READ".to_owned(),
    }
}

pub(in crate::tui) fn sessions(second: i64) -> Vec<Session> {
    let s = u64::try_from(second).unwrap();
    let mut sessions = Vec::new();
    let mut holder = session(4_711, "sync_job", "Sleep", 41 + s);
    holder.transaction = Some(transaction(97 + s, None, 1_204, 311));
    sessions.push(holder);
    for n in 0..2 {
        let mut waiter = session(4_802 + n, "app", "Query", 12 + s + n);
        waiter.state = Some("updating".to_owned());
        waiter.statement = Some(
            "UPDATE subnets SET available_ip_count = available_ip_count - 1,\n  updated_at = NOW()\nWHERE id = 'f6d1c0de-0042-4b7e-9e37-5a1a4be7e1aa'"
                .to_owned(),
        );
        waiter.transaction = Some(transaction(12 + s + n, Some(12 + s + n), 2, 0));
        sessions.push(waiter);
    }
    let mut report = session(5_120, "reporting", "Query", 8 + s);
    report.state = Some("Sending data".to_owned());
    report.statement = Some(
        "SELECT v.cost_center, COUNT(*) n, SUM(s.available_ip_count) free FROM vpcs v JOIN subnets s ON s.vpc_id = v.id WHERE v.deleted_at IS NULL GROUP BY v.cost_center ORDER BY n DESC"
            .to_owned(),
    );
    sessions.push(report);
    let mut hostile = session(5_133, "app", "Query", 1);
    hostile.statement =
        Some("SELECT '\x1b]0;owned\x07\x1b[2J漢字テスト漢字テスト' /* \u{202e}evil */".to_owned());
    sessions.push(hostile);
    for n in 0..34 {
        let user = if n % 3 == 0 { "web" } else { "app" };
        sessions.push(session(6_000 + n, user, "Sleep", n * 3));
    }
    sessions
}

fn sample(second: i64) -> Sample {
    let mut latency = BucketCounts::default();
    for n in -20..=second {
        let seed = u64::try_from(n + 100).unwrap();
        let one = buckets(seed, if n % 9 == 0 { 2.0 } else { 1.0 });
        if latency.counts.is_empty() {
            latency = one;
        } else {
            latency
                .counts
                .iter_mut()
                .zip(one.counts)
                .for_each(|(sum, n)| *sum += n);
        }
    }
    let n = u64::try_from(second + 100).unwrap();
    Sample {
        at: at(second),
        elapsed: Duration::from_secs(n),
        status: status(second),
        sessions: if second >= 0 {
            sessions(second)
        } else {
            Vec::new()
        },
        sessions_total: 184,
        latency: Some(latency),
        own_timers_ps: Vec::new(),
        own_statements: 5,
        own_selects: 0,
        cost: SelfCost {
            statements: 5 * n,
            server_time: Duration::from_micros(2_700 * n),
            server_cpu: None,
            rows: 120 * n,
            bytes: 41_000 * n,
        },
        missing: Vec::new(),
    }
}

pub(in crate::tui) fn interval(second: i64) -> Arc<Interval> {
    Arc::new(Interval::between(&sample(second - 1), &sample(second)).unwrap())
}

const TEXTS: &[(&str, f64, f64, u64, u64)] = &[
    (
        "SELECT `s` . `id` , `s` . `cidr_block` , `s` . `available_ip_count` FROM `subnets` `s` WHERE `s` . `vpc_id` = ? AND `s` . `state` = ? ORDER BY `s` . `available_ip_count` DESC LIMIT ?",
        310.0,
        4.1,
        2_204,
        1,
    ),
    (
        "SELECT `v` . `cost_center` , COUNT ( * ) `n` , SUM ( `s` . `available_ip_count` ) FROM `vpcs` `v` JOIN `subnets` `s` ON `s` . `vpc_id` = `v` . `id` WHERE `v` . `deleted_at` IS NULL GROUP BY `v` . `cost_center` ORDER BY `n` DESC",
        0.5,
        1_840.0,
        61_400,
        1,
    ),
    (
        "UPDATE `subnets` SET `available_ip_count` = `available_ip_count` - ? , `updated_at` = NOW ( ) WHERE `id` = ?",
        91.0,
        6.2,
        1,
        0,
    ),
    ("SELECT * FROM `vpcs` WHERE `id` = ?", 1_840.0, 0.11, 1, 0),
    (
        "SELECT `id` , `name` FROM `vpcs` WHERE JSON_EXTRACT ( `tags` , ? ) = ? LIMIT ?",
        2.0,
        61.0,
        9_800,
        1,
    ),
    (
        "INSERT INTO `transit_gateway_attachments` ( `id` , `transit_gateway_id` , `resource_type` , `resource_id` , `state` ) VALUES (...) ON DUPLICATE KEY UPDATE `state` = VALUES ( `state` )",
        24.0,
        3.4,
        0,
        0,
    ),
    (
        "SELECT `a` . * FROM `transit_gateway_attachments` `a` WHERE `a` . `resource_id` = ? AND `a` . `resource_type` = ?",
        140.0,
        0.62,
        14,
        0,
    ),
    ("COMMIT", 402.0, 0.09, 0, 0),
    (
        "SELECT `last_synced_at` FROM `vpcs` WHERE `last_synced_at` < ? AND `source_system` = ?",
        1.0,
        38.0,
        9_800,
        1,
    ),
    ("SELECT \x1b[31m`evil` FROM `漢字`", 3.0, 0.3, 1, 0),
];

pub(in crate::tui) fn key(n: usize) -> DigestKey {
    DigestKey {
        schema: Some("cmdb".into()),
        digest: Some(format!("{:016x}{:048x}", 0x9c1e_0b5a_77d2_4e10_u64 + n as u64, n).into()),
    }
}

pub(in crate::tui) fn digests(second: i64) -> Arc<DigestInterval> {
    let window = 6.0;
    let mut total = DigestCounters::default();
    let mut rows: Vec<DigestDelta> = TEXTS
        .iter()
        .enumerate()
        .map(|(n, (text, rate, ms, examined, no_index))| {
            let seed = u64::try_from(second + 100).unwrap() * 100 + n as u64;
            let calls = int(rate * window * (0.9 + 0.2 * noise(seed))).max(1);
            let sent = u64::from(*text != "COMMIT") * calls * if n == 1 { 40 } else { 1 };
            let counters = DigestCounters {
                calls,
                time_ps: int(calls as f64 * ms * 1e9),
                rows_examined: calls * examined,
                rows_sent: sent,
                no_index: calls * no_index,
                tmp_tables: if n == 1 { calls } else { 0 },
                tmp_disk_tables: if n == 1 { calls / 3 } else { 0 },
                errors: if n == 5 { 2 } else { 0 },
                ..DigestCounters::default()
            };
            let trend = (0..30)
                .map(|k| {
                    let wobble = 0.5 + noise(n as u64 * 100 + k);
                    Duration::try_from_secs_f64(ms / 1e3 * wobble).unwrap()
                })
                .collect();
            DigestDelta {
                key: key(n),
                text: Some((*text).into()),
                counters,
                is_new: n == 8,
                trend,
            }
        })
        .collect();
    for row in &rows {
        total = total.plus(&row.counters);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.counters.time_ps));
    Arc::new(DigestInterval {
        to: at(second),
        window: Duration::from_secs(6),
        digests: rows,
        total,
        lost: None,
        rows: 812,
        capacity: Some(10_000),
        gap: None,
        next_poll: Duration::from_secs(6),
    })
}

pub(in crate::tui) fn detail(n: usize) -> DigestDetail {
    let (text, ..) = TEXTS[n];
    DigestDetail {
        key: key(n),
        text: Some(text.to_owned()),
        sample: Some(Statement {
            sql: "SELECT s.id, s.cidr_block, s.available_ip_count FROM subnets s WHERE s.vpc_id = '0b8d6e0a-7c7b-4a43-a6b0-0c2f7f9b1d11' AND s.state = 'available' ORDER BY s.available_ip_count DESC LIMIT 20".to_owned(),
            is_truncated: false,
            seen: Some(at(-40)),
            time: Duration::from_micros(5_210),
        }),
        latency: buckets(7, 40.0),
        counters: DigestCounters {
            calls: 812_000,
            time_ps: 3_300_000_000_000_000,
            lock_ps: 12_000_000_000_000,
            rows_sent: 810_000,
            rows_examined: 1_780_000_000,
            no_index: 812_000,
            scans: 812_000,
            sort_rows: 16_000_000,
            ..DigestCounters::default()
        },
        first_seen: at(-86_400),
        plan: Plan::Tree(
            "-> Limit: 20 row(s)  (cost=224 rows=20)\n    -> Sort: s.available_ip_count DESC, limit input to 20 row(s) per chunk  (cost=224 rows=2204)\n        -> Filter: ((s.state = 'available') and (s.vpc_id = '0b8d6e0a'))  (cost=224 rows=2204)\n            -> Table scan on s  (cost=224 rows=2204)\n"
                .to_owned(),
        ),
    }
}

const PROBES: &[(&str, bool, f64, f64, f64)] = &[
    ("vpc_by_id", false, 180.0, 0.2, 0.5),
    ("subnets_of_vpc", false, 90.0, 0.4, 4.0),
    ("inventory_page", false, 40.0, 3.0, 60.0),
    ("attachments_by_resource", false, 60.0, 0.6, 12.0),
    ("vpcs_by_tag", false, 8.0, 55.0, 150.0),
    ("stale_sync", false, 3.0, 34.0, 80.0),
    ("free_addresses", false, 12.0, 9.0, 40.0),
    ("cost_center_rollup", false, 1.0, 180.0, 420.0),
    ("take_address", true, 50.0, 1.2, 9.0),
    ("sync_batch", true, 5.0, 14.0, 70.0),
];

pub(in crate::tui) fn load(second: i64) -> LoadTick {
    let mut pool = PoolFigures {
        max: 32,
        used: 11,
        idle: 21,
        pending: 0,
        pending_max: 3,
        pending_mean: 0.04,
        timeouts: 0,
        created: 2,
        closed: 0,
        acquired: 450,
        utilization: 0.34,
        wait: latencies(),
        create: latencies(),
        usage: latencies(),
    };
    let mut lateness = latencies();
    let probes = PROBES
        .iter()
        .enumerate()
        .map(|(n, (name, is_write, rate, p50, spread))| {
            let count = int(*rate).max(1);
            let (mut response, mut service) = (latencies(), latencies());
            for k in 0..count {
                let r = noise(u64::try_from(second + 50).unwrap() * 7_919 + n as u64 * 131 + k);
                let ms = p50 * (0.5 + r) + spread * r.powi(12);
                service.saturating_record(int(ms * 1e6));
                response.saturating_record(int(ms * 1.05e6 + 40_000.0));
                pool.wait.saturating_record(int(30_000.0 + r * 60_000.0));
                pool.usage.saturating_record(int(ms * 1e6));
                lateness.saturating_record(int(80_000.0 * r));
            }
            pool.create.saturating_record(3_200_000);
            ProbeFigures {
                name: (*name).into(),
                is_write: *is_write,
                counts: Counts {
                    scheduled: count,
                    completed: count - u64::from(n == 9),
                    failed: u64::from(n == 9),
                    ..Counts::default()
                },
                rows: count * if n == 2 { 50 } else { 1 },
                slo: Some(Slo {
                    quantile: 0.95,
                    limit: Duration::from_millis(if n == 7 { 1_000 } else { 100 }),
                }),
                response,
                service,
                last_error: (n == 9).then(|| {
                    "1213 (40001): Deadlock found when trying to get lock; try restarting transaction"
                        .to_owned()
                }),
            }
        })
        .collect();
    LoadTick {
        to: at(second),
        window: Duration::from_secs(1),
        elapsed: Duration::from_secs(u64::try_from(second + 50).unwrap()),
        target_rate: 450.0,
        probes,
        pool,
        lateness,
        label: "cmdb on mydex_demo".into(),
    }
}

/// The news of a minute, oldest first, each with the second it comes in.
pub(in crate::tui) fn minute(with_load: bool) -> &'static [(i64, Feed)] {
    static MINUTES: [OnceLock<Vec<(i64, Feed)>>; 2] = [OnceLock::new(), OnceLock::new()];
    MINUTES[usize::from(with_load)].get_or_init(|| make_minute(with_load))
}

fn make_minute(with_load: bool) -> Vec<(i64, Feed)> {
    let mut news = vec![(-45, Feed::Link(Link::Up(facts())))];
    for second in -45..=7 {
        news.push((second, Feed::Interval(interval(second))));
        if second % 6 == 1 {
            news.push((second, Feed::Digests(digests(second))));
        }
        // A load that began not long ago: recording each tick takes long without optimization.
        if with_load && second >= -8 {
            news.push((second, Feed::Load(Arc::new(load(second)))));
        }
    }
    news
}
