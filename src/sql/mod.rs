//! # sql
//! Purpose: statement texts by themselves: tokens, fingerprints, what may be explained or run, hints, parameters, splitting.
//! Gives: values about one text; a text that can't be read gives a reason, never a failure of the whole.
//! Pure files: all
//! May import: model
//! Reading order: keywords, words, token, lexer, fingerprint, pieces, explainable, harmless, hints, inserted, standin, split
pub mod explainable;
pub mod fingerprint;
pub mod harmless;
pub mod hints;
pub mod inserted;
mod keywords;
mod lexer;
pub mod pieces;
pub mod split;
pub mod standin;
mod token;
mod words;
