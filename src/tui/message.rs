//! What comes in and what goes out.

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;

use super::columns::Col;
use super::model::View;
use crate::model::feed::{Feed, Request};

/// Everything that can happen to the dashboard.
#[derive(Debug, Clone)]
pub(super) enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// Something on the screen was clicked.
    Click(Target),
    /// The wheel was turned by this many rows, down is positive.
    Wheel(i32),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// News of the server or the load.
    Feed(Box<Feed>),
    /// Time passed: the wall clock, and the time since the start by the monotonic clock.
    Tick {
        /// Wall clock.
        now: Timestamp,
        /// Since the start.
        elapsed: Duration,
    },
    /// The collectors could not take this request.
    Refused(Request),
    /// The text that scrolls was drawn from this line on; less than was asked for at its end.
    Settled(usize),
}

/// What the loop has to do; the model itself does nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// Pass a request to the collectors.
    Request(Request),
    /// Put text on the clipboard through the terminal.
    Copy(String),
    /// Leave.
    Quit,
    /// Stop the process as the shell's job control does.
    Suspend,
}

/// Something on the screen that can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A tab.
    Tab(View),
    /// A row of the list in view.
    Row(usize),
    /// A column's heading.
    Header(Col),
    /// An entry of an open list (palette, columns).
    Entry(usize),
}
