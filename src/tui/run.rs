//! The loop: keys first, then news, then time; a frame whenever something changed.

use std::io;
use std::io::Write as _;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::keys::KeyErrors;
use super::message::{Effect, Message};
use super::model::Model;
use super::settings::TuiConfig;
use super::terminal::{self, Guard};
use super::update::update;
use super::view::{Hits, view};
use crate::model::feed::{Feed, Request};

/// Time between two looks at the clock.
const TICK: Duration = Duration::from_millis(250);

/// Events that are handled before the next frame at most, so that a held key can't starve it.
const BURST: usize = 64;

/// How the dashboard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The user left.
    Quit,
    /// The token was cancelled: a signal, or the end of the run.
    Cancelled,
    /// The terminal was closed.
    TerminalClosed,
    /// All senders of news are gone: the collectors ended or failed.
    FeedClosed,
}

/// Why the dashboard could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Standard input or output is not a terminal.
    #[error("no terminal to draw on; `mydex top --once` prints one interval without one")]
    NoTerminal,
    /// Mistakes in the key overrides.
    #[error(transparent)]
    Keys(#[from] KeyErrors),
    /// The terminal refused something.
    #[error("cannot {action} the terminal: {source}")]
    Terminal {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The frame trace can't be written.
    #[error("cannot write the frame trace `{path}`: {source}", path = path.display())]
    Trace {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A thread panicked; its message has been printed.
    #[error("an internal task panicked; its message is above and in the log")]
    Panicked,
}

/// Shows the dashboard until the user leaves, the token is cancelled, the terminal is closed or
/// the feed ends. The terminal is given back in every case, panics of any thread included.
pub async fn run(
    config: TuiConfig,
    feed: mpsc::Receiver<Feed>,
    requests: mpsc::Sender<Request>,
    cancel: CancellationToken,
) -> Result<End, Error> {
    let mut model = Model::new(config, Timestamp::now())?;
    if !terminal::is_present() {
        return Err(Error::NoTerminal);
    }
    let trace = open_trace(&model)?;
    let failed = |action| move |source| Error::Terminal { action, source };
    let guard = Guard::take(model.config.mouse).map_err(failed("take over"))?;
    let mut terminal =
        Terminal::new(CrosstermBackend::new(io::stdout())).map_err(failed("open"))?;
    let mut device = Tty { guard: &guard };
    let mut wires = Wires {
        events: EventStream::new(),
        feed,
        requests,
        cancel,
        trace,
    };
    let end = run_loop(&mut terminal, &mut model, &mut wires, &mut device).await;
    match end {
        Ok(end) => Ok(end),
        Err(LoopError::Panicked) => Err(Error::Panicked),
        // A closed terminal shows as an error of reading or writing; there is nobody to tell.
        Err(LoopError::Io(_)) if terminal::is_gone() => Ok(End::TerminalClosed),
        Err(LoopError::Io(source)) => Err(Error::Terminal {
            action: "use",
            source,
        }),
    }
}

fn open_trace(model: &Model) -> Result<Option<std::fs::File>, Error> {
    let Some(path) = &model.config.frame_trace else {
        return Ok(None);
    };
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path);
    opened.map(Some).map_err(|source| Error::Trace {
        path: path.clone(),
        source,
    })
}

/// What the loop is connected to.
pub(super) struct Wires<E> {
    pub(super) events: E,
    pub(super) feed: mpsc::Receiver<Feed>,
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) cancel: CancellationToken,
    pub(super) trace: Option<std::fs::File>,
}

/// What the loop needs of the terminal besides frames.
pub(super) trait Device {
    fn copy(&mut self, text: &str) -> io::Result<()>;
    fn suspend(&mut self) -> io::Result<()>;
    fn is_gone(&self) -> bool;
}

struct Tty<'a> {
    guard: &'a Guard,
}

impl Device for Tty<'_> {
    fn copy(&mut self, text: &str) -> io::Result<()> {
        Guard::copy(text)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.guard.suspend()
    }

    fn is_gone(&self) -> bool {
        terminal::is_gone()
    }
}

#[derive(Debug)]
pub(super) enum LoopError {
    Io(io::Error),
    Panicked,
}

impl From<io::Error> for LoopError {
    fn from(error: io::Error) -> Self {
        LoopError::Io(error)
    }
}

/// The loop over any backend and any source of events.
pub(super) async fn run_loop<B, E, D>(
    terminal: &mut Terminal<B>,
    model: &mut Model,
    wires: &mut Wires<E>,
    device: &mut D,
) -> Result<End, LoopError>
where
    B: Backend,
    E: Stream<Item = io::Result<Event>> + Unpin,
    D: Device,
{
    let started = Instant::now();
    let frame = Duration::from_secs(1) / u32::from(model.config.max_fps.max(1));
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut stop = stop_signal();
    let mut screen = Screen::new(started);
    if let Ok(size) = terminal.size() {
        update(model, Message::Resize(size.width, size.height));
    }
    loop {
        if terminal::has_panicked() {
            return Err(LoopError::Panicked);
        }
        let pressed = screen.pressed.take();
        if pressed.is_some() || (screen.dirty && Instant::now() >= screen.next) {
            screen.draw(terminal, model, frame)?;
            if let (Some(pressed), Some(trace)) = (pressed, &mut wires.trace) {
                // A trace that can't be written must not end the dashboard.
                let _ = writeln!(trace, "{}", pressed.elapsed().as_micros());
            }
        }
        tokio::select! {
            biased;
            () = wires.cancel.cancelled() => return Ok(End::Cancelled),
            event = wires.events.next() => {
                let Some(event) = event else { return Ok(End::TerminalClosed) };
                screen.pressed = Some(Instant::now());
                let mut effects = on_event(model, &screen.hits, event?);
                for _ in 0..BURST {
                    let Some(Some(event)) = wires.events.next().now_or_never() else { break };
                    effects.extend(on_event(model, &screen.hits, event?));
                }
                if let Some(end) = perform(terminal, model, wires, device, effects)? {
                    return Ok(end);
                }
            }
            news = wires.feed.recv() => {
                let Some(news) = news else { return Ok(without_feed(&wires.cancel)) };
                let was_empty = model.is_empty();
                let effects = update(model, Message::Feed(Box::new(news)));
                perform(terminal, model, wires, device, effects)?;
                screen.dirty = true;
                if was_empty && !model.is_empty() {
                    // The first figures are what the user waits for.
                    screen.next = Instant::now();
                }
            }
            () = tokio::time::sleep_until(screen.next), if screen.dirty => {}
            () = stop.wait() => {
                perform(terminal, model, wires, device, vec![Effect::Suspend])?;
                screen.dirty = true;
            }
            _ = ticks.tick() => {
                if device.is_gone() {
                    return Ok(End::TerminalClosed);
                }
                let (is_due, effects) = tick(model, started);
                screen.dirty |= is_due;
                perform(terminal, model, wires, device, effects)?;
            }
        }
    }
}

/// How it ends when no more news can come. Whoever cancels ends what feeds the screen as well, and
/// that may be seen first.
fn without_feed(cancel: &CancellationToken) -> End {
    if cancel.is_cancelled() {
        End::Cancelled
    } else {
        End::FeedClosed
    }
}

/// The state of the picture.
struct Screen {
    hits: Hits,
    dirty: bool,
    /// Not before, unless a key was pressed.
    next: Instant,
    /// When the key was read that the next frame answers.
    pressed: Option<Instant>,
}

impl Screen {
    fn new(now: Instant) -> Self {
        Self {
            hits: Hits::default(),
            dirty: true,
            next: now,
            pressed: None,
        }
    }

    fn draw<B: Backend>(
        &mut self,
        terminal: &mut Terminal<B>,
        model: &mut Model,
        frame: Duration,
    ) -> Result<(), LoopError> {
        terminal
            .draw(|frame| self.hits = view(model, frame.buffer_mut()))
            .map_err(|error| io::Error::other(error.to_string()))?;
        if let Some(first) = self.hits.first_line {
            update(model, Message::Settled(first));
        }
        self.dirty = false;
        self.next = Instant::now() + frame;
        Ok(())
    }
}

/// Passes time on; tells whether the picture depends on it now, and what is to be done.
fn tick(model: &mut Model, started: Instant) -> (bool, Vec<Effect>) {
    let before = (model.now.as_second(), model.note_shown);
    let (now, elapsed) = (Timestamp::now(), started.elapsed());
    let effects = update(model, Message::Tick { now, elapsed });
    // Spinners turn four times a second, everything else once.
    let is_due = model.is_empty()
        || model.advisor.run.is_some()
        || model.indexes.run.is_some()
        || before != (model.now.as_second(), model.note_shown);
    (is_due, effects)
}

fn on_event(model: &mut Model, hits: &Hits, event: Event) -> Vec<Effect> {
    let message = match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Message::Key(key),
        Event::Paste(text) => Message::Paste(text),
        Event::Resize(columns, rows) => Message::Resize(columns, rows),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => match hits.at(mouse.column, mouse.row) {
                Some(target) => Message::Click(target),
                None => return Vec::new(),
            },
            MouseEventKind::ScrollDown => Message::Wheel(3),
            MouseEventKind::ScrollUp => Message::Wheel(-3),
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    update(model, message)
}

fn perform<B: Backend, E, D: Device>(
    terminal: &mut Terminal<B>,
    model: &mut Model,
    wires: &Wires<E>,
    device: &mut D,
    effects: Vec<Effect>,
) -> Result<Option<End>, LoopError> {
    for effect in effects {
        match effect {
            Effect::Quit => return Ok(Some(End::Quit)),
            Effect::Copy(text) => device.copy(&text)?,
            Effect::Suspend => {
                device.suspend()?;
                redraw_all(terminal)?;
            }
            Effect::Request(request) => {
                // Never waits: a server that hangs must not hang the keys.
                if let Err(refused) = wires.requests.try_send(request) {
                    update(model, Message::Refused(refused.into_inner()));
                }
            }
        }
    }
    Ok(None)
}

/// Makes the next frame send every cell: something else wrote over the screen. `Terminal::clear`
/// would ask the terminal for its cursor, and the answer would be taken by the event stream.
fn redraw_all<B: Backend>(terminal: &mut Terminal<B>) -> Result<(), LoopError> {
    let failed = |error: B::Error| io::Error::other(error.to_string());
    let size = terminal.size().map_err(failed)?;
    terminal.resize(size.into()).map_err(failed)?;
    Ok(())
}

/// `SIGTSTP` sent from outside; Ctrl-Z arrives as a key in raw mode.
struct StopSignal(Option<tokio::signal::unix::Signal>);

fn stop_signal() -> StopSignal {
    let kind = tokio::signal::unix::SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw());
    // Without the signal the dashboard works, it only can't be stopped from outside.
    StopSignal(tokio::signal::unix::signal(kind).ok())
}

impl StopSignal {
    async fn wait(&mut self) {
        match &mut self.0 {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}
