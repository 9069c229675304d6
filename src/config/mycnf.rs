//! MySQL option files such as `~/.my.cnf`: groups, options, quotes, comments and includes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;

use super::schema::{Draft, value_of};
use super::settings::TlsMode;

/// One line that means something.
#[derive(Debug, Clone)]
pub enum Line {
    /// `[group]`.
    Group(String),
    /// `name = value`; the value may be a password, so it does not print.
    Option {
        /// In lower case, with `-` for `_`, without `loose-`.
        name: String,
        /// Unquoted and unescaped; `None` for an option without `=`.
        value: Option<SecretString>,
    },
    /// `!include FILE`.
    Include(PathBuf),
    /// `!includedir FOLDER`: its files that end in `.cnf`.
    IncludeFolder(PathBuf),
}

/// Reads the lines of an option file. Lines that mean nothing to the MySQL clients either are
/// passed over.
#[must_use]
pub fn read(text: &str) -> Vec<Line> {
    text.lines()
        .filter_map(|line| read_line(line.trim()))
        .collect()
}

fn read_line(line: &str) -> Option<Line> {
    if line.is_empty() || line.starts_with('#') || line.starts_with(';') {
        return None;
    }
    if let Some(directive) = line.strip_prefix('!') {
        let (word, path) = directive.split_once(char::is_whitespace)?;
        let path = PathBuf::from(path.trim());
        return match word {
            "include" => Some(Line::Include(path)),
            "includedir" => Some(Line::IncludeFolder(path)),
            _ => None,
        };
    }
    if let Some(rest) = line.strip_prefix('[') {
        let (group, _) = rest.split_once(']')?;
        return Some(Line::Group(group.trim().to_lowercase()));
    }
    let line = &line[..comment_start(line)];
    let (name, value) = match line.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (line, None),
    };
    let name = name.trim().to_lowercase().replace('_', "-");
    let name = name.strip_prefix("loose-").unwrap_or(&name).to_owned();
    let value = value.map(|value| SecretString::from(unescape(unquote(value.trim()))));
    (!name.is_empty()).then_some(Line::Option { name, value })
}

/// Where a comment starts: at a `#` outside quotes.
fn comment_start(line: &str) -> usize {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (_, '\\') => is_escaped = true,
            (None, '#') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    line.len()
}

fn unquote(value: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value)
}

/// `\b \t \n \r \\ \s \" \'` as the MySQL clients read them; other backslashes stand for
/// themselves.
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => text.push('\u{8}'),
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('s') => text.push(' '),
            Some(same @ ('\\' | '"' | '\'')) => text.push(same),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}

/// The options of the groups of interest.
#[derive(Debug, Clone, Default)]
pub struct Options {
    groups: BTreeMap<String, BTreeMap<String, SecretString>>,
}

impl Options {
    /// Adds the lines of a file, after those of earlier files; an option given again replaces
    /// the earlier one of its group, and one without a value takes it back. Includes must have
    /// been replaced by what they include.
    pub fn add<'a>(&mut self, lines: impl IntoIterator<Item = &'a Line>) {
        let mut group = String::new();
        for line in lines {
            match line {
                Line::Group(name) => group.clone_from(name),
                Line::Option { name, value } if !group.is_empty() => {
                    let options = self.groups.entry(group.clone()).or_default();
                    match value {
                        Some(value) => options.insert(name.clone(), value.clone()),
                        None => options.remove(name),
                    };
                }
                _ => {}
            }
        }
    }

    /// Whether the files have this group.
    #[must_use]
    pub fn has_group(&self, group: &str) -> bool {
        self.groups.contains_key(&group.to_lowercase())
    }

    /// The names of the groups.
    #[must_use]
    pub fn group_names(&self) -> Vec<&str> {
        self.groups.keys().map(String::as_str).collect()
    }

    /// The value of an option and its group. `groups` go from the least to the most specific; the
    /// most specific one that has the option wins, wherever it stands in the file.
    #[must_use]
    pub fn get<'a>(
        &'a self,
        groups: &[&'a str],
        name: &str,
    ) -> Option<(&'a SecretString, &'a str)> {
        groups.iter().rev().find_map(|group| {
            let value = self.groups.get(&group.to_lowercase())?.get(name)?;
            Some((value, *group))
        })
    }
}

/// Which keys an option file fills when the configuration has not; the password apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filled {
    /// Key and group, for `config show`.
    pub keys: Vec<(&'static str, String)>,
    /// What was passed over, each with its reason.
    pub problems: Vec<String>,
}

/// Fills the empty fields of `draft`. Host, port and socket belong together: where the
/// configuration says any of them, the option file's place is not mixed in.
pub fn fill(draft: &mut Draft, options: &Options, groups: &[&str]) -> Filled {
    use secrecy::ExposeSecret as _;
    let mut filled = Filled::default();
    let get = |name: &str| {
        let (value, group) = options.get(groups, name)?;
        let value = value.expose_secret().to_owned();
        (!value.is_empty()).then(|| (value, group.to_owned()))
    };
    if draft.user.is_none()
        && let Some((user, group)) = get("user")
    {
        draft.user = Some(user);
        filled.keys.push(("user", group));
    }
    if draft.host.is_none() && draft.port.is_none() && draft.socket.is_none() {
        fill_place(draft, &get, &mut filled);
    }
    if draft.database.is_none()
        && let Some((database, group)) = get("database")
    {
        draft.database = Some(database);
        filled.keys.push(("database", group));
    }
    if draft.tls_mode.is_none()
        && let Some((mode, group)) = get("ssl-mode")
    {
        match value_of(TlsMode::NAMES, &mode.to_lowercase().replace('-', "_")) {
            Some(mode) => {
                draft.tls_mode = Some(mode);
                filled.keys.push(("tls.mode", group));
            }
            None => filled.problems.push(format!(
                "`ssl-mode` of group [{group}] is not one of `DISABLED`, `PREFERRED`, \
                 `REQUIRED`, `VERIFY_CA` and `VERIFY_IDENTITY`"
            )),
        }
    }
    if draft.tls_ca.is_none()
        && let Some((ca, group)) = get("ssl-ca")
    {
        draft.tls_ca = Some(PathBuf::from(ca));
        filled.keys.push(("tls.ca", group));
    }
    filled
}

fn fill_place(
    draft: &mut Draft,
    get: &dyn Fn(&str) -> Option<(String, String)>,
    filled: &mut Filled,
) {
    // The MySQL clients use the socket for the host `localhost` only.
    let host = get("host");
    let is_local = host.as_ref().is_none_or(|(host, _)| host == "localhost");
    if is_local && let Some((socket, group)) = get("socket") {
        draft.socket = Some(PathBuf::from(socket));
        filled.keys.push(("socket", group));
        return;
    }
    if let Some((host, group)) = host {
        draft.host = Some(host);
        filled.keys.push(("host", group));
    }
    if let Some((port, group)) = get("port") {
        match port.parse::<u16>().ok().filter(|port| *port > 0) {
            Some(port) => {
                draft.port = Some(port);
                filled.keys.push(("port", group));
            }
            None => filled.problems.push(format!(
                "`port` of group [{group}] is not a number from 1 to 65535"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    fn options(text: &str) -> Options {
        let mut options = Options::default();
        options.add(&read(text));
        options
    }

    fn value(text: &str) -> Option<String> {
        let options = options(&format!("[client]\npassword={text}\n"));
        let (value, _) = options.get(&["client"], "password")?;
        Some(value.expose_secret().to_owned())
    }

    #[test]
    fn values_are_unquoted_and_unescaped() {
        for (text, expected) in [
            ("plain", "plain"),
            ("  padded  ", "padded"),
            ("\"a # b\"", "a # b"),
            ("'it''s'", "it''s"),
            ("a # comment", "a"),
            ("a\\sb\\\\c\\tq", "a b\\c\tq"),
            ("\"qu\\\"ote\"", "qu\"ote"),
            ("C:\\dir", "C:\\dir"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(value(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_most_specific_group_wins_wherever_it_stands() {
        let options = options(
            "; old style\nuser = nobody\n[mydex]\nuser=m\n[client]\nuser=c\nport=3307\n\
             loose_ssl_mode=REQUIRED\n[Mysqld]\nuser=mysql\n[client]\nport=3308\npassword\n",
        );
        let get = |name| {
            options
                .get(&["client", "mydex"], name)
                .map(|(value, group)| (value.expose_secret().to_owned(), group.to_owned()))
        };
        assert_eq!(get("user"), Some(("m".to_owned(), "mydex".to_owned())));
        assert_eq!(get("port"), Some(("3308".to_owned(), "client".to_owned())));
        assert!(get("ssl-mode").is_some());
        assert_eq!(get("password"), None);
        assert!(options.has_group("mysqld"));
    }

    #[test]
    fn a_place_is_taken_whole_or_not_at_all() {
        let options = options("[client]\nhost=db\nport=3307\nuser=u\nsocket=/s\nssl-ca=/ca\n");
        let mut empty = Draft::default();
        fill(&mut empty, &options, &["client"]);
        assert_eq!(
            (empty.host.as_deref(), empty.port),
            (Some("db"), Some(3307))
        );
        assert_eq!(empty.socket, None);
        let mut given = Draft {
            host: Some("other".to_owned()),
            ..Draft::default()
        };
        let filled = fill(&mut given, &options, &["client"]);
        assert_eq!((given.port, given.socket.clone()), (None, None));
        assert_eq!(given.user.as_deref(), Some("u"));
        let keys: Vec<_> = filled.keys.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["user", "tls.ca"]);
    }

    #[test]
    fn includes_are_seen_and_nothing_prints_a_password() {
        let lines = read("!include /etc/a.cnf\n!includedir /etc/d\n[client]\npassword=hunter2\n");
        assert!(matches!(&lines[0], Line::Include(p) if p.ends_with("a.cnf")));
        assert!(matches!(&lines[1], Line::IncludeFolder(p) if p.ends_with("d")));
        assert!(!format!("{lines:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "(\\PC|[\n\r#;=\\[\\]'\"\\\\!]){0,200}") {
            let lines = read(&text);
            let mut options = Options::default();
            options.add(&lines);
            fill(&mut Draft::default(), &options, &["client"]);
        }
    }
}
