//! Where a log can be cut into parts that are read by themselves.

use memchr::{memmem, memrchr};

use super::entry::{Carried, Entries, is_start};
use super::stamp::{Stamp, stamp};

/// The last place in `log` where an entry starts, but not at its very beginning: what stands
/// before it is whole entries.
#[must_use]
pub fn last_start(log: &[u8]) -> Option<usize> {
    let finder = memmem::FinderRev::new(b"\n# User@Host: ");
    let mut end = log.len();
    loop {
        let user = finder.rfind(&log[..end])? + 1;
        if is_start(log, user) && ends_line(&log[user..]) {
            let start = with_time(log, user);
            if start > 0 {
                return Some(start);
            }
        }
        end = user;
    }
}

fn ends_line(text: &[u8]) -> bool {
    memchr::memchr(b'\n', text).is_some()
}

/// What the part behind `part` takes over, when `part` itself took over `carried`.
///
/// Only entries that may change it are read, from the last one back.
#[must_use]
pub fn carry(part: &[u8], carried: Carried) -> Carried {
    let time = last_time(part).or(carried.time);
    let (mut used, mut started) = (part.len(), part.len());
    let schema = loop {
        // Lines that look like a change of the schema, or like the start of a server.
        let at_use = memmem::rfind(&part[..used], b"\nuse ");
        let at_start = memmem::rfind(&part[..started], b"Argument");
        let Some(at) = at_use.max(at_start) else {
            break carried.schema;
        };
        if let Some(schema) = schema_behind(part, at) {
            break schema;
        }
        if at_use == Some(at) {
            used = at;
        } else {
            started = at;
        }
    };
    Carried { schema, time }
}

/// The schema behind the entry at `at`, if that entry sets one.
fn schema_behind(part: &[u8], at: usize) -> Option<Vec<u8>> {
    let unset = Carried {
        schema: b"\0".to_vec(),
        time: None,
    };
    let start = start_of(part, at).unwrap_or(0);
    let mut entries = Entries::new(&part[start..], &unset);
    entries.next();
    let schema = entries.carried().schema;
    (schema != unset.schema).then_some(schema)
}

/// Where the entry starts in which `at` lies.
fn start_of(part: &[u8], at: usize) -> Option<usize> {
    let mut end = at + 1;
    while let Some(found) = memmem::rfind(part.get(..end)?, b"# ") {
        let is_line = found == 0 || part[found - 1] == b'\n';
        if is_line && is_start(part, found) {
            return Some(with_time(part, found));
        }
        end = found + 1;
    }
    None
}

/// The line before that of the user may be the entry's time.
fn with_time(log: &[u8], user: usize) -> usize {
    let Some(before) = log[..user].strip_suffix(b"\n") else {
        return user;
    };
    let line = memrchr(b'\n', before).map_or(0, |i| i + 1);
    let is_time = log[line..].starts_with(b"# Time: ") && log[user..].starts_with(b"# User");
    if is_time && is_start(log, line) {
        line
    } else {
        user
    }
}

fn last_time(part: &[u8]) -> Option<Stamp> {
    let mut end = part.len();
    while let Some(at) = memmem::rfind(&part[..end], b"# Time: ") {
        if at == 0 || part[at - 1] == b'\n' {
            let text = &part[at + b"# Time: ".len()..];
            let line = memchr::memchr(b'\n', text).map_or(text, |end| &text[..end]);
            if let Some(stamp) = stamp(line) {
                return Some(stamp);
            }
        }
        end = at;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_an_entry_without_a_statement_is_carried_on() {
        let part = b"# Time: 2024-01-02T03:04:05.123456Z\n# Query_time: 0.5\nuse one;\n";
        let log = [part.as_slice(), b"# User@Host: app[app] @ web1 []  Id: 5\n"].concat();
        assert_eq!(last_start(&log), Some(part.len()));
        assert_eq!(carry(part, Carried::default()).schema, b"one");
    }
}
