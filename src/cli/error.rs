//! Errors as the user reads them: the cause, the remedy, the exit status.

use std::fmt;

use crate::collect::once::OnceError;
use crate::server;

/// How a command ended when nothing stood in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit status 0.
    Fine,
    /// Checked, and found a problem: exit status 1.
    Problem,
    /// Two baselines that must not be compared: exit status 3.
    Incomparable,
    /// Ended by Ctrl-C or a signal after an orderly stop: exit status 130.
    Interrupted,
}

/// Could not judge: exit status 2. Holds no password.
#[derive(Debug)]
pub struct Error {
    message: String,
    hint: Option<String>,
}

impl Error {
    /// An error from its message: lower case, no final period, values in backticks.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// An error with all its causes, `outer: inner: innermost`.
    pub fn from_chain(error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = cause.source();
        }
        Self::new(message)
    }

    /// Message and remedy in one sentence, for places with one line.
    pub(super) fn in_one_line(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.message),
            None => self.message.clone(),
        }
    }

    /// Adds what to do about it, beside what is said already.
    #[must_use]
    pub(super) fn or_hint(mut self, hint: &str) -> Self {
        self.hint = Some(match self.hint {
            Some(first) => format!("{first}; {hint}"),
            None => hint.to_owned(),
        });
        self
    }

    /// Says first what it is about.
    #[must_use]
    pub(super) fn in_front(mut self, about: &str) -> Self {
        self.message.insert_str(0, about);
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<server::Error> for Error {
    /// With what a server's error says to do about it.
    fn from(error: server::Error) -> Self {
        Self::from_chain(&error).hint(error.hint())
    }
}

impl From<OnceError> for Error {
    /// With what is to be done about a poll that failed.
    fn from(error: OnceError) -> Self {
        Self::from_chain(&error).hint(error.hint())
    }
}
