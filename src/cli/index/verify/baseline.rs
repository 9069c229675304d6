//! Figures from before a change in a file, where no ledger kept them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::cli::error::Error;
use crate::cli::message;
use crate::indexes::verify::before::Counts;

/// The file: counts by the number of the definition.
#[derive(Debug, Serialize, Deserialize)]
struct Baseline {
    mydex_counts: BTreeMap<u32, Counts>,
}

/// Writes the counts; a file that is there is replaced whole.
pub(super) fn write(path: &Path, subjects: &[Subject], counts: &[Counts]) -> Result<(), Error> {
    let numbers = subjects.iter().map(|subject| subject.entry.version);
    let all = Baseline {
        mydex_counts: numbers.zip(counts.iter().cloned()).collect(),
    };
    let unwritten =
        |reason: String| Error::new(format!("cannot write `{}`: {reason}", path.display()));
    let mut json =
        serde_json::to_string_pretty(&all).map_err(|error| unwritten(error.to_string()))?;
    json.push('\n');
    std::fs::write(path, json).map_err(|error| unwritten(error.to_string()))?;
    message(&format!(
        "figures of {} definitions are in `{}`; compare with them later: `mydex index verify \
         --baseline {}`",
        all.mydex_counts.len(),
        path.display(),
        path.display()
    ));
    Ok(())
}

/// The counts of these definitions; `None` for those that the file does not know.
pub(super) fn read(path: &Path, subjects: &[Subject]) -> Result<Vec<Option<Counts>>, Error> {
    let unread = |reason: String| {
        Error::new(format!("cannot read `{}`: {reason}", path.display()))
            .hint("`mydex index verify --record FILE` writes such a file")
    };
    let text = std::fs::read_to_string(path).map_err(|error| unread(error.to_string()))?;
    let all: Baseline = serde_json::from_str(&text).map_err(|error| unread(error.to_string()))?;
    Ok(subjects
        .iter()
        .map(|subject| all.mydex_counts.get(&subject.entry.version).cloned())
        .collect())
}
