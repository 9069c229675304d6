//! `mydex check`: can mydex do its work here, and if not, what exactly is to be done.

use serde::Serialize;

use super::context::Context;
use super::error::{Error, Outcome};
use crate::config::settings::{Monitor, Server};
use crate::model::finding::{Finding, Severity};
use crate::model::units;
use crate::report::doc::{Block, Document};
use crate::server::capability::{self, Capabilities, DigestUse, Flavour};
use crate::server::{self, account, findings};

/// Arguments of `mydex check`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// Show only what needs attention
    #[arg(long)]
    pub quiet: bool,
}

/// What was found, as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the server in the configuration, or `host:port`.
    pub server: String,
    /// `host:port` or the socket.
    pub place: String,
    /// The server's version.
    pub version: String,
    /// `mysql`, `percona` or `mariadb`.
    pub flavour: &'static str,
    /// The account that the server matched.
    pub account: String,
    /// Cipher of the connection; `null` when it is not encrypted.
    pub tls_cipher: Option<String>,
    /// When the server started, by its own clock.
    pub started: String,
    /// Rows in the digest table; `null` when it can't be read.
    pub digest_rows: Option<u64>,
    /// Rows that it has room for.
    pub digest_capacity: Option<u64>,
    /// The worst severity: `ok`, `note`, `warning` or `problem`.
    pub worst: &'static str,
    /// Everything found, the worst first.
    pub findings: Vec<ReportFinding>,
    /// Statements that make the account that mydex needs.
    pub monitoring_account: Vec<String>,
}

/// One finding, as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct ReportFinding {
    /// `ok`, `note`, `warning` or `problem`.
    pub severity: &'static str,
    /// Stable name.
    pub code: &'static str,
    /// What was found.
    pub message: String,
    /// What to do; empty where there is nothing to do.
    pub remedy: String,
}

/// Checks the server of this run.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    let server = context.server()?;
    let (document, report) = check(server, &context.settings().monitor, &args).await?;
    context.emit(&document, &report)?;
    Ok(outcome(&report))
}

/// A finding that stops mydex from doing its work is a problem; a lesser one is not.
#[must_use]
pub fn outcome(report: &Report) -> Outcome {
    if report.worst == word(Severity::Problem) {
        Outcome::Problem
    } else {
        Outcome::Fine
    }
}

/// Connects, asks, and judges. A server that can't be reached is an error.
pub async fn check(
    server: &Server,
    monitor: &Monitor,
    args: &Args,
) -> Result<(Document, Report), Error> {
    let mut connection = server::open(server, monitor).await?;
    let facts = capability::probe(&mut connection, server.socket.is_some()).await?;
    let digests = capability::digest_use(&mut connection).await?;
    connection.close().await;
    Ok(build(server, &facts, digests.as_ref(), args))
}

fn build(
    server: &Server,
    facts: &Capabilities,
    digests: Option<&DigestUse>,
    args: &Args,
) -> (Document, Report) {
    let mut found = findings::findings(facts, digests);
    let worst = found.iter().map(|f| f.severity).max();
    if args.quiet {
        found.retain(|finding| finding.severity > Severity::Ok);
    }
    let account = account::monitoring_account("mydex@%");
    let report = Report {
        server: server.name.clone(),
        place: server::connect::place(server),
        version: facts.version.clone(),
        flavour: flavour(facts.flavour),
        account: facts.account.clone(),
        tls_cipher: facts.tls_cipher.clone(),
        started: facts.started.to_string(),
        digest_rows: digests.map(|used| used.rows),
        digest_capacity: facts.number("performance_schema_digests_size"),
        worst: word(worst.unwrap_or(Severity::Ok)),
        findings: found.iter().map(counterpart).collect(),
        monitoring_account: account.clone(),
    };
    let document = Document {
        title: format!("Check of {}", report.server),
        blocks: vec![
            Block::Facts(summary(&report, facts)),
            Block::Findings(found),
            Block::Heading("The account that mydex needs, and no more".to_owned()),
            Block::Paragraph(
                "PROCESS is for transactions; to explain statements it also needs SELECT and SHOW VIEW on their \
                 schemas, and to kill, CONNECTION_ADMIN on *.*."
                    .to_owned(),
            ),
            Block::Code {
                language: "sql",
                text: account.join(";\n") + ";",
            },
        ],
    };
    (document, report)
}

fn summary(report: &Report, facts: &Capabilities) -> Vec<(String, String)> {
    let digests = match (report.digest_rows, report.digest_capacity) {
        (Some(rows), Some(capacity)) => format!("{rows} of {capacity} rows"),
        (Some(rows), None) => format!("{rows} rows"),
        (None, _) => "not readable".to_owned(),
    };
    let encryption = match (&facts.tls_version, &facts.tls_cipher) {
        (Some(version), Some(cipher)) => format!("{version} {cipher}"),
        (None, Some(cipher)) => cipher.clone(),
        _ => "none".to_owned(),
    };
    [
        ("Server", report.place.clone()),
        ("Version", report.version.clone()),
        ("Account", report.account.clone()),
        ("Encryption", encryption),
        (
            "Up since",
            format!("{} ({})", report.started, units::duration(facts.uptime)),
        ),
        ("Digests", digests),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn counterpart(finding: &Finding) -> ReportFinding {
    ReportFinding {
        severity: word(finding.severity),
        code: finding.code,
        message: finding.message.clone(),
        remedy: finding.remedy.clone(),
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Problem => "problem",
    }
}

fn flavour(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::MySql => "mysql",
        Flavour::Percona => "percona",
        Flavour::MariaDb => "mariadb",
    }
}
