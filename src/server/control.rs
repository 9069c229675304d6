//! The only way to change something on a monitored server: ending a statement or a connection.

use jiff::Timestamp;

use super::audit::{self, Audit, Record};
use super::cells::Cells;
use super::error::Error as ServerError;
use super::guard::{Connection, Values};
use crate::config::settings::Server;
use crate::model::feed::{KillScope, KillTarget};

/// A kill that was not made, or that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Changes are refused.
    #[error("changes are refused: this server or this run is read-only")]
    ReadOnly,
    /// The session is gone.
    #[error("connection {0} is gone")]
    Gone(u64),
    /// The id belongs to another session now.
    #[error("connection {id} is not the session that was chosen: {reason}")]
    Changed {
        /// The connection's id.
        id: u64,
        /// What differs.
        reason: String,
    },
    /// Another statement, or none, runs now.
    #[error("connection {id} no longer runs the statement that was chosen")]
    StatementEnded {
        /// The connection's id.
        id: u64,
    },
    /// Not a client's session.
    #[error("connection {id} is not to be killed: {reason}")]
    Protected {
        /// The connection's id.
        id: u64,
        /// What it is.
        reason: &'static str,
    },
    /// No audit record, no change.
    #[error("nothing was killed: {0}")]
    Audit(#[from] audit::Error),
    /// The server refused, or the connection failed.
    #[error("{0}")]
    Server(#[from] ServerError),
}

/// A session as it is right before a kill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    thread: u64,
    user: Option<String>,
    host: Option<String>,
    command: String,
    statement: Option<String>,
    name: String,
    is_foreground: bool,
}

/// Who kills, where, and what it must never kill.
#[derive(Debug)]
pub struct Killer<'a> {
    /// The server, for the record.
    pub server: &'a Server,
    /// The account in use, for the record.
    pub account: &'a str,
    /// Where records go.
    pub audit: &'a Audit,
    /// Refuse everything.
    pub read_only: bool,
    /// Connection ids of mydex itself.
    pub own: &'a [u64],
}

/// Ends a statement or a connection, if it still is what was chosen, and says so in one sentence.
pub async fn kill(
    connection: &mut Connection,
    killer: &Killer<'_>,
    target: &KillTarget,
) -> Result<String, Error> {
    if killer.read_only || killer.server.read_only {
        return Err(Error::ReadOnly);
    }
    let id = target.id.connection;
    let seen = look(connection, target).await?.ok_or(Error::Gone(id))?;
    check(&seen, target, killer.own)?;
    let (action, statement) = match target.scope {
        KillScope::Query => ("kill-query", format!("KILL QUERY {id}")),
        KillScope::Connection => ("kill-connection", format!("KILL CONNECTION {id}")),
    };
    let described = format!(
        "connection {id}, thread {}, {}@{}, {}: {}",
        seen.thread,
        seen.user.as_deref().unwrap_or("?"),
        seen.host.as_deref().unwrap_or("?"),
        seen.command,
        seen.statement.as_deref().unwrap_or("no statement"),
    );
    let server = format!(
        "{} ({})",
        killer.server.name,
        super::connect::place(killer.server)
    );
    let record = |statement: &str, result: &str| {
        let (server, described) = (server.clone(), described.clone());
        let (statement, result) = (statement.to_owned(), result.to_owned());
        async move {
            let record = Record {
                time: Timestamp::now(),
                server: &server,
                account: killer.account,
                action,
                statement: &statement,
                target: &described,
                result: &result,
            };
            killer.audit.write(&record).await
        }
    };
    record(&statement, "intended").await?;
    let (sent, outcome) = send(connection, statement, target).await;
    let result = match &outcome {
        Ok(()) => "done".to_owned(),
        Err(error) => error.to_string(),
    };
    let recorded = record(&sent, &result).await;
    outcome?;
    let done = format!(
        "sent {sent} ({}@{})",
        seen.user.as_deref().unwrap_or("?"),
        seen.host.as_deref().unwrap_or("?")
    );
    Ok(match recorded {
        Ok(()) => done,
        // The intent is on record already; what is missing is how it ended.
        Err(error) => format!("{done}; {error}"),
    })
}

/// Sends the kill; where it is denied, through the procedure of Amazon RDS if there is one.
async fn send(
    connection: &mut Connection,
    statement: String,
    target: &KillTarget,
) -> (String, Result<(), ServerError>) {
    let outcome = connection.run("the kill", &statement).await;
    let is_denied = match &outcome {
        Err(ServerError::Denied { .. }) => true,
        // 1095: not the owner of the thread.
        Err(error) => error.number() == Some(1095),
        Ok(()) => false,
    };
    if !is_denied {
        return (statement, outcome);
    }
    let procedure = match target.scope {
        KillScope::Query => "rds_kill_query",
        KillScope::Connection => "rds_kill",
    };
    let exists = connection
        .first(
            "a procedure",
            &format!(
                "SELECT 1 FROM information_schema.ROUTINES \
                 WHERE ROUTINE_SCHEMA = 'mysql' AND ROUTINE_NAME = '{procedure}' LIMIT 1"
            ),
        )
        .await;
    match exists {
        Ok(Some(_)) => {
            let call = format!("CALL mysql.{procedure}({})", target.id.connection);
            let outcome = connection.run("the kill", &call).await;
            (call, outcome)
        }
        _ => (statement, outcome),
    }
}

async fn look(connection: &mut Connection, target: &KillTarget) -> Result<Option<Seen>, Error> {
    let id = target.id.connection;
    let threads = format!(
        "SELECT THREAD_ID, PROCESSLIST_USER, PROCESSLIST_HOST, PROCESSLIST_COMMAND, \
         PROCESSLIST_INFO, NAME, TYPE FROM performance_schema.threads WHERE PROCESSLIST_ID = {id}"
    );
    let what = "the session to kill";
    if target.id.thread != 0 {
        return Ok(connection
            .first(what, &threads)
            .await?
            .map(|row| seen(&row)));
    }
    // Without performance_schema there is no thread id to compare; the rest still is.
    let processes = format!(
        "SELECT 0, USER, HOST, COMMAND, INFO, '', 'FOREGROUND' \
         FROM information_schema.PROCESSLIST WHERE ID = {id}"
    );
    Ok(connection
        .first(what, &processes)
        .await?
        .map(|row| seen(&row)))
}

fn seen(row: &Values) -> Seen {
    Seen {
        thread: row.u64(0).unwrap_or(0),
        user: row.text(1),
        host: row.text(2),
        command: row.text(3).unwrap_or_default(),
        statement: row.text(4),
        name: row.text(5).unwrap_or_default(),
        is_foreground: row.str(6) == Some("FOREGROUND"),
    }
}

/// Whether the session is still the one that was chosen and may be killed at all.
fn check(seen: &Seen, target: &KillTarget, own: &[u64]) -> Result<(), Error> {
    let id = target.id.connection;
    let protected = |reason| Err(Error::Protected { id, reason });
    if own.contains(&id) {
        return protected("it is mydex's own");
    }
    let is_replication = seen.command.starts_with("Binlog Dump")
        || seen.command.starts_with("Group")
        || ["slave", "replica", "binlog_dump"]
            .iter()
            .any(|word| seen.name.contains(word));
    if is_replication {
        return protected("it serves replication");
    }
    let is_system = !seen.is_foreground
        || seen.command == "Daemon"
        || matches!(
            seen.user.as_deref(),
            None | Some(
                "system user" | "event_scheduler" | "mysql.session" | "unauthenticated user"
            )
        );
    if is_system {
        return protected("it is a thread of the server itself");
    }
    if seen.thread != target.id.thread {
        return Err(Error::Changed {
            id,
            reason: "its thread is another one".to_owned(),
        });
    }
    if seen.user != target.user {
        return Err(Error::Changed {
            id,
            reason: format!(
                "its user is now `{}`",
                seen.user.as_deref().unwrap_or_default()
            ),
        });
    }
    if target.scope == KillScope::Query {
        let same = match (&seen.statement, &target.statement) {
            // The chosen text may have been cut by the poll.
            (Some(now), Some(chosen)) => !chosen.is_empty() && now.starts_with(chosen.as_str()),
            _ => false,
        };
        if !same {
            return Err(Error::StatementEnded { id });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::session::SessionId;

    fn seen_now() -> Seen {
        Seen {
            thread: 50,
            user: Some("app".into()),
            host: Some("web1".into()),
            command: "Query".into(),
            statement: Some("SELECT SLEEP(100)".into()),
            name: "thread/sql/one_connection".into(),
            is_foreground: true,
        }
    }

    fn target(scope: KillScope) -> KillTarget {
        KillTarget {
            id: SessionId {
                connection: 9,
                thread: 50,
            },
            user: Some("app".into()),
            statement: Some("SELECT SLEEP(".into()),
            scope,
        }
    }

    #[test]
    fn only_the_chosen_session_is_killed() {
        type Change = fn(&mut Seen);
        let cases: [(Change, KillScope, &str); 8] = [
            (|_| {}, KillScope::Query, ""),
            (|s| s.statement = None, KillScope::Connection, ""),
            (|s| s.statement = None, KillScope::Query, "no longer runs"),
            (
                |s| s.statement = Some("DELETE".into()),
                KillScope::Query,
                "no longer runs",
            ),
            (|s| s.thread = 51, KillScope::Connection, "another one"),
            (
                |s| s.user = Some("root".into()),
                KillScope::Connection,
                "`root`",
            ),
            (
                |s| s.command = "Binlog Dump GTID".into(),
                KillScope::Connection,
                "replication",
            ),
            (
                |s| s.is_foreground = false,
                KillScope::Connection,
                "the server itself",
            ),
        ];
        for (change, scope, expected) in cases {
            let mut seen = seen_now();
            change(&mut seen);
            let result = check(&seen, &target(scope), &[1, 2])
                .map_or_else(|error| error.to_string(), |()| String::new());
            assert!(result.contains(expected), "{result} | {expected}");
            assert_eq!(result.is_empty(), expected.is_empty());
        }
    }

    #[test]
    fn own_connections_are_safe() {
        let result = check(&seen_now(), &target(KillScope::Query), &[9]);
        assert!(matches!(result, Err(Error::Protected { .. })));
    }
}
