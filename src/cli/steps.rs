//! The steps to a running sandbox, shown while they are taken.

use indicatif::{ProgressBar, ProgressStyle};

use super::message;
use crate::sandbox::Progress;

/// Shows the steps to a running server on standard error: bars on a terminal, lines elsewhere.
#[derive(Debug)]
pub(crate) struct Steps {
    bar: ProgressBar,
    on_terminal: bool,
    said: &'static str,
}

impl Steps {
    /// Nothing is shown before the first step.
    pub(crate) fn new() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            on_terminal: std::io::IsTerminal::is_terminal(&std::io::stderr()),
            said: "",
        }
    }

    /// Shows a step.
    pub(crate) fn show(&mut self, progress: Progress) {
        match progress {
            Progress::Note(note) => self.line(&note),
            Progress::Waiting(work) => {
                self.step("waiting for another process", None);
                self.detail(work);
            }
            Progress::Index => self.step("reading the package index", None),
            Progress::Download { percent } => {
                self.step("downloading MySQL", Some(100));
                self.bar.set_position(whole_percent(percent));
            }
            Progress::Unpack { done, total } => {
                self.step("unpacking", u64::try_from(total).ok());
                self.bar
                    .set_position(u64::try_from(done).unwrap_or(u64::MAX));
            }
            Progress::Initialise => {
                self.step(
                    "making an empty data directory, once for this version",
                    None,
                );
            }
            Progress::Starting { version } => {
                self.step("starting MySQL", None);
                self.detail(&version);
            }
            Progress::Ready { .. } => self.finish(),
        }
    }

    /// Removes what is shown.
    pub(crate) fn finish(&mut self) {
        self.bar.finish_and_clear();
        self.said = "";
    }

    fn line(&mut self, text: &str) {
        self.finish();
        message(text);
    }

    /// Begins a step unless it is the one that is shown.
    fn step(&mut self, what: &'static str, length: Option<u64>) {
        if self.said == what {
            return;
        }
        self.finish();
        self.said = what;
        if !self.on_terminal {
            message(&format!("{what} ..."));
            return;
        }
        self.bar = match length {
            Some(length) => ProgressBar::new(length).with_style(style("{msg} {bar:30} {percent}%")),
            None => ProgressBar::new_spinner().with_style(style("{spinner} {msg} {elapsed}")),
        };
        self.bar.set_message(what);
        self.bar
            .enable_steady_tick(std::time::Duration::from_millis(120));
    }

    fn detail(&self, detail: &str) {
        self.bar.set_message(format!("{}: {detail}", self.said));
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Percent as indicatif counts it.
fn whole_percent(percent: f64) -> u64 {
    (0..=100_u32)
        .rev()
        .find(|step| f64::from(*step) <= percent)
        .map_or(0, u64::from)
}
