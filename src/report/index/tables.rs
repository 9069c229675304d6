//! The tables of the report.

use std::time::Duration;

use super::Proposal;
use crate::model::advice::{Action, LockLevel};
use crate::model::inventory::{IndexFacts, Inventory};
use crate::model::ledger::DefinitionState;
use crate::model::review::{Fate, Required};
use crate::model::schema::IndexKind;
use crate::model::units;
use crate::report::doc::{Block, Table};
use crate::report::words;

fn bytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "-".to_owned(), units::bytes)
}

fn count(count: Option<u64>) -> String {
    count.map_or_else(|| "-".to_owned(), |count| units::count(count as f64))
}

fn in_window(window: Option<Duration>) -> String {
    match window {
        Some(window) => format!(
            "Reads and writes are rows in {}, since the server started, or since the table was altered.",
            units::duration(window)
        ),
        None => "Reads and writes are not counted by this server.".to_owned(),
    }
}

/// A column of the list of indexes: its title, and what stands in it.
type Shown<'a> = (&'a str, &'a dyn Fn(&IndexFacts) -> String);

fn listed(caption: String, columns: &[Shown], indexes: &[&IndexFacts]) -> Table {
    let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let mut table = Table::new(caption, &titles);
    for facts in indexes {
        table.push(columns.iter().map(|(_, cell)| cell(facts)));
    }
    table
}

fn name(facts: &IndexFacts) -> String {
    facts.verdict.index.name.clone()
}

fn columns(facts: &IndexFacts) -> String {
    words::columns(&facts.verdict.index)
}

fn traits(facts: &IndexFacts) -> String {
    words::traits(&facts.verdict.index)
}

fn size(facts: &IndexFacts) -> String {
    let index = &facts.verdict.index;
    // InnoDB's statistics have no pages for full-text indexes, which live in tables of their own.
    let is_unknown = index.kind == IndexKind::FullText && index.bytes == Some(0);
    bytes(index.bytes.filter(|_| !is_unknown))
}

fn reads(facts: &IndexFacts) -> String {
    count(facts.usage.map(|counts| counts.reads))
}

fn writes(facts: &IndexFacts) -> String {
    count(facts.usage.map(|counts| counts.writes))
}

/// The indexes that can go, the largest first.
pub(super) fn droppable(inventory: &Inventory, indexes: &[&IndexFacts]) -> Table {
    let table = |facts: &IndexFacts| super::table_name(inventory, &facts.verdict.table);
    let verdict = |facts: &IndexFacts| why(&facts.verdict.fate);
    let mut shown: Vec<Shown> = vec![
        ("table", &table),
        ("index", &name),
        ("columns", &columns),
        ("kind", &traits),
        ("why it can go", &verdict),
        (">size", &size),
    ];
    if inventory.window.is_some() {
        shown.extend([(">reads", &reads as _), (">writes", &writes as _)]);
    }
    let caption = format!("The largest first. {}", in_window(inventory.window));
    listed(caption, &shown, indexes)
}

/// A verdict in a few words; the JSON has the whole sentence.
fn why(fate: &Fate) -> String {
    match fate {
        Fate::Unused => "unused".to_owned(),
        Fate::Duplicate(other) => format!("same as {other}"),
        Fate::Redundant(other) => format!("part of {other}"),
        Fate::Keep => String::new(),
        Fate::Required(required) => match required {
            Required::ImplicitPrimaryKey => "needed: primary key",
            Required::Unique => "needed: unique",
            Required::ForeignKeyChild => "needed: foreign key",
            Required::ForeignKeyParent => "needed: referred to",
            Required::Hint => "needed: named in a hint",
            Required::AutoIncrement => "needed: counter",
        }
        .to_owned(),
    }
}

/// Every index.
pub(super) fn all(inventory: &Inventory, indexes: &[&IndexFacts]) -> Table {
    let table = |facts: &IndexFacts| super::table_name(inventory, &facts.verdict.table);
    let spread = |facts: &IndexFacts| count(distinct(facts));
    let verdict = |facts: &IndexFacts| {
        let why = why(&facts.verdict.fate);
        if facts.verdict.fate.is_drop() {
            format!("can go: {why}")
        } else {
            why
        }
    };
    let definition = |facts: &IndexFacts| {
        let number = facts.definition;
        number.map_or_else(String::new, |number| number.to_string())
    };
    let mut shown: Vec<Shown> = vec![
        ("table", &table),
        ("index", &name),
        ("columns", &columns),
        ("kind", &traits),
        ("verdict", &verdict),
        (">distinct", &spread),
        (">size", &size),
    ];
    if inventory.window.is_some() {
        shown.extend([(">reads", &reads as _), (">writes", &writes as _)]);
    }
    if indexes.iter().any(|facts| facts.definition.is_some()) {
        shown.push((">definition", &definition));
    }
    let caption = format!(
        "Those that can go first, then invisible ones, each the largest first. {} Distinct values \
         are the server's estimate for the whole key.",
        in_window(inventory.window)
    );
    listed(caption, &shown, indexes)
}

/// Distinct values of the whole key.
fn distinct(facts: &IndexFacts) -> Option<u64> {
    facts.verdict.index.cardinality.last().copied().flatten()
}

/// Foreign keys without an index, and the statements that make them.
pub(super) fn unsupported(inventory: &Inventory) -> Vec<Block> {
    let mut table = Table::new(
        "",
        &[
            "table",
            "constraint",
            "columns",
            "refers to",
            ">rows of the table",
        ],
    );
    let mut statements = Vec::new();
    for facts in &inventory.tables {
        for (key, statement) in &facts.unsupported {
            table.push([
                super::table_name(inventory, &facts.name),
                key.name.clone(),
                key.columns.join(", "),
                format!("{} ({})", key.parent, key.parent_columns.join(", ")),
                units::count(facts.rows as f64),
            ]);
            statements.push(format!("{statement};"));
        }
    }
    vec![
        Block::Table(table),
        Block::Code {
            language: "sql",
            text: statements.join("\n"),
        },
    ]
}

/// Where the definitions stand.
pub(super) fn definitions(definitions: &[DefinitionState]) -> Table {
    let mut table = Table::new(
        "The files of the folder and the entries of the ledger, in the order of their numbers",
        &[
            ">number", "name", "action", "table", "index", "state", "changed",
        ],
    );
    for one in definitions {
        table.push([
            one.version.to_string(),
            one.name.clone(),
            action(one.action).to_owned(),
            one.table.to_string(),
            one.index.clone(),
            one.state.word().to_owned(),
            one.changed.map_or_else(
                || "-".to_owned(),
                |changed| changed.strftime("%F %T UTC").to_string(),
            ),
        ]);
    }
    table
}

/// Every table, the largest indexes first.
pub(super) fn tables(inventory: &Inventory) -> Table {
    let mut table = Table::new(
        "The largest indexes first. Rows and sizes are the server's estimates.",
        &[
            "table",
            "engine",
            ">rows",
            ">data",
            ">indexes",
            ">indexes / data",
        ],
    );
    let mut all: Vec<_> = inventory.tables.iter().collect();
    all.sort_by_key(|facts| std::cmp::Reverse(facts.index_bytes));
    for facts in all {
        table.push([
            super::table_name(inventory, &facts.name),
            facts.engine.clone(),
            units::count(facts.rows as f64),
            units::bytes(facts.data_bytes),
            units::bytes(facts.index_bytes),
            if facts.data_bytes == 0 {
                "-".to_owned()
            } else {
                units::percent(facts.index_bytes as f64 / facts.data_bytes as f64)
            },
        ]);
    }
    table
}

/// One recommendation with its evidence and its statements.
pub(super) fn proposal(place: usize, proposal: &Proposal) -> Vec<Block> {
    let lock = match proposal.lock {
        LockLevel::None => "reads and writes go on",
        LockLevel::Shared => "reads go on, writes wait until it is done",
        LockLevel::Exclusive => "reads and writes wait until it is done",
    };
    let size = proposal.bytes.map(|bytes| match proposal.action {
        Action::Create => format!("{}, estimated", units::bytes(bytes)),
        Action::Drop => format!("frees {}", units::bytes(bytes)),
    });
    let mut facts = vec![
        ("columns".to_owned(), words::columns(&proposal.index)),
        ("from".to_owned(), proposal.source.clone()),
        (
            "judged".to_owned(),
            if proposal.is_proven {
                "measured"
            } else {
                "estimated"
            }
            .to_owned(),
        ),
    ];
    facts.extend(size.map(|size| ("size".to_owned(), size)));
    facts.push(("while it runs".to_owned(), lock.to_owned()));
    facts.extend(proposal.evidence.iter().cloned());
    let script = |sql: &[String]| {
        let lines: Vec<String> = sql.iter().map(|sql| format!("{sql};")).collect();
        Block::Code {
            language: "sql",
            text: lines.join("\n"),
        }
    };
    let mut blocks = vec![
        Block::Subheading(format!(
            "{place}. {} {} on {}",
            action(proposal.action),
            proposal.index.name,
            proposal.table
        )),
        Block::Facts(facts),
    ];
    if !proposal.ddl.is_empty() {
        blocks.push(script(&proposal.ddl));
    }
    if !proposal.reason.is_empty() {
        blocks.insert(1, Block::Paragraph(proposal.reason.clone()));
    }
    if !proposal.undo.is_empty() {
        blocks.push(Block::Details {
            summary: "Undo".to_owned(),
            blocks: vec![script(&proposal.undo)],
        });
    }
    blocks
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Drop => "drop",
    }
}
