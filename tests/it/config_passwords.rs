//! Where passwords come from, and that they are shown nowhere: URLs, variables, password files and
//! option files.

use crate::config_place::{Place, by_url, flags, password, shown};

#[test]
fn a_password_in_a_url_is_warned_about_where_others_can_see_it() {
    let place = Place::new();
    let url = "mysql://u:hunter2@db:3307/cmdb?ssl-mode=VERIFY_CA";
    let loaded = place.load(&by_url(url), &[]).unwrap();
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].contains("other users of this machine can see"));
    assert_eq!(password(&loaded, None).as_deref(), Some("hunter2"));
    assert_eq!(
        shown(&loaded, "servers.db:3307.password"),
        "(hidden) (flag --url)"
    );
    assert_eq!(
        shown(&loaded, "servers.db:3307.tls.mode"),
        "verify_ca (flag --url)"
    );
    assert_eq!(shown(&loaded, "default_server"), "db:3307 (flag --url)");

    let loaded = place.load(&flags(), &[("MYDEX_URL", url)]).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let both = [("MYDEX_URL", url), ("MYDEX_PASSWORD", "other")];
    let loaded = place.load(&flags(), &both).unwrap();
    assert_eq!(password(&loaded, None).as_deref(), Some("other"));
    assert!(loaded.warnings[0].contains("`MYDEX_PASSWORD` is used"));
    let loaded = place.load(&by_url(url), &both).unwrap();
    assert_eq!(password(&loaded, None).as_deref(), Some("hunter2"));
}

#[test]
fn no_password_is_in_debug_or_in_config_show() {
    let place = Place::new();
    place.write(
        "monitor.toml",
        "[servers.main]\nuser = 'u'\npassword_file = 'pw'\n",
    );
    place.write("pw", "hunter2\n");
    let variables = [
        ("MYDEX_URL", "mysql://u:hunter2@db"),
        ("MYDEX_PASSWORD", "hunter2"),
    ];
    let loaded = place.load(&flags(), &variables).unwrap();
    assert_eq!(password(&loaded, Some("main")).as_deref(), Some("hunter2"));
    let (document, json) = mydex::cli::config::show(&loaded);
    let json = serde_json::to_string(&json).unwrap();
    for text in [format!("{loaded:?}"), format!("{document:?}"), json] {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("main"));
    }
    let flags = by_url("mysql://u:hunter2@db");
    assert!(!format!("{flags:?}").contains("hunter2"));
}

#[test]
fn an_open_password_file_stops_its_server_and_no_other() {
    let place = Place::new();
    place
        .write(
            "monitor.toml",
            "[servers.main]\nuser = 'u'\npassword_file = 'pw'\n\
             [servers.closed]\nuser = 'u'\npassword_file = '~/pw'\n",
        )
        .write_with_mode("pw", "hunter2\n", 0o644)
        .write("home/pw", "secret\n");
    let loaded = place.load(&flags(), &[]).unwrap();
    assert_eq!(password(&loaded, Some("closed")).as_deref(), Some("secret"));
    let error = loaded.settings.resolve(Some("main")).unwrap_err();
    let path = place.path("pw").display().to_string();
    assert_eq!(
        error.to_string(),
        format!(
            "server `main` can't be used: `{path}` is open to other users (mode 644); run \
             `chmod 600 {path}`"
        )
    );
}

#[test]
fn a_password_variable_goes_to_the_chosen_server_only() {
    let place = Place::new();
    place.write(
        "monitor.toml",
        "default_server = 'a'\n[servers.a]\nuser = 'u'\n[servers.b]\nuser = 'u'\n",
    );
    let variable = [("MYDEX_PASSWORD", "hunter2")];
    let loaded = place.load(&flags(), &variable).unwrap();
    assert_eq!(password(&loaded, Some("a")).as_deref(), Some("hunter2"));
    assert_eq!(password(&loaded, Some("b")), None);
    let loaded = place
        .load(&flags(), &[variable[0], ("MYDEX_SERVER", "b")])
        .unwrap();
    assert_eq!(password(&loaded, Some("a")), None);
    assert_eq!(password(&loaded, None).as_deref(), Some("hunter2"));
}

#[test]
fn an_option_file_fills_what_is_not_said() {
    let place = Place::new();
    place
        .write(
            "monitor.toml",
            "[servers.main]\nmy_cnf_group = 'prod'\n[servers.other]\nmy_cnf_group = 'prd'\n\
             [servers.placed]\nmy_cnf = '~/.my.cnf'\nhost = 'here'\n",
        )
        .write(
            "home/.my.cnf",
            "[client]\nuser = app\nhost=db\nport=3307\npassword = \"hunter2 # not a comment\"\n\
             [prod]\nuser = 'prod' # a comment\nssl-mode = REQUIRED\n",
        );
    let loaded = place.load(&flags(), &[]).unwrap();
    let file = place.path("home/.my.cnf").display().to_string();
    assert_eq!(
        shown(&loaded, "servers.main.user"),
        format!("prod ({file} [prod])")
    );
    assert_eq!(
        shown(&loaded, "servers.main.port"),
        format!("3307 ({file} [client])")
    );
    assert_eq!(
        shown(&loaded, "servers.main.tls.mode"),
        format!("required ({file} [prod])")
    );
    assert_eq!(
        shown(&loaded, "servers.main.password"),
        format!("(hidden) ({file} [client])")
    );
    assert_eq!(shown(&loaded, "servers.placed.port"), "3306 (default)");
    assert_eq!(
        password(&loaded, Some("placed")).as_deref(),
        Some("hunter2 # not a comment")
    );
    let error = loaded.settings.resolve(Some("other")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("has no group [prd]; it has `client` and `prod`"),
        "{error}"
    );
}
