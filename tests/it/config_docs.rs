//! The examples of `docs/configuration.md`, run; and the binary's exit status and streams.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use mydex::config::effective;
use mydex::config::environ::variable;
use mydex::config::load::{Flags, LoadError, Loaded, load};
use mydex::config::schema::{SERVER, SETTINGS};

const PAGE: &str = include_str!("../../docs/configuration.md");

/// The fenced blocks of the page: what stands after the fence, and the text.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((info, text.join("\n")));
        }
    }
    blocks
}

fn load_text(text: &str) -> Result<Loaded, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("monitor.toml"), text).unwrap();
    let none = Vec::<(OsString, OsString)>::new();
    load(&Flags::default(), none, folder.path())
}

fn mydex(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn texts(output: Output) -> (String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

/// Whether `actual` is `expected`, where a line `...` stands for any lines.
fn matches(expected: &[&str], actual: &[&str]) -> bool {
    match (expected.split_first(), actual.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => {
            (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]))
        }
        (Some((expected, rest)), Some((actual, others))) => {
            expected.trim_end() == actual.trim_end() && matches(rest, others)
        }
        _ => false,
    }
}

#[test]
fn the_examples_of_the_page_are_true() {
    let blocks = blocks();
    let mut checked = 0;
    for pair in blocks.windows(2) {
        let [(info, text), (next, answer)] = pair else {
            continue;
        };
        match (*info, *next) {
            ("toml wrong", "text") => {
                let error = load_text(text).unwrap_err().to_string();
                assert_eq!(&error, answer);
                checked += 1;
            }
            ("toml", "console") => {
                let folder = tempfile::tempdir().unwrap();
                fs::write(folder.path().join("monitor.toml"), text).unwrap();
                let (command, expected) = answer.split_once('\n').unwrap();
                let arguments = command.strip_prefix("$ mydex ").unwrap();
                let arguments: Vec<&str> = arguments.split(' ').collect();
                let output = mydex(folder.path(), &arguments, &[]);
                assert!(output.status.success());
                let (actual, _) = texts(output);
                let lines = |text| str::lines(text).collect::<Vec<_>>();
                assert!(
                    matches(&lines(expected), &lines(&actual)),
                    "expected\n{expected}\nfound\n{actual}"
                );
                checked += 1;
            }
            _ => {}
        }
    }
    for (info, text) in &blocks {
        if *info == "toml" {
            load_text(text).unwrap();
            checked += 1;
        }
    }
    assert_eq!(checked, 5);
}

#[test]
fn the_page_has_every_key_with_its_default_and_variable() {
    let loaded = load_text("").unwrap();
    for setting in effective::settings(&loaded.settings, &loaded.origins) {
        let key = &setting.key;
        let start = format!("| `{key}` |");
        let row = PAGE.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("no row of {key}"));
        let variable = setting.variable.unwrap_or_else(|| variable(key));
        assert!(row.ends_with(&format!("| `{variable}` |")), "{row}");
        if setting.origin.is_some() {
            let value = setting.value.plain();
            assert!(row.contains(&format!("| `{value}` |")), "{row}");
        }
    }
    assert!(SETTINGS.len() > 20);
    for key in SERVER {
        assert!(PAGE.contains(&format!("`{}`", key.path)), "{}", key.path);
    }
}

#[test]
fn mistakes_go_to_standard_error_with_status_2() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs/invalid");
    let output = mydex(
        &folder,
        &["--config", "forty_mistakes.toml", "config", "show"],
        &[],
    );
    assert_eq!(output.status.code(), Some(2));
    let (stdout, stderr) = texts(output);
    assert_eq!(stdout, "");
    assert!(stderr.starts_with("error: 40 mistakes in the configuration\n"));
    assert_eq!(stderr.matches("forty_mistakes.toml:").count(), 40);
    assert_eq!(stderr.matches("\n    fix: ").count(), 40);
}

#[test]
fn a_password_is_on_no_stream() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("MYDEX_PASSWORD", "hunter2"), ("MYDEX_PASWORD", "hunter2")];
    for url in [
        "mysql://u:hunter2@db/cmdb",
        "mysql://u:hunter2/@db/cmdb",
        "mysql://u:hunter2/cmdb",
    ] {
        for format in ["text", "json", "md"] {
            let arguments = ["--url", url, "--format", format, "config", "show"];
            let (stdout, stderr) = texts(mydex(folder.path(), &arguments, &variables));
            assert!(!stdout.contains("hunter2"), "{stdout}");
            assert!(!stderr.contains("hunter2"), "{stderr}");
            assert!(!stderr.is_empty());
        }
    }
}

#[test]
fn asking_for_a_password_needs_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--ask-password", "--url", "mysql://u@db/", "config", "show"];
    let output = mydex(folder.path(), &arguments, &[]);
    assert_eq!(output.status.code(), Some(2));
    let (_, stderr) = texts(output);
    assert!(
        stderr.contains("`--ask-password` needs a terminal"),
        "{stderr}"
    );
}
