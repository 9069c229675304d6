//! What to write instead of a key that is not one.

use super::given::Given;
use super::mistake::{did_you_mean, listed};
use super::schema::{SERVER, SETTINGS};

/// Names under which people look for a key of a server.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("address", "host"),
    ("hostname", "host"),
    ("server", "host"),
    ("username", "user"),
    ("account", "user"),
    ("login", "user"),
    ("db", "database"),
    ("schema", "database"),
    ("dbname", "database"),
    ("unix_socket", "socket"),
    ("defaults_file", "my_cnf"),
    ("option_file", "my_cnf"),
    ("ssl_mode", "tls.mode"),
    ("sslmode", "tls.mode"),
    ("ssl_ca", "tls.ca"),
    ("sslca", "tls.ca"),
    ("ssl", "tls"),
];

/// Names of keys that would hold a secret.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "pw",
    "secret",
    "token",
];

/// Names of keys that would hold a URL.
const URLS: &[&str] = &["url", "uri", "dsn"];

/// The remedy for a key that would put a secret into the file.
#[must_use]
pub fn secret(name: &str) -> Option<String> {
    let name = name.to_lowercase();
    if URLS.contains(&name.as_str()) {
        let remedy = "a URL can hold a password: write `host`, `port` and `user`, or put the URL \
                      into the variable `MYDEX_URL`";
        return Some(remedy.to_owned());
    }
    SECRETS.contains(&name.as_str()).then(|| {
        "passwords stay out of `monitor.toml`: use `password_file = \"/path\"` (mode 600), \
         `my_cnf_group = \"client\"`, the variable `MYDEX_PASSWORD` or `MYDEX_URL`, or \
         `--ask-password`"
            .to_owned()
    })
}

/// "did you mean", or the names that are known.
#[must_use]
pub fn instead<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match did_you_mean(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", listed(known)),
    }
}

/// The names that may stand directly below `prefix`, in the order of the schema.
fn children<'a>(paths: impl Iterator<Item = &'a str>, prefix: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for path in paths {
        let rest = match prefix {
            "" => Some(path),
            _ => path.strip_prefix(prefix).and_then(|p| p.strip_prefix('.')),
        };
        let name = rest.and_then(|rest| rest.split('.').next());
        if let Some(name) = name.filter(|name| !names.contains(name)) {
            names.push(name);
        }
    }
    names
}

/// The remedy for an unknown key or section outside the servers.
#[must_use]
pub fn setting(prefix: &str, name: &str, in_profile: bool) -> String {
    if let Some(secret) = secret(name) {
        return secret;
    }
    if in_profile && prefix.is_empty() && (name == "profile" || name == "profiles") {
        return format!("`{name}` stands outside the profiles: a profile can't choose another one");
    }
    let mut known = children(SETTINGS.iter().map(|key| key.path), prefix);
    match prefix {
        "" if in_profile => known.push("servers"),
        "" => known.extend(["profile", "profiles", "servers"]),
        "dashboard" => known.push("keys"),
        _ => {}
    }
    if let Some(near) = did_you_mean(name, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    match elsewhere(name) {
        Some(place) => place,
        None => format!("known: {}", listed(known)),
    }
}

/// Where a key of this name stands, if it is in the wrong section.
fn elsewhere(name: &str) -> Option<String> {
    let last = |path: &'static str| path.rsplit('.').next() == Some(name);
    let setting = SETTINGS.iter().find(|key| last(key.path));
    if let Some((section, _)) = setting.and_then(|key| key.path.split_once('.')) {
        return Some(format!("`{name}` belongs in `[{section}]`"));
    }
    SERVER
        .iter()
        .any(|key| key.path.split('.').next() == Some(name))
        .then(|| format!("`{name}` belongs in `[servers.NAME]`"))
}

/// The remedy for an unknown key of a server.
#[must_use]
pub fn server(prefix: &str, name: &str) -> String {
    if let Some(secret) = secret(name) {
        return secret;
    }
    let plain = name.to_lowercase().replace('-', "_");
    if let Some((_, meant)) = OTHER_NAMES.iter().find(|(other, _)| *other == plain) {
        return format!("did you mean `{meant}`?");
    }
    let known = children(SERVER.iter().map(|key| key.path), prefix);
    if let Some(near) = did_you_mean(name, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    match elsewhere(name) {
        Some(place) => place,
        None => format!("known: {}", listed(known)),
    }
}

/// Whether `name` may be an action of the dashboard: kebab-case.
#[must_use]
pub fn is_action(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A value in backticks, or its TOML type where it has no short text.
#[must_use]
pub fn quoted(given: &Given<'_>) -> String {
    match given {
        Given::Other("array") => "a list".to_owned(),
        Given::Other("table") => "a section".to_owned(),
        Given::Other(_) => "a date or time".to_owned(),
        _ => format!("`{}`", given.shown()),
    }
}

/// The key of a line that could not be read, and `key = value: ` where the value can't be a
/// secret: where the key is one of ours.
#[must_use]
pub fn of_line(line: &str) -> (String, String) {
    let (key, value) = match line.split_once('=') {
        Some((key, value)) => (key.trim(), Some(value.trim())),
        None => (line.split_whitespace().next().unwrap_or(""), None),
    };
    let is_key = |known: &str| known == key || known.rsplit('.').next() == Some(key);
    let is_ours = SETTINGS.iter().any(|k| is_key(k.path)) || SERVER.iter().any(|k| is_key(k.path));
    match value {
        _ if !is_ours => (String::new(), String::new()),
        Some(value) => {
            let shown = Given::Plain(value).shown();
            (key.to_owned(), format!("`{key} = {shown}`: "))
        }
        None => (key.to_owned(), format!("`{key}`: ")),
    }
}
