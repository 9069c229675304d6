//! Statements of other connections of this process that a reading of the digests met under way: they
//! are known as mydex's own only after it.

use super::fast::FastPoll;
use crate::model::digest::DigestInterval;
use crate::server::crew::{Crew, own_event};
use crate::server::{Connection, Error};

/// Leaves them out of `interval`, which was read right before.
pub(super) async fn leave_out(
    fast: &mut FastPoll,
    connection: &mut Connection,
    crew: &Crew,
    interval: &mut DigestInterval,
) -> Result<(), Error> {
    let (true, Some(sql)) = (crew.has_guests(), crew.history()) else {
        return Ok(());
    };
    let mut events = Vec::new();
    let read = connection
        .each("mydex's own statements", &sql, |row| {
            events.extend(own_event(row));
        })
        .await;
    match read {
        Err(error) if error.is_fatal() => return Err(error),
        // What can't be read shows, and harms nobody.
        Err(_) | Ok(_) => {}
    }
    events.extend(crew.told());
    fast.own.learn(&events);
    let total = &mut interval.total;
    interval.digests.retain(|digest| {
        let is_own = fast.is_own(&digest.key);
        if is_own {
            *total = total.since(&digest.counters).unwrap_or(*total);
        }
        !is_own
    });
    Ok(())
}
