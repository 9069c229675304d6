//! Kills against a real server: only what was chosen, never without a record.

use std::time::Duration;

use mydex::config::settings::Server;
use mydex::model::feed::{KillScope, KillTarget};
use mydex::model::session::SessionId;
use mydex::server;
use mydex::server::audit::Audit;
use mydex::server::cells::Cells as _;
use mydex::server::control::{self, Killer};

use crate::server_checks::{limits, settings};

/// A session of somebody else that naps, and what a kill of its statement would be.
async fn napping(watched: &Server) -> (server::Connection, KillTarget) {
    let victim = server::open(watched, &limits()).await.unwrap();
    let target = KillTarget {
        id: SessionId {
            connection: victim.id(),
            thread: victim.thread().unwrap(),
        },
        user: Some("root".into()),
        statement: Some("SELECT SLEEP(4), 'victim'".into()),
        scope: KillScope::Query,
    };
    (victim, target)
}

#[tokio::test]
async fn only_what_was_chosen_is_killed_and_all_of_it_is_on_record() {
    let watched = settings(crate::server::shared().await.endpoint());
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::in_folder(folder.path());
    let mut connection = server::open(&watched, &limits()).await.unwrap();
    let (mut victim, mut target) = napping(&watched).await;
    let killer = Killer {
        server: &watched,
        account: "root@localhost",
        audit: &audit,
        read_only: false,
        own: &[connection.id()],
    };
    let sleeping = tokio::spawn(async move {
        let started = std::time::Instant::now();
        let rows = victim.rows("a nap", "SELECT SLEEP(4), 'victim'").await;
        (victim, rows.map(|rows| rows[0].u64(0)), started.elapsed())
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let done = control::kill(&mut connection, &killer, &target).await;
    assert!(
        done.as_ref()
            .is_ok_and(|d| d.starts_with("sent KILL QUERY")),
        "{done:?}"
    );
    let (victim, slept, took) = sleeping.await.unwrap();
    assert!(took < Duration::from_secs(3), "{took:?}");
    // A killed SLEEP gives 1 or ends with an error, depending on where it was hit.
    assert!(
        slept.as_ref().map_or(true, |slept| *slept == Some(1)),
        "{slept:?}"
    );

    target.scope = KillScope::Connection;
    control::kill(&mut connection, &killer, &target)
        .await
        .unwrap();
    drop(victim);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let gone = control::kill(&mut connection, &killer, &target).await;
    assert!(matches!(gone, Err(control::Error::Gone(_))), "{gone:?}");

    let log = std::fs::read_to_string(audit.path()).unwrap();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["result"], "intended");
    assert_eq!(lines[1]["result"], "done");
    assert_eq!(lines[3]["action"], "kill-connection");
}

#[tokio::test]
async fn what_changed_since_it_was_chosen_is_not_killed() {
    let watched = settings(crate::server::shared().await.endpoint());
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::in_folder(folder.path());
    let mut connection = server::open(&watched, &limits()).await.unwrap();
    let (mut victim, mut target) = napping(&watched).await;
    let own = [connection.id()];
    let killer = |read_only| Killer {
        server: &watched,
        account: "root@localhost",
        audit: &audit,
        read_only,
        own: &own,
    };
    // Nothing runs.
    let refused = control::kill(&mut connection, &killer(false), &target).await;
    assert!(
        matches!(refused, Err(control::Error::StatementEnded { .. })),
        "{refused:?}"
    );
    target.scope = KillScope::Connection;
    let refused = control::kill(&mut connection, &killer(true), &target).await;
    assert!(
        matches!(refused, Err(control::Error::ReadOnly)),
        "{refused:?}"
    );
    target.id.thread += 1;
    let refused = control::kill(&mut connection, &killer(false), &target).await;
    assert!(
        matches!(refused, Err(control::Error::Changed { .. })),
        "{refused:?}"
    );
    target.id.connection = connection.id();
    let refused = control::kill(&mut connection, &killer(false), &target).await;
    assert!(
        matches!(refused, Err(control::Error::Protected { .. })),
        "{refused:?}"
    );
    victim.run("a sign of life", "DO 1").await.unwrap();
    assert!(!audit.path().exists());
}

#[tokio::test]
async fn without_an_audit_record_nothing_is_killed() {
    let shared = crate::server::shared().await;
    let watched = settings(shared.endpoint());
    let file = tempfile::NamedTempFile::new().unwrap();
    let audit = Audit::in_folder(file.path());
    let mut connection = server::open(&watched, &limits()).await.unwrap();
    let mut victim = server::open(&watched, &limits()).await.unwrap();
    let target = KillTarget {
        id: SessionId {
            connection: victim.id(),
            thread: victim.thread().unwrap(),
        },
        user: Some("root".into()),
        statement: None,
        scope: KillScope::Connection,
    };
    let killer = Killer {
        server: &watched,
        account: "root@localhost",
        audit: &audit,
        read_only: false,
        own: &[],
    };
    let refused = control::kill(&mut connection, &killer, &target).await;
    assert!(
        matches!(refused, Err(control::Error::Audit(_))),
        "{refused:?}"
    );
    victim.run("a sign of life", "DO 1").await.unwrap();
}
