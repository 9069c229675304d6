//! What a report has cost the server that it is about.

use std::time::Duration;

use crate::model::units;

/// The statements of one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Statements sent.
    pub statements: u64,
    /// Rows received.
    pub rows: u64,
    /// Server time of all of them; the time waited where the server does not tell.
    pub time: Duration,
    /// Processor time on the server, where it counts that.
    pub cpu: Option<Duration>,
}

impl Cost {
    /// The cost in one line.
    #[must_use]
    pub fn sentence(&self) -> String {
        let cpu = self.cpu.map_or_else(String::new, |cpu| {
            format!(", {} of them on its processor", units::duration(cpu))
        });
        format!(
            "{} statements, {} rows, {} of server time{cpu}",
            units::count(self.statements as f64),
            units::count(self.rows as f64),
            units::duration(self.time)
        )
    }
}
