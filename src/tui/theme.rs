//! Colours and glyphs. Whatever a colour says, a symbol, a word or a modifier says too.

use ratatui::style::{Color, Modifier, Style};

/// Which colours to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// No colour at all: bold, dim, reverse and underline only.
    None,
}

/// Styles by meaning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    pub(super) text: Style,
    pub(super) strong: Style,
    pub(super) dim: Style,
    pub(super) title: Style,
    pub(super) rule: Style,
    pub(super) accent: Style,
    pub(super) good: Style,
    pub(super) warn: Style,
    pub(super) bad: Style,
    pub(super) banner: Style,
    pub(super) alarm: Style,
    pub(super) bar: Style,
    pub(super) tab: Style,
    pub(super) key: Style,
    pub(super) head: Style,
    pub(super) head_sorted: Style,
    pub(super) selected: Style,
    pub(super) tagged: Style,
    pub(super) spark: Style,
    pub(super) stale: Style,
    pub(super) popup: Style,
    /// From faint to strong, for heat maps.
    pub(super) heat: [Style; 6],
}

impl Theme {
    pub(super) fn of(palette: Palette) -> Self {
        match palette {
            Palette::Dark => coloured(&Colours {
                dim: 245,
                title: 117,
                rule: 239,
                accent: 80,
                good: 114,
                warn: 221,
                bad: 210,
                bar: (252, 236),
                tab: (16, 80),
                selected: 238,
                popup: 235,
                spark: 74,
                heat: [24, 31, 37, 114, 221, 203],
                alarm: (231, 124),
            }),
            Palette::Light => coloured(&Colours {
                dim: 242,
                title: 24,
                rule: 250,
                accent: 25,
                good: 28,
                warn: 130,
                bad: 160,
                bar: (235, 253),
                tab: (231, 25),
                selected: 252,
                popup: 255,
                spark: 31,
                heat: [152, 74, 31, 28, 130, 160],
                alarm: (231, 160),
            }),
            Palette::None => plain(),
        }
    }
}

struct Colours {
    dim: u8,
    title: u8,
    rule: u8,
    accent: u8,
    good: u8,
    warn: u8,
    bad: u8,
    bar: (u8, u8),
    tab: (u8, u8),
    selected: u8,
    popup: u8,
    spark: u8,
    heat: [u8; 6],
    alarm: (u8, u8),
}

fn coloured(c: &Colours) -> Theme {
    let fg = |index: u8| Style::new().fg(Color::Indexed(index));
    let pair = |(front, back): (u8, u8)| fg(front).bg(Color::Indexed(back));
    Theme {
        text: Style::new(),
        strong: Style::new().add_modifier(Modifier::BOLD),
        dim: fg(c.dim),
        title: fg(c.title).add_modifier(Modifier::BOLD),
        rule: fg(c.rule),
        accent: fg(c.accent),
        good: fg(c.good),
        warn: fg(c.warn),
        bad: fg(c.bad).add_modifier(Modifier::BOLD),
        banner: fg(c.warn),
        alarm: pair(c.alarm).add_modifier(Modifier::BOLD),
        bar: pair(c.bar),
        tab: pair(c.tab).add_modifier(Modifier::BOLD),
        key: fg(c.accent).add_modifier(Modifier::BOLD),
        head: fg(c.dim).add_modifier(Modifier::UNDERLINED),
        head_sorted: fg(c.accent).add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
        selected: Style::new()
            .bg(Color::Indexed(c.selected))
            .add_modifier(Modifier::BOLD),
        tagged: fg(c.warn).add_modifier(Modifier::BOLD),
        spark: fg(c.spark),
        stale: fg(c.dim),
        popup: Style::new().bg(Color::Indexed(c.popup)),
        heat: c.heat.map(fg),
    }
}

fn plain() -> Theme {
    let none = Style::new();
    let bold = none.add_modifier(Modifier::BOLD);
    let reversed = none.add_modifier(Modifier::REVERSED);
    Theme {
        text: none,
        strong: bold,
        dim: none,
        title: bold,
        rule: none,
        accent: none,
        good: none,
        warn: bold,
        bad: bold,
        banner: bold,
        alarm: reversed.add_modifier(Modifier::BOLD),
        bar: reversed,
        tab: bold.add_modifier(Modifier::UNDERLINED),
        key: bold,
        head: none.add_modifier(Modifier::UNDERLINED),
        head_sorted: bold.add_modifier(Modifier::UNDERLINED),
        selected: reversed,
        tagged: bold,
        spark: none,
        stale: none.add_modifier(Modifier::DIM),
        popup: none,
        heat: [none, none, none, none, bold, bold],
    }
}

/// What is drawn with: Unicode, or ASCII for terminals and fonts without it.
#[derive(Debug)]
pub(super) struct Glyphs {
    pub(super) is_ascii: bool,
    /// Heights of a column, lowest first; the first is for zero.
    pub(super) levels: [&'static str; 9],
    /// Intensities of a heat map cell, empty first.
    pub(super) shades: [&'static str; 6],
    pub(super) horizontal: &'static str,
    pub(super) vertical: &'static str,
    pub(super) corners: [&'static str; 4],
    pub(super) ellipsis: &'static str,
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
    pub(super) warn: &'static str,
    pub(super) down: &'static str,
    pub(super) up: &'static str,
    pub(super) live: &'static str,
    pub(super) delta: &'static str,
    pub(super) sum: &'static str,
    pub(super) cursor: &'static str,
    pub(super) tag: &'static str,
    pub(super) dot: &'static str,
    pub(super) gap: &'static str,
    pub(super) less: &'static str,
    pub(super) arrow: &'static str,
    pub(super) bar_full: &'static str,
    pub(super) bar_empty: &'static str,
}

pub(super) static UNICODE: Glyphs = Glyphs {
    is_ascii: false,
    levels: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    shades: [" ", "·", "░", "▒", "▓", "█"],
    horizontal: "─",
    vertical: "│",
    corners: ["┌", "┐", "└", "┘"],
    ellipsis: "…",
    yes: "✓",
    no: "✗",
    warn: "▲",
    down: "▾",
    up: "▴",
    live: "●",
    delta: "Δ",
    sum: "Σ",
    cursor: "▌",
    tag: "◆",
    dot: "·",
    gap: "╎",
    less: "≤",
    arrow: "→",
    bar_full: "█",
    bar_empty: "░",
};

pub(super) static ASCII: Glyphs = Glyphs {
    is_ascii: true,
    levels: [" ", ".", ":", "-", "=", "+", "*", "#", "#"],
    shades: [" ", ".", ":", "+", "*", "#"],
    horizontal: "-",
    vertical: "|",
    corners: ["+", "+", "+", "+"],
    ellipsis: "~",
    yes: "ok",
    no: "NO",
    warn: "!",
    down: "\\",
    up: "/",
    live: "*",
    delta: "d",
    sum: "S",
    cursor: ">",
    tag: "#",
    dot: ".",
    gap: "|",
    less: "<",
    arrow: "->",
    bar_full: "#",
    bar_empty: ".",
};
