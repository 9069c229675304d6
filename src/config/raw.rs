//! `monitor.toml` as it is written: text to layers of values, every mistake noted on the way.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::advice;
use super::given::Given;
use super::kind::{self, Instead, Kind, Refusal, Value};
use super::mistake::{Mistake, Place};
use super::origin::{Entry, Layer, Origin};
use super::schema::{PROFILE, SERVER, SETTINGS, value_of};
use super::settings::Profile;
use super::syntax::{self, Lines, Position};

/// What a configuration file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// `profile = "…"`, if it is there.
    pub profile: Option<(Profile, Position)>,
    /// The sections outside `[profiles]`.
    pub base: Layer,
    /// `[profiles.NAME]`, by the name of the profile.
    pub profiles: BTreeMap<&'static str, Layer>,
    /// A line that starts a section could not be read, so that servers may be missing.
    pub has_lost_section: bool,
    /// A line about a user could not be read.
    pub has_lost_user: bool,
    /// Where the section of a server stands, by its path, such as `servers.main` or
    /// `profiles.test.servers.main`.
    pub sections: BTreeMap<String, Position>,
}

/// Reads the text of a configuration file. `file` is its name for messages.
#[must_use]
pub fn read(file: &str, text: &str) -> (Document, Vec<Mistake>) {
    let (clean, errors) = syntax::clean(text);
    let mut reader = Reader {
        file,
        lines: Lines::new(&clean),
        document: Document::default(),
        mistakes: Vec::new(),
    };
    for error in errors {
        let line = text.lines().nth(error.at.line - 1).unwrap_or("");
        let (key, shown) = advice::of_line(line);
        reader.document.has_lost_section |= line.trim_start().starts_with('[');
        reader.document.has_lost_user |= line.contains("user");
        reader.mistakes.push(Mistake {
            place: reader.place(error.at),
            key,
            problem: format!("{shown}{}", error.message),
            remedy: error.remedy.to_owned(),
        });
    }
    let document = syntax::document(&clean);
    reader.base(document.get_ref());
    (reader.document, reader.mistakes)
}

struct Reader<'a> {
    file: &'a str,
    lines: Lines<'a>,
    document: Document,
    mistakes: Vec<Mistake>,
}

/// Which layer a value goes to.
#[derive(Clone, Copy)]
struct Target {
    profile: Option<&'static str>,
}

impl Target {
    /// The section's path as the file writes it.
    fn path(self, path: &str) -> String {
        match self.profile {
            None => path.to_owned(),
            Some(profile) if path.is_empty() => format!("profiles.{profile}"),
            Some(profile) => format!("profiles.{profile}.{path}"),
        }
    }
}

type Item<'t, 'i> = (
    &'t Spanned<std::borrow::Cow<'i, str>>,
    &'t Spanned<DeValue<'i>>,
);

impl Reader<'_> {
    fn place(&self, at: Position) -> Place {
        Place::File {
            file: self.file.to_owned(),
            line: at.line,
            column: at.column,
        }
    }

    fn at<T>(&self, spanned: &Spanned<T>) -> Position {
        self.lines.position(spanned.span().start)
    }

    fn mistake(&mut self, at: Position, key: String, problem: String, remedy: String) {
        let place = self.place(at);
        self.mistakes.push(Mistake {
            place,
            key,
            problem,
            remedy,
        });
    }

    /// The whole file.
    fn base(&mut self, table: &DeTable<'_>) {
        let target = Target { profile: None };
        for item in table {
            match item.0.get_ref().as_ref() {
                "profile" => self.profile(item.1),
                "profiles" => self.profiles(item.1),
                _ => self.setting(target, "", item),
            }
        }
    }

    fn profile(&mut self, value: &Spanned<DeValue<'_>>) {
        match PROFILE.read(&given(value.get_ref())) {
            Ok(Value::Choice(name)) => {
                let profile = value_of(Profile::NAMES, name);
                self.document.profile = profile.map(|profile| (profile, self.at(value)));
            }
            Ok(_) => {}
            Err(refusal) => self.refused("profile", value, &refusal),
        }
    }

    fn profiles(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = self.table("profiles", "profiles.production", value) else {
            return;
        };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let known = Profile::NAMES.iter().find(|(known, _)| *known == name);
            let Some((profile, _)) = known else {
                let path = format!("profiles.{name}");
                let names = Profile::NAMES.iter().map(|(name, _)| *name);
                let remedy = advice::instead(name, names);
                let problem = format!("unknown profile `{name}`");
                self.mistake(self.at(key), path, problem, remedy);
                continue;
            };
            let target = Target {
                profile: Some(profile),
            };
            let path = target.path("");
            let example = format!("{path}.monitor");
            if let Some(table) = self.table(&path, &example, value) {
                self.document.profiles.entry(profile).or_default();
                for item in table {
                    self.setting(target, "", item);
                }
            }
        }
    }

    /// A key or section of the schema, at `prefix` below the target.
    fn setting(&mut self, target: Target, prefix: &str, item: Item<'_, '_>) {
        let (key, value) = item;
        let name = key.get_ref().as_ref();
        let path = join(prefix, name);
        if path == "servers" {
            return self.servers(target, value);
        }
        if path == "dashboard.keys" {
            return self.keys(target, value);
        }
        if let Some(known) = SETTINGS.iter().find(|known| known.path == path) {
            return self.value(target, &path, known.kind, value);
        }
        let section = format!("{path}.");
        if SETTINGS.iter().any(|k| k.path.starts_with(&section)) {
            let full = target.path(&path);
            if let Some(table) = self.table(&full, &full, value) {
                for item in table {
                    self.setting(target, &path, item);
                }
            }
            return;
        }
        let full = target.path(&path);
        let remedy = advice::setting(prefix, name, target.profile.is_some());
        self.unknown(key, value, full, &target.path(prefix), remedy);
    }

    fn servers(&mut self, target: Target, value: &Spanned<DeValue<'_>>) {
        let path = target.path("servers");
        let Some(table) = self.table(&path, &format!("{path}.NAME"), value) else {
            return;
        };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let at = self.at(key);
            let path = target.path(&format!("servers.{name}"));
            if let Some(secret) = advice::secret(name) {
                self.mistake(
                    at,
                    path,
                    format!("`{name}` is not read from this file"),
                    secret,
                );
            } else if !value.get_ref().is_table() && SERVER.iter().any(|k| k.path == name) {
                let problem = format!("`{name}` stands in `[servers]`, where servers stand");
                let remedy = "move it into a section of its own, `[servers.NAME]`".to_owned();
                self.mistake(at, path, problem, remedy);
            } else if !kind::is_name(name) {
                let problem = format!("a server can't be named `{name}`");
                self.mistake(at, path, problem, format!("use {}", kind::NAME_RULE));
            } else if let Some(table) = self.table(&path, &path, value) {
                self.document.sections.insert(path, at);
                for item in table {
                    self.server(target, name, "", item);
                }
            }
        }
    }

    /// A key of one server, at `prefix` below its section.
    fn server(&mut self, target: Target, server: &str, prefix: &str, item: Item<'_, '_>) {
        let (key, value) = item;
        let name = key.get_ref().as_ref();
        let path = join(prefix, name);
        let full = format!("servers.{server}.{path}");
        if let Some(known) = SERVER.iter().find(|known| known.path == path) {
            return self.value(target, &full, known.kind, value);
        }
        let section = format!("{path}.");
        if SERVER.iter().any(|k| k.path.starts_with(&section)) {
            let full = target.path(&full);
            if path == "tls" && value.get_ref().is_str() {
                let shown = advice::quoted(&given(value.get_ref()));
                let problem = format!("`{full}` is {shown}; allowed is a section");
                let remedy = "write `tls.mode = \"required\"`".to_owned();
                self.mistake(self.at(value), full, problem, remedy);
            } else if let Some(table) = self.table(&full, &full, value) {
                for item in table {
                    self.server(target, server, &path, item);
                }
            }
            return;
        }
        let within = target.path(&join(&format!("servers.{server}"), prefix));
        let remedy = advice::server(prefix, name);
        self.unknown(key, value, target.path(&full), &within, remedy);
    }

    /// Key overrides: any action to one key name or a list of them.
    fn keys(&mut self, target: Target, value: &Spanned<DeValue<'_>>) {
        let path = target.path("dashboard.keys");
        let Some(table) = self.table(&path, &path, value) else {
            return;
        };
        for (key, value) in table {
            let action = key.get_ref().as_ref();
            let path = format!("dashboard.keys.{action}");
            if !advice::is_action(action) {
                let problem = format!("`{action}` can't be an action");
                let remedy = "write the action in lower case with hyphens, such as `page-down`";
                self.mistake(self.at(key), target.path(&path), problem, remedy.to_owned());
                continue;
            }
            if let Some(names) = key_names(value.get_ref()) {
                self.keep(target, path, Value::Names(names), self.at(value));
            } else {
                let refusal = Refusal {
                    allowed: "the name of a key, or a list of them".to_owned(),
                    instead: Instead::Example(Value::Text("f5".to_owned())),
                };
                self.refused(&target.path(&path), value, &refusal);
            }
        }
    }

    fn value(&mut self, target: Target, path: &str, kind: Kind, value: &Spanned<DeValue<'_>>) {
        match kind.read(&given(value.get_ref())) {
            Ok(read) => self.keep(target, path.to_owned(), read, self.at(value)),
            Err(refusal) => self.refused(&target.path(path), value, &refusal),
        }
    }

    fn keep(&mut self, target: Target, path: String, value: Value, at: Position) {
        let layer = match target.profile {
            None => &mut self.document.base,
            Some(profile) => self.document.profiles.entry(profile).or_default(),
        };
        let origin = Origin::File {
            line: at.line,
            column: at.column,
        };
        layer.insert(path, Entry { value, origin });
    }

    fn refused(&mut self, path: &str, value: &Spanned<DeValue<'_>>, refusal: &Refusal) {
        let given = given(value.get_ref());
        let key = path.rsplit('.').next().unwrap_or(path);
        let remedy = refusal
            .instead
            .remedy(|value| format!("{key} = {}", value.toml()));
        let problem = format!(
            "`{path}` is {}; allowed is {}",
            advice::quoted(&given),
            refusal.allowed
        );
        self.mistake(self.at(value), path.to_owned(), problem, remedy);
    }

    fn unknown(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        path: String,
        within: &str,
        remedy: String,
    ) {
        let name = key.get_ref();
        let what = if value.get_ref().is_table() {
            "section"
        } else {
            "key"
        };
        let problem = if advice::secret(name).is_some() {
            format!("`{name}` is not read from this file")
        } else if within.is_empty() {
            format!("unknown {what} `{name}`")
        } else {
            format!("unknown {what} `{name}` in `[{within}]`")
        };
        self.mistake(self.at(key), path, problem, remedy);
    }

    /// The table that has to stand here, or a mistake.
    fn table<'t, 'i>(
        &mut self,
        path: &str,
        example: &str,
        value: &'t Spanned<DeValue<'i>>,
    ) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let shown = advice::quoted(&given(value.get_ref()));
            let problem = format!("`{path}` is {shown}; allowed is a section");
            let remedy = format!("write `[{example}]` and its keys below it");
            self.mistake(self.at(value), path.to_owned(), problem, remedy);
        }
        table
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else if name.is_empty() {
        prefix.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

fn given<'a>(value: &'a DeValue<'_>) -> Given<'a> {
    match value {
        DeValue::String(text) => Given::Text(text),
        DeValue::Integer(integer) if integer.radix() == 10 => {
            Given::Number(integer.as_str().to_owned())
        }
        DeValue::Integer(integer) => {
            let number = i64::from_str_radix(integer.as_str(), integer.radix());
            Given::Number(number.map_or_else(|_| integer.to_string(), |n| n.to_string()))
        }
        DeValue::Float(float) => Given::Number(float.as_str().to_owned()),
        DeValue::Boolean(on) => Given::Switch(*on),
        other => Given::Other(other.type_str()),
    }
}

/// The names of keys in a text or a list of texts; at most 16, each of 1 to 32 characters.
fn key_names(value: &DeValue<'_>) -> Option<Vec<String>> {
    let name = |value: &DeValue<'_>| {
        value
            .as_str()
            .filter(|name| (1..=32).contains(&name.chars().count()))
            .filter(|name| !name.chars().any(char::is_control))
            .map(str::to_owned)
    };
    match value {
        DeValue::Array(list) if list.len() <= 16 => {
            list.iter().map(|v| name(v.get_ref())).collect()
        }
        single => name(single).map(|name| vec![name]),
    }
}
