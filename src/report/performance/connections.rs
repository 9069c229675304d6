//! Who is connected: what the server sees of its clients' connection pools.

use std::collections::BTreeMap;

use crate::model::performance::{Performance, Point};
use crate::model::status::Var;
use crate::model::units;
use crate::report::doc::{Block, Table};

/// Clients that are listed.
const CLIENTS: usize = 15;

/// Connections of one account from one host.
#[derive(Debug, Clone, Copy, Default)]
struct Client {
    open: u64,
    working: u64,
    idle_in_transaction: u64,
}

pub(super) fn blocks(period: &Performance) -> Vec<Block> {
    let mut blocks = vec![Block::Facts(facts(period))];
    let clients = clients(period);
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
    for ((user, host), client) in clients.into_iter().take(CLIENTS) {
        table.push([
            user.to_owned(),
            host.to_owned(),
            client.open.to_string(),
            client.working.to_string(),
            client.idle_in_transaction.to_string(),
        ]);
    }
    blocks.push(Block::Table(table));
    blocks
}

fn facts(period: &Performance) -> Vec<(String, String)> {
    let interval = &period.interval;
    let level = |of: fn(&Point) -> Option<u64>| {
        let known: Vec<u64> = period.points.iter().filter_map(of).collect();
        let most = known.iter().max()?;
        let mean = known.iter().sum::<u64>() as f64 / known.len() as f64;
        Some(format!("{} on average, at most {most}", units::count(mean)))
    };
    let grown = |var| {
        let count = interval.growth(var)?;
        Some(units::count(count as f64))
    };
    let opened = interval.rate(Var::Connections);
    [
        ("open, at the polls", level(|point| point.connected)),
        ("at work, at the polls", level(|point| point.running)),
        (
            "opened",
            opened.map(|rate| format!("{}/s", units::count(rate))),
        ),
        (
            "refused, since there were too many",
            grown(Var::ConnectionErrorsMaxConnections),
        ),
        ("failed to connect", grown(Var::AbortedConnects)),
        ("ended without a goodbye", grown(Var::AbortedClients)),
        (
            "most at a time since the server started",
            interval
                .level(Var::MaxUsedConnections)
                .map(|most| most.to_string()),
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
fn clients(period: &Performance) -> Vec<((&str, &str), Client)> {
    let mut clients: BTreeMap<(&str, &str), Client> = BTreeMap::new();
    for session in period.interval.sessions.iter() {
        let user = session.user.as_deref().unwrap_or("-");
        let host = session.host.as_deref().unwrap_or("-");
        let client = clients.entry((user, host)).or_default();
        client.open += 1;
        client.working += u64::from(session.is_active());
        client.idle_in_transaction += u64::from(session.is_idle_in_transaction());
    }
    let mut all: Vec<_> = clients.into_iter().collect();
    all.sort_by_key(|(_, client)| std::cmp::Reverse(client.open));
    all
}
