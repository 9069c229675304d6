//! Where settings come from: files, variables, flags, URLs, password files and option files.

use std::fs;
use std::path::PathBuf;

use mydex::config::effective;
use mydex::config::load::{Flags, LoadError, Loaded, load};
use mydex::config::origin::Origin;

/// A folder to load from, with a home folder inside.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("home/.config/mydex")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        self.write_with_mode(name, text, 0o600)
    }

    fn write_with_mode(&self, name: &str, text: &str, mode: u32) -> &Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn load(&self, flags: &Flags, variables: &[(&str, &str)]) -> Result<Loaded, LoadError> {
        let home = self.path("home").into_os_string();
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .chain([("HOME".into(), home)]);
        load(flags, variables, self.folder.path())
    }
}

fn flags() -> Flags {
    Flags::default()
}

fn by_url(url: &str) -> Flags {
    Flags {
        url: Some(url.into()),
        ..flags()
    }
}

/// `value (origin)` of a key.
fn shown(loaded: &Loaded, key: &str) -> String {
    let settings = effective::settings(&loaded.settings, &loaded.origins);
    let setting = settings.into_iter().find(|setting| setting.key == key);
    let setting = setting.unwrap_or_else(|| panic!("no {key}"));
    let origin = setting.origin.map_or("-".to_owned(), |o| o.to_string());
    format!("{} ({origin})", setting.value.plain())
}

fn password(loaded: &Loaded, server: Option<&str>) -> Option<String> {
    use secrecy::ExposeSecret as _;
    let server = loaded.settings.resolve(server).unwrap();
    let password = server.password.as_ref()?;
    Some(password.expose_secret().to_owned())
}

const SHIPPED: &str = include_str!("../../monitor.toml");

#[test]
fn the_shipped_file_is_the_built_in_defaults() {
    let place = Place::new();
    let without = place.load(&flags(), &[]).unwrap();
    place.write("monitor.toml", SHIPPED);
    let with = place.load(&flags(), &[]).unwrap();
    assert_eq!(with.file, Some(PathBuf::from("monitor.toml")));
    assert_eq!(without.file, None);
    let values = |loaded: &Loaded| -> Vec<_> {
        effective::settings(&loaded.settings, &loaded.origins)
            .into_iter()
            .map(|setting| (setting.key, setting.value))
            .collect()
    };
    assert_eq!(values(&with), values(&without));
    for setting in effective::settings(&with.settings, &with.origins) {
        let is_from_file = matches!(setting.origin, Some(Origin::File { .. }));
        assert!(
            is_from_file || setting.key == "default_server",
            "{} is missing",
            setting.key
        );
    }
}

#[test]
fn the_examples_of_the_shipped_file_are_valid_and_complete() {
    let uncommented: String = SHIPPED
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(example) if example.starts_with(|c: char| c == '[' || c.is_alphabetic()) => {
                format!("{example}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let place = Place::new();
    place.write("monitor.toml", &uncommented);
    let loaded = place.load(&flags(), &[]).unwrap();
    let server = &loaded.settings.servers["main"];
    assert_eq!(server.host, "db1.example.org");
    assert_eq!(loaded.settings.dashboard.keys.len(), 2);
    let production = Flags {
        profile: Some("production".to_owned()),
        ..flags()
    };
    let loaded = place.load(&production, &[]).unwrap();
    assert_eq!(loaded.settings.servers["main"].host, "db.example.org");
    for key in mydex::config::schema::SERVER {
        let example = format!("{} = ", key.path);
        assert!(SHIPPED.contains(&example), "no example of {}", key.path);
    }
}

#[test]
fn a_flag_wins_over_a_variable_over_the_profile_over_the_file_over_the_default() {
    let place = Place::new();
    let check = |flags: &Flags, variables: &[(&str, &str)], expected: &str| {
        let loaded = place.load(flags, variables).unwrap();
        assert_eq!(shown(&loaded, "monitor.interval"), expected);
    };
    let flag = Flags {
        interval: Some("5s".to_owned()),
        ..flags()
    };
    let variable = ("MYDEX_MONITOR_INTERVAL", "4s");
    let test = ("MYDEX_PROFILE", "test");
    check(&flags(), &[], "1s (default)");
    place.write(
        "monitor.toml",
        "[monitor]\ninterval = '2s'\n[profiles.test.monitor]\ninterval = '3s'\n",
    );
    check(&flags(), &[], "2s (file, line 2)");
    check(&flags(), &[test], "3s (file, line 4)");
    check(
        &flags(),
        &[test, variable],
        "4s (environment MYDEX_MONITOR_INTERVAL)",
    );
    check(&flag, &[test, variable], "5s (flag --interval)");
}

#[test]
fn mistakes_of_all_sources_come_together() {
    let place = Place::new();
    place.write("monitor.toml", "[load]\nconcurrency = 0\n");
    let flags = Flags {
        profile: Some("prodution".to_owned()),
        interval: Some("5".to_owned()),
        url: Some("mysql://u:hunter2/x@h".into()),
        ..flags()
    };
    let variables = [
        ("MYDEX_DASHBOARD_THEME", "pink"),
        ("MYDEX_SLO_RESPONSE", "soon"),
    ];
    let error = place.load(&flags, &variables).unwrap_err().to_string();
    assert_eq!(
        error,
        "6 mistakes in the configuration\n\
         monitor.toml:2:15: `load.concurrency` is `0`; allowed is a whole number from 1 to 10000\n    \
         fix: for example `concurrency = 1`\n\
         environment variable `MYDEX_DASHBOARD_THEME`: `pink`; allowed is one of `dark`, `light` \
         and `none`\n    \
         fix: for example `MYDEX_DASHBOARD_THEME=dark`\n\
         environment variable `MYDEX_SLO_RESPONSE`: `soon`; allowed is a quantile below 100 and \
         its limit of at most 1h\n    \
         fix: for example `MYDEX_SLO_RESPONSE='p95 < 100ms'`\n\
         `--interval`: `5`; allowed is a duration with its unit, from 100ms to 1h\n    \
         fix: write `--interval 5s`\n\
         `--profile`: `prodution`; allowed is one of `development`, `test` and `production`\n    \
         fix: write `--profile production`\n\
         `--url`: the user or password holds a `/`, `?` or `#` as it is: write `%2F`, `%3F` or \
         `%23` in its place\n    \
         fix: write `mysql://USER@HOST:3306/DATABASE`"
    );
}

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

#[test]
fn the_file_is_searched_for_in_order() {
    let place = Place::new();
    let found = |flags: &Flags, variables: &[(&str, &str)]| {
        let loaded = place.load(flags, variables).unwrap();
        shown(&loaded, "monitor.interval")
    };
    let file = |name, interval| {
        place.write(name, &format!("[monitor]\ninterval = '{interval}s'\n"));
    };
    assert_eq!(found(&flags(), &[]), "1s (default)");
    file("home/.config/mydex/monitor.toml", 2);
    assert_eq!(found(&flags(), &[]), "2s (file, line 2)");
    fs::create_dir_all(place.path("xdg/mydex")).unwrap();
    file("xdg/mydex/monitor.toml", 3);
    let xdg = place.path("xdg").display().to_string();
    assert_eq!(
        found(&flags(), &[("XDG_CONFIG_HOME", &xdg)]),
        "3s (file, line 2)"
    );
    file("monitor.toml", 4);
    assert_eq!(
        found(&flags(), &[("XDG_CONFIG_HOME", &xdg)]),
        "4s (file, line 2)"
    );
    file("named.toml", 5);
    let named = [("MYDEX_CONFIG", "named.toml")];
    assert_eq!(found(&flags(), &named), "5s (file, line 2)");
    file("flag.toml", 6);
    let flag = Flags {
        config: Some("flag.toml".into()),
        ..flags()
    };
    assert_eq!(found(&flag, &named), "6s (file, line 2)");
}

#[test]
fn files_that_are_no_configuration_are_said() {
    let place = Place::new();
    let error = |name: &str| {
        let flags = Flags {
            config: Some(name.into()),
            ..flags()
        };
        place.load(&flags, &[]).unwrap_err().to_string()
    };
    assert_eq!(
        error("absent.toml"),
        "configuration file `absent.toml` (--config) can't be read: No such file or directory (os \
         error 2)"
    );
    assert!(error("home").contains("can't be read: Is a directory"));
    fs::write(place.path("latin1.toml"), b"# a\n# b \xe9\n").unwrap();
    assert_eq!(
        error("latin1.toml"),
        "configuration file `latin1.toml` is not UTF-8 in line 2"
    );
    place.write("large.toml", &"#".repeat(1_048_577));
    assert!(error("large.toml").ends_with("is larger than 1 MiB"));
}

#[test]
fn the_server_is_resolved_or_the_remedy_is_said() {
    let place = Place::new();
    let error = |flags: &Flags, name: Option<&str>| {
        let loaded = place.load(flags, &[]).unwrap();
        loaded.settings.resolve(name).unwrap_err().to_string()
    };
    assert!(error(&flags(), None).contains("run `mydex demo`"));
    assert!(error(&flags(), Some("x")).contains("add `[servers.x]`"));
    assert!(error(&by_url("mysql://db/"), None).contains("no user is given"));
    place.write("monitor.toml", "[servers.main]\nuser = 'u'\n");
    let loaded = place.load(&flags(), &[]).unwrap();
    assert_eq!(loaded.settings.resolve(None).unwrap().name, "main");
    place.write(
        "monitor.toml",
        "[servers.main]\nuser = 'u'\n[servers.spare]\nuser = 'u'\n",
    );
    assert!(error(&flags(), None).contains("choose one of `main` and `spare`"));
    let named = Flags {
        server: Some("mian".to_owned()),
        ..flags()
    };
    assert_eq!(
        error(&named, None),
        "no server `mian` is configured; did you mean `main`?"
    );
    assert!(error(&flags(), Some("elsewhere")).ends_with("configured: `main` and `spare`"));
}

#[test]
fn a_server_and_a_url_at_once_are_a_mistake() {
    let place = Place::new();
    let both = Flags {
        server: Some("main".to_owned()),
        ..by_url("mysql://u@db/")
    };
    let error = place.load(&both, &[]).unwrap_err().to_string();
    assert!(error.contains("`--server`: names a server, and so does `--url`"));
    // A flag wins over a variable, also where they say it in different ways.
    let named = Flags {
        server: Some("main".to_owned()),
        ..flags()
    };
    let loaded = place
        .load(&named, &[("MYDEX_URL", "mysql://u@db/")])
        .unwrap();
    assert_eq!(loaded.settings.default_server.as_deref(), Some("main"));
}

#[test]
fn production_is_strict_by_default_and_warns_when_it_is_not() {
    let place = Place::new();
    let production = [("MYDEX_PROFILE", "production")];
    let loaded = place.load(&by_url("mysql://u@db/"), &production).unwrap();
    assert_eq!(
        shown(&loaded, "servers.db:3306.tls.mode"),
        "required (default of profile production)"
    );
    assert_eq!(
        shown(&loaded, "servers.db:3306.read_only"),
        "true (default of profile production)"
    );
    assert!(loaded.warnings.is_empty());
    let open = by_url("mysql://u@db/?ssl-mode=PREFERRED");
    let loaded = place.load(&open, &production).unwrap();
    assert!(loaded.warnings[0].contains("without encryption"));
}
