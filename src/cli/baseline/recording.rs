//! A pass over a pack's probes on a server, from the command line's settings to a recording.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use crate::baseline::facts;
use crate::baseline::record::{self, Settings, Work};
use crate::baseline::recorded::{Baseline, Workload};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::probe;
use crate::model::text;
use crate::probes::generate::World;
use crate::probes::pack::{Kind, Pack, Probe, fields};
use crate::probes::params::Params;
use crate::server::{self, Connection};

/// What is to be run.
pub(super) struct Plan {
    pub(super) pack: Arc<Pack>,
    pub(super) database: Option<String>,
    pub(super) seed: u64,
    pub(super) operations: u64,
    /// Names; all of the pack when empty.
    pub(super) probes: Vec<String>,
}

impl Plan {
    /// The schema of the data.
    pub(super) fn database(&self) -> String {
        let own = || self.pack.name.to_string();
        self.database.clone().unwrap_or_else(own)
    }
}

/// Runs the counted pass; what could not be set or read is said.
pub(super) async fn record(
    context: &Context,
    plan: &Plan,
) -> Result<(Baseline, Vec<String>), Error> {
    let chosen = chosen(plan)?;
    let server = context.server()?;
    let database = plan.database();
    let options = server::connect::options(server);
    let place = server::connect::place(server);
    let world = Arc::new(probe::run::world(&options, &database, &plan.pack, &place).await?);
    let loaded = crate::probes::workload::loaded(&options, &database, &plan.pack)
        .await
        .map_err(|error| Error::from_chain(&error))?;
    let (data_seed, scale) = loaded.map_or((0, 0.0), |loaded| (loaded.seed, loaded.scale));
    let mut baseline = Baseline {
        workload: Workload {
            pack: plan.pack.name.to_string(),
            version: plan.pack.version,
            data_seed,
            scale,
            seed: plan.seed,
            operations: plan.operations,
        },
        ..Baseline::default()
    };
    let mut work = Vec::new();
    for probe in chosen {
        if probe.kind == Kind::Write && server.read_only {
            let reason = format!("it writes, and server `{}` is read-only", server.name);
            baseline.left_out.insert(probe.name.to_string(), reason);
        } else {
            work.push(of_probe(&world, probe, plan.seed));
        }
    }
    let mut connection = server::open(server, &context.settings().monitor).await?;
    let notes = pass(&mut connection, &mut baseline, &work, plan, &database).await;
    connection.close().await;
    Ok((baseline, notes?))
}

async fn pass(
    connection: &mut Connection,
    baseline: &mut Baseline,
    work: &[Work],
    plan: &Plan,
    database: &str,
) -> Result<Vec<String>, Error> {
    let tables: Vec<String> = plan
        .pack
        .tables
        .iter()
        .map(|table| table.name.to_string())
        .collect();
    baseline.server = facts::server(connection).await?;
    baseline.indexes = facts::indexes(connection, database, &tables).await?;
    say("reading the data");
    baseline.data = facts::data(connection, database, &tables).await?;
    let settings = Settings {
        schema: database.to_owned(),
        operations: plan.operations,
        now: plan.pack.now,
    };
    let mut done = 0;
    let counted = record::run(connection, work, &settings, |name| {
        done += 1;
        say(&format!("{done} of {}: {name}", work.len()));
    })
    .await?;
    say("reading the data again");
    let after = facts::data(connection, database, &tables).await?;
    say("");
    if let Some(table) = changed(&baseline.data.tables, &after.tables) {
        return Err(Error::new(format!(
            "the data of `{}` changed while its probes were counted, so that the counts mean \
             nothing",
            text::inline(table)
        ))
        .hint("something else writes to this schema; use one of your own: `mydex sandbox up`"));
    }
    baseline.counted = counted.counters;
    baseline.probes = counted.probes;
    Ok(counted.notes)
}

fn changed<'a, T: PartialEq>(
    before: &'a BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
) -> Option<&'a str> {
    before
        .iter()
        .find(|(name, table)| after.get(*name) != Some(table))
        .map(|(name, _)| name.as_str())
}

fn chosen(plan: &Plan) -> Result<Vec<&Probe>, Error> {
    let all = &plan.pack.probes;
    for name in &plan.probes {
        if !all.iter().any(|probe| *probe.name == **name) {
            let meant = fields::suggestion(name, all.iter().map(|probe| &*probe.name));
            return Err(Error::new(format!(
                "no probe `{}` in pack `{}`{meant}",
                text::inline(name),
                plan.pack.name
            )));
        }
    }
    let is_wanted =
        |probe: &&Probe| plan.probes.is_empty() || plan.probes.iter().any(|n| **n == *probe.name);
    Ok(all.iter().filter(is_wanted).collect())
}

fn of_probe(world: &Arc<World>, probe: &Probe, seed: u64) -> Work {
    let params = Params::new(Arc::clone(world), probe, seed);
    let statements = probe.statements.clone();
    Work {
        name: Arc::clone(&probe.name),
        transaction: probe.transaction || probe.kind == Kind::Write,
        statements: Box::new(move |operation| {
            statements
                .iter()
                .map(|statement| params.text(operation, statement))
                .collect()
        }),
    }
}

/// What is being done, on one line of a terminal that the next one replaces.
fn say(what: &str) {
    if std::io::stderr().is_terminal() {
        // Nobody reads a line that a closed terminal does not take.
        let _ = write!(std::io::stderr().lock(), "\r\x1b[2K{}", text::inline(what));
    }
}

/// The first probe whose operation failed.
pub(super) fn failure(baseline: &Baseline) -> Option<(&str, &str)> {
    baseline
        .probes
        .iter()
        .find_map(|(name, probe)| Some((name.as_str(), probe.failure.as_deref()?)))
}
