//! Makes the twin's optimizer reckon as the target's does.

use super::Error;
use super::private::{Private, text};
use crate::server::quote::hex_literal;
use crate::server::settings::{self, CostConstant, Settings};

/// Sets variables and cost constants; returns what remains different, each one sentence.
pub(super) async fn apply(twin: &mut Private, target: &Settings) -> Result<Vec<String>, Error> {
    let mut notes = target.notes.clone();
    let version = twin
        .value("the version", "SELECT VERSION()")
        .await?
        .unwrap_or_default();
    if version != target.version {
        notes.push(format!(
            "the twin is MySQL {version} and the target {}: another version may plan differently",
            target.version
        ));
    }
    for name in settings::FIXED {
        let here = twin
            .value("a variable", &format!("SELECT @@GLOBAL.{name}"))
            .await?;
        let there = target.variables.get(*name);
        if let (Some(here), Some(there)) = (here, there)
            && here != *there
        {
            notes.push(format!(
                "`{name}` is {here} on the twin and {there} on the target"
            ));
        }
    }
    for name in settings::COPIED {
        let Some(value) = target.variables.get(*name) else {
            continue;
        };
        if *name == "optimizer_switch" {
            notes.extend(switches(twin, value).await?);
        } else if let Some(reason) = set(twin, name, value).await? {
            notes.push(format!(
                "`{name}` could not be set to the target's `{value}` on the twin: {reason}"
            ));
        }
    }
    costs(twin, &target.costs).await?;
    // Nothing on the twin has to survive, and its statistics are to be exact: its tables are small,
    // and what is picked at random would be other plans in another run.
    for (name, value) in [
        ("innodb_flush_log_at_trx_commit", "0"),
        ("sync_binlog", "0"),
        ("innodb_stats_persistent_sample_pages", "100000"),
        ("innodb_stats_auto_recalc", "0"),
        ("histogram_generation_max_mem_size", "64000000"),
    ] {
        set(twin, name, value).await?;
    }
    Ok(notes)
}

/// Sets a variable; the reason where the twin does not take it.
async fn set(twin: &mut Private, name: &str, value: &str) -> Result<Option<String>, Error> {
    let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let literal = if is_number {
        value.to_owned()
    } else {
        hex_literal(value)
    };
    match twin
        .run("a variable", &format!("SET GLOBAL {name} = {literal}"))
        .await
    {
        Ok(()) => Ok(None),
        Err(Error::Twin { reason, .. }) => Ok(Some(reason)),
        Err(error) => Err(error),
    }
}

/// Switches one by one, so that one that the twin does not know stops no other.
async fn switches(twin: &mut Private, value: &str) -> Result<Vec<String>, Error> {
    if set(twin, "optimizer_switch", value).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut notes = Vec::new();
    for switch in value.split(',') {
        if set(twin, "optimizer_switch", switch).await?.is_some() {
            notes.push(format!(
                "the twin does not know the optimizer switch `{switch}`"
            ));
        }
    }
    Ok(notes)
}

async fn costs(twin: &mut Private, costs: &[CostConstant]) -> Result<(), Error> {
    for cost in costs {
        let value = cost
            .value
            .map_or_else(|| "NULL".to_owned(), |value| value.to_string());
        let name = hex_literal(&cost.name);
        let sql = match &cost.engine {
            None => format!(
                "UPDATE mysql.server_cost SET cost_value = {value} WHERE cost_name = {name}"
            ),
            Some((engine, device)) => format!(
                "INSERT INTO mysql.engine_cost (engine_name, device_type, cost_name, cost_value) \
                 VALUES ({}, {device}, {name}, {value}) AS new \
                 ON DUPLICATE KEY UPDATE cost_value = new.cost_value",
                hex_literal(engine)
            ),
        };
        twin.run("a cost constant", &sql).await?;
    }
    twin.run("the cost constants", "FLUSH OPTIMIZER_COSTS")
        .await
}

/// A dataless twin never reads a page, and pages that are not in memory would cost more there.
pub(super) async fn as_if_cached(twin: &mut Private) -> Result<(), Error> {
    let rows = twin
        .rows(
            "the cost constants",
            "SELECT COALESCE(cost_value, default_value) FROM mysql.engine_cost \
             WHERE cost_name = 'memory_block_read_cost' AND engine_name = 'default'",
        )
        .await?;
    let cached = rows.first().and_then(|row| text(row, 0));
    if let Some(cost) = cached {
        twin.run(
            "a cost constant",
            &format!(
                "UPDATE mysql.engine_cost SET cost_value = {cost} \
                 WHERE cost_name = 'io_block_read_cost'"
            ),
        )
        .await?;
    }
    twin.run("the cost constants", "FLUSH OPTIMIZER_COSTS")
        .await
}
