//! From described servers to usable ones: which is meant, and the secrets of each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::check;
use super::defaults::{HOST, PORT};
use super::environ::Environment;
use super::load::{Flags, Loaded, Roots};
use super::mistake::{Mistake, Place, listed};
use super::mycnf;
use super::origin::Origin;
use super::schema::{Draft, SERVER};
use super::secret::{self, SecretError};
use super::settings::{Profile, Server, Tls};
use super::url::ConnectionUrl;

/// The server that flags and environment ask for.
pub(super) enum Chosen {
    /// Neither names one.
    Unsaid,
    /// By name; whether it exists is asked when it is needed.
    Name(String, Origin),
    /// By URL.
    Url(Box<ConnectionUrl>, Origin),
}

/// What flags and environment ask for; a flag wins over a variable.
pub(super) fn choose(
    flags: &Flags,
    environment: &Environment,
    mistakes: &mut Vec<Mistake>,
) -> Chosen {
    let flag = |name: &str| (Place::Flag(name.to_owned()), Origin::Flag(name.to_owned()));
    let variable = |name: &str| {
        let origin = Origin::Env(name.to_owned());
        (Place::Environment(name.to_owned()), origin)
    };
    let sources = [
        (
            flags.url.as_ref(),
            flag("--url"),
            flags.server.as_ref(),
            flag("--server"),
        ),
        (
            environment.url.as_ref(),
            variable("MYDEX_URL"),
            environment.server.as_ref(),
            variable("MYDEX_SERVER"),
        ),
    ];
    for (url, (url_place, url_origin), server, (server_place, server_origin)) in sources {
        match (url, server) {
            (None, None) => {}
            (None, Some(name)) => return Chosen::Name(name.clone(), server_origin),
            (Some(_), Some(_)) => {
                mistakes.push(Mistake {
                    place: server_place.clone(),
                    key: String::new(),
                    problem: format!("names a server, and so does {url_place}"),
                    remedy: "give one of the two".to_owned(),
                });
                return Chosen::Unsaid;
            }
            (Some(url), None) => match ConnectionUrl::parse(url.expose_secret()) {
                Ok(url) => return Chosen::Url(Box::new(url), url_origin),
                Err(error) => {
                    mistakes.push(Mistake {
                        place: url_place,
                        key: String::new(),
                        problem: error.to_string(),
                        remedy: "write `mysql://USER@HOST:3306/DATABASE`".to_owned(),
                    });
                    return Chosen::Unsaid;
                }
            },
        }
    }
    Chosen::Unsaid
}

/// Fills `loaded` with the servers, their secrets and what is worth saying about them.
pub(super) fn complete(
    loaded: &mut Loaded,
    mut drafts: BTreeMap<String, Draft>,
    chosen: Chosen,
    variable: Option<SecretString>,
    ask: bool,
    roots: &Roots,
) -> Result<(), SecretError> {
    let mut password = variable.map(|secret| (secret, Origin::Env("MYDEX_PASSWORD".to_owned())));
    match chosen {
        Chosen::Unsaid => {}
        Chosen::Name(name, origin) => {
            loaded.settings.default_server = Some(name);
            loaded.origins.insert("default_server".to_owned(), origin);
        }
        Chosen::Url(url, origin) => {
            password = password_of_url(&url, &origin, password, &mut loaded.warnings);
            let name = add_url(loaded, &mut drafts, url.draft, &origin);
            loaded.settings.default_server = Some(name);
            loaded.origins.insert("default_server".to_owned(), origin);
        }
    }
    let only = || drafts.keys().next().filter(|_| drafts.len() == 1).cloned();
    let selected = loaded.settings.default_server.clone().or_else(only);
    if ask && let Some(draft) = selected.as_ref().and_then(|name| drafts.get(name)) {
        let user = draft.user.as_deref().unwrap_or("the server's account");
        let name = selected.as_deref().unwrap_or_default();
        let question = format!("Password of {user} on {name}: ");
        let question = crate::model::text::inline(&question).into_owned();
        password = Some((secret::prompt(&question)?, Origin::Prompt));
    }
    for (name, draft) in drafts {
        let given = if selected.as_deref() == Some(name.as_str()) {
            password.take()
        } else {
            None
        };
        let profile = loaded.settings.profile;
        let mut completion = Completion {
            loaded,
            roots,
            name: &name,
            profile,
        };
        completion.add(draft, given);
    }
    Ok(())
}

/// The password that goes with a URL. A flag wins over variables; among the variables the one
/// that holds nothing but a password wins.
fn password_of_url(
    url: &ConnectionUrl,
    origin: &Origin,
    variable: Option<(SecretString, Origin)>,
    warnings: &mut Vec<String>,
) -> Option<(SecretString, Origin)> {
    let Some(password) = url.password.clone() else {
        return variable;
    };
    if matches!(origin, Origin::Flag(_)) {
        warnings.push(
            "other users of this machine can see the password in `--url` while mydex runs; put \
             the URL into the variable `MYDEX_URL`, or the password into `MYDEX_PASSWORD`"
                .to_owned(),
        );
        return Some((password, origin.clone()));
    }
    if variable.is_some() {
        warnings.push(
            "`MYDEX_URL` and `MYDEX_PASSWORD` both hold a password; the one in `MYDEX_PASSWORD` \
             is used"
                .to_owned(),
        );
        return variable;
    }
    Some((password, origin.clone()))
}

/// Adds the server of a URL under the name of its place, with the origins of its keys.
fn add_url(
    loaded: &mut Loaded,
    drafts: &mut BTreeMap<String, Draft>,
    draft: Draft,
    origin: &Origin,
) -> String {
    let name = match (&draft.socket, draft.host.as_deref()) {
        (Some(socket), _) => socket.display().to_string(),
        (None, host) => {
            let host = host.unwrap_or(HOST);
            let port = draft.port.unwrap_or(PORT);
            if host.contains(':') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            }
        }
    };
    for key in SERVER {
        if (key.get)(&draft).is_some() {
            let path = format!("servers.{name}.{}", key.path);
            loaded.origins.insert(path, origin.clone());
        }
    }
    drafts.insert(name.clone(), draft);
    name
}

/// One server on its way from its description.
struct Completion<'a> {
    loaded: &'a mut Loaded,
    roots: &'a Roots,
    name: &'a str,
    profile: Profile,
}

impl Completion<'_> {
    fn add(&mut self, mut draft: Draft, given: Option<(SecretString, Origin)>) {
        let password = match self.secrets(&mut draft, given) {
            Ok(password) => password,
            Err(error) => {
                self.unavailable(error.to_string());
                None
            }
        };
        let password = password.map(|(password, origin)| {
            self.set_origin("password", origin);
            password
        });
        if draft.user.is_none() {
            self.unavailable(
                "no user is given; write `mysql://USER@HOST`, or `user` in its section".to_owned(),
            );
        }
        let tls = self.tls(&draft);
        let socket = draft.socket.take().map(|path| self.expand("socket", &path));
        if socket.is_none() {
            self.default_origin("host", draft.host.is_none(), Origin::Default);
            self.default_origin("port", draft.port.is_none(), Origin::Default);
        }
        let of_profile = Origin::Profile(self.profile);
        self.default_origin("read_only", draft.read_only.is_none(), of_profile);
        let server = Server {
            name: self.name.to_owned(),
            host: draft.host.unwrap_or_else(|| HOST.to_owned()),
            port: draft.port.unwrap_or(PORT),
            socket,
            user: draft.user.unwrap_or_default(),
            password,
            database: draft.database,
            tls,
            read_only: draft
                .read_only
                .unwrap_or_else(|| self.profile.default_read_only()),
        };
        self.loaded
            .settings
            .servers
            .insert(self.name.to_owned(), server);
    }

    /// The password: given, from its file, or from an option file, which also fills other keys.
    fn secrets(
        &mut self,
        draft: &mut Draft,
        given: Option<(SecretString, Origin)>,
    ) -> Result<Option<(SecretString, Origin)>, SecretError> {
        let from_options = self.option_file(draft)?;
        if given.is_some() {
            return Ok(given);
        }
        if let Some(path) = draft.password_file.take() {
            let path = self.expand("password_file", &path);
            let password = secret::password_file(&path)?;
            return Ok(Some((password, Origin::PasswordFile(path))));
        }
        Ok(from_options)
    }

    fn option_file(
        &mut self,
        draft: &mut Draft,
    ) -> Result<Option<(SecretString, Origin)>, SecretError> {
        if draft.my_cnf.is_none() && draft.my_cnf_group.is_none() {
            return Ok(None);
        }
        let path = match draft.my_cnf.take() {
            Some(path) => self.expand("my_cnf", &path),
            None => self.expand("my_cnf", Path::new("~/.my.cnf")),
        };
        let (options, warnings) = secret::option_file(&path)?;
        let about = |warning| format!("server `{}`: {warning}", self.name);
        let warnings: Vec<String> = warnings.into_iter().map(about).collect();
        self.loaded.warnings.extend(warnings);
        let own = draft.my_cnf_group.clone();
        if let Some(group) = own.as_ref().filter(|group| !options.has_group(group)) {
            return Err(SecretError::NoGroup {
                path,
                group: group.clone(),
                known: listed(options.group_names()),
            });
        }
        let groups: Vec<&str> = ["client", "mydex"]
            .into_iter()
            .chain(own.as_deref())
            .collect();
        let filled = mycnf::fill(draft, &options, &groups);
        for (key, group) in filled.keys {
            let path = path.clone();
            self.set_origin(key, Origin::OptionFile { path, group });
        }
        for problem in filled.problems {
            let warning = format!("server `{}`: `{}`: {problem}", self.name, path.display());
            self.loaded.warnings.push(warning);
        }
        Ok(options.get(&groups, "password").map(|(password, group)| {
            let group = group.to_owned();
            (password.clone(), Origin::OptionFile { path, group })
        }))
    }

    fn tls(&mut self, draft: &Draft) -> Tls {
        let default = self.profile.default_tls();
        let of_profile = Origin::Profile(self.profile);
        self.default_origin("tls.mode", draft.tls_mode.is_none(), of_profile);
        let mode = draft.tls_mode.unwrap_or(default.mode);
        let ca = draft.tls_ca.as_ref().map(|ca| self.expand("tls.ca", ca));
        if let Some(ca) = ca.as_ref().filter(|ca| !ca.is_file()) {
            let reason = format!("its `tls.ca`, `{}`, is not a file", ca.display());
            self.unavailable(reason);
        }
        let remarks = check::remarks(self.profile, self.name, mode, ca.is_some());
        self.loaded.warnings.extend(remarks.warnings);
        self.loaded.notes.extend(remarks.notes);
        Tls { mode, ca }
    }

    /// A path as it is meant: `~` is the home folder, and a relative path starts from the file
    /// that says it, or from the working folder where a flag or variable does.
    fn expand(&self, key: &str, path: &Path) -> PathBuf {
        if let (Ok(rest), Some(home)) = (path.strip_prefix("~"), &self.roots.home) {
            return home.join(rest);
        }
        let origin = self.loaded.origins.get(&self.path(key));
        match origin {
            Some(Origin::Env(_) | Origin::Flag(_)) => self.roots.cwd.join(path),
            Some(Origin::OptionFile { path: file, .. }) => {
                file.parent().unwrap_or(&self.roots.cwd).join(path)
            }
            _ => self.roots.file.join(path),
        }
    }

    fn path(&self, key: &str) -> String {
        format!("servers.{}.{key}", self.name)
    }

    fn set_origin(&mut self, key: &str, origin: Origin) {
        let path = self.path(key);
        self.loaded.origins.insert(path, origin);
    }

    fn default_origin(&mut self, key: &str, is_default: bool, origin: Origin) {
        if is_default {
            self.set_origin(key, origin);
        }
    }

    fn unavailable(&mut self, reason: String) {
        let unavailable = &mut self.loaded.settings.unavailable;
        unavailable.entry(self.name.to_owned()).or_insert(reason);
    }
}
