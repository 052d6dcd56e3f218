//! What commands print: text for people, or one JSON document, and how they end.

use std::fmt::Display;
use std::io::Write as _;

use serde::Serialize;
use serde_json::Value;

/// Standard output, in the form that was asked for.
pub struct Screen {
    json: bool,
}

/// Why a command ends without having done what was asked.
#[derive(Debug)]
pub struct Stop {
    /// 1: it failed. 2: it cannot be asked like this.
    pub code: u8,
    /// Empty where everything has been said.
    pub message: String,
    /// The problem document that the API answered with.
    pub problem: Option<Value>,
}

impl Stop {
    pub fn failed(message: impl Display) -> Self {
        Self { code: 1, message: message.to_string(), problem: None }
    }

    pub fn misuse(message: impl Display) -> Self {
        Self { code: 2, message: message.to_string(), problem: None }
    }

    /// What is wrong has been printed already.
    pub fn told() -> Self {
        Self { code: 1, message: String::new(), problem: None }
    }

    /// The API said no, with a problem document.
    pub fn problem(document: Value) -> Self {
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let mut message = text("detail");
        for problem in document["problems"].as_array().into_iter().flatten() {
            let part = |name: &str| problem[name].as_str().unwrap_or_default();
            message.push_str(&format!("\n  {}: {}: {}", part("severity"), part("path"), part("message")));
        }
        let remedy = text("remedy");
        if !remedy.is_empty() {
            message.push_str(&format!("\n  = {remedy}"));
        }
        Self { code: 1, message, problem: Some(document) }
    }
}

impl Screen {
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the answer: as JSON where that was asked for, else as the text says it.
    pub fn show(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let out = if self.json {
            serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
        } else {
            text()
        };
        line(&out);
    }

    /// Prints a line for people; nothing where JSON was asked for.
    pub fn say(&self, text: impl Display) {
        if !self.json {
            line(&text.to_string());
        }
    }

    pub fn stopped(&self, stop: &Stop) {
        if stop.message.is_empty() {
            return;
        }
        if self.json {
            let told = stop.problem.clone().unwrap_or_else(|| serde_json::json!({ "error": stop.message }));
            line(&told.to_string());
        } else {
            let _ = writeln!(std::io::stderr(), "{}", stop.message);
        }
    }
}

/// A reader that went away, as `head` does, is no failure.
fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
