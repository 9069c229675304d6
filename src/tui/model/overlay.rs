//! What is open above a view: pages, questions, lines to type in.

use std::sync::Arc;

use tui_input::Input;

use crate::model::advice::Advice;
use crate::model::feed::{IndexChange, KillTarget};
use crate::model::session::SessionId;
use crate::tui::filter::Filter;

/// What a question is about.
#[derive(Debug, Clone)]
pub(in crate::tui) enum Change {
    /// End these on the server.
    Kill(Vec<KillTarget>),
    /// Write the definition of a recommendation, by its place in the advice, to a local file.
    Write(Arc<Advice>, usize),
    /// Change an index on the server.
    Index(IndexChange),
    /// Begin the load that is offered.
    Load,
    /// Drive at these rates, those of what is named.
    Rates(Arc<[f64]>, String),
}

/// A question before something is changed.
#[derive(Debug, Clone)]
pub(in crate::tui) struct Confirm {
    pub(in crate::tui) change: Change,
    /// Exactly what will happen to whom.
    pub(in crate::tui) lines: Vec<String>,
    /// What must be typed, where a single key is not enough.
    pub(in crate::tui) typed: Option<(Input, String)>,
    /// Another text that may be typed instead, and the change that it stands for.
    pub(in crate::tui) or: Option<(String, Change)>,
}

/// What is open above the view, at most one.
#[derive(Debug, Clone)]
pub(in crate::tui) enum Overlay {
    Help { scroll: usize },
    Messages { scroll: usize },
    AdviceNotes { scroll: usize },
    IndexNotes { scroll: usize },
    Session { id: SessionId, scroll: usize },
    Columns { cursor: usize },
    Confirm(Box<Confirm>),
    Palette { input: Input, cursor: usize },
    Filter { input: Input, before: Filter },
}

impl Overlay {
    /// The first line of a page that scrolls.
    pub(in crate::tui) fn scroll_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Help { scroll }
            | Self::Messages { scroll }
            | Self::AdviceNotes { scroll }
            | Self::IndexNotes { scroll }
            | Self::Session { scroll, .. } => Some(scroll),
            Self::Columns { .. }
            | Self::Confirm(_)
            | Self::Palette { .. }
            | Self::Filter { .. } => None,
        }
    }
}
