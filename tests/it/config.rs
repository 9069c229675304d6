//! Configuration files, one mistake in each, and what is said about it.
//!
//! `tests/configs/invalid/NAME.err` is the message of `NAME.toml`, and `valid/NAME.out` what a
//! file changes. `MYDEX_TEST_BLESS=1 cargo test --test it config` writes them anew; read the
//! difference before you keep it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use mydex::config::effective;
use mydex::config::load::{Flags, LoadError, Loaded, load};
use mydex::config::mistake::{Mistakes, Place};
use mydex::config::origin::Origin;
use mydex::config::raw::read;
use proptest::prelude::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/configs")
        .join(name)
}

fn load_file(folder: &Path, name: &str) -> Result<Loaded, LoadError> {
    let flags = Flags {
        config: Some(PathBuf::from(name)),
        ..Flags::default()
    };
    load(&flags, Vec::<(OsString, OsString)>::new(), folder)
}

/// Checks every file of a folder against its neighbour with another ending.
fn check_folder(name: &str, ending: &str, actual: impl Fn(&Path, &str) -> String) -> usize {
    let folder = folder(name);
    let is_blessing = std::env::var_os("MYDEX_TEST_BLESS").is_some();
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let mut faults = String::new();
    for path in &files {
        let file = path.file_name().unwrap().to_str().unwrap();
        let actual = actual(&folder, file) + "\n";
        let beside = path.with_extension(ending);
        if is_blessing {
            fs::write(&beside, &actual).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if expected != actual {
            writeln!(faults, "{file}: expected\n{expected}\nfound\n{actual}").unwrap();
        }
    }
    assert!(faults.is_empty(), "{faults}");
    files.len()
}

#[test]
fn every_mistake_is_said_with_place_value_and_remedy() {
    let count = check_folder("invalid", "err", |folder, file| {
        load_file(folder, file).map_or_else(
            |error| error.to_string(),
            |loaded| format!("no mistake was found: {loaded:?}"),
        )
    });
    assert!(count > 60, "found only {count} files");
}

#[test]
fn no_message_repeats_a_password() {
    for entry in fs::read_dir(folder("invalid")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "err") {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("hunter2"), "{}", path.display());
            assert!(text.contains("fix: "), "{}: no remedy", path.display());
        }
    }
}

#[test]
fn valid_files_change_what_they_say_and_nothing_else() {
    let count = check_folder("valid", "out", |folder, file| {
        let loaded = load_file(folder, file).unwrap();
        let mut lines: Vec<String> = effective::settings(&loaded.settings, &loaded.origins)
            .into_iter()
            .filter(|setting| !matches!(setting.origin, None | Some(Origin::Default)))
            .map(|setting| {
                let origin = setting.origin.map(|origin| origin.to_string());
                format!(
                    "{} = {} ({})",
                    setting.key,
                    setting.value.plain(),
                    origin.unwrap()
                )
            })
            .collect();
        lines.extend(loaded.warnings.iter().map(|w| format!("warning: {w}")));
        lines.extend(loaded.notes.iter().map(|n| format!("note: {n}")));
        lines.join("\n")
    });
    assert!(count >= 5, "found only {count} files");
}

#[test]
fn forty_mistakes_are_forty_messages_in_line_order() {
    let error = load_file(&folder("invalid"), "forty_mistakes.toml").unwrap_err();
    let LoadError::Mistakes(mistakes) = error else {
        panic!("{error}");
    };
    let places: Vec<_> = mistakes.all().iter().map(|m| m.place.clone()).collect();
    assert_eq!(places.len(), 40);
    assert!(places.is_sorted());
    assert!(mistakes.all().iter().all(|m| !m.remedy.is_empty()));
}

const SHIPPED: &str = include_str!("../../monitor.toml");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn reading_never_panics(text in "(\\PC|[\n\r\t=\\[\\]{}\"'#.,]){0,300}") {
        let (_, mistakes) = read("f", &text);
        prop_assert!(mistakes.len() <= 400);
    }

    /// A damaged file is reported or still means something; places stay inside the file.
    #[test]
    fn a_damaged_file_never_panics(
        at in 0..SHIPPED.len(),
        length in 0_usize..80,
        insert in "[=\\[\\]{}\"'#\n.x5%é]{0,6}",
    ) {
        let mut text = SHIPPED.replace("\n#", "\n");
        let floor = |text: &str, mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) { at -= 1; }
            at
        };
        let start = floor(&text, at);
        let end = floor(&text, start + length);
        text.replace_range(start..end, &insert);
        let (_, mistakes) = read("f", &text);
        for mistake in mistakes {
            let Place::File { line, column, .. } = mistake.place else {
                panic!("not in the file: {mistake}");
            };
            prop_assert!(line <= text.lines().count() + 1 && column >= 1);
        }
    }
}

#[test]
fn hostile_files_end_soon_and_say_little() {
    for text in [
        "[".repeat(4_000),
        "a=[".repeat(2_000),
        "a={".repeat(2_000),
        "a.".repeat(4_000),
        "x\n".repeat(4_000),
        "a = '''".repeat(1_000),
        "[a]\n".repeat(2_000),
        "\"".repeat(30_000),
        format!("{} = 1", "k".repeat(30_000)),
        (0..1_000)
            .map(|n| format!("k{n} = {n}"))
            .collect::<Vec<_>>()
            .join("\n"),
    ] {
        let (_, mistakes) = read("f", &text);
        assert!(!mistakes.is_empty());
        let said = Mistakes::new(mistakes).to_string();
        assert!(said.len() < 100_000, "{} bytes", said.len());
    }
}
