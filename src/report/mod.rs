//! # report
//! Purpose: a document tree, rendered.
//! Gives: one tree as text, Markdown or HTML; hostile text escaped by the renderer and nowhere else.
//! Pure files: all
//! May import: model
//! Reading order: doc, chart, text, markdown, escape, plot, series, html, checked, junit, sarif, performance

mod chart;
pub mod checked;
pub mod doc;
mod escape;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod performance;
mod plot;
pub mod sarif;
pub mod series;
pub mod text;
