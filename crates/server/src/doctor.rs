//! Checks of a whole installation: what was found, what it means, what to do (SPEC C10).
//!
//! Each check stands alone, changes nothing, and is quick. A failure is what stops mail or
//! loses events; a warning is what a person should look at. Called by the API and so by
//! `hogwire doctor`.

mod campaigns;
mod destinations;
mod ground;
mod loops;
mod senders;

use serde::Serialize;

use crate::app::App;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Ok,
    Warning,
    Failure,
}

/// What one check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable snake_case name.
    pub check: &'static str,
    /// What was looked at, where there are several: a sender, a campaign.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    pub state: State,
    /// What was found, in a sentence.
    pub found: String,
    /// What it means for mail and events. Empty where all is well.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub meaning: &'static str,
    /// What to do. Empty where all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            subject: String::new(),
            state: State::Ok,
            found: found.into(),
            meaning: "",
            remedy: String::new(),
        }
    }

    fn warning(
        check: &'static str,
        found: impl Into<String>,
        meaning: &'static str,
        remedy: impl Into<String>,
    ) -> Self {
        Self { state: State::Warning, meaning, remedy: remedy.into(), ..Self::ok(check, found) }
    }

    fn failure(
        check: &'static str,
        found: impl Into<String>,
        meaning: &'static str,
        remedy: impl Into<String>,
    ) -> Self {
        Self { state: State::Failure, ..Self::warning(check, found, meaning, remedy) }
    }

    fn about(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }
}

/// Runs every check. May block for as long as a mail server takes to greet.
pub fn examine(app: &App) -> Vec<Finding> {
    let mut findings = ground::examine(app);
    findings.extend(loops::examine(app));
    findings.extend(senders::examine(app));
    findings.extend(destinations::examine(app));
    findings.extend(campaigns::examine(app));
    findings
}
