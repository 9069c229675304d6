//! Ended anywhere, the next run converges.

use super::*;

/// Whether an event is one that every run has at the same place.
fn is_boundary(event: &Event) -> bool {
    matches!(
        event,
        Event::Begun { .. } | Event::Step { .. } | Event::Judged { .. } | Event::Settled(_)
    )
}

/// Runs until the boundary of this number, and is gone right there; `true` when it came that far.
async fn stopped_at(bench: &Bench, place: usize, direction: Direction) -> bool {
    let (never, limits) = (CancellationToken::new(), options());
    let stop = CancellationToken::new();
    let trigger = stop.clone();
    let mut seen = 0;
    let mut watch = move |event: Event| {
        if !is_boundary(&event) {
            return;
        }
        if seen == place {
            trigger.cancel();
        }
        seen += 1;
    };
    let work = async {
        match direction {
            Direction::Up => bench.up_with(&limits, &Unjudged, &mut watch, &never).await,
            Direction::Down => {
                let range = Range::Behind(0);
                bench.down_with(range, &limits, &mut watch, &never).await
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => true,
        outcome = work => {
            complete(outcome.unwrap());
            false
        }
    }
}

/// The definitions that are ended at each boundary: a generated column with its index, one that
/// would replace the index of a foreign key, and a drop.
const BOUNDARIES: [(&str, &str); 3] = [stage::FOLDER[1], stage::FOLDER[2], stage::FOLDER[3]];

/// Goes in one direction, ends at this boundary without a word, and lets the next run go on or
/// turn round: it comes to exactly one side or the other. `false` when there is no such boundary.
async fn ends_at(place: usize, direction: Direction) -> bool {
    let mut bench = Bench::staged("boundaries", &BOUNDARIES).await;
    let without = bench.print().await;
    let mut with = None;
    if direction == Direction::Down {
        bench.up().await;
        with = Some(bench.print().await);
    }
    let came_so_far = stopped_at(&bench, place, direction).await;
    let goes_on = place % 3 != 2;
    if (direction == Direction::Up) == goes_on {
        bench.up().await;
        let now = bench.print().await;
        if let Some(with) = with {
            assert_eq!(now, with, "{direction:?} {place}");
        } else {
            for text in [
                "email_low",
                "order_number",
                "KEY `order_id` (",
                "KEY `email_lower` (",
            ] {
                assert!(now.contains(text), "{direction:?} {place}: {text} in {now}");
            }
            assert!(
                !now.contains("old_made") && !now.contains("INVISIBLE,"),
                "{now}"
            );
        }
        bench.down(Range::Behind(0)).await;
    } else {
        bench.down(Range::Behind(0)).await;
    }
    assert_eq!(bench.print().await, without, "{direction:?} {place}");
    came_so_far
}

/// Events of a whole run of those definitions, in one direction.
async fn boundaries(direction: Direction) -> usize {
    let bench = Bench::staged("boundaries", &BOUNDARIES).await;
    let (never, limits) = (CancellationToken::new(), options());
    let mut events = 0;
    let mut count = |event: Event| events += usize::from(is_boundary(&event));
    if direction == Direction::Down {
        bench.up().await;
        let done = bench.down_with(Range::Behind(0), &limits, &mut count, &never);
        complete(done.await.unwrap());
    } else {
        let done = bench.up_with(&limits, &Unjudged, &mut count, &never);
        complete(done.await.unwrap());
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ends_anywhere_on_the_way_there_the_next_run_converges() {
    let count = boundaries(Direction::Up).await;
    assert!(count >= 40, "there are only {count} boundaries");
    each(count, |place| async move {
        assert!(ends_at(place, Direction::Up).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ends_anywhere_on_the_way_back_the_next_run_converges() {
    let count = boundaries(Direction::Down).await;
    assert!(count > 20, "there are only {count} boundaries");
    each(count, |place| async move {
        assert!(ends_at(place, Direction::Down).await);
    })
    .await;
}
