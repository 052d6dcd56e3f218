//! Chromium, driven by playwright-core. The browser comes from the system, never from a download.

use std::path::Path;

use super::{Counterpart, Running};
use crate::Failure;
use crate::run::{command, find, quietly, root};

pub const COUNTERPART: Counterpart = Counterpart {
    name: "browser",
    packages: &["chromium", "nodejs", "npm"],
    wanted: |root| root.join("crates/server/tests/browser/run.mjs").is_file(),
    find: || {
        find(&["node"], &[])?;
        find(&["npm"], &[])?;
        find(&["chromium", "chromium-browser", "google-chrome"], &[])
    },
    start,
};

const DRIVER: &str = "playwright-core@1.65.1";

/// Tests find the driver with `createRequire` on `HOGWIRE_BROWSER_TOOLS`.
fn start(chromium: &Path) -> Result<Running, Failure> {
    let tools = root().join("target/browser-tools");
    if !tools.join("node_modules/playwright-core/package.json").is_file() {
        println!("$ npm install {DRIVER}");
        let mut npm = command("npm");
        npm.arg("install").arg("--prefix").arg(&tools);
        quietly(npm.args(["--no-audit", "--no-fund", "--ignore-scripts", DRIVER]))?;
    }
    let modules = tools.join("node_modules").to_string_lossy().into_owned();
    let environment = vec![
        ("HOGWIRE_BROWSER_TOOLS".into(), tools.to_string_lossy().into_owned()),
        ("HOGWIRE_TEST_CHROMIUM".into(), chromium.to_string_lossy().into_owned()),
        ("NODE_PATH".into(), modules),
    ];
    Ok(Running { environment, _janitor: None })
}
