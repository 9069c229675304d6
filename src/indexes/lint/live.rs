//! Rules that a definition breaks on a server: each is judged beside the catalog as the definitions
//! before it leave it.

mod drop;

use std::time::Duration;

use super::{Breach, File, Linter, Live, is_open, selectivity, shape, solo};
use crate::config::mistake::did_you_mean;
use crate::indexes::course::PlannedStep;
use crate::indexes::facets::{columns, is_same_structure};
use crate::indexes::files::Entry;
use crate::indexes::{future, rules, status, ways};
use crate::model::advice::Action;
use crate::model::check::{Found, Rule};
use crate::model::ledger::State;
use crate::model::review::{Fate, Verdict};
use crate::model::schema::{Catalog, Index, KeyPart, Table};
use crate::model::units;
use crate::server::ddl::Algorithm;

/// Secondary indexes of one table at most (error 1069).
const MAX_INDEXES: usize = 64;

/// Checks every definition that is not applied yet.
pub(super) fn check(linter: &mut Linter, live: &Live) {
    let survey = linter.survey;
    let entries = survey.entries.iter();
    let entries: Vec<&Entry> = entries.filter(|entry| live.concerns(entry)).collect();
    let mut now = live.catalog.clone();
    let mut taken = 0_u64;
    for (at, entry) in entries.iter().copied().enumerate() {
        let row = status::row_of(entry, live.ledger, live.default_schema);
        let is_rejected = row.is_some_and(|row| row.state == State::Rejected);
        if is_rejected || !is_open(row) {
            // What it was allowed was judged when it was applied.
            let allowed = entry.terms.allow.iter();
            let rules = allowed.filter_map(|own| rules::of(&own.rule));
            let excused = rules.map(|rule| (entry.version, rule.code));
            linter.excused.extend(excused);
            continue;
        }
        let file = linter.of(entry);
        let judge = Judge {
            file: &file,
            now: &now,
            live,
            later: &entries[at + 1..],
        };
        let found = judge.all(&mut taken);
        linter.take(&file, found);
        future::advance(&mut now, &entry.definition, live.default_schema);
    }
    papers(linter, live);
}

/// The folder against the ledger.
fn papers(linter: &mut Linter, live: &Live) {
    const OWN: [&Rule; 3] = [&rules::EDITED, &rules::OUT_OF_ORDER, &rules::NO_FILE];
    let survey = linter.survey;
    let own = survey.entries.iter().filter(|entry| live.concerns(entry));
    let entries: Vec<Entry> = own.cloned().collect();
    for stand in status::stands(&entries, live.ledger, live.catalog, live.default_schema) {
        let broken = stand.broken.into_iter();
        for one in broken.filter(|one| OWN.contains(&one.rule)) {
            let mut files = survey.entries.iter();
            let entry = files.find(|entry| Some(&entry.file) == stand.state.file.as_ref());
            match entry {
                Some(entry) => {
                    let file = linter.of(entry);
                    let spot = file.places.key("index");
                    let breach = Breach::new(one.rule, spot, one.message, one.remedy);
                    linter.take(&file, vec![breach]);
                }
                None => linter.found.push(Found {
                    rule: one.rule,
                    subject: stand.state.table.to_string(),
                    spot: None,
                    object: Some(format!("{}.{}", stand.state.table, stand.state.index)),
                    message: one.message,
                    remedy: one.remedy,
                }),
            }
        }
    }
}

/// One definition, and the catalog that it meets.
struct Judge<'a> {
    file: &'a File<'a>,
    now: &'a Catalog,
    live: &'a Live<'a>,
    later: &'a [&'a Entry],
}

impl Judge<'_> {
    fn all(&self, taken: &mut u64) -> Vec<Breach> {
        let definition = &self.file.entry.definition;
        let name = definition.table_name(self.live.default_schema);
        let Some(table) = self.now.table(&name.schema, &name.name) else {
            return vec![self.no_table()];
        };
        let mut found = match definition.action {
            Action::Create => self.create(table, taken),
            Action::Drop => self.drop(table),
        };
        for breach in &mut found {
            breach.object = Some(format!("{name}.{}", definition.index.name));
        }
        found
    }

    fn breach(
        &self,
        rule: &'static Rule,
        key: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Breach {
        let spot = self.file.places.key(key);
        Breach::new(rule, spot, message, remedy)
    }

    fn no_table(&self) -> Breach {
        let name = self
            .file
            .entry
            .definition
            .table_name(self.live.default_schema);
        let schema = &name.schema;
        let known = self.now.tables.keys();
        let known = known.filter(|other| other.schema == *schema);
        let remedy = match did_you_mean(&name.name, known.map(|other| other.name.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "correct `table` or `schema`, or name the schema with `--schema`".to_owned(),
        };
        let what = format!("there is no table `{name}`");
        self.breach(&rules::NO_TABLE, "table", what, remedy)
    }

    fn create(&self, table: &Table, taken: &mut u64) -> Vec<Breach> {
        let index = &self.file.entry.definition.index;
        let mut found: Vec<Breach> = self.blocking(table).into_iter().collect();
        if let Some(old) = table.index(&index.name) {
            found.push(self.taken(table, old));
            return found;
        }
        if !table.engine.eq_ignore_ascii_case("InnoDB") {
            found.push(self.breach(
                &rules::ENGINE,
                "table",
                format!("`{}` is of engine `{}`", table.name, table.engine),
                "bring the table to InnoDB first; other engines copy it and lock it",
            ));
        }
        let shapes = shape::check(self.file, table, self.live.experts);
        let fits = shapes.is_empty();
        found.extend(shapes);
        let secondary = table.indexes.iter().filter(|index| !index.is_primary());
        if secondary.count() >= MAX_INDEXES {
            found.push(self.breach(
                &rules::TOO_MANY,
                "table",
                format!("`{}` has {MAX_INDEXES} indexes already", table.name),
                "write a definition before it that drops one; `mydex report index` says which are of no use",
            ));
        }
        if fits {
            found.extend(self.redundancy(table));
            found.extend(self.primary_suffix(table));
            found.extend(self.selectivity(table));
            found.extend(self.disk(table, taken));
        }
        found
    }

    /// What writes wait for, on this table. What a forced copy and another engine are to them is
    /// told by rules of their own.
    fn blocking(&self, table: &Table) -> Option<Breach> {
        let definition = &self.file.entry.definition;
        let mut waits = solo::Waits::of(definition);
        if table.index(&definition.index.name).is_none() {
            let ways = ways::ways(definition, None, table, Duration::ZERO).ok()?;
            let is_own = |step: &&PlannedStep| step.forced_copy.is_none();
            let own: Vec<&PlannedStep> = ways.up.iter().filter(is_own).collect();
            // Without its forced copy it would wait all the same, as on a usual table.
            let locks = own.iter().map(|step| step.mode.lock);
            waits.lock = locks.max().map_or(waits.lock, |lock| lock.max(waits.lock));
            waits.copies |= own
                .iter()
                .any(|step| step.mode.algorithm == Algorithm::Copy);
            waits.takes_column = !table.indexes.iter().any(Index::is_functional);
        }
        let is_innodb = table.engine.eq_ignore_ascii_case("InnoDB");
        solo::blocking(self.file, waits).filter(|_| is_innodb)
    }

    fn taken(&self, table: &Table, old: &Index) -> Breach {
        let index = &self.file.entry.definition.index;
        if is_same_structure(index, old) {
            return self.breach(
                &rules::EXISTS,
                "index",
                format!("`{}` is on `{}` already", old.name, table.name),
                "nothing to do: `mydex index apply --execute` finds it and records it",
            );
        }
        self.breach(
            &rules::NAME_TAKEN,
            "index",
            format!(
                "`{}` has an index `{}` on `{}`",
                table.name,
                old.name,
                columns(&old.parts)
            ),
            "give the new one another name, or write a definition before it that drops the old one",
        )
    }

    /// Whether a later definition drops this index.
    fn goes(&self, table: &Table, name: &str) -> bool {
        self.later.iter().any(|entry| {
            let later = &entry.definition;
            later.action == Action::Drop
                && later.table_name(self.live.default_schema) == table.name
                && later.index.name.eq_ignore_ascii_case(name)
        })
    }

    fn review(&self, catalog: &Catalog, table: &Table) -> Vec<Verdict> {
        let mut verdicts = (self.live.experts.review)(catalog);
        verdicts.retain(|verdict| verdict.table == table.name);
        verdicts
    }

    fn redundancy(&self, table: &Table) -> Vec<Breach> {
        let definition = &self.file.entry.definition;
        let own = &definition.index.name;
        let is_own = |name: &str| name.eq_ignore_ascii_case(own);
        let mut near = future::around(self.now, &table.name);
        let before = self.review(&near, table);
        future::advance(&mut near, definition, self.live.default_schema);
        let mut found = Vec::new();
        for verdict in self.review(&near, table) {
            let name = &verdict.index.name;
            let (rule, other) = match &verdict.fate {
                Fate::Duplicate(other) if is_own(name) => (&rules::DUPLICATE, other),
                Fate::Duplicate(other) if is_own(other) => (&rules::DUPLICATE, name),
                Fate::Redundant(other) if is_own(name) => (&rules::REDUNDANT, other),
                Fate::Redundant(other) if is_own(other) => (&rules::MAKES_REDUNDANT, name),
                _ => continue,
            };
            let was_so = before
                .iter()
                .any(|old| old.index.name == *name && old.fate.is_drop());
            if self.goes(table, other) || (was_so && !is_own(name)) {
                continue;
            }
            let parts = table.index(other).map(|index| columns(&index.parts));
            let parts = parts.unwrap_or_default();
            let (what, remedy) = if *rule == rules::DUPLICATE {
                (
                    format!("`{other}` is the same"),
                    "leave this one out".to_owned(),
                )
            } else if *rule == rules::REDUNDANT {
                (
                    format!("`{other}` does all that it does: `{parts}`"),
                    "leave this one out".to_owned(),
                )
            } else {
                (
                    format!("it does all that `{other}` does: `{parts}`"),
                    format!(
                        "drop that as well: `mydex index new --table {} --drop {other}`",
                        table.name.name
                    ),
                )
            };
            found.push(self.breach(rule, "columns", what, remedy));
        }
        found
    }

    fn primary_suffix(&self, table: &Table) -> Option<Breach> {
        let definition = &self.file.entry.definition;
        let index = &definition.index;
        let primary = &table.primary_key()?.parts;
        if index.is_unique || !table.engine.eq_ignore_ascii_case("InnoDB") {
            return None;
        }
        if primary.starts_with(&index.parts) && !solo::is_proven(definition) {
            return Some(self.breach(
                &rules::PRIMARY_SUFFIX,
                "columns",
                "the primary key begins with the same columns",
                "leave this one out, unless queries read nothing but these columns",
            ));
        }
        let whole = extended(&index.parts, primary);
        let shorter = (1..index.parts.len())
            .map(|length| &index.parts[..length])
            .find(|parts| extended(parts, primary) == whole)?;
        Some(self.breach(
            &rules::PRIMARY_SUFFIX,
            "columns",
            format!(
                "`{}` is the end of the primary key, which the engine appends by itself",
                columns(&index.parts[shorter.len()..])
            ),
            format!("write `{}` alone", columns(shorter)),
        ))
    }

    fn selectivity(&self, table: &Table) -> Option<Breach> {
        let definition = &self.file.entry.definition;
        if solo::is_proven(definition) {
            return None;
        }
        let index = &definition.index;
        let keys = selectivity::low(table, index, self.live.experts)?;
        Some(self.breach(
            &rules::LOW_SELECTIVITY,
            "columns",
            format!(
                "about {keys} different keys for {} rows: one finds {} of them",
                table.rows,
                table.rows / keys.max(1)
            ),
            "begin with a column of more values, or let `mydex advise` prove that it pays",
        ))
    }

    /// Building takes the index, and as much again for sorting its entries.
    fn disk(&self, table: &Table, taken: &mut u64) -> Option<Breach> {
        let free = self.live.disk_free?;
        let index = &self.file.entry.definition.index;
        let (bytes, _) = (self.live.experts.size)(table, index);
        let before = *taken;
        *taken = taken.saturating_add(bytes);
        let needed = before.saturating_add(bytes.saturating_mul(2));
        (needed > free).then(|| {
            self.breach(
                &rules::DISK,
                "table",
                format!(
                    "building it takes about {} (the index twice, since its entries are sorted on disk, \
                     and the indexes before it), and {} are free",
                    units::bytes(needed),
                    units::bytes(free)
                ),
                "make room, or point `innodb_tmpdir` to another disk and give its room with `--disk-free`",
            )
        })
    }
}

/// The parts with those of the primary key that they lack.
fn extended(parts: &[KeyPart], primary: &[KeyPart]) -> Vec<KeyPart> {
    let mut all = parts.to_vec();
    for part in primary {
        if !all
            .iter()
            .any(|own| own.what == part.what && own.prefix.is_none())
        {
            all.push(part.clone());
        }
    }
    all
}
