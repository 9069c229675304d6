//! The process between owner and server: it starts the server, and ends it when its owner ends.
//!
//! It is a shell, so that a test binary can own a server too. Its standard input is a pipe whose
//! other end only the owner holds; the kernel closes that end however the owner ends, SIGKILL
//! included. Pipes of the standard library are closed on exec, so no child of the owner keeps it
//! open.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use super::{Error, process};

/// `$1` instance folder, `$2` `remove` or `keep` it at the end, `$3` folder of the socket or
/// nothing, then the server's command line. A word on standard input is an order: `detach` leaves
/// the server running, `halt` ends it and removes nothing.
///
/// The server's command line is looked at before each signal, since a shell may have collected
/// an ended server and its process id may have been used again.
const SCRIPT: &str = r#"
umask 077
trap '' HUP INT QUIT
trap 'word=' TERM
folder=$1 end=$2 sockets=$3
shift 3
"$@" </dev/null >>"$folder/output" 2>&1 &
server=$!
echo "$server" >"$folder/server.new" && mv "$folder/server.new" "$folder/server"
runs() {
    tr '\0' '\n' 2>/dev/null <"/proc/$server/cmdline" | grep -qxF -e "--datadir=$folder/data"
}
word=
read -r word
if [ "$word" = detach ]; then exit 0; fi
if runs; then kill -TERM "$server"; fi
n=0
while runs && [ "$n" -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
if runs; then kill -KILL "$server"; fi
wait "$server" 2>/dev/null
if [ "$word" = halt ]; then exit 0; fi
if [ -n "$sockets" ]; then rm -rf -- "$sockets"; fi
if [ "$end" = remove ]; then rm -rf -- "$folder"; fi
"#;

/// What becomes of the instance folder when the server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It is removed.
    Remove,
    /// It stays, to be started again.
    Keep,
}

/// A running watchdog; dropping it ends the server.
#[derive(Debug)]
pub(crate) struct Watchdog {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// Starts a watchdog and through it a server with this command line.
    pub(crate) fn start(
        folder: &Path,
        sockets: Option<&Path>,
        end: End,
        command: &[OsString],
    ) -> Result<Self, Error> {
        let shell = PathBuf::from("/bin/sh");
        let mut command_line = Command::new(&shell);
        for name in process::NOT_INHERITED {
            command_line.env_remove(name);
        }
        let mut child = command_line
            .args(["-c", SCRIPT, "mydex-sandbox"])
            .arg(folder)
            .arg(match end {
                End::Remove => "remove",
                End::Keep => "keep",
            })
            .arg(sockets.unwrap_or(Path::new("")))
            .args(command)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its own process group: Ctrl-C in the terminal is for the owner alone.
            .process_group(0)
            .spawn()
            .map_err(|source| Error::Spawn {
                program: shell,
                source,
            })?;
        let pipe = child.stdin.take();
        Ok(Self { child, pipe })
    }

    /// Ends the watchdog and leaves the server running.
    pub(crate) async fn detach(mut self) {
        self.order("detach\n");
        self.ended(Duration::from_secs(5)).await;
    }

    /// Ends server and watchdog and leaves the folder as it is.
    pub(crate) async fn halt(mut self, folder: &Path) {
        self.order("halt\n");
        self.finish(folder).await;
    }

    fn order(&mut self, word: &str) {
        if let Some(mut pipe) = self.pipe.take() {
            // It fails when somebody has killed the watchdog, which then can't do harm either.
            let _ = pipe.write_all(word.as_bytes());
        }
    }

    /// Ends server and watchdog, and waits until what was to be removed is gone.
    pub(crate) async fn stop(mut self, folder: &Path) {
        drop(self.pipe.take());
        self.finish(folder).await;
    }

    async fn finish(&mut self, folder: &Path) {
        if !self.ended(Duration::from_secs(20)).await {
            let _ = self.child.kill();
        }
        // Somebody may have killed the watchdog; the server must end all the same.
        process::signal(folder, rustix::process::Signal::KILL);
    }

    async fn ended(&mut self, patience: Duration) -> bool {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            match self.child.try_wait() {
                Ok(None) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Ok(None) => return false,
                _ => return true,
            }
        }
    }
}
