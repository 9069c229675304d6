use super::*;
use crate::model::advice::Action;
use crate::model::schema::{Index, KeyPart};

fn definition(index: &str) -> Definition {
    Definition {
        schema: None,
        table: "orders".to_owned(),
        action: Action::Create,
        index: Index::btree(index, vec![KeyPart::column(index)]),
        column: None,
        reason: "because".to_owned(),
        evidence: None,
    }
}

#[test]
fn written_files_are_read_back_and_never_changed() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("deep/indexes");
    assert_eq!(read(&folder).unwrap(), []);
    let first = write(&folder, &[definition("a"), definition("b")]).unwrap();
    let path = folder.join("0001_orders_a.toml");
    assert_eq!(first[0], Written::New(path.clone()));
    let edited = format!("# reviewed\n{}", fs::read_to_string(&path).unwrap());
    fs::write(&path, &edited).unwrap();
    let second = write(&folder, &[definition("a"), definition("c")]).unwrap();
    assert_eq!(
        second,
        [
            Written::Stated(path.clone()),
            Written::New(folder.join("0003_orders_c.toml"))
        ]
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);
    let read = read(&folder).unwrap();
    let names: Vec<&str> = read
        .iter()
        .map(|one| one.definition.index.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_ne!(mode & 0o400, 0);
    let left = fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, 3, "a temporary file stayed behind");
}

#[test]
fn a_file_that_appears_in_between_is_not_taken_over() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("0001_a.toml");
    fs::write(&path, "mine").unwrap();
    let error = create(home.path(), &path, "other").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn all_mistakes_of_a_folder_are_told_and_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &[u8]| fs::write(home.path().join(name), content).unwrap();
    put("0001_a.toml", b"table = \"t\"\n");
    put("0002_b.toml", &[0xff, 0xfe]);
    put("notes.txt", b"x");
    put(".gitkeep", b"");
    put("README.md", b"# Indexes");
    fs::create_dir(home.path().join("0004_d.toml")).unwrap();
    let error = write(home.path(), &[definition("x")]).unwrap_err();
    let told = error.to_string();
    for part in [
        "0001_a.toml:1:1: `action` is missing",
        "`0002_b.toml` is not UTF-8 text",
        "`notes.txt` is no name of a definition",
        "`0004_d.toml` is no file",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(
        told.starts_with("6 mistakes in the index definitions"),
        "{told}"
    );
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 6);
}
