//! Free bytes on the disks of a server, where the server is this machine's own.

use std::path::Path;

use super::cells::Cells;
use super::{Connection, Error};
use crate::config::settings::Server;

/// Free bytes; `None` where a disk can't be seen from here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Where the server keeps its data.
    pub data: Option<u64>,
    /// Where it sorts the entries of an index that it builds.
    pub sort: Option<u64>,
    /// It sorts on the disk of the data, so that both need room there.
    pub is_one_disk: bool,
}

/// The room on the disks of a server; none is known of a server of another machine, and of one that
/// does not tell its folders.
///
/// # Errors
/// When the connection fails.
pub async fn read(connection: &mut Connection, server: &Server) -> Result<Room, Error> {
    let is_near = server.socket.is_some()
        || matches!(server.host.as_str(), "localhost" | "127.0.0.1" | "::1");
    if !is_near {
        return Ok(Room::default());
    }
    let sql = "SELECT @@datadir, @@server_uuid, @@innodb_tmpdir, @@tmpdir";
    match connection.first("where the data is", sql).await {
        Ok(row) => Ok(row.map(|row| of_row(&row)).unwrap_or_default()),
        Err(error) if error.is_fatal() => Err(error),
        Err(_) => Ok(Room::default()),
    }
}

/// Of a row of the folder of the data, the server's identity, and the folders for sorting, the
/// first of which may be empty.
fn of_row(row: &impl Cells) -> Room {
    let text = |place: usize| row.text(place).filter(|text| !text.is_empty());
    let (Some(data), Some(uuid)) = (text(0), text(1)) else {
        return Room::default();
    };
    if !is_data_of(Path::new(&data), &uuid) {
        return Room::default();
    }
    // Several folders may be named, which the server uses in turn; the fullest one decides.
    let sort = text(2).or_else(|| text(3));
    let folders = sort.as_deref().unwrap_or_default().split(':');
    let folders: Vec<&Path> = folders.map(Path::new).collect();
    let rooms: Option<Vec<u64>> = folders.iter().map(|folder| free(folder)).collect();
    let own = disk(Path::new(&data));
    Room {
        data: free(Path::new(&data)),
        is_one_disk: own.is_some() && folders.iter().any(|folder| disk(folder) == own),
        sort: rooms.and_then(|rooms| rooms.into_iter().min()),
    }
}

/// Whether this folder is the data of that server: behind a tunnel, a path that exists here is
/// another machine's all the same.
fn is_data_of(folder: &Path, uuid: &str) -> bool {
    let own = std::fs::read_to_string(folder.join("auto.cnf"));
    own.is_ok_and(|text| text.contains(uuid))
}

/// Which disk it is.
fn disk(folder: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(folder).ok().map(|facts| facts.dev())
}

fn free(folder: &Path) -> Option<u64> {
    let facts = rustix::fs::statvfs(folder).ok()?;
    facts.f_bavail.checked_mul(facts.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_disks_of_that_server_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_str().unwrap();
        let room = |uuid: &str, inner: Option<&str>, sort: &str| {
            of_row(&[Some(data), Some(uuid), inner, Some(sort)])
        };
        assert_eq!(room("a-b", None, data), Room::default());
        std::fs::write(folder.path().join("auto.cnf"), "[auto]\nserver-uuid=a-b\n").unwrap();
        for sort in [data.to_owned(), format!("{data}:{data}")] {
            let found = room("a-b", Some(""), &sort);
            assert!(found.data.is_some_and(|free| free > 0));
            assert!(found.sort.is_some_and(|free| free > 0));
            assert!(found.is_one_disk);
        }
        let found = room("a-b", Some("/no/such/folder"), data);
        assert!(found.data.is_some() && found.sort.is_none() && !found.is_one_disk);
        let elsewhere = room("a-b", Some("/proc"), data);
        assert!(!elsewhere.is_one_disk);
        assert_eq!(room("c-d", None, data), Room::default());
        assert_eq!(room("", None, data), Room::default());
    }
}
