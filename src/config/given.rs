//! A value as it was given, before anybody knows what it should be.

/// A value as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given<'a> {
    /// A string of the file.
    Text(&'a str),
    /// A number of the file, as it is written there without underscores.
    Number(String),
    /// A boolean of the file.
    Switch(bool),
    /// Text from a variable or a flag, where no type is written.
    Plain(&'a str),
    /// Something of the file that no key takes: its TOML type.
    Other(&'static str),
}

impl Given<'_> {
    /// As it was written, short, and without what stands before an `@` in a URL, which may be a
    /// password.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("\"{}\"", harmless(text)),
            Self::Plain(text) => harmless(text),
            Self::Number(text) => harmless(text),
            Self::Switch(on) => on.to_string(),
            Self::Other(kind) => format!("a TOML {kind}"),
        }
    }

    /// The text that stands here.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Plain(text) => Some(text),
            _ => None,
        }
    }

    /// The number that stands here, in quotes or not.
    pub(super) fn number(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Plain(text) => Some(text.trim()),
            Self::Number(text) => Some(text),
            _ => None,
        }
    }
}

/// At most 60 characters of `text`, userinfo of a URL left out.
fn harmless(text: &str) -> String {
    let open = match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}://…{}", &text[..scheme], &text[at..])
        }
        _ => text.to_owned(),
    };
    if open.chars().count() <= 60 {
        return open;
    }
    open.chars().take(59).chain(['…']).collect()
}
