//! An index report: what is there, what can go, what is missing, and the statements for it.

mod attention;
mod summary;
mod tables;

use super::cost::Cost;
use super::doc::{Amount, BarRow, Bars, Block, Document, Finding};
use super::words::counted;
use crate::model::advice::{Action, LockLevel};
use crate::model::inventory::{IndexFacts, Inventory};
use crate::model::schema::{Index, TableName};
use crate::model::units;
pub use summary::{Summary, is_worse, summary, tables_without_primary_key};

/// Bars at most.
const MAX_BARS: usize = 15;

/// Indexes whose statements are printed at most; a program finds all of them in the JSON.
const MAX_STATEMENTS: usize = 500;

/// What the report is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject<'a> {
    /// The schemas, in order.
    pub schemas: &'a [String],
    /// Their indexes.
    pub inventory: &'a Inventory,
    /// What was recommended, by definitions or by advice.
    pub proposals: &'a [Proposal],
    /// What reading took.
    pub cost: Cost,
}

/// A change that was recommended, with what speaks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Number of the definition that states it.
    pub definition: Option<u32>,
    /// Where it comes from: the definition's file, or the advice.
    pub source: String,
    /// Create or drop.
    pub action: Action,
    /// The table.
    pub table: TableName,
    /// The index.
    pub index: Index,
    /// Why, in one or two sentences.
    pub reason: String,
    /// What speaks for it, each a name and a value.
    pub evidence: Vec<(String, String)>,
    /// Statements to run, in order.
    pub ddl: Vec<String>,
    /// Statements that undo them.
    pub undo: Vec<String>,
    /// The strongest lock that they need.
    pub lock: LockLevel,
    /// Estimated bytes: taken when created, freed when dropped.
    pub bytes: Option<u64>,
    /// Measured, not only estimated.
    pub is_proven: bool,
}

/// The document.
#[must_use]
pub fn document(subject: &Subject) -> Document {
    let inventory = subject.inventory;
    let summary = summary(inventory);
    let mut blocks = vec![
        Block::Paragraph(lead(inventory, &summary)),
        Block::Facts(facts(subject, &summary)),
        Block::Heading("What needs attention first".to_owned()),
        Block::Findings(attention(inventory)),
    ];
    if !inventory.indexes.is_empty() {
        blocks.push(Block::Heading("Where the space goes".to_owned()));
        blocks.push(Block::Bars(sizes(inventory)));
        blocks.extend(traffic(inventory).map(Block::Bars));
    }
    let droppable = worst_first(inventory, |facts| facts.verdict.fate.is_drop());
    if !droppable.is_empty() {
        blocks.push(Block::Heading("Indexes that can go".to_owned()));
        blocks.push(Block::Table(tables::droppable(inventory, &droppable)));
        blocks.extend(statements(&droppable));
    }
    if summary.unsupported > 0 {
        blocks.push(Block::Heading("Foreign keys without an index".to_owned()));
        blocks.extend(tables::unsupported(inventory));
    }
    if !subject.proposals.is_empty() {
        blocks.push(Block::Heading("Recommendations".to_owned()));
        for (place, proposal) in subject.proposals.iter().enumerate() {
            blocks.extend(tables::proposal(place + 1, proposal));
        }
    }
    if !inventory.definitions.is_empty() {
        blocks.push(Block::Heading("Definitions".to_owned()));
        blocks.push(Block::Table(tables::definitions(&inventory.definitions)));
    }
    if !inventory.indexes.is_empty() {
        blocks.push(Block::Heading("Every index".to_owned()));
        let all = worst_first(inventory, |_| true);
        blocks.push(Block::Table(tables::all(inventory, &all)));
    }
    if !inventory.tables.is_empty() {
        blocks.push(Block::Heading("Every table".to_owned()));
        blocks.push(Block::Table(tables::tables(inventory)));
    }
    Document {
        title: format!("Indexes of {}", inventory.server),
        blocks,
    }
}

/// What someone should look at, the worst first; never empty.
#[must_use]
pub fn attention(inventory: &Inventory) -> Vec<Finding> {
    attention::findings(inventory, &summary(inventory))
}

fn lead(inventory: &Inventory, summary: &Summary) -> String {
    if inventory.indexes.is_empty() {
        return "There are no indexes here that this account may see.".to_owned();
    }
    let secondary = units::bytes(summary.secondary_bytes);
    let all = format!(
        "{} on {} take {secondary} beside {} of data.",
        counted(summary.secondary, "secondary index", "secondary indexes"),
        counted(inventory.tables.len(), "table", "tables"),
        units::bytes(summary.data_bytes)
    );
    if summary.droppable() == 0 {
        return format!("{all} None of them can go.");
    }
    let share = summary.droppable_bytes as f64 / (summary.secondary_bytes as f64).max(1.0);
    format!(
        "{all} {} can go and would free {} ({}).",
        counted(summary.droppable(), "of them", "of them"),
        units::bytes(summary.droppable_bytes),
        units::percent(share.min(1.0))
    )
}

fn facts(subject: &Subject, summary: &Summary) -> Vec<(String, String)> {
    let inventory = subject.inventory;
    let counted_for = inventory.window.map_or_else(
        || "reads and writes are not counted by this server".to_owned(),
        |window| {
            format!(
                "reads and writes are counted since the server started, {} ago, and of a table that \
                 was altered since then from that time on",
                units::duration(window)
            )
        },
    );
    let fates = format!(
        "{} unused, {} duplicate, {} redundant, {} invisible",
        summary.unused, summary.duplicate, summary.redundant, summary.invisible
    );
    [
        ("server", inventory.server.clone()),
        ("version", inventory.version.clone()),
        ("schemas", subject.schemas.join(", ")),
        ("read", inventory.at.strftime("%F %T UTC").to_string()),
        ("window", counted_for),
        ("indexes", fates),
        ("own cost", subject.cost.sentence()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// Indexes in the order in which they should be looked at.
#[must_use]
pub fn worst_first(inventory: &Inventory, wanted: fn(&IndexFacts) -> bool) -> Vec<&IndexFacts> {
    let mut all: Vec<&IndexFacts> = inventory
        .indexes
        .iter()
        .filter(|facts| wanted(facts))
        .collect();
    all.sort_by(|one, other| is_worse(one, other));
    all
}

/// A table's name, without its schema where the report is about one only.
fn table_name(inventory: &Inventory, name: &TableName) -> String {
    let is_alone = inventory
        .tables
        .first()
        .zip(inventory.tables.last())
        .is_some_and(|(first, last)| {
            first.name.schema == last.name.schema && first.name.schema == name.schema
        });
    if is_alone {
        name.name.clone()
    } else {
        name.to_string()
    }
}

fn label(inventory: &Inventory, facts: &IndexFacts) -> String {
    format!(
        "{}.{}",
        table_name(inventory, &facts.verdict.table),
        facts.verdict.index.name
    )
}

fn sizes(inventory: &Inventory) -> Bars {
    let bytes = |facts: &IndexFacts| facts.verdict.index.bytes.unwrap_or(0);
    let mut all: Vec<&IndexFacts> = inventory
        .indexes
        .iter()
        .filter(|facts| !facts.verdict.index.is_primary())
        .collect();
    all.sort_by_key(|facts| std::cmp::Reverse(bytes(facts)));
    Bars {
        caption: format!(
            "Size of the largest secondary indexes, {} of {}",
            all.len().min(MAX_BARS),
            all.len()
        ),
        series: Vec::new(),
        rows: all
            .into_iter()
            .take(MAX_BARS)
            .map(|facts| BarRow {
                label: label(inventory, facts),
                values: vec![Amount::new(bytes(facts) as f64, units::bytes(bytes(facts)))],
            })
            .collect(),
    }
}

/// The indexes that cost the most for what they give: many writes, few reads.
fn traffic(inventory: &Inventory) -> Option<Bars> {
    let window = inventory.window?;
    let mut all: Vec<(&IndexFacts, f64, f64)> = inventory
        .indexes
        .iter()
        .filter(|facts| !facts.verdict.index.is_primary())
        .filter_map(|facts| {
            let counts = facts.usage?;
            Some((facts, counts.reads as f64, counts.writes as f64))
        })
        .filter(|(_, reads, writes)| reads + writes > 0.0)
        .collect();
    if all.is_empty() {
        return None;
    }
    all.sort_by(|one, other| {
        let ratio = |(_, reads, writes): &(&IndexFacts, f64, f64)| (writes + 1.0) / (reads + 1.0);
        ratio(other).total_cmp(&ratio(one))
    });
    Some(Bars {
        caption: format!(
            "Rows written and rows read through an index in {}, or since its table was altered: those \
             with the most writes for each read",
            units::duration(window)
        ),
        series: vec!["written".to_owned(), "read".to_owned()],
        rows: all
            .into_iter()
            .take(MAX_BARS)
            .map(|(facts, reads, writes)| BarRow {
                label: label(inventory, facts),
                values: vec![
                    Amount::new(writes, units::count(writes)),
                    Amount::new(reads, units::count(reads)),
                ],
            })
            .collect(),
    })
}

/// What takes the indexes away and what brings them back, as scripts.
fn statements(droppable: &[&IndexFacts]) -> Vec<Block> {
    let shown = &droppable[..droppable.len().min(MAX_STATEMENTS)];
    let which = if shown.len() < droppable.len() {
        format!(
            " for the first {} of {}; `--format json` has all",
            shown.len(),
            droppable.len()
        )
    } else {
        String::new()
    };
    let script = |what: &str, pick: fn(&IndexFacts) -> &[String]| {
        let lines = shown.iter().flat_map(|facts| pick(facts));
        let lines: Vec<String> = lines.map(|sql| format!("{sql};")).collect();
        (!lines.is_empty()).then(|| Block::Details {
            summary: format!("Statements that {what}{which}"),
            blocks: vec![Block::Code {
                language: "sql",
                text: lines.join("\n"),
            }],
        })
    };
    let mut blocks = vec![Block::Paragraph(
        "First hide an index, and drop it a business cycle later: a hidden index is shown again \
         at once, a dropped one has to be built again. `mydex index` does both in that order from \
         a definition."
            .to_owned(),
    )];
    // An index that is hidden already has the drop alone.
    blocks.extend(script("hide them", |facts| {
        facts
            .verdict
            .ddl
            .split_last()
            .map_or(&[], |(_, before)| before)
    }));
    blocks.extend(script("drop them", |facts| {
        &facts.verdict.ddl[facts.verdict.ddl.len().saturating_sub(1)..]
    }));
    blocks.extend(script("bring them back", |facts| {
        &facts.verdict.undo[facts.verdict.undo.len().saturating_sub(1)..]
    }));
    blocks
}

#[cfg(test)]
mod tests;
