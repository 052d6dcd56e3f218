//! The command line: its help, its exit codes, and what it does to a project folder.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use hogwire::adapters::lock::{self, Owner};
use serde_json::Value;

use crate::mail::Sink;

fn hogwire(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hogwire"));
    command.env_clear().env("HOGWIRE_DIR", dir).env("HOGWIRE_BIND", "127.0.0.1:0").args(arguments);
    command
}

pub fn run(dir: &Path, arguments: &[&str]) -> Output {
    hogwire(dir, arguments).output().expect("it runs")
}

/// Runs it with `--json`, and expects it to exit with this code.
pub fn json(dir: &Path, arguments: &[&str], code: i32) -> Value {
    let output = hogwire(dir, arguments).arg("--json").output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}{errors}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
}

/// A running server, ended by its id.
struct Server(Child);

impl Server {
    fn start(dir: &Path) -> (Self, Owner) {
        let child = hogwire(dir, &["serve"]).env("POSTHOG_WEBHOOK_SECRET", "s").stdout(Stdio::null()).spawn();
        let server = Self(child.expect("it starts"));
        let began = Instant::now();
        loop {
            if let Some(owner) = lock::owner(&dir.join("data")).filter(|owner| !owner.url.is_empty()) {
                return (server, owner);
            }
            assert!(began.elapsed() < Duration::from_secs(20), "it does not come up");
            std::thread::yield_now();
        }
    }

    fn end(&mut self, signal: &str) -> Option<i32> {
        let id = self.0.id().to_string();
        Command::new("kill").args([signal, &id]).status().expect("kill runs");
        self.0.wait().expect("it ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Posts a webhook on a connection of its own, and answers the status line.
fn webhook(owner: &Owner, body: &str) -> String {
    let address = owner.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("a connection");
    let request = format!(
        "POST /v1/webhooks/posthog HTTP/1.1\r\nhost: {address}\r\nx-posthog-webhook-secret: s\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn every_command_says_what_it_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut told = String::new();
    for command in [
        "",
        "apply",
        "backup",
        "campaign",
        "campaign enroll",
        "campaign test",
        "completions",
        "config",
        "connect",
        "connect posthog",
        "doctor",
        "init",
        "keys",
        "keys create",
        "migrate",
        "pause",
        "plan",
        "prune",
        "restore",
        "resume",
        "secrets",
        "serve",
        "template",
        "template preview",
        "template test",
        "users",
        "users add",
        "worker",
    ] {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        arguments.push("--help");
        let output = run(folder.path(), &arguments);
        assert!(output.status.success(), "{command}");
        let text = String::from_utf8_lossy(&output.stdout).replace(&folder.path().display().to_string(), "FOLDER");
        told.push_str(&format!("$ hogwire {command}\n{text}\n"));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn misuse_exits_with_2_and_failure_with_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let code = |arguments: &[&str]| run(folder.path(), arguments).status.code();
    assert_eq!(code(&["no-such-command"]), Some(2));
    assert_eq!(code(&["pause"]), Some(2));
    assert_eq!(code(&["pause", "--all", "--sender", "x"]), Some(2));
    assert_eq!(code(&["worker"]), Some(2), "a worker alone needs PostgreSQL");
    assert_eq!(code(&["keys", "list", "--server", "http://127.0.0.1:1"]), Some(2), "a key is needed");
    assert_eq!(code(&["keys", "list", "--server", "http://127.0.0.1:1", "--key", "k"]), Some(1));
    assert_eq!(code(&["restore", "/nowhere"]), Some(1));
    assert_eq!(code(&["config", "show"]), Some(0));
    std::fs::write(folder.path().join("hogwire.yaml"), "servr: {}\n").expect("a file");
    assert_eq!(code(&["config", "check"]), Some(1));
    assert_eq!(code(&["serve"]), Some(1));
    let report = json(folder.path(), &["doctor"], 1);
    assert_eq!(report["findings"][0]["check"], "settings");
}

#[test]
fn a_starter_folder_is_planned_applied_checked_and_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    assert_eq!(json(dir, &["init"], 0)["made"].as_array().expect("a list").len(), 5);
    assert_eq!(json(dir, &["init"], 0)["kept"].as_array().expect("a list").len(), 5, "nothing is overwritten");
    json(dir, &["config", "check"], 0);
    let what = |answer: &Value| -> Vec<String> {
        let changes = answer["changes"].as_array().expect("a list");
        changes.iter().map(|change| change["what"].as_str().expect("a word").to_owned()).collect()
    };
    assert_eq!(what(&json(dir, &["plan"], 0)), ["created", "created"]);
    assert_eq!(what(&json(dir, &["plan"], 0)), ["created", "created"], "planning changes nothing");
    assert_eq!(what(&json(dir, &["apply"], 0)), ["created", "created"]);
    assert_eq!(what(&json(dir, &["apply"], 0)), ["unchanged", "unchanged"]);
    json(dir, &["campaign", "lint", "welcome"], 0);
    assert_eq!(run(dir, &["campaign", "lint", "other"]).status.code(), Some(2));
    assert_eq!(json(dir, &["campaign", "activate", "welcome"], 0)["status"], "active");
    assert_eq!(json(dir, &["campaign", "activate", "nobody"], 1)["code"], "not_found");
    assert_eq!(json(dir, &["campaign", "explain", "welcome", "a@b.test"], 1)["code"], "not_found");
    let key = json(dir, &["keys", "create", "shop", "--scope", "ingest,read"], 0);
    assert!(key["key"].as_str().expect("a key").starts_with("hw_"));
    let listed = json(dir, &["keys", "list"], 0);
    assert!(!listed.to_string().contains(key["key"].as_str().expect("a key")), "it is shown once");
    json(dir, &["keys", "revoke", key["id"].as_str().expect("an id")], 0);
    json(dir, &["keys", "create", "shop", "--scope", "everything"], 1);
    assert!(json(dir, &["users", "add", "ada@acme.test", "--role", "editor"], 0)["password"].is_string());
    assert_eq!(json(dir, &["users", "list"], 0)["items"][0]["email"], "ada@acme.test");
    assert_eq!(json(dir, &["pause", "--all"], 0)["changed"], true);
    assert_eq!(json(dir, &["pause", "--all"], 0)["changed"], false);
    assert_eq!(json(dir, &["resume", "--all"], 0)["changed"], true);
    json(dir, &["prune", "--dry-run"], 0);
    json(dir, &["migrate"], 0);
    assert!(run(dir, &["completions", "bash"]).stdout.starts_with(b"_hogwire"));
}

#[test]
fn the_doctor_names_what_stops_mail_and_how_to_mend_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = |report: &Value, check: &str| {
        let findings = report["findings"].as_array().expect("a list");
        let found = findings.iter().find(|finding| finding["check"] == check);
        found.unwrap_or_else(|| panic!("no {check} in {report}"))["state"].clone()
    };
    let report = json(folder.path(), &["doctor"], 1);
    assert_eq!(report["ok"], false);
    assert_eq!(state(&report, "sender"), "failure");
    assert_eq!(state(&report, "database"), "ok");
    assert_eq!(state(&report, "public_url"), "warning");
    for finding in report["findings"].as_array().expect("a list").iter().filter(|finding| finding["state"] != "ok") {
        assert!(finding["remedy"].is_string() && finding["meaning"].is_string(), "{finding}");
    }
    json(folder.path(), &["doctor", "--only", "database"], 0);
    assert_eq!(run(folder.path(), &["doctor", "--only", "nonsense"]).status.code(), Some(2));
    let sink = Sink::new();
    let yaml = format!(
        "senders: {{ default: {{ smtp: \"{}\", from: a@acme.test }} }}\ndomains: {{ acme.test: {{ verify: false }} }}\n",
        sink.url
    );
    std::fs::write(folder.path().join("hogwire.yaml"), yaml).expect("a file");
    let report = json(folder.path(), &["doctor"], 0);
    assert_eq!((state(&report, "mail_server"), state(&report, "domain")), ("ok".into(), "ok".into()));
}

#[test]
fn commands_talk_to_the_running_server_and_a_second_one_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut server, owner) = Server::start(folder.path());
    assert!(webhook(&owner, r#"{"event":"x","distinct_id":"u"}"#).contains("202"));
    json(folder.path(), &["keys", "create", "shop", "--scope", "read"], 0);
    assert_eq!(json(folder.path(), &["keys", "list"], 0)["items"][0]["name"], "shop");
    let second = run(folder.path(), &["serve"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains(&owner.pid.to_string()) && said.contains(&owner.url), "{said}");
    let restore = run(folder.path(), &["restore", "/nowhere"]);
    assert!(String::from_utf8_lossy(&restore.stderr).contains("stop the running server"));
    assert_eq!(server.end("-TERM"), Some(0));
    assert_eq!(lock::owner(&folder.path().join("data")), None);
    assert_eq!(json(folder.path(), &["keys", "list"], 0)["items"][0]["name"], "shop", "the same without a server");
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut server, owner) = Server::start(folder.path());
    for n in 0..50 {
        let body = format!("{{\"event\":\"e\",\"distinct_id\":\"u{n}\",\"uuid\":\"k-{n}\",\"properties\":{{}}}}");
        assert!(webhook(&owner, &body).contains("202"));
    }
    assert_eq!(server.end("-KILL"), None, "it had no time to say goodbye");
    let (mut server, owner) = Server::start(folder.path());
    let began = Instant::now();
    let mut decided = 0.0;
    while decided < 50.0 && began.elapsed() < Duration::from_secs(20) {
        decided = meter(&owner, "hogwire_inbox_backlog_bytes").map_or(0.0, |left| if left == 0.0 { 50.0 } else { 0.0 });
    }
    assert_eq!(server.end("-TERM"), Some(0));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config =
        hogwire::config::from_text(folder.path(), "", Default::default()).unwrap_or_else(|bad| panic!("{bad}"));
    let clock = hogwire::adapters::clock::Clock::real();
    let opened = hogwire::boot::open(config, runtime.handle(), clock).unwrap_or_else(|bad| panic!("{bad}"));
    let search = hogwire_engine::views::events::Search { limit: Some(500), ..Default::default() };
    assert_eq!(opened.engine.events(&search).expect("a page").items.len(), 50);
}

fn meter(owner: &Owner, name: &str) -> Option<f64> {
    let address = owner.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).ok()?;
    let request = format!(
        "GET /metrics HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        owner.key
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[test]
fn a_backup_put_back_begins_with_sending_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    json(dir, &["keys", "create", "before", "--scope", "read"], 0);
    let file = dir.join("copy.db");
    let file = file.to_str().expect("text");
    json(dir, &["backup", file], 0);
    json(dir, &["backup", file], 1);
    json(dir, &["keys", "create", "after", "--scope", "read"], 0);
    let told = json(dir, &["restore", file], 0);
    assert!(told["report"]["backed_up_at"].is_string(), "{told}");
    let names = json(dir, &["keys", "list"], 0);
    assert_eq!(names["items"].as_array().expect("a list").len(), 1, "{names}");
    assert_eq!(json(dir, &["resume", "--all"], 0)["changed"], true, "it was stopped");
    std::fs::write(dir.join("text"), "no database at all").expect("a file");
    assert_eq!(run(dir, &["restore", dir.join("text").to_str().expect("text")]).status.code(), Some(2));
}
