//! The account that mydex connects as: what it needs, and what it should not have.

use super::capability::Capabilities;
use super::findings::finding;
use crate::model::finding::{Finding, Severity};

/// Statements that make the account that mydex needs, and no more than it needs.
///
/// `PROCESS` is for `information_schema.innodb_trx`; the rest of what is monitored is in
/// `performance_schema`. `account` is `user@host` as the server prints it.
#[must_use]
pub fn monitoring_account(account: &str) -> Vec<String> {
    let who = quoted_account(account);
    vec![
        format!(
            "CREATE USER {who} IDENTIFIED BY '<password>' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5"
        ),
        format!("GRANT PROCESS ON *.* TO {who}"),
        format!("GRANT SELECT ON performance_schema.* TO {who}"),
    ]
}

/// `user@host` with both parts as string literals. The host is what follows the last `@`.
#[must_use]
pub fn quoted_account(account: &str) -> String {
    let (user, host) = account.rsplit_once('@').unwrap_or((account, "%"));
    let literal = |part: &str| format!("'{}'", part.replace('\\', "\\\\").replace('\'', "''"));
    format!("{}@{}", literal(user), literal(host))
}

/// An account that may do more than watch is a risk of its own.
pub(super) fn excess(facts: &Capabilities) -> Option<Finding> {
    let is_excessive = |grant: &String| {
        let grant = grant.to_ascii_uppercase();
        grant.contains(" ON *.* ")
            && [
                "ALL PRIVILEGES",
                "SUPER",
                " DROP",
                " DELETE",
                " UPDATE",
                " FILE",
                "CREATE USER",
            ]
            .iter()
            .any(|privilege| grant.contains(privilege))
    };
    facts.grants.iter().any(is_excessive).then(|| {
        finding(
            Severity::Note,
            "account-too-powerful",
            format!("`{}` may do much more than watching needs", facts.account),
            format!(
                "give mydex an account of its own: {}",
                monitoring_account("mydex@%").join("; ")
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_name_the_account_safely() {
        assert_eq!(quoted_account("o'hara@10.0.0.%"), "'o''hara'@'10.0.0.%'");
        assert_eq!(quoted_account("a@b@localhost"), "'a@b'@'localhost'");
        assert_eq!(
            monitoring_account("mydex@%")[1],
            "GRANT PROCESS ON *.* TO 'mydex'@'%'"
        );
    }
}
