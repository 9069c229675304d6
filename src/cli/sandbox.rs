//! `mydex sandbox`: the private MySQL server by itself.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command as Process;

use clap::{Subcommand, ValueHint};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::context::Context;
use super::error::{Error, Outcome};
use super::message;
pub(crate) use super::steps::Steps;
use crate::report::doc::{Block, Document, Table};
use crate::sandbox::named::{self, DEFAULT_NAME, Named};
use crate::sandbox::{self, Endpoint, Options};

/// Options of `mydex sandbox`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a server and leave it running; print its URL with the throwaway password.
    ///
    /// A server of that name that runs already is left as it is. One that a reboot ended starts
    /// again with its data.
    Up(Up),
    /// End a server and remove its data.
    Down(Down),
    /// List the servers, without their passwords.
    Status,
    /// Print the URL of a running server with its throwaway password.
    Url(Which),
    /// Open the mysql client on a running server.
    Shell(Shell),
    /// Install the server program into the cache, and start nothing.
    Install,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Which sandbox.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAME)]
    name: String,
}

#[derive(Debug, clap::Args)]
struct Up {
    #[command(flatten)]
    which: Which,

    /// Use this mysqld instead of the one on PATH or in the cache.
    #[arg(long, env = "MYDEX_MYSQLD", value_name = "PATH",
          value_hint = ValueHint::ExecutablePath)]
    mysqld: Option<PathBuf>,

    /// TCP port on 127.0.0.1; a free one by default.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Connections that the server takes at most.
    #[arg(long, value_name = "N", default_value_t = 1200,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_connections: u32,

    /// Size of the buffer pool, MiB.
    #[arg(long, value_name = "MIB", default_value_t = 512,
          value_parser = clap::value_parser!(u32).range(8..=1_048_576))]
    buffer_pool: u32,

    /// Allow LOAD DATA LOCAL.
    #[arg(long)]
    local_infile: bool,

    /// Further arguments for mysqld, after `--`.
    #[arg(last = true, value_name = "MYSQLD ARGUMENT")]
    extra: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct Down {
    #[command(flatten)]
    which: Which,

    /// End every named sandbox.
    #[arg(long, conflicts_with = "name")]
    all: bool,
}

#[derive(Debug, clap::Args)]
struct Shell {
    #[command(flatten)]
    which: Which,

    /// Arguments for the mysql client, after `--`, such as `-e "SELECT 1"`.
    #[arg(last = true, value_name = "MYSQL ARGUMENT")]
    arguments: Vec<OsString>,
}

/// Runs `mydex sandbox`.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    let work = async {
        match args.command {
            Command::Up(up) => start(context, up).await,
            Command::Down(down) => stop(down).await,
            Command::Status => status(context),
            Command::Url(which) => url(context, &which.name),
            Command::Shell(shell) => open_shell(&shell),
            Command::Install => install(context).await,
        }
    };
    // Dropping the work ends what it started: apt and the server with it.
    tokio::select! {
        biased;
        result = work => result,
        () = context.cancel.cancelled() => Ok(Outcome::Interrupted),
    }
}

/// An error of the sandbox with what to do about it.
pub(crate) fn explain(error: &sandbox::Error) -> Error {
    let explained = Error::from_chain(error);
    match error.remedy() {
        Some(remedy) => explained.hint(remedy),
        None => explained,
    }
}

async fn start(context: &Context, up: Up) -> Result<Outcome, Error> {
    let name = up.which.name;
    let options = Options {
        mysqld: up.mysqld,
        port: up.port,
        max_connections: up.max_connections,
        buffer_pool_mib: up.buffer_pool,
        local_infile: up.local_infile,
        extra: up.extra,
    };
    let mut steps = Steps::new();
    let up = named::up(&name, &options, &mut |progress| steps.show(progress))
        .await
        .map_err(|error| explain(&error))?;
    steps.finish();
    let endpoint = up.endpoint;
    let state = if up.was_running {
        "was already running"
    } else {
        "is running"
    };
    message(&format!(
        "sandbox `{name}` {state}: MySQL {} on 127.0.0.1:{}; end it with `mydex sandbox down --name {name}`",
        endpoint.version, endpoint.port
    ));
    emit_url(context, &name, &endpoint, up.was_running)?;
    Ok(Outcome::Fine)
}

async fn stop(down: Down) -> Result<Outcome, Error> {
    let names = if down.all {
        named::names().map_err(|error| explain(&error))?
    } else {
        vec![down.which.name]
    };
    if names.is_empty() {
        message("no sandbox to end");
    }
    let mut steps = Steps::new();
    for name in names {
        let ended = named::down(&name, &mut |progress| steps.show(progress))
            .await
            .map_err(|error| explain(&error))?;
        steps.finish();
        message(&if ended {
            format!("sandbox `{name}` is gone")
        } else {
            format!("there is no sandbox `{name}`")
        });
    }
    Ok(Outcome::Fine)
}

fn url(context: &Context, name: &str) -> Result<Outcome, Error> {
    let endpoint = named::find(name).map_err(|error| explain(&error))?;
    emit_url(context, name, &endpoint, true)?;
    Ok(Outcome::Fine)
}

async fn install(context: &Context) -> Result<Outcome, Error> {
    let mut steps = Steps::new();
    let program = sandbox::install::install(&mut |progress| steps.show(progress))
        .await
        .map_err(|error| explain(&error))?;
    steps.finish();
    let installed = Installed {
        version: program.version,
        mysqld: program.path.display().to_string(),
    };
    let document = Document {
        title: "Sandbox".to_owned(),
        blocks: vec![Block::Facts(vec![
            ("MySQL".to_owned(), installed.version.clone()),
            ("mysqld".to_owned(), installed.mysqld.clone()),
        ])],
    };
    context.emit(&document, &installed)?;
    Ok(Outcome::Fine)
}

fn status(context: &Context) -> Result<Outcome, Error> {
    let all = named::list().map_err(|error| explain(&error))?;
    let mut table = Table::new(
        "Named sandboxes; `mydex sandbox url` prints the password",
        &["Name", "State", "MySQL", "Host", ">Port", ">PID", "Socket"],
    );
    for one in &all {
        let endpoint = &one.endpoint;
        table.push([
            one.name.clone(),
            state(one).to_owned(),
            endpoint.version.clone(),
            endpoint.host.to_owned(),
            endpoint.port.to_string(),
            endpoint.pid.to_string(),
            endpoint.socket.display().to_string(),
        ]);
    }
    let block = if all.is_empty() {
        Block::Paragraph("No sandbox; `mydex sandbox up` starts one.".to_owned())
    } else {
        Block::Table(table)
    };
    let document = Document {
        title: "Sandboxes".to_owned(),
        blocks: vec![block],
    };
    let json: Vec<Status> = all.iter().map(Status::from).collect();
    context.emit(&document, &json)?;
    Ok(Outcome::Fine)
}

/// Replaces this process by the client. The password is in an option file of this user alone.
fn open_shell(shell: &Shell) -> Result<Outcome, Error> {
    let name = &shell.which.name;
    let endpoint = named::find(name).map_err(|error| explain(&error))?;
    let options = named::client_options(name).map_err(|error| explain(&error))?;
    let client = endpoint.client.unwrap_or_default();
    let Some((program, leading)) = client.split_first() else {
        return Err(Error::new(format!(
            "the server of sandbox `{name}` came without a `mysql` client"
        ))
        .hint("install one, or use the URL of `mydex sandbox url` with another client"));
    };
    let mut defaults = OsString::from("--defaults-file=");
    defaults.push(options);
    let failure = Process::new(program)
        .args(leading)
        .arg(defaults)
        .args(&shell.arguments)
        .env_remove("LD_PRELOAD")
        .exec();
    Err(Error::new(format!(
        "can't run `{}`: {failure}",
        program.display()
    )))
}

/// The one place where the password is printed: a person, or a program, asked for the URL.
fn emit_url(
    context: &Context,
    name: &str,
    endpoint: &Endpoint,
    was_running: bool,
) -> Result<(), Error> {
    if context.format != super::context::Format::Json {
        return context.write(&format!("{}\n", endpoint.url()));
    }
    let reached = Reached {
        url: endpoint.url(),
        name,
        host: endpoint.host,
        port: endpoint.port,
        socket: endpoint.socket.display().to_string(),
        user: endpoint.user,
        password: endpoint.password.expose_secret(),
        version: &endpoint.version,
        datadir: endpoint.datadir.display().to_string(),
        pid: endpoint.pid,
        was_running,
    };
    let document = Document {
        title: String::new(),
        blocks: Vec::new(),
    };
    context.emit(&document, &reached)
}

fn state(named: &Named) -> &'static str {
    if named.is_running {
        "running"
    } else {
        "stopped"
    }
}

/// JSON of `up` and `url`.
#[derive(Serialize)]
struct Reached<'a> {
    url: String,
    name: &'a str,
    host: &'a str,
    port: u16,
    socket: String,
    user: &'a str,
    password: &'a str,
    version: &'a str,
    datadir: String,
    pid: u32,
    was_running: bool,
}

/// JSON of `install`.
#[derive(Serialize)]
struct Installed {
    version: String,
    mysqld: String,
}

/// JSON of one server of `status`.
#[derive(Serialize)]
struct Status {
    name: String,
    state: &'static str,
    version: String,
    host: &'static str,
    port: u16,
    socket: String,
    datadir: String,
    pid: Option<u32>,
}

impl From<&Named> for Status {
    fn from(named: &Named) -> Self {
        let endpoint = &named.endpoint;
        Self {
            name: named.name.clone(),
            state: state(named),
            version: endpoint.version.clone(),
            host: endpoint.host,
            port: endpoint.port,
            socket: endpoint.socket.display().to_string(),
            datadir: endpoint.datadir.display().to_string(),
            pid: named.is_running.then_some(endpoint.pid),
        }
    }
}
