//! Free bytes on the disk of a server's data, where the server is this machine's own.

use std::path::Path;

use super::cells::Cells as _;
use super::{Connection, Error};
use crate::config::settings::Server;

/// Free bytes where the server keeps its data; `None` where its disk can't be seen from here.
///
/// # Errors
/// When the connection fails.
pub async fn free(connection: &mut Connection, server: &Server) -> Result<Option<u64>, Error> {
    let is_near = server.socket.is_some()
        || matches!(server.host.as_str(), "localhost" | "127.0.0.1" | "::1");
    if !is_near {
        return Ok(None);
    }
    let row = connection
        .first("where the data is", "SELECT @@datadir, @@server_uuid")
        .await?
        .unwrap_or_default();
    let (Some(folder), Some(uuid)) = (row.text(0), row.text(1)) else {
        return Ok(None);
    };
    Ok(of_folder(Path::new(&folder), &uuid))
}

/// The room beside the data of this very server: behind a tunnel, a path that exists here is
/// another machine's all the same.
fn of_folder(folder: &Path, uuid: &str) -> Option<u64> {
    let own = std::fs::read_to_string(folder.join("auto.cnf")).ok()?;
    if uuid.is_empty() || !own.contains(uuid) {
        return None;
    }
    let facts = rustix::fs::statvfs(folder).ok()?;
    facts.f_bavail.checked_mul(facts.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_data_of_that_server_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(of_folder(folder.path(), "a-b"), None);
        std::fs::write(folder.path().join("auto.cnf"), "[auto]\nserver-uuid=a-b\n").unwrap();
        assert!(of_folder(folder.path(), "a-b").is_some_and(|free| free > 0));
        assert_eq!(of_folder(folder.path(), "c-d"), None);
        assert_eq!(of_folder(folder.path(), ""), None);
    }
}
