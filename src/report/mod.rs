//! # report
//! Purpose: a document tree, rendered.
//! Gives: one tree as text, Markdown or HTML; hostile text escaped by the renderer and nowhere else.
//! Pure files: all
//! May import: model
//! Reading order: doc, chart, text, markdown, escape, plot, series, html, performance

mod chart;
pub mod doc;
mod escape;
pub mod html;
pub mod markdown;
pub mod performance;
mod plot;
pub mod series;
pub mod text;
