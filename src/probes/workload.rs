//! From a pack to what the engine drives: which probes, how often, held against which objective.

use std::sync::Arc;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::generate::World;
use super::operation::EngineProbe;
use super::pack::{Kind, Pack, Probe, fields};
use super::params::Params;
use crate::config::settings::ServiceLevels;
use crate::server::quote::ident;

/// Which data of a pack is in a database, as its loader wrote it down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loaded {
    /// Version of the pack.
    pub version: u32,
    /// Seed.
    pub seed: u64,
    /// Scale.
    pub scale: f64,
    /// Whether all rows are there.
    pub is_complete: bool,
}

/// Which probes are driven, and how often.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    /// Names; all of the pack when empty.
    pub names: Vec<String>,
    /// Operations per second of all together, shared by weight; without it the pack's own rates.
    pub rate: Option<f64>,
    /// Tells the values of this run from those of others; see [`Params::new`].
    pub run: u64,
}

/// Why probes cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// No such probe.
    #[error("no probe `{name}` in pack `{pack}`{meant}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Where.
        pack: Arc<str>,
        /// A similar name, as half a sentence; empty when there is none.
        meant: String,
    },
    /// A rate that is none.
    #[error("rate `{0}` is not a number of operations per second above 0 and up to 1,000,000")]
    Rate(String),
}

/// The probes that `choice` names, ready for the engine.
///
/// # Errors
/// An unknown name, or a rate that is none.
pub fn engine_probes(
    world: &Arc<World>,
    choice: &Choice,
    levels: &ServiceLevels,
) -> Result<Vec<EngineProbe>, ChoiceError> {
    let pack = world.pack();
    if let Some(rate) = choice.rate
        && !(rate > 0.0 && rate <= 1e6)
    {
        return Err(ChoiceError::Rate(rate.to_string()));
    }
    for name in &choice.names {
        if !pack.probes.iter().any(|probe| *probe.name == **name) {
            return Err(ChoiceError::Unknown {
                name: name.clone(),
                pack: Arc::clone(&pack.name),
                meant: fields::suggestion(name, pack.probes.iter().map(|probe| &*probe.name)),
            });
        }
    }
    let chosen: Vec<&Probe> = pack
        .probes
        .iter()
        .filter(|probe| choice.names.is_empty() || choice.names.iter().any(|n| **n == *probe.name))
        .collect();
    let rates = rates(&chosen, choice.rate, !choice.names.is_empty());
    Ok(chosen
        .iter()
        .zip(rates)
        .map(|(probe, rate)| engine_probe(world, probe, rate, choice.run, levels))
        .collect())
}

/// The rates of all probes of a pack, in its order, when `rate` is that of all together; without
/// it the pack's own.
#[must_use]
pub fn rates_of(pack: &Pack, rate: Option<f64>) -> Vec<f64> {
    rates(&pack.probes.iter().collect::<Vec<_>>(), rate, false)
}

/// A probe that was asked for by name is driven even where its weight is 0.
fn rates(probes: &[&Probe], total: Option<f64>, is_named: bool) -> Vec<f64> {
    let Some(total) = total else {
        return probes.iter().map(|probe| probe.rate).collect();
    };
    let sum: f64 = probes.iter().map(|probe| probe.weight).sum();
    probes
        .iter()
        .map(|probe| {
            if sum > 0.0 {
                total * probe.weight / sum
            } else if is_named {
                total / probes.len() as f64
            } else {
                0.0
            }
        })
        .collect()
}

fn engine_probe(
    world: &Arc<World>,
    probe: &Probe,
    rate: f64,
    run: u64,
    levels: &ServiceLevels,
) -> EngineProbe {
    let level = if probe.analytic {
        levels.analytics
    } else {
        levels.response
    };
    let params = Params::new(Arc::clone(world), probe, run);
    EngineProbe {
        name: Arc::clone(&probe.name),
        is_write: probe.kind == Kind::Write,
        rate,
        slo: Some(probe.slo.unwrap_or(level)),
        timeout: probe.timeout,
        transaction: probe.transaction,
        statements: probe.statements.clone(),
        values: Arc::new(move |operation, at| params.value(operation, at)),
    }
}

/// What the loader wrote down about `pack` in `database`; `None` when it was not loaded there.
///
/// # Errors
/// When the server cannot be asked.
pub async fn loaded(
    options: &MySqlConnectOptions,
    database: &str,
    pack: &Pack,
) -> Result<Option<Loaded>, sqlx::Error> {
    let mut connection = options.connect().await?;
    let there: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = 'mydex_pack'",
    )
    .bind(database)
    .fetch_optional(&mut connection)
    .await?;
    let mut row = None;
    if there.is_some() {
        let sql = format!(
            "SELECT version, seed, scale, state = 'complete' FROM {}.mydex_pack WHERE pack = ?",
            ident(database)
        );
        row = sqlx::query_as::<_, (u32, u64, f64, bool)>(AssertSqlSafe(sql))
            .bind(&*pack.name)
            .fetch_optional(&mut connection)
            .await?;
    }
    // The answer is there; a failed goodbye changes nothing.
    let _ = connection.close().await;
    Ok(row.map(|(version, seed, scale, is_complete)| Loaded {
        version,
        seed,
        scale,
        is_complete,
    }))
}
