//! Python with the packages of the mail tests: a misbehaving SMTP server, a DNS server, a verifier of
//! DKIM signatures. They are put into `target/python-tools` and nowhere else.

use std::path::Path;

use super::{Counterpart, Running, asked_for};
use crate::Failure;
use crate::run::{command, find, quietly, root};

pub const COUNTERPART: Counterpart = Counterpart {
    name: "python",
    packages: &["python3", "python3-pip"],
    wanted: |root| asked_for(root, VARIABLE),
    find: || find(&["python3"], &[]),
    start,
};

const VARIABLE: &str = "HOGWIRE_TEST_PYTHON";
const PACKAGES: &[&str] = &["aiosmtpd==1.4.6", "dkimpy==1.1.8", "dnslib==0.9.26", "pynacl==1.6.2"];

fn start(python: &Path) -> Result<Running, Failure> {
    let tools = root().join("target/python-tools");
    if !tools.join("nacl").is_dir() {
        println!("$ pip install {}", PACKAGES.join(" "));
        let mut pip = command(python);
        pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(&tools).args(PACKAGES);
        quietly(&mut pip)?;
    }
    let environment = vec![
        (VARIABLE.into(), python.to_string_lossy().into_owned()),
        ("PYTHONPATH".into(), tools.to_string_lossy().into_owned()),
    ];
    Ok(Running { environment, _janitor: None })
}
