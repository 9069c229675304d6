//! The facts about a server that are shown with it, made from its capabilities.

use crate::config::settings::Server;
use crate::model::feed::ServerFacts;
use crate::model::finding::{Finding, Severity};
use crate::server::capability::{Capabilities, DigestUse};
use crate::server::findings;

/// Facts and banners.
#[must_use]
pub fn facts(
    server: &Server,
    capabilities: &Capabilities,
    digests: Option<&DigestUse>,
) -> ServerFacts {
    ServerFacts {
        name: server.name.clone(),
        version: capabilities.version.clone(),
        account: capabilities.account.clone(),
        tls_cipher: capabilities.tls_cipher.clone(),
        started: capabilities.started,
        max_connections: capabilities.number("max_connections"),
        limits: findings::limits(&findings::findings(capabilities, digests)),
    }
}

/// Which limits there are, without their changing numbers: facts are sent again when this changes.
#[must_use]
pub fn limit_codes(capabilities: &Capabilities, digests: Option<&DigestUse>) -> Vec<&'static str> {
    let is_limit = |finding: &&Finding| finding.severity >= Severity::Warning;
    findings::findings(capabilities, digests)
        .iter()
        .filter(is_limit)
        .map(|finding| finding.code)
        .collect()
}
