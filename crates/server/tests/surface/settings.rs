//! `hogwire.yaml` and the environment: what is accepted, what is told of mistakes.

use std::collections::BTreeMap;
use std::path::Path;

use hogwire::config::read::Environment;
use hogwire::config::{self, Config, Database};
use hogwire_engine::settings::Ambiguous;

const SEED: &str = include_str!("seed.yaml");

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
}

fn load(text: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
    config::from_text(Path::new("/project"), text, environment(pairs)).map_err(|unusable| unusable.to_string())
}

#[test]
fn the_connectors_block_of_the_brevo_page_loads_as_it_stands() {
    let pairs = [
        ("POSTHOG_HOST", "https://eu.posthog.com"),
        ("POSTHOG_PERSONAL_API_KEY", "phx_1"),
        ("POSTHOG_PROJECT_TOKEN", "phc_1"),
    ];
    let config = load(SEED, &pairs).unwrap_or_else(|bad| panic!("{bad}"));
    let access = &config.posthog["posthog"];
    assert_eq!(
        (access.host.as_str(), access.private_host.as_str()),
        ("https://eu.i.posthog.com", "https://eu.posthog.com")
    );
    assert_eq!(access.project_id.as_deref(), Some("12345"));
    assert_eq!(config.settings.connections["posthog"].project_token.as_deref(), Some("phc_1"));
    assert!(load(SEED, &[]).is_ok(), "a variable that is not set turns off one capability, not the file");
}

#[test]
fn every_line_of_the_documented_default_is_a_setting() {
    let config = load(config::DEFAULT, &[]).unwrap_or_else(|bad| panic!("{bad}"));
    let empty = load("", &[]).expect("an empty file");
    assert_eq!(config.bind, empty.bind);
    assert_eq!(config.database, empty.database);
    assert_eq!(config.settings.policies.merge_by_email, empty.settings.policies.merge_by_email);
}

#[test]
fn the_environment_beats_the_file() {
    let file = "server: { bind: 127.0.0.1:1, public_url: https://file.example }\n\
                database: sqlite:elsewhere/x.db\n\
                connectors: { posthog: { host: https://us.posthog.com, project_token: phc_file } }\n";
    let config = load(
        file,
        &[
            ("HOGWIRE_BIND", "127.0.0.1:2"),
            ("API_PUBLIC_URL", "https://env.example/"),
            ("POSTHOG_HOST", "https://ph.example.com"),
            ("POSTHOG_PRIVATE_HOST", "https://eu.posthog.com"),
            ("POSTHOG_API_KEY", "phc_env"),
            ("ENABLE_POSTHOG_DESTINATION", "true"),
            ("SMTP_URL", "smtp://127.0.0.1:1025"),
        ],
    )
    .expect("settings");
    assert_eq!(config.bind, "127.0.0.1:2");
    assert_eq!(config.public_url.as_deref(), Some("https://env.example"));
    assert_eq!(config.database, Database::Sqlite("/project/elsewhere/x.db".into()));
    let connection = &config.settings.connections["posthog"];
    assert_eq!(connection.ingestion_host, "https://ph.example.com");
    assert_eq!(connection.app_host, "https://eu.posthog.com");
    assert!(connection.capture);
    assert!(config.mail.contains_key("default"));
    assert_eq!(config.settings.senders["default"].from, "hogwire@env.example");
    assert_eq!(config.settings.policies.ambiguous, Ambiguous::ByKind);
}

#[test]
fn several_connectors_blocks_are_merged_key_by_key() {
    let file = "connectors:\n  posthog:\n    host: https://eu.posthog.com\n    sync: { persons: true }\n\
                topics: { news: {} }\n\
                connectors:\n  posthog:\n    project_id: 7\n    sync: { cohorts: true }\n  brevo: { api_key: k }\n";
    let config = load(file, &[]).expect("settings");
    assert_eq!(config.posthog["posthog"].project_id.as_deref(), Some("7"));
    assert_eq!(config.posthog["posthog"].private_host, "https://eu.posthog.com");
    assert!(config.brevo_key.is_some());
}

#[test]
fn mistakes_are_told_with_their_place() {
    let cases = [
        ("unknown key", "server:\n  bindd: 127.0.0.1:1\n"),
        (
            "unknown key deep",
            "connectors:\n  posthog:\n    personal_api_kee: \"${KEY}\"\n    sync:\n      person: true\n",
        ),
        ("wrong type", "senders:\n  default:\n    smtp: smtp://127.0.0.1\n    max_per: { second: \"${KEY}\" }\n"),
        ("twice", "database: sqlite:a.db\ndatabase: sqlite:b.db\n"),
        ("no yaml", "server: [\n"),
        ("missing variable inside", "server:\n  public_url: https://${NOWHERE}/x\n"),
        ("open brace", "server:\n  public_url: \"${NOWHERE\"\n"),
        (
            "values",
            "server: { public_url: nowhere, allow_from: [here] }\ndatabase: mysql://x\npolicies: { time_zone: { default: Mars/Base }, test_inbox: nobody }\n",
        ),
        ("host", "connectors: { posthog: { host: http://ph.example.com } }\n"),
        ("sender", "senders: { default: { smtp: ftp://x, from: nobody } }\n"),
    ];
    let mut told = String::new();
    for (name, text) in cases {
        let bad = load(text, &[("KEY", "a-very-secret-value")]).err().unwrap_or_else(|| panic!("{name} was accepted"));
        assert!(!bad.contains("a-very-secret-value"), "{bad}");
        told.push_str(&format!("# {name}\n{bad}\n\n"));
    }
    let bad = load("server: { bind: x }", &[("POSTHOG_HOST", "ftp://x"), ("SMTP_URL", "x"), ("API_PUBLIC_URL", "x")]);
    told.push_str(&format!("# environment\n{}\n", bad.err().expect("mistakes")));
    insta::assert_snapshot!(told);
}
