//! `mydex advise`: what was found, as a document, as JSON, and as definitions.

pub mod definitions;
pub mod json;
pub mod text;
