//! A place to load a configuration in: files, variables, flags, a home.

use std::fs;
use std::path::PathBuf;

use mydex::config::effective;
use mydex::config::load::{Flags, LoadError, Loaded, load};

/// A folder to load from, with a home folder inside.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("home/.config/mydex")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        self.write_with_mode(name, text, 0o600)
    }

    pub(crate) fn write_with_mode(&self, name: &str, text: &str, mode: u32) -> &Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    pub(crate) fn load(
        &self,
        flags: &Flags,
        variables: &[(&str, &str)],
    ) -> Result<Loaded, LoadError> {
        let home = self.path("home").into_os_string();
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .chain([("HOME".into(), home)]);
        load(flags, variables, self.folder.path())
    }
}

/// No flags.
pub(crate) fn flags() -> Flags {
    Flags::default()
}

/// `--url`.
pub(crate) fn by_url(url: &str) -> Flags {
    Flags {
        url: Some(url.into()),
        ..flags()
    }
}

/// `value (origin)` of a key.
pub(crate) fn shown(loaded: &Loaded, key: &str) -> String {
    let settings = effective::settings(&loaded.settings, &loaded.origins);
    let setting = settings.into_iter().find(|setting| setting.key == key);
    let setting = setting.unwrap_or_else(|| panic!("no {key}"));
    let origin = setting.origin.map_or("-".to_owned(), |o| o.to_string());
    format!("{} ({origin})", setting.value.plain())
}

/// The password of a server, or of the default one.
pub(crate) fn password(loaded: &Loaded, server: Option<&str>) -> Option<String> {
    use secrecy::ExposeSecret as _;
    let server = loaded.settings.resolve(server).unwrap();
    let password = server.password.as_ref()?;
    Some(password.expose_secret().to_owned())
}
