//! A real terminal for a real process: a pseudo terminal whose output a terminal emulator reads.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// A process on its own terminal.
pub(crate) struct Terminal {
    input: File,
    slave: OwnedFd,
    child: Child,
    emulator: Arc<Mutex<vt100::Parser>>,
    modes_before: LocalModes,
}

impl Terminal {
    /// Starts `program` on a new terminal of this size, as its session leader.
    pub(crate) fn start<S: AsRef<OsStr>>(
        rows: u16,
        columns: u16,
        program: &OsStr,
        arguments: &[S],
        environment: &[(&str, &str)],
    ) -> Terminal {
        let here = std::env::current_dir().unwrap();
        Self::start_in(&here, rows, columns, program, arguments, environment)
    }

    /// The same in a folder of its own.
    pub(crate) fn start_in<S: AsRef<OsStr>>(
        folder: &Path,
        rows: u16,
        columns: u16,
        program: &OsStr,
        arguments: &[S],
        environment: &[(&str, &str)],
    ) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = rustix::fs::open(
            name.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )
        .unwrap();
        tcsetwinsize(&slave, size(rows, columns)).unwrap();
        let modes_before = tcgetattr(&slave).unwrap().local_modes;
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        // setsid(1) makes the new terminal the controlling one, which no safe call can do here.
        let child = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .arg(program)
            .args(arguments)
            .current_dir(folder)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .envs(environment.iter().copied())
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .unwrap();
        let emulator = Arc::new(Mutex::new(vt100::Parser::new(
            cells(rows),
            cells(columns),
            0,
        )));
        let mut output = File::from(master.try_clone().unwrap());
        let screen = Arc::clone(&emulator);
        std::thread::spawn(move || {
            let mut bytes = [0_u8; 16_384];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                screen.lock().unwrap().process(&bytes[..read]);
            }
        });
        Terminal {
            input: File::from(master),
            slave,
            child,
            emulator,
            modes_before,
        }
    }

    /// What stands on the screen, line by line.
    pub(crate) fn screen(&self) -> String {
        self.emulator.lock().unwrap().screen().contents()
    }

    /// Waits until the screen satisfies `wanted`; fails with the screen as it is after `limit`.
    pub(crate) fn wait_for(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&str) -> bool,
    ) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(
                start.elapsed() < limit,
                "no {what} within {limit:?}; the screen:\n{screen}"
            );
            pause(Duration::from_millis(2));
        }
    }

    /// Types.
    pub(crate) fn send(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
    }

    /// Changes the size, as a window manager does.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        self.emulator
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        tcsetwinsize(&self.slave, size(rows, columns)).unwrap();
    }

    /// Process id of the program.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the end of the program.
    pub(crate) fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            let screen = self.screen();
            assert!(
                start.elapsed() < limit,
                "still running after {limit:?}; the screen:\n{screen}"
            );
            pause(Duration::from_millis(5));
        }
    }

    /// What the program left changed on the terminal; empty when it restored everything.
    pub(crate) fn leftovers(&self) -> Vec<&'static str> {
        // The last bytes may still be on their way through the pseudo terminal.
        pause(Duration::from_millis(50));
        let emulator = self.emulator.lock().unwrap();
        let screen = emulator.screen();
        [
            (
                tcgetattr(&self.slave).unwrap().local_modes != self.modes_before,
                "raw mode",
            ),
            (screen.alternate_screen(), "alternate screen"),
            (screen.hide_cursor(), "hidden cursor"),
            (screen.bracketed_paste(), "bracketed paste"),
            (
                screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None,
                "mouse reporting",
            ),
        ]
        .into_iter()
        .filter_map(|(left, name)| left.then_some(name))
        .collect()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a test outside the runtime waits for a process"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
