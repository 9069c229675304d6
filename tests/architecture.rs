//! The layering of `src`, checked from the `use` lines against each module's own summary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends loudly at what it did not expect, in its helpers as well"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The labels of the six lines that every `src/<module>/mod.rs` starts with.
const LABELS: [&str; 6] = [
    "# ",
    "Purpose: ",
    "Gives: ",
    "Pure files: ",
    "May import: ",
    "Reading order: ",
];

/// What a pure file never names: databases, runtimes, clocks, files, processes, sockets.
const IMPURE: [&str; 15] = [
    "sqlx",
    "tokio",
    "std::fs",
    "std::io",
    "std::net::Tcp",
    "std::process",
    "std::env",
    "std::thread",
    "time::Instant",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "rand::rng()",
    "println!",
];

struct Summary {
    pure: Pure,
    imports: Vec<String>,
}

enum Pure {
    None,
    All,
    AllBut(Vec<String>),
    Only(Vec<String>),
}

impl Pure {
    fn parse(text: &str) -> Pure {
        let names = |list: &str| list.split(", ").map(str::to_owned).collect();
        match text {
            "none" => Pure::None,
            "all" => Pure::All,
            other => match other.strip_prefix("all but ") {
                Some(list) => Pure::AllBut(names(list)),
                None => Pure::Only(names(other)),
            },
        }
    }

    fn names(&self) -> &[String] {
        match self {
            Pure::None | Pure::All => &[],
            Pure::AllBut(names) | Pure::Only(names) => names,
        }
    }

    /// `file` is relative to the module, with `/`. A name in the list may be a folder.
    fn covers(&self, file: &str) -> bool {
        let listed = || self.names().iter().any(|name| is_or_in(file, name));
        match self {
            Pure::None => false,
            Pure::All => true,
            Pure::AllBut(_) => !listed(),
            Pure::Only(_) => listed(),
        }
    }
}

fn is_or_in(file: &str, name: &str) -> bool {
    file == name || (name.ends_with('/') && file.starts_with(name))
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn modules() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(src())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 9, "found only {names:?}");
    names
}

fn summary(module: &str) -> Summary {
    let path = src().join(module).join("mod.rs");
    let text = fs::read_to_string(&path).unwrap();
    let mut values = Vec::new();
    for (line, label) in text.lines().zip(LABELS) {
        let value = line
            .strip_prefix("//! ")
            .and_then(|rest| rest.strip_prefix(label))
            .unwrap_or_else(|| {
                panic!(
                    "{}: expected `//! {label}…`, found `{line}`",
                    path.display()
                )
            });
        values.push(value.to_owned());
    }
    assert_eq!(
        values[0],
        module,
        "{}: wrong name in the summary",
        path.display()
    );
    let imports = match values[4].as_str() {
        "none" => Vec::new(),
        list => list.split(", ").map(str::to_owned).collect(),
    };
    Summary {
        pure: Pure::parse(&values[3]),
        imports,
    }
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file without comments and without its test module.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    text.lines()
        .map(|line| line.split("//").next().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every `crate::name` of the code, also in `use crate::{a::…, b::…}`.
fn imported(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (position, _) in code.match_indices("crate::") {
        let rest = &code[position + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_i32;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.push(std::mem::take(&mut item)),
                    c if depth == 0 => item.push(c),
                    _ => {}
                }
            }
            names.push(item);
        } else {
            names.push(rest.to_owned());
        }
    }
    names
        .iter()
        .map(|path| {
            path.trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

fn relative(path: &Path, module: &str) -> String {
    let path = path.strip_prefix(src().join(module)).unwrap();
    path.to_str().unwrap().replace('\\', "/")
}

#[test]
fn modules_import_only_what_their_summary_allows() {
    let mut faults = Vec::new();
    let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for module in modules() {
        let summary = summary(&module);
        let mut paths = Vec::new();
        files(&src().join(&module), &mut paths);
        for path in paths {
            for name in imported(&code(&path)) {
                edges.entry(module.clone()).or_default().push(name.clone());
                if name != module && !summary.imports.contains(&name) {
                    faults.push(format!("{} imports `{name}`", path.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(
        edges.get("cli").is_some_and(|names| names.len() > 5),
        "the scan found no imports"
    );
}

#[test]
fn features_never_import_one_another() {
    let foundations = ["model", "config", "sql", "server"];
    for module in modules().iter().filter(|name| *name != "cli") {
        for import in summary(module).imports {
            assert!(
                foundations.contains(&import.as_str()),
                "`{module}` may not import `{import}`"
            );
        }
    }
    assert!(summary("model").imports.is_empty());
    assert!(!summary("tui").imports.contains(&"server".to_owned()));
}

#[test]
fn pure_files_have_no_clock_no_file_and_no_database() {
    let mut faults = Vec::new();
    let mut pure_files = 0;
    for module in modules() {
        let pure = summary(&module).pure;
        let mut paths = Vec::new();
        files(&src().join(&module), &mut paths);
        for name in pure.names() {
            let exists = paths
                .iter()
                .any(|path| is_or_in(&relative(path, &module), name));
            assert!(
                exists,
                "src/{module}/mod.rs names `{name}`, which is not there"
            );
        }
        for path in paths {
            if !pure.covers(&relative(&path, &module)) {
                continue;
            }
            pure_files += 1;
            let code = code(&path);
            for word in IMPURE.iter().filter(|word| code.contains(*word)) {
                faults.push(format!("{} is pure but names `{word}`", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(pure_files > 10, "found only {pure_files} pure files");
}

#[test]
fn the_default_of_the_scan_is_not_blind() {
    let names =
        imported("use crate::model::a;\nuse crate::{config::{b, c}, server};\nx(crate::tui::run)");
    assert_eq!(names, ["model", "config", "server", "tui"]);
}
