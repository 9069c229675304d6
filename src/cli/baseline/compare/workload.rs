//! What is run on both sides: the probes of a pack, or the statements of a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::baseline::record::Work;
use crate::baseline::recorded;
use crate::cli::error::Error;
use crate::cli::probe;
use crate::model::text;
use crate::probes::pack::{Kind, Pack, fields};
use crate::probes::params::Params;
use crate::server::connect::{options, place};
use crate::sql::explainable::explainable;
use crate::sql::harmless;
use crate::sql::split::split;
use crate::sql::standin::Parametrized;

use super::Turns;
use super::sides::Ground;

/// A file of statements is text for people; a larger one is none.
const MAX_BYTES: u64 = 16 << 20;

/// What `NOW()` says to the statements of a file: the same on every day, microseconds since 1970.
const NOW: i64 = 1_767_225_600_000_000;

/// Where the operations come from.
pub(in crate::cli::baseline) enum Source {
    /// A pack.
    Pack(Arc<Pack>),
    /// A file of SQL statements.
    File(PathBuf),
}

/// A pack by its name or folder, or a file of statements.
pub(in crate::cli::baseline) fn open(name: &str) -> Result<Source, Error> {
    let path = Path::new(name);
    if path.is_file() {
        return Ok(Source::File(path.to_owned()));
    }
    probe::pack(name)
        .map(|pack| Source::Pack(Arc::new(pack)))
        .map_err(|error| error.or_hint("a file of SQL statements is given as its path"))
}

/// The statements of an operation, by its number.
type Statements = Arc<dyn Fn(u64) -> Vec<String> + Send + Sync>;

/// One probe.
pub(super) struct Task {
    pub(super) name: Arc<str>,
    transaction: bool,
    statements: Statements,
}

/// What is run on both sides.
pub(in crate::cli::baseline) struct Workload {
    /// The pack's name, or the file.
    pub(in crate::cli::baseline) name: String,
    /// `pack` or `sql`.
    pub(in crate::cli::baseline) kind: &'static str,
    pub(super) tasks: Vec<Task>,
    /// Probes that are not run, with the reason.
    pub(super) left_out: Vec<(String, String)>,
    /// Tables whose data have to be the same on both sides.
    pub(super) tables: Vec<String>,
    pub(super) now: i64,
    pub(in crate::cli::baseline) operations: u64,
    /// What is loaded on each side.
    pub(super) loaded: [recorded::Workload; 2],
}

impl Workload {
    /// The work of a side.
    pub(super) fn work(&self, ground: &Ground, side: usize) -> Vec<Work> {
        self.tasks
            .iter()
            .map(|task| {
                let (statements, hidden) = (Arc::clone(&task.statements), ground.hidden.clone());
                Work {
                    name: Arc::clone(&task.name),
                    transaction: task.transaction,
                    statements: Box::new(move |number| {
                        let dress = |sql: String| match &hidden {
                            Some(hidden) => hidden.dressed(side, &sql),
                            None => sql,
                        };
                        statements(number).into_iter().map(dress).collect()
                    }),
                }
            })
            .collect()
    }
}

/// The workload on this ground.
pub(in crate::cli::baseline) async fn of(
    source: &Source,
    ground: &Ground,
    turns: &Turns,
) -> Result<Workload, Error> {
    let mut workload = match source {
        Source::Pack(pack) => of_pack(pack, ground, turns).await?,
        Source::File(path) => of_file(path, ground, turns)?,
    };
    if !turns.probes.is_empty() {
        let names = || workload.tasks.iter().map(|task| &*task.name);
        for name in &turns.probes {
            let is_known = names().any(|known| known == name)
                || workload.left_out.iter().any(|(known, _)| known == name);
            if !is_known {
                let meant = fields::suggestion(name, names());
                let name = text::inline(name);
                return Err(Error::new(format!(
                    "no probe `{name}` in `{}`{meant}",
                    workload.name
                )));
            }
        }
        let is_wanted = |name: &str| turns.probes.iter().any(|wanted| wanted == name);
        workload.left_out.retain(|(name, _)| is_wanted(name));
        workload.tasks.retain(|task| is_wanted(&task.name));
    }
    if workload.tasks.is_empty() {
        let why = workload.left_out.first();
        let why = why.map_or_else(String::new, |(name, why)| format!(": `{name}`: {why}"));
        return Err(Error::new(format!("there is nothing to run{why}"))
            .hint("`--writes` runs what writes as well, and rolls it back"));
    }
    let read_only = ground.sides.iter().find(|side| side.server.read_only);
    if let (true, Some(side)) = (turns.writes, read_only) {
        return Err(
            Error::new(format!("server `{}` is read-only", side.server.name))
                .hint("leave `--writes` out, or set `read_only = false`"),
        );
    }
    Ok(workload)
}

async fn of_pack(pack: &Arc<Pack>, ground: &Ground, turns: &Turns) -> Result<Workload, Error> {
    let mut worlds = Vec::new();
    let mut loaded = Vec::new();
    for side in &ground.sides {
        let options = options(&side.server);
        let place = place(&side.server);
        worlds.push(probe::run::world(&options, &side.schema, pack, &place).await?);
        let found = crate::probes::workload::loaded(&options, &side.schema, pack).await;
        let found = found.map_err(|error| Error::from_chain(&error))?;
        let (data_seed, scale) = found.map_or((0, 0.0), |found| (found.seed, found.scale));
        loaded.push(recorded::Workload {
            pack: pack.name.to_string(),
            version: pack.version,
            data_seed,
            scale,
            seed: turns.seed,
            operations: turns.operations,
        });
    }
    let [one, other] = <[recorded::Workload; 2]>::try_from(loaded).unwrap_or_default();
    let world = Arc::new(worlds.swap_remove(0));
    let mut workload = Workload {
        name: pack.name.to_string(),
        kind: "pack",
        tasks: Vec::new(),
        left_out: Vec::new(),
        tables: pack
            .tables
            .iter()
            .map(|table| table.name.to_string())
            .collect(),
        now: pack.now,
        operations: turns.operations,
        loaded: [one, other],
    };
    for probe in &pack.probes {
        let is_write = probe.kind == Kind::Write;
        if is_write && !turns.writes {
            let reason = "it writes, and `--writes` is not given".to_owned();
            workload.left_out.push((probe.name.to_string(), reason));
            continue;
        }
        let params = Params::new(Arc::clone(&world), probe, turns.seed);
        let statements = probe.statements.clone();
        workload.tasks.push(Task {
            name: Arc::clone(&probe.name),
            transaction: probe.transaction || is_write,
            statements: Arc::new(move |operation| {
                let text = |statement| params.text(operation, statement);
                statements.iter().map(text).collect()
            }),
        });
    }
    Ok(workload)
}

fn of_file(path: &Path, ground: &Ground, turns: &Turns) -> Result<Workload, Error> {
    let shown = path.display().to_string();
    let unread = |reason: String| Error::new(format!("cannot read `{shown}`: {reason}"));
    let facts = std::fs::metadata(path).map_err(|error| unread(error.to_string()))?;
    if facts.len() > MAX_BYTES {
        return Err(unread(format!("it has more than {MAX_BYTES} bytes")));
    }
    let written = std::fs::read_to_string(path).map_err(|error| unread(error.to_string()))?;
    let (statements, mistakes) = split(&written);
    if !mistakes.is_empty() {
        let line =
            |one: &crate::sql::split::Mistake| format!("{shown}:{}: {}", one.line, one.message);
        let lines: Vec<String> = mistakes.iter().map(line).collect();
        return Err(Error::new(text::block(&lines.join("\n")).into_owned()));
    }
    let facts = recorded::Workload {
        pack: shown.clone(),
        seed: turns.seed,
        operations: 1,
        ..recorded::Workload::default()
    };
    let mut workload = Workload {
        name: shown,
        kind: "sql",
        tasks: Vec::new(),
        left_out: Vec::new(),
        tables: Vec::new(),
        now: NOW,
        operations: 1,
        loaded: [facts.clone(), facts],
    };
    let mut names: Vec<String> = Vec::new();
    for statement in statements {
        let line = statement.line;
        let mut name = statement.name.unwrap_or_else(|| format!("line-{line}"));
        if names.contains(&name) {
            name = format!("{name}-line-{line}");
        }
        names.push(name.clone());
        let elsewhere = |named: &String| ground.sides.iter().any(|side| side.schema != *named);
        if let Some(other) = statement.schema.filter(elsewhere) {
            let other = text::inline(&other);
            let reason = format!("it is for schema `{other}`, and a side is another one");
            workload.left_out.push((name, reason));
            continue;
        }
        match fit(&statement.sql, turns.writes) {
            Err(reason) => workload.left_out.push((name, reason)),
            Ok((sql, transaction)) => {
                tables(&sql, &mut workload.tables);
                workload.tasks.push(Task {
                    name: name.into(),
                    transaction,
                    statements: Arc::new(move |_| vec![sql.clone()]),
                });
            }
        }
    }
    Ok(workload)
}

/// The statement as it is sent, and whether it needs a transaction that is rolled back; the error
/// says why it is not run.
fn fit(sql: &str, writes: bool) -> Result<(String, bool), String> {
    let statement = explainable(sql)?;
    if statement.has_parameters {
        return Err("it has parameters without values".to_owned());
    }
    harmless::check(&statement.sql)?;
    let is_plain = !statement.writes && harmless::is_plain_read(&statement.sql);
    if !is_plain && !writes {
        return Err("it writes or locks, and `--writes` is not given".to_owned());
    }
    let sql = statement.sql.trim_end().trim_end_matches(';').to_owned();
    Ok((sql, !is_plain))
}

/// The tables that a statement names without their schema.
fn tables(sql: &str, found: &mut Vec<String>) {
    let named = Parametrized::of(sql).map_or_else(Vec::new, |parts| parts.tables);
    for table in named {
        if table.schema.is_none() && !found.contains(&table.name) {
            found.push(table.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_reads_run_unasked() {
        for (sql, asked, wanted) in [
            ("SELECT a FROM t", false, Some(false)),
            ("SELECT a FROM t FOR UPDATE", false, None),
            ("SELECT a FROM t FOR UPDATE", true, Some(true)),
            ("UPDATE t SET a = 1", false, None),
            ("UPDATE t SET a = 1", true, Some(true)),
            ("SELECT SLEEP(1)", true, None),
            ("DROP TABLE t", true, None),
            ("SELECT a FROM t WHERE b = ?", true, None),
        ] {
            let found = fit(sql, asked).ok().map(|(_, transaction)| transaction);
            assert_eq!(found, wanted, "{sql}");
        }
    }

    #[test]
    fn tables_with_a_schema_are_the_same_on_both_sides() {
        let mut found = Vec::new();
        tables(
            "SELECT 1 FROM a JOIN s.b ON 1 = 1 JOIN c ON 1 = 1 JOIN a x ON 1 = 1",
            &mut found,
        );
        assert_eq!(found, ["a", "c"]);
    }
}
