//! The workflow file of `docs/ci`: read as YAML, and its steps run with sh as a build server would
//! run them, against the real binary and the private server that they start.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use saphyr::{LoadableYamlNode as _, Yaml};

use crate::baseline::pack;
use crate::server;

type Variables = BTreeMap<String, String>;

fn variables(node: Option<&Yaml<'_>>) -> Variables {
    let Some(map) = node.and_then(Yaml::as_mapping) else {
        return Variables::new();
    };
    let text = |node: &Yaml<'_>| node.as_str().unwrap().to_owned();
    map.iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// A build server: what it keeps from step to step, and the folder it works in.
struct Runner {
    folder: tempfile::TempDir,
    variables: Variables,
}

/// What became of the steps of a job, by name.
type Done = Vec<(String, Output)>;

impl Runner {
    fn new(workflow: &Yaml<'_>, pack: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut variables = variables(workflow.as_mapping_get("env"));
        let program = Path::new(env!("CARGO_BIN_EXE_mydex")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let inside = |name: &str| folder.path().join(name).display().to_string();
        for (name, value) in [
            ("PATH", format!("{}:{path}", program.display())),
            ("PACK", pack.to_owned()),
            ("SCALE", "1".to_owned()),
            ("GITHUB_ENV", inside("github-env")),
            ("GITHUB_STEP_SUMMARY", inside("summary.md")),
            ("MYDEX_STATE_DIR", inside("state")),
        ] {
            variables.insert(name.to_owned(), value);
        }
        Self { folder, variables }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs a job's steps in order. After one that fails, only those that always run are.
    fn job(&mut self, job: &Yaml<'_>) -> Done {
        fs::write(self.path("github-env"), "").unwrap();
        let mut done = Done::new();
        let mut is_failed = false;
        for step in job.as_mapping_get("steps").unwrap().as_sequence().unwrap() {
            let get = |key: &str| step.as_mapping_get(key).and_then(Yaml::as_str);
            let name = get("name").or(get("uses")).unwrap().to_owned();
            let is_wanted = match get("if") {
                None => !is_failed,
                Some(condition) => {
                    assert_eq!(condition, "always()", "{name}");
                    true
                }
            };
            assert!(get("run").is_some() != get("uses").is_some(), "{name}");
            let Some(script) = get("run").filter(|_| is_wanted) else {
                continue;
            };
            // Expressions are replaced before the shell sees them; none may stand in a script.
            assert!(!script.contains("${{"), "{name}");
            let output = self.step(script);
            is_failed |= !output.status.success();
            done.push((name, output));
        }
        done
    }

    fn step(&mut self, script: &str) -> Output {
        for line in self.file("github-env").lines() {
            let (name, value) = line.split_once('=').unwrap();
            self.variables.insert(name.to_owned(), value.to_owned());
        }
        Command::new("sh")
            .args(["-e", "-c", script])
            .current_dir(self.folder.path())
            .envs(&self.variables)
            .output()
            .unwrap()
    }
}

impl Drop for Runner {
    /// Ends what a failed test left.
    fn drop(&mut self) {
        let _ = Command::new(env!("CARGO_BIN_EXE_mydex"))
            .args(["sandbox", "down", "--all"])
            .env("MYDEX_STATE_DIR", self.path("state"))
            .output();
    }
}

#[track_caller]
fn status(done: &Done, name: &str) -> i32 {
    let (_, output) = done.iter().find(|(step, _)| step == name).unwrap();
    output.status.code().unwrap()
}

#[track_caller]
fn assert_all_fine(done: &Done) {
    for (name, output) in done {
        let said = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {said}{printed}");
    }
}

const CHECK: &str = "Check that the workload costs no more";

#[tokio::test]
async fn the_workflow_passes_and_fails_as_it_should() {
    // The server program is there before a step needs it.
    server::shared().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci/mydex.yml");
    let text = fs::read_to_string(path).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    let [workflow] = documents.as_slice() else {
        panic!("{} documents", documents.len());
    };
    let jobs = workflow.as_mapping_get("jobs").unwrap();
    let job = |name: &str| jobs.as_mapping_get(name).unwrap();
    let shell = workflow
        .as_mapping_get("defaults")
        .and_then(|defaults| defaults.as_mapping_get("run"))
        .and_then(|run| run.as_mapping_get("shell"));
    assert_eq!(shell.and_then(Yaml::as_str), Some("sh"));

    let mut runner = Runner::new(workflow, "./shop");
    pack(runner.folder.path());
    let recorded = runner.job(job("record"));
    assert_eq!(recorded.len(), 5);
    assert_all_fine(&recorded);

    // Nothing changed: a new server, the same data, the same file.
    let passed = runner.job(job("check"));
    assert_eq!(passed.len(), 5);
    assert_all_fine(&passed);
    assert!(runner.file("summary.md").contains("Pass: "));
    assert!(runner.file("mydex-junit.xml").contains("failures=\"0\""));
    // What was measured is a recording itself.
    assert_eq!(runner.file("mydex-run.json"), runner.file("baseline.json"));

    // A change drops an index.
    let schema = runner.path("shop/schema.sql");
    let tables = fs::read_to_string(&schema).unwrap();
    let without = tables.replace(",\n  KEY of_customer (customer)", "");
    assert_ne!(tables, without);
    fs::write(&schema, without).unwrap();
    let failed = runner.job(job("check"));
    assert_eq!(status(&failed, CHECK), 1);
    let output = failed.iter().find(|(name, _)| name == CHECK).unwrap();
    let log = String::from_utf8_lossy(&output.1.stdout).into_owned();
    let line = runner.file("baseline.json");
    let line = line
        .lines()
        .position(|line| line == "    \"of-customer\": {");
    let wanted = format!(
        "::error file=baseline.json,line={},col=1,title=baseline check%3A MYX080",
        line.unwrap() + 1
    );
    assert!(log.contains(&wanted), "{wanted}\n{log}");
    assert!(
        runner
            .file("summary.md")
            .contains("Regressed: 2 of 2 probes")
    );
    assert!(runner.file("mydex.sarif").contains("MYX080"));
    assert_eq!(status(&failed, "End the server"), 0);

    // Other data are no regression, and no pass either.
    fs::write(&schema, tables).unwrap();
    runner.variables.insert("SCALE".to_owned(), "2".to_owned());
    let other = runner.job(job("check"));
    assert_eq!(status(&other, CHECK), 3);
    assert_eq!(status(&other, "End the server"), 0);
}
