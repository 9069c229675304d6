//! Layers put on top of one another: file, its profile, environment, flags; then what only the
//! whole can tell.

use std::collections::BTreeMap;

use super::mistake::{Mistake, Place, did_you_mean, listed};
use super::origin::{Entry, Layer, Origin};
use super::raw::Document;
use super::schema::{Draft, SERVER, SETTINGS};
use super::settings::{Profile, Settings, TlsMode};

use super::kind::Value;

/// Origins by the dotted path of the key.
pub type Origins = BTreeMap<String, Origin>;

/// Settings without their servers, which still need their secrets.
#[derive(Debug, Clone)]
pub struct Assembled {
    /// Everything but `servers` and `unavailable`.
    pub settings: Settings,
    /// The servers as they are described.
    pub drafts: BTreeMap<String, Draft>,
    /// Where each value came from.
    pub origins: Origins,
}

/// Puts the layers together; a later one wins.
#[must_use]
pub fn assemble(
    profile: Profile,
    document: &Document,
    environment: &Layer,
    flags: &Layer,
) -> Assembled {
    let mut settings = Settings::built_in(profile);
    let mut origins: Origins = SETTINGS
        .iter()
        .filter(|key| (key.get)(&settings).is_some())
        .map(|key| (key.path.to_owned(), Origin::Default))
        .collect();
    let mut drafts = BTreeMap::new();
    let none = Layer::new();
    let overrides = document.profiles.get(profile.name()).unwrap_or(&none);
    for layer in [&document.base, overrides, environment, flags] {
        clear_overridden_places(layer, &mut drafts, &mut origins);
        for (path, entry) in layer {
            apply(path, entry, &mut settings, &mut drafts);
            origins.insert(path.clone(), entry.origin.clone());
        }
    }
    let sections = document.sections.keys().filter_map(|path| {
        let prefix = format!("profiles.{}.", profile.name());
        let path = path.strip_prefix(&prefix).unwrap_or(path);
        path.strip_prefix("servers.").map(str::to_owned)
    });
    for name in sections {
        drafts.entry(name).or_default();
    }
    Assembled {
        settings,
        drafts,
        origins,
    }
}

fn apply(path: &str, entry: &Entry, settings: &mut Settings, drafts: &mut BTreeMap<String, Draft>) {
    if let Some((name, key)) = server_key(path) {
        let draft = drafts.entry(name.to_owned()).or_default();
        if let Some(key) = SERVER.iter().find(|known| known.path == key) {
            (key.set)(draft, entry.value.clone());
        }
    } else if let (Some(action), Value::Names(names)) =
        (path.strip_prefix("dashboard.keys."), &entry.value)
    {
        let keys = &mut settings.dashboard.keys;
        keys.insert(action.to_owned(), names.clone());
    } else if let Some(key) = SETTINGS.iter().find(|known| known.path == path) {
        (key.set)(settings, entry.value.clone());
    }
}

/// `servers.NAME.KEY` as name and key.
fn server_key(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("servers.")?.split_once('.')
}

/// A layer that gives a server another place (a socket instead of a host, or the reverse) must
/// not be mixed with the place of the layer below.
fn clear_overridden_places(
    layer: &Layer,
    drafts: &mut BTreeMap<String, Draft>,
    origins: &mut Origins,
) {
    for path in layer.keys() {
        let Some((name, key)) = server_key(path) else {
            continue;
        };
        let Some(draft) = drafts.get_mut(name) else {
            continue;
        };
        let gone: &[&str] = match key {
            "socket" => {
                (draft.host, draft.port) = (None, None);
                &["host", "port"]
            }
            "host" => {
                draft.socket = None;
                &["socket"]
            }
            _ => &[],
        };
        for key in gone {
            origins.remove(&format!("servers.{name}.{key}"));
        }
    }
}

/// Mistakes that only several keys together show. What follows from a mistake that is `known`
/// already, such as a missing user where the user is not valid, is not said again.
#[must_use]
pub fn cross_check(
    file: &str,
    document: &Document,
    assembled: &Assembled,
    known: &[Mistake],
) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let layers = std::iter::once(&document.base).chain(document.profiles.values());
    for layer in layers {
        if !document.has_lost_section {
            mistakes.extend(default_server(file, document, layer));
        }
        mistakes.extend(two_places(file, layer));
    }
    if !document.has_lost_section && !document.has_lost_user {
        let is_new = |missing: &Mistake| !known.iter().any(|known| is_about_user(known, missing));
        let missing = without_user(file, document, assembled);
        mistakes.extend(missing.into_iter().filter(is_new));
    }
    mistakes
}

/// Whether a mistake is about the user that `missing` finds missing.
fn is_about_user(known: &Mistake, missing: &Mistake) -> bool {
    let server = missing.key.trim_end_matches("user");
    known.key.ends_with(&missing.key)
        || (known.key.contains(server) && known.remedy == "did you mean `user`?")
}

/// A default server that no section of any profile describes.
fn default_server(file: &str, document: &Document, layer: &Layer) -> Option<Mistake> {
    let entry = layer.get("default_server")?;
    let Value::Text(name) = &entry.value else {
        return None;
    };
    let known = || {
        let last = |path: &'_ String| path.rsplit('.').next().map(str::to_owned);
        let mut names: Vec<String> = document.sections.keys().filter_map(last).collect();
        names.sort();
        names.dedup();
        names
    };
    if known().contains(name) {
        return None;
    }
    let names = known();
    let names = || names.iter().map(String::as_str);
    let remedy = match did_you_mean(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names().next().is_none() => format!("add a section `[servers.{name}]`"),
        None => format!(
            "add a section `[servers.{name}]`, or choose one of {}",
            listed(names())
        ),
    };
    Some(Mistake {
        place: place(file, &entry.origin)?,
        key: "default_server".to_owned(),
        problem: format!("`default_server` is `\"{name}\"`, and there is no such server"),
        remedy,
    })
}

/// A section with a socket and a host or port.
fn two_places(file: &str, layer: &Layer) -> Vec<Mistake> {
    let second = |path: &String, entry: &Entry| {
        let (name, key) = server_key(path)?;
        let is_network = key == "host" || key == "port";
        if !is_network || !layer.contains_key(&format!("servers.{name}.socket")) {
            return None;
        }
        Some(Mistake {
            place: place(file, &entry.origin)?,
            key: path.clone(),
            problem: format!("`{path}` and `servers.{name}.socket` are both set"),
            remedy: format!(
                "keep `socket` for a server on this machine, or `{key}` for the network"
            ),
        })
    };
    layer
        .iter()
        .filter_map(|(path, entry)| second(path, entry))
        .collect()
}

/// Servers of the active profile without an account.
fn without_user(file: &str, document: &Document, assembled: &Assembled) -> Vec<Mistake> {
    let profile = assembled.settings.profile.name();
    let missing = |(name, draft): (&String, &Draft)| {
        let has_option_file = draft.my_cnf.is_some() || draft.my_cnf_group.is_some();
        if draft.user.is_some() || has_option_file {
            return None;
        }
        let path = format!("servers.{name}");
        let at = document
            .sections
            .get(&path)
            .or_else(|| document.sections.get(&format!("profiles.{profile}.{path}")))?;
        Some(Mistake {
            place: Place::File {
                file: file.to_owned(),
                line: at.line,
                column: at.column,
            },
            key: format!("{path}.user"),
            problem: format!("`[{path}]` has no `user`"),
            remedy: "add `user = \"NAME\"`, or `my_cnf_group = \"client\"` to take it from \
                     `~/.my.cnf`"
                .to_owned(),
        })
    };
    assembled.drafts.iter().filter_map(missing).collect()
}

fn place(file: &str, origin: &Origin) -> Option<Place> {
    match origin {
        Origin::File { line, column } => Some(Place::File {
            file: file.to_owned(),
            line: *line,
            column: *column,
        }),
        _ => None,
    }
}

/// What is allowed and yet worth a word, server by server: warnings, then notes.
#[must_use]
pub fn remarks(profile: Profile, name: &str, mode: TlsMode, has_ca: bool) -> Remarks {
    let verifies = matches!(mode, TlsMode::VerifyCa | TlsMode::VerifyIdentity);
    let mut remarks = Remarks::default();
    if profile == Profile::Production && matches!(mode, TlsMode::Disabled | TlsMode::Preferred) {
        remarks.warnings.push(format!(
            "server `{name}` of profile production may be spoken to without encryption; set \
             `tls.mode = \"required\"` or a verifying mode"
        ));
    }
    if has_ca && !verifies {
        remarks.warnings.push(format!(
            "server `{name}` has `tls.ca`, and its `tls.mode` does not verify certificates; set \
             `tls.mode = \"verify_ca\"`"
        ));
    }
    if verifies && !has_ca {
        remarks.notes.push(format!(
            "server `{name}` verifies certificates against the authorities of this system; set \
             `tls.ca` where the server's authority is its own"
        ));
    }
    remarks
}

/// Things worth a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Said at every start.
    pub warnings: Vec<String>,
    /// Said by `mydex config show` only.
    pub notes: Vec<String>,
}
