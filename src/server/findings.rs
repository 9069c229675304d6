//! Facts about a server to findings with their exact remedy.

use super::account::{excess, quoted_account};
use super::capability::{Access, Capabilities, DigestUse, Flavour, Source};
use super::instruments;
use crate::model::finding::{Finding, Severity};

/// Everything that was found, the worst first; what is as it should be is there, too.
#[must_use]
pub fn findings(facts: &Capabilities, digests: Option<&DigestUse>) -> Vec<Finding> {
    let mut found = vec![version(facts), encryption(facts)];
    found.extend(performance_schema(facts));
    if facts.has_performance_schema() {
        found.extend(sources(facts));
        found.extend(instruments::consumers(facts));
        found.extend(instruments::instruments(facts));
        found.extend(instruments::texts(facts));
        found.extend(instruments::capacity(facts, digests));
    } else {
        found.extend(source(facts, Source::Transactions));
    }
    found.extend(excess(facts));
    found.extend(connections(facts));
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

/// What limits the view, each one sentence with its remedy, for banners.
#[must_use]
pub fn limits(found: &[Finding]) -> Vec<String> {
    found
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning)
        .map(|finding| {
            if finding.remedy.is_empty() {
                finding.message.clone()
            } else {
                format!("{}: {}", finding.message, finding.remedy)
            }
        })
        .collect()
}

pub(super) fn finding(
    severity: Severity,
    code: &'static str,
    message: impl Into<String>,
    remedy: impl Into<String>,
) -> Finding {
    Finding {
        severity,
        code,
        message: message.into(),
        remedy: remedy.into(),
    }
}

fn version(facts: &Capabilities) -> Finding {
    let version = &facts.version;
    let major: u32 = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok())
        .unwrap_or(0);
    match facts.flavour {
        Flavour::MariaDb => finding(
            Severity::Warning,
            "version",
            format!("MariaDB `{version}` lacks histograms, statement samples and processor times"),
            "expect the Queries and Overview views without quantiles and samples",
        ),
        Flavour::MySql | Flavour::Percona if major < 8 => finding(
            Severity::Warning,
            "version",
            format!(
                "MySQL `{version}` is older than 8.0 and lacks latency histograms and statement samples"
            ),
            "upgrade to a supported release",
        ),
        Flavour::MySql => finding(Severity::Ok, "version", format!("MySQL `{version}`"), ""),
        Flavour::Percona => finding(
            Severity::Ok,
            "version",
            format!("Percona Server `{version}`"),
            "",
        ),
    }
}

fn encryption(facts: &Capabilities) -> Finding {
    match (&facts.tls_cipher, facts.is_socket) {
        (Some(cipher), _) => finding(
            Severity::Ok,
            "tls",
            format!(
                "the connection is encrypted with `{}` `{cipher}`",
                facts.tls_version.as_deref().unwrap_or("TLS")
            ),
            "",
        ),
        (None, true) => finding(
            Severity::Ok,
            "tls",
            "the connection is a local socket, which needs no encryption",
            "",
        ),
        (None, false) => finding(
            Severity::Warning,
            "tls",
            "the connection is not encrypted",
            "set tls.mode = \"required\" for this server; the server needs ssl_cert and ssl_key",
        ),
    }
}

fn performance_schema(facts: &Capabilities) -> Vec<Finding> {
    if facts.has_performance_schema() {
        return vec![finding(
            Severity::Ok,
            "performance-schema",
            "performance_schema is on",
            "",
        )];
    }
    vec![finding(
        Severity::Problem,
        "performance-schema",
        "performance_schema is off: no digests, latencies or statement texts",
        "set performance_schema=ON under [mysqld] in the server's option file and restart it",
    )]
}

fn sources(facts: &Capabilities) -> Vec<Finding> {
    let denied: Vec<_> = Source::ALL
        .into_iter()
        .filter(|source| {
            *source != Source::Transactions
                && matches!(facts.access.get(source), Some(Access::Denied(_)))
        })
        .collect();
    let mut found = Vec::new();
    if denied.len() > 1 {
        // One grant opens all of them, so that one finding says it.
        found.push(finding(
            Severity::Problem,
            "grant-performance-schema",
            format!(
                "`{}` may not read performance_schema ({} tables that mydex needs)",
                facts.account,
                denied.len()
            ),
            format!(
                "GRANT SELECT ON performance_schema.* TO {}",
                quoted_account(&facts.account)
            ),
        ));
        found.extend(source(facts, Source::Transactions));
        return found;
    }
    for each in Source::ALL {
        found.extend(source(facts, each));
    }
    if found.is_empty() {
        found.push(finding(
            Severity::Ok,
            "grants",
            format!("`{}` may read everything that mydex reads", facts.account),
            "",
        ));
    }
    found
}

fn source(facts: &Capabilities, source: Source) -> Option<Finding> {
    let table = source.table();
    let who = quoted_account(&facts.account);
    match (facts.access.get(&source)?, source) {
        (Access::Readable, _) => None,
        (Access::Denied(_), Source::Transactions) => Some(finding(
            Severity::Warning,
            "grant-process",
            format!(
                "`{}` may not read {table}: sessions are shown without their transactions",
                facts.account
            ),
            format!("GRANT PROCESS ON *.* TO {who}"),
        )),
        (Access::Denied(_), _) => Some(finding(
            if matches!(source, Source::Threads | Source::Digests) {
                Severity::Problem
            } else {
                Severity::Warning
            },
            "grant-table",
            format!("`{}` may not read {table}", facts.account),
            format!("GRANT SELECT ON {table} TO {who}"),
        )),
        (Access::Missing(_), Source::HistogramGlobal | Source::HistogramByDigest) => Some(finding(
            Severity::Warning,
            "no-histograms",
            format!("this server has no {table}: no quantiles of latency"),
            "MySQL 8.0 and later have it",
        )),
        (Access::Missing(reason), _) => Some(finding(
            Severity::Warning,
            "no-table",
            format!("{table} can't be read: {reason}"),
            "",
        )),
    }
}

fn connections(facts: &Capabilities) -> Option<Finding> {
    // Two for mydex, and a few for the people who will look into an incident.
    const LEAST: u64 = 10;
    let max = facts.number("max_connections")?;
    (max < LEAST).then(|| {
        finding(
            Severity::Warning,
            "max-connections",
            format!("max_connections is {max}, and mydex takes two"),
            "SET GLOBAL max_connections to 10 or more",
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    fn facts() -> Capabilities {
        Capabilities {
            version: "9.7.4".into(),
            flavour: Flavour::MySql,
            account: "mydex@%".into(),
            tls_cipher: Some("TLS_AES_256_GCM_SHA384".into()),
            tls_version: Some("TLSv1.3".into()),
            is_socket: false,
            started: Timestamp::UNIX_EPOCH,
            uptime: Duration::from_mins(1),
            variables: [
                ("performance_schema", "ON"),
                ("performance_schema_digests_size", "10000"),
                ("performance_schema_max_sql_text_length", "4096"),
                ("performance_schema_max_digest_length", "4096"),
                ("max_digest_length", "4096"),
                ("max_connections", "151"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            access: Source::ALL.map(|s| (s, Access::Readable)).into(),
            columns: [].into(),
            consumers: [
                "global_instrumentation",
                "thread_instrumentation",
                "statements_digest",
                "events_statements_current",
                "events_statements_history",
                "events_statements_cpu",
            ]
            .map(|name| (name.to_owned(), true))
            .into(),
            statement_instruments_off: Some((0, 150)),
            grants: vec!["GRANT PROCESS ON *.* TO `mydex`@`%`".into()],
            digests_lost: Some(0),
        }
    }

    fn worst(facts: &Capabilities, digests: Option<&DigestUse>) -> Vec<(Severity, &'static str)> {
        findings(facts, digests)
            .iter()
            .filter(|f| f.severity > Severity::Ok)
            .map(|f| (f.severity, f.code))
            .collect()
    }

    #[test]
    fn a_server_as_it_should_be_has_no_complaints() {
        let used = DigestUse {
            rows: 100,
            calls: (1_000, 0),
            time_ps: (1_000, 0),
        };
        assert_eq!(worst(&facts(), Some(&used)), []);
        assert!(limits(&findings(&facts(), Some(&used))).is_empty());
    }

    #[test]
    fn each_lack_has_its_finding() {
        type Change = fn(&mut Capabilities);
        let cases: [(Change, Severity, &str); 8] = [
            (
                |f| {
                    f.variables
                        .insert("performance_schema".into(), "OFF".into());
                },
                Severity::Problem,
                "performance-schema",
            ),
            (|f| f.tls_cipher = None, Severity::Warning, "tls"),
            (
                |f| {
                    f.consumers.insert("statements_digest".into(), false);
                },
                Severity::Problem,
                "consumer",
            ),
            (
                |f| {
                    f.access
                        .insert(Source::Transactions, Access::Denied(String::new()));
                },
                Severity::Warning,
                "grant-process",
            ),
            (
                |f| {
                    for source in Source::ALL {
                        f.access.insert(source, Access::Denied(String::new()));
                    }
                },
                Severity::Problem,
                "grant-performance-schema",
            ),
            (
                |f| f.statement_instruments_off = Some((3, 150)),
                Severity::Warning,
                "instruments",
            ),
            (
                |f| f.grants = vec!["GRANT ALL PRIVILEGES ON *.* TO `root`@`%`".into()],
                Severity::Note,
                "account-too-powerful",
            ),
            (
                |f| f.flavour = Flavour::MariaDb,
                Severity::Warning,
                "version",
            ),
        ];
        for (change, severity, code) in cases {
            let mut facts = facts();
            change(&mut facts);
            assert_eq!(
                worst(&facts, None).first(),
                Some(&(severity, code)),
                "{code}"
            );
        }
    }

    #[test]
    fn lost_digests_are_told_as_a_share_of_time() {
        let used = DigestUse {
            rows: 200,
            calls: (1_000, 400),
            time_ps: (1_000, 310),
        };
        let found = findings(&facts(), Some(&used));
        assert!(
            found[0]
                .message
                .starts_with("31.0% of the time and 400 statements are in lost digests"),
            "{}",
            found[0].message
        );
    }
}
