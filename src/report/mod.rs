//! # report
//! Purpose: a document tree, rendered.
//! Gives: one tree as text, Markdown or JSON; hostile text escaped by the renderer and nowhere else.
//! Pure files: all
//! May import: model
//! Reading order: doc, text, markdown, json

pub mod doc;
pub mod markdown;
pub mod text;
