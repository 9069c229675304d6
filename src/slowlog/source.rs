//! Where logs come from: files, plain or compressed with gzip, and standard input.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;

/// One log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// A log can't be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It can't be opened, or reading it failed.
    #[error("cannot read the slow log `{name}`: {error}")]
    Read {
        /// Name of the log.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// The end of standard input is not known before it has been read.
    #[error("a time before the end of the log needs a file, not standard input")]
    EndUnknown,
}

impl Source {
    /// The source that a command line calls `name`: `-` is standard input.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "-" => Self::Stdin,
            path => Self::File(path.into()),
        }
    }

    /// How it is shown.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Opens it; what is compressed is decompressed.
    pub(super) fn open(&self) -> Result<Opened, Error> {
        let failed = |error| Error::Read {
            name: self.name(),
            error,
        };
        match self {
            Self::Stdin => Opened::new(Box::new(io::stdin()), None).map_err(failed),
            Self::File(path) => {
                let file = File::open(path).map_err(failed)?;
                let data = file.metadata().map_err(failed)?;
                if data.is_dir() {
                    return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
                }
                let size = data.is_file().then_some(data.len());
                Opened::new(Box::new(file), size).map_err(failed)
            }
        }
    }

    /// The last `length` bytes of a plain file; `None` for anything else.
    pub(super) fn tail(&self, length: u64) -> Result<Option<Vec<u8>>, Error> {
        let Self::File(path) = self else {
            return Err(Error::EndUnknown);
        };
        let read = || -> io::Result<Option<Vec<u8>>> {
            let mut file = File::open(path)?;
            let mut magic = [0; 2];
            let data = file.metadata()?;
            if !data.is_file()
                || (data.len() >= 2 && file.read_exact(&mut magic).is_ok() && magic == GZIP)
            {
                return Ok(None);
            }
            file.seek(SeekFrom::Start(data.len().saturating_sub(length)))?;
            let mut tail = Vec::new();
            file.take(length).read_to_end(&mut tail)?;
            Ok(Some(tail))
        };
        read().map_err(|error| Error::Read {
            name: self.name(),
            error,
        })
    }
}

/// How a file compressed with gzip starts.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An open log.
pub(super) struct Opened {
    reader: Box<dyn Read>,
    /// Size of a plain file in bytes.
    pub(super) size: Option<u64>,
}

impl Opened {
    fn new(mut reader: Box<dyn Read>, size: Option<u64>) -> io::Result<Self> {
        let mut start = Vec::new();
        reader.by_ref().take(2).read_to_end(&mut start)?;
        let is_gzip = start == GZIP;
        let whole = io::Cursor::new(start).chain(reader);
        Ok(if is_gzip {
            Self {
                reader: Box::new(MultiGzDecoder::new(BufReader::with_capacity(
                    1 << 18,
                    whole,
                ))),
                size: None,
            }
        } else {
            Self {
                reader: Box::new(whole),
                size,
            }
        })
    }

    /// Reads up to `length` more bytes to the end of `into`; fewer only at the end of the log.
    pub(super) fn fill(&mut self, into: &mut Vec<u8>, length: usize) -> io::Result<usize> {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.reader.by_ref().take(length).read_to_end(into)
    }
}
