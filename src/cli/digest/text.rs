//! What `mydex digest` prints for people.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Order, time};
use crate::model::{text, units};
use crate::report::doc::{Block, Document, Finding, Severity, Table};
use crate::slowlog::{Class, Profile, Tally};

/// Longest sample that the text shows; the JSON has it whole.
const SHOWN: usize = 2_000;
/// Width of the longest bar of a histogram.
const BAR: u64 = 60;
const DECADES: [&str; 8] = ["1us", "10us", "100us", "1ms", "10ms", "100ms", "1s", "10s+"];

fn micros(micros: u64) -> String {
    units::duration(Duration::from_micros(micros))
}

fn count(n: u64) -> String {
    units::count(n as f64)
}

/// The profile with the classes `shown`, in their order.
pub(super) fn document(
    profile: &Profile,
    shown: &[&Class],
    order: Order,
    took: Duration,
) -> Document {
    let mut blocks = vec![Block::Facts(facts(profile, took))];
    let findings = findings(profile, shown);
    if !findings.is_empty() {
        blocks.push(Block::Findings(findings));
    }
    if !profile.classes.is_empty() {
        blocks.push(Block::Table(table(profile, shown, order)));
    }
    for (i, class) in shown.iter().enumerate() {
        blocks.extend(block(i + 1, class));
    }
    Document {
        title: "Slow log digest".to_owned(),
        blocks,
    }
}

fn facts(profile: &Profile, took: Duration) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let speed = profile.bytes as f64 / took.as_secs_f64().max(1e-9) / 1e6;
    let mut facts = vec![
        fact("Files", profile.sources.join(", ")),
        fact(
            "Read",
            format!(
                "{} in {}, {speed:.0} MB/s",
                units::bytes(profile.bytes),
                units::duration(took)
            ),
        ),
        fact("Entries", profile.entries.to_string()),
    ];
    if profile.filtered > 0 {
        facts.push(fact("Left out by a filter", profile.filtered.to_string()));
    }
    if let Some((first, last)) = profile.window {
        let span = Duration::from_micros(u64::try_from(last - first).unwrap_or(0));
        let span = units::duration(span);
        facts.push(fact(
            "Span",
            format!("{} to {} ({span})", time(first), time(last)),
        ));
    }
    facts.push(fact("Total time", micros(profile.time())));
    facts.push(fact("Classes", profile.classes.len().to_string()));
    facts.push(fact("Malformed", profile.malformed.to_string()));
    facts
}

fn findings(profile: &Profile, shown: &[&Class]) -> Vec<Finding> {
    let finding = |severity, code, message: String, remedy: &str| Finding {
        severity,
        code,
        message,
        remedy: remedy.to_owned(),
    };
    let mut findings = Vec::new();
    if profile.is_interrupted {
        let message = "interrupted: the figures cover what was read so far".to_owned();
        findings.push(finding(Severity::Warning, "interrupted", message, ""));
    }
    for fault in &profile.faults {
        let message = format!(
            "{}:{}: {}: {}",
            fault.source,
            fault.line,
            fault.reason,
            text::inline(&fault.text)
        );
        findings.push(finding(Severity::Warning, "malformed-entry", message, ""));
    }
    if let Some(rest) = &profile.rest {
        let message = format!(
            "{} more classes with {} calls and {} are one class, `everything else`",
            profile.folded,
            rest.calls,
            micros(rest.time)
        );
        findings.push(finding(
            Severity::Note,
            "too-many-classes",
            message,
            "raise `--max-classes`",
        ));
    }
    let hidden = profile.classes.len() - shown.len();
    if hidden > 0 {
        let message = format!("{hidden} classes are beyond the limit and not shown");
        findings.push(finding(
            Severity::Note,
            "limit",
            message,
            "raise `--limit`, such as `100%`",
        ));
    }
    findings
}

fn table(profile: &Profile, shown: &[&Class], order: Order) -> Table {
    let by = match order {
        Order::Time => "total time",
        Order::Calls => "calls",
        Order::Mean => "mean time",
        Order::P95 => "p95",
        Order::Max => "longest time",
        Order::RowsExamined => "rows examined",
        Order::RowsSent => "rows sent",
        Order::LockTime => "lock time",
    };
    let mut table = Table::new(
        format!("Classes by {by}"),
        &[
            ">Rank",
            ">Share",
            ">Time",
            ">Calls",
            ">Mean",
            ">p50",
            ">p95",
            ">p99",
            ">Max",
            ">V/M",
            ">Examined",
            ">Sent",
            ">Lock",
            "Schema",
            "Statement",
        ],
    );
    let total = profile.time();
    let rest = profile.rest.iter().map(|rest| ("-".to_owned(), rest));
    let ranked = shown
        .iter()
        .enumerate()
        .map(|(i, class)| ((i + 1).to_string(), *class));
    for (rank, class) in ranked.chain(rest) {
        let start: String = class.fingerprint.chars().take(60).collect();
        table.push([
            rank,
            units::percent(class.share(total)),
            micros(class.time),
            count(class.calls),
            micros(class.time / class.calls.max(1)),
            micros(class.quantile(0.5)),
            micros(class.quantile(0.95)),
            micros(class.quantile(0.99)),
            micros(class.time_max),
            format!("{:.3}", class.variance_to_mean()),
            count(class.rows_examined),
            count(class.rows_sent),
            micros(class.lock_time),
            class.schema().unwrap_or("-").to_owned(),
            start,
        ]);
    }
    table
}

fn block(rank: usize, class: &Class) -> Vec<Block> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut facts = Vec::new();
    for (name, tally) in [
        ("Schemas", &class.schemas),
        ("Users", &class.users),
        ("Hosts", &class.hosts),
    ] {
        facts.push(fact(name, names(tally)));
    }
    if let Some((first, last)) = class.seen {
        facts.push(fact("First seen", time(first)));
        facts.push(fact("Last seen", time(last)));
    }
    if class.rows_affected > 0 {
        facts.push(fact("Rows affected", count(class.rows_affected)));
    }
    if class.errors > 0 {
        facts.push(fact("Errors", count(class.errors)));
    }
    let mut blocks = vec![
        Block::Heading(format!(
            "{rank}. {} calls, {}",
            count(class.calls),
            micros(class.time)
        )),
        Block::Facts(facts),
        code("text", histogram(class)),
        code("sql", class.fingerprint.clone()),
    ];
    if let Some(sample) = class.samples.first() {
        let sql: String = sample.sql.chars().take(SHOWN).collect();
        let cut = if sql.len() < sample.sql.len() || sample.is_cut {
            " (cut)"
        } else {
            ""
        };
        blocks.push(Block::Paragraph(format!(
            "The slowest took {}{cut}:",
            micros(sample.time)
        )));
        blocks.push(code("sql", sql));
    }
    blocks
}

fn code(language: &'static str, text: String) -> Block {
    Block::Code { language, text }
}

fn names(tally: &Tally) -> String {
    let mut names: Vec<&(String, u64)> = tally.names.iter().collect();
    names.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
    let shown = |(name, calls): &&(String, u64)| {
        let name = if name.is_empty() { "-" } else { name };
        format!("{name} ({})", count(*calls))
    };
    let mut text = names
        .iter()
        .take(5)
        .map(shown)
        .collect::<Vec<_>>()
        .join(", ");
    let more = names.len().saturating_sub(5);
    if more > 0 || tally.others > 0 {
        text.push_str(", and others");
    }
    text
}

/// The latencies by decades; a decade with any execution has at least one sign.
fn histogram(class: &Class) -> String {
    let decades = class.histogram.decades();
    let most = decades.iter().copied().max().unwrap_or(0).max(1);
    let mut text = String::new();
    for (name, calls) in DECADES.iter().zip(decades) {
        let length = (calls * BAR).div_ceil(most);
        let bar = "#".repeat(usize::try_from(length).unwrap_or(0));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", format!("{name:>6}  {bar}").trim_end());
    }
    text.truncate(text.trim_end().len());
    text
}
