//! The judgement of a change on the target, while it counts for nobody yet.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ask::{Asked, Asker};
use super::{
    Judgement, Promise, QueryJudgement, Settings, Trial, Verdict, likeness, overall, run, weigh,
};
use crate::indexes::definition::Definition;
use crate::indexes::evidence::QueryEvidence;
use crate::model::advice::Action;
use crate::model::schema::TableName;
use crate::model::units;
use crate::server::capability::{self, Capabilities, Source};
use crate::server::cells::Cells as _;
use crate::server::quote::hex_literal;
use crate::server::statements::{self, Class, Statement};
use crate::server::{Connection, Error};

/// Indexes at most whose visibility is read.
const MAX_INDEXES: usize = 10_000;

/// A query in question.
struct Subject {
    name: String,
    statement: Statement,
    promise: Promise,
    calls: f64,
    time: Duration,
}

/// Compares the queries that a definition names, and those of the server that name its table, with
/// the index and without it. The index has to be there; for a new one that is the moment in which
/// it is built and still invisible.
///
/// Only plans are asked for, unless [`Settings::execute`] is given. The session's settings are put
/// back at the end.
///
/// # Errors
/// When the connection fails; what can't be judged is told in the judgement.
pub async fn judge(
    connection: &mut Connection,
    definition: &Definition,
    default_schema: &str,
    settings: &Settings,
) -> Result<Judgement, Error> {
    let table = definition.table_name(default_schema);
    let capabilities = capability::probe(connection, false).await?;
    let mut notes = Vec::new();
    let (subjects, schemas) = subjects(
        connection,
        &capabilities,
        definition,
        &table,
        settings,
        &mut notes,
    )
    .await?;
    let visibility = visibility(connection, &schemas).await?;
    let key = (table.clone(), definition.index.name.to_ascii_lowercase());
    let Some(is_visible) = visibility.get(&key).copied() else {
        let reason = format!("`{table}` has no index `{}`", definition.index.name);
        let mut judgement = overall::judgement(definition.action, Vec::new(), 0, notes, settings);
        judgement.reason = reason;
        return Ok(judgement);
    };
    let others = visibility
        .into_iter()
        .filter(|(other, is_visible)| !is_visible && *other != key)
        .map(|(other, _)| other)
        .collect();
    let mut asker = Asker::new(connection, settings.plans, key, is_visible, others).await?;
    let mut queries = Vec::new();
    let mut untouched = 0;
    let mut failed = None;
    for subject in subjects {
        match one(&mut asker, &subject, definition.action, settings).await {
            Ok(Some(judged)) => queries.push(judged),
            Ok(None) => untouched += 1,
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    if !asker.connection.is_broken() {
        asker.end().await?;
    }
    if let Some(error) = failed {
        return Err(error);
    }
    Ok(overall::judgement(
        definition.action,
        queries,
        untouched,
        notes,
        settings,
    ))
}

/// The queries to judge, and the schemas that they may read.
async fn subjects(
    connection: &mut Connection,
    capabilities: &Capabilities,
    definition: &Definition,
    table: &TableName,
    settings: &Settings,
    notes: &mut Vec<String>,
) -> Result<(Vec<Subject>, Vec<String>), Error> {
    let mut subjects = named(connection, capabilities, definition, table).await?;
    if capabilities.can_read(Source::Digests) {
        let found =
            statements::naming_table(connection, capabilities, table, settings.bystanders).await?;
        for statement in found {
            let is_known = |subject: &Subject| subject.statement.class == statement.class;
            if subjects.iter().any(is_known) {
                continue;
            }
            let digest = statement.counted.first().map(|row| row.digest.as_str());
            subjects.push(Subject {
                name: digest
                    .and_then(|digest| digest.get(..12))
                    .unwrap_or_default()
                    .to_owned(),
                calls: statement.total().calls as f64,
                time: units::from_picoseconds(statement.total().time_ps),
                statement,
                promise: Promise::None,
            });
        }
    } else {
        notes.push(
            "the digests of the server can't be read, so that only the queries of the definition \
             are judged, with made-up constants: grant SELECT on performance_schema"
                .to_owned(),
        );
    }
    let mut schemas: Vec<String> = subjects
        .iter()
        .filter_map(|subject| subject.statement.class.schema.clone())
        .chain([table.schema.clone()])
        .collect();
    schemas.sort();
    schemas.dedup();
    Ok((subjects, schemas))
}

/// The queries that the definition names.
async fn named(
    connection: &mut Connection,
    capabilities: &Capabilities,
    definition: &Definition,
    table: &TableName,
) -> Result<Vec<Subject>, Error> {
    let Some(evidence) = &definition.evidence else {
        return Ok(Vec::new());
    };
    let classes = super::classes(definition, &table.schema);
    let is_alike = evidence.is_proven
        && likeness::is_same_series(evidence.server_version.as_deref(), connection.version())
        && likeness::is_same_size(connection, definition, table).await?;
    let found = if capabilities.can_read(Source::Digests) {
        statements::of_classes(connection, capabilities, &classes).await?
    } else {
        classes.into_iter().map(unseen).collect()
    };
    Ok(found
        .into_iter()
        .zip(&evidence.queries)
        .map(|(statement, query)| Subject {
            name: query.name.clone(),
            calls: query
                .calls
                .unwrap_or_else(|| statement.total().calls as f64),
            promise: promise(query, is_alike),
            time: units::from_picoseconds(statement.total().time_ps),
            statement,
        })
        .collect())
}

fn promise(query: &QueryEvidence, is_alike: bool) -> Promise {
    let is_faster = query
        .time_us
        .is_some_and(|(before, after)| query.is_capped || after < before);
    if query.factor.is_some_and(|factor| factor > 1.0) {
        Promise::Slower
    } else if is_faster && is_alike {
        Promise::Measured
    } else {
        Promise::Named
    }
}

fn unseen(class: Class) -> Statement {
    Statement {
        class,
        counted: Vec::new(),
        texts: Vec::new(),
        cut: None,
    }
}

/// Which indexes of these schemas are visible, by table and name in small letters.
async fn visibility(
    connection: &mut Connection,
    schemas: &[String],
) -> Result<BTreeMap<(TableName, String), bool>, Error> {
    let list: Vec<String> = schemas.iter().map(|schema| hex_literal(schema)).collect();
    let sql = format!(
        "SELECT /* mydex:verify */ TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, IS_VISIBLE \
         FROM information_schema.STATISTICS WHERE TABLE_SCHEMA IN ({}) AND SEQ_IN_INDEX = 1 \
         LIMIT {MAX_INDEXES}",
        list.join(", ")
    );
    let rows = connection.rows("which indexes are visible", &sql).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let table = TableName::new(row.text(0)?, row.text(1)?);
            Some(((table, row.text(2)?.to_ascii_lowercase()), row.flag(3)?))
        })
        .collect())
}

/// One query; `None` for one that the definition does not name and whose plans use the index
/// neither way.
async fn one(
    asker: &mut Asker<'_>,
    subject: &Subject,
    action: Action,
    settings: &Settings,
) -> Result<Option<QueryJudgement>, Error> {
    let mut judged = QueryJudgement {
        name: subject.name.clone(),
        fingerprint: subject.statement.class.fingerprint.clone(),
        schema: subject.statement.class.schema.clone(),
        promise: subject.promise,
        calls: subject.calls,
        time: subject.time,
        is_measured: false,
        needs_run: false,
        factor: 1.0,
        verdict: Verdict::NotJudged,
        reason: String::new(),
        trials: Vec::new(),
    };
    let samples =
        statements::samples(asker.connection, &subject.statement, settings.samples).await?;
    let samples = match samples {
        Ok(samples) => samples,
        Err(reason) => {
            judged.reason = reason;
            return Ok(judged.is_evidence().then_some(judged));
        }
    };
    let mut not_run = None;
    for sample in &samples {
        let schema = judged.schema.clone();
        let mut sides = match asker.both(schema.as_deref(), sample).await? {
            Ok(sides) => sides,
            Err(reason) => {
                judged.reason = reason;
                continue;
            }
        };
        let mut pairs = (0, 0);
        let is_touched = sides.with.1.uses_index || sides.without.1.uses_index;
        if let (Some(execute), true) = (settings.execute, is_touched) {
            match run::both(asker, &mut sides, execute).await? {
                Ok(found) => pairs = found,
                Err(reason) => not_run = Some(reason),
            }
        }
        judged
            .trials
            .push(trial(sides, sample.is_made_up, action, pairs));
    }
    if judged.trials.is_empty() {
        return Ok(judged.is_evidence().then_some(judged));
    }
    let trusts = settings.trusts_estimates || subject.promise == Promise::Measured;
    let weighed = weigh::query(action, &judged.trials, trusts);
    judged.verdict = weighed.verdict;
    judged.reason = weighed.reason;
    judged.is_measured = weighed.is_measured;
    judged.needs_run = weighed.needs_run;
    judged.factor = weighed.factor;
    if let Some(reason) = not_run {
        judged.reason = format!("{}; not executed: {reason}", judged.reason);
    }
    let is_touched = judged.trials.iter().any(Trial::is_touched);
    Ok((judged.is_evidence() || is_touched).then_some(judged))
}

fn trial(asked: Asked, is_made_up: bool, action: Action, (faster, slower): (u32, u32)) -> Trial {
    let (without, with) = (asked.without.1, asked.with.1);
    match action {
        Action::Create => Trial {
            is_made_up,
            before: without,
            after: with,
            pairs: (faster, slower),
        },
        Action::Drop => Trial {
            is_made_up,
            before: with,
            after: without,
            pairs: (slower, faster),
        },
    }
}
