//! The entries of a slow log, in all its forms.
//!
//! An entry is a block of lines that start with `#`, then `use` and `SET timestamp` lines, then
//! the statement, which may have any number of lines, and lines that start with `#` too. A new
//! entry starts at `# Time:` with a time behind it or at `# User@Host:`.

use memchr::{memchr, memmem};

use super::stamp::{Stamp, count, micros, stamp};

/// One entry; texts are slices of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry<'a> {
    /// Where it starts, in bytes from the start of what is read.
    pub offset: usize,
    /// When it was written, in microseconds since 1970; the start of the statement if the log says
    /// only that.
    pub at: Option<i64>,
    /// The user.
    pub user: &'a [u8],
    /// The host's name, or its address if it has none.
    pub host: &'a [u8],
    /// The default schema, empty if unknown.
    pub schema: &'a [u8],
    /// Time in microseconds.
    pub query_time: u64,
    /// Time waiting for locks in microseconds.
    pub lock_time: u64,
    /// Rows sent.
    pub rows_sent: u64,
    /// Rows examined.
    pub rows_examined: u64,
    /// Rows affected; only some forms tell.
    pub rows_affected: u64,
    /// Bytes sent; only some forms tell.
    pub bytes_sent: u64,
    /// The statement ended with an error; only some forms tell.
    pub is_error: bool,
    /// The statement without its last semicolon.
    pub statement: &'a [u8],
    /// It is no statement but a command such as `Quit`, whose name is in `statement`.
    pub is_command: bool,
}

/// What an entry takes over from the ones before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    /// The default schema: MySQL writes `use` only when it changes.
    pub schema: Vec<u8>,
    /// The last `# Time:`, which old servers write only when the second changes.
    pub time: Option<Stamp>,
}

/// What stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// An entry.
    Entry(Entry<'a>),
    /// Something that could not be read: where it starts, and why.
    Malformed(usize, &'static str),
}

/// Reads the entries of a part of a log that starts and ends between two entries.
#[derive(Debug)]
pub struct Entries<'a> {
    log: &'a [u8],
    at: usize,
    schema: &'a [u8],
    time: Option<Stamp>,
}

/// Finds the next place from `from` on where an entry starts: the start of its first line.
#[must_use]
pub fn next_start(log: &[u8], from: usize) -> Option<usize> {
    if is_start(log, from) {
        return Some(from);
    }
    let finder = memmem::Finder::new(b"\n# ");
    let mut at = from;
    loop {
        let line = at + finder.find(log.get(at..)?)? + 1;
        if is_start(log, line) {
            return Some(line);
        }
        at = line;
    }
}

/// Whether the line at `line` is one that only an entry starts with.
#[must_use]
pub fn is_start(log: &[u8], line: usize) -> bool {
    let Some(rest) = log.get(line..) else {
        return false;
    };
    if let Some(user) = rest.strip_prefix(b"# User@Host: ") {
        return memmem::find(first_line(user), b"] @ ").is_some();
    }
    rest.strip_prefix(b"# Time: ")
        .is_some_and(|time| stamp(first_line(time)).is_some())
}

fn first_line(text: &[u8]) -> &[u8] {
    let line = memchr(b'\n', text).map_or(text, |end| &text[..end]);
    line.strip_suffix(b"\r").unwrap_or(line)
}

impl<'a> Entries<'a> {
    /// The entries of `log`, with what stands before it.
    #[must_use]
    pub fn new(log: &'a [u8], carried: &'a Carried) -> Self {
        Self {
            log,
            at: 0,
            schema: &carried.schema,
            time: carried.time,
        }
    }

    /// What to carry on to the part that follows.
    #[must_use]
    pub fn carried(&self) -> Carried {
        Carried {
            schema: self.schema.to_vec(),
            time: self.time,
        }
    }

    #[inline]
    fn line(&self, at: usize) -> (&'a [u8], usize) {
        let rest = self.log.get(at..).unwrap_or(&[]);
        match memchr(b'\n', rest) {
            Some(end) => (
                rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]),
                at + end + 1,
            ),
            None => (rest, self.log.len()),
        }
    }

    /// What stands before the first entry: the server's start lines, or something unknown.
    fn preamble(&mut self) -> Option<Item<'a>> {
        let end = next_start(self.log, self.at).unwrap_or(self.log.len());
        let (text, start) = (&self.log[self.at..end], self.at);
        self.at = end;
        let (rest, was_started) = without_start_lines(text);
        if was_started {
            self.schema = &[];
        }
        let is_blank = rest.trim_ascii().is_empty();
        (!is_blank).then_some(Item::Malformed(start, "no entry starts here"))
    }

    /// Reads the lines that start with `#` into `entry`; `None` without a query time.
    fn header(&mut self, entry: &mut Entry<'a>) -> Option<()> {
        let mut has_time = false;
        let mut has_user = false;
        let mut lines = 0;
        loop {
            let (line, next) = self.line(self.at);
            let Some(text) = line.strip_prefix(b"#") else {
                break;
            };
            let text = text.trim_ascii_start();
            if text.starts_with(b"administrator command: ") {
                break;
            }
            if let Some(time) = text.strip_prefix(b"Time: ") {
                if lines > 0 && is_start(self.log, self.at) {
                    break;
                }
                self.time = stamp(time).or(self.time);
            } else if let Some(user) = text.strip_prefix(b"User@Host: ") {
                // Only the line of the time stands before that of the user.
                let is_next = (has_user || lines > 1) && is_start(self.log, self.at);
                if is_next {
                    break;
                }
                has_user = true;
                people(entry, user);
            } else if is_known_header(text, has_time) {
                has_time |= attributes(entry, text)?;
            } else {
                break;
            }
            self.at = next;
            lines += 1;
        }
        has_time.then_some(())
    }

    /// Reads `use` and `SET timestamp`, then the statement, up to `end`.
    fn body(&mut self, entry: &mut Entry<'a>, end: usize) -> Result<(), &'static str> {
        let (mut line, mut next) = self.line(self.at);
        if let Some(schema) = line.strip_prefix(b"use ") {
            self.schema = unquoted(schema.strip_suffix(b";").unwrap_or(schema).trim_ascii());
            self.at = next;
            (line, next) = self.line(self.at);
        }
        let mut started = None;
        if line.starts_with(b"SET ")
            && let Some(timestamp) = timestamp(line)
        {
            started = Some(timestamp);
            self.at = next;
        }
        entry.at = match (self.time, started) {
            (Some(Stamp::Exact(at)), _) | (Some(Stamp::Local(at)), None) => Some(at),
            (_, started) => started,
        };
        if entry.schema.is_empty() {
            entry.schema = self.schema;
        }
        let text = self.log.get(self.at..end).unwrap_or(&[]);
        let (text, was_started) = without_start_lines(text);
        if was_started {
            self.schema = &[];
        }
        let text = text.trim_ascii();
        let text = text.strip_suffix(b";").unwrap_or(text).trim_ascii_end();
        entry.statement = match text.strip_prefix(b"# administrator command: ") {
            Some(command) => {
                entry.is_command = true;
                command
            }
            None => text,
        };
        if entry.statement.is_empty() {
            return Err("the entry has no statement");
        }
        Ok(())
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        while self.at < self.log.len() {
            if !is_start(self.log, self.at) {
                if let Some(malformed) = self.preamble() {
                    return Some(malformed);
                }
                continue;
            }
            let mut entry = Entry {
                offset: self.at,
                ..Entry::default()
            };
            let read = self.header(&mut entry);
            let end = next_start(self.log, self.at).unwrap_or(self.log.len());
            let read = match read {
                Some(()) => self.body(&mut entry, end),
                None => Err("the entry has no query time"),
            };
            self.at = end.max(entry.offset + 1);
            return Some(match read {
                Ok(()) => Item::Entry(entry),
                Err(reason) => Item::Malformed(entry.offset, reason),
            });
        }
        None
    }
}

/// Whether a line behind `#` belongs to the header, and not to a statement that starts with a
/// comment.
fn is_known_header(text: &[u8], has_time: bool) -> bool {
    if text.is_empty() || text.starts_with(b"explain:") {
        return true;
    }
    let key = memchr(b':', text).map_or(text, |colon| &text[..colon]);
    let is_key = key.first().is_some_and(u8::is_ascii_uppercase)
        && key
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let starts_one = [&b"Query_time"[..], b"Thread_id", b"Schema", b"Id"].contains(&key);
    is_key && key.len() < text.len() && (starts_one || has_time || key.contains(&b'_'))
}

/// `root[root] @ localhost [127.0.0.1]  Id:     8`.
fn people<'a>(entry: &mut Entry<'a>, text: &'a [u8]) {
    let Some(at) = memmem::find(text, b" @ ") else {
        return;
    };
    let user = &text[..at];
    let bracket = memchr(b'[', user);
    entry.user = match bracket {
        Some(bracket) if bracket > 0 => &user[..bracket],
        Some(_) => user
            .strip_prefix(b"[")
            .and_then(|u| u.strip_suffix(b"]"))
            .unwrap_or(user),
        None => user,
    };
    let host = &text[at + 3..];
    let bracket = memchr(b'[', host).unwrap_or(host.len());
    let name = host[..bracket].trim_ascii();
    entry.host = if name.is_empty() {
        let address = host.get(bracket + 1..).unwrap_or(&[]);
        memchr(b']', address).map_or(address, |end| &address[..end])
    } else {
        name
    };
}

/// Reads `Key: value` pairs; tells whether the query time was among them. `None` for a figure that
/// can't be read.
fn attributes<'a>(entry: &mut Entry<'a>, text: &'a [u8]) -> Option<bool> {
    let mut has_time = false;
    let mut rest = text;
    while let Some(colon) = memchr(b':', rest) {
        let key = &rest[..colon];
        let after = rest[colon + 1..].trim_ascii_start();
        let mut end = memchr(b' ', after).unwrap_or(after.len());
        // A value that is missing, as in `Schema:  QC_hit: No`.
        if end > 0 && after[end - 1] == b':' && key.ends_with(b"Schema") {
            end = 0;
        }
        let value = &after[..end];
        match key {
            b"Query_time" => {
                entry.query_time = micros(value)?;
                has_time = true;
            }
            b"Lock_time" => entry.lock_time = micros(value)?,
            b"Rows_sent" => entry.rows_sent = count(value)?,
            b"Rows_examined" => entry.rows_examined = count(value)?,
            b"Rows_affected" => entry.rows_affected = count(value)?,
            b"Bytes_sent" => entry.bytes_sent = count(value)?,
            b"Schema" => entry.schema = value,
            b"Errno" | b"Last_errno" => entry.is_error = value != b"0",
            _ => {}
        }
        rest = after[end..].trim_ascii_start();
    }
    Some(has_time)
}

/// The microseconds of `SET timestamp=1700000000;`, which may set more than that.
fn timestamp(line: &[u8]) -> Option<i64> {
    let at = memmem::rfind(line, b"timestamp=")?;
    let text = line[at + 10..].strip_suffix(b";")?;
    micros(text).and_then(|value| i64::try_from(value).ok())
}

fn unquoted(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"`")
        .and_then(|name| name.strip_suffix(b"`"))
        .unwrap_or(name)
}

/// The text without the three lines that a server writes at its end when it starts or opens the
/// log again, and whether they were there.
#[must_use]
pub fn without_start_lines(text: &[u8]) -> (&[u8], bool) {
    let mut text = text;
    let mut found = false;
    loop {
        let trimmed = text.trim_ascii_end();
        if !trimmed.ends_with(b"Argument") {
            return (text, found);
        }
        let Some(start) = memmem::rfind(trimmed, b", Version: ") else {
            return (text, found);
        };
        let lines = &trimmed[start..];
        let is_start = memmem::find(lines, b"started with:").is_some()
            && memchr::memchr_iter(b'\n', lines).count() <= 3;
        if !is_start {
            return (text, found);
        }
        let line = memchr::memrchr(b'\n', &text[..start]).map_or(0, |end| end + 1);
        text = &text[..line];
        found = true;
    }
}
