//! # sql
//! Purpose: statement texts by themselves: fingerprints, what may be explained, parameters, splitting.
//! Gives: values about one text; a text that can't be read gives a reason, never a failure of the whole.
//! Pure files: all
//! May import: model
//! Reading order: keywords, token, lexer, fingerprint, explainable, inserted, standin, split

pub mod explainable;
pub mod fingerprint;
pub mod inserted;
mod keywords;
mod lexer;
pub mod split;
pub mod standin;
mod token;
