//! The demonstration, run to its end as somebody at a terminal would.

use std::process::Command;

use serde_json::Value;

#[test]
fn the_whole_loop_runs_with_nothing_configured_and_every_promise_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_hogwire"))
        .args(["demo", "--once", "--json", "--day", "8", "--seed", "3"])
        .current_dir(folder.path())
        .env_clear()
        .output()
        .expect("it runs");
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert!(output.status.success(), "{told}");
    assert_eq!(told["broken"], serde_json::json!([]));
    assert!(told["history"]["events"].as_u64() > Some(5_000), "{told}");
    assert!(told["mails"].as_u64() > Some(0) && told["captured"]["hogwire_email_sent"].as_u64() > Some(0), "{told}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "it leaves nothing behind");
}
