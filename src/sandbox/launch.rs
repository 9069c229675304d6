//! Starting a server on a data directory: its command line, its password, its port, its readiness.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::time::Instant;

use super::instance::Endpoint;
use super::program::Program;
use super::watchdog::{End, Watchdog};
use super::{Error, Options, Progress, Report, place, process, template};

/// How long a starting server may take, seconds.
const PATIENCE_SECS: u64 = 120;
/// How often another port is tried when one was taken between choosing and binding it.
const PORT_TRIES: u32 = 5;
/// A Unix socket path has room for 108 bytes with its end, and mysqld adds `.lock` for a file.
const SOCKET_PATH_BYTES: usize = 103;
/// Letters and digits in a password: 190 bits.
const PASSWORD_LENGTH: usize = 32;

/// Starts a server on the data directory in `folder`, and returns when it takes connections.
pub(crate) async fn launch(
    program: &Program,
    folder: &Path,
    end: End,
    options: &Options,
    password: Option<SecretString>,
    report: Report<'_>,
) -> Result<(Watchdog, Endpoint), Error> {
    report(Progress::Starting {
        version: program.version.clone(),
    });
    let password = password.unwrap_or_else(|| place::random_name(PASSWORD_LENGTH).into());
    let (socket, sockets) = socket_path(folder)?;
    place::make_private(&folder.join("tmp"))?;
    let mut tries = 0;
    loop {
        remove_stale(&socket);
        let port = match options.port {
            Some(port) => asked_port(port)?,
            None => free_port()?,
        };
        let _ = fs::remove_file(folder.join("error.log"));
        let _ = fs::remove_file(folder.join("server"));
        write_secrets(folder, &socket, &password)?;
        let command = command_line(program, folder, &socket, port, options);
        let watchdog = Watchdog::start(folder, sockets.as_deref(), end, &command)?;
        match ready(program, folder, &socket).await {
            Ok(pid) => {
                let _ = fs::remove_file(folder.join("init.sql"));
                report(Progress::Ready { port });
                let endpoint = Endpoint {
                    host: "127.0.0.1",
                    port,
                    socket,
                    user: "root",
                    password,
                    version: program.version.clone(),
                    datadir: folder.join("data"),
                    pid,
                    client: program.mysql.clone(),
                };
                return Ok((watchdog, endpoint));
            }
            Err(error) => {
                watchdog.halt(folder).await;
                let taken = port_was_taken(folder);
                match options.port {
                    Some(port) if taken => return Err(Error::PortBusy { port }),
                    None if taken && tries < PORT_TRIES => tries += 1,
                    _ => return Err(error),
                }
            }
        }
    }
}

/// The server's command line. Nothing secret is in it: every user can read it.
fn command_line(
    program: &Program,
    folder: &Path,
    socket: &Path,
    port: u16,
    options: &Options,
) -> Vec<OsString> {
    let path = |name: &str, value: &Path| {
        let mut argument = OsString::from(format!("--{name}="));
        argument.push(value);
        argument
    };
    let mut line: Vec<OsString> = program.mysqld.iter().map(Into::into).collect();
    line.push("--no-defaults".into());
    line.extend(program.places.iter().map(Into::into));
    line.extend(template::user_argument().map(Into::into));
    line.extend([
        path("datadir", &folder.join("data")),
        path("socket", socket),
        path("pid-file", &folder.join("mysqld.pid")),
        path("log-error", &folder.join("error.log")),
        path("tmpdir", &folder.join("tmp")),
        path("init-file", &folder.join("init.sql")),
    ]);
    let on_off = |on: bool| if on { "ON" } else { "OFF" };
    line.extend(
        [
            "--bind-address=127.0.0.1".to_owned(),
            format!("--port={port}"),
            "--mysqlx=OFF".to_owned(),
            "--secure-file-priv=".to_owned(),
            "--performance-schema=ON".to_owned(),
            "--disable-log-bin".to_owned(),
            format!("--local-infile={}", on_off(options.local_infile)),
            format!("--max-connections={}", options.max_connections),
            format!("--innodb-buffer-pool-size={}M", options.buffer_pool_mib),
            // The data is thrown away at the end, so a crash of the machine may cost it.
            "--innodb-flush-log-at-trx-commit=2".to_owned(),
            "--innodb-doublewrite=OFF".to_owned(),
            // What mydex itself costs is measured in processor time and not in time on a machine
            // that server, load and dashboard share.
            "--performance-schema-consumer-events-statements-cpu=ON".to_owned(),
            "--innodb-fast-shutdown=2".to_owned(),
        ]
        .map(OsString::from),
    );
    line.extend(options.extra.iter().map(Into::into));
    line
}

/// Writes the statement that sets the password before the server takes connections, and the
/// client's option file.
fn write_secrets(folder: &Path, socket: &Path, password: &SecretString) -> Result<(), Error> {
    let password = password.expose_secret();
    place::write_private(
        &folder.join("init.sql"),
        &format!("ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';\n"),
    )?;
    place::write_private(
        &folder.join("client.cnf"),
        &format!(
            "[client]\nuser=root\npassword={password}\nsocket=\"{}\"\n",
            socket.display()
        ),
    )
}

/// Removes what a server that was killed leaves beside its socket. The lock file holds its process
/// id, and mysqld refuses to start when any process has that id by now.
fn remove_stale(socket: &Path) {
    let mut lock = socket.as_os_str().to_owned();
    lock.push(".lock");
    for file in [socket.as_os_str(), &lock] {
        let _ = fs::remove_file(file);
    }
}

/// The socket in the instance folder, or in a short private folder of its own when the path would
/// be too long for the kernel. That folder is written down so that whoever clears up finds it.
fn socket_path(folder: &Path) -> Result<(PathBuf, Option<PathBuf>), Error> {
    remove_sockets(folder)?;
    let direct = folder.join("mysql.sock");
    if direct.as_os_str().len() <= SOCKET_PATH_BYTES {
        return Ok((direct, None));
    }
    for base in [std::env::temp_dir(), PathBuf::from("/tmp")] {
        let own = base.join(format!("mydex-{}", place::random_name(10)));
        let socket = own.join("mysql.sock");
        if socket.as_os_str().len() <= SOCKET_PATH_BYTES {
            place::write_private(&folder.join("sockets"), &own.to_string_lossy())?;
            place::make_private(&own)?;
            return Ok((socket, Some(own)));
        }
    }
    Err(Error::SocketPath { path: direct })
}

fn remove_sockets(folder: &Path) -> Result<(), Error> {
    match fs::read_to_string(folder.join("sockets")) {
        Ok(own) => place::remove_tree(Path::new(&own)),
        Err(_) => Ok(()),
    }
}

/// Kills the server of an instance folder if it still runs, and removes all that belongs to it.
/// Its data is thrown away, so there is nothing to wait for.
pub(crate) fn clear(folder: &Path) -> Result<(), Error> {
    process::signal(folder, Signal::KILL);
    remove_sockets(folder)?;
    place::remove_tree(folder)
}

fn asked_port(port: u16) -> Result<u16, Error> {
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(port),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Err(Error::PortBusy { port })
        }
        Err(source) => Err(Error::Port { port, source }),
    }
}

/// A port that is free now. Another process may take it before the server does; then the start is
/// tried again with another.
fn free_port() -> Result<u16, Error> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| Error::Port { port: 0, source })
}

fn port_was_taken(folder: &Path) -> bool {
    let log = fs::read(folder.join("error.log")).unwrap_or_default();
    String::from_utf8_lossy(&log).contains("Bind on TCP/IP port: Address already in use")
}

/// Waits until the server greets a client on its socket, and returns its process id.
///
/// It listens before it has set the password, but greets only after, so nobody is served before.
async fn ready(program: &Program, folder: &Path, socket: &Path) -> Result<u32, Error> {
    let deadline = Instant::now() + Duration::from_secs(PATIENCE_SECS);
    let log = folder.join("error.log");
    let tail = || {
        let before = fs::read(folder.join("output")).unwrap_or_default();
        template::log_tail(&log, &before)
    };
    let mut was_running = false;
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let running = process::running(folder);
        was_running |= running.is_some();
        if let Some(pid) = running
            && is_greeted(socket).await
        {
            return Ok(pid);
        }
        // Between fork and exec the shell stands in the server's place for a moment.
        if running.is_none() && (was_running || recorded_since(folder) >= 2) {
            return Err(Error::Died {
                version: program.version.clone(),
                stage: "starting",
                tail: tail(),
            });
        }
        if Instant::now() > deadline {
            return Err(Error::Silent {
                version: program.version.clone(),
                waited_secs: PATIENCE_SECS,
                tail: tail(),
            });
        }
    }
}

/// Seconds since the server's process id was written down; 0 while it is not.
fn recorded_since(folder: &Path) -> u64 {
    fs::metadata(folder.join("server"))
        .and_then(|data| data.modified())
        .ok()
        .and_then(|time| time.elapsed().ok())
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// Whether the server sends its greeting, which is what it does first on a new connection.
async fn is_greeted(socket: &Path) -> bool {
    let greeting = async {
        let mut stream = UnixStream::connect(socket).await?;
        let mut start = [0_u8; 5];
        stream.read_exact(&mut start).await?;
        Ok::<bool, std::io::Error>(start[4] == 10)
    };
    let limit = Duration::from_millis(500);
    matches!(tokio::time::timeout(limit, greeting).await, Ok(Ok(true)))
}
