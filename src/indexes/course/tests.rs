//! From whatever a kill leaves, the steps come to an end, and the end is what was asked for.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::indexes::reconcile::{Direction, Storage};
use crate::indexes::steps::needed_by;
use crate::model::advice::Action;
use crate::model::schema::{ForeignKey, GeneratedColumn, KeyPart, TableName};

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: "int".to_owned(),
        full_type: "int".to_owned(),
        is_nullable: true,
        max_chars: None,
        max_bytes: None,
        collation: None,
        is_auto_increment: false,
        generated: None,
    }
}

fn table() -> Table {
    Table {
        name: TableName::new("s", "t"),
        engine: "InnoDB".to_owned(),
        columns: vec![column("id"), column("a"), column("b")],
        indexes: vec![
            Index {
                is_unique: true,
                ..Index::btree("PRIMARY", vec![KeyPart::column("id")])
            },
            Index::btree("fk", vec![KeyPart::column("a")]),
        ],
        foreign_keys: vec![ForeignKey {
            name: "fk".to_owned(),
            columns: vec!["a".to_owned()],
            parent: TableName::new("s", "p"),
            parent_columns: vec!["id".to_owned()],
        }],
        rows: 1_000_000,
        data_bytes: 100 << 20,
        index_bytes: 0,
        partitioning: None,
        create: String::new(),
    }
}

fn task(action: Action, direction: Direction, has_column: bool, soak: bool) -> Task {
    let mut parts = vec![KeyPart::column("a"), KeyPart::column("b")];
    if has_column {
        parts.push(KeyPart::column("low"));
    }
    Task {
        action,
        direction,
        index: Index::btree("i", parts),
        column: has_column.then(|| GeneratedColumn {
            name: "low".to_owned(),
            full_type: "int".to_owned(),
            expression: "(`b` + 1)".to_owned(),
        }),
        options: String::new(),
        soak: if soak {
            Duration::from_secs(9)
        } else {
            Duration::ZERO
        },
        is_judged: action == Action::Create && direction == Direction::Up,
        is_primary_substitute: false,
        storage: Storage::Whole,
        functional: Vec::new(),
    }
}

proptest! {
    /// Any cut of any course is gone on with, or turned round, to the same end.
    #[test]
    fn a_cut_anywhere_comes_to_one_end(
        is_drop in any::<bool>(),
        has_column in any::<bool>(),
        soak in any::<bool>(),
        cut in 0_usize..9,
        records_last in any::<bool>(),
        turns in any::<bool>(),
    ) {
        let action = if is_drop { Action::Drop } else { Action::Create };
        let up = task(action, Direction::Up, has_column, soak);
        let mut start = table();
        if is_drop {
            start.columns.extend(has_column.then(|| Column {
                generated: Some(Generated { expression: "(`b`+1)".to_owned(), is_stored: false }),
                ..column("low")
            }));
            start.indexes.push(up.index.clone());
        }
        // So far the killed run came.
        let mut there = start.clone();
        let mut memory = Memory { had_index: is_drop, had_column: is_drop && has_column, ..Memory::FRESH };
        for place in 0..cut {
            let seen = likeness::see(&up, &memory, &there);
            match next(&up, &memory, &seen) {
                Next::Do(step) => {
                    if let Step::Aside { supports } = &step {
                        // The names are on record before the statement.
                        memory.stage = Stage::Aside;
                        memory.aside.clone_from(supports);
                    }
                    memory.is_fresh = false;
                    change(&up, &step, &mut there);
                    if place + 1 < cut || records_last {
                        remember(&mut memory, &step);
                    }
                }
                Next::Judge => memory.stage = Stage::Accepted,
                _ => break,
            }
        }
        // The next run.
        let direction = if turns { Direction::Down } else { Direction::Up };
        let goal = task(action, direction, has_column, false);
        if turns && memory.stage != Stage::Aside {
            memory.stage = Stage::Begun;
        }
        memory.is_fresh = memory.is_fresh && !turns;
        let course = course(&goal, &memory, &mut there, None);
        prop_assert_eq!(course.conflict, None);
        let has = turns == is_drop;
        let found = there.index("i").map(|index| index.is_visible);
        prop_assert_eq!(found, has.then_some(true));
        prop_assert_eq!(there.column("low").is_some(), has && has_column);
        prop_assert!(there.index("fk").is_some(), "the foreign key lost its index");
        let expected = if turns { State::RolledBack } else { State::Applied };
        prop_assert_eq!(course.state, expected);
    }
}

#[test]
fn statements_state_their_algorithm_and_lock() {
    let up = task(Action::Create, Direction::Up, true, false);
    let course = course(&up, &Memory::FRESH, &mut table(), Some(77));
    let words: Vec<&str> = course.steps.iter().map(|step| step.word).collect();
    let expected = ["add_column", "rename_aside", "rename_back", "build", "show"];
    assert_eq!(words, expected);
    assert!(course.is_judged);
    assert_eq!(course.steps[3].bytes, Some(77));
    assert!(course.steps[3].time > Duration::from_millis(100));
    for step in &course.steps {
        assert!(
            step.statement.contains(", ALGORITHM="),
            "{}",
            step.statement
        );
    }
    assert!(
        course.steps[1]
            .statement
            .contains("RENAME INDEX `fk` TO `fk_kept`")
    );
}

#[test]
fn options_stand_before_the_algorithm() {
    let mut down = task(Action::Drop, Direction::Down, false, false);
    down.options = " USING BTREE".to_owned();
    let sql = statement(
        &down,
        &TableName::new("s", "t"),
        &Step::Build { visible: true },
    );
    assert_eq!(
        sql,
        "ALTER TABLE `s`.`t` ADD INDEX `i` (`a`, `b`) USING BTREE, ALGORITHM=INPLACE, LOCK=NONE"
    );
}

#[test]
fn a_drop_waits_for_its_soak_in_the_plan_too() {
    let up = task(Action::Drop, Direction::Up, false, true);
    let mut there = table();
    there.indexes.push(up.index.clone());
    let course = course(&up, &Memory::FRESH, &mut there, None);
    let steps: Vec<_> = course
        .steps
        .iter()
        .map(|step| (step.word, step.is_after_soak))
        .collect();
    assert_eq!(steps, [("hide", false), ("drop_index", true)]);
    assert_eq!(course.state, State::Soaking);
}

#[test]
fn what_needs_an_index_is_known_before() {
    let mut there = table();
    let support = there.index("fk").unwrap().clone();
    let needed = needed_by(&there, &support, &[]).unwrap();
    assert!(
        needed.contains("`fk`") && needed.contains("1553"),
        "{needed}"
    );
    // A full-text index on the same column finds no row by its value.
    there.indexes.push(Index {
        kind: crate::model::schema::IndexKind::FullText,
        ..Index::btree("words", support.parts.clone())
    });
    assert_eq!(needed_by(&there, &support, &[]), Some(needed));
    there.indexes.push(Index::btree(
        "wide",
        vec![KeyPart::column("A"), KeyPart::column("b")],
    ));
    assert_eq!(needed_by(&there, &support, &[]), None);
    let unique = Index::btree("u", vec![KeyPart::column("b")]);
    there.indexes.push(unique.clone());
    let children = [vec!["b".to_owned()]];
    assert!(
        needed_by(&there, &unique, &children)
            .unwrap()
            .contains("other tables")
    );
    there.columns[2].is_auto_increment = true;
    assert!(needed_by(&there, &unique, &[]).unwrap().contains("1075"));
}
