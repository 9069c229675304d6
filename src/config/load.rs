//! Everything that configures mydex, found and put together.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::check::{self, Origins};
use super::environ::{self, Environment};
use super::kind::Value;
use super::mistake::{Mistake, Mistakes, Place};
use super::origin::{Layer, Origin};
use super::raw::{self, Document};
use super::schema::{PROFILE, SETTINGS, value_of};
use super::servers;
use super::settings::{Profile, Settings};
use super::syntax;

/// What the command line says. Texts are checked here, together with everything else, so that
/// all mistakes come at once. Fill these from plain options, without clap's `env`: where a value
/// came from would be lost, and `--help` would print the password in `MYDEX_URL`.
#[derive(Debug, Clone, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Flags {
    /// `--config FILE`.
    pub config: Option<PathBuf>,
    /// `--profile NAME`.
    pub profile: Option<String>,
    /// `--server NAME`.
    pub server: Option<String>,
    /// `--url mysql://…`; wrapped, because it may hold a password.
    pub url: Option<SecretString>,
    /// `--ask-password`.
    pub ask_password: bool,
    /// `--interval 1s`.
    pub interval: Option<String>,
    /// `--theme dark`.
    pub theme: Option<String>,
    /// `--ascii`.
    pub ascii: bool,
    /// `--no-mouse`.
    pub no_mouse: bool,
    /// `--read-only`.
    pub read_only: bool,
    /// Any other flag that sets a key.
    pub overrides: Vec<Override>,
}

/// A flag that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The key's path, such as `load.concurrency`.
    pub key: &'static str,
    /// The flag's name, such as `--concurrency`.
    pub flag: &'static str,
    /// Its value as it was written.
    pub value: String,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Checked settings.
    pub settings: Settings,
    /// Where each value came from, by the dotted path of its key. A server's password is
    /// `servers.NAME.password`.
    pub origins: Origins,
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// For standard error, one sentence each; never a secret.
    pub warnings: Vec<String>,
    /// Worth knowing, for `mydex config show` only.
    pub notes: Vec<String>,
}

impl Loaded {
    /// The defaults alone, as if there were no file, no variable and no flag.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            settings: Settings::built_in(Profile::Development),
            origins: Origins::default(),
            file: None,
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum LoadError {
    #[error("configuration file `{}` ({named_by}) can't be read: {source}", path.display())]
    Read {
        path: PathBuf,
        named_by: &'static str,
        source: io::Error,
    },
    #[error("configuration file `{}` is larger than 1 MiB", path.display())]
    TooLarge { path: PathBuf },
    #[error("configuration file `{}` is not UTF-8 in line {line}", path.display())]
    NotText { path: PathBuf, line: usize },
    #[error("{0}")]
    Mistakes(Mistakes),
    #[error(transparent)]
    Secret(#[from] super::secret::SecretError),
}

const MAX_FILE: u64 = 1_048_576;

/// Finds, reads and checks everything. `variables` are those of the process and `cwd` its
/// working folder, both passed in so that nothing else is looked at.
pub fn load(
    flags: &Flags,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    cwd: &Path,
) -> Result<Loaded, LoadError> {
    let environment = environ::read(variables);
    let source = find_file(flags, &environment, cwd)?;
    let shown = source
        .as_ref()
        .map_or_else(String::new, |source| source.path.display().to_string());
    let (document, mut mistakes) = match &source {
        Some(source) => raw::read(&shown, &source.text),
        None => (Document::default(), Vec::new()),
    };
    mistakes.extend(environment.mistakes.iter().cloned());
    let flag_layer = flag_layer(flags, &mut mistakes);
    let profile = choose_profile(flags, &environment, &document, &mut mistakes);
    let assembled = check::assemble(profile, &document, &environment.layer, &flag_layer);
    mistakes.extend(check::cross_check(&shown, &document, &assembled, &mistakes));
    let chosen = servers::choose(flags, &environment, &mut mistakes);
    let mistakes = Mistakes::new(mistakes);
    if !mistakes.is_empty() {
        return Err(LoadError::Mistakes(mistakes));
    }
    let file = source.map(|source| source.path);
    let roots = Roots {
        home: environment.home.clone().map(PathBuf::from),
        file: file
            .as_deref()
            .and_then(Path::parent)
            .map_or_else(|| cwd.to_owned(), |folder| cwd.join(folder)),
        cwd: cwd.to_owned(),
    };
    let mut loaded = Loaded {
        settings: assembled.settings,
        origins: assembled.origins,
        file,
        warnings: environment.warnings.clone(),
        notes: Vec::new(),
    };
    loaded.origins.insert(
        "profile".to_owned(),
        profile_origin(flags, &environment, &document),
    );
    servers::complete(
        &mut loaded,
        assembled.drafts,
        chosen,
        environment.password,
        flags.ask_password,
        &roots,
    )?;
    Ok(loaded)
}

/// Folders that relative paths start from.
#[derive(Debug, Clone)]
pub(super) struct Roots {
    /// For `~`.
    pub(super) home: Option<PathBuf>,
    /// For paths in the configuration file.
    pub(super) file: PathBuf,
    /// For paths in a variable or flag.
    pub(super) cwd: PathBuf,
}

struct Source {
    path: PathBuf,
    text: String,
}

/// The file that a flag or variable names, or the first one that exists; none is fine.
fn find_file(
    flags: &Flags,
    environment: &Environment,
    cwd: &Path,
) -> Result<Option<Source>, LoadError> {
    if let Some(path) = &flags.config {
        return read_file(path, "--config", cwd).map(Some);
    }
    if let Some(path) = &environment.config {
        return read_file(Path::new(path), "MYDEX_CONFIG", cwd).map(Some);
    }
    // The XDG specification has relative paths in its variables ignored.
    let config_home = environment
        .config_home
        .as_ref()
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(Path::new(environment.home.as_ref()?).join(".config")));
    let candidates = [
        (Some(PathBuf::from("monitor.toml")), "in this folder"),
        (
            config_home.map(|home| home.join("mydex").join("monitor.toml")),
            "of this user",
        ),
    ];
    for (path, named_by) in candidates {
        let Some(path) = path else { continue };
        match read_file(&path, named_by, cwd) {
            Err(LoadError::Read { source, .. })
                if matches!(
                    source.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) => {}
            found => return found.map(Some),
        }
    }
    Ok(None)
}

fn read_file(path: &Path, named_by: &'static str, cwd: &Path) -> Result<Source, LoadError> {
    let failed = |source| LoadError::Read {
        path: path.to_owned(),
        named_by,
        source,
    };
    let mut bytes = Vec::new();
    File::open(cwd.join(path))
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE) {
        return Err(LoadError::TooLarge {
            path: path.to_owned(),
        });
    }
    let text = String::from_utf8(bytes).map_err(|error| LoadError::NotText {
        path: path.to_owned(),
        line: syntax::line_of(error.as_bytes(), error.utf8_error().valid_up_to()),
    })?;
    Ok(Source {
        path: path.to_owned(),
        text,
    })
}

/// The flags as a layer.
fn flag_layer(flags: &Flags, mistakes: &mut Vec<Mistake>) -> Layer {
    let mut layer = Layer::new();
    let on = |is_set: bool, value: &str| is_set.then(|| value.to_owned());
    let named = [
        ("monitor.interval", "--interval", flags.interval.clone()),
        ("dashboard.theme", "--theme", flags.theme.clone()),
        ("dashboard.ascii", "--ascii", on(flags.ascii, "true")),
        ("dashboard.mouse", "--no-mouse", on(flags.no_mouse, "false")),
        (
            "dashboard.read_only",
            "--read-only",
            on(flags.read_only, "true"),
        ),
    ];
    let others = flags
        .overrides
        .iter()
        .map(|o| (o.key, o.flag, Some(o.value.clone())));
    for (path, flag, value) in named.into_iter().chain(others) {
        let Some(key) = SETTINGS.iter().find(|key| key.path == path) else {
            continue;
        };
        let Some(value) = value else { continue };
        let origin = Origin::Flag(flag.to_owned());
        match environ::entry(key.kind, &value, flag, origin) {
            Ok(entry) => {
                layer.insert(path.to_owned(), entry);
            }
            Err((problem, remedy)) => mistakes.push(Mistake {
                place: Place::Flag(flag.to_owned()),
                key: path.to_owned(),
                problem,
                remedy,
            }),
        }
    }
    layer
}

/// The active profile: flag, variable, file, then development.
fn choose_profile(
    flags: &Flags,
    environment: &Environment,
    document: &Document,
    mistakes: &mut Vec<Mistake>,
) -> Profile {
    let flag = "--profile";
    let variable = "MYDEX_PROFILE";
    let given = [
        (&flags.profile, flag, Place::Flag(flag.to_owned())),
        (
            &environment.profile,
            variable,
            Place::Environment(variable.to_owned()),
        ),
    ];
    let mut chosen = None;
    for (text, name, place) in given {
        let Some(text) = text else { continue };
        match environ::entry(PROFILE, text, name, Origin::Default).map(|entry| entry.value) {
            Ok(Value::Choice(name)) => chosen = chosen.or(value_of(Profile::NAMES, name)),
            Ok(_) => {}
            Err((problem, remedy)) => mistakes.push(Mistake {
                place,
                key: "profile".to_owned(),
                problem,
                remedy,
            }),
        }
    }
    chosen
        .or(document.profile.map(|(profile, _)| profile))
        .unwrap_or(Profile::Development)
}

fn profile_origin(flags: &Flags, environment: &Environment, document: &Document) -> Origin {
    if flags.profile.is_some() {
        Origin::Flag("--profile".to_owned())
    } else if environment.profile.is_some() {
        Origin::Env("MYDEX_PROFILE".to_owned())
    } else if let Some((_, at)) = document.profile {
        Origin::File {
            line: at.line,
            column: at.column,
        }
    } else {
        Origin::Default
    }
}
