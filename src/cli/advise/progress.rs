//! Progress of the advisor on standard error.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::advisor::advise::Step;
use crate::cli::message;

/// Shows the steps: one changing line on a terminal, one line for each step elsewhere.
#[derive(Debug)]
pub(super) struct Shown {
    bar: ProgressBar,
    on_terminal: bool,
    said: String,
}

impl Shown {
    /// Nothing is shown before the first step.
    pub(super) fn new() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            on_terminal: std::io::stderr().is_terminal(),
            said: String::new(),
        }
    }

    /// Shows a step.
    pub(super) fn show(&mut self, step: &Step) {
        if !self.on_terminal {
            if step.what != self.said {
                message(&format!("{} ...", step.what));
                self.said.clone_from(&step.what);
            }
            return;
        }
        if self.bar.is_hidden() {
            self.bar = ProgressBar::new_spinner().with_style(
                ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            self.bar.enable_steady_tick(Duration::from_millis(120));
        }
        let share = step
            .share
            .map(|share| format!(" {:.0} %", share.clamp(0.0, 1.0) * 100.0))
            .unwrap_or_default();
        self.bar.set_message(format!("{}{share}", step.what));
    }

    /// Removes what is shown.
    pub(super) fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.finish();
    }
}
