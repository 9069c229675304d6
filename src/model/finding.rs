//! One thing found about a server, a schema or a workload, and what to do about it.

/// One thing found, shaped after a sentence: what, then the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Stable name in kebab-case, for scripts.
    pub code: &'static str,
    /// What was found, one sentence.
    pub message: String,
    /// The exact fix, often a statement to run; empty where there is nothing to do.
    pub remedy: String,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Something can't be seen or is at risk.
    Warning,
    /// mydex can't do its work.
    Problem,
}
