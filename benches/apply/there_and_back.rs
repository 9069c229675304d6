//! Every form there and back; and four appliers at once.

use mydex::indexes::apply::{End, Event};
use mydex::indexes::reconcile::Direction;

use super::{Place, RACES, Scene, each, forms, options, say, stage};

/// One form, or what went wrong with it.
async fn form(place: Place, number: usize) {
    let mut sql = place.connect().await;
    let schema = format!("form_{number}");
    let is_written = number >= forms::FORMS.len();
    let text = if is_written {
        forms::file_of_drop(forms::WRITTEN[number - forms::FORMS.len()].1)
    } else {
        let (table, form) = forms::FORMS[number];
        forms::file(table, form)
    };
    let scene = Scene::new(&place, &schema, &[("0001_form.toml", &text)]);
    stage::run(&mut sql, &format!("CREATE DATABASE {schema}; USE {schema}")).await;
    stage::run(&mut sql, forms::TABLE).await;
    for special in forms::SPECIAL {
        stage::run(&mut sql, special).await;
    }
    if is_written {
        let made = forms::WRITTEN[number - forms::FORMS.len()].0;
        stage::run(&mut sql, &format!("ALTER TABLE things {made}")).await;
    }
    let before = scene.print(&mut sql).await;
    scene.settle(Direction::Up).await;
    let after = scene.print(&mut sql).await;
    assert_ne!(after, before, "{text}");
    for _ in 0..2 {
        scene.settle(Direction::Down).await;
        assert_eq!(scene.print(&mut sql).await, before, "{text}");
        scene.settle(Direction::Up).await;
        assert_eq!(scene.print(&mut sql).await, after, "{text}");
    }
    stage::run(&mut sql, &format!("DROP DATABASE {schema}")).await;
}

pub(super) async fn all_forms(place: &Place) {
    let count = forms::FORMS.len() + forms::WRITTEN.len();
    each(count, |number| form(place.clone(), number)).await;
    say(&format!(
        "forms: {} forms made and {} written ones dropped, there, back, there, back and there: the \
         fingerprints of each side are identical, all of them",
        forms::FORMS.len(),
        forms::WRITTEN.len()
    ));
}

pub(super) async fn races(place: &Place) {
    let scene = Scene::new(place, "races", &stage::FOLDER[..2]);
    let mut sql = place.connect().await;
    stage::reset(&mut sql, "races", 1_000).await;
    let before = scene.print(&mut sql).await;
    let mut after = String::new();
    for race in 0..RACES {
        let options = options();
        let go = async || {
            let mut waited = false;
            let mut watch = |event: Event| waited |= matches!(event, Event::Waiting { .. });
            let outcome = scene.go(Direction::Up, &options, &mut watch).await;
            assert!(matches!(outcome.end, End::Complete), "{race}: {outcome:?}");
            outcome.settled.len()
        };
        let (one, two, three, four) = tokio::join!(go(), go(), go(), go());
        let mut worked = [one, two, three, four];
        worked.sort_unstable();
        assert_eq!(worked, [0, 0, 0, 2], "race {race}");
        let now = scene.print(&mut sql).await;
        if race == 0 {
            after = now;
        } else {
            assert_eq!(now, after, "race {race}");
        }
        scene.settle(Direction::Down).await;
        assert_eq!(scene.print(&mut sql).await, before, "race {race}");
    }
    say(&format!(
        "races: {RACES} of 4 appliers: one worked each time, three waited and found nothing to do, \
         no error, no duplicate"
    ));
}
