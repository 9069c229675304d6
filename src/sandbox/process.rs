//! Server processes: told apart by their command line before any signal is sent.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal};

/// Variables that no server is given: a library that was built against this machine's C library
/// can't be loaded into a program that brings its own, and the rest is not the server's business.
pub(crate) const NOT_INHERITED: [&str; 3] = ["LD_PRELOAD", "MYDEX_PASSWORD", "MYDEX_URL"];

/// The argument that only the server of this instance folder has.
pub(crate) fn mark(folder: &Path) -> String {
    format!("--datadir={}", folder.join("data").display())
}

/// The process id that the instance's server had or has.
pub(crate) fn recorded_pid(folder: &Path) -> Option<u32> {
    fs::read_to_string(folder.join("server"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Whether `pid` runs with this argument. A process id that was used again, and a process that
/// has ended but was not yet collected, don't.
pub(crate) fn is_server(pid: u32, mark: &str) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
        line.split(|byte| *byte == 0)
            .any(|argument| argument == mark.as_bytes())
    })
}

/// The running server of an instance folder.
pub(crate) fn running(folder: &Path) -> Option<u32> {
    recorded_pid(folder).filter(|pid| is_server(*pid, &mark(folder)))
}

/// Sends a signal to the server of an instance folder; `false` when it does not run.
///
/// The process is held by a descriptor while it is looked at, so that the signal can't reach
/// another one that got the same id in between.
pub(crate) fn signal(folder: &Path, signal: Signal) -> bool {
    let Some(id) = recorded_pid(folder) else {
        return false;
    };
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else {
        return false;
    };
    let held = rustix::process::pidfd_open(pid, PidfdFlags::empty());
    if !is_server(id, &mark(folder)) {
        return false;
    }
    match held {
        Ok(descriptor) => rustix::process::pidfd_send_signal(descriptor, signal).is_ok(),
        // A kernel without such descriptors.
        Err(rustix::io::Errno::NOSYS) => rustix::process::kill_process(pid, signal).is_ok(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_server;

    #[test]
    fn only_an_exact_argument_counts() {
        let own = std::process::id();
        let first = std::env::args().next().unwrap_or_default();
        assert!(is_server(own, &first));
        assert!(!is_server(own, &first[..first.len() - 1]));
        assert!(!is_server(u32::MAX, &first));
    }
}
