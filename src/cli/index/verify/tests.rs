//! What is said of an index before it is counted.

use super::*;
use crate::indexes::files;

fn entry(extra: &str) -> Entry {
    let text = format!(
        "table = \"orders\"\naction = \"create\"\nindex = \"ix\"\ncolumns = [\"state\"]\nreason = \
         \"x\"\n{extra}"
    );
    let (mut entries, mistakes) = files::entries("indexes", vec![("0001_x.toml".to_owned(), text)]);
    assert_eq!(mistakes, []);
    entries.remove(0)
}

fn row(entry: &Entry, state: Standing, direction: Direction) -> Row {
    let definition = &entry.definition;
    Row {
        version: entry.version,
        name: entry.name.clone(),
        action: definition.action,
        table: definition.table_name("shop"),
        index: definition.index.name.clone(),
        checksum: definition.checksum(),
        definition: definition.to_toml(),
        before: None,
        before_line: None,
        before_column: None,
        state,
        stage: crate::indexes::reconcile::Stage::Done,
        direction,
        note: None,
        error: None,
        started: jiff::Timestamp::UNIX_EPOCH,
        changed: jiff::Timestamp::UNIX_EPOCH,
        hidden: None,
        account: String::new(),
        mydex_version: String::new(),
        attempts: 1,
    }
}

fn judged() -> Judgement {
    Judgement {
        verdict: Verdict::Better,
        reason: "it reads less".to_owned(),
        is_kept: Some(true),
        needs_run: false,
        queries: Vec::new(),
        notes: Vec::new(),
    }
}

#[test]
fn an_invisible_index_gains_only_while_it_waits_for_its_verification() {
    let plain = entry("");
    let wanted_so = entry("visible = false\n");
    for (entry, state, direction, expected) in [
        (
            &plain,
            Some(Standing::Staged),
            Direction::Up,
            Outcome::Gained,
        ),
        (
            &plain,
            Some(Standing::Unfinished),
            Direction::Up,
            Outcome::Gained,
        ),
        // Applied, and hidden by hand or by an earlier `--auto-rollback`.
        (
            &plain,
            Some(Standing::Applied),
            Direction::Up,
            Outcome::NotGained,
        ),
        (
            &plain,
            Some(Standing::Rejected),
            Direction::Up,
            Outcome::NotGained,
        ),
        (
            &plain,
            Some(Standing::Soaking),
            Direction::Down,
            Outcome::NotGained,
        ),
        (&plain, None, Direction::Up, Outcome::NotGained),
        (
            &wanted_so,
            Some(Standing::Applied),
            Direction::Up,
            Outcome::Gained,
        ),
    ] {
        let rows: Vec<Row> = state
            .map(|state| row(entry, state, direction))
            .into_iter()
            .collect();
        let subject = Subject {
            is_waiting: is_waiting(entry, rows.iter()),
            table: entry.definition.table_name("shop"),
            entry: entry.clone(),
            schema: "shop".to_owned(),
            state: State::Invisible,
        };
        let (outcome, reason) = outcome(&subject, None, Some(&judged()));
        assert_eq!(outcome, expected, "{state:?}: {reason}");
        assert_eq!(reason.contains("hidden"), expected == Outcome::NotGained);
    }
}
