//! What can go wrong with a private server, and what to do about it.

use std::io;
use std::path::PathBuf;

/// Why there is no private server. Never holds a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No home directory, so no cache or state directory.
    #[error("no home directory to keep the sandbox in")]
    NoHome,
    /// A file operation failed.
    #[error("can't {action} `{path}`: {source}")]
    File {
        /// What was tried, such as `create`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Not enough room.
    #[error("`{path}` has {free_mib} MiB free, and {need_mib} MiB are needed to {purpose}")]
    DiskFull {
        /// Where.
        path: PathBuf,
        /// Free for this user, MiB.
        free_mib: u64,
        /// Needed, MiB.
        need_mib: u64,
        /// What for.
        purpose: &'static str,
    },
    /// The disk filled up while installing.
    #[error("the disk filled up while installing MySQL; the installer said:\n{tail}")]
    DiskFilled {
        /// Last lines of apt or dpkg.
        tail: String,
    },
    /// A helper program could not be started.
    #[error("can't run `{program}`: {source}")]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The `mysqld` that was asked for is not one, or too old.
    #[error("`{path}` can't be used: {reason}")]
    Unusable {
        /// The program.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// No mysqld anywhere, and no apt to get one.
    #[error("no `mysqld` on PATH, none in `{cache}`, and no `apt-get` here to install one")]
    NoApt {
        /// Where installed servers would be.
        cache: PathBuf,
    },
    /// apt is here, but the machine is no Debian.
    #[error(
        "no `mysqld` on PATH, none in `{cache}`, and no enabled Debian archive over http(s) in the apt sources under `/etc/apt` to install one from"
    )]
    NoDebianMirror {
        /// Where installed servers would be.
        cache: PathBuf,
    },
    /// The packages exist for other processors only.
    #[error("no MySQL packages can be installed for the architecture `{arch}`")]
    Architecture {
        /// As dpkg calls it.
        arch: String,
    },
    /// The mirror could not be reached.
    #[error("the Debian mirror can't be reached to install MySQL; apt said:\n{tail}")]
    Network {
        /// Last lines of apt.
        tail: String,
    },
    /// Signature or date of the index is not accepted.
    #[error("apt does not trust the package index; it said:\n{tail}")]
    Signature {
        /// Last lines of apt.
        tail: String,
    },
    /// apt or dpkg failed in another way.
    #[error("`{program}` failed while installing MySQL; it said:\n{tail}")]
    Package {
        /// Which of them.
        program: &'static str,
        /// Its last lines.
        tail: String,
    },
    /// What was unpacked is not complete.
    #[error("the unpacked packages in `{path}` have no `{missing}`")]
    Incomplete {
        /// Where.
        path: PathBuf,
        /// What lacks.
        missing: &'static str,
    },
    /// The port asked for is taken.
    #[error("port {port} on 127.0.0.1 is in use")]
    PortBusy {
        /// The port.
        port: u16,
    },
    /// No port can be listened on.
    #[error("can't listen on port {port} of 127.0.0.1: {source}")]
    Port {
        /// The port, 0 for any.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// The server ended while it was starting.
    #[error("`mysqld` {version} ended while {stage}; the last lines of its log:\n{tail}")]
    Died {
        /// Its version.
        version: String,
        /// `starting` or `initialising`.
        stage: &'static str,
        /// Last lines of its log.
        tail: String,
    },
    /// The server runs but takes no connections.
    #[error(
        "`mysqld` {version} takes no connections after {waited_secs} s; the last lines of its log:\n{tail}"
    )]
    Silent {
        /// Its version.
        version: String,
        /// How long we waited, seconds.
        waited_secs: u64,
        /// Last lines of its log.
        tail: String,
    },
    /// No path for the Unix socket is short enough.
    #[error("the Unix socket path `{path}` is longer than 103 bytes")]
    SocketPath {
        /// The shortest one found.
        path: PathBuf,
    },
    /// A name of an instance that can't be a folder name.
    #[error("`{name}` is not a name for a sandbox")]
    Name {
        /// The name.
        name: String,
    },
    /// No such instance.
    #[error("no sandbox `{name}` is running")]
    NotRunning {
        /// Its name.
        name: String,
    },
    /// The folder of an instance can't be understood.
    #[error("the description of sandbox `{name}` in `{path}` can't be read: {reason}")]
    State {
        /// Its name.
        name: String,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A background task ended abnormally.
    #[error("a background task of the sandbox ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Error {
    /// A failed file operation; a full disk keeps its own name in `source`.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let by_hand = "install MySQL 8.0 or later with the system's package manager \
                       (Ubuntu: `apt install mysql-server-core-8.4`, Fedora: `dnf install \
                       mysql-server`, macOS: `brew install mysql`) and run again, or name a \
                       server with `--mysqld PATH`";
        let text = match self {
            Self::NoHome => "set HOME, or MYDEX_CACHE_DIR and MYDEX_STATE_DIR".to_owned(),
            Self::File { source, .. } => return file_remedy(source),
            Self::DiskFull { .. } | Self::DiskFilled { .. } => {
                "free some space, or point MYDEX_CACHE_DIR and \
                                      MYDEX_STATE_DIR at a larger disk"
                    .to_owned()
            }
            Self::Unusable { .. } => {
                "MySQL 8.0 or later is needed; leave `--mysqld` out to have one installed"
                    .to_owned()
            }
            Self::Spawn { .. } => "see that it exists and may be executed".to_owned(),
            Self::NoApt { .. } | Self::NoDebianMirror { .. } | Self::Architecture { .. } => {
                by_hand.to_owned()
            }
            Self::Network { .. } => "check network, DNS and apt's proxy settings and run again; \
                                     what was downloaded is kept"
                .to_owned(),
            Self::Signature { .. } => "check the machine's date, and update the package \
                                       `debian-archive-keyring`"
                .to_owned(),
            Self::Incomplete { path, .. } => {
                format!("remove `{}` and run again", path.display())
            }
            Self::PortBusy { .. } | Self::Port { .. } => {
                "leave `--port` out to get a free one, or end what listens there".to_owned()
            }
            Self::Silent { .. } => "the machine may be overloaded; run again".to_owned(),
            Self::SocketPath { .. } => "set TMPDIR to a shorter path".to_owned(),
            Self::Name { .. } => {
                "use 1 to 40 letters, digits, `-` and `_`, starting with a letter or digit"
                    .to_owned()
            }
            Self::NotRunning { name } => format!(
                "start it with `mydex sandbox up --name {name}`; `mydex sandbox status` lists all"
            ),
            Self::State { name, .. } => {
                format!("`mydex sandbox down --name {name}` removes it")
            }
            Self::Died { tail, .. } if is_denied(tail) => "a security profile may confine this \
                                                           `mysqld` to the system's folders; \
                                                           copy it elsewhere and name the copy \
                                                           with `--mysqld PATH`"
                .to_owned(),
            Self::Package { .. } | Self::Died { .. } | Self::Task(_) => return None,
        };
        Some(text)
    }
}

/// Whether the log says that the server was kept from its own folder, as `AppArmor` does on some
/// systems with the `mysqld` of a package.
fn is_denied(log: &str) -> bool {
    ["Errcode: 13", "errno: 13", "Permission denied"]
        .iter()
        .any(|word| log.contains(word))
}

fn file_remedy(source: &io::Error) -> Option<String> {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(
            "make the folder writable, or set MYDEX_CACHE_DIR and MYDEX_STATE_DIR to folders \
             that are"
                .to_owned(),
        ),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(
            "free some space, or point MYDEX_CACHE_DIR and MYDEX_STATE_DIR at a larger disk"
                .to_owned(),
        ),
        _ => None,
    }
}
