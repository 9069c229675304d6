//! Times, objectives and histories of baselines: the binary against a real server.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use serde_json::{Value, json};

use crate::baseline::{Shop, mydex, published, status};

/// Changes a recorded file, as another run would have written it.
fn rewrite(from: &Path, to: &Path, change: impl FnOnce(&mut Value)) {
    let mut file: Value = serde_json::from_str(&fs::read_to_string(from).unwrap()).unwrap();
    change(&mut file);
    fs::write(to, serde_json::to_string_pretty(&file).unwrap()).unwrap();
}

#[tokio::test]
async fn times_are_recorded_and_held_against_objectives() {
    let shop = Shop::recorded("baseline_timed").await;
    let timed = ["--timed", "3s", "-o", "timed.json"];
    let record = ["baseline", "record", "shop", "--probe", "of-customer"];
    status(&shop.run(&[&record[..], &timed].concat()), 0);
    let file: Value = serde_json::from_str(&shop.file("timed.json")).unwrap();
    let probe = &file["timed"]["probes"]["of-customer"];
    // The schedule of 10/s is random, and the same for the same seed.
    let completed = probe["completed"].as_u64().unwrap();
    assert!((10..=60).contains(&completed), "{probe}");
    assert_eq!(probe["others"], 0);
    assert_eq!(file["timed"]["seconds"], 3.0);
    assert_eq!(file["timed"]["rate"], 10.0);
    for (name, q) in [("response", "response_us"), ("service", "")] {
        let packed = probe[name].as_str().unwrap();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(packed)
            .unwrap();
        let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
        assert_eq!(histogram.len(), completed);
        if let Some(p50) = probe[q]["p50"].as_f64() {
            let same = histogram.value_at_quantile(0.5) as f64 / 1e3;
            assert!((p50 - same).abs() < 1.0, "{p50} {same}");
        }
    }
    for name in [
        "max",
        "use_time_p50_us",
        "wait_time_p99_us",
        "create_time_max_us",
        "timeouts",
    ] {
        assert!(file["timed"]["pool"][name].is_number(), "{name}");
    }
    // It is read back, and times are no part of what is compared exactly.
    let check = ["baseline", "check", "timed.json", "--pack", "shop"];
    status(&shop.run(&check), 0);

    // An objective that nothing can miss, and one that everything misses.
    let slo = |limit: &str, wanted: i32| {
        let config = format!("[slo]\nresponse = \"p50 < {limit}\"\n");
        fs::write(shop.folder.path().join("monitor.toml"), config).unwrap();
        let more = ["--slo=3s", "--save", "saved.json", "--format", "json"];
        let output = shop.run(&[&check[..], &more].concat());
        published("baseline-check", &status(&output, wanted))
    };
    let met = slo("1m", 0);
    assert_eq!(met["verdict"], "pass");
    assert_eq!(met["objectives"]["verdict"], "pass");
    assert_eq!(met["objectives"]["probes"][0]["state"], "met");
    assert_eq!(met["objectives"]["probes"][0]["late"], 0);
    let saved: Value = serde_json::from_str(&shop.file("saved.json")).unwrap();
    let of_it = |file: &Value| file["probes"]["of-customer"].clone();
    assert_eq!(of_it(&saved), of_it(&file));
    assert!(saved["timed"]["probes"]["of-customer"]["completed"].is_number());

    let config = "[slo]\nresponse = \"p50 < 1us\"\n";
    fs::write(shop.folder.path().join("monitor.toml"), config).unwrap();
    let more = ["--slo=3s", "--format", "json"];
    let output = shop.run(&[&check[..], &more].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let missed = published("baseline-check", &text);
    let objective = &missed["objectives"]["probes"][0];
    assert_eq!(objective["late"], objective["operations"]);
    // A machine on which the load generator itself is late allows no verdict, and says so.
    if missed["objectives"]["client_limit"].is_null() {
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            (&missed["verdict"], &objective["state"]),
            (&json!("regressed"), &json!("missed"))
        );
    } else {
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(objective["state"], "undecided");
    }
}

#[tokio::test]
async fn a_history_tells_steps_shifts_and_new_beginnings() {
    let shop = Shop::recorded("baseline_history").await;
    let folder = shop.folder.path();
    let one = folder.join("one.json");
    fs::create_dir(folder.join("runs")).unwrap();
    // The tenth run is the first without the index.
    shop.change("ALTER TABLE orders DROP INDEX of_customer")
        .await;
    status(&shop.record("without.json"), 0);
    for run in 1..=24_u32 {
        let from = if run < 10 {
            &one
        } else {
            &folder.join("without.json")
        };
        rewrite(from, &folder.join(format!("runs/run-{run}.json")), |file| {
            let median = if run < 17 { 800.0 } else { 960.0 } + f64::from(run * 7 % 5);
            let probe = json!({
                "completed": 50, "others": 0, "response": "", "service": "",
                "response_us": { "p50": median },
            });
            file["timed"] = json!({ "pool": {}, "rate": 10.0, "seconds": 5.0, "probes": { "of-customer": probe } });
        });
    }
    fs::write(folder.join("runs/other.json"), "{}").unwrap();
    let told = |more: &[&str], wanted: i32| {
        let all = [&["baseline", "show", "--history"], more].concat();
        status(&mydex(&shop.schema, folder, &all), wanted)
    };
    let history = published("baseline-history", &told(&["runs", "--format", "json"], 0));
    assert_eq!(history["runs"][9], "run-10");
    assert_eq!(history["breaks"], json!([]));
    let rows =
        history["steps"].as_array().unwrap().iter().find(|course| {
            course["counter"] == "rows_examined" && course["probe"] == "of-customer"
        });
    let steps = rows.unwrap()["steps"].as_array().unwrap();
    assert_eq!((steps.len(), &steps[0]["label"]), (1, &json!("run-10")));
    assert_eq!(history["plans"][0]["label"], "run-10");
    let shifts = history["times"][0]["shifts"].as_array().unwrap();
    assert_eq!((shifts.len(), &shifts[0]["label"]), (1, &json!("run-17")));
    assert!((shifts[0]["change"].as_f64().unwrap() - 0.2).abs() < 0.01);
    assert_eq!(history["notes"].as_array().unwrap().len(), 1);

    // The gate looks at the last runs only.
    told(&["runs", "--gate", "5"], 0);
    told(&["runs", "--gate", "8"], 1);
    let text = told(&["runs"], 0);
    assert!(
        text.contains("run-17") && text.contains("slower") && text.contains('^'),
        "{text}"
    );
    let html = told(&["runs", "--format", "html"], 0);
    assert!(html.contains("<polyline class=\"mark\""), "{html}");
    let markdown = told(&["runs", "--format", "md"], 0);
    assert!(markdown.contains("rows_examined"), "{markdown}");

    // Other data begin anew, and nothing is judged across.
    rewrite(&one, &folder.join("runs/run-25.json"), |file| {
        file["workload"]["data_seed"] = json!(99);
    });
    let history = published("baseline-history", &told(&["runs", "--format", "json"], 0));
    assert_eq!(history["breaks"][0]["label"], "run-25");

    // One file by itself: for programs it is itself.
    let all = ["baseline", "show", "one.json", "--format", "json"];
    let same = status(&mydex(&shop.schema, folder, &all), 0);
    assert_eq!(same, shop.file("one.json"));
    let text = status(&mydex(&shop.schema, folder, &all[..3]), 0);
    assert!(
        text.contains("of-customer") && text.contains("PRIMARY"),
        "{text}"
    );
}

#[tokio::test]
async fn versions_in_git_are_a_history() {
    let shop = Shop::recorded("baseline_git").await;
    let folder = shop.folder.path();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(folder)
            .args(["-c", "user.name=t", "-c", "user.email=t@localhost"]);
        command.args(arguments).output()
    };
    if git(&["--version"]).is_err() {
        eprintln!("SKIPPED: there is no git on this machine");
        return;
    }
    let commit = |message: &str| {
        for arguments in [&["add", "one.json"][..], &["commit", "-q", "-m", message]] {
            let output = git(arguments).unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    };
    git(&["init", "-q"]).unwrap();
    commit("recorded");
    shop.change("ALTER TABLE orders DROP INDEX of_customer")
        .await;
    status(&shop.record("one.json"), 0);
    commit("without the index");
    shop.change("ALTER TABLE orders ADD INDEX of_customer (customer)")
        .await;
    status(&shop.record("one.json"), 0);

    let all = [
        "baseline",
        "show",
        "--history",
        "one.json",
        "--order",
        "git",
        "--format",
        "json",
    ];
    let history = published(
        "baseline-history",
        &status(&mydex(&shop.schema, folder, &all), 0),
    );
    let runs = history["runs"].as_array().unwrap();
    assert_eq!((runs.len(), &runs[2]), (3, &json!("not committed")));
    let changes: Vec<(&Value, &Value)> = history["steps"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (&step["run"], &step["change"]))
        .collect();
    assert_eq!(
        changes,
        [
            (&json!(1), &json!("regressed")),
            (&json!(2), &json!("improved"))
        ]
    );
}
