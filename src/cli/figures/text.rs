//! The figures for people.

use super::MAX_DIGESTS;
use super::json::seconds;
use crate::model::digest::{DigestDelta, DigestGap, DigestInterval};
use crate::model::feed::ServerFacts;
use crate::model::interval::Interval;
use crate::model::status::Var;
use crate::model::units;
use crate::report::doc::{Block, Table};

/// The server for people.
pub(in crate::cli) fn server_facts(facts: &ServerFacts) -> Block {
    let mut lines = vec![
        ("server".to_owned(), facts.name.clone()),
        ("version".to_owned(), facts.version.clone()),
        ("account".to_owned(), facts.account.clone()),
        (
            "encryption".to_owned(),
            facts
                .tls_cipher
                .clone()
                .unwrap_or_else(|| "none".to_owned()),
        ),
        (
            "up since".to_owned(),
            facts.started.strftime("%F %T UTC").to_string(),
        ),
    ];
    lines.extend(
        facts
            .limits
            .iter()
            .map(|limit| ("limit".to_owned(), limit.clone())),
    );
    Block::Facts(lines)
}

/// One interval for people: a fact a line, each with its unit.
pub(in crate::cli) fn interval_facts(interval: &Interval) -> Block {
    let rate = |var| {
        interval
            .rate(var)
            .map_or_else(|| "-".to_owned(), |r| format!("{}/s", units::count(r)))
    };
    let level = |var| {
        interval
            .level(var)
            .map_or_else(|| "-".to_owned(), |n| units::count(n as f64))
    };
    let hit_ratio = interval
        .buffer_pool_hit_ratio()
        .map_or_else(|| "-".to_owned(), units::percent);
    let mut facts = vec![
        (
            "window",
            format!(
                "{} to {}",
                units::duration(interval.window),
                interval.to.strftime("%F %T UTC")
            ),
        ),
        ("queries", rate(Var::Queries)),
        ("latency", latency(interval)),
        (
            "threads",
            format!(
                "{} running, {} connected",
                level(Var::ThreadsRunning),
                level(Var::ThreadsConnected)
            ),
        ),
        (
            "rows",
            format!(
                "{} read, {} inserted, {} updated, {} deleted",
                rate(Var::RowsRead),
                rate(Var::RowsInserted),
                rate(Var::RowsUpdated),
                rate(Var::RowsDeleted)
            ),
        ),
        (
            "buffer pool",
            format!(
                "hit ratio {hit_ratio}, {} reads from disk",
                rate(Var::BufferPoolReads)
            ),
        ),
        ("own cost", own_cost(interval)),
    ];
    facts.extend(interval.missing.iter().map(|why| ("not seen", why.clone())));
    Block::Facts(
        facts
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn latency(interval: &Interval) -> String {
    interval.quantiles().map_or_else(
        || "no statement ended, or the server has no histogram".to_owned(),
        |q| {
            format!(
                "p50 {}  p95 {}  p99 {}  max {} (upper bounds, {} statements)",
                units::duration(q.p50),
                units::duration(q.p95),
                units::duration(q.p99),
                units::duration(q.max),
                units::count(q.count as f64)
            )
        },
    )
}

/// Time is an upper bound where the server does not count processor time.
fn own_cost(interval: &Interval) -> String {
    let cost = interval.cost;
    format!(
        "{}{} of a core, {} statements, {}",
        if cost.server_cpu.is_some() {
            ""
        } else {
            "at most "
        },
        units::percent(cost.share(interval.window)),
        cost.statements,
        units::bytes(cost.bytes)
    )
}

/// The digests for people.
pub(in crate::cli) fn digests_table(interval: &DigestInterval) -> Block {
    let shown = interval.digests.len().min(MAX_DIGESTS);
    let mut table = Table::new(
        caption(interval, shown),
        &[
            ">calls/s",
            ">load",
            ">average",
            ">examined/row",
            ">no index",
            ">tmp disk",
            ">errors",
            "schema",
            "statement",
        ],
    );
    for digest in &interval.digests[..shown] {
        let counters = &digest.counters;
        table.push([
            units::count(counters.calls as f64 / interval.window.as_secs_f64()),
            format!(
                "{:.2}",
                seconds(counters.time_ps) / interval.window.as_secs_f64()
            ),
            units::duration(digest.average()),
            digest
                .examined_per_row()
                .map_or_else(|| "-".to_owned(), units::count),
            units::percent(counters.no_index as f64 / counters.calls.max(1) as f64),
            units::count(counters.tmp_disk_tables as f64),
            units::count(counters.errors as f64),
            digest.key.schema.as_deref().unwrap_or("-").to_owned(),
            statement_head(digest),
        ]);
    }
    Block::Table(table)
}

fn caption(interval: &DigestInterval, shown: usize) -> String {
    let lost = interval.lost.map_or_else(String::new, |lost| {
        let share = lost.time_ps as f64 / (interval.total.time_ps.max(1)) as f64;
        format!(
            "; {} of the time is in statements that the full digest table could not tell apart",
            units::percent(share)
        )
    });
    let gap = match interval.gap {
        Some(DigestGap::Restarted) => "; the server restarted within the window",
        Some(DigestGap::Truncated) => {
            "; the digest table was truncated within the window, and what ran before is not in it"
        }
        None => "",
    };
    format!(
        "The {shown} statements with the most time of {} active, over {} to {}{lost}{gap}",
        interval.digests.len(),
        units::duration(interval.window),
        interval.to.strftime("%T UTC")
    )
}

fn statement_head(digest: &DigestDelta) -> String {
    const WIDTH: usize = 80;
    let text = digest.text.as_deref().unwrap_or("(text not read)");
    if text.chars().count() <= WIDTH {
        return text.to_owned();
    }
    let head: String = text.chars().take(WIDTH - 1).collect();
    format!("{head}…")
}
