//! # report
//! Purpose: a document tree, rendered.
//! Gives: one tree as text, Markdown or HTML; hostile text escaped by the renderer and nowhere else.
//! Pure files: all
//! May import: model
//! Reading order: doc, diagram, chart, text, markdown, escape, plot, html, words, cost, index, schema

mod chart;
pub mod cost;
pub mod diagram;
pub mod doc;
mod escape;
pub mod html;
pub mod index;
pub mod markdown;
mod plot;
pub mod schema;
pub mod text;
pub mod words;
