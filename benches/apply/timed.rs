//! What is timed: an undo, and the waits of others.

use std::time::{Duration, Instant};

use mydex::indexes::apply::{Event, Options};
use mydex::indexes::reconcile::Direction;
use mydex::model::ledger::State;

use super::{Place, Scene, options, say, stage};

pub(super) async fn undo(place: &Place) {
    let scene = Scene::new(place, "undo", &stage::FOLDER[3..4]);
    let mut sql = place.connect().await;
    stage::reset(&mut sql, "undo", 64_000).await;
    let before = scene.print(&mut sql).await;
    let soaking = Options {
        soak: Duration::from_hours(24),
        ..options()
    };
    let mut times = Vec::new();
    for _ in 0..21 {
        let outcome = scene.go(Direction::Up, &soaking, &mut |_| {}).await;
        assert_eq!(outcome.settled[0].state, State::Soaking, "{outcome:?}");
        let begun = Instant::now();
        scene.settle(Direction::Down).await;
        times.push(begun.elapsed());
        assert_eq!(scene.print(&mut sql).await, before);
    }
    times.sort();
    say(&format!(
        "undo of a staged drop, connecting included: median {:?}, longest of 21 {:?} (target: under 1 s)",
        times[10], times[20]
    ));
}

/// Somebody's transaction is open for six seconds, and others go on reading.
pub(super) async fn bystander(place: &Place) {
    for (lock_wait, limit) in [(1_000, 1_100), (300, 400)] {
        let scene = Scene::new(place, "bystander", &stage::FOLDER[..1]);
        let mut sql = place.connect().await;
        stage::reset(&mut sql, "bystander", 1_000).await;
        let mut open = place.connect().await;
        let read = "SELECT COUNT(*) FROM bystander.orders WHERE id < 10";
        stage::run(&mut open, &format!("START TRANSACTION; {read}")).await;
        let patient = Options {
            lock_wait: Duration::from_millis(lock_wait),
            ..options()
        };
        let mut tries = 0;
        let mut watch = |event: Event| tries += usize::from(matches!(event, Event::Blocked { .. }));
        let looks = async {
            let begun = Instant::now();
            let mut waits = Vec::new();
            while begun.elapsed() < Duration::from_secs(6) {
                let asked = Instant::now();
                stage::run(&mut sql, read).await;
                waits.push(asked.elapsed());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stage::run(&mut open, "COMMIT").await;
            waits.sort();
            waits
        };
        let (outcome, waits) = tokio::join!(scene.go(Direction::Up, &patient, &mut watch), looks);
        assert_eq!(outcome.settled.len(), 1, "{outcome:?}");
        say(&format!(
            "bystander behind a transaction of 6 s, timeout {lock_wait} ms: {tries} tries, longest \
             wait {:?} of {} statements, median {:?} (target: at most {limit} ms)",
            waits.last().unwrap(),
            waits.len(),
            waits[waits.len() / 2]
        ));
    }
}
