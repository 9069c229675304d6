//! `mysql://user:password@host:port/database?ssl-mode=…`, read without ever repeating a secret.
//!
//! A password with an unescaped `/`, `?`, `#` or `@` spills over into what looks like the host,
//! the port or the database. So no error names a part of the URL beyond its scheme and the names
//! of options that are known.

mod escape;

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use self::escape::{decode, decode_any, encode};
use super::kind::is_host;
use super::schema::{Draft, name_of, value_of};
use super::settings::TlsMode;

/// A connection as a URL describes it; [`fmt::Display`] leaves the password out.
#[derive(Debug, Clone, Default)]
pub struct ConnectionUrl {
    /// Everything but the password.
    pub draft: Draft,
    /// The password, if the URL holds one; an empty one is none.
    pub password: Option<SecretString>,
}

/// Why a URL can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum UrlError {
    #[error("a URL starts with `mysql://`")]
    NoScheme,
    #[error("the scheme `{0}` is not `mysql`; mydex speaks to MySQL only")]
    OtherScheme(String),
    #[error("the URL is longer than {MAX_LENGTH} characters")]
    TooLong,
    #[error(
        "the user or password holds a `/`, `?` or `#` as it is: write `%2F`, `%3F` or `%23` in its \
         place"
    )]
    Unescaped,
    #[error(
        "a `%` is not followed by two hexadecimal digits, or they are no UTF-8: write `%25` for a `%`"
    )]
    BadEscape,
    #[error("a part of the URL holds a control character")]
    Control,
    #[error("the host is not a name or an address; an IPv6 address stands in `[]`")]
    BadHost,
    #[error("the port is not a number from 1 to 65535")]
    BadPort,
    #[error("the database name holds a `/`, or is longer than 64 characters")]
    BadDatabase,
    #[error("an option after the `?` is not known; known are `ssl-mode`, `ssl-ca` and `socket`")]
    UnknownOption,
    #[error("the option `{0}` is given twice")]
    TwiceOption(&'static str),
    #[error("the option `{0}` has no value")]
    EmptyOption(&'static str),
    #[error(
        "`ssl-mode` is one of `DISABLED`, `PREFERRED`, `REQUIRED`, `VERIFY_CA` and `VERIFY_IDENTITY`"
    )]
    BadTlsMode,
}

const MAX_LENGTH: usize = 4_096;

impl ConnectionUrl {
    /// Reads a URL.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return Err(UrlError::TooLong);
        }
        let rest = after_scheme(text)?;
        let authority_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(authority_ends);
        if tail.contains(['@', '#']) {
            return Err(UrlError::Unescaped);
        }
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let mut url = Self::default();
        let place = match authority.rsplit_once('@') {
            Some((userinfo, place)) => {
                url.userinfo(userinfo)?;
                place
            }
            None => authority,
        };
        url.place(place)?;
        url.draft.database = database(path)?;
        for option in query.split('&').filter(|option| !option.is_empty()) {
            url.option(option)?;
        }
        Ok(url)
    }

    fn userinfo(&mut self, userinfo: &str) -> Result<(), UrlError> {
        let (user, password) = match userinfo.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (userinfo, None),
        };
        self.draft.user = not_empty(decode(user)?);
        self.password = match password {
            Some(password) => not_empty(decode_any(password)?).map(SecretString::from),
            None => None,
        };
        Ok(())
    }

    fn place(&mut self, place: &str) -> Result<(), UrlError> {
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or(UrlError::BadHost)?;
                if host.parse::<std::net::Ipv6Addr>().is_err() {
                    return Err(UrlError::BadHost);
                }
                match after.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if after.is_empty() => (host, None),
                    None => return Err(UrlError::BadHost),
                }
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        self.draft.host = not_empty(decode(host)?);
        if self
            .draft
            .host
            .as_deref()
            .is_some_and(|host| !is_host(host))
        {
            return Err(UrlError::BadHost);
        }
        self.draft.port = match port {
            None | Some("") => None,
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => Some(
                port.parse()
                    .ok()
                    .filter(|port| *port > 0)
                    .ok_or(UrlError::BadPort)?,
            ),
            Some(_) => return Err(UrlError::BadPort),
        };
        Ok(())
    }

    fn option(&mut self, option: &str) -> Result<(), UrlError> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let name = match name.to_lowercase().replace('_', "-").as_str() {
            "ssl-mode" | "sslmode" | "tls-mode" => "ssl-mode",
            "ssl-ca" | "sslca" | "tls-ca" => "ssl-ca",
            "socket" => "socket",
            _ => return Err(UrlError::UnknownOption),
        };
        let value = not_empty(decode(value)?).ok_or(UrlError::EmptyOption(name))?;
        let draft = &mut self.draft;
        let is_twice = match name {
            "ssl-mode" => {
                let mode = value.to_lowercase().replace('-', "_");
                let mode = value_of(TlsMode::NAMES, &mode).ok_or(UrlError::BadTlsMode)?;
                draft.tls_mode.replace(mode).is_some()
            }
            "ssl-ca" => draft.tls_ca.replace(PathBuf::from(value)).is_some(),
            _ => draft.socket.replace(PathBuf::from(value)).is_some(),
        };
        if is_twice {
            return Err(UrlError::TwiceOption(name));
        }
        Ok(())
    }

    /// The whole URL with its password: only for the user who asked for it, and for tests.
    #[must_use]
    pub fn with_password(&self) -> String {
        self.written(self.password.as_ref().map(ExposeSecret::expose_secret))
    }

    fn written(&self, password: Option<&str>) -> String {
        let draft = &self.draft;
        let mut url = "mysql://".to_owned();
        if draft.user.is_some() || password.is_some() {
            url += &encode(draft.user.as_deref().unwrap_or(""));
            if let Some(password) = password {
                url.push(':');
                url += &encode(password);
            }
            url.push('@');
        }
        match draft.host.as_deref() {
            Some(host) if host.contains(':') => url.extend(["[", host, "]"]),
            Some(host) => url += &encode(host),
            None => {}
        }
        if let Some(port) = draft.port {
            url.extend([":", &port.to_string()]);
        }
        url.push('/');
        url += &encode(draft.database.as_deref().unwrap_or(""));
        let path = |path: &PathBuf| encode(&path.to_string_lossy());
        let mode = |mode| name_of(TlsMode::NAMES, mode).to_uppercase();
        let options = [
            ("ssl-mode", draft.tls_mode.map(mode)),
            ("ssl-ca", draft.tls_ca.as_ref().map(path)),
            ("socket", draft.socket.as_ref().map(path)),
        ];
        let mut separator = "?";
        for (name, value) in options {
            if let Some(value) = value {
                url.extend([separator, name, "=", &value]);
                separator = "&";
            }
        }
        url
    }
}

impl fmt::Display for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(None))
    }
}

fn after_scheme(text: &str) -> Result<&str, UrlError> {
    let (scheme, rest) = text.split_once("://").ok_or(UrlError::NoScheme)?;
    if scheme.eq_ignore_ascii_case("mysql") {
        return Ok(rest);
    }
    // Only what looks like a scheme is repeated.
    let is_scheme = (1..=12).contains(&scheme.len())
        && scheme.bytes().all(|b| b.is_ascii_alphabetic() || b == b'+');
    Err(if is_scheme {
        UrlError::OtherScheme(scheme.to_owned())
    } else {
        UrlError::NoScheme
    })
}

fn database(path: &str) -> Result<Option<String>, UrlError> {
    let name = path.strip_prefix('/').unwrap_or(path);
    if name.contains('/') {
        return Err(UrlError::BadDatabase);
    }
    let name = not_empty(decode(name)?);
    if name.as_ref().is_some_and(|n| n.chars().count() > 64) {
        return Err(UrlError::BadDatabase);
    }
    Ok(name)
}

fn not_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<String, UrlError> {
        ConnectionUrl::parse(text).map(|url| url.with_password())
    }

    #[test]
    fn urls_are_read() {
        for (text, same) in [
            ("mysql://u@h", "mysql://u@h/"),
            ("mysql://h/", "mysql://h/"),
            ("MySQL://u:@h:/", "mysql://u@h/"),
            ("mysql://u:p%40ss@h:3307/db", "mysql://u:p%40ss@h:3307/db"),
            ("mysql://u:p@ss@h", "mysql://u:p%40ss@h/"),
            ("mysql://u:a:b@[::1]:3306/", "mysql://u:a%3Ab@[::1]:3306/"),
            (
                "mysql://u@h/?ssl-mode=verify-ca&ssl_ca=/etc/ca.pem",
                "mysql://u@h/?ssl-mode=VERIFY_CA&ssl-ca=%2Fetc%2Fca.pem",
            ),
            (
                "mysql://u@localhost/?socket=/tmp/m.sock",
                "mysql://u@localhost/?socket=%2Ftmp%2Fm.sock",
            ),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(same), "{text}");
        }
    }

    #[test]
    fn mistakes_are_named_without_the_secret() {
        for (text, error) in [
            ("hunter2", UrlError::NoScheme),
            ("u:hunter2@h", UrlError::NoScheme),
            ("u:hunter2@h://", UrlError::NoScheme),
            (
                "postgres://u:hunter2@h/",
                UrlError::OtherScheme("postgres".to_owned()),
            ),
            ("mysql://u:hunter2/x@h/", UrlError::Unescaped),
            ("mysql://u:hunter2?x@h/", UrlError::Unescaped),
            ("mysql://u:hunter2#x@h/", UrlError::Unescaped),
            ("mysql://u:hunter2%@h/", UrlError::BadEscape),
            ("mysql://u:hunter2/db", UrlError::BadPort),
            ("mysql://u:hunter2@h:0/", UrlError::BadPort),
            ("mysql://u:hunter2@h:65536/", UrlError::BadPort),
            ("mysql://u:hunter2@h:+5/", UrlError::BadPort),
            ("mysql://u:hunter2@::1/", UrlError::BadPort),
            ("mysql://u:hunter2@[::1/", UrlError::BadHost),
            ("mysql://u:hunter2@a b/", UrlError::BadHost),
            ("mysql://u:hunter2@h/a/b", UrlError::BadDatabase),
            ("mysql://u%00:hunter2@h/", UrlError::Control),
            ("mysql://h/?hunter2=1", UrlError::UnknownOption),
            ("mysql://h/?ssl-mode=hunter2", UrlError::BadTlsMode),
            ("mysql://h/?ssl-ca=", UrlError::EmptyOption("ssl-ca")),
            (
                "mysql://h/?socket=/a&socket=/b",
                UrlError::TwiceOption("socket"),
            ),
        ] {
            let found = ConnectionUrl::parse(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn the_password_is_in_no_debug_or_display() {
        let url = ConnectionUrl::parse("mysql://u:hunter2@h/db").unwrap();
        assert_eq!(url.to_string(), "mysql://u@h/db");
        assert!(!format!("{url:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".*") {
            let _ = ConnectionUrl::parse(&text);
            let _ = ConnectionUrl::parse(&format!("mysql://{text}"));
        }

        #[test]
        fn what_is_written_reads_back(
            user in "[^\\p{Cc}]{1,32}",
            password in proptest::option::of(".{1,40}"),
            host in "[a-z0-9.-]{1,30}|::1|fe80::1:2",
            port in proptest::option::of(1_u16..),
            database in proptest::option::of("[^\\p{Cc}]{1,16}"),
            mode in proptest::option::of(0_usize..5),
            socket in proptest::option::of("/[^\\p{Cc}]{1,20}"),
        ) {
            let draft = Draft {
                user: Some(user),
                host: Some(host),
                port,
                database,
                tls_mode: mode.map(|at| TlsMode::NAMES[at].1),
                socket: socket.map(PathBuf::from),
                ..Draft::default()
            };
            let url = ConnectionUrl { draft, password: password.map(SecretString::from) };
            let back = ConnectionUrl::parse(&url.with_password()).unwrap();
            prop_assert_eq!(&back.draft, &url.draft);
            prop_assert_eq!(back.with_password(), url.with_password());
        }
    }
}
