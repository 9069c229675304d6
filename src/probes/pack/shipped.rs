//! The packs inside the binary.

use super::read::Files;

type PackFiles = (&'static str, &'static [(&'static str, &'static str)]);

macro_rules! pack {
    ($name:literal: $($file:literal),* $(,)?) => {
        ($name, &[$(
            ($file, include_str!(concat!("../../../probes/", $name, "/", $file)))
        ),*])
    };
}

const PACKS: &[PackFiles] = &[pack!(
    "cmdb": "pack.toml", "schema.sql", "data.toml",
    "probes/attachments.toml", "probes/dashboards.toml", "probes/inventory.toml",
    "probes/lookups.toml", "probes/search.toml", "probes/sync.toml",
)];

/// Names of the packs inside the binary.
#[must_use]
pub fn names() -> Vec<&'static str> {
    PACKS.iter().map(|(name, _)| *name).collect()
}

/// The files of a pack inside the binary.
#[must_use]
pub fn files(name: &str) -> Option<Files> {
    let (_, files) = PACKS.iter().find(|(pack, _)| *pack == name)?;
    Some(Files {
        files: files
            .iter()
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
            .collect(),
    })
}
