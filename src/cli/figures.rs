//! The figures of one interval as a document and as JSON: what `top --once` and the summary of
//! `demo` print, and the same that the dashboard shows.

mod json;
mod text;

pub(super) use json::{DigestsJson, IntervalJson, ServerJson};
pub(super) use text::{digests_table, interval_facts, server_facts};

/// Digests that are printed at most.
const MAX_DIGESTS: usize = 20;
