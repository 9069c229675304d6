//! Periods by hand: a busy one with hostile texts, the same a day earlier, and one without anything.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{DigestLatency, Performance, Point, Wait};
use crate::model::digest::{DigestCounters, DigestDelta, DigestInterval, DigestKey};
use crate::model::feed::ServerFacts;
use crate::model::interval::Interval;
use crate::model::latency::BucketCounts;
use crate::model::sample::{Sample, SelfCost};
use crate::model::session::{Session, SessionId, Transaction};
use crate::model::status::{Kind, Status, Var};

/// 2026-03-14 10:42:00 UTC, and so many seconds more.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_773_484_920 + second).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn grows(var: Var) -> u64 {
    match var {
        Var::Questions | Var::Queries => 412,
        Var::RowsRead => 1_240_000,
        Var::RowsInserted => 21,
        Var::BytesSent => 610_000,
        Var::BufferPoolReadRequests => 240_000,
        Var::BufferPoolReads => 3_100,
        Var::HandlerReadRndNext => 990_000,
        Var::CreatedTmpTables => 44,
        Var::CreatedTmpDiskTables => 2,
        Var::RowLockWaits => 6,
        Var::RowLockTime => 1_500,
        Var::DataRead => 51_000_000,
        Var::DataWritten => 2_100_000,
        Var::Uptime => 1,
        _ => 0,
    }
}

fn status(second: u64) -> Status {
    Var::ALL
        .iter()
        .map(|var| {
            let value = match (var.kind(), var) {
                (Kind::Gauge, Var::ThreadsConnected) => 184,
                (Kind::Gauge, Var::ThreadsRunning) => 3 + second % 5,
                (Kind::Gauge, _) => 7,
                (Kind::Counter, var) => 1_000_000 + grows(*var) * second,
            };
            (*var, value)
        })
        .collect()
}

fn buckets(peak: usize, all: u64) -> BucketCounts {
    let mut latency = BucketCounts::default();
    let mut upper = 10_000_000_u64;
    for n in 0..450_usize {
        latency.upper_ps.push(upper);
        let distance = n.abs_diff(peak) as u64;
        latency.counts.push(all / (1 + distance * distance));
        upper += upper / 21;
    }
    latency
}

fn session(process: u64, user: &str, command: &str, in_transaction: bool) -> Session {
    Session {
        id: SessionId {
            connection: process,
            thread: process,
        },
        user: Some(user.to_owned()),
        host: Some("10.0.0.7".to_owned()),
        schema: Some("cmdb".to_owned()),
        command: command.to_owned(),
        state: None,
        time: Duration::from_secs(3),
        statement: None,
        transaction: in_transaction.then(|| Transaction {
            state: "RUNNING".to_owned(),
            age: Duration::from_secs(3),
            lock_wait: None,
            rows_locked: 4,
            rows_modified: 2,
            isolation: "REPEATABLE READ".to_owned(),
        }),
    }
}

fn sample(second: u64) -> Sample {
    Sample {
        at: at(i64::try_from(second).unwrap_or(0)),
        elapsed: Duration::from_secs(second),
        status: status(second),
        sessions: vec![
            session(1, "app", "Query", false),
            session(2, "app", "Sleep", false),
            session(3, "batch", "Sleep", true),
        ],
        sessions_total: 184,
        latency: Some(buckets(120, 1_000 * second)),
        own_timers_ps: Vec::new(),
        own_statements: 5,
        own_selects: 4,
        cost: SelfCost {
            statements: 5 * second,
            server_time: Duration::from_millis(3 * second),
            server_cpu: None,
            rows: 200 * second,
            bytes: 9_000 * second,
        },
        missing: Vec::new(),
    }
}

fn interval(from: u64, to: u64) -> Interval {
    Interval::between(&sample(from), &sample(to)).unwrap_or_else(|_| unreachable!())
}

fn key(n: u8) -> DigestKey {
    DigestKey {
        schema: Some(Arc::from("cmdb")),
        digest: Some(Arc::from(format!("{n:02x}").repeat(32))),
    }
}

fn delta(n: u8, text: &str, calls: u64, ms: u64) -> DigestDelta {
    DigestDelta {
        key: key(n),
        text: Some(Arc::from(text)),
        counters: DigestCounters {
            calls,
            time_ps: ms * 1_000_000_000,
            rows_examined: calls * 2_204,
            rows_sent: calls * 21,
            no_index: calls,
            tmp_disk_tables: 3,
            errors: u64::from(n),
            ..DigestCounters::default()
        },
        is_new: n == 3,
        trend: Vec::new(),
    }
}

fn digests(deltas: Vec<DigestDelta>) -> DigestInterval {
    let total = deltas.iter().fold(DigestCounters::default(), |sum, one| {
        sum.plus(&one.counters)
    });
    DigestInterval {
        to: at(60),
        window: Duration::from_mins(1),
        digests: deltas,
        total,
        lost: None,
        rows: 812,
        capacity: Some(10_000),
        gap: None,
        next_poll: Duration::ZERO,
    }
}

/// A busy minute.
#[must_use]
pub fn rich() -> Performance {
    let deltas = vec![
        delta(
            1,
            "SELECT `s` . `id` , `s` . `cidr_block` FROM `subnets` `s` WHERE `s` . `vpc_id` = ? AND `s` . `state` = ? ORDER BY `s` . `available_ip_count` DESC LIMIT ?",
            12_400,
            64_610,
        ),
        delta(
            2,
            "UPDATE `vpcs` SET `tags` = ? WHERE `id` = ?",
            1_204,
            9_100,
        ),
        delta(
            3,
            "SELECT '<script>alert(1)</script>\x1b]0;owned\x07' FROM `漢字\u{202e}`",
            14,
            2_400,
        ),
    ];
    Performance {
        facts: ServerFacts {
            name: "cmdb-prod:3306".to_owned(),
            version: "8.4.6".to_owned(),
            account: "mydex@10.0.0.5".to_owned(),
            tls_cipher: None,
            started: at(-1_047_600),
            max_connections: Some(500),
            limits: vec!["the consumer `events_statements_cpu` is off".to_owned()],
        },
        from: at(0),
        interval: interval(0, 60),
        points: (1..=60).map(|n| Point::of(&interval(n - 1, n))).collect(),
        polls: (60, 60),
        histograms: vec![DigestLatency {
            key: key(1),
            window: Duration::from_secs(54),
            latency: buckets(130, 900),
        }],
        digests: Some(digests(deltas)),
        waits: Some(vec![
            Wait {
                event: "wait/io/table/sql/handler".to_owned(),
                count: 74_400_000,
                time: Duration::from_secs(51),
            },
            Wait {
                event: "wait/io/file/innodb/innodb_data_file".to_owned(),
                count: 186_000,
                time: Duration::from_millis(8_200),
            },
        ]),
        notes: vec!["no latencies of single statements: access denied\x1b[2J".to_owned()],
    }
}

/// The minute before a change: the first statement was rarer and faster, another one ran.
#[must_use]
pub fn earlier() -> Performance {
    let mut period = rich();
    let mut first = delta(1, "SELECT `s` . `id` FROM `subnets` `s`", 4_000, 4_000);
    first.text = rich().digests.and_then(|d| d.digests[0].text.clone());
    period.digests = Some(digests(vec![
        first,
        delta(
            2,
            "UPDATE `vpcs` SET `tags` = ? WHERE `id` = ?",
            1_204,
            9_000,
        ),
        delta(9, "DELETE FROM `flows` WHERE `seen` < ?", 3, 1_100),
    ]));
    period.from = at(-86_400);
    period.interval = interval(60, 120);
    period
}

/// A server that tells nothing, watched for one step.
#[must_use]
pub fn silent() -> Performance {
    let mut period = rich();
    let empty = |second: u64| Sample {
        status: Status::default(),
        latency: None,
        ..sample(second)
    };
    period.interval = Interval::between(&empty(0), &empty(1)).unwrap_or_else(|_| unreachable!());
    period.points = vec![Point::of(&period.interval)];
    period.polls = (1, 1);
    period.digests = None;
    period.histograms.clear();
    period.waits = None;
    period
}
