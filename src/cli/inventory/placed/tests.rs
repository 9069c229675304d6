//! Folders, ledgers and schemas that do not match one to one.

use jiff::Timestamp;

use super::*;
use crate::indexes::definition::Definition;
use crate::indexes::files;
use crate::indexes::reconcile::{Direction, Stage};
use crate::model::ledger::State;

fn entry(version: u32, schema: Option<&str>, index: &str, profiles: &str) -> Entry {
    let schema = schema.map_or_else(String::new, |name| format!("schema = \"{name}\"\n"));
    let profiles = match profiles {
        "" => String::new(),
        names => format!("profiles = [{names}]\n"),
    };
    let text = format!(
        "{schema}table = \"orders\"\naction = \"create\"\nindex = \"{index}\"\ncolumns = \
         [\"state\"]\nreason = \"x\"\n{profiles}"
    );
    let (mut entries, mistakes) =
        files::entries("indexes", vec![(format!("{version:04}_x.toml"), text)]);
    assert_eq!(mistakes, []);
    entries.remove(0)
}

fn row(entry: &Entry, schema: &str) -> Row {
    let definition: &Definition = &entry.definition;
    Row {
        version: entry.version,
        name: entry.name.clone(),
        action: definition.action,
        table: definition.table_name(schema),
        index: definition.index.name.clone(),
        checksum: definition.checksum(),
        definition: definition.to_toml(),
        before: None,
        before_line: None,
        before_column: None,
        state: State::Applied,
        stage: Stage::Done,
        direction: Direction::Up,
        note: None,
        error: None,
        started: Timestamp::UNIX_EPOCH,
        changed: Timestamp::UNIX_EPOCH,
        hidden: None,
        account: String::new(),
        mydex_version: String::new(),
        attempts: 1,
    }
}

/// Schema and versions of each group, and the notes.
fn placed(
    entries: &[Entry],
    rows: &[Row],
    schemas: &[&str],
    default_schema: &str,
) -> (Vec<(String, Vec<u32>)>, Vec<String>) {
    let schemas: Vec<String> = schemas.iter().map(|name| (*name).to_owned()).collect();
    let (placed, notes) = place(entries, rows, &schemas, default_schema, "test");
    let groups = placed.into_iter().map(|one| {
        let versions = one.entries.iter().map(|entry| entry.version).collect();
        (one.schema, versions)
    });
    (groups.collect(), notes)
}

fn group(schema: &str, versions: &[u32]) -> (String, Vec<u32>) {
    (schema.to_owned(), versions.to_vec())
}

#[test]
fn a_definition_without_a_schema_is_about_each_ledger_that_knows_it() {
    let entries = [
        entry(1, None, "state", ""),
        entry(2, Some("b"), "other", ""),
        entry(3, None, "new", ""),
    ];
    let rows = [row(&entries[0], "a"), row(&entries[0], "b")];
    // Nothing says which schema is meant: the ledgers do, and what no ledger knows is told.
    let (groups, notes) = placed(&entries, &rows, &["a", "b", "c"], "");
    assert_eq!(
        groups,
        [group("a", &[1]), group("b", &[1, 2]), group("c", &[])]
    );
    assert_eq!(notes.len(), 1);
    assert!(notes[0].starts_with("1 definitions name no schema"));
    let (groups, notes) = placed(&entries, &rows, &["a", "b"], "A");
    assert_eq!(groups, [group("a", &[1, 3]), group("b", &[1, 2])]);
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn two_ledgers_may_use_the_same_number() {
    let one = [entry(1, Some("a"), "state", "")];
    let rows = [
        row(&one[0], "a"),
        row(&entry(1, Some("b"), "elsewhere", ""), "b"),
    ];
    let schemas = ["a".to_owned(), "b".to_owned()];
    let (placed, _) = place(&one, &rows, &schemas, "", "test");
    let states = all_states(&placed, &Catalog::default());
    let told: Vec<(&str, &str, bool)> = states
        .iter()
        .map(|one| {
            (
                one.table.schema.as_str(),
                one.index.as_str(),
                one.file.is_some(),
            )
        })
        .collect();
    assert_eq!(told, [("a", "state", true), ("b", "elsewhere", false)]);
}

#[test]
fn what_is_applied_counts_whatever_its_profile() {
    let entries = [
        entry(1, None, "state", "\"production\""),
        entry(2, None, "more", "\"production\""),
        entry(3, None, "own", "\"test\""),
    ];
    let rows = [row(&entries[0], "shop")];
    let (groups, notes) = placed(&entries, &rows, &["shop"], "shop");
    assert_eq!(groups, [group("shop", &[1, 3])]);
    assert_eq!(notes, ["1 definitions are for other profiles than `test`"]);
}
