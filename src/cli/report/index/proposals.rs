//! Definitions that are not in the database yet, as recommendations.

use std::time::Duration;

use crate::cli::inventory::{Found, Placed};
use crate::indexes::course::PlannedStep;
use crate::indexes::definition::Definition;
use crate::indexes::evidence::{Evidence, Load, QueryEvidence, Unit};
use crate::indexes::files::Entry;
use crate::model::advice::{Action, LockLevel};
use crate::model::feed::SOAK;
use crate::model::ledger::State;
use crate::model::units;
use crate::report::index::Proposal;

/// Queries that are told of one recommendation at most.
const MAX_QUERIES: usize = 5;

/// What the folder states for the schemas of the report and the database does not have.
pub(super) fn of_folder(found: &Found) -> Vec<Proposal> {
    let of_schema = |placed| {
        let Placed {
            entries, schema, ..
        }: &Placed = placed;
        entries
            .iter()
            .filter(|entry| is_latest(entries, entry, schema))
            .filter(|entry| is_open(entry, found, schema))
            .filter_map(|entry| proposal(entry, placed, found))
            .collect::<Vec<Proposal>>()
    };
    found.placed.iter().flat_map(of_schema).collect()
}

/// No later definition is about the same index.
fn is_latest(entries: &[Entry], entry: &Entry, schema: &str) -> bool {
    let key = |entry: &Entry| {
        (
            entry.definition.table_name(schema),
            entry.definition.index.name.to_ascii_lowercase(),
        )
    };
    !entries
        .iter()
        .any(|other| other.version > entry.version && key(other) == key(entry))
}

/// It waits to be applied: neither the ledger nor what is there says otherwise.
fn is_open(entry: &Entry, found: &Found, schema: &str) -> bool {
    let known =
        found.inventory.definitions.iter().find(|one| {
            one.version == entry.version && one.table.schema.eq_ignore_ascii_case(schema)
        });
    if known.is_some_and(|known| !matches!(known.state, State::Pending | State::Unfinished)) {
        return false;
    }
    let definition = &entry.definition;
    let table = definition.table_name(schema);
    let is_there = found
        .catalog
        .table(&table.schema, &table.name)
        .is_some_and(|table| table.index(&definition.index.name).is_some());
    match definition.action {
        Action::Create => !is_there,
        Action::Drop => is_there,
    }
}

/// `None` where nothing is to be done, such as for an index that is there under another name.
fn proposal(entry: &Entry, placed: &Placed, found: &Found) -> Option<Proposal> {
    let definition: &Definition = &entry.definition;
    let schema = placed.schema.as_str();
    let statements = statements(entry, placed, found);
    let known = definition.evidence.as_ref();
    if statements.ddl.is_empty() && statements.obstacle.is_none() {
        return None;
    }
    let mut evidence = known.map(facts).unwrap_or_default();
    let obstacle = statements.obstacle;
    evidence.extend(obstacle.map(|why| ("stands in the way".to_owned(), why)));
    Some(Proposal {
        definition: Some(entry.version),
        source: entry.file.clone(),
        action: definition.action,
        table: definition.table_name(schema),
        index: definition.index.clone(),
        reason: definition.reason.clone(),
        evidence,
        ddl: statements.ddl,
        undo: statements.undo,
        lock: statements.lock,
        bytes: known.and_then(|evidence| evidence.bytes),
        is_proven: known.is_some_and(|evidence| evidence.is_proven),
    })
}

struct Statements {
    ddl: Vec<String>,
    undo: Vec<String>,
    lock: LockLevel,
    obstacle: Option<String>,
}

/// The statements on the table as it is; where it does not exist, those for a usual one.
fn statements(entry: &Entry, placed: &Placed, found: &Found) -> Statements {
    let definition = &entry.definition;
    // An index that goes is hidden first. One that was new is dropped right away.
    let soak = match definition.action {
        Action::Create => Duration::ZERO,
        Action::Drop => SOAK,
    };
    let now = found.inventory.at;
    match placed.ways((entry.version, definition), &found.catalog, (now, soak)) {
        Some(Ok(ways)) => {
            let lock = ways.lock();
            let texts = |steps: Vec<PlannedStep>| -> Vec<String> {
                steps.into_iter().map(|step| step.statement).collect()
            };
            Statements {
                ddl: texts(ways.up),
                undo: texts(ways.down),
                lock,
                obstacle: ways.obstacle,
            }
        }
        None | Some(Err(_)) => Statements {
            ddl: definition.up(&placed.schema),
            undo: definition.down(&placed.schema),
            lock: definition.lock(),
            obstacle: None,
        },
    }
}

fn facts(evidence: &Evidence) -> Vec<(String, String)> {
    let mut facts = vec![("evidence".to_owned(), evidence.source.clone())];
    if let Some(load) = &evidence.load {
        facts.push(("lost without it".to_owned(), lost(load)));
    }
    facts.extend(
        evidence
            .queries
            .iter()
            .take(MAX_QUERIES)
            .map(|query| ("query".to_owned(), told(query))),
    );
    facts
}

fn lost(load: &Load) -> String {
    let amount = |value: f64| match load.unit {
        Unit::Seconds => {
            units::duration(Duration::try_from_secs_f64(value.max(0.0)).unwrap_or(Duration::MAX))
        }
        Unit::Cost => format!("{} cost units", units::count(value)),
    };
    format!(
        "{} of the {} that all recommendations together save of {}",
        amount(load.marginal),
        amount(load.before - load.after),
        amount(load.before)
    )
}

fn told(query: &QueryEvidence) -> String {
    let pair = |what: &str, before: String, after: String| format!("{what} {before} -> {after}");
    let mut parts = Vec::new();
    if let Some((before, after)) = query.time_us {
        let time = |us: f64| {
            units::duration(Duration::try_from_secs_f64(us.max(0.0) / 1e6).unwrap_or_default())
        };
        parts.push(pair("time", time(before), time(after)));
    }
    if let Some((before, after)) = query.rows_read {
        let rows = |rows: u64| units::count(rows as f64);
        parts.push(pair("rows read", rows(before), rows(after)));
    }
    if let (true, Some((before, after))) = (parts.is_empty(), query.cost) {
        parts.push(pair("cost", units::count(before), units::count(after)));
    }
    format!("{}: {}", query.name, parts.join(", "))
}
