//! Opening a connection: options from settings, failures sorted by their remedy.

use std::io;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{ConnectOptions, Connection as _};
use tokio::io::AsyncReadExt;

use super::error::{self, Error};
use crate::config::settings::{Server, TlsMode};

/// How a server is reached, without secrets: `host:port`, or the socket's path.
#[must_use]
pub fn place(server: &Server) -> String {
    match &server.socket {
        Some(path) => path.display().to_string(),
        None => format!("{}:{}", server.host, server.port),
    }
}

/// Options of the driver for this server. The session is left as the server makes it: no SQL mode
/// and no time zone of the driver's own, so that a statement means here what it means there.
#[must_use]
pub fn options(server: &Server) -> MySqlConnectOptions {
    let mut options = MySqlConnectOptions::new()
        .host(&server.host)
        .port(server.port)
        .username(&server.user)
        .ssl_mode(match server.tls.mode {
            TlsMode::Disabled => MySqlSslMode::Disabled,
            TlsMode::Preferred => MySqlSslMode::Preferred,
            TlsMode::Required => MySqlSslMode::Required,
            TlsMode::VerifyCa => MySqlSslMode::VerifyCa,
            TlsMode::VerifyIdentity => MySqlSslMode::VerifyIdentity,
        })
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .statement_cache_capacity(0)
        .disable_statement_logging();
    if let Some(path) = &server.socket {
        options = options.socket(path);
    }
    if let Some(password) = &server.password {
        options = options.password(password.expose_secret());
    }
    if let Some(database) = &server.database {
        options = options.database(database);
    }
    if let Some(ca) = &server.tls.ca {
        options = options.ssl_ca(ca);
    }
    options
}

/// Opens a plain connection within `limit`.
pub(super) async fn establish(server: &Server, limit: Duration) -> Result<MySqlConnection, Error> {
    let place = place(server);
    let timed_out = || Error::ConnectTimeout {
        place: place.clone(),
        after: limit,
    };
    refuse_x_protocol(server, limit).await?;
    let options = options(server);
    // The handshake runs in a task of its own, because the driver panics on a greeting that is
    // shorter than MySQL's; a panic there is an answer that is not MySQL's.
    let mut handshake = tokio::spawn(async move { MySqlConnection::connect_with(&options).await });
    match tokio::time::timeout(limit, &mut handshake).await {
        Err(_) => {
            handshake.abort();
            Err(timed_out())
        }
        Ok(Err(_)) => Err(Error::NotMySql {
            place,
            reason: "its greeting makes no sense".to_owned(),
        }),
        Ok(Ok(Err(error))) => Err(of_connect(error, server)),
        Ok(Ok(Ok(connection))) => Ok(connection),
    }
}

/// Port 33060 is usually MySQL's X Protocol, whose greeting the driver can't survive; what is
/// there is looked at first. Other ports are not, because a look costs a failed connection.
async fn refuse_x_protocol(server: &Server, limit: Duration) -> Result<(), Error> {
    const X_PORT: u16 = 33060;
    if server.socket.is_some() || server.port != X_PORT {
        return Ok(());
    }
    let mut head = [0_u8; 5];
    let look = async {
        let mut stream =
            tokio::net::TcpStream::connect((server.host.as_str(), server.port)).await?;
        stream.read_exact(&mut head).await
    };
    match tokio::time::timeout(limit, look).await {
        // A MySQL greeting has protocol version 10 behind its four bytes of header.
        Ok(Ok(_)) if head[4] != 10 => Err(Error::NotMySql {
            place: place(server),
            reason: "it greets as the X Protocol".to_owned(),
        }),
        // Any failure will be met again, and sorted, by the connection itself.
        _ => Ok(()),
    }
}

fn of_connect(error: sqlx::Error, server: &Server) -> Error {
    let place = place(server);
    match error {
        sqlx::Error::Database(database) => of_greeting(
            error::number_of(&*database),
            database.message().to_owned(),
            server,
        ),
        sqlx::Error::Io(source) => of_io(source, server),
        sqlx::Error::Tls(reason) => {
            let reason = reason.to_string();
            if reason.contains("does not support TLS") {
                Error::TlsNotOffered { place }
            } else {
                Error::TlsFailed { place, reason }
            }
        }
        sqlx::Error::Protocol(reason) => Error::NotMySql { place, reason },
        other => Error::Lost {
            place,
            reason: error::reason_of(&other),
        },
    }
}

/// Sorts the error that a server sends in place of its greeting or of its welcome.
fn of_greeting(number: u16, message: String, server: &Server) -> Error {
    let place = place(server);
    match number {
        1045 | 1698 => Error::WrongPassword {
            account: server.user.clone(),
            place,
            password: match &server.password {
                Some(_) => "with a password",
                None => "without a password",
            },
        },
        1040 | 1203 | 1226 => Error::TooManyConnections { place, message },
        1129 | 1130 => Error::HostRejected {
            place,
            message,
            is_blocked: number == 1129,
        },
        1820 | 1862 | 3118 => Error::AccountUnusable {
            account: server.user.clone(),
            place,
            message,
        },
        1049 => Error::UnknownDatabase { place, message },
        1044 => Error::Denied { message },
        3159 => Error::TlsDemanded { place },
        _ => Error::Server { number, message },
    }
}

fn of_io(source: io::Error, server: &Server) -> Error {
    let place = place(server);
    let text = source.to_string();
    let is_tls = text.contains("certificate") || text.contains("handshake") || text.contains("TLS");
    match source.kind() {
        _ if is_tls => Error::TlsFailed {
            place,
            reason: text,
        },
        io::ErrorKind::InvalidInput | io::ErrorKind::NotFound if server.tls.ca.is_some() => {
            Error::TlsFailed {
                place,
                reason: format!("can't read the certificate authority: {text}"),
            }
        }
        _ if server.socket.is_some() => match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Error::Lost {
                place,
                reason: "the server closed it during the greeting".to_owned(),
            },
            _ => Error::Socket { place, source },
        },
        io::ErrorKind::ConnectionRefused => Error::Refused { place },
        _ if text.contains("failed to lookup address") || text.contains("Name or service") => {
            Error::UnknownHost {
                host: server.host.clone(),
            }
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Error::Lost {
            place,
            reason: "the server closed it during the greeting".to_owned(),
        },
        _ => Error::Lost {
            place,
            reason: text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Tls;

    fn server() -> Server {
        Server {
            name: "test".into(),
            host: "db.example".into(),
            port: 3306,
            socket: None,
            user: "app".into(),
            password: Some("s3cret".into()),
            database: None,
            tls: Tls {
                mode: TlsMode::Required,
                ca: None,
            },
            read_only: false,
        }
    }

    #[test]
    fn errors_name_place_and_remedy_and_no_password() {
        for number in [
            1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 1820, 3118, 3159, 9999,
        ] {
            let error = of_greeting(number, "as the server says".into(), &server());
            let text = format!("{error} {}", error.hint());
            assert!(!text.contains("s3cret"), "{text}");
            assert!(!error.hint().is_empty());
        }
        assert_eq!(
            of_greeting(1045, String::new(), &server()).to_string(),
            "access denied for `app` at `db.example:3306` (with a password)"
        );
    }

    #[test]
    fn failures_of_the_network_are_sorted() {
        let sorted = |kind, text: &str| of_io(io::Error::new(kind, text.to_owned()), &server());
        assert!(matches!(
            sorted(io::ErrorKind::ConnectionRefused, "refused"),
            Error::Refused { .. }
        ));
        assert!(matches!(
            sorted(
                io::ErrorKind::Other,
                "failed to lookup address information: Name or service not known"
            ),
            Error::UnknownHost { .. }
        ));
        assert!(matches!(
            sorted(
                io::ErrorKind::InvalidData,
                "invalid peer certificate: UnknownIssuer"
            ),
            Error::TlsFailed { .. }
        ));
    }
}
