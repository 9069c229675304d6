//! The connections of a period as JSON.

use serde::{Deserialize, Serialize};

use crate::model::performance::Performance;
use crate::report::performance::{Client, ConnectionLevel, connections};

/// Null where the server does not tell.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ConnectionsForm {
    open: Option<LevelForm>,
    working: Option<LevelForm>,
    opened_per_second: Option<f64>,
    refused: Option<u64>,
    failed: Option<u64>,
    dropped: Option<u64>,
    most_since_start: Option<u64>,
    clients: Vec<ClientForm>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LevelForm {
    mean: f64,
    max: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct ClientForm {
    user: Option<String>,
    host: Option<String>,
    open: u64,
    working: u64,
    idle_in_transaction: u64,
}

impl ConnectionsForm {
    pub(super) fn of(period: &Performance) -> Self {
        let seen = connections(period);
        let level = |level: Option<ConnectionLevel>| {
            level.map(|level| LevelForm {
                mean: level.mean,
                max: level.most,
            })
        };
        let client = |client: &Client<'_>| ClientForm {
            user: client.user.map(str::to_owned),
            host: client.host.map(str::to_owned),
            open: client.open,
            working: client.working,
            idle_in_transaction: client.idle_in_transaction,
        };
        Self {
            open: level(seen.open),
            working: level(seen.working),
            opened_per_second: seen.opened,
            refused: seen.refused,
            failed: seen.failed,
            dropped: seen.dropped,
            most_since_start: seen.most,
            clients: seen.clients.iter().map(client).collect(),
        }
    }
}
