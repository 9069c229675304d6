//! A server and a load as they look in an incident: one hot row, one missing index, hostile text.

mod digests;
mod load;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::feed::{Feed, Link, ServerFacts};
use crate::model::interval::Interval;
use crate::model::latency::BucketCounts;
use crate::model::sample::{Sample, SelfCost};
use crate::model::session::{Session, SessionId, Transaction};
use crate::model::status::{Kind, Status, Var};

pub(in crate::tui) use self::digests::{detail, digests, key};
pub(in crate::tui) use self::load::load;

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
