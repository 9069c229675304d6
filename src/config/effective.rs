//! What is in effect, key by key, ready to be shown: secrets are not in it.

use super::check::Origins;
use super::environ;
use super::kind::Value;
use super::origin::Origin;
use super::schema::SETTINGS;
use super::settings::{Server, Settings};

/// One value in effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Dotted path, such as `monitor.interval` or `servers.main.host`.
    pub key: String,
    /// The value; a password is [`Shown::Hidden`].
    pub value: Shown,
    /// Where it came from; `None` where there is no value.
    pub origin: Option<Origin>,
    /// The environment variable that sets it.
    pub variable: Option<String>,
}

/// A value that may be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// As it is.
    Open(Value),
    /// There is one, and it is not shown.
    Hidden,
    /// There is none.
    Absent,
}

impl Shown {
    /// For a table.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Open(value) => value.plain(),
            Self::Hidden => "(hidden)".to_owned(),
            Self::Absent => "(none)".to_owned(),
        }
    }
}

/// Every setting in effect: the profile, the keys in the order of `monitor.toml`, key overrides,
/// then the servers by name.
#[must_use]
pub fn settings(settings: &Settings, origins: &Origins) -> Vec<Setting> {
    let row = |key: &str, value: Option<Value>, variable: Option<String>| Setting {
        key: key.to_owned(),
        origin: value.as_ref().and_then(|_| origins.get(key).cloned()),
        value: value.map_or(Shown::Absent, Shown::Open),
        variable,
    };
    let profile = Value::Choice(settings.profile.name());
    let mut rows = vec![row(
        "profile",
        Some(profile),
        Some("MYDEX_PROFILE".to_owned()),
    )];
    for key in SETTINGS {
        let variable = match key.path {
            "default_server" => "MYDEX_SERVER".to_owned(),
            path => environ::variable(path),
        };
        rows.push(row(key.path, (key.get)(settings), Some(variable)));
    }
    for (action, names) in &settings.dashboard.keys {
        let key = format!("dashboard.keys.{action}");
        rows.push(row(&key, Some(Value::Names(names.clone())), None));
    }
    for server in settings.servers.values() {
        for (key, value) in server_values(server) {
            let key = format!("servers.{}.{key}", server.name);
            let mut setting = row(&key, None, None);
            setting.origin = match value {
                Shown::Absent => None,
                _ => origins.get(&key).cloned(),
            };
            setting.value = value;
            rows.push(setting);
        }
    }
    rows
}

fn server_values(server: &Server) -> Vec<(&'static str, Shown)> {
    let open = |value: Option<Value>| value.map_or(Shown::Absent, Shown::Open);
    let path = |path: &Option<std::path::PathBuf>| open(path.clone().map(Value::Path));
    let mut values = Vec::new();
    if server.socket.is_some() {
        values.push(("socket", path(&server.socket)));
    } else {
        values.push(("host", Shown::Open(Value::Text(server.host.clone()))));
        values.push(("port", Shown::Open(Value::Count(server.port.into()))));
    }
    let user = Some(server.user.clone()).filter(|user| !user.is_empty());
    let password = match server.password {
        Some(_) => Shown::Hidden,
        None => Shown::Absent,
    };
    values.extend([
        ("user", open(user.map(Value::Text))),
        ("password", password),
        ("database", open(server.database.clone().map(Value::Text))),
        (
            "tls.mode",
            Shown::Open(Value::Choice(server.tls.mode.name())),
        ),
        ("tls.ca", path(&server.tls.ca)),
        ("read_only", Shown::Open(Value::Switch(server.read_only))),
    ]);
    values
}
