//! # tui
//! Purpose: the dashboard: messages in, effects and frames out; it never sees a database.
//! Gives: `update(model, message) -> effects` and `view(model, frame)`; the terminal is always restored.
//! Pure files: all but run.rs, terminal.rs, tests/
//! May import: model
//! Reading order: settings, theme, keys, history, filter, columns, model, message, update, paint, view, terminal, run

mod columns;
mod filter;
mod history;
pub mod keys;
mod message;
mod model;
mod paint;
pub mod run;
pub mod settings;
pub mod terminal;
pub mod theme;
mod update;
mod view;

#[cfg(test)]
mod tests;
