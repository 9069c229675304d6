//! What can go wrong between mydex and a server, each with its remedy. No message holds a password.

use std::io;
use std::time::Duration;

/// A failed connection or statement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Error 1045: the account or its password is wrong.
    #[error("access denied for `{account}` at `{place}` ({password})")]
    WrongPassword {
        /// Account name.
        account: String,
        /// `host:port` or the socket.
        place: String,
        /// Whether a password was sent; not the password.
        password: &'static str,
    },
    /// The host name does not resolve.
    #[error("unknown host `{host}`")]
    UnknownHost {
        /// The name.
        host: String,
    },
    /// Nothing listens there.
    #[error("connection refused at `{place}`")]
    Refused {
        /// `host:port` or the socket.
        place: String,
    },
    /// The socket file does not exist or may not be opened.
    #[error("can't open the socket `{place}`: {source}")]
    Socket {
        /// Its path.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// TLS is demanded and the server offers none.
    #[error("`{place}` offers no TLS, and the connection requires it")]
    TlsNotOffered {
        /// `host:port` or the socket.
        place: String,
    },
    /// The server's certificate does not satisfy the TLS mode, or the handshake failed.
    #[error("TLS with `{place}` failed: {reason}")]
    TlsFailed {
        /// `host:port` or the socket.
        place: String,
        /// Why, in the TLS library's words.
        reason: String,
    },
    /// Error 3159: the server or the account accepts encrypted connections only.
    #[error("`{place}` accepts encrypted connections only")]
    TlsDemanded {
        /// `host:port` or the socket.
        place: String,
    },
    /// Errors 1040, 1203 and 1226: no connection is left.
    #[error("`{place}` has no connection left: {message}")]
    TooManyConnections {
        /// `host:port` or the socket.
        place: String,
        /// The server's message.
        message: String,
    },
    /// Errors 1129 and 1130: the server does not talk to this host.
    #[error("`{place}` does not accept connections from here: {message}")]
    HostRejected {
        /// `host:port` or the socket.
        place: String,
        /// The server's message.
        message: String,
        /// Blocked after too many errors, as opposed to not permitted at all.
        is_blocked: bool,
    },
    /// Errors 3118, 1820 and 1862: the account is locked or its password has expired.
    #[error("the account `{account}` can't be used at `{place}`: {message}")]
    AccountUnusable {
        /// Account name.
        account: String,
        /// `host:port` or the socket.
        place: String,
        /// The server's message.
        message: String,
    },
    /// Error 1049: the default schema does not exist.
    #[error("unknown database at `{place}`: {message}")]
    UnknownDatabase {
        /// `host:port` or the socket.
        place: String,
        /// The server's message.
        message: String,
    },
    /// No connection within the limit.
    #[error("no connection to `{place}` within {}", crate::model::units::duration(*after))]
    ConnectTimeout {
        /// `host:port` or the socket.
        place: String,
        /// The limit.
        after: Duration,
    },
    /// Something answers, but not in MySQL's protocol.
    #[error("`{place}` does not speak the MySQL protocol: {reason}")]
    NotMySql {
        /// `host:port` or the socket.
        place: String,
        /// What was odd.
        reason: String,
    },
    /// The connection broke.
    #[error("connection to `{place}` lost: {reason}")]
    Lost {
        /// `host:port` or the socket.
        place: String,
        /// Why.
        reason: String,
    },
    /// No answer within the client's limit; the connection can't be used any more.
    #[error("no answer to {statement} within {}", crate::model::units::duration(*after))]
    Timeout {
        /// What was asked, in a few words.
        statement: String,
        /// The limit.
        after: Duration,
    },
    /// The server ended the statement at its own limit: errors 3024, 1205, 1317 and 1969.
    #[error("the server ended {statement}: {message}")]
    Ended {
        /// What was asked, in a few words.
        statement: String,
        /// The server's message.
        message: String,
        /// Its number.
        number: u16,
    },
    /// The account may not do this: errors 1044, 1142, 1143, 1227 and 1370.
    #[error("not permitted: {message}")]
    Denied {
        /// The server's message.
        message: String,
    },
    /// Any other error of the server.
    #[error("the server answered with error {number}: {message}")]
    Server {
        /// Its number.
        number: u16,
        /// Its message.
        message: String,
    },
}

impl Error {
    /// What to do about it, one sentence.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::WrongPassword { .. } => {
                "check the user and the password: MYDEX_PASSWORD, the server's entry in monitor.toml, or ~/.my.cnf".into()
            }
            Self::UnknownHost { .. } => "check the host's spelling and the name service".into(),
            Self::Refused { .. } => {
                "check that the server runs, its port, its bind_address, and firewalls in between".into()
            }
            Self::Socket { .. } => {
                "check that the server runs here and where its socket is (SELECT @@socket), or connect by host and port".into()
            }
            Self::TlsNotOffered { .. } => {
                "give the server a certificate (ssl_cert, ssl_key), or set tls.mode = \"preferred\" where the network is trusted".into()
            }
            Self::TlsFailed { .. } => {
                "name the certificate authority with tls.ca, check that the host name is the certificate's, or use tls.mode = \"required\" to encrypt without verifying".into()
            }
            Self::TlsDemanded { .. } => "set tls.mode = \"required\" for this server".into(),
            Self::TooManyConnections { .. } => {
                "close some connections or raise max_connections; an account with CONNECTION_ADMIN has one connection in reserve".into()
            }
            Self::HostRejected { is_blocked: true, .. } => {
                "on the server: TRUNCATE performance_schema.host_cache, after the cause of the failed connections has been found".into()
            }
            Self::HostRejected { .. } => {
                "create the account for this host ('user'@'host') or check where the connection comes from".into()
            }
            Self::AccountUnusable { .. } => {
                "unlock the account (ALTER USER … ACCOUNT UNLOCK) or give it a new password (ALTER USER … IDENTIFIED BY …)".into()
            }
            Self::UnknownDatabase { .. } => "check the database's spelling, or leave it out".into(),
            Self::ConnectTimeout { .. } => {
                "check host, port and firewalls; a service that is not MySQL can also be silent; connect_timeout sets the limit".into()
            }
            Self::NotMySql { .. } => {
                "check the port: 3306 is usual, and 33060 is the X Protocol, which mydex does not use".into()
            }
            Self::Lost { .. } => "check that the server still runs, and its error log".into(),
            Self::Timeout { .. } => "the server or the network hangs; look at the host's load and disks".into(),
            Self::Ended { number: 1205, .. } => {
                "another session holds a lock on that table; lock_wait_timeout sets how long mydex waits".into()
            }
            Self::Ended { .. } => "statement_timeout sets how long a statement of mydex may run".into(),
            Self::Denied { .. } => "run `mydex check`: it prints the exact GRANT".into(),
            Self::Server { .. } => "look the number up in the server's manual, or run `mydex check`".into(),
        }
    }

    /// Whether the connection can't be used any more.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(
            self,
            Self::Ended { .. } | Self::Denied { .. } | Self::Server { .. }
        )
    }

    /// The server's number of a statement error, where there is one.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        match self {
            Self::Ended { number, .. } | Self::Server { number, .. } => Some(*number),
            _ => None,
        }
    }

    /// Whether trying again later can't help: the credentials or the settings are wrong.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        matches!(
            self,
            Self::WrongPassword { .. }
                | Self::TlsNotOffered { .. }
                | Self::TlsFailed { .. }
                | Self::TlsDemanded { .. }
                | Self::UnknownDatabase { .. }
                | Self::NotMySql { .. }
                | Self::AccountUnusable { .. }
                | Self::HostRejected { .. }
        )
    }
}

/// Sorts an error of a running statement.
pub(super) fn of_statement(error: sqlx::Error, place: &str, statement: &str) -> Error {
    match error {
        sqlx::Error::Database(database) => {
            let number = number_of(&*database);
            let message = database.message().to_owned();
            match number {
                1044 | 1142 | 1143 | 1227 | 1370 => Error::Denied { message },
                1205 | 1317 | 1969 | 3024 => Error::Ended {
                    statement: statement.to_owned(),
                    message,
                    number,
                },
                1053 | 3169 | 4031 => Error::Lost {
                    place: place.to_owned(),
                    reason: message,
                },
                _ => Error::Server { number, message },
            }
        }
        other => Error::Lost {
            place: place.to_owned(),
            reason: reason_of(&other),
        },
    }
}

/// The server's number of a database error.
pub(super) fn number_of(error: &dyn sqlx::error::DatabaseError) -> u16 {
    error
        .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
        .map_or(0, sqlx::mysql::MySqlDatabaseError::number)
}

/// The innermost text of an error of sqlx, which says the cause without its wrapping.
pub(super) fn reason_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(io) if io.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closed it".to_owned()
        }
        sqlx::Error::Io(io) => io.to_string(),
        sqlx::Error::Tls(reason) => reason.to_string(),
        other => other.to_string(),
    }
}
