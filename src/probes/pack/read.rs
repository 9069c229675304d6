//! A pack's files made into a checked pack; all mistakes of all files at once.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use super::fields::{Fields, Log, Mistake};
use super::{Pack, Table, read_data, read_probe, schema};

/// The text of a pack's files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// Relative name and content, in any order.
    pub files: Vec<(String, String)>,
}

impl Files {
    fn get(&self, name: &str) -> Option<(&str, &str)> {
        self.files
            .iter()
            .find(|(file, _)| file == name)
            .map(|(file, text)| (file.as_str(), text.as_str()))
    }

    fn probes(&self) -> Vec<(&str, &str)> {
        let mut probes: Vec<_> = self
            .files
            .iter()
            .filter(|(file, _)| file.starts_with("probes/"))
            .map(|(file, text)| (file.as_str(), text.as_str()))
            .collect();
        probes.sort_unstable();
        probes
    }
}

/// Everything that is wrong with a pack, in the order of its files and lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} mistake{plural}")?;
        self.0
            .iter()
            .try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for Mistakes {}

/// Reads and checks a pack.
pub fn read(files: &Files) -> Result<Pack, Mistakes> {
    let noted = RefCell::new(Vec::new());
    let pack = read_all(files, &noted);
    let mut mistakes = noted.into_inner();
    mistakes.sort();
    mistakes.dedup();
    match pack {
        Some(pack) if mistakes.is_empty() => Ok(pack),
        _ => Err(Mistakes(mistakes)),
    }
}

fn read_all(files: &Files, noted: &RefCell<Vec<Mistake>>) -> Option<Pack> {
    let open = |name: &'static str| {
        let found = files.get(name);
        if found.is_none() {
            Log::new(name, "", noted).at(0, "the file is missing");
        }
        found.map(|(file, text)| Log::new(file, text, noted))
    };
    let header = open("pack.toml").and_then(|log| header(&log));
    let mut tables = open("schema.sql")
        .map(|log| schema::read(&log))
        .unwrap_or_default();
    let now = open("data.toml").and_then(|log| read_data::read(&log, &mut tables));
    let probes = read_probes(files, &tables, noted);
    let (name, description, version) = header?;
    Some(Pack {
        name,
        description,
        version,
        now: now?,
        tables,
        probes,
    })
}

fn header(log: &Log<'_>) -> Option<(Arc<str>, String, u32)> {
    let document = log.document();
    let mut fields = Fields::new(log, "pack", document.get_ref(), 0);
    let name = fields.need_text("name").filter(|name| {
        let is_good = !name.is_empty()
            && name.len() <= 40
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !is_good {
            fields.wrong(
                "name",
                format_args!("`{name}` must be up to 40 of `a` to `z`, `0` to `9` and `_`"),
            );
        }
        is_good
    });
    let description = fields.need_text("description");
    fields.need("version");
    let version = fields.count("version", 1, u32::MAX);
    fields.finish();
    Some((name?.into(), description?.to_owned(), version?))
}

fn read_probes(
    files: &Files,
    tables: &[Table],
    noted: &RefCell<Vec<Mistake>>,
) -> Vec<super::Probe> {
    let found = files.probes();
    if found.is_empty() {
        Log::new("probes/", "", noted).at(0, "there is no probe file");
    }
    let mut probes: Vec<super::Probe> = Vec::new();
    for (file, text) in found {
        let log = Log::new(file, text, noted);
        for (offset, probe) in read_probe::read(&log, tables) {
            if probes.iter().any(|other| other.name == probe.name) {
                log.at(offset, format!("a second probe is named `{}`", probe.name));
            } else {
                probes.push(probe);
            }
        }
    }
    probes
}
