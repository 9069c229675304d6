//! Rules for definitions: of the files alone, and beside the catalog of a server.

mod live;
mod selectivity;
mod shape;
mod solo;

use std::time::Duration;

use super::files::{self, Entry};
use super::folder::Survey;
use super::ledger::Row;
use super::place::Places;
use super::status::is_in_force;
use super::{rules, status};
use crate::config::mistake::{Mistake, Place};
use crate::model::check::{Checked, Found, Rule, Spot};
use crate::model::finding::Severity;
use crate::model::ledger::State;
use crate::model::review::Verdict;
use crate::model::schema::{Catalog, Index, KeyPart, Table};

/// A server to lint against.
pub struct Live<'a> {
    /// Its tables.
    pub catalog: &'a Catalog,
    /// What the ledgers of the schemas say.
    pub ledger: &'a [Row],
    /// Schema of definitions that name none.
    pub default_schema: &'a str,
    /// The active profile: definitions of others are checked by themselves alone.
    pub profile: &'a str,
    /// Free bytes on the disk of the server's data; `None` where that can't be seen.
    pub disk_free: Option<u64>,
    /// Those who know more about indexes.
    pub experts: &'a Experts<'a>,
}

impl Live<'_> {
    /// Whether the definition is for this server: by its profiles, or because it is applied there.
    fn concerns(&self, entry: &Entry) -> bool {
        let row = status::row_of(entry, self.ledger, self.default_schema);
        entry.is_for(self.profile) || row.is_some()
    }

    /// Whether the definition is still to be carried out here, on a table that is there.
    fn judges(&self, entry: &Entry) -> bool {
        let row = status::row_of(entry, self.ledger, self.default_schema);
        let is_rejected = row.is_some_and(|row| row.state == State::Rejected);
        let name = entry.definition.table_name(self.default_schema);
        let table = self.catalog.table(&name.schema, &name.name);
        self.concerns(entry) && is_open(row) && !is_rejected && table.is_some()
    }
}

/// What only the index advisor knows.
pub struct Experts<'a> {
    /// A verdict for each secondary index of a catalog.
    pub review: &'a dyn Fn(&Catalog) -> Vec<Verdict>,
    /// Estimated bytes of an index and the time to build it.
    pub size: &'a dyn Fn(&Table, &Index) -> (u64, Duration),
    /// Bytes that a part takes of the key's limit.
    pub key_bytes: &'a dyn Fn(&Table, &KeyPart) -> u64,
    /// Bytes that a key may have: of the whole key, and of one part.
    pub key_limits: &'a dyn Fn(&Table) -> (u64, u64),
    /// Distinct values of a column at most, where anything is known of them.
    pub distinct: &'a dyn Fn(&Table, &str) -> Option<u64>,
}

/// Checks a folder, alone or against a server: everything at once, file by file.
#[must_use]
pub fn lint(survey: &Survey, live: Option<&Live>) -> Checked {
    let mut linter = Linter {
        survey,
        found: Vec::new(),
        excused: Vec::new(),
    };
    for mistake in &survey.mistakes {
        linter.mistake(mistake);
    }
    linter.gaps();
    for (at, entry) in survey.entries.iter().enumerate() {
        let file = linter.of(entry);
        let is_table_known = live.is_some_and(|live| live.judges(entry));
        let found = solo::check(&file, &survey.entries[..at], is_table_known);
        linter.take(&file, found);
    }
    if let Some(live) = live {
        live::check(&mut linter, live);
    } else {
        for (at, entry) in survey.entries.iter().enumerate() {
            let file = linter.of(entry);
            let found = solo::redundant(&file, &survey.entries[..at]);
            linter.take(&file, found);
        }
    }
    linter.useless_allows(live);
    let mut found = linter.found;
    found.sort_by(|one, other| {
        let place = |found: &Found| {
            let spot = found.spot.as_ref();
            (found.subject.clone(), spot.map(|at| (at.line, at.column)))
        };
        place(one)
            .cmp(&place(other))
            .then(one.rule.code.cmp(other.rule.code))
    });
    Checked {
        name: "index lint".to_owned(),
        rules: if live.is_some() {
            rules::ALL.to_vec()
        } else {
            rules::OF_FILES.to_vec()
        },
        subjects: survey
            .files
            .iter()
            .map(|(file, _)| files::path_of(&survey.folder, file))
            .collect(),
        found,
        notes: Vec::new(),
    }
}

/// A definition in its file.
struct File<'a> {
    entry: &'a Entry,
    path: String,
    places: Places,
}

/// A breach before it is known whether it is allowed.
struct Breach {
    rule: &'static Rule,
    spot: Spot,
    object: Option<String>,
    message: String,
    remedy: String,
}

impl Breach {
    fn new(
        rule: &'static Rule,
        spot: Spot,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            spot,
            object: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

struct Linter<'a> {
    survey: &'a Survey,
    found: Vec<Found>,
    /// Version and code of everything that was allowed and happened.
    excused: Vec<(u32, &'static str)>,
}

impl<'a> Linter<'a> {
    fn of(&self, entry: &'a Entry) -> File<'a> {
        let path = files::path_of(&self.survey.folder, &entry.file);
        let text = self
            .survey
            .files
            .iter()
            .find(|(file, _)| *file == entry.file)
            .and_then(|(_, text)| text.as_deref());
        File {
            places: Places::new(path.clone(), text.unwrap_or_default()),
            entry,
            path,
        }
    }

    /// Takes what was found in a file, but for what its definition allows. A problem is never
    /// allowed: the server would refuse, or something would break.
    fn take(&mut self, file: &File<'_>, found: Vec<Breach>) {
        for breach in found {
            let names = |rule: &str| rule == breach.rule.code || rule == breach.rule.name;
            let is_allowed = file.entry.terms.allow.iter().any(|own| names(&own.rule));
            if is_allowed && breach.rule.severity < Severity::Problem {
                self.excused.push((file.entry.version, breach.rule.code));
                continue;
            }
            self.found.push(Found {
                rule: breach.rule,
                subject: file.path.clone(),
                spot: Some(breach.spot),
                object: breach.object,
                message: breach.message,
                remedy: breach.remedy,
            });
        }
    }

    /// What the parser found.
    fn mistake(&mut self, mistake: &Mistake) {
        let rule = match mistake.key.as_str() {
            files::NAME => &rules::FILE_NAME,
            files::NUMBER => &rules::NUMBER_TAKEN,
            _ => &rules::UNREADABLE,
        };
        let Place::File { file, line, column } = &mistake.place else {
            return;
        };
        self.found.push(Found {
            rule,
            subject: file.clone(),
            spot: Some(Spot {
                file: file.clone(),
                line: *line,
                column: *column,
            }),
            object: None,
            message: mistake.problem.clone(),
            remedy: mistake.remedy.clone(),
        });
    }

    fn gaps(&mut self) {
        let mut last = 0;
        for entry in &self.survey.entries {
            let missing = last + 1;
            if entry.version > missing {
                let file = self.of(entry);
                let what = if entry.version == missing + 1 {
                    format!("there is no number {missing}")
                } else {
                    format!("there are no numbers {missing} to {}", entry.version - 1)
                };
                let spot = file.places.key("");
                let remedy = "nothing to do, unless a file was lost";
                let breach = Breach::new(&rules::GAP, spot, what, remedy);
                self.take(&file, vec![breach]);
            }
            last = entry.version;
        }
    }

    /// What is allowed without need. Without a server the rules that need one are not judged.
    fn useless_allows(&mut self, live: Option<&Live>) {
        for entry in &self.survey.entries {
            let is_elsewhere = live.is_some_and(|live| !live.concerns(entry));
            for (at, allowed) in entry.terms.allow.iter().enumerate() {
                let file = self.of(entry);
                let (what, remedy) = match rules::of(&allowed.rule) {
                    None => (
                        format!("`allow` names `{}`, which is no rule", allowed.rule),
                        "docs/indexes.md lists the rules",
                    ),
                    Some(rule) if rule.severity >= Severity::Problem => (
                        format!("`allow` names `{}`, which can't be allowed", allowed.rule),
                        "correct the definition instead",
                    ),
                    Some(rule) => {
                        let is_judged =
                            !is_elsewhere && (live.is_some() || rules::OF_FILES.contains(&rule));
                        let is_used = self.excused.contains(&(entry.version, rule.code));
                        if is_used || !is_judged {
                            continue;
                        }
                        (
                            format!("`{}` is allowed, and not broken", allowed.rule),
                            "leave it out of `allow`",
                        )
                    }
                };
                let spot = file.places.item("allow", at);
                let breach = Breach::new(&rules::USELESS_ALLOW, spot, what, remedy);
                self.take(&file, vec![breach]);
            }
        }
    }
}

/// Whether the definition still is to be carried out.
fn is_open(row: Option<&Row>) -> bool {
    row.is_none_or(|row| !is_in_force(row.state) && row.state != State::Unfinished)
}

#[cfg(test)]
mod tests;
