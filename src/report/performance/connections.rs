//! Who is connected: what the server sees of its clients' connection pools.

use std::collections::BTreeMap;

use crate::model::performance::{Performance, Point};
use crate::model::status::Var;
use crate::model::units;
use crate::report::doc::{Block, Table};

/// Clients that are listed.
const CLIENTS: usize = 15;

/// What the server sees of its clients' connections over a period; `None` where it does not tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Connections<'a> {
    /// Open ones, at the polls.
    pub open: Option<Level>,
    /// Those at work, at the polls.
    pub working: Option<Level>,
    /// Opened a second.
    pub opened: Option<f64>,
    /// Refused in the period, since there were too many.
    pub refused: Option<u64>,
    /// Attempts of the period that failed.
    pub failed: Option<u64>,
    /// Those of the period that ended without a goodbye.
    pub dropped: Option<u64>,
    /// Most at a time since the server started.
    pub most: Option<u64>,
    /// The clients at the last poll, those with the most connections first; mydex is not among them.
    pub clients: Vec<Client<'a>>,
}

/// A number that was read at each poll.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Its mean.
    pub mean: f64,
    /// Its highest value.
    pub most: u64,
}

/// Connections of one account from one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client<'a> {
    /// The account's user; `None` before it is known.
    pub user: Option<&'a str>,
    /// The host, without its port.
    pub host: Option<&'a str>,
    /// Open connections.
    pub open: u64,
    /// Those at work.
    pub working: u64,
    /// Those that wait for their client within a transaction.
    pub idle_in_transaction: u64,
}

/// The connections of a period.
#[must_use]
pub fn connections(period: &Performance) -> Connections<'_> {
    let interval = &period.interval;
    let level = |of: fn(&Point) -> Option<u64>| {
        let known: Vec<u64> = period.points.iter().filter_map(of).collect();
        Some(Level {
            most: *known.iter().max()?,
            mean: known.iter().sum::<u64>() as f64 / known.len() as f64,
        })
    };
    Connections {
        open: level(|point| point.connected),
        working: level(|point| point.running),
        opened: interval.rate(Var::Connections),
        refused: interval.growth(Var::ConnectionErrorsMaxConnections),
        failed: interval.growth(Var::AbortedConnects),
        dropped: interval.growth(Var::AbortedClients),
        most: interval.level(Var::MaxUsedConnections),
        clients: clients(period),
    }
}

pub(super) fn blocks(period: &Performance) -> Vec<Block> {
    let seen = connections(period);
    let mut blocks = vec![Block::Facts(facts(&seen))];
    let clients = seen.clients;
    if clients.is_empty() {
        return blocks;
    }
    let mut table = Table::new(
        format!(
            "Clients at the last poll: the {} with the most connections of {}; those that wait in a \
             transaction hold locks and old row versions",
            clients.len().min(CLIENTS),
            clients.len()
        ),
        &[
            "account",
            "host",
            ">connections",
            ">at work",
            ">idle in a transaction",
        ],
    );
    for client in clients.into_iter().take(CLIENTS) {
        table.push([
            client.user.unwrap_or("-").to_owned(),
            client.host.unwrap_or("-").to_owned(),
            client.open.to_string(),
            client.working.to_string(),
            client.idle_in_transaction.to_string(),
        ]);
    }
    blocks.push(Block::Table(table));
    blocks
}

fn facts(seen: &Connections) -> Vec<(String, String)> {
    let level = |level: Option<Level>| {
        let Level { mean, most } = level?;
        Some(format!("{} on average, at most {most}", units::count(mean)))
    };
    let count = |count: Option<u64>| Some(units::count(count? as f64));
    let opened = seen.opened.map(|rate| format!("{}/s", units::count(rate)));
    [
        ("open, at the polls", level(seen.open)),
        ("at work, at the polls", level(seen.working)),
        ("opened", opened),
        ("refused, since there were too many", count(seen.refused)),
        ("failed to connect", count(seen.failed)),
        ("ended without a goodbye", count(seen.dropped)),
        (
            "most at a time since the server started",
            seen.most.map(|most| most.to_string()),
        ),
    ]
    .into_iter()
    .map(|(name, value)| {
        (
            name.to_owned(),
            value.unwrap_or_else(|| "unknown".to_owned()),
        )
    })
    .collect()
}

/// The clients with the most connections first; those of mydex are not among them.
fn clients(period: &Performance) -> Vec<Client<'_>> {
    let mut clients: BTreeMap<(Option<&str>, Option<&str>), Client<'_>> = BTreeMap::new();
    for session in period.interval.sessions.iter() {
        let (user, host) = (session.user.as_deref(), session.host.as_deref());
        let client = clients.entry((user, host)).or_insert(Client {
            user,
            host,
            open: 0,
            working: 0,
            idle_in_transaction: 0,
        });
        client.open += 1;
        client.working += u64::from(session.is_active());
        client.idle_in_transaction += u64::from(session.is_idle_in_transaction());
    }
    let mut all: Vec<_> = clients.into_values().collect();
    all.sort_by_key(|client| std::cmp::Reverse(client.open));
    all
}
