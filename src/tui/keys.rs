//! Actions and the keys that start them: one table, from which the footer and the help are made.

use std::collections::BTreeMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Where a key means something, as bits.
pub(super) mod scope {
    pub(crate) const OVERVIEW: u16 = 1;
    pub(crate) const QUERIES: u16 = 2;
    pub(crate) const SESSIONS: u16 = 4;
    pub(crate) const POOL: u16 = 8;
    pub(crate) const DETAIL: u16 = 16;
    pub(crate) const ADVISOR: u16 = 32;
    pub(crate) const ADVICE: u16 = 64;
    pub(crate) const INDEXES: u16 = 128;
    pub(crate) const INDEX: u16 = 256;
    pub(crate) const ANY: u16 = 511;
    pub(crate) const TABLES: u16 = QUERIES | SESSIONS | POOL | ADVISOR | INDEXES;
    pub(crate) const DIGESTS: u16 = OVERVIEW | QUERIES;
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, [$($key:literal),*], $scope:expr, $footer:literal, $help:literal;)*) => {
        /// What a key can start.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each has its sentence in the table")]
        pub enum Action { $($variant),* }

        impl Action {
            /// Every action, in the order of the help.
            pub const ALL: &'static [Action] = &[$(Action::$variant),*];

            /// Its name in `monitor.toml` and in the command palette.
            #[must_use]
            pub fn name(self) -> &'static str { match self { $(Action::$variant => $name),* } }

            /// What it does, one phrase.
            #[must_use]
            pub fn help(self) -> &'static str { match self { $(Action::$variant => $help),* } }

            /// Its word in the footer; empty where it is not shown there.
            pub(super) fn footer(self) -> &'static str { match self { $(Action::$variant => $footer),* } }

            /// Where it means something.
            pub(super) fn scopes(self) -> u16 { match self { $(Action::$variant => $scope),* } }

            /// Its keys without overrides.
            #[must_use]
            pub fn default_keys(self) -> &'static [&'static str] { match self { $(Action::$variant => &[$($key),*]),* } }
        }
    };
}

actions! {
    Help, "help", ["?", "f1"], scope::ANY, "help", "show this help";
    Quit, "quit", ["q", "ctrl-c"], scope::ANY, "quit", "leave the dashboard";
    Back, "back", ["esc"], scope::ANY, "", "close what is open, clear the filter; never quits";
    Overview, "overview", ["1"], scope::ANY, "", "view 1: the server at a glance";
    Queries, "queries", ["2"], scope::ANY, "", "view 2: statement digests as live differences";
    Sessions, "sessions", ["3"], scope::ANY, "", "view 3: sessions and transactions";
    Indexes, "indexes", ["5"], scope::ANY, "", "view 5: indexes and their definitions";
    Advisor, "advisor", ["6"], scope::ANY, "", "view 6: the index advisor";
    Pool, "pool", ["7"], scope::ANY, "", "view 7: connection pools and probes";
    NextView, "next-view", ["tab"], scope::ANY, "", "the view to the right";
    PreviousView, "previous-view", ["shift-tab"], scope::ANY, "", "the view to the left";
    Palette, "palette", [":"], scope::ANY, "", "type a command";
    Up, "up", ["k", "up"], scope::ANY, "", "one row up (never kills: that is x)";
    Down, "down", ["j", "down"], scope::ANY, "", "one row down";
    PageUp, "page-up", ["pgup", "ctrl-b"], scope::ANY, "", "one page up";
    PageDown, "page-down", ["pgdn", "ctrl-f"], scope::ANY, "", "one page down";
    Top, "top", ["g", "home"], scope::ANY, "", "first row";
    Bottom, "bottom", ["G", "end"], scope::ANY, "", "last row";
    Open, "open", ["enter"], scope::DIGESTS | scope::SESSIONS | scope::INDEXES | scope::ADVISOR, "open", "all about the row";
    Explain, "explain", ["e"], scope::DIGESTS | scope::DETAIL, "explain", "the plan of the statement";
    Advise, "advise", ["a"], scope::ADVISOR, "advise", "find the best indexes for the whole workload";
    AdviseQuery, "advise-query", ["A"], scope::DIGESTS | scope::DETAIL, "advise", "find the best indexes for this statement";
    StopAdvisor, "stop-advisor", ["s"], scope::ADVISOR | scope::ADVICE, "stop", "end the advisor's run with its best answer so far";
    WriteDefinition, "write-definition", ["w"], scope::ADVISOR | scope::ADVICE, "write", "write the definition of the change, after a question";
    AdviceNotes, "advice-notes", ["n"], scope::ADVISOR | scope::ADVICE, "notes", "limits, notes, statements not judged, effort";
    ApplyDefinition, "apply-definition", ["a"], scope::INDEXES | scope::INDEX, "apply", "carry out the definition of the row, after a question";
    RollBack, "roll-back", ["u"], scope::INDEXES | scope::INDEX, "roll back", "take the definition of the row back, after a question";
    HideIndex, "hide-index", ["h"], scope::INDEXES | scope::INDEX, "hide", "make the index invisible to the optimizer, after a question";
    ShowIndex, "show-index", ["s"], scope::INDEXES | scope::INDEX, "show", "make the index visible again, after a question";
    StopChange, "stop-change", ["x"], scope::INDEXES | scope::INDEX, "stop", "end the change at the next point where it can be taken up again";
    ReadIndexes, "read-indexes", ["r"], scope::INDEXES | scope::INDEX, "read", "read indexes and definitions again";
    IndexNotes, "index-notes", ["n"], scope::INDEXES | scope::INDEX, "notes", "what can't be seen; foreign keys without an index";
    ToggleProbe, "toggle-probe", ["s"], scope::POOL, "on/off", "stop the probe of the row, or start it again";
    SlowerProbe, "slower-probe", ["["], scope::POOL, "rate", "the probe of the row a step slower";
    FasterProbe, "faster-probe", ["]"], scope::POOL, "rate", "the probe of the row a step faster";
    ProbeRate, "probe-rate", ["e"], scope::POOL, "type", "type a rate for the probe of the row: 25, x2, 50%";
    ResetProbe, "reset-probe", ["r"], scope::POOL, "", "the probe of the row as fast as it began";
    SlowerLoad, "slower-load", ["{"], scope::POOL, "all", "all probes slower, by a fifth";
    FasterLoad, "faster-load", ["}"], scope::POOL, "all", "all probes faster, by a quarter";
    LoadRate, "load-rate", ["E"], scope::POOL, "", "type a rate for all probes together: 400, x2, 50%";
    ResetLoad, "reset-load", ["P"], scope::POOL, "", "all probes as fast as they began";
    UndoRates, "undo-rates", ["u"], scope::POOL, "undo", "take the latest change of rates back";
    SwitchLoad, "switch-load", ["S"], scope::POOL, "load", "end the load, or begin it, after a question";
    Baseline, "baseline", ["b"], scope::POOL, "baseline", "show or hide a recorded baseline; the first time asks for its file";
    KillQuery, "kill-query", ["x"], scope::SESSIONS, "kill query", "end the running statement, after a question";
    KillConnection, "kill-connection", ["X"], scope::SESSIONS, "kill conn", "end the connection, after a question";
    Tag, "tag", ["space"], scope::SESSIONS, "tag", "mark the row for a kill of several";
    UntagAll, "untag-all", ["U"], scope::SESSIONS, "", "remove all marks";
    ToggleIdle, "toggle-idle", ["i"], scope::SESSIONS, "idle", "show or hide idle sessions";
    TransactionsOnly, "transactions-only", ["T"], scope::SESSIONS, "trx only", "only sessions with an open transaction";
    Filter, "filter", ["/"], scope::TABLES, "filter", "filter rows: words, !word, user: db: host:";
    SortLeft, "sort-left", ["<"], scope::TABLES, "sort", "sort by the column to the left";
    SortRight, "sort-right", [">"], scope::TABLES, "sort", "sort by the column to the right";
    SortInvert, "sort-invert", ["I"], scope::TABLES, "", "turn the order round";
    Columns, "columns", ["c"], scope::TABLES, "columns", "choose columns";
    Wrap, "wrap", ["w"], scope::QUERIES | scope::SESSIONS | scope::DETAIL, "wrap", "wrap the statement of the selected row";
    Follow, "follow", ["F"], scope::TABLES, "", "stay on the row even while it is gone";
    Window, "window", ["t"], scope::QUERIES | scope::POOL, "window", "figures of the latest window, or since the reset";
    ResetTotals, "reset", ["0"], scope::ANY, "", "start the totals anew; changes nothing on the server";
    Pause, "pause", ["p"], scope::ANY, "pause", "freeze the screen; collecting goes on";
    Longer, "interval-longer", ["+", "="], scope::ANY, "", "poll less often";
    Shorter, "interval-shorter", ["-"], scope::ANY, "", "poll more often";
    Refresh, "refresh", ["R"], scope::ANY, "", "poll now, digests included";
    Copy, "copy", ["y"], scope::DIGESTS | scope::SESSIONS | scope::DETAIL | scope::ADVISOR | scope::ADVICE | scope::INDEXES | scope::INDEX, "copy", "copy the statement to the clipboard (OSC 52)";
    Maximise, "maximise", ["z"], scope::ANY, "", "give one part the whole screen";
    Messages, "messages", ["m"], scope::ANY, "", "the latest messages";
    Suspend, "suspend", ["ctrl-z"], scope::ANY, "", "stop, until the shell's fg";
}

/// One key with its modifiers; shift is part of the character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd)]
pub(super) struct Key {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
}

impl Key {
    fn parse(name: &str) -> Option<Key> {
        let (mut rest, mut ctrl, mut alt, mut shift) = (name, false, false, false);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|r| !r.is_empty()) {
                (rest, ctrl) = (after, true);
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|r| !r.is_empty()) {
                (rest, alt) = (after, true);
            } else if let Some(after) = rest.strip_prefix("shift-").filter(|r| !r.is_empty()) {
                (rest, shift) = (after, true);
            } else {
                break;
            }
        }
        let code = match rest {
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "space" => KeyCode::Char(' '),
            "tab" if shift => KeyCode::BackTab,
            "tab" => KeyCode::Tab,
            "backspace" => KeyCode::Backspace,
            "delete" => KeyCode::Delete,
            "insert" => KeyCode::Insert,
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "pgup" => KeyCode::PageUp,
            "pgdn" => KeyCode::PageDown,
            _ => function_or_char(rest)?,
        };
        let is_tab = code == KeyCode::BackTab;
        (!shift || is_tab).then_some(Key { code, ctrl, alt })
    }

    pub(super) fn of(event: &KeyEvent) -> Key {
        Key {
            code: event.code,
            ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
            alt: event.modifiers.contains(KeyModifiers::ALT),
        }
    }
}

fn function_or_char(rest: &str) -> Option<KeyCode> {
    let mut chars = rest.chars();
    match (chars.next()?, chars.as_str()) {
        (c, "") => Some(KeyCode::Char(c)),
        ('f', digits) => {
            let n: u8 = digits.parse().ok()?;
            (1..=24).contains(&n).then_some(KeyCode::F(n))
        }
        _ => None,
    }
}

/// What is wrong with the key overrides, all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct KeyErrors {
    /// One sentence for each mistake.
    pub mistakes: Vec<String>,
}

impl fmt::Display for KeyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key overrides: {}", self.mistakes.join("; "))
    }
}

/// The keys in force.
#[derive(Debug, Clone)]
pub(super) struct KeyTable {
    bindings: Vec<(Action, Vec<(String, Key)>)>,
}

impl KeyTable {
    /// The defaults with `overrides` (action to key names) laid over them.
    pub(super) fn new(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, KeyErrors> {
        let mut mistakes = Vec::new();
        for name in overrides.keys() {
            if !Action::ALL.iter().any(|action| action.name() == name) {
                mistakes.push(format!("unknown action `{name}`"));
            }
        }
        let mut bindings = Vec::new();
        for action in Action::ALL {
            let names: Vec<&str> = match overrides.get(action.name()) {
                Some(names) => names.iter().map(String::as_str).collect(),
                None => action.default_keys().to_vec(),
            };
            let mut keys = Vec::new();
            for name in names {
                match Key::parse(name) {
                    Some(key) => keys.push((name.to_owned(), key)),
                    None => mistakes.push(format!("`{}`: unknown key `{name}`", action.name())),
                }
            }
            bindings.push((*action, keys));
        }
        let table = Self { bindings };
        mistakes.extend(table.conflicts());
        if table.keys(Action::Quit).is_empty() {
            mistakes.push("`quit` needs at least one key".to_owned());
        }
        if mistakes.is_empty() {
            Ok(table)
        } else {
            Err(KeyErrors { mistakes })
        }
    }

    fn conflicts(&self) -> Vec<String> {
        let mut conflicts = Vec::new();
        for (position, (action, keys)) in self.bindings.iter().enumerate() {
            for (other, other_keys) in &self.bindings[position + 1..] {
                if action.scopes() & other.scopes() == 0 {
                    continue;
                }
                for (name, key) in keys {
                    if other_keys.iter().any(|(_, other_key)| other_key == key) {
                        conflicts.push(format!(
                            "key `{name}` means both `{}` and `{}`",
                            action.name(),
                            other.name()
                        ));
                    }
                }
            }
        }
        conflicts
    }

    /// The action of a key in a scope.
    pub(super) fn action(&self, event: &KeyEvent, scope: u16) -> Option<Action> {
        let key = Key::of(event);
        self.bindings
            .iter()
            .find(|(action, keys)| {
                action.scopes() & scope != 0 && keys.iter().any(|(_, bound)| *bound == key)
            })
            .map(|(action, _)| *action)
    }

    /// Names of the keys of an action.
    pub(super) fn keys(&self, action: Action) -> Vec<&str> {
        self.bindings
            .iter()
            .filter(|(bound, _)| *bound == action)
            .flat_map(|(_, keys)| keys.iter().map(|(name, _)| name.as_str()))
            .collect()
    }

    /// The first key of an action as people write it; empty where it has none.
    pub(super) fn first(&self, action: Action) -> String {
        self.keys(action)
            .first()
            .map(|name| pretty(name))
            .unwrap_or_default()
    }
}

/// Key names as people write them.
pub(super) fn pretty(name: &str) -> String {
    match name {
        "enter" => "Enter".to_owned(),
        "esc" => "Esc".to_owned(),
        "space" => "Space".to_owned(),
        "tab" => "Tab".to_owned(),
        "shift-tab" => "Shift-Tab".to_owned(),
        "pgup" => "PgUp".to_owned(),
        "pgdn" => "PgDn".to_owned(),
        "up" | "down" | "left" | "right" | "home" | "end" => {
            let mut chars = name.chars();
            chars
                .next()
                .map(|c| c.to_uppercase().collect::<String>() + chars.as_str())
                .unwrap_or_default()
        }
        _ => match name.strip_prefix("ctrl-") {
            Some(rest) => format!("^{}", rest.to_uppercase()),
            None if name.len() > 1 => name.to_uppercase(),
            None => name.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        pairs
            .iter()
            .map(|(action, keys)| {
                let keys = keys.iter().map(|key| (*key).to_owned()).collect();
                ((*action).to_owned(), keys)
            })
            .collect()
    }

    #[test]
    fn the_defaults_have_no_conflict_and_all_names_parse() {
        KeyTable::new(&BTreeMap::new()).unwrap();
    }

    #[test]
    fn overrides_replace_the_keys_of_an_action() {
        let table = KeyTable::new(&overrides(&[("pause", &["ctrl-p", "f5"])])).unwrap();
        let press =
            |code, modifiers| table.action(&KeyEvent::new(code, modifiers), scope::OVERVIEW);
        assert_eq!(press(KeyCode::Char('p'), KeyModifiers::NONE), None);
        assert_eq!(
            press(KeyCode::Char('p'), KeyModifiers::CONTROL),
            Some(Action::Pause)
        );
        assert_eq!(
            press(KeyCode::F(5), KeyModifiers::NONE),
            Some(Action::Pause)
        );
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let errors = KeyTable::new(&overrides(&[
            ("pauze", &["p"]),
            ("filter", &["hyper-x"]),
            ("tag", &["x"]),
            ("quit", &[]),
        ]))
        .unwrap_err();
        assert_eq!(
            errors.mistakes,
            [
                "unknown action `pauze`",
                "`filter`: unknown key `hyper-x`",
                "key `x` means both `kill-query` and `tag`",
                "`quit` needs at least one key",
            ]
        );
    }

    #[test]
    fn moving_up_never_kills() {
        let table = KeyTable::new(&BTreeMap::new()).unwrap();
        let k = KeyEvent::new(KeyCode::Char('k'), KeyModifiers::NONE);
        for scope in [scope::SESSIONS, scope::QUERIES, scope::DETAIL] {
            assert_eq!(table.action(&k, scope), Some(Action::Up));
        }
    }
}
