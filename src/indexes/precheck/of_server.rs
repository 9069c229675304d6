//! What the server, the account and other sessions have to say.

use super::{Facts, Limits, Replication, say};
use crate::indexes::grants::grants;
use crate::indexes::ledger;
use crate::model::finding::{Finding, Severity};
use crate::model::schema::TableName;
use crate::model::units;

/// Privileges that `ALTER TABLE` needs.
const TABLE_PRIVILEGES: [&str; 3] = ["ALTER", "CREATE", "INSERT"];

/// Privileges that the ledger needs besides.
const LEDGER_PRIVILEGES: [&str; 2] = ["SELECT", "UPDATE"];

pub(super) fn about_the_server(found: &mut Vec<Finding>, facts: &Facts, limits: &Limits) {
    if facts.is_read_only {
        say(
            found,
            Severity::Problem,
            "server-read-only",
            "the server is read-only",
            "apply on the server that takes writes",
        );
    }
    if facts.replication == Replication::Stopped {
        say(
            found,
            Severity::Problem,
            "replica",
            "the server is a replica, and its replication is stopped, so that it falls behind",
            "`START REPLICA`, and apply on its source; where it is the source by now, \
             `RESET REPLICA ALL`",
        );
    } else if let Replication::Runs(lag) = facts.replication {
        let (severity, behind) = match lag {
            Some(lag) if lag > limits.max_lag => (
                Severity::Problem,
                format!(", {} behind", units::duration(lag)),
            ),
            Some(lag) => (
                Severity::Warning,
                format!(", {} behind", units::duration(lag)),
            ),
            None => (
                Severity::Warning,
                ", and how far it is behind can't be seen".to_owned(),
            ),
        };
        say(
            found,
            severity,
            "replica",
            format!("the server is a replica{behind}"),
            "apply on its source, from where the change comes here",
        );
    } else if facts.replicas > 0 {
        let who = match facts.replicas {
            1 => "1 replica".to_owned(),
            n => format!("{n} replicas"),
        };
        say(
            found,
            Severity::Note,
            "replica-lag",
            format!(
                "{who} will build the index as well, after the source, and fall behind meanwhile"
            ),
            "their lag can't be seen from here; watch it",
        );
    }
}

pub(super) fn about_privileges(found: &mut Vec<Finding>, facts: &Facts, table: &TableName) {
    let Some(lines) = &facts.grants else {
        say(
            found,
            Severity::Note,
            "privileges-unseen",
            "the account's privileges can't be seen; a missing one shows with the first statement",
            "",
        );
        return;
    };
    let ledger = TableName::new(table.schema.as_str(), ledger::TABLE);
    let on_table = TABLE_PRIVILEGES.iter().map(|name| (*name, table));
    let on_ledger = LEDGER_PRIVILEGES
        .iter()
        .chain(&["CREATE", "INSERT"])
        .map(|name| (*name, &ledger));
    let mut missing: Vec<&str> = on_table
        .chain(on_ledger)
        .filter(|(name, on)| !grants(lines, name, on))
        .map(|(name, _)| name)
        .collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return;
    }
    // A role may give what the account's own grants do not show.
    let has_roles = lines.iter().any(|line| !line.contains(" ON "));
    let severity = if has_roles {
        Severity::Warning
    } else {
        Severity::Problem
    };
    say(
        found,
        severity,
        "privileges",
        format!(
            "the account lacks {} on `{}`",
            missing.join(", "),
            table.schema
        ),
        format!(
            "GRANT {} ON {}.* TO {}",
            missing.join(", "),
            crate::server::quote::ident(&table.schema),
            grantee(lines).unwrap_or("the account")
        ),
    );
}

/// The account as `SHOW GRANTS` writes it.
fn grantee(lines: &[String]) -> Option<&str> {
    let (_, rest) = lines.iter().find_map(|line| line.split_once(" TO "))?;
    Some(rest.split(" WITH ").next().unwrap_or(rest))
}

pub(super) fn about_locks(found: &mut Vec<Finding>, facts: &Facts, limits: &Limits) {
    if let Some(holders) = facts.holders.as_ref().filter(|holders| !holders.is_empty()) {
        say(
            found,
            Severity::Warning,
            "held",
            format!(
                "the table is held, and the change waits for it: {}",
                holders.join("; ")
            ),
            "it is tried again and again, each time for a second at most",
        );
    }
    if let Some((count, oldest)) = facts.old_transactions.filter(|(count, _)| *count > 0) {
        let who = match count {
            1 => "a transaction is".to_owned(),
            n => format!("{n} transactions are"),
        };
        say(
            found,
            Severity::Note,
            "long-transaction",
            format!(
                "{who} open for more than {}, the oldest for {}",
                units::duration(limits.long_transaction),
                units::duration(oldest)
            ),
            "one that comes to this table holds the change up",
        );
    }
    if facts.holders.is_none() {
        say(
            found,
            Severity::Note,
            "locks-unseen",
            "who holds the table can't be seen",
            "grant SELECT on performance_schema, and PROCESS",
        );
    }
}
