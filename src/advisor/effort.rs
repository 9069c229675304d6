//! What the advisor has cost the server that the advice is for.

use std::time::Duration;

use crate::model::units::from_picoseconds;
use crate::server::Connection;
use crate::server::cells::Cells as _;

/// The cost of one connection's statements.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TargetCost {
    /// Statements sent.
    pub statements: u64,
    /// Rows received.
    pub rows: u64,
    /// Server time of all of them; the time waited where the server does not tell.
    pub time: Duration,
    /// The longest of them; zero where the server does not tell.
    pub longest: Duration,
}

/// Reads what `connection` has cost so far: from the server's own count of this session where it
/// may be read, else from the time that was waited for its answers. It never fails: a server that
/// ended the idle connection meanwhile takes nothing from what was found.
pub async fn target_cost(connection: &mut Connection) -> TargetCost {
    let meter = connection.meter().read();
    let mut cost = TargetCost {
        statements: meter.statements,
        rows: meter.rows,
        time: meter.waited,
        longest: Duration::ZERO,
    };
    let Some(thread) = connection.thread() else {
        return cost;
    };
    // The statement names one thread, so that the server visits one thread's rows.
    let sql = format!(
        "SELECT /* mydex:cost */ SUM(SUM_TIMER_WAIT), MAX(MAX_TIMER_WAIT) \
         FROM performance_schema.events_statements_summary_by_thread_by_event_name \
         WHERE THREAD_ID = {thread}"
    );
    if let Ok(Some(row)) = connection.first("the cost of this session", &sql).await
        && let (Some(total), Some(longest)) = (row.u64(0), row.u64(1))
    {
        cost.time = from_picoseconds(total);
        cost.longest = from_picoseconds(longest);
    }
    cost
}
