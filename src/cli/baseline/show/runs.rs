//! Recorded files in their order, with what each is called.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use super::Order;
use crate::baseline::file;
use crate::baseline::history::{MOST_RUNS, Run};
use crate::cli::baseline::check;
use crate::cli::error::Error;
use crate::model::text;

/// Reads them, the oldest first; what was left out is said.
pub(super) fn read(paths: &[PathBuf], order: Order) -> Result<(Vec<Run>, Vec<String>), Error> {
    let (mut runs, mut notes) = if order == Order::Git {
        versions(paths)?
    } else {
        files(paths, order)?
    };
    if runs.len() > MOST_RUNS {
        notes.push(format!(
            "only the latest {MOST_RUNS} of {} runs were looked at",
            runs.len()
        ));
        runs.drain(..runs.len() - MOST_RUNS);
    }
    if runs.is_empty() {
        return Err(Error::new("there is no recorded file")
            .hint("`mydex baseline record PACK -o FILE` writes one"));
    }
    Ok((runs, notes))
}

/// A file, and whether it was named rather than found in a folder.
struct Candidate {
    path: PathBuf,
    is_named: bool,
}

fn files(paths: &[PathBuf], order: Order) -> Result<(Vec<Run>, Vec<String>), Error> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(in_folder(path)?);
        } else {
            found.push(Candidate {
                path: path.clone(),
                is_named: true,
            });
        }
    }
    let mut keyed = Vec::new();
    for candidate in found {
        let time = match order {
            Order::Mtime => modified(&candidate.path)?,
            _ => SystemTime::UNIX_EPOCH,
        };
        keyed.push((time, candidate));
    }
    if order != Order::Given {
        keyed.sort_by(|(one_time, one), (other_time, other)| {
            let names = natural(&name(&one.path), &name(&other.path));
            one_time
                .cmp(other_time)
                .then(names)
                .then_with(|| one.path.cmp(&other.path))
        });
        keyed.dedup_by(|one, other| one.1.path == other.1.path);
    }
    let mut runs = Vec::new();
    let mut notes = Vec::new();
    for (_, candidate) in keyed {
        match check::read(&candidate.path) {
            Ok((_, baseline)) => runs.push(Run {
                label: label(&candidate.path),
                baseline,
            }),
            Err(error) if candidate.is_named => return Err(error),
            Err(error) => {
                let reason = error.in_one_line();
                let first = reason.lines().next().unwrap_or_default();
                notes.push(format!("left out: {first}"));
            }
        }
    }
    distinct(&mut runs);
    Ok((runs, notes))
}

/// Labels that are the same get the number of their run.
fn distinct(runs: &mut [Run]) {
    let mut seen = BTreeSet::new();
    for (place, run) in runs.iter_mut().enumerate() {
        if !seen.insert(run.label.clone()) {
            run.label = format!("{} #{}", run.label, place + 1);
        }
    }
}

fn in_folder(folder: &Path) -> Result<Vec<Candidate>, Error> {
    let unread = |error| {
        Error::new(format!(
            "cannot read the folder `{}`: {error}",
            folder.display()
        ))
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
            && path.is_file()
        {
            found.push(Candidate {
                path,
                is_named: false,
            });
        }
    }
    Ok(found)
}

fn modified(path: &Path) -> Result<SystemTime, Error> {
    std::fs::metadata(path)
        .and_then(|data| data.modified())
        .map_err(|error| Error::new(format!("cannot read `{}`: {error}", path.display())))
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn label(path: &Path) -> String {
    path.file_stem()
        .map_or_else(|| name(path), |stem| stem.to_string_lossy().into_owned())
}

/// Names as people order them: `run-9` before `run-10`.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        let (first, second) = match (left.chars().next(), right.chars().next()) {
            (None, None) => return one.cmp(other),
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(first), Some(second)) => (first, second),
        };
        if first.is_ascii_digit() && second.is_ascii_digit() {
            let (digits, others) = (number(left), number(right));
            let lengths = digits.0.len().cmp(&others.0.len());
            let by_value = lengths.then_with(|| digits.0.cmp(others.0));
            if by_value != Ordering::Equal {
                return by_value;
            }
            (left, right) = (digits.1, others.1);
        } else if first == second {
            (left, right) = (&left[first.len_utf8()..], &right[second.len_utf8()..]);
        } else {
            return first.cmp(&second);
        }
    }
}

/// The digits in front without leading zeros, and what follows.
fn number(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}

/// Every version of one file that git knows, and the file as it is.
fn versions(paths: &[PathBuf]) -> Result<(Vec<Run>, Vec<String>), Error> {
    let [path] = paths else {
        return Err(Error::new("`--order git` follows one file")
            .hint("name the file that each commit changes"));
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let name = name(path);
    let limit = format!("--max-count={MOST_RUNS}");
    let listed = git(
        folder,
        &["log", "--first-parent", &limit, "--format=%h", "--", &name],
    )?;
    let commits: Vec<&str> = listed.lines().collect();
    let mut runs = Vec::new();
    let mut notes = Vec::new();
    for commit in commits.iter().rev() {
        let Ok(written) = git(folder, &["show", &format!("{commit}:./{name}")]) else {
            notes.push(format!("left out: `{commit}` has no `{name}`"));
            continue;
        };
        match file::parse(&written) {
            Ok(baseline) => runs.push(Run {
                label: (*commit).to_owned(),
                baseline,
            }),
            Err(mistakes) => {
                let first = mistakes.0.first().map_or("", String::as_str);
                let first = text::inline(first);
                notes.push(format!("left out: `{name}` of `{commit}`: {first}"));
            }
        }
    }
    if path.is_file() {
        let (_, now) = check::read(path)?;
        if runs.last().is_none_or(|last| last.baseline != now) {
            runs.push(Run {
                label: "not committed".to_owned(),
                baseline: now,
            });
        }
    }
    Ok((runs, notes))
}

/// What git prints; it is asked to change nothing.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, Error> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"])
        .args(arguments)
        .output()
        .map_err(|error| {
            Error::new(format!("cannot run git: {error}"))
                .hint("keep one file for each run, and leave `--order git` out")
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!(
        "git can't tell the versions: {}",
        text::inline(said.trim())
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_by_their_value() {
        let mut names = vec![
            "run-10",
            "run-9",
            "run-009b",
            "run",
            "run-1-2",
            "run-01-10",
            "a2",
            "a10",
            "a02",
        ];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(
            names,
            [
                "a02",
                "a2",
                "a10",
                "run",
                "run-1-2",
                "run-01-10",
                "run-9",
                "run-009b",
                "run-10"
            ]
        );
    }

    #[test]
    fn labels_are_told_apart() {
        let mut runs = vec![Run::default(), Run::default()];
        distinct(&mut runs);
        assert_eq!(runs[1].label, " #2");
    }
}
