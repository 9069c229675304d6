//! Reading logs with all cores: parts of whole entries are counted side by side, and what was
//! counted is put together in the order of the log.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Mutex, mpsc};
use std::thread;

use super::entry::{Carried, Entries, Item};
use super::part::{Counted, Part, count};
use super::profile::Profile;
use super::source::{Error, Opened, Source};
use super::split::{carry, last_start};
use super::tally::Merger;
use crate::sql::fingerprint::Fingerprinter;

/// What to read, and how much to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Entries from this time on, in microseconds since 1970.
    pub since: Option<i64>,
    /// Entries before this time.
    pub until: Option<i64>,
    /// Entries of this default schema.
    pub schema: Option<String>,
    /// Entries of this user.
    pub user: Option<String>,
    /// Classes that are told apart; the rest is one class.
    pub max_classes: usize,
    /// Samples kept for each class.
    pub samples: usize,
    /// Threads that count; 0 for one per core, four at most.
    pub threads: usize,
    /// Bytes that are read at once.
    pub block: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            schema: None,
            user: None,
            max_classes: 5_000,
            samples: 5,
            threads: 0,
            block: 1 << 20,
        }
    }
}

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Log that is read, from 0.
    pub source: usize,
    /// Bytes of it that were read, after decompression.
    pub bytes: u64,
    /// Its size, if it is known.
    pub size: Option<u64>,
}

/// An entry that is longer than this is cut in two, so that a file that is no slow log takes no
/// memory.
const LONGEST: usize = 32 << 20;

/// Bytes at the end of a log in which its last time is looked for.
const TAIL: u64 = 4 << 20;

/// Reads `sources` to one profile.
///
/// `goes_on` is asked after each block and may stop the reading; the profile then holds what was
/// read so far and says so. A log that can't be opened or read is an error; what is malformed in it
/// is not, nor is a compressed file that ends too early.
pub fn read(
    sources: &[Source],
    options: &Options,
    goes_on: &mut dyn FnMut(Progress) -> bool,
) -> Result<Profile, Error> {
    let cores = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(4);
    let threads = if options.threads == 0 {
        cores
    } else {
        options.threads
    };
    let names = sources.iter().map(Source::name).collect();
    let mut merger = Merger::new(options, names);
    let (jobs, waiting) = mpsc::sync_channel::<(u64, Part)>(threads * 2);
    let (done, results) = mpsc::channel::<(u64, Part, Counted)>();
    let waiting = Mutex::new(waiting);
    let is_whole = thread::scope(|scope| {
        for _ in 0..threads {
            let done = done.clone();
            let waiting = &waiting;
            scope.spawn(move || {
                let mut prints = Fingerprinter::new();
                loop {
                    let job = waiting.lock().map(|waiting| waiting.recv());
                    let Ok(Ok((number, part))) = job else { break };
                    let counted = count(&part, options, &mut prints);
                    if done.send((number, part, counted)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        let mut queue = Queue {
            jobs,
            results,
            early: BTreeMap::new(),
            sent: 0,
            merged: 0,
            limit: threads as u64 * 2,
        };
        for (number, source) in sources.iter().enumerate() {
            if !read_one(number, source, options, &mut queue, &mut merger, goes_on)? {
                queue.drain(&mut merger);
                return Ok(false);
            }
        }
        queue.drain(&mut merger);
        Ok(true)
    })?;
    Ok(merger.finish(!is_whole))
}

/// Parts on their way through the threads.
struct Queue {
    jobs: mpsc::SyncSender<(u64, Part)>,
    results: mpsc::Receiver<(u64, Part, Counted)>,
    /// Parts that were counted before an earlier one.
    early: BTreeMap<u64, (Part, Counted)>,
    sent: u64,
    merged: u64,
    limit: u64,
}

impl Queue {
    /// Hands `part` to a thread, once there is room.
    fn send(&mut self, part: Part, merger: &mut Merger<'_>) {
        while self.sent - self.merged >= self.limit && self.receive(merger) {}
        if self.jobs.send((self.sent, part)).is_ok() {
            self.sent += 1;
        }
    }

    /// Takes one result and merges what is due; whether there was one.
    fn receive(&mut self, merger: &mut Merger<'_>) -> bool {
        let Ok((number, part, counted)) = self.results.recv() else {
            return false;
        };
        self.early.insert(number, (part, counted));
        while let Some((part, counted)) = self.early.remove(&self.merged) {
            merger.add(&part, &counted);
            self.merged += 1;
        }
        true
    }

    fn drain(&mut self, merger: &mut Merger<'_>) {
        while self.merged < self.sent && self.receive(merger) {}
    }
}

/// Reads one log in parts; `false` when it was stopped.
fn read_one(
    number: usize,
    source: &Source,
    options: &Options,
    queue: &mut Queue,
    merger: &mut Merger<'_>,
    goes_on: &mut dyn FnMut(Progress) -> bool,
) -> Result<bool, Error> {
    let mut opened = source.open()?;
    let mut parts = Parts {
        source: number,
        buffer: Vec::new(),
        offset: 0,
        line: 1,
        carried: Carried::default(),
    };
    let mut bytes = 0;
    loop {
        let is_end = parts
            .fill(&mut opened, options.block.max(1), &mut bytes)
            .or_else(|error| {
                // A compressed log that is cut short is read as far as it goes.
                let is_cut = error.kind() == std::io::ErrorKind::UnexpectedEof;
                is_cut.then_some(true).ok_or_else(|| Error::Read {
                    name: source.name(),
                    error,
                })
            })?;
        while let Some(part) = parts.next(is_end) {
            queue.send(part, merger);
        }
        let progress = Progress {
            source: number,
            bytes,
            size: opened.size,
        };
        if !goes_on(progress) {
            return Ok(false);
        }
        if is_end {
            return Ok(true);
        }
    }
}

/// Cuts what is read into parts of whole entries.
struct Parts {
    source: usize,
    buffer: Vec<u8>,
    offset: u64,
    line: u64,
    carried: Carried,
}

impl Parts {
    /// Reads another block; whether the log has ended.
    fn fill(&mut self, log: &mut Opened, block: usize, bytes: &mut u64) -> std::io::Result<bool> {
        let read = log.fill(&mut self.buffer, block)?;
        *bytes += read as u64;
        Ok(read < block)
    }

    /// The next part, if a whole one has been read.
    fn next(&mut self, is_end: bool) -> Option<Part> {
        if self.buffer.is_empty() {
            return None;
        }
        let end = if is_end {
            self.buffer.len()
        } else {
            match last_start(&self.buffer) {
                Some(end) => end,
                None if self.buffer.len() >= LONGEST => self.buffer.len(),
                None => return None,
            }
        };
        let rest = self.buffer.split_off(end);
        let text = std::mem::replace(&mut self.buffer, rest);
        let carried = self.carried.clone();
        let part = Part {
            offset: self.offset,
            line: self.line,
            source: self.source,
            carried,
            text,
        };
        self.offset += part.text.len() as u64;
        self.line += memchr::memchr_iter(b'\n', &part.text).count() as u64;
        self.carried = carry(&part.text, std::mem::take(&mut self.carried));
        Some(part)
    }
}

/// The time of the last entry of `sources`, in microseconds since 1970; `None` if no entry tells.
///
/// Reads the end of plain files, and compressed ones as a whole.
pub fn end(sources: &[Source]) -> Result<Option<i64>, Error> {
    let mut last = None;
    for source in sources {
        let at = if let Some(tail) = source.tail(TAIL)? {
            let carried = Carried::default();
            Entries::new(&tail[first_start(&tail)..], &carried)
                .filter_map(|item| match item {
                    Item::Entry(entry) => entry.at,
                    Item::Malformed(..) => None,
                })
                .max()
        } else {
            let sources = std::slice::from_ref(source);
            let profile = read(sources, &Options::default(), &mut |_| true)?;
            profile.window.map(|(_, last)| last)
        };
        last = last.max(at);
    }
    Ok(last)
}

/// Where the first whole entry starts.
fn first_start(tail: &[u8]) -> usize {
    super::entry::next_start(tail, 0).unwrap_or(tail.len())
}
