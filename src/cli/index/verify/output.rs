//! What was verified, for people and as JSON.

use serde::Serialize;

use super::{State, Verified};
use crate::indexes::verify::compare::{Change, Outcome, PerCall};
use crate::indexes::verify::{QueryJudgement, Side, Trial};
use crate::model::advice::Action;
use crate::model::units;
use crate::report::doc::{Block, Document, Table};

/// Queries that were not judged and are told at most.
const NOT_JUDGED: usize = 20;

/// Characters of their texts.
const HEAD: usize = 60;

/// Both forms.
pub(super) fn of(verified: &[Verified]) -> (Document, Vec<Json<'_>>) {
    let mut blocks = Vec::new();
    if verified.is_empty() {
        blocks.push(Block::Paragraph("No definition to verify.".to_owned()));
    }
    for one in verified {
        self::blocks(one, &mut blocks);
    }
    let document = Document {
        title: "Verification of index definitions".to_owned(),
        blocks,
    };
    (document, verified.iter().map(Json::of).collect())
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Drop => "drop",
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Visible => "visible",
        State::Invisible => "invisible",
        State::Gone => "gone",
    }
}

/// The outcome as a sentence begins with it.
fn outcome(one: &Verified) -> &'static str {
    match (one.outcome, one.subject.entry.definition.action) {
        (Outcome::Gained, Action::Create) => "Gained",
        (Outcome::Gained, Action::Drop) => "Not missed",
        (Outcome::NotGained, _) => "Not gained",
        (Outcome::Slower, _) => "Slower",
        (Outcome::Inconclusive, _) => "Inconclusive",
    }
}

fn blocks(one: &Verified, blocks: &mut Vec<Block>) {
    let definition = &one.subject.entry.definition;
    blocks.push(Block::Heading(format!(
        "{}: {} index {} of {}",
        one.subject.entry.file,
        action(definition.action),
        definition.index.name,
        one.subject.table
    )));
    blocks.push(Block::Paragraph(format!(
        "{}: {}.",
        outcome(one),
        one.reason
    )));
    let mut facts = vec![("Index".to_owned(), state(one.subject.state).to_owned())];
    if let Some(reads) = one.index_reads {
        facts.push(("Rows read through it".to_owned(), reads.to_string()));
    }
    if let Some(comparison) = &one.comparison {
        let window = units::duration(comparison.window);
        facts.push(("Counted for".to_owned(), window));
    }
    match &one.taken_back {
        Some(Ok(statement)) => facts.push(("Taken back".to_owned(), statement.clone())),
        Some(Err(why)) => facts.push(("Not taken back".to_owned(), why.clone())),
        None => {}
    }
    blocks.push(Block::Facts(facts));
    let comparison = one.comparison.iter();
    let changes: Vec<&Change> = comparison.flat_map(|found| &found.queries).collect();
    let told = |change: &&Change| change.is_evidence || change.outcome != Outcome::Inconclusive;
    let shown: Vec<&Change> = changes.iter().copied().filter(told).collect();
    if !shown.is_empty() {
        blocks.push(Block::Table(counted(&shown)));
    }
    let left: Vec<&Change> = changes.into_iter().filter(|one| !told(one)).collect();
    blocks.extend(not_judged(&left));
    let judgement = one.judgement.iter();
    let judged: Vec<&QueryJudgement> = judgement.flat_map(|found| &found.queries).collect();
    if !judged.is_empty() {
        blocks.push(Block::Table(planned(&judged)));
    }
    let notes = one.comparison.iter().flat_map(|found| &found.notes);
    let more = one.judgement.iter().flat_map(|found| &found.notes);
    let notes: Vec<String> = notes.chain(more).cloned().collect();
    if !notes.is_empty() {
        blocks.push(Block::List(notes));
    }
}

/// Queries that name the table and were left out of the verdict, by name.
fn not_judged(left: &[&Change]) -> Vec<Block> {
    if left.is_empty() {
        return Vec::new();
    }
    let mut lines: Vec<String> = left
        .iter()
        .take(NOT_JUDGED)
        .map(|change| {
            let head: String = change.fingerprint.chars().take(HEAD).collect();
            let cut = if head.len() < change.fingerprint.len() {
                "…"
            } else {
                ""
            };
            let (name, reason) = (&change.name, &change.reason);
            format!("{name}: {reason}: {head}{cut}")
        })
        .collect();
    if left.len() > NOT_JUDGED {
        let more = left.len() - NOT_JUDGED;
        lines.push(format!("and {more} more, which `--format json` tells"));
    }
    vec![
        Block::Paragraph("Not judged, though they name the table:".to_owned()),
        Block::List(lines),
    ]
}

/// `before -> after` of one figure.
fn pair(change: &Change, of: impl Fn(&PerCall) -> String) -> String {
    let shown = |side: Option<&PerCall>| side.map_or_else(|| "-".to_owned(), &of);
    format!(
        "{} -> {}",
        shown(change.before.as_ref()),
        shown(change.after.as_ref())
    )
}

fn counted(changes: &[&Change]) -> Table {
    let mut table = Table::new(
        "What the server counted, before -> after, for each call",
        &[
            "Query",
            "Outcome",
            ">Calls",
            ">Rows examined",
            ">Time",
            ">Rows sorted",
            ">Temporary tables",
            ">Without index",
        ],
    );
    for change in changes {
        table.push([
            change.name.clone(),
            change.outcome.word().replace('_', " "),
            pair(change, |side| units::count(side.calls as f64)),
            pair(change, |side| units::count(side.rows_examined)),
            pair(change, |side| units::duration(side.time)),
            pair(change, |side| units::count(side.sort_rows)),
            pair(change, |side| units::count(side.tmp_tables)),
            pair(change, |side| units::percent(side.no_index)),
        ]);
    }
    table
}

fn planned(judged: &[&QueryJudgement]) -> Table {
    let mut table = Table::new(
        "Plans now, before -> after the change",
        &["Query", "Verdict", "Before", "After", "Why"],
    );
    for query in judged {
        let shown = |of: fn(&Trial) -> &Side| {
            let first = query.trials.first();
            first.map_or_else(String::new, |trial| of(trial).plan.join("; "))
        };
        table.push([
            query.name.clone(),
            query.verdict.word().replace('_', " "),
            shown(|trial| &trial.before),
            shown(|trial| &trial.after),
            query.reason.clone(),
        ]);
    }
    table
}

/// JSON of one definition.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    version: u32,
    name: &'a str,
    file: &'a str,
    schema: &'a str,
    table: &'a str,
    index: &'a str,
    action: &'static str,
    state: &'static str,
    outcome: &'static str,
    reason: &'a str,
    index_reads: Option<u64>,
    window_seconds: Option<f64>,
    taken_back: Option<&'a str>,
    not_taken_back: Option<&'a str>,
    queries: Vec<JsonChange<'a>>,
    plans: Vec<JsonPlan<'a>>,
    notes: Vec<&'a str>,
}

#[derive(Serialize)]
struct JsonChange<'a> {
    name: &'a str,
    fingerprint: &'a str,
    schema: Option<&'a str>,
    is_evidence: bool,
    outcome: &'static str,
    reason: &'a str,
    before: Option<JsonSide>,
    after: Option<JsonSide>,
}

#[derive(Serialize)]
struct JsonSide {
    calls: u64,
    time_us: f64,
    rows_examined: f64,
    rows_sent: f64,
    sort_rows: f64,
    tmp_tables: f64,
    no_index: f64,
}

#[derive(Serialize)]
struct JsonPlan<'a> {
    name: &'a str,
    fingerprint: &'a str,
    schema: Option<&'a str>,
    is_evidence: bool,
    verdict: &'static str,
    reason: &'a str,
    statements: Vec<JsonTrial<'a>>,
}

#[derive(Serialize)]
struct JsonTrial<'a> {
    is_made_up: bool,
    before: JsonPlanned<'a>,
    after: JsonPlanned<'a>,
}

#[derive(Serialize)]
struct JsonPlanned<'a> {
    uses_index: bool,
    cost: f64,
    rows: f64,
    plan: &'a [String],
    reads: Option<u64>,
    time_us: Option<f64>,
    is_capped: Option<bool>,
}

impl<'a> Json<'a> {
    fn of(one: &'a Verified) -> Self {
        let definition = &one.subject.entry.definition;
        let notes = one.comparison.iter().flat_map(|found| &found.notes);
        let more = one.judgement.iter().flat_map(|found| &found.notes);
        let taken = one.taken_back.as_ref();
        Self {
            version: one.subject.entry.version,
            name: &one.subject.entry.name,
            file: &one.subject.entry.file,
            schema: &one.subject.table.schema,
            table: &one.subject.table.name,
            index: &definition.index.name,
            action: action(definition.action),
            state: state(one.subject.state),
            outcome: one.outcome.word(),
            reason: &one.reason,
            index_reads: one.index_reads,
            window_seconds: one
                .comparison
                .as_ref()
                .map(|found| found.window.as_secs_f64()),
            taken_back: taken.and_then(|taken| taken.as_ref().ok().map(String::as_str)),
            not_taken_back: taken.and_then(|taken| taken.as_ref().err().map(String::as_str)),
            queries: one
                .comparison
                .iter()
                .flat_map(|found| &found.queries)
                .map(change)
                .collect(),
            plans: one
                .judgement
                .iter()
                .flat_map(|found| &found.queries)
                .map(plan)
                .collect(),
            notes: notes.chain(more).map(String::as_str).collect(),
        }
    }
}

fn change(change: &Change) -> JsonChange<'_> {
    let side = |side: &PerCall| JsonSide {
        calls: side.calls,
        time_us: side.time.as_secs_f64() * 1e6,
        rows_examined: side.rows_examined,
        rows_sent: side.rows_sent,
        sort_rows: side.sort_rows,
        tmp_tables: side.tmp_tables,
        no_index: side.no_index,
    };
    JsonChange {
        name: &change.name,
        fingerprint: &change.fingerprint,
        schema: change.schema.as_deref(),
        is_evidence: change.is_evidence,
        outcome: change.outcome.word(),
        reason: &change.reason,
        before: change.before.as_ref().map(side),
        after: change.after.as_ref().map(side),
    }
}

fn plan(query: &QueryJudgement) -> JsonPlan<'_> {
    JsonPlan {
        name: &query.name,
        fingerprint: &query.fingerprint,
        schema: query.schema.as_deref(),
        is_evidence: query.is_evidence(),
        verdict: query.verdict.word(),
        reason: &query.reason,
        statements: query.trials.iter().map(tried).collect(),
    }
}

fn tried(trial: &Trial) -> JsonTrial<'_> {
    JsonTrial {
        is_made_up: trial.is_made_up,
        before: planned_side(&trial.before),
        after: planned_side(&trial.after),
    }
}

fn planned_side(side: &Side) -> JsonPlanned<'_> {
    JsonPlanned {
        uses_index: side.uses_index,
        cost: side.cost,
        rows: side.rows,
        plan: &side.plan,
        reads: side.executed.map(|run| run.reads),
        time_us: side.executed.map(|run| run.time.as_secs_f64() * 1e6),
        is_capped: side.executed.map(|run| run.is_capped),
    }
}
