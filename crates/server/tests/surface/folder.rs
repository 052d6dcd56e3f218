//! What the command line says of a project folder before anything runs: tests in virtual
//! time, campaigns looked at together, and templates as somebody would read them.

use std::path::Path;

use tempfile::TempDir;

use crate::cli::{json, run};

fn starter() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    json(folder.path(), &["init"], 0);
    folder
}

fn write(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), text).expect("a file");
}

fn said(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(dir, arguments);
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_starters_test_passes_and_a_wrong_one_says_what_came_instead() {
    let folder = starter();
    let dir = folder.path();
    let (code, text) = said(dir, &["campaign", "test"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("pass  2d: exit paid") && text.contains("1 of 1 passed."), "{text}");
    assert!(!dir.join("data").exists(), "it leaves nothing behind");

    write(
        dir,
        "tests/other.yaml",
        "campaign: welcome\ncontact: { email: a@b.test }\nevents: [ { at: 0s, event: signed_up } ]\nexpect: [ { at: 2d, exit: paid } ]\n",
    );
    let (code, text) = said(dir, &["campaign", "test", "welcome"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("FAIL  2d: exit paid (") && text.contains("1 of 2 passed."), "{text}");
    let told = json(dir, &["campaign", "test"], 1);
    assert_eq!(told["tests"][0]["verdicts"][0]["passed"], false, "{told}");
    assert_eq!(told["tests"][1]["passed"], true, "{told}");
    assert_eq!(said(dir, &["campaign", "test", "nobody"]).0, Some(2));
}

#[test]
fn a_bad_test_or_campaign_is_told_with_its_line() {
    let folder = starter();
    let dir = folder.path();
    write(dir, "tests/bad.yaml", "campaign: welcome\nexpect:\n  - { at: 2d, exits: paid }\n");
    let (code, text) = said(dir, &["campaign", "test"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("tests/bad.yaml:3:15: `exits` is not a key here") && text.contains("did you mean `exit`?"),
        "{text}"
    );
    write(dir, "tests/bad.yaml", "campaign: welcme\nexpect: [ { at: 2d, exit: paid } ]\n");
    let (_, text) = said(dir, &["campaign", "test"]);
    assert!(text.contains("campaigns/welcme.yaml is not there"), "{text}");
    std::fs::remove_file(dir.join("tests/bad.yaml")).expect("gone");
    write(
        dir,
        "campaigns/welcome.yaml",
        "name: Welcome\ntrigger: { event: signed_up }\nsteps:\n  - emial: { template: welcome }\n",
    );
    let (code, text) = said(dir, &["campaign", "test"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("campaigns/welcome:4:"), "{text}");
}

#[test]
fn lint_looks_at_campaigns_together_and_says_nothing_of_versions() {
    let folder = starter();
    let dir = folder.path();
    json(dir, &["apply"], 0);
    let (code, text) = said(dir, &["campaign", "lint"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("template welcome: fine") && !text.contains("version"), "{text}");
    assert!(!text.contains("together"), "{text}");

    let twin = "name: Twin\ntrigger: { event: signed_up }\nexit_on: [ { event: SignedUp } ]\nsteps: [ { email: { template: welcome } } ]\n";
    write(dir, "campaigns/twin.yaml", twin);
    let told = json(dir, &["campaign", "lint"], 0);
    let codes: Vec<&str> =
        told["together"].as_array().expect("a list").iter().filter_map(|problem| problem["code"].as_str()).collect();
    assert!(codes.contains(&"campaigns_overlap"), "{told}");
    assert_eq!(codes.len(), 2, "an overlap, and two names that look alike: {told}");
    let (_, text) = said(dir, &["campaign", "lint", "twin"]);
    assert!(
        text.contains("campaign twin:") && text.contains("together:\n  warning: welcome: `twin` and `welcome`"),
        "{text}"
    );
    assert!(!text.contains("campaign welcome"), "{text}");
}

#[test]
fn a_template_is_shown_as_it_stands_in_the_folder() {
    let folder = starter();
    let dir = folder.path();
    write(dir, "templates/hello.md", "---\nsubject: Hello {{ event.who }}\n---\nYour *plan* is {{ plan }}.\n");
    let event = r#"{"who":"Ada"}"#;
    let (code, text) = said(dir, &["template", "preview", "hello", "--event", event]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("Subject: Hello Ada\n") && text.contains("without a default: plan"), "{text}");
    let (_, html) = said(dir, &["template", "preview", "hello", "--event", r#"{"plan":"<b>"}"#, "--html"]);
    assert!(html.contains("<em>plan</em>") && html.contains("&lt;b&gt;"), "{html}");
    let (_, plain) = said(dir, &["template", "preview", "hello", "--text"]);
    assert!(!plain.contains('<') && plain.contains("plan"), "{plain}");
    assert_eq!(json(dir, &["template", "preview", "nothing"], 1)["code"], "not_found");
    assert_eq!(json(dir, &["template", "preview", "hello", "--contact", "a@b.test"], 1)["code"], "not_found");
    assert_eq!(run(dir, &["template", "preview", "hello", "--event", "[1]"]).status.code(), Some(2));
}

#[test]
fn a_test_of_a_template_needs_somebody_to_write_as() {
    let folder = starter();
    let dir = folder.path();
    json(dir, &["apply"], 0);
    let test = ["template", "test", "welcome", "--to", "me@acme.test"];
    assert_eq!(json(dir, &test, 1)["code"], "not_found", "nobody has the address");
    assert_eq!(json(dir, &["template", "test", "nothing", "--to", "me@acme.test"], 1)["code"], "not_found");
    assert_eq!(json(dir, &["template", "test", "welcome", "--to", "nonsense"], 1)["code"], "conflict");
    assert_eq!(said(dir, &["template", "test", "welcome"]).0, Some(2), "it asks where to");
}

#[test]
fn the_test_that_the_documents_show_passes() {
    let document = include_str!("../../../../docs/campaigns.md");
    let block = |fence: &str, begins: &str| {
        let mut blocks = document.split(fence).skip(1).filter_map(|rest| rest.split("```").next());
        blocks.find(|block| block.starts_with(begins)).unwrap_or_else(|| panic!("no {begins}"))
    };
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    for name in ["campaigns", "templates", "tests"] {
        std::fs::create_dir(dir.join(name)).expect("a folder");
    }
    write(dir, "campaigns/checkout-recovery.yaml", block("```yaml\n", "name: Checkout recovery"));
    write(dir, "templates/recovery.md", block("```\n", "---\nsubject"));
    write(dir, "tests/checkout-recovery.yaml", block("```yaml\n", "campaign:"));
    let (code, text) = said(dir, &["campaign", "test"]);
    assert_eq!(code, Some(0), "{text}");
}
