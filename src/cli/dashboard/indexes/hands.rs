//! What the view of the indexes can start: reading them, and changing one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Hands;
use super::change::{Place, make};
use crate::advisor::existing;
use crate::cli::error::Error;
use crate::cli::index::FOLDER;
use crate::config::settings::{Server, Settings};
use crate::indexes::apply::Unjudged;
use crate::model::feed::IndexBoard;
use crate::model::inventory::{IndexFacts, Inventory, TableFacts};
use crate::server::catalog::{self, Scope};
use crate::server::{self, ddl, usage};

pub(in crate::cli::dashboard) fn hands(
    settings: &Settings,
    server: &Server,
    read_only: bool,
) -> Hands {
    let (settings, server) = (Arc::new(settings.clone()), Arc::new(server.clone()));
    let for_changes = (Arc::clone(&settings), Arc::clone(&server));
    Hands {
        read: Arc::new(move || {
            let (settings, server) = (Arc::clone(&settings), Arc::clone(&server));
            Box::pin(async move { read(&settings, &server).await })
        }),
        make: Arc::new(move |change, progress, cancel| {
            let (settings, server) = (Arc::clone(&for_changes.0), Arc::clone(&for_changes.1));
            Box::pin(async move {
                let place = Place {
                    settings: &settings,
                    server: &server,
                    folder: Path::new(FOLDER),
                    read_only,
                    judge: &Unjudged,
                };
                make(&place, &change, &progress, &cancel).await
            })
        }),
    }
}

async fn read(settings: &Settings, server: &Server) -> Result<IndexBoard, Error> {
    let begun = tokio::time::Instant::now();
    let chain = |error: server::Error| Error::from_chain(&error);
    let mut connection = server::guard::open(server, &settings.monitor)
        .await
        .map_err(chain)?;
    let scope = Scope::Schemas(server.database.clone().into_iter().collect());
    let reading = catalog::outline(&mut connection, &scope)
        .await
        .map_err(chain)?;
    let used = usage::read(&mut connection, &reading.catalog)
        .await
        .map_err(chain)?;
    let version = connection.version().to_owned();
    connection.close().await;
    let indexes: Vec<IndexFacts> = existing::review(&reading.catalog, &used, &[])
        .into_iter()
        .map(|verdict| IndexFacts {
            usage: used.of(&verdict.table, &verdict.index.name),
            definition: None,
            verdict,
        })
        .collect();
    let visibility = indexes
        .iter()
        .map(|one| {
            let of =
                |visible| ddl::set_visible(&one.verdict.table, &one.verdict.index.name, visible);
            (of(false), of(true))
        })
        .collect();
    let tables = reading
        .catalog
        .tables
        .values()
        .map(|table| TableFacts {
            name: table.name.clone(),
            engine: table.engine.clone(),
            rows: table.rows,
            data_bytes: table.data_bytes,
            index_bytes: table.index_bytes,
            unsupported: Vec::new(),
        })
        .collect();
    Ok(IndexBoard {
        inventory: Inventory {
            server: server.name.clone(),
            version,
            at: jiff::Timestamp::now(),
            window: used.window,
            tables,
            indexes,
            definitions: Vec::new(),
            notes: reading.notes.into_iter().chain(used.notes).collect(),
        },
        definitions: std::collections::BTreeMap::new(),
        visibility,
        took: Duration::max(begun.elapsed(), Duration::from_millis(1)),
    })
}
