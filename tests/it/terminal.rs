//! The built binary on a real terminal, against the real server: start, navigate, resize, leave,
//! be ended, and leave the terminal as it was.

use std::ffi::OsStr;
use std::time::Duration;

use rustix::process::Signal;

use crate::pty::Terminal;
use crate::server;

const SOON: Duration = Duration::from_secs(20);

async fn top(rows: u16, columns: u16, arguments: &[&str]) -> (Terminal, tempfile::TempDir) {
    let url = server::shared().await.url();
    let state = tempfile::tempdir().unwrap();
    let environment = [
        ("MYDEX_URL", url.as_str()),
        ("MYDEX_STATE_DIR", state.path().to_str().unwrap()),
    ];
    let arguments = [&["top"], arguments].concat();
    let program = OsStr::new(env!("CARGO_BIN_EXE_mydex"));
    (
        Terminal::start(rows, columns, program, &arguments, &environment),
        state,
    )
}

fn has_data(screen: &str) -> bool {
    screen.contains("live") && screen.contains("connected") && screen.contains("of 1200")
}

#[tokio::test]
async fn starts_shows_each_view_and_quits() {
    let (mut terminal, _state) = top(24, 80, &[]).await;
    terminal.wait_for("data", SOON, has_data);
    for (key, sign) in [
        ("2", "[2 Queries]"),
        ("3", "[3 Sessions]"),
        ("5", "[5 Indexes]"),
        ("7", "[7 Pool"),
        ("1", "[1 Overview]"),
    ] {
        terminal.send(key);
        terminal.wait_for(sign, SOON, |screen| screen.contains(sign));
    }
    terminal.send("?");
    terminal.wait_for("help", SOON, |screen| screen.contains("kill"));
    terminal.send("\x1b");
    terminal.wait_for("the view behind the help", SOON, has_data);
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert_eq!(terminal.leftovers(), [""; 0]);
}

#[tokio::test]
async fn follows_the_size_of_the_terminal() {
    let (mut terminal, _state) = top(24, 80, &[]).await;
    terminal.wait_for("data", SOON, has_data);
    terminal.resize(40, 120);
    terminal.wait_for("a footer in line 40", SOON, |screen| {
        screen
            .lines()
            .nth(39)
            .is_some_and(|footer| footer.contains("quit"))
    });
    terminal.resize(4, 18);
    terminal.wait_for("a sentence", SOON, |screen| !screen.contains("Overview"));
    terminal.resize(24, 80);
    terminal.wait_for("data again", SOON, has_data);
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
}

#[tokio::test]
async fn a_signal_ends_it_in_order() {
    for signal in [Signal::TERM, Signal::HUP] {
        let (mut terminal, _state) = top(24, 80, &[]).await;
        terminal.wait_for("data", SOON, has_data);
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit(SOON).code(), Some(130), "{signal:?}");
        assert_eq!(terminal.leftovers(), [""; 0], "{signal:?}");
    }
}

#[tokio::test]
async fn draws_without_colour_and_without_unicode() {
    let (mut terminal, _state) = top(24, 80, &["--ascii", "--theme", "none"]).await;
    let screen = terminal.wait_for("data", SOON, has_data);
    assert!(screen.is_ascii(), "{screen}");
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
}

#[tokio::test]
async fn a_wrong_password_is_told_after_the_terminal_is_back() {
    let port = server::shared().await.endpoint().port;
    let state = tempfile::tempdir().unwrap();
    let environment = [
        ("MYDEX_PASSWORD", "not-the-password-7431"),
        ("MYDEX_STATE_DIR", state.path().to_str().unwrap()),
    ];
    let url = format!("mysql://root@127.0.0.1:{port}");
    let program = OsStr::new(env!("CARGO_BIN_EXE_mydex"));
    let mut terminal = Terminal::start(
        24,
        80,
        program,
        &["top", "--url", url.as_str()],
        &environment,
    );
    assert_eq!(terminal.wait_exit(SOON).code(), Some(2));
    assert_eq!(terminal.leftovers(), [""; 0]);
    let screen = terminal.screen();
    assert!(screen.contains("access denied"), "{screen}");
    assert!(!screen.contains("7431"), "{screen}");
}
