//! The commands in the README are run, and what they print is compared.

#[test]
fn the_readme_shows_what_the_commands_print() {
    let state = tempfile::tempdir().unwrap();
    trycmd::TestCases::new()
        .env("MYDEX_STATE_DIR", state.path().to_str().unwrap())
        .case("README.md")
        .case("docs/digest.md")
        .run();
}
