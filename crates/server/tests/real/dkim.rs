//! A domain is verified by a real name server, its mail goes through a real mail server, and
//! a verifier that we did not write (dkimpy) believes both signatures, and none of a mail
//! that somebody touched.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::ground::{Running, answered, ask, free_port, lay, post_event, spawn, wait_for};

const SECRET: &str = "real-secret";

#[test]
fn mail_of_a_verified_domain_is_signed_as_an_independent_verifier_wants_it() {
    let Some(python) = std::env::var_os("HOGWIRE_TEST_PYTHON").map(PathBuf::from) else {
        panic!(
            "this test needs Python with aiosmtpd, dkimpy and dnslib: `cargo x test` brings it and sets HOGWIRE_TEST_PYTHON"
        );
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (mail_port, dns_port, port) = (free_port(), free_port(), free_port());
    let (zone, kept) = (folder.path().join("zone.txt"), folder.path().join("kept"));
    std::fs::create_dir(&kept).expect("made");
    std::fs::write(&zone, "other.example. 60 IN TXT \"nothing\"\n").expect("written");
    let _dns = Running(spawn(tool(&python, "dns_serve.py").arg(dns_port.to_string()).arg(&zone)));
    let _smtp = Running(spawn(tool(&python, "smtp_sink.py").arg(mail_port.to_string()).arg(&kept)));
    for port in [dns_port, mail_port] {
        wait_for("a server", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    }
    lay_project(folder.path(), mail_port, dns_port);
    let _hogwire = Running(spawn(
        Command::new(env!("CARGO_BIN_EXE_hogwire"))
            .args(["serve", "--dir"])
            .arg(folder.path())
            .env("HOGWIRE_BIND", format!("127.0.0.1:{port}"))
            .env("API_PUBLIC_URL", "https://go.shop.example")
            .env("ADMIN_API_KEY", "k")
            .env("POSTHOG_WEBHOOK_SECRET", SECRET),
    ));
    wait_for("hogwire", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    post_event(port, SECRET, "user_signed_up", "ada@example.com");

    let domain = wait_for("the domain", || found(port, "GET", "/v1/domains/shop.example"));
    assert_eq!(domain["status"], "pending", "{domain}");
    assert!(std::fs::read_dir(&kept).expect("read").next().is_none(), "mail waits");
    publish(&zone, &domain);
    let domain = found(port, "POST", "/v1/domains/shop.example/check").expect("looked up");
    assert_eq!(domain["status"], "verified", "{domain:#}");
    let wrong: Vec<&Value> = records(&domain).iter().filter(|record| record["state"] != "right").collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // What waited looks again within a minute; what comes now goes at once.
    post_event(port, SECRET, "user_signed_up", "bob@example.com");
    let mail = wait_for("the mail", || newest(&kept));

    let judged = tool(&python, "dkim_check.py").arg(dns_port.to_string()).arg(&mail).output().expect("judged");
    let judged: Value = serde_json::from_slice(&judged.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&judged.stderr)));
    assert_eq!(judged["genuine"], json!([true, true]), "RSA and Ed25519: {judged}");
    for touched in ["other_subject", "other_body", "added_header"] {
        assert_eq!(judged[touched], json!([false, false]), "{touched}: {judged}");
    }
    let signed: Vec<&str> = judged["signed"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    for name in ["from", "list-unsubscribe", "list-unsubscribe-post", "message-id", "subject"] {
        assert!(signed.iter().filter(|known| **known == name).count() >= 2, "{name}: {signed:?}");
    }
}

fn tool(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/tools").join(name));
    command
}

fn found(port: u16, method: &str, path: &str) -> Option<Value> {
    let answer = ask(port, method, path, &[("authorization", "Bearer k")], "{}");
    answer.starts_with("HTTP/1.1 200").then(|| serde_json::from_str(answered(&answer)).expect("JSON"))
}

fn records(domain: &Value) -> &[Value] {
    domain["records"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What the page shows, as somebody types it at a DNS host: strings of 255 at most.
fn publish(zone: &Path, domain: &Value) {
    let mut text = String::new();
    for record in records(domain) {
        let (host, value) = (record["host"].as_str().expect("a host"), record["value"].as_str().expect("a value"));
        match record["kind"].as_str() {
            Some("MX") => text.push_str(&format!("{host}. 60 IN MX 10 mx.{host}.\n")),
            _ => {
                let parts: Vec<String> =
                    value.as_bytes().chunks(200).map(|part| format!("\"{}\"", String::from_utf8_lossy(part))).collect();
                text.push_str(&format!("{host}. 60 IN TXT {}\n", parts.join(" ")));
            }
        }
    }
    std::fs::write(zone, text).expect("written");
}

fn lay_project(folder: &Path, mail_port: u16, dns_port: u16) {
    let write = |name: &str, text: &str| lay(folder, name, text);
    write(
        "campaigns/welcome.yaml",
        "name: Welcome\nstatus: active\ntrigger: { event: user_signed_up }\nsteps: [ { email: { template: welcome } } ]\n",
    );
    write(
        "templates/welcome.md",
        "---\nsubject: Grüße, {{ contact.name }} ✓\n---\nHello  there.\n\n[Start](https://app.example.com/start)\n",
    );
    write(
        "hogwire.yaml",
        &format!(
            "server: {{ dns: [ \"127.0.0.1:{dns_port}\" ] }}\n\
             senders: {{ default: {{ smtp: \"smtp://127.0.0.1:{mail_port}\", from: \"Shop <hello@shop.example>\" }} }}\n"
        ),
    );
}

fn newest(kept: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(kept).ok()?.flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).max()
}
