//! What the dashboard is told when it starts, as plain values.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::theme::Palette;
use crate::model::feed::LoadOffer;
use crate::model::probe::Slo;

/// Everything the dashboard can be told.
#[derive(Debug, Clone)]
pub struct TuiConfig {
    /// Shown at the left of the first line until the server has said its name.
    pub title: String,
    /// Steps of a start that takes a while, shown before the first data; the last one is under
    /// way. Each `Feed::Notice` before the first data adds one.
    pub steps: Vec<String>,
    /// Colours.
    pub palette: Palette,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Ask the terminal for mouse reports.
    pub mouse: bool,
    /// Refuse every change to the server.
    pub read_only: bool,
    /// Frames per second at most; a key press is drawn at once in any case.
    pub max_fps: u16,
    /// Key overrides: action in kebab-case to key names.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Zone of the times on the screen.
    pub zone: TimeZone,
    /// Time between fast polls at the start.
    pub interval: Duration,
    /// Service levels that are measured and shown as met or not.
    pub targets: Targets,
    /// The load that view 7 can begin.
    pub offer: Option<Arc<LoadOffer>>,
    /// Receives the microseconds from each key press to the end of its frame, one a line.
    pub frame_trace: Option<std::path::PathBuf>,
}

impl Default for TuiConfig {
    fn default() -> Self {
        Self {
            title: "mydex".to_owned(),
            steps: Vec::new(),
            palette: Palette::Dark,
            ascii: false,
            mouse: true,
            read_only: false,
            max_fps: 20,
            keys: BTreeMap::new(),
            zone: TimeZone::UTC,
            interval: Duration::from_secs(1),
            targets: Targets::default(),
            offer: None,
            frame_trace: None,
        }
    }
}

/// Service levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Targets {
    /// Response time of statements.
    pub response: Slo,
    /// Events a minute to sustain, judged while a load runs.
    pub events_per_minute: u64,
    /// Buffer pool hit ratio to keep, 0 to 1.
    pub hit_ratio: f64,
    /// Share of the time that the server answers, 0 to 1.
    pub availability: f64,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            response: Slo {
                quantile: 0.95,
                limit: Duration::from_millis(100),
            },
            events_per_minute: 10_000,
            hit_ratio: 0.99,
            availability: 0.999,
        }
    }
}
