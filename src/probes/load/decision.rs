//! What to do about the data of a pack, from what is in the schema already.

use std::fmt;
use std::sync::Arc;

use super::segment::Segment;
use super::{LoadError, LoadPlan};
use crate::probes::pack::Pack;

/// Which data it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// Name of the pack.
    pub pack: Arc<str>,
    /// Version of the pack.
    pub version: u32,
    /// Seed.
    pub seed: u64,
    /// Scale.
    pub scale: f64,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            seed,
            scale,
            ..
        } = self;
        write!(f, "version {version}, seed {seed}, scale {scale}")
    }
}

/// A row of the progress table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressRow {
    /// Name of the pack.
    pub pack: String,
    /// Name of the table.
    pub table: String,
    /// Number, first, next and end row.
    pub range: (u32, u64, u64, u64),
}

/// What is in the schema.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Live {
    /// Tables, without those of mydex itself.
    pub tables: Vec<String>,
    /// The pack's data and whether it is complete.
    pub entry: Option<(Identity, bool)>,
    /// Progress of all packs.
    pub progress: Vec<ProgressRow>,
}

/// What has to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing.
    Complete,
    /// Go on.
    Resume(Vec<Segment>),
    /// Begin.
    Fresh,
    /// Drop these tables and begin.
    Replace(Vec<String>),
}

/// Decides from what is there; pure.
pub fn decide(
    live: &Live,
    wanted: &Identity,
    plan: &LoadPlan,
    pack: &Pack,
) -> Result<Decision, LoadError> {
    let is_made = |name: &str, by: Option<&str>| {
        live.progress
            .iter()
            .any(|row| row.table == name && by.is_none_or(|pack| row.pack == pack))
    };
    let is_live = |name: &str| live.tables.iter().any(|table| table == name);
    let occupied: Vec<&str> = pack
        .tables
        .iter()
        .map(|table| &*table.name)
        .filter(|name| is_live(name) && !is_made(name, Some(&*pack.name)))
        .collect();
    if !occupied.is_empty() {
        return Err(LoadError::Occupied {
            database: plan.database.clone(),
            tables: listed(&occupied),
        });
    }
    let Some((found, is_complete)) = &live.entry else {
        let foreign: Vec<&str> = live
            .tables
            .iter()
            .map(String::as_str)
            .filter(|name| !is_made(name, None))
            .collect();
        if foreign.is_empty() || plan.beside_others {
            return Ok(Decision::Fresh);
        }
        return Err(LoadError::Foreign {
            database: plan.database.clone(),
            tables: listed(&foreign),
        });
    };
    let own = live.progress.iter().filter(|row| row.pack == *pack.name);
    if plan.force {
        let mut tables: Vec<String> = own.map(|row| row.table.clone()).collect();
        tables.dedup();
        return Ok(Decision::Replace(tables));
    }
    let segments: Vec<Segment> = own.filter_map(|row| segment(row, pack)).collect();
    // A table with rows in the ledger that is gone was dropped by someone else.
    let gone = segments.iter().find(|segment| {
        let begun = *is_complete || segment.next > segment.first;
        begun && !is_live(&pack.tables[segment.table].name)
    });
    if found != wanted || gone.is_some() {
        let loss = gone.map_or(String::new(), |segment| {
            format!(
                ", whose table `{}` is gone",
                pack.tables[segment.table].name
            )
        });
        return Err(LoadError::Different {
            database: plan.database.clone(),
            pack: pack.name.to_string(),
            found: format!("{found}{loss}"),
            wanted: wanted.to_string(),
        });
    }
    Ok(if *is_complete {
        Decision::Complete
    } else {
        Decision::Resume(segments)
    })
}

fn segment(row: &ProgressRow, pack: &Pack) -> Option<Segment> {
    let (index, first, next, end) = row.range;
    Some(Segment {
        table: pack.table(&row.table)?,
        index,
        first,
        next,
        end,
    })
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(3)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
