//! A table: its columns, its order, its filter, the selected row.

use std::collections::BTreeSet;

use super::RowKey;
use crate::tui::columns::Col;
use crate::tui::filter::Filter;

/// What is shown of a table, and how.
#[derive(Debug, Clone)]
pub(in crate::tui) struct ListState {
    pub(in crate::tui) columns: &'static [Col],
    pub(in crate::tui) hidden: BTreeSet<Col>,
    pub(in crate::tui) sort: Col,
    pub(in crate::tui) descending: bool,
    pub(in crate::tui) filter: Filter,
    pub(in crate::tui) selected: Option<RowKey>,
    /// Where the selected row was last seen.
    pub(in crate::tui) position: usize,
    pub(in crate::tui) follow: bool,
    pub(in crate::tui) wrap: bool,
}

impl ListState {
    pub(super) fn new(columns: &'static [Col], sort: Col) -> Self {
        Self {
            columns,
            hidden: BTreeSet::new(),
            sort,
            descending: true,
            filter: Filter::default(),
            selected: None,
            position: 0,
            follow: false,
            wrap: true,
        }
    }

    /// Columns that the user has not hidden.
    pub(in crate::tui) fn visible(&self) -> Vec<Col> {
        self.columns
            .iter()
            .copied()
            .filter(|col| !self.hidden.contains(col))
            .collect()
    }
    /// Whether the statement of the selected row has a pane of its own.
    pub(in crate::tui) fn wrap_pane(&self, body: ratatui::layout::Rect) -> bool {
        self.wrap && body.height >= 14
    }
}
