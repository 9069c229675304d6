use super::read::{Files, read};
use super::shipped;

#[test]
fn shipped_packs_have_no_mistake() {
    for name in shipped::names() {
        let pack = read(&shipped::files(name).unwrap());
        match pack {
            Err(mistakes) => panic!("{name}: {mistakes}"),
            Ok(pack) => assert_eq!(&*pack.name, name),
        }
    }
}
