//! The terminal: taken over as late as possible, given back whatever happens.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};

/// Whether the terminal is ours now, so that whoever comes first gives it back once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether any thread has panicked since the terminal was taken.
static PANICKED: AtomicBool = AtomicBool::new(false);

static HOOK: Once = Once::new();

/// Holds the terminal; dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard {
    mouse: bool,
}

impl Guard {
    /// Takes the terminal over: raw mode, alternate screen, mouse and paste reports.
    ///
    /// The panic hook is installed first, so that a panic in between is readable, too.
    pub fn take(mouse: bool) -> io::Result<Self> {
        install_panic_hook();
        let guard = Self { mouse };
        guard.enter()?;
        Ok(guard)
    }

    fn enter(&self) -> io::Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        let entered = enable_raw_mode().and_then(|()| {
            let mut out = io::stdout().lock();
            queue!(out, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
            if self.mouse {
                queue!(out, EnableMouseCapture)?;
            }
            queue!(out, Clear(ClearType::All))?;
            out.flush()
        });
        if entered.is_err() {
            restore();
        }
        entered
    }

    /// Gives the terminal back, stops this process as the shell's job control would, and takes
    /// the terminal over again once it is continued.
    pub fn suspend(&self) -> io::Result<()> {
        restore();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
        self.enter()
    }

    /// Puts text on the clipboard of the terminal (OSC 52), where the terminal allows it.
    pub fn copy(text: &str) -> io::Result<()> {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let mut out = io::stdout().lock();
        write!(out, "\x1b]52;c;{encoded}\x07")?;
        out.flush()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether there is a terminal to draw on and to read keys from.
#[must_use]
pub fn is_present() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal()
}

/// Whether the terminal has been closed under us. The input reader can't tell: it gets nothing
/// but errors from then on.
#[must_use]
pub fn is_gone() -> bool {
    match rustix::termios::tcgetattr(io::stdout()) {
        Ok(_) => false,
        Err(error) => error != rustix::io::Errno::INTR,
    }
}

/// Whether a thread has panicked and the screen was given back because of it.
#[must_use]
pub fn has_panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

/// Gives the terminal back; does nothing when it is not taken. Errors are not told: the terminal
/// may be gone, and there is nobody left to tell.
fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout().lock();
    let _ = execute!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}

/// A panic of any thread gives the terminal back before its message is printed.
fn install_panic_hook() {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if TAKEN.load(Ordering::SeqCst) {
                PANICKED.store(true, Ordering::SeqCst);
            }
            restore();
            tracing::error!("panic: {info}");
            before(info);
        }));
    });
}
