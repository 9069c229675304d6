//! Hiding and showing one index by itself.

use tokio_util::sync::CancellationToken;

use super::drive::Halt;
use super::session::Session;
use super::{Error, Event, Hooks, Options, Unjudged, observe};
use crate::config::settings::Server;
use crate::indexes::likeness;
use crate::model::schema::TableName;
use crate::server::audit::Audit;
use crate::server::ddl::{self, Mode};

/// Lets the optimizer use an index, or keeps it from that; `false` where it was so already, or
/// where `cancel` came first. It takes the lock of the schema, and is in the audit log.
///
/// # Errors
/// When changes are refused, the index does not exist or can't be hidden, others hold the table
/// for longer than the patience, or the server refuses.
pub async fn set_visible(
    server: &Server,
    audit: &Audit,
    table: &TableName,
    index: &str,
    visible: bool,
    options: &Options,
    watch: &mut (dyn FnMut(Event) + Send),
    cancel: &CancellationToken,
) -> Result<bool, Error> {
    if server.read_only || options.read_only {
        return Err(Error::ReadOnly);
    }
    let hooks = Hooks {
        judge: &Unjudged,
        watch,
        cancel,
    };
    let mut session = Session::open(server, audit, options, hooks).await?;
    let outcome = locked(&mut session, table, index, visible).await;
    session.close().await;
    match outcome {
        Ok(changed) => Ok(changed),
        Err(Halt::Cancelled) => Ok(false),
        Err(Halt::Failed(error)) => Err(error),
    }
}

async fn locked(
    session: &mut Session<'_>,
    table: &TableName,
    index: &str,
    visible: bool,
) -> Result<bool, Halt> {
    if !session.lock(&[table.schema.clone()].into()).await? {
        return Ok(false);
    }
    let there = observe::table(&mut session.link, table).await?;
    let Some(found) = there.index(index) else {
        return Err(Halt::Failed(Error::Conflict(format!(
            "`{table}` has no index `{index}`"
        ))));
    };
    if found.is_visible == visible {
        return Ok(false);
    }
    if !visible && (found.is_primary() || likeness::is_primary_substitute(found, &there)) {
        return Err(Halt::Failed(Error::Conflict(format!(
            "index `{index}` is the primary key of `{table}` or stands for it, and can't be hidden"
        ))));
    }
    let sql = ddl::set_visible(table, &found.name, visible);
    let sql = format!("{sql}, {}", Mode::ONLINE.clauses());
    let target = format!("index `{index}` of `{table}`, by hand");
    session.record(&target, &sql, "intended").await?;
    let outcome = session.change(0, table, &sql).await;
    let result = match &outcome {
        Ok(()) => "done".to_owned(),
        Err(Halt::Cancelled) => "interrupted".to_owned(),
        Err(Halt::Failed(error)) => error.to_string(),
    };
    session.record(&target, &sql, &result).await?;
    outcome.map(|()| true)
}
