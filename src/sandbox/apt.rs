//! What is said to apt, and what is understood of its answers.

use std::path::Path;

use super::Error;
use super::sources::Source;

/// What is installed.
pub const PACKAGES: [&str; 2] = ["mysql-server-core", "mysql-client-core"];

/// Debian's keyring, which verifies every suite of its archive.
pub const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/// Needed by scripts of the packages, never by the two programs themselves.
const LEFT_OUT: [&str; 6] = [
    "perl",
    "perl-base",
    "debconf",
    "adduser",
    "passwd",
    "mysql-common",
];

/// A configuration for apt that reads and writes in `work` alone and leaves the machine's proxy
/// and authentication settings as they are.
///
/// Hooks and pins are cleared: a hook is written for the system's own apt runs, and a pin may
/// forbid the suite. `APT::Sandbox::User` matters to root only: `_apt` can't enter a private
/// folder.
#[must_use]
pub fn configuration(work: &Path, architecture: &str) -> String {
    let work = work.display();
    format!(
        r#"Dir::Etc::sourcelist "{work}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{work}/state";
Dir::State::lists "{work}/lists";
Dir::State::status "{work}/status";
Dir::Cache "{work}/cache";
Dir::Cache::archives "{work}/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Log "{work}/log";
#clear APT::Architectures;
APT::Architectures {{ "{architecture}"; }};
APT::Architecture "{architecture}";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
APT::Default-Release "";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Keep-Downloaded-Packages "true";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Get::Assume-Yes "true";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons-hidpi::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
"#
    )
}

/// The source list: the suite that carries MySQL, from the mirror the machine already uses.
#[must_use]
pub fn source_list(source: &Source, keyring: Option<&str>) -> String {
    let options = keyring.map_or_else(String::new, |path| format!("[signed-by={path}] "));
    format!("deb {options}{} sid main\n", source.uri)
}

/// A package status in which nothing is installed but what we leave out, so that apt's own
/// resolver finds exactly the packages that the programs need.
#[must_use]
pub fn package_status(architecture: &str) -> String {
    let one = |name: &&str| {
        format!(
            "Package: {name}\nStatus: install ok installed\nPriority: optional\n\
             Section: misc\nMaintainer: none <none@localhost>\n\
             Architecture: {architecture}\nMulti-Arch: allowed\nVersion: 999\n\
             Description: left out of the sandbox\n\n"
        )
    };
    LEFT_OUT.iter().map(one).collect::<Vec<_>>().concat()
}

/// The file names in the output of `apt-get install --print-uris`, in apt's order.
#[must_use]
pub fn planned_files(output: &str) -> Vec<String> {
    output
        .lines()
        .filter(|line| line.starts_with('\''))
        .filter_map(|line| line.rsplit_once("' ")?.1.split_whitespace().next())
        .filter(|name| is_package_file(name))
        .map(ToOwned::to_owned)
        .collect()
}

fn is_package_file(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, suffix)| suffix == "deb")
        && !name.contains('/')
        && !name.starts_with('.')
}

/// The version in the name of the server's package file, such as `9.7.4-2`.
#[must_use]
pub fn server_version(files: &[String]) -> Option<String> {
    files.iter().find_map(|file| {
        let rest = file.strip_prefix(PACKAGES[0])?.strip_prefix('_')?;
        let (version, _) = rest.split_once('_')?;
        Some(version.replace("%3a", "."))
    })
}

/// Percent in a line of apt's `APT::Status-Fd`: `dlstatus:7:7.2281:Retrieving file 7 of 52`.
#[must_use]
pub fn download_percent(line: &str) -> Option<f64> {
    let mut fields = line.strip_prefix("dlstatus:")?.split(':');
    let percent = fields.nth(1)?.parse::<f64>().ok()?;
    if percent.is_nan() {
        return None;
    }
    Some(percent.clamp(0.0, 100.0))
}

/// Whether apt waits for a lock that an apt of a killed process still holds.
#[must_use]
pub fn is_locked(output: &str) -> bool {
    output.contains("Could not get lock") || output.contains("Unable to lock directory")
}

/// What a failed apt or dpkg run means.
#[must_use]
pub fn failure(program: &'static str, output: &str) -> Error {
    const NETWORK: [&str; 11] = [
        "Temporary failure resolving",
        "Could not resolve",
        "Could not connect",
        "Cannot initiate the connection",
        "Unable to connect",
        "Connection timed out",
        "Connection failed",
        "Connection refused",
        "Network is unreachable",
        "Failed to fetch",
        "Invalid response from proxy",
    ];
    const SIGNATURE: [&str; 6] = [
        "NO_PUBKEY",
        "EXPKEYSIG",
        "BADSIG",
        "is not signed",
        "not valid yet",
        "is expired",
    ];
    const SPACE: [&str; 3] = [
        "No space left on device",
        "enough free space",
        "Disk quota exceeded",
    ];
    let any = |words: &[&str]| words.iter().any(|word| output.contains(word));
    let tail = tail(output, 6);
    if any(&SPACE) {
        Error::DiskFilled { tail }
    } else if any(&SIGNATURE) {
        Error::Signature { tail }
    } else if any(&NETWORK) {
        Error::Network { tail }
    } else {
        Error::Package { program, tail }
    }
}

/// The last `lines` lines that say something, made safe to print, indented by two.
#[must_use]
pub fn tail(text: &str, lines: usize) -> String {
    let kept: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let last = kept.get(kept.len().saturating_sub(lines)..).unwrap_or(&[]);
    if last.is_empty() {
        return "  (nothing)".to_owned();
    }
    last.iter()
        .map(|line| format!("  {}", crate::model::text::inline(line)))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Error, download_percent, failure, planned_files, server_version, tail};

    #[test]
    fn plan_is_read() {
        let output = "Reading package lists...\n\
            'http://m.example/pool/g/gcc-16-base_16.2.0-4_amd64.deb' gcc-16-base_16.2.0-4_amd64.deb 39300 SHA256:00\n\
            'http://m.example/x/evil' ../evil.deb 1 SHA256:00\n\
            'http://m.example/pool/m/mysql-server-core_9.7.4-2_amd64.deb' mysql-server-core_9.7.4-2_amd64.deb 2 SHA256:00\n";
        let files = planned_files(output);
        assert_eq!(
            files,
            [
                "gcc-16-base_16.2.0-4_amd64.deb",
                "mysql-server-core_9.7.4-2_amd64.deb"
            ]
        );
        assert_eq!(server_version(&files).as_deref(), Some("9.7.4-2"));
        assert_eq!(server_version(&files[..1]), None);
    }

    #[test]
    fn percent_is_read() {
        assert_eq!(
            download_percent("dlstatus:7:62.1607:Retrieving file 7 of 52"),
            Some(62.1607)
        );
        assert_eq!(download_percent("dlstatus:7:many:"), None);
        assert_eq!(download_percent("Get:1 somewhere"), None);
    }

    #[test]
    fn failures_are_told_apart() {
        let network = "E: Failed to fetch x  Temporary failure resolving 'm.example'";
        assert!(matches!(failure("apt-get", network), Error::Network { .. }));
        let signature = "W: GPG error: x sid InRelease: NO_PUBKEY 00\nE: Failed to fetch x";
        assert!(matches!(
            failure("apt-get", signature),
            Error::Signature { .. }
        ));
        let space = "dpkg-deb: error: No space left on device";
        assert!(matches!(
            failure("dpkg-deb", space),
            Error::DiskFilled { .. }
        ));
        let other = "E: Unable to locate package mysql-server-core";
        assert!(matches!(failure("apt-get", other), Error::Package { .. }));
    }

    #[test]
    fn tail_is_safe_and_short() {
        assert_eq!(tail("a\n\nb\x1b[2J\nc\n", 2), "  b\\x1b[2J\n  c");
        assert_eq!(tail("\n", 3), "  (nothing)");
    }
}
