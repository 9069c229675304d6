//! Drives the model as the loop does, and renders what is on the screen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::fixture;
use crate::model::feed::Feed;
use crate::tui::message::{Effect, Message};
use crate::tui::model::Model;
use crate::tui::settings::TuiConfig;
use crate::tui::theme::Palette;
use crate::tui::update::update;
use crate::tui::view::{Hits, view};

pub(super) struct Stage {
    pub(super) model: Model,
    pub(super) effects: Vec<Effect>,
    size: (u16, u16),
}

impl Stage {
    pub(super) fn new(size: (u16, u16)) -> Self {
        Self::with(size, TuiConfig::default())
    }

    /// A stage without colours and without Unicode.
    pub(super) fn plain(size: (u16, u16)) -> Self {
        Self::with(
            size,
            TuiConfig {
                palette: Palette::None,
                ascii: true,
                ..TuiConfig::default()
            },
        )
    }

    pub(super) fn with(size: (u16, u16), config: TuiConfig) -> Self {
        let mut stage = Self {
            model: Model::new(config, fixture::at(-45)).unwrap(),
            effects: Vec::new(),
            size,
        };
        stage.tell(Message::Resize(size.0, size.1));
        stage
    }

    /// A stage on which a minute has passed.
    pub(super) fn played(size: (u16, u16), with_load: bool) -> Self {
        static PLAYED: [OnceLock<Model>; 2] = [OnceLock::new(), OnceLock::new()];
        let played = &PLAYED[usize::from(with_load)];
        let model = played.get_or_init(|| Self::new((80, 24)).play(with_load).model);
        let mut stage = Self {
            model: model.clone(),
            effects: Vec::new(),
            size,
        };
        stage.tell(Message::Resize(size.0, size.1));
        stage
    }

    pub(super) fn play(mut self, with_load: bool) -> Self {
        for (second, feed) in fixture::minute(with_load) {
            self.time(*second);
            self.feed(feed.clone());
        }
        self.effects.clear();
        self
    }

    pub(super) fn tell(&mut self, message: Message) {
        let effects = update(&mut self.model, message);
        self.effects.extend(effects);
    }

    pub(super) fn feed(&mut self, feed: Feed) {
        self.tell(Message::Feed(Box::new(feed)));
    }

    /// The wall clock is at this second of the fixture.
    pub(super) fn time(&mut self, second: i64) {
        let elapsed = Duration::from_secs(u64::try_from(second + 45).unwrap());
        self.tell(Message::Tick {
            now: fixture::at(second),
            elapsed,
        });
    }

    /// One more second of the fixture.
    pub(super) fn second(&mut self, second: i64, with_load: bool) {
        self.time(second);
        self.feed(Feed::Interval(fixture::interval(second)));
        self.feed(Feed::Digests(fixture::digests(second)));
        if with_load {
            self.feed(Feed::Load(Arc::new(fixture::load(second))));
        }
    }

    /// Presses keys: characters, or names in angle brackets such as `<esc>`.
    pub(super) fn press(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let (code, length) = match rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
                Some((name, _)) if named(name).is_some() => (named(name).unwrap(), name.len() + 2),
                _ => (KeyCode::Char(c), c.len_utf8()),
            };
            self.tell(Message::Key(KeyEvent::new(code, KeyModifiers::NONE)));
            self.settle();
            rest = &rest[length..];
        }
        self
    }

    /// What the loop does after a frame.
    fn settle(&mut self) {
        if let Some(first) = self.draw().1.first_line {
            self.tell(Message::Settled(first));
        }
    }

    pub(super) fn draw(&self) -> (Buffer, Hits) {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        let hits = view(&self.model, &mut buffer);
        (buffer, hits)
    }

    /// The screen as text.
    pub(super) fn text(&self) -> String {
        lines(&self.draw().0).join("\n")
    }

    /// The screen has this text.
    #[track_caller]
    pub(super) fn says(&self, text: &str) {
        let screen = self.text();
        assert!(screen.contains(text), "no `{text}` in\n{screen}");
    }

    /// The screen as text, then the styles of each line as runs.
    pub(super) fn picture(&self) -> String {
        let (buffer, _) = self.draw();
        let mut picture = lines(&buffer).join("\n");
        picture.push_str("\n\n");
        picture.push_str(&style_runs(&buffer));
        picture
    }
}

fn named(name: &str) -> Option<KeyCode> {
    Some(match name {
        "esc" => KeyCode::Esc,
        "enter" => KeyCode::Enter,
        "tab" => KeyCode::Tab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "backspace" => KeyCode::Backspace,
        "space" => KeyCode::Char(' '),
        _ => return None,
    })
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let mut line = String::new();
            let mut skip = 0;
            for x in area.left()..area.right() {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let symbol = buffer[(x, y)].symbol();
                skip = crate::tui::paint::width(symbol).saturating_sub(1);
                line.push_str(symbol);
            }
            line.trim_end().to_owned()
        })
        .collect()
}

/// Each line as runs of styles, named by letters, with a legend below.
fn style_runs(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut names: BTreeMap<String, char> = BTreeMap::new();
    let mut legend: Vec<(char, String)> = Vec::new();
    let mut out = String::new();
    for y in area.top()..area.bottom() {
        let mut runs = String::new();
        let mut x = area.left();
        while x < area.right() {
            let style = describe(buffer[(x, y)].style());
            let from = x;
            while x < area.right() && describe(buffer[(x, y)].style()) == style {
                x += 1;
            }
            let next = char::from(b'a' + u8::try_from(names.len() % 26).unwrap());
            let name = *names.entry(style.clone()).or_insert_with(|| {
                legend.push((next, style));
                next
            });
            let _ = write!(runs, "{name}{} ", x - from);
        }
        let _ = writeln!(out, "{y:>2}: {}", runs.trim_end());
    }
    for (name, style) in legend {
        let _ = writeln!(out, "{name} = {style}");
    }
    out
}

fn describe(style: Style) -> String {
    let colour = |colour: Option<Color>| match colour {
        None | Some(Color::Reset) => "-".to_owned(),
        Some(Color::Indexed(n)) => n.to_string(),
        Some(other) => format!("{other:?}"),
    };
    let mut text = format!("{} on {}", colour(style.fg), colour(style.bg));
    for (modifier, name) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ] {
        if style.add_modifier.contains(modifier) {
            text.push(' ');
            text.push_str(name);
        }
    }
    text
}

/// Fails unless each picture has neither colours nor anything but ASCII.
pub(super) fn are_plain(pictures: &[String]) {
    for picture in pictures {
        assert!(picture.is_ascii(), "{picture}");
        let mut legend = picture
            .lines()
            .filter(|line| line.as_bytes().get(1..4) == Some(b" = "));
        assert!(legend.all(|line| line.contains("- on -")), "{picture}");
    }
}
