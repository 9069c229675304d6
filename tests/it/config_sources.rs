//! Where settings come from: files, variables, flags and URLs.

use std::fs;
use std::path::PathBuf;

use mydex::config::effective;
use mydex::config::load::{Flags, Loaded};
use mydex::config::origin::Origin;

use crate::config_place::{Place, by_url, flags, shown};

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
