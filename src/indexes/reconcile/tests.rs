//! From every place, the steps lead to the end, and they lead back.

use super::*;
use crate::model::schema::Index;

fn memory(stage: Stage) -> Memory {
    Memory {
        is_fresh: false,
        stage,
        ..Memory::FRESH
    }
}

#[test]
fn words_are_read_back() {
    for stage in Stage::ALL {
        assert_eq!(Stage::of_word(stage.word()), Some(stage));
    }
    for direction in [Direction::Up, Direction::Down] {
        assert_eq!(Direction::of_word(direction.word()), Some(direction));
    }
}

fn task(action: Action, direction: Direction) -> Task {
    Task {
        action,
        direction,
        index: Index::btree("i", vec![crate::model::schema::KeyPart::column("a")]),
        column: None,
        options: String::new(),
        soak: Duration::from_mins(1),
        is_judged: action == Action::Create && direction == Direction::Up,
        is_primary_substitute: false,
        storage: Storage::Whole,
        functional: Vec::new(),
    }
}

fn seen(index: Found) -> Seen {
    Seen {
        index,
        ..Seen::default()
    }
}

fn soaking(left: &str) -> Next {
    let note = format!("it is invisible; a run after {left} drops it");
    settle_saying(State::Soaking, Stage::Hidden, note)
}

const HIDDEN: Found = Found::Same { is_visible: false };
const SHOWN: Found = Found::Same { is_visible: true };

type Case = (Task, Memory, Found, Next);

fn build(visible: bool) -> Next {
    Next::Do(Step::Build { visible })
}

fn of_creations() -> Vec<Case> {
    use Direction::{Down, Up};
    let create = |direction| task(Action::Create, direction);
    vec![
        (create(Up), Memory::FRESH, Found::Missing, build(false)),
        (create(Up), memory(Stage::Begun), HIDDEN, Next::Judge),
        (
            create(Up),
            memory(Stage::Accepted),
            HIDDEN,
            Next::Do(Step::Show),
        ),
        (
            create(Up),
            memory(Stage::Accepted),
            SHOWN,
            settle(State::Applied, Stage::Done),
        ),
        (
            create(Up),
            memory(Stage::Rejecting),
            HIDDEN,
            Next::Do(Step::DropIndex),
        ),
        (
            create(Up),
            memory(Stage::Rejecting),
            Found::Missing,
            settle(State::Rejected, Stage::Done),
        ),
        (
            create(Down),
            memory(Stage::Begun),
            HIDDEN,
            Next::Do(Step::Hide),
        ),
        (
            create(Down),
            memory(Stage::Begun),
            Found::Missing,
            settle(State::RolledBack, Stage::Done),
        ),
    ]
}

fn of_drops() -> Vec<Case> {
    use Direction::{Down, Up};
    let drop = |direction| task(Action::Drop, direction);
    let had = |stage, hidden: u64| Memory {
        had_index: true,
        hidden_for: Some(Duration::from_secs(hidden)),
        ..memory(stage)
    };
    vec![
        (drop(Up), Memory::FRESH, SHOWN, Next::Do(Step::Hide)),
        (drop(Up), had(Stage::Hidden, 59), HIDDEN, soaking("1.00s")),
        (
            drop(Up),
            had(Stage::Hidden, 60),
            HIDDEN,
            Next::Do(Step::DropIndex),
        ),
        (
            drop(Up),
            had(Stage::Hidden, 60),
            Found::Missing,
            settle(State::Applied, Stage::Done),
        ),
        (
            drop(Down),
            had(Stage::Hidden, 5),
            HIDDEN,
            Next::Do(Step::Show),
        ),
        (drop(Down), had(Stage::Done, 5), Found::Missing, build(true)),
        (
            drop(Down),
            had(Stage::Begun, 5),
            SHOWN,
            settle(State::RolledBack, Stage::Done),
        ),
    ]
}

#[test]
fn the_next_step_follows_from_what_is_there() {
    let cases = of_creations().into_iter().chain(of_drops());
    for (task, memory, index, expected) in cases {
        let found = next(&task, &memory, &seen(index.clone()));
        if task.direction == Direction::Down && task.action == Action::Create && index == HIDDEN {
            // It is hidden already, so that its soak begins.
            assert_eq!(found, soaking("1m00s"));
            continue;
        }
        assert_eq!(found, expected, "{task:?} {memory:?} {index:?}");
    }
}
