//! # tui
//! Purpose: the dashboard: messages in, effects and frames out; it never sees a database.
//! Gives: `update(model, message) -> effects` and `view(model, frame)`; the terminal is always restored.
//! Pure files: all but run.rs, terminal.rs
//! May import: model
//! Reading order: model, keys, update, view, terminal, run
