//! # report
//! Purpose: a document tree, rendered.
//! Gives: one tree as text, Markdown or HTML; hostile text escaped by the renderer and nowhere else.
//! Pure files: all
//! May import: model
//! Reading order: doc, diagram, chart, text, markdown, escape, plot, series, html, checked, junit, sarif, annotations, words, cost, index, schema, performance

pub mod annotations;
mod chart;
pub mod checked;
pub mod cost;
pub mod diagram;
pub mod doc;
mod escape;
pub mod html;
pub mod index;
pub mod junit;
pub mod markdown;
pub mod performance;
mod plot;
pub mod sarif;
pub mod schema;
pub mod series;
pub mod text;
pub mod words;
