//! Every key that can be set: its path, what is allowed, and the field it fills.

use std::path::PathBuf;
use std::time::Duration;

use super::kind::{Kind, Value};
use super::settings::{Profile, Settings, Theme, TlsMode};

/// A key that fills a field of `T`.
#[derive(Debug)]
pub struct Key<T: 'static> {
    /// Dotted path below the place where `T` stands.
    pub path: &'static str,
    /// What is allowed.
    pub kind: Kind,
    /// Reads the field; `None` where it has no value.
    pub get: fn(&T) -> Option<Value>,
    /// Fills the field; a value of another kind changes nothing.
    pub set: fn(&mut T, Value),
}

/// A server as far as files and the environment describe it, before its secrets are fetched.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the keys are documented in `monitor.toml`")]
pub struct Draft {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub socket: Option<PathBuf>,
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    pub my_cnf: Option<PathBuf>,
    pub my_cnf_group: Option<String>,
    pub database: Option<String>,
    pub tls_mode: Option<TlsMode>,
    pub tls_ca: Option<PathBuf>,
    pub read_only: Option<bool>,
}

impl TlsMode {
    /// Every mode with the name it has in `monitor.toml`.
    pub const NAMES: &'static [(&'static str, TlsMode)] = &[
        ("disabled", Self::Disabled),
        ("preferred", Self::Preferred),
        ("required", Self::Required),
        ("verify_ca", Self::VerifyCa),
        ("verify_identity", Self::VerifyIdentity),
    ];

    /// Its name in `monitor.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(Self::NAMES, self)
    }
}

impl Theme {
    /// Every theme with its name.
    pub const NAMES: &'static [(&'static str, Theme)] = &[
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("none", Self::None),
    ];
}

impl Profile {
    /// Every profile with its name.
    pub const NAMES: &'static [(&'static str, Profile)] = &[
        ("development", Self::Development),
        ("test", Self::Test),
        ("production", Self::Production),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(Self::NAMES, self)
    }
}

/// What `profile` allows.
pub const PROFILE: Kind = Kind::Choice(&["development", "test", "production"]);

/// The name of `value` in a table of names.
pub(super) fn name_of<T: Copy + PartialEq>(
    names: &'static [(&'static str, T)],
    value: T,
) -> &'static str {
    names
        .iter()
        .find(|(_, candidate)| *candidate == value)
        .map_or("", |(name, _)| name)
}

/// The value of `name` in a table of names.
pub(super) fn value_of<T: Copy>(names: &'static [(&'static str, T)], name: &str) -> Option<T> {
    names
        .iter()
        .find(|(candidate, _)| *candidate == name)
        .map(|(_, value)| *value)
}

/// A key of [`Settings`] whose field has the type of the value's variant, or converts to it.
macro_rules! field {
    ($path:literal, $kind:expr, $variant:ident, $($field:ident).+) => {
        Key {
            path: $path,
            kind: $kind,
            get: |t| Some(Value::$variant(t.$($field).+.into())),
            set: |t, value| {
                if let Value::$variant(value) = value
                    && let Ok(value) = value.try_into()
                {
                    t.$($field).+ = value;
                }
            },
        }
    };
}

/// A key of [`Draft`]: its field is `None` until it is set.
macro_rules! optional {
    ($path:literal, $kind:expr, $variant:ident, $field:ident) => {
        Key {
            path: $path,
            kind: $kind,
            get: |t| t.$field.clone().map(|value| Value::$variant(value.into())),
            set: |t, value| {
                if let Value::$variant(value) = value
                    && let Ok(value) = value.try_into()
                {
                    t.$field = Some(value);
                }
            },
        }
    };
}

const fn duration(min: Duration, max: Duration) -> Kind {
    Kind::Duration {
        min,
        max,
        step: Duration::from_nanos(1),
    }
}

const HOUR: Duration = Duration::from_hours(1);

/// The keys of the whole file, servers and profiles apart.
pub static SETTINGS: &[Key<Settings>] = &[
    Key {
        path: "default_server",
        kind: Kind::Name,
        get: |t| t.default_server.clone().map(Value::Text),
        set: |t, value| {
            if let Value::Text(name) = value {
                t.default_server = Some(name);
            }
        },
    },
    field!(
        "monitor.interval",
        duration(Duration::from_millis(100), HOUR),
        Duration,
        monitor.interval
    ),
    field!(
        "monitor.overhead_budget",
        Kind::Share {
            min: 0.0001,
            max: 0.5
        },
        Share,
        monitor.overhead_budget
    ),
    field!(
        "monitor.statement_timeout",
        duration(Duration::from_millis(100), HOUR),
        Duration,
        monitor.statement_timeout
    ),
    field!(
        "monitor.lock_wait_timeout",
        // The server counts `lock_wait_timeout` in whole seconds.
        Kind::Duration {
            min: Duration::from_secs(1),
            max: HOUR,
            step: Duration::from_secs(1)
        },
        Duration,
        monitor.lock_wait_timeout
    ),
    field!(
        "monitor.connect_timeout",
        duration(Duration::from_millis(100), Duration::from_mins(10)),
        Duration,
        monitor.connect_timeout
    ),
    Key {
        path: "dashboard.theme",
        kind: Kind::Choice(&["dark", "light", "none"]),
        get: |t| Some(Value::Choice(name_of(Theme::NAMES, t.dashboard.theme))),
        set: |t, value| {
            if let Value::Choice(name) = value
                && let Some(theme) = value_of(Theme::NAMES, name)
            {
                t.dashboard.theme = theme;
            }
        },
    },
    field!("dashboard.ascii", Kind::Switch, Switch, dashboard.ascii),
    field!("dashboard.mouse", Kind::Switch, Switch, dashboard.mouse),
    field!(
        "dashboard.read_only",
        Kind::Switch,
        Switch,
        dashboard.read_only
    ),
    field!(
        "dashboard.max_fps",
        Kind::Count { min: 1, max: 60 },
        Count,
        dashboard.max_fps
    ),
    field!(
        "load.concurrency",
        Kind::Count {
            min: 1,
            max: 10_000
        },
        Count,
        load.concurrency
    ),
    field!("load.rate", Kind::Rate, Rate, load.rate),
    Key {
        path: "load.stages",
        kind: Kind::Stages,
        get: |t| Some(Value::Stages(t.load.stages.clone())),
        set: |t, value| {
            if let Value::Stages(stages) = value {
                t.load.stages = stages;
            }
        },
    },
    field!(
        "load.operation_timeout",
        duration(Duration::from_millis(1), HOUR),
        Duration,
        load.operation_timeout
    ),
    field!(
        "load.max_rows",
        Kind::Count {
            min: 1,
            max: 100_000_000
        },
        Count,
        load.max_rows
    ),
    field!("slo.response", Kind::Objective, Objective, slo.response),
    field!("slo.analytics", Kind::Objective, Objective, slo.analytics),
    field!(
        "slo.concurrent_operations",
        Kind::Count {
            min: 1,
            max: 1_000_000
        },
        Count,
        slo.concurrent_operations
    ),
    field!(
        "slo.events_per_minute",
        Kind::Count {
            min: 1,
            max: 1_000_000_000
        },
        Count,
        slo.events_per_minute
    ),
    field!(
        "slo.hit_ratio",
        Kind::Share { min: 0.0, max: 1.0 },
        Share,
        slo.hit_ratio
    ),
    field!(
        "slo.growth_per_month",
        Kind::Share {
            min: 0.0,
            max: 10.0
        },
        Share,
        slo.growth_per_month
    ),
    field!(
        "slo.availability",
        Kind::Share { min: 0.0, max: 1.0 },
        Share,
        slo.availability
    ),
];

/// The keys of `[servers.NAME]`.
pub static SERVER: &[Key<Draft>] = &[
    optional!("host", Kind::Host, Text, host),
    optional!(
        "port",
        Kind::Count {
            min: 1,
            max: 65_535
        },
        Count,
        port
    ),
    optional!("socket", Kind::Path, Path, socket),
    optional!("user", Kind::Text { max: 32 }, Text, user),
    optional!("password_file", Kind::Path, Path, password_file),
    optional!("my_cnf", Kind::Path, Path, my_cnf),
    optional!("my_cnf_group", Kind::Text { max: 64 }, Text, my_cnf_group),
    optional!("database", Kind::Text { max: 64 }, Text, database),
    Key {
        path: "tls.mode",
        kind: Kind::Choice(&[
            "disabled",
            "preferred",
            "required",
            "verify_ca",
            "verify_identity",
        ]),
        get: |t| {
            t.tls_mode
                .map(|mode| Value::Choice(name_of(TlsMode::NAMES, mode)))
        },
        set: |t, value| {
            if let Value::Choice(name) = value {
                t.tls_mode = value_of(TlsMode::NAMES, name);
            }
        },
    },
    optional!("tls.ca", Kind::Path, Path, tls_ca),
    optional!("read_only", Kind::Switch, Switch, read_only),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_reads_back_what_it_sets() {
        let mut settings = Settings::built_in(Profile::Development);
        settings.default_server = Some("main".to_owned());
        for key in SETTINGS {
            let value = (key.get)(&settings).unwrap();
            let text = value.plain();
            let read = key.kind.read(&super::super::given::Given::Plain(&text));
            assert_eq!(read, Ok(value.clone()), "{}", key.path);
            let mut other = Settings::built_in(Profile::Development);
            (key.set)(&mut other, value.clone());
            assert_eq!((key.get)(&other), Some(value), "{}", key.path);
        }
    }

    #[test]
    fn choices_are_the_names_of_their_types() {
        let Kind::Choice(profiles) = PROFILE else {
            panic!("profiles are a choice");
        };
        let names: Vec<_> = Profile::NAMES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, profiles);
        for key in SERVER {
            if let Kind::Choice(choices) = key.kind {
                let names: Vec<_> = TlsMode::NAMES.iter().map(|(name, _)| *name).collect();
                assert_eq!(names, choices);
            }
        }
        for key in SETTINGS {
            if let Kind::Choice(choices) = key.kind {
                let names: Vec<_> = Theme::NAMES.iter().map(|(name, _)| *name).collect();
                assert_eq!(names, choices);
            }
        }
    }
}
