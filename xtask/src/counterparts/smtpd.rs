//! OpenSMTPD. Tests write its configuration and start it themselves: they are told only where it is.

use std::path::{Path, PathBuf};

use super::{Counterpart, Running, asked_for};
use crate::Failure;
use crate::run::find;

pub const COUNTERPART: Counterpart = Counterpart {
    name: "opensmtpd",
    packages: &["opensmtpd"],
    wanted: |root| asked_for(root, VARIABLE),
    find: || find(&["smtpd"], &[PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")]),
    start,
};

const VARIABLE: &str = "HOGWIRE_TEST_SMTPD";

fn start(smtpd: &Path) -> Result<Running, Failure> {
    let environment = vec![(VARIABLE.into(), smtpd.to_string_lossy().into_owned())];
    Ok(Running { environment, _janitor: None })
}
