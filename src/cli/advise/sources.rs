//! Where a workload comes from, turned into what the advisor takes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Args, Source, TierName};
use crate::advisor::source::Found;
use crate::advisor::source::digests::{self, Wanted};
use crate::advisor::source::gather::{Rules, gather};
use crate::advisor::workload::Workload;
use crate::cli::error::Error;
use crate::cli::probe;
use crate::config::settings::Server;
use crate::model::digest::DigestKey;
use crate::probes::literal;
use crate::probes::pack::Statement;
use crate::probes::params::Params;
use crate::server::{self, Connection, capability};
use crate::slowlog;
use crate::sql::fingerprint::fingerprint;
use crate::sql::split::split;
use crate::sql::standin::Parametrized;

/// Operations of a probe whose statements are taken as samples.
const OPERATIONS: [u64; 3] = [1, 1_001, 20_011];

/// What a source gave besides its statements.
#[derive(Debug, Default)]
struct Sourced {
    /// The statements.
    found: Vec<Found>,
    /// A phrase for the output.
    source: String,
    /// The time it covers.
    window: Option<Duration>,
    /// What it could not show.
    notes: Vec<String>,
    /// Default schema of its statements.
    schema: Option<String>,
}

/// Reads the workload that `args` name. `only` takes one digest of the live server instead.
pub(super) async fn workload(
    server: &Server,
    args: &Args,
    only: Option<DigestKey>,
    target: &mut Connection,
    cancel: &CancellationToken,
) -> Result<Workload, Error> {
    let mut sourced = match args.source {
        Source::Digests => of_digests(server, args, only, target).await?,
        Source::Slowlog => of_slow_logs(args, cancel)?,
        Source::Sql => of_files(&args.inputs)?,
        Source::Probes => {
            let pack = args.inputs[0].to_string_lossy();
            of_pack(server, &pack, args.schema.as_deref()).await?
        }
    };
    if args.max_write_cost.is_some() && sourced.window.is_none() {
        return Err(Error::new(format!(
            "`--max-write-cost` is time a second, and {} do not tell what time they cover",
            sourced.source
        ))
        .hint("take `--source digests`, `slowlog` or `probes`, or limit the indexes otherwise"));
    }
    let mut workload = Workload {
        source: std::mem::take(&mut sourced.source),
        window: sourced.window,
        notes: std::mem::take(&mut sourced.notes),
        ..Workload::default()
    };
    let rules = Rules {
        schema: args
            .schema
            .clone()
            .or(sourced.schema)
            .or_else(|| server.database.clone()),
        is_dataless: args.tier == TierName::T0 || args.dry_run,
    };
    gather(target, sourced.found, &rules, &mut workload).await?;
    Ok(workload)
}

/// The digests of the live server, those with the most time first.
async fn of_digests(
    server: &Server,
    args: &Args,
    only: Option<DigestKey>,
    target: &mut Connection,
) -> Result<Sourced, Error> {
    let facts = capability::probe(target, server.socket.is_some()).await?;
    if !facts.has_performance_schema() || !facts.can_read(capability::Source::Digests) {
        return Err(Error::new(format!(
            "server `{}` shows no statement digests",
            server.name
        ))
        .hint("`mydex check` says what is missing; `--source slowlog FILE` needs none"));
    }
    let wanted = Wanted {
        limit: args.limit,
        schemas: args.schema.iter().cloned().collect(),
        only,
    };
    let read = digests::read(target, &facts, &wanted).await?;
    Ok(Sourced {
        found: read.found,
        source: format!("digests of {}", server.name),
        window: read.window,
        notes: read.notes,
        schema: None,
    })
}

/// Reads files of SQL statements with their annotations.
fn of_files(files: &[PathBuf]) -> Result<Sourced, Error> {
    let mut sourced = Sourced {
        source: format!("statements of {}", names(files)),
        ..Sourced::default()
    };
    let mut mistakes = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Error::new(format!("cannot read `{}`: {error}", file.display())))?;
        let (statements, wrong) = split(&text);
        for mistake in wrong {
            mistakes.push(format!(
                "{}:{}: {}",
                file.display(),
                mistake.line,
                mistake.message
            ));
        }
        let short = file.file_name().unwrap_or(file.as_os_str());
        for statement in statements {
            let name = statement
                .name
                .unwrap_or_else(|| format!("{}:{}", short.display(), statement.line));
            sourced.found.push(Found {
                name,
                fingerprint: fingerprint(&*statement.sql),
                schema: statement.schema,
                samples: vec![statement.sql],
                calls: statement.weight.unwrap_or(1.0),
                tolerance: statement.tolerance,
                ..Found::default()
            });
        }
    }
    if !mistakes.is_empty() {
        return Err(Error::new(mistakes.join("\n"))
            .hint("annotations are `-- name:`, `-- weight:`, `-- schema:`, `-- tolerance:`"));
    }
    Ok(sourced)
}

/// The classes of slow query logs, those with the most time first.
fn of_slow_logs(args: &Args, cancel: &CancellationToken) -> Result<Sourced, Error> {
    let (files, limit) = (&args.inputs, args.limit);
    let logs: Vec<slowlog::Source> = files
        .iter()
        .map(|file| slowlog::Source::named(&file.to_string_lossy()))
        .collect();
    let options = slowlog::Options {
        schema: args.schema.clone(),
        ..slowlog::Options::default()
    };
    let mut profile = slowlog::read(&logs, &options, &mut |_| !cancel.is_cancelled())
        .map_err(|error| Error::from_chain(&error))?;
    let mut sourced = Sourced {
        source: format!("slow log {}", names(files)),
        window: profile.window.and_then(|(first, last)| {
            let micros = u64::try_from(last.checked_sub(first)?).ok()?;
            Some(Duration::from_micros(micros.max(1)))
        }),
        ..Sourced::default()
    };
    if profile.malformed > 0 {
        sourced.notes.push(format!(
            "{} entries of the slow log could not be read; `mydex digest` shows them",
            profile.malformed
        ));
    }
    profile
        .classes
        .sort_by_key(|class| std::cmp::Reverse(class.time));
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    if profile.classes.len() > most {
        sourced.notes.push(format!(
            "only the {limit} classes with the most time were taken; `--limit` takes more"
        ));
    }
    sourced.notes.push(
        "a slow log holds what took longer than long_query_time; quicker statements weigh nothing here"
            .to_owned(),
    );
    sourced.found = profile
        .classes
        .iter()
        .take(most)
        .filter(|class| !class.fingerprint.starts_with("administrator command"))
        .map(of_class)
        .collect();
    Ok(sourced)
}

/// Why a sample of a slow log can't be used.
const CUT: &str = "its statements are longer than what is kept of one; give a shorter one with \
                   `--source sql`";

fn of_class(class: &slowlog::Class) -> Found {
    let whole = class.samples.iter().filter(|sample| !sample.is_cut);
    let samples: Vec<String> = whole
        .map(|sample| String::from_utf8_lossy(sample.sql.as_ref()).into_owned())
        .collect();
    Found {
        name: format!("{:016x}", class.hash)[..12].to_owned(),
        fingerprint: class.fingerprint.clone(),
        schema: class.schema().map(str::to_owned),
        cut: (samples.is_empty() && !class.samples.is_empty()).then_some(CUT),
        samples,
        calls: class.calls as f64,
        time: Some(Duration::from_micros(class.time)),
        rows_examined: Some(class.rows_examined),
        rows_sent: Some(class.rows_sent),
        rows_affected: (class.rows_affected > 0).then_some(class.rows_affected),
        tolerance: None,
    }
}

/// The statements of a workload pack with values of its data, at the pack's rates.
async fn of_pack(server: &Server, name: &str, database: Option<&str>) -> Result<Sourced, Error> {
    let pack = Arc::new(probe::pack(name)?);
    let database = database.unwrap_or(&pack.name).to_owned();
    let options = server::options(server);
    let place = server::connect::place(server);
    let world = Arc::new(probe::run::world(&options, &database, &pack, &place).await?);
    let mut sourced = Sourced {
        source: format!("probes of pack {}", pack.name),
        // Rates are per second, and so is the workload.
        window: Some(Duration::from_secs(1)),
        schema: Some(database),
        ..Sourced::default()
    };
    for probe in &pack.probes {
        let params = Params::new(Arc::clone(&world), probe, 0);
        for (number, statement) in probe.statements.iter().enumerate() {
            let name = if probe.statements.len() == 1 {
                probe.name.to_string()
            } else {
                format!("{}#{}", probe.name, number + 1)
            };
            sourced.found.push(Found {
                name,
                fingerprint: fingerprint(&*statement.sql),
                samples: samples(&params, statement),
                calls: probe.rate,
                ..Found::default()
            });
        }
    }
    Ok(sourced)
}

/// A statement of a probe with the values of some of its operations.
fn samples(params: &Params, statement: &Statement) -> Vec<String> {
    let Some(parametrized) = Parametrized::of(&statement.sql) else {
        return Vec::new();
    };
    OPERATIONS
        .iter()
        .map(|operation| {
            let literals: Vec<String> = params
                .values(*operation, statement)
                .map(|value| {
                    let mut out = String::new();
                    literal::push(&value, &mut out);
                    out
                })
                .collect();
            parametrized.filled(&literals)
        })
        .collect()
}

fn names(files: &[PathBuf]) -> String {
    let names: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    names.join(", ")
}
