//! The environment: variables that name a file, a profile or a server, secrets, and
//! `MYDEX_<SECTION>_<KEY>` for every single key outside the servers.

use std::ffi::{OsStr, OsString};

use secrecy::SecretString;

use super::given::Given;
use super::kind::Kind;
use super::mistake::{Mistake, Place, did_you_mean};
use super::origin::{Entry, Layer, Origin};
use super::schema::SETTINGS;

/// What the environment says. An empty variable counts as one that is not set.
#[derive(Debug, Default)]
pub struct Environment {
    /// `MYDEX_CONFIG`.
    pub config: Option<OsString>,
    /// `MYDEX_PROFILE`, not checked.
    pub profile: Option<String>,
    /// `MYDEX_SERVER`, not checked.
    pub server: Option<String>,
    /// `MYDEX_URL`.
    pub url: Option<SecretString>,
    /// `MYDEX_PASSWORD`.
    pub password: Option<SecretString>,
    /// `HOME`.
    pub home: Option<OsString>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<OsString>,
    /// `MYDEX_<SECTION>_<KEY>`.
    pub layer: Layer,
    /// Values that are not allowed.
    pub mistakes: Vec<Mistake>,
    /// Variables that nobody reads.
    pub warnings: Vec<String>,
}

/// Variables of mydex that are not settings: other parts read them.
const ELSEWHERE: &[&str] = &[
    "MYDEX_LOG",
    "MYDEX_MYSQLD",
    "MYDEX_CACHE_DIR",
    "MYDEX_STATE_DIR",
];

/// Beginnings of such variables.
const ELSEWHERE_PREFIXES: &[&str] = &["MYDEX_TEST_", "MYDEX_SANDBOX_", "MYDEX_BENCH_"];

/// Variables that are read by name.
const NAMED: &[&str] = &[
    "MYDEX_CONFIG",
    "MYDEX_PROFILE",
    "MYDEX_SERVER",
    "MYDEX_URL",
    "MYDEX_PASSWORD",
];

/// The variable of a key: `monitor.interval` is `MYDEX_MONITOR_INTERVAL`.
#[must_use]
pub fn variable(path: &str) -> String {
    format!("MYDEX_{}", path.to_uppercase().replace('.', "_"))
}

/// Keys that have a variable: all but `default_server`, for which there is `MYDEX_SERVER`.
fn keys() -> impl Iterator<Item = (&'static str, Kind, String)> {
    SETTINGS
        .iter()
        .filter(|key| key.path.contains('.'))
        .map(|key| (key.path, key.kind, variable(key.path)))
}

/// Reads the variables of a process.
#[must_use]
pub fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Environment {
    let mut environment = Environment::default();
    for (name, value) in variables {
        if value.is_empty() {
            continue;
        }
        match name.to_str() {
            Some("HOME") => environment.home = Some(value),
            Some("XDG_CONFIG_HOME") => environment.config_home = Some(value),
            Some("MYDEX_CONFIG") => environment.config = Some(value),
            Some(name) if name.starts_with("MYDEX_") => environment.take(name, &value),
            _ => {}
        }
    }
    // The order of the variables of a process means nothing.
    environment.warnings.sort();
    environment
}

impl Environment {
    fn take(&mut self, name: &str, value: &OsStr) {
        let Some(text) = value.to_str() else {
            return self.mistake(
                name,
                format!("the value of `{name}` is not UTF-8"),
                "write it in UTF-8".to_owned(),
            );
        };
        match name {
            "MYDEX_PROFILE" => self.profile = Some(text.to_owned()),
            "MYDEX_SERVER" => self.server = Some(text.to_owned()),
            "MYDEX_URL" => self.url = Some(text.into()),
            "MYDEX_PASSWORD" => self.password = Some(text.into()),
            _ => match keys().find(|(_, _, variable)| variable == name) {
                Some((path, kind, _)) => self.setting(name, path, kind, text),
                None => self.unknown(name),
            },
        }
    }

    fn setting(&mut self, name: &str, path: &str, kind: Kind, text: &str) {
        let origin = Origin::Env(name.to_owned());
        match entry(kind, text, name, origin) {
            Ok(entry) => {
                self.layer.insert(path.to_owned(), entry);
            }
            Err((problem, remedy)) => self.mistake(name, problem, remedy),
        }
    }

    fn unknown(&mut self, name: &str) {
        let is_elsewhere = ELSEWHERE.contains(&name)
            || ELSEWHERE_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix));
        if is_elsewhere {
            return;
        }
        let variables: Vec<String> = keys().map(|(_, _, variable)| variable).collect();
        let known = NAMED
            .iter()
            .copied()
            .chain(variables.iter().map(String::as_str));
        // The common beginning would make every variable near to every other.
        let short = |name: &str| name.trim_start_matches("MYDEX_").to_owned();
        let near: Vec<(String, &str)> = known.map(|name| (short(name), name)).collect();
        let meant = did_you_mean(&short(name), near.iter().map(|(short, _)| short.as_str()))
            .and_then(|meant| near.iter().find(|(short, _)| short == meant));
        let remedy = match meant {
            Some((_, meant)) => format!("did you mean `{meant}`?"),
            None if name.starts_with("MYDEX_SERVERS_") => {
                "servers are set in `monitor.toml` or by `MYDEX_URL`".to_owned()
            }
            None => "`mydex config show` lists what is read".to_owned(),
        };
        let name = crate::model::text::inline(name);
        self.warnings
            .push(format!("nothing reads the variable `{name}`; {remedy}"));
    }

    fn mistake(&mut self, name: &str, problem: String, remedy: String) {
        self.mistakes.push(Mistake {
            place: Place::Environment(name.to_owned()),
            key: String::new(),
            problem,
            remedy,
        });
    }
}

/// Reads the text of a variable or flag called `name`; or what is wrong, and the remedy.
pub(super) fn entry(
    kind: Kind,
    text: &str,
    name: &str,
    origin: Origin,
) -> Result<Entry, (String, String)> {
    let given = Given::Plain(text);
    match kind.read(&given) {
        Ok(value) => Ok(Entry { value, origin }),
        Err(refusal) => {
            let problem = format!("`{}`; allowed is {}", given.shown(), refusal.allowed);
            let separator = if name.starts_with("--") { ' ' } else { '=' };
            let remedy = refusal.instead.remedy(|value| {
                let text = value.plain();
                let quote = if text.contains(' ') { "'" } else { "" };
                format!("{name}{separator}{quote}{text}{quote}")
            });
            Err((problem, remedy))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_texts(pairs: &[(&str, &str)]) -> Environment {
        read(pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())))
    }

    #[test]
    fn keys_have_variables() {
        let environment = read_texts(&[
            ("MYDEX_MONITOR_INTERVAL", "2s"),
            ("MYDEX_DASHBOARD_ASCII", "yes"),
            ("MYDEX_LOAD_CONCURRENCY", "64"),
            ("MYDEX_SLO_RESPONSE", "p99 < 50ms"),
            ("MYDEX_LOAD_RATE", ""),
            ("PATH", "/bin"),
        ]);
        let values: Vec<_> = environment
            .layer
            .iter()
            .map(|(path, entry)| format!("{path}={} {}", entry.value.plain(), entry.origin))
            .collect();
        assert_eq!(
            values,
            [
                "dashboard.ascii=true environment MYDEX_DASHBOARD_ASCII",
                "load.concurrency=64 environment MYDEX_LOAD_CONCURRENCY",
                "monitor.interval=2s environment MYDEX_MONITOR_INTERVAL",
                "slo.response=p99 < 50ms environment MYDEX_SLO_RESPONSE",
            ]
        );
        assert!(environment.mistakes.is_empty());
        assert!(environment.warnings.is_empty());
    }

    #[test]
    fn mistakes_and_unknown_variables() {
        let environment = read_texts(&[
            ("MYDEX_MONITOR_INTERVAL", "5"),
            ("MYDEX_MONITOR_INTERVALL", "5s"),
            ("MYDEX_PASSWRD", "hunter2"),
            ("MYDEX_SERVERS_MAIN_HOST", "db"),
            ("MYDEX_SANDBOX_DIR", "/tmp"),
        ]);
        let mistakes: Vec<_> = environment
            .mistakes
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            mistakes,
            [
                "environment variable `MYDEX_MONITOR_INTERVAL`: `5`; allowed is a duration with \
                 its unit, from 100ms to 1h\n    fix: write `MYDEX_MONITOR_INTERVAL=5s`"
            ]
        );
        assert_eq!(
            environment.warnings,
            [
                "nothing reads the variable `MYDEX_MONITOR_INTERVALL`; did you mean \
                 `MYDEX_MONITOR_INTERVAL`?",
                "nothing reads the variable `MYDEX_PASSWRD`; did you mean `MYDEX_PASSWORD`?",
                "nothing reads the variable `MYDEX_SERVERS_MAIN_HOST`; servers are set in \
                 `monitor.toml` or by `MYDEX_URL`",
            ]
        );
    }
}
