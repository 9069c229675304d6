//! SIGKILL at every boundary between two steps.

use std::path::Path;
use std::process::Stdio;

use mydex::indexes::apply::{End, Event};
use mydex::indexes::reconcile::Direction;

use super::{Place, Scene, each, ended_and_settled, options, say, sides, stage};

/// Whether an event is one that every run has at the same place.
fn is_boundary(event: &Event) -> bool {
    matches!(
        event,
        Event::Begun { .. } | Event::Step { .. } | Event::Judged { .. } | Event::Settled(_)
    )
}

/// `child DIRECTION PLACE PORT SCHEMA HOME`, with the password in the environment: ends itself by
/// SIGKILL at the event of that number.
pub(super) async fn child(arguments: &[String]) {
    let [direction, at, port, schema, home] = arguments else {
        panic!("{arguments:?}");
    };
    let place = Place {
        port: port.parse().unwrap(),
        password: std::env::var("MYDEX_BENCH_SECRET").unwrap(),
    };
    let scene = Scene::at(&place, schema, Path::new(home));
    let at: usize = at.parse().unwrap();
    let mut seen = 0;
    let mut watch = |event: Event| {
        if !is_boundary(&event) {
            return;
        }
        if seen == at {
            let own = rustix::process::getpid();
            let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
        }
        seen += 1;
    };
    let direction = Direction::of_word(direction).unwrap();
    let outcome = scene.go(direction, &options(), &mut watch).await;
    assert!(matches!(outcome.end, End::Complete), "{outcome:?}");
}

pub(super) async fn boundaries(place: &Place, directions: &[Direction]) {
    let mut total = 0;
    for &direction in directions {
        let scene = Scene::new(place, "counted", stage::FOLDER);
        let mut sql = place.connect().await;
        stage::reset(&mut sql, "counted", 1_000).await;
        if direction == Direction::Down {
            scene.settle(Direction::Up).await;
        }
        let mut count = 0;
        let mut watch = |event: Event| count += usize::from(is_boundary(&event));
        let outcome = scene.go(direction, &options(), &mut watch).await;
        assert!(matches!(outcome.end, End::Complete));
        let made = place.clone();
        each(count, move |at| boundary(made.clone(), direction, at)).await;
        total += count;
        say(&format!(
            "boundaries, {}: SIGKILL at each of {count}; the next run converged every time",
            direction.word()
        ));
    }
    say(&format!("boundaries: {total} in all"));
}

async fn boundary(place: Place, direction: Direction, at: usize) {
    let schema = format!("boundary_{}_{at}", direction.word());
    let scene = Scene::new(&place, &schema, stage::FOLDER);
    let mut sql = place.connect().await;
    stage::reset(&mut sql, &schema, 1_000).await;
    let both = sides(&scene, &mut sql).await;
    for goes_on in [true, false] {
        let other = match direction {
            Direction::Up => Direction::Down,
            Direction::Down => Direction::Up,
        };
        scene.settle(other).await;
        let status = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["child", direction.word(), &at.to_string()])
            .args([&place.port.to_string(), &schema])
            .arg(&scene.home)
            .env("MYDEX_BENCH_SECRET", &place.password)
            .stdout(Stdio::null())
            .status()
            .await
            .unwrap();
        assert!(!status.success(), "{direction:?} {at} came to its end");
        ended_and_settled(&scene, &mut sql, &both, direction, goes_on).await;
    }
    stage::run(&mut sql, &format!("DROP DATABASE {schema}")).await;
}
