//! Executions of a plain read with an index and without it, one after the other in turns, so that
//! whatever else the server does falls on both alike.

use std::time::Duration;

use tokio::time::Instant;

use super::ask::{Asked, Asker, Form};
use super::{Execute, Executed, Side};
use crate::server::cells::Cells as _;
use crate::server::{Connection, Error};
use crate::sql::{harmless, hints};

/// All executions of one statement together take at most so many times the limit of one.
const SHARE: u32 = 4;

/// Times of a pair that differ by less say nothing.
const EQUAL: f64 = 0.02;

/// Runs both sides and writes what they took into them; the pairs in which `with` was faster, and
/// in which it was slower. The error inside says why a statement is not run.
pub(super) async fn both(
    asker: &mut Asker<'_>,
    sides: &mut Asked,
    execute: Execute,
) -> Result<Result<(u32, u32), String>, Error> {
    if sides.statement.writes || !harmless::is_plain_read(&sides.statement.sql) {
        return Ok(Err("only plain reads are executed".to_owned()));
    }
    let before = limits(asker.connection, execute.limit).await?;
    let outcome = turns(asker, sides, execute).await;
    if !asker.connection.is_broken() {
        asker.show_invisible(false).await?;
        restore(asker.connection, before).await?;
    }
    outcome
}

/// The time limit of the server, and the patience of the connection, as they were.
async fn limits(connection: &mut Connection, limit: Duration) -> Result<(u64, Duration), Error> {
    let row = connection
        .first("the time limit", "SELECT @@SESSION.max_execution_time")
        .await?
        .unwrap_or_default();
    let before = (row.u64(0).unwrap_or(0), connection.patience());
    let ms = limit.as_millis().max(1);
    connection
        .run(
            "the time limit",
            &format!("SET SESSION max_execution_time = {ms}"),
        )
        .await?;
    connection.set_patience(limit + before.1);
    Ok(before)
}

async fn restore(
    connection: &mut Connection,
    (ms, patience): (u64, Duration),
) -> Result<(), Error> {
    connection.set_patience(patience);
    connection
        .run(
            "the time limit",
            &format!("SET SESSION max_execution_time = {ms}"),
        )
        .await
}

async fn turns(
    asker: &mut Asker<'_>,
    sides: &mut Asked,
    execute: Execute,
) -> Result<Result<(u32, u32), String>, Error> {
    let first = handlers(asker.connection).await?;
    let own = handlers(asker.connection).await?.saturating_sub(first);
    let begun = Instant::now();
    // The first turn brings pages into memory for both, and counts what is read.
    for side in [&mut sides.without, &mut sides.with] {
        if let Err(reason) = counted(asker, side, own, execute.limit).await? {
            return Ok(Err(reason));
        }
    }
    let is_capped = |side: &Side| side.executed.is_some_and(|run| run.is_capped);
    if is_capped(&sides.without.1) || is_capped(&sides.with.1) {
        return Ok(Ok((0, 0)));
    }
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let mut pairs = (0, 0);
    for turn in 0..execute.pairs {
        let mut times = [Duration::ZERO; 2];
        let order = if turn % 2 == 0 { [0, 1] } else { [1, 0] };
        for place in order {
            let form = [&sides.without.0, &sides.with.0][place].clone();
            match timed(asker, &form, execute.limit).await? {
                Ok((time, _)) => times[place] = time,
                Err(reason) => return Ok(Err(reason)),
            }
        }
        without.push(times[0]);
        with.push(times[1]);
        let ratio = times[1].as_secs_f64() / times[0].as_secs_f64().max(1e-9);
        pairs.0 += u32::from(ratio < 1.0 - EQUAL);
        pairs.1 += u32::from(ratio > 1.0 + EQUAL);
        if begun.elapsed() > execute.limit * SHARE {
            break;
        }
    }
    for (side, times) in [(&mut sides.without, without), (&mut sides.with, with)] {
        if let (Some(run), Some(time)) = (side.1.executed.as_mut(), median(times)) {
            run.time = time;
        }
    }
    Ok(Ok(pairs))
}

/// One execution with what it read.
async fn counted(
    asker: &mut Asker<'_>,
    (form, side): &mut (Form, Side),
    own: u64,
    limit: Duration,
) -> Result<Result<(), String>, Error> {
    asker.show_invisible(form.shows_invisible).await?;
    let before = handlers(asker.connection).await?;
    let (time, is_capped) = match timed(asker, form, limit).await? {
        Ok(run) => run,
        Err(reason) => return Ok(Err(reason)),
    };
    let after = handlers(asker.connection).await?;
    side.executed = Some(Executed {
        reads: after.saturating_sub(before).saturating_sub(own),
        time,
        is_capped,
    });
    Ok(Ok(()))
}

/// The time of one execution, and whether it was ended at the limit. Its rows are dropped as they
/// come.
async fn timed(
    asker: &mut Asker<'_>,
    form: &Form,
    limit: Duration,
) -> Result<Result<(Duration, bool), String>, Error> {
    // 3024: the time limit.
    const TIME_IS_UP: u16 = 3024;
    asker.show_invisible(form.shows_invisible).await?;
    let sql = marked(&form.sql, limit);
    let started = Instant::now();
    let outcome = asker.connection.run("a query", &sql).await;
    let time = started.elapsed();
    match outcome {
        Ok(()) => Ok(Ok((time, false))),
        Err(error) if error.number() == Some(TIME_IS_UP) => Ok(Ok((time, true))),
        Err(error) if error.is_fatal() => Err(error),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// The statement with a hint that changes nothing but its digest, so that the server does not count
/// these executions as the application's, and with the mark by which mydex knows its own.
fn marked(sql: &str, limit: Duration) -> String {
    let hint = format!("MAX_EXECUTION_TIME({})", limit.as_millis().max(1));
    let hinted = hints::in_every_block(sql, &hint);
    format!("/* mydex:verify */ {}", hinted.as_deref().unwrap_or(sql))
}

/// All of `Handler_read_*` of this session.
async fn handlers(connection: &mut Connection) -> Result<u64, Error> {
    let rows = connection
        .rows(
            "the counters",
            "SHOW SESSION STATUS LIKE 'Handler\\_read\\_%'",
        )
        .await?;
    Ok(rows.iter().filter_map(|row| row.u64(1)).sum())
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
