//! A payload that PostHog's own webhook code made becomes a mail in the mail folder of a real
//! OpenSMTPD, and the link in that mail leads where the template says.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::ground::{Running, ask, free_port, lay, spawn, wait_for};

const RECORDED: &str = include_str!("../../../connectors/src/posthog/fixtures/recorded_webhook.json");
const SECRET: &str = "real-secret";

#[test]
fn a_recorded_payload_becomes_a_mail_in_a_real_servers_folder() {
    let Some(smtpd) = std::env::var_os("HOGWIRE_TEST_SMTPD").map(PathBuf::from) else {
        panic!("this test needs OpenSMTPD: `cargo x test` finds it and sets HOGWIRE_TEST_SMTPD");
    };
    if !is_root() {
        println!("left out: OpenSMTPD runs as root only");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (mail_port, port) = (free_port(), free_port());
    let box_of_mail = lay_mail_server(folder.path(), mail_port);
    let conf = folder.path().join("smtpd.conf");
    let _smtpd = Running(spawn(Command::new(smtpd).arg("-d").arg("-f").arg(conf)));
    wait_for("OpenSMTPD", || std::net::TcpStream::connect(("127.0.0.1", mail_port)).ok());
    lay_project(folder.path(), mail_port);
    let _hogwire = Running(spawn(
        Command::new(env!("CARGO_BIN_EXE_hogwire"))
            .args(["serve", "--dir"])
            .arg(folder.path())
            .env("HOGWIRE_BIND", format!("127.0.0.1:{port}"))
            .env("API_PUBLIC_URL", format!("http://127.0.0.1:{port}"))
            .env("POSTHOG_WEBHOOK_SECRET", SECRET),
    ));
    wait_for("hogwire", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());

    let answer = ask(port, "POST", "/v1/webhooks/posthog", &[("x-posthog-webhook-secret", SECRET)], &payload());
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let mail = wait_for("the mail", || newest(&box_of_mail));
    assert!(mail.contains("Subject: Welcome, Ada") && mail.contains("List-Unsubscribe-Post"), "{mail}");
    let flat = mail.replace("=\n", "").replace("=3D", "=");
    let at = flat.find("/t/c/").expect("a tracked link");
    let path: String = flat[at..].chars().take_while(|c| !matches!(c, '"' | '\n' | '\r' | ' ' | ')')).collect();
    let clicked = ask(port, "GET", &path, &[("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")], "");
    let there =
        clicked.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("location: ").map(str::to_owned));
    assert_eq!(there.as_deref(), Some("https://app.example.com/start?plan=pro"), "{clicked}");
}

/// The recorded body, as if it had been made now.
fn payload() -> String {
    let mut body: Value = serde_json::from_str(RECORDED).expect("a recorded body");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let now = hogwire_model::Time::from_millis(i64::try_from(now.as_millis()).expect("a time")).to_string();
    body["event"]["timestamp"] = json!(now);
    body["event"]["captured_at"] = json!(now);
    body.to_string()
}

/// A server that takes anything for anybody and puts it into one folder.
fn lay_mail_server(folder: &Path, port: u16) -> PathBuf {
    let maildir = folder.join("maildir");
    std::fs::create_dir(&maildir).expect("made");
    for path in [folder, &maildir] {
        let status = Command::new("chmod").arg("0777").arg(path).status();
        assert!(status.is_ok_and(|status| status.success()), "the mail folder is opened to the server's user");
    }
    let conf = format!(
        "listen on 127.0.0.1 port {port} hostname mx.example.test\n\
         action \"deliver\" maildir \"{}\" virtual {{ \"@\" => nobody }}\n\
         match from any for any action \"deliver\"\n",
        maildir.display()
    );
    std::fs::write(folder.join("smtpd.conf"), conf).expect("written");
    maildir
}

fn lay_project(folder: &Path, mail_port: u16) {
    let write = |name: &str, text: &str| lay(folder, name, text);
    write(
        "campaigns/welcome.yaml",
        "name: Welcome\nstatus: active\ntrigger: { event: user_signed_up }\nsteps: [ { email: { template: welcome } } ]\n",
    );
    write(
        "templates/welcome.md",
        "---\nsubject: Welcome, {{ contact.name }}\n---\n[Start](https://app.example.com/start?plan={{ plan }})\n",
    );
    write(
        "hogwire.yaml",
        &format!(
            "senders: {{ default: {{ smtp: \"smtp://127.0.0.1:{mail_port}\", from: \"Shop <hello@shop.example>\" }} }}\n\
             domains: {{ shop.example: {{ verify: false }} }}\n"
        ),
    );
}

fn newest(maildir: &Path) -> Option<String> {
    let found = std::fs::read_dir(maildir.join("new")).ok()?.flatten().next()?;
    std::fs::read_to_string(found.path()).ok()
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
